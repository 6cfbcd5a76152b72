"""Addresses of blogs: found in what people type, brought to one form, and compared."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

_WEB = re.compile(r"https?://[^\s<>\"'“”|;,]+", re.I)
_BARE = re.compile(  # sam.wordpress.com, 10.20.0.5:8080/sam/
    r"(?:(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}|(\d{1,3}(?:\.\d{1,3}){3}))(:\d{1,5})?(?:/[^\s<>\"]*)?", re.I
)
_MEANT = re.compile(r"//|@|\b(?:https?|ftp|www)\b|[^\W_]{2,}\.[a-z]{2,}", re.I)  # `N.A.` and `TBA` mean none
_SECRET = re.compile(r"(?<=//)[^/\s@]*@")
# On these hosts a blog is one folder of many: the part of the path that tells blogs apart.
_FOLDERS = (
    (re.compile(r"(?:.+\.)?(?:sites\.google\.com)$"), 2),  # /view/NAME, /site/NAME
    (re.compile(r"(?:www\.)?(?:medium\.com|substack\.com|write\.as|notion\.site|edublogs\.org|tumblr\.com)$"), 1),
)
_PERSONAL = re.compile(r"/(?:~|@|(?:users?|people|blogs?|members?|author)/)[^/]+", re.I)


def addresses_in(text: str) -> list[str]:
    """Every web address in a cell, in its normal form; `sam.wordpress.com` alone counts as one."""
    found = _WEB.findall(text)
    if not found and (bare := _BARE.fullmatch(text.strip())):
        secure = not bare[1] and bare[2] in (None, ":443")  # an address in numbers has no certificate, nor a trial port
        found = [f"http{'s' * secure}://{text.strip()}"]
    return list(dict.fromkeys(filter(None, (normal_address(url.rstrip(".)")) for url in found))))


def looks_meant(text: str) -> bool:
    """Whether a cell without an address tries to be one: `http//sam.example.org`, `ftp://...`, an e-mail address."""
    return _MEANT.search(text) is not None


def without_secrets(text: str) -> str:
    """What somebody typed for an address, without a password in it."""
    return _SECRET.sub("...@", text)


def normal_address(url: str) -> str | None:
    """An address without what makes no difference: the case of its host, a fragment. None if it is none of the web."""
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname
        _ = parts.port  # ValueError where it is no number
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or not host or parts.username is not None:
        return None
    return urlunsplit((parts.scheme.lower(), parts.netloc.lower(), parts.path or "/", parts.query, ""))


def same(url: str) -> str:
    """What two addresses of one blog have in common: http or https, www, the usual port, a slash at the end."""
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return f"{_host(parts.netloc)}{parts.path.rstrip('/')}{query}"


def host(url: str) -> str:
    """The host of an address, and its port where that is not the usual one, in the form of `same`."""
    return _host(urlsplit(url).netloc)


def _host(netloc: str) -> str:
    return re.sub(r"\.?(:(80|443)?)?$", "", netloc.lower(), count=1).removeprefix("www.")


@lru_cache(65_536)
def home(url: str) -> str:
    """The part of a blog's address that all its pages begin with, in the form of `same`.

    A host of its own stands for the blog. On a host that many share it is a folder:
    `sites.google.com/view/sam`, `medium.com/@sam`, `example.edu/~sam`.
    """
    parts = urlsplit(url)
    host = _host(parts.netloc)
    pieces = [piece for piece in parts.path.split("/") if piece]
    for pattern, depth in _FOLDERS:
        if pattern.match(host):
            return "/".join([host, *pieces[:depth]])
    if found := _PERSONAL.match(parts.path):
        return host + found[0]
    return host
