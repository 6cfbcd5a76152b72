"""JSON Feed, 1.0 and 1.1: https://www.jsonfeed.org/version/1.1/."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from loaders.feed_budget import MOST_KEPT, TOO_LARGE, within
from loaders.feed_document import CONTROLS, Feed
from loaders.feed_errors import NotAFeed
from loaders.feed_pages import joined
from loaders.feed_post import distinct, plain_as_html, plain_title, post, utc_text


def read_json(text: str, url: str, most: int, too_many: str) -> Feed:
    """The feed in a JSON document. Raises NotAFeed."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise NotAFeed("this address gives broken JSON, no feed: fetch again later") from None
    items = found.get("items")
    if not isinstance(items, list) or "jsonfeed.org" not in str(found.get("version")):
        raise NotAFeed("this address gives JSON that is no feed: give the address of the blog or its feed")
    older = _text(found.get("next_url"))
    posts, full = within(item_post(item, url) for item in items[:most] if isinstance(item, dict))
    fault = TOO_LARGE.format(MOST_KEPT / 1e6, len(posts)) if full else too_many if len(items) > most else None
    return Feed(
        kind="json",
        title=plain_title(_text(found.get("title")), False) or None,
        posts=distinct(posts),
        older=joined(url, older) if older else None,
        fault=fault,
    )


def item_post(item: dict[str, Any], url: str) -> dict:
    """A post out of an item: {"id": "2", "url": "https://…", "content_html": "<p>…", "date_published": "2010-…"}."""
    html, plain, summary = (_text(item.get(name)) for name in ("content_html", "content_text", "summary"))
    body = html or plain_as_html(plain or summary)
    return post(
        guid=_text(item.get("id")), url=_text(item.get("url")) or _text(item.get("external_url")),
        title=plain_title(_text(item.get("title")), False), body=body, base=url,
        whole="content_html" in item or "content_text" in item, published_utc=_time(item.get("date_published")),
        updated_utc=_time(item.get("date_modified")),
    )  # fmt: skip


def _text(value: Any) -> str:
    """A string, without half characters; the specification lets readers take a number for an id."""
    if not isinstance(value, str):
        return str(value) if isinstance(value, (int, float)) else ""
    return CONTROLS.sub("", value.encode("utf-8", "replace").decode())


def _time(value: Any) -> str | None:
    try:
        return utc_text(datetime.fromisoformat(_text(value).strip()))
    except ValueError:
        return None
