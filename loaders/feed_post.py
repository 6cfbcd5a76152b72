"""One post of a blog, whatever feed it came in: harmless HTML, plain text, words, links, and when it was published.

No image of a student's server is ever loaded when a teacher reads: only what it says in its place is kept.
"""

from __future__ import annotations

import calendar
import hashlib
import html
import re
from datetime import UTC, datetime, timedelta
from time import struct_time
from typing import Any
from urllib.parse import urljoin, urlsplit

import nh3
from selectolax.lexbor import LexborHTMLParser, LexborNode

from loaders.html_text import links_of, text_of, word_count

MOST_HTML = 300_000  # characters of one post: a book of 40,000 words
MOST_LINKS = 200
MOST_LINK = 500  # characters
MOST_URL, MOST_GUID, MOST_TITLE = 1000, 1000, 500
FIRST_YEAR = 1990
_HARMLESS = (
    "a abbr b blockquote br cite code dd del div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i ins kbd li ol p pre"
    " q s samp small strong sub sup table tbody td tfoot th thead tr u ul var"
)
_SILENT = "script style iframe object embed noscript template svg math textarea select title head"
TAGS = frozenset(_HARMLESS.split())
SILENT = frozenset(_SILENT.split())  # gone with all that is in them
_EMOJI = re.compile(r"\b(wp-smiley|emoji)\b")
# How themes end an excerpt: [&hellip;], [...], or a link to the post itself: "Continue reading <span>Week 1</span> →".
_MARK_END = re.compile(r"\[\s*(…|\.\.\.)\s*\]\s*$")
_MORE = re.compile(
    r"\W*(continue reading|keep reading|read (the )?(more|rest|full)\b|more…|more\.\.\.|weiterlesen|lire la suite"
    r"|leer más|continua a leggere)",
    re.IGNORECASE,
)
_ELLIPSIS_END = re.compile(r"(…|\.\.\.)\s*$")
_FOOTER = re.compile(r"^The post .{1,400} (appeared first on|first appeared on) .{1,200}$", re.DOTALL)


def post(
    *,
    guid: str | None,
    url: str | None,
    title: str,
    body: str,
    base: str,
    whole: bool | None,
    published_utc: str | None,
    updated_utc: str | None,
) -> dict[str, Any]:
    """A post as it is kept. `body`: HTML as it came. `whole`: False where the feed only has a summary, None if unsure.

    `base`: what relative addresses in it are relative to.
    """  # fmt: skip
    url = _web(url, base)
    clean, images = cleaned(body, url or base)
    text = text_of(clean["text"])
    return {
        "guid": _guid(guid, url, title, published_utc),
        "url": url,
        "title": title,
        "html": clean["html"],
        "text": text,
        "word_count": word_count(text),
        "links": _short(links_of(clean["html"], text)),
        "image_count": images,
        "published_utc": published_utc,
        "updated_utc": updated_utc,
        "summary_only": _is_summary(clean["html"], text, whole, url or base),
    }


def _guid(guid: str | None, url: str | None, title: str, published_utc: str | None) -> str:
    """What a post is known by: its own name, else its address, else what it says."""
    name = (guid or "").strip() or url or ""
    if name and len(name) <= MOST_GUID:
        return name
    return "sha256:" + hashlib.sha256(f"{name}\n{title}\n{published_utc}".encode("utf-8", "replace")).hexdigest()


def _web(url: str | None, base: str) -> str | None:
    """An address of the web, made absolute; None for any other kind, and where it names a user."""
    try:
        full = urljoin(base, (url or "").strip()) if url and url.strip() else ""
        parts = urlsplit(full)
        fits = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
    except ValueError:
        return None
    return full if fits and len(full) <= MOST_URL else None


def _short(links: list[str]) -> list[str]:
    """As many links as are kept; a long one without its query, as what it leads to is in what is left."""
    short = (link if len(link) <= MOST_LINK else link.partition("?")[0] for link in links)
    return [link for link in dict.fromkeys(short) if len(link) <= MOST_LINK][:MOST_LINKS]


def _is_summary(markup: str, text: str, whole: bool | None, url: str) -> bool:
    """Whether this is an excerpt: the feed has no more, or it ends as excerpts do."""
    if whole is False or _MARK_END.search(text[-20:]):
        return True
    if whole is None and _ELLIPSIS_END.search(text[-10:]):
        return True
    links = LexborHTMLParser(markup).css("a[href]")[-1:] if markup else []
    said = " ".join(links[0].text().split()) if links else ""
    if not _MORE.match(said) or not " ".join(text[-500:].split()).endswith(said):
        return False
    return urlsplit(links[0].attributes.get("href") or "").hostname == urlsplit(url).hostname


def distinct(posts: list[dict]) -> list[dict]:
    """Each post once. Where several posts bear one guid, it is none: their addresses are used."""
    addresses: dict[str, set] = {}
    for one in posts:
        addresses.setdefault(one["guid"], set()).add(one["url"])
    for one in posts:
        if len(addresses[one["guid"]]) > 1 and one["url"]:
            one["guid"] = one["url"]
    return list({one["guid"]: one for one in reversed(posts)}.values())[::-1]


# -- HTML


def cleaned(body: str, base: str) -> tuple[dict[str, str], int]:
    """({"html": to be shown, "text": to be read as text}, images) of a post's HTML.

    In the first, `[image: what it shows]` stands for an image.
    """
    tree = LexborHTMLParser(body)
    root = tree.body
    images = [node for node in tree.css("img") if not _is_emoji(node)]
    count = sum(not _is_pixel(node) for node in images)
    if root is None:
        return {"html": "", "text": ""}, 0
    _drop_footer(tree)
    plain = _sanitised(root.html or "", base)
    if not images:
        return {"html": plain, "text": plain}, 0
    for node in images:
        node.replace_with("" if _is_pixel(node) else _in_place(node))
    return {"html": _sanitised(root.html or "", base), "text": plain}, count


def _is_emoji(node: LexborNode) -> bool:
    """Whether an image is an emoji (of WordPress); then the character takes its place, as a part of the text."""
    if not _EMOJI.search(node.attributes.get("class") or ""):
        return False
    node.replace_with((node.attributes.get("alt") or "")[:20])
    return True


def _is_pixel(node: LexborNode) -> bool:
    """Whether an image is there to count readers: one pixel, of no meaning."""
    sizes = (node.attributes.get("width") or "").strip(), (node.attributes.get("height") or "").strip()
    return all(size in ("0", "1", "0px", "1px") for size in sizes)


def _in_place(node: LexborNode) -> str:
    said = " ".join((node.attributes.get("alt") or node.attributes.get("title") or "").split())[:500]
    return f"[image: {said}]" if said else "[image]"


def _drop_footer(tree: LexborHTMLParser) -> None:
    """Without the line that WordPress's most used plugin adds to every post of a feed: it is not the student's."""
    last = tree.css("p")[-1:]
    if last and _FOOTER.match(last[0].text().strip()):
        last[0].decompose()


def _sanitised(markup: str, base: str) -> str:
    """Harmless tags, links of the web and mail made absolute, and nothing else."""
    links = _Links(base)
    clean = nh3.clean(
        markup, tags=set(TAGS), clean_content_tags=set(SILENT), attributes={"a": {"href"}, "abbr": {"title"}},
        attribute_filter=links.kept,
        link_rel="noopener noreferrer nofollow", url_schemes={"http", "https", "mailto"}, url_relative="pass_through",
    ).strip()  # fmt: skip
    if len(clean) <= MOST_HTML:
        return clean
    return _sanitised(clean[: MOST_HTML - 2000].rpartition("<")[0] + "<p>[…]</p>", base)


class _Links:
    """Makes the links of one post absolute, until they alone are as long as a post may be: <a href=1> grows by that."""

    def __init__(self, base: str):
        self._base, self._left = base, MOST_HTML

    def kept(self, tag: str, name: str, value: str) -> str | None:
        """An attribute's value, or None where it goes."""
        if tag != "a" or name != "href":
            return value
        value = value.strip()
        if value.lower().startswith("mailto:"):
            return value[:MOST_LINK]
        link = None if value.startswith("#") or self._left < 0 else _web(value, self._base)
        self._left -= len(link or "")
        return link


def plain_as_html(text: str) -> str:
    """Plain text as HTML, its paragraphs kept."""
    pieces = re.split(r"\n\s*\n", text.replace("\r\n", "\n"))
    return "".join(f"<p>{html.escape(piece).replace(chr(10), '<br>')}</p>" for piece in pieces if piece.strip())


def plain_title(title: str, is_html: bool) -> str:
    """A title in one line of plain text."""
    text = text_of(title) if is_html else title
    return " ".join(text.split())[:MOST_TITLE]


# -- times


def utc_text(moment: datetime | struct_time | None) -> str | None:
    """A time as UTC text; a naive one counts as UTC; None for what no blog can have: before 1990, or to come."""
    try:
        if isinstance(moment, struct_time):
            moment = datetime.fromtimestamp(calendar.timegm(moment), UTC)
        if moment is None:
            return None
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    if moment.year < FIRST_YEAR or moment > datetime.now(UTC) + timedelta(days=1):
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
