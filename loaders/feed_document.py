"""What came of a blog: a document as it was fetched, and a feed as it was read. Light, as worker processes load it."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from typing import Any

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{2,40})[\"']")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{2,40})", re.IGNORECASE)
_ESCAPING = ("iso-2022", "iso2022", "hz", "utf-7", "utf7")  # bytes that are also good UTF-8, and mean something else
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # no XML may hold them, and real feeds do


def bindable(value: Any) -> Any:
    """The same without half characters (JSON's "\\ud800") in any string: no database and no address takes them."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [bindable(one) for one in value]
    return {key: bindable(one) for key, one in value.items()} if isinstance(value, dict) else value


@dataclass(frozen=True)
class Document:
    """What came: `url` after redirects; `body` unpacked; with status 304 there is none."""

    url: str
    status: int
    body: bytes = field(repr=False)
    content_type: str = ""
    etag: str | None = None
    last_modified: str | None = None

    @property
    def not_modified(self) -> bool:
        """Whether it is as it was when `etag` or `last_modified` came."""
        return self.status == 304

    def text(self) -> str:
        """The body as text. What is good UTF-8 is UTF-8, whatever a server or the document itself says."""
        for mark, encoding in _BOMS:
            if self.body.startswith(mark):
                return CONTROLS.sub("", self.body[len(mark) :].decode(encoding, "replace"))
        declared = _DECLARED.search(self.body[:1000])
        names = [declared[1].decode("ascii", "replace")] if declared else []
        names += _CHARSET.findall(self.content_type)[:1]
        first = names[:1] if names and names[0].lower().startswith(_ESCAPING) else ["utf-8"]
        for name in [*first, *self._wide(), *names]:
            try:
                return CONTROLS.sub("", self.body.decode(name))
            except (LookupError, ValueError):  # no such encoding, or not this one
                continue
        return CONTROLS.sub("", self.body.decode("windows-1252", "replace"))

    def _wide(self) -> list[str]:
        """The encoding of a document that starts with a character of two bytes."""
        return {b"<\0": ["utf-16-le"], b"\0<": ["utf-16-be"]}.get(self.body[:2], [])


@dataclass(frozen=True)
class Feed:
    """What one document of a feed says. `older`: the address of older posts, as the feed gives it.

    `posts`: each with guid, url, title, html, text, word_count, links, image_count, published_utc, updated_utc and
    summary_only. `fault`: one sentence where only a part could be taken.
    `seconds`: how long reading took.
    """

    kind: str  # atom, rss or json
    title: str | None = None
    posts: list[dict] = field(default_factory=list, repr=False)
    older: str | None = None
    fault: str | None = None
    seconds: float = field(default=0, compare=False)
