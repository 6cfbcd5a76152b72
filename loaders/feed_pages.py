"""Where a feed's older posts are: by RFC 5005, and in the ways of WordPress and Blogger."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

BLOGGER = frozenset(("blogger.com",))
# <feed xmlns:wfw="http://wellformedweb.org/CommentAPI/" xmlns:slash=…>: both in what WordPress writes, unless changed.
_WORDPRESS_NAMESPACES = ("http://wellformedweb.org/CommentAPI/", "http://purl.org/rss/1.0/modules/slash/")


def older_of(parsed: Any, url: str) -> str | None:
    """The address of the next older page of a feed that feedparser read; None where it tells none."""
    for relation in ("next", "prev-archive"):
        for link in parsed.feed.get("links", []):
            if link.get("rel") == relation and link.get("href"):
                return joined(url, link["href"])
    if not parsed.entries:
        return None
    if is_wordpress(parsed):
        return with_values(url, paged=str(_number(value_of(url, "paged"), 1) + 1))
    return _by_counting(parsed.feed, url)


def joined(url: str, address: str) -> str | None:
    """An address of a page at `url`, made absolute; None where it is none."""
    try:
        return urljoin(url, address.strip())
    except ValueError:
        return None


def is_wordpress(parsed: Any) -> bool:
    """Whether WordPress wrote a feed: <generator>https://wordpress.org/?v=6.4</generator>, or its namespaces."""
    generator = str(parsed.feed.get("generator") or "").lower()
    known = set((parsed.get("namespaces") or {}).values())
    return "wordpress" in generator or (not generator and known.issuperset(_WORDPRESS_NAMESPACES))


def _by_counting(feed: Any, url: str) -> str | None:
    """By OpenSearch's counts, as in Blogger's RSS: <openSearch:totalResults>60</…>, startIndex, itemsPerPage."""
    total, start, size = (
        _number(feed.get(f"opensearch_{name}"), 0) for name in ("totalresults", "startindex", "itemsperpage")
    )
    if not (size > 0 and start > 0 and start + size <= total):
        return None
    return with_values(url, **{"start-index": str(start + size), "max-results": str(size)})


def _number(text: Any, otherwise: int) -> int:
    text = str(text or "").strip()
    return int(text) if text.isdecimal() and len(text) < 8 else otherwise


def value_of(url: str, name: str) -> str | None:
    """A value in an address's query."""
    return dict(parse_qsl(urlsplit(url).query)).get(name)


def with_values(url: str, **values: str) -> str:
    """The address with these values in its query, in place of those of the same name."""
    parts = urlsplit(url)
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in values]
    return urlunsplit(parts._replace(query=urlencode([*kept, *values.items()]), fragment=""))


def may_follow(older: str | None, urls: Iterable[str]) -> bool:
    """Whether an older page is of the same blog: on a host of one of `urls`, or of Blogger where that is one."""
    hosts = {_host(url) for url in urls}
    host = _host(older or "")
    if not host:
        return False
    blogger = any(".blogspot." in f".{one}" for one in hosts) or bool(hosts & BLOGGER)
    return host in hosts or (blogger and host in BLOGGER)


def _host(url: str) -> str:
    """Host and port, without what does not tell blogs apart: the scheme, www., a last dot."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or "@" in parts.netloc:
            return ""
        port = "" if parts.port in (None, 80, 443) else f":{parts.port}"
    except ValueError:
        return ""
    return (parts.hostname or "").rstrip(".").removeprefix("www.") + port
