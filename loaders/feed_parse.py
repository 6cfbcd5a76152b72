"""A document of a blog -> its posts: RSS of every age and Atom by feedparser, JSON Feed by json.

`parse` does it in a process of its own, as the bytes are students'; `read` is what runs there.
"""

from __future__ import annotations

import io
import re
import time
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any

import feedparser

from loaders.errors import Unreadable
from loaders.feed_budget import MOST_KEPT, TOO_LARGE, within
from loaders.feed_document import Document, Feed, bindable
from loaders.feed_errors import BROKEN, LOGIN, NotAFeed
from loaders.feed_json import read_json
from loaders.feed_pages import older_of
from loaders.feed_post import distinct, plain_as_html, plain_title, post, utc_text
from loaders.feed_worker import Workers

MOST_POSTS = 5000
TOO_MANY = f"this feed holds more than {MOST_POSTS:,} posts in one document: its first {MOST_POSTS:,} were taken"
CUT = "this feed ends in the middle: all but its last post were taken; fetch again later"
ENTITIES = "this feed defines words of its own (XML entities) that Coursette does not read: ask what makes it"
PAGE = "this address gives a web page, not a feed"
_HEAD = 20_000  # characters that show what a document is
_ROOT = re.compile(r"<(?:[\w.-]+:)?(rss|feed|rdf)[\s>]", re.IGNORECASE)
_HTML = re.compile(r"<!doctype\s+html|<html[\s>]|<head[\s>]|<body[\s>]", re.IGNORECASE)
_PASSWORD = re.compile(r"<input[^>]{0,300}type\s*=\s*[\"']?password", re.IGNORECASE)
_END = re.compile(r"</(?:[\w.-]+:)?(rss|feed|rdf)\s*>", re.IGNORECASE)
_ITEM = re.compile(r"<(?:[\w.-]+:)?(?:item|entry)[\s>]", re.IGNORECASE)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_BEFORE = re.compile(r"(?:\s++|<!--.*?-->|<\?.*?\?>)*+", re.DOTALL)  # what may stand before a DOCTYPE
# A DOCTYPE that does no harm: with no entities, or with characters under other names, such as <!ENTITY nbsp "&#160;">.
# Nothing that grows, nothing from elsewhere; whatever does not fit this is refused.
_DOCTYPE = re.compile(
    r"""<!DOCTYPE\s+[\w:.-]{1,40}(?:\s+(?:PUBLIC|SYSTEM))?(?:\s*(?:"[^"]*"|'[^']*'))*+\s*+
    (?:\[(?:\s++|<!--[^-]*+-->|<!ENTITY\s+[\w.-]{1,40}\s+["'](?:&\#\w{1,8};|[^"'&%<]{0,10})["']\s*>)*+\]\s*)?>""",
    re.IGNORECASE | re.VERBOSE,
)
_REFERENCE = re.compile(r"&#([xX][0-9a-fA-F]{1,9}|[0-9]{1,9});?", re.ASCII)
_TEXT = ("text/plain", "text")
_XHTML = ("application/xhtml+xml", "xhtml", "html")


async def parse(workers: Workers, document: Document) -> Feed:
    """The feed in a document, read in a process of its own. Raises NotAFeed, or Unreadable with one sentence."""
    return await workers.run(read, document)


def read(document: Document) -> Feed:
    """The feed in a document. Raises NotAFeed, or Unreadable."""
    began = time.perf_counter()
    feed = _read(document)
    return replace(
        feed, title=bindable(feed.title), posts=bindable(feed.posts), older=bindable(feed.older),
        seconds=time.perf_counter() - began,
    )  # fmt: skip


def _read(document: Document) -> Feed:
    text = document.text()
    start = text[:_HEAD].lstrip()
    try:
        if start.startswith("{"):
            return read_json(text, document.url, MOST_POSTS, TOO_MANY)
        _refuse_page(start)
        return _read_xml(_DECLARATION.sub("", text.lstrip(), count=1), document.url)
    except RecursionError:
        raise Unreadable("this feed is nested too deep to be read") from None


def _refuse_page(start: str) -> None:
    """Raise NotAFeed for a web page."""
    root, page = _ROOT.search(start), _HTML.search(start)
    if page and not (root and root.start() < page.start()):
        raise NotAFeed(LOGIN if _PASSWORD.search(start) else PAGE)


def _refuse_entities(text: str) -> None:
    """Raise Unreadable for a DOCTYPE that defines more than names of characters."""
    start = _BEFORE.match(text).end()
    if text[start : start + 9].upper() == "<!DOCTYPE" and not _DOCTYPE.match(text, start):
        raise Unreadable(ENTITIES)


def _read_xml(text: str, url: str) -> Feed:
    _refuse_entities(text)
    fault = None if _END.search(text) else CUT
    text, crowded = _shortened(text)
    parsed = _parsed(_REFERENCE.sub(_real_character, text))
    version = parsed.get("version") or ""
    if not version and not parsed.entries:
        raise NotAFeed("this address gives something that is no feed: give the address of the blog or its feed")
    kind = "atom" if version.startswith("atom") else "rss"
    entries = parsed.entries[:-1] if fault and not crowded else parsed.entries
    posts, full = within(entry_post(entry, kind, url) for entry in entries)
    if full:
        fault = TOO_LARGE.format(MOST_KEPT / 1e6, len(posts))
    return Feed(
        kind=kind, title=_title(parsed.feed, kind) or None, posts=distinct(posts),
        older=None if fault else older_of(parsed, url), fault=TOO_MANY if crowded and not full else fault,
    )  # fmt: skip


def _parsed(text: str) -> Any:
    """What feedparser makes of it. Raises Unreadable.

    No sanitising here: nh3 does it, faster and for good. No address: else feedparser changes what posts are known by.
    BytesIO, as a string might be taken for a file's name.
    """
    try:
        return feedparser.parse(
            io.BytesIO(text.encode("utf-8", "replace")), sanitize_html=False, resolve_relative_uris=False,
            response_headers={"content-type": "application/xml; charset=utf-8"},
        )  # fmt: skip
    except (ValueError, LookupError, AttributeError, TypeError, AssertionError):  # it is not made for every oddity
        raise Unreadable(BROKEN) from None


def _real_character(found: re.Match) -> str:
    """A character reference, or nothing where there is no such character: &#x110000; ends feedparser."""
    digits = found[1]
    code = int(digits[1:], 16) if digits[0] in "xX" else int(digits)
    fits = code in (9, 10, 13) or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code <= 0x10FFFF
    return found[0] if fits else ""


def _shortened(text: str) -> tuple[str, bool]:
    """The document with as many posts as are taken, and whether there were more."""
    for number, found in enumerate(_ITEM.finditer(text)):
        if number == MOST_POSTS:
            root = _ROOT.search(text)
            ends = "</feed>" if root and root[1].lower() == "feed" else "</channel></rss>"
            return text[: found.start()] + ends, True
    return text, False


def entry_post(entry: Any, kind: str, url: str) -> dict:
    """A post out of feedparser's entry."""
    body, whole, base = _body(entry, kind)
    published, updated = _time(entry, "published"), _time(entry, "updated")
    if kind == "rss" and not published:  # <dc:date>, the only date of RSS 1.0, is "updated" to feedparser
        published, updated = updated, None
    return post(
        guid=dict.get(entry, "id"), url=dict.get(entry, "feedburner_origlink") or _link(entry, url), base=base or url,
        title=_title(entry, kind),
        body=body, whole=whole, published_utc=published, updated_utc=updated,
    )  # fmt: skip


def _title(found: Any, kind: str) -> str:
    """The title of a feed or a post; RSS does not say whether it is HTML, and what writes it mostly means so."""
    detail = found.get("title_detail") or {}
    return plain_title(detail.get("value") or "", kind == "rss" or detail.get("type") not in _TEXT)


def _time(entry: Any, name: str) -> str | None:
    """A time of an entry; dict.get, as feedparser gives the time of publication where there is none of editing."""
    parsed, text = dict.get(entry, f"{name}_parsed"), dict.get(entry, name)
    if parsed is None and text:
        try:  # "Mon, 04 Mar 2024 10:00:00", which feedparser does not take without a zone
            parsed = parsedate_to_datetime(text)
        except (TypeError, ValueError, OverflowError):
            return None
    return utc_text(parsed)


def _link(entry: Any, url: str) -> str | None:
    """The post's own page."""
    links = [one for one in entry.get("links", []) if one.get("rel") == "alternate" and one.get("href")]
    pages = [one for one in links if "html" in (one.get("type") or "html")]
    return (pages or links or [{}])[0].get("href") or dict.get(entry, "link")


def _body(entry: Any, kind: str) -> tuple[str, bool | None, str | None]:
    """(HTML, whether it is the whole post, what its addresses are relative to)."""
    contents = [one for one in entry.get("content", []) if one.get("value") is not None and not one.get("src")]
    readable = [one for one in contents if (one.get("type") or "text/html") in (*_TEXT, "text/html", *_XHTML)]
    summary = entry.get("summary_detail")
    if readable:
        best = max(readable, key=lambda one: len(one["value"]))
        return _as_html(best), True, best.get("base")
    if summary is not None:
        return _as_html(summary), False if kind == "atom" or entry.get("content") else None, summary.get("base")
    return "", False, None


def _as_html(detail: dict) -> str:
    value = detail.get("value") or ""
    return plain_as_html(value) if detail.get("type") in _TEXT else value
