"""Plain text, words and links out of what people write in Moodle's editor."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

_BLOCKS = (
    "address article aside blockquote dd div dl dt figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr"
    " main nav ol p pre section table ul"
)
_PARAGRAPHS = frozenset(_BLOCKS.split())
_LINES = frozenset(("li", "tr"))
_SILENT = frozenset(("script", "style", "template", "head", "noscript", "svg"))
_DASH = re.compile("[–—]")
_URL = re.compile(r"https?://[^\s<>\"'“”]+", re.IGNORECASE)
# Marks for the edges of blocks: no text has them once its spaces are made one.
_PARAGRAPH, _LINE, _QUOTE, _UNQUOTE = "\f", "\v", "\x1c", "\x1d"
_QUOTED = re.compile(r"^>+ ", re.MULTILINE)
_DEEPEST = 3  # quotes in quotes that are told apart
# What a parser of HTML must do for some messages grows with the square of their length, in time or, where <b> is never
# closed, in memory. So no more is read than anybody writes: letters (pictures inside the message aside) and tags.
_MOST_HTML, _MOST_TAGS = 1_000_000, 30_000
_PICTURE = re.compile(r"data:image/[a-z.+-]++;base64,[\w+/=%\s]*+", re.IGNORECASE)
_REOPENED = re.compile(r"<(/?)(?:b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)(?=[\s/>])", re.IGNORECASE)
# Runs of spaces and marks. Each begins where no such run goes on, and gives nothing back: no space is read twice.
_AROUND_PARAGRAPH = re.compile(r"(?<![ \n\v])[ \n\v]*+\f[ \n\v\f]*+")
_AROUND_LINE = re.compile(r"(?<! ) *+\v[ \v]*+")


def text_of(message: str, plain: bool = False, breaks: bool = False) -> str:
    """The text with one blank line between paragraphs, one line for each list item, and > before quoted lines.

    `plain`: the message is no HTML. `breaks`: HTML in which a line break counts, as in Moodle's auto-format.
    """
    if not plain:
        html = message.replace("\n", "<br>") if breaks else message
        message = "".join(_pieces(_parsed(html).body))
        message = _AROUND_LINE.sub("\n", _AROUND_PARAGRAPH.sub("\n\n", message))
    lines = (" ".join(line.split()) for line in (message.splitlines() if plain else _quoted(message.split("\n"))))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _parsed(html: str) -> LexborHTMLParser:
    """The tree; <b> and its kin, which every later paragraph would open anew, are spans in it."""
    html = "<".join(_PICTURE.sub("", html)[:_MOST_HTML].split("<", _MOST_TAGS)[:_MOST_TAGS])
    return LexborHTMLParser(_REOPENED.sub(r"<\1span", html))


def _quoted(lines: list[str]) -> Iterator[str]:
    """The lines; what another wrote begins with > as in mails, so that it stays apart from the writer's own words."""
    depth = 0
    for line in lines:
        if line in (_QUOTE, _UNQUOTE):
            depth += 1 if line == _QUOTE else -1
        else:
            yield f"{'>' * min(depth, _DEEPEST)} {line}" if depth and line.strip() else line


def _pieces(root: LexborNode | None) -> Iterator[str]:
    """The text in document order, with marks for the edges of blocks."""
    stack: list[LexborNode | str] = [root] if root is not None else []
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            yield node
        elif node.is_text_node:
            yield " ".join(f"|{node.text_content}|".split())[1:-1] if node.text_content else ""
        elif node.tag == "br":
            yield "\n"
        elif node.tag not in _SILENT:
            before, after = _edges(node.tag)
            yield before
            stack.append(after)
            stack.extend(reversed(list(node.iter(include_text=True))))


def _edges(tag: str | None) -> tuple[str, str]:
    """The marks before and after what an element holds."""
    if tag == "blockquote":
        return f"{_PARAGRAPH}{_QUOTE}{_PARAGRAPH}", f"{_PARAGRAPH}{_UNQUOTE}{_PARAGRAPH}"
    edge = _PARAGRAPH if tag in _PARAGRAPHS else _LINE if tag in _LINES else ""
    return edge or (" " if tag in ("td", "th") else ""), edge


def word_count(text: str) -> int:
    """How many words, counted as Moodle does: whatever stands between spaces and dashes."""
    return len(_DASH.sub(" ", _QUOTED.sub("", text)).split())


def links_of(html: str, text: str) -> list[str]:
    """Every address of the web, once: the links of the HTML, then addresses that stand in the text."""
    anchors = _parsed(html).css("a[href]") if html else []
    found = [(node.attributes.get("href") or "").strip() for node in anchors]
    found += [_trimmed(match[0]) for match in _URL.finditer(text)]
    return list(dict.fromkeys(url for url in found if _is_web(url)))


def _trimmed(url: str) -> str:
    """Without the sentence's punctuation; a closing bracket stays if the address opened one."""
    unopened = url.count(")") - url.count("(")
    end = len(url)
    while end and (url[end - 1] in ".,;:!?" or (url[end - 1] == ")" and unopened > 0)):
        end -= 1
        unopened -= url[end] == ")"
    return url[:end]


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False
