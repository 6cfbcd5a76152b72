"""HTML files: a table that Moodle offered as a download, a saved Moodle page, or an error in place of a file.

<!DOCTYPE html><html><head>...</head>
<body><table border=1 cellspacing=0 cellpadding=3><tr><th>Time</th>...</tr><tr><td>5/03/26, 14:07:09</td>.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from loaders.downloads import Download
from loaders.errors import Unreadable
from loaders.sheets import MOST_COLUMNS, Page, Row, Sheet, spooled
from loaders.streams import BUFFER, DAMAGED

LARGEST_PAGE = 100_000_000
LONGEST_ROW = 10_000_000

CUT = "this table was cut short: download it again"
TOO_LONG = "this table has a row of more than 10 million characters: download it again, as .csv"
ODD_ROW = "the cells of this row cannot be told apart: download comma separated values (.csv) instead"
LOGIN = "this is a login page, because your Moodle session had ended: sign in to Moodle and download it again"
ERROR = "Moodle answered with an error in place of the file (“{}”): put that right, then download it again"
NOT_MOODLE = "this is a web page{}, saved in place of a Moodle download: download it again"

# A download has its table first thing in the body; a page of Moodle has its menus there.
_TABLE_FIRST = re.compile(rb"<body[^>]*>\s*<table|^\s*(?:<!doctype[^>]*>\s*)?(?:<html[^>]*>\s*)?<table", re.I)
_ROW_END = re.compile(rb"</tr\s*>", re.I)
_MOODLE = re.compile(rb"<body[^>]*\sid=[\"']?page-|M\.cfg\s*=|/(?:mod|user|course|report|grade|theme)/[a-z_]", re.I)
_SUSPECT = re.compile(rb"page-login|logintoken|fatalerror|errorbox|errormessage|type=[\"']?password", re.I)


def read(download: Download, head: bytes) -> Sheet | Page:
    """The table or the page in an HTML file; `head` is its first megabyte. Raises Unreadable."""
    if _TABLE_FIRST.search(head):
        return spooled(Sheet(download.source, "html", []), _rows(download))
    with download.open() as stream:
        html = stream.read(LARGEST_PAGE + 1)
    if len(html) > LARGEST_PAGE:
        raise Unreadable("this web page is too big to read: download the table as .csv instead")
    refuse_no_page(html)
    return Page(download.source, html)


# ---- Tables ----


def _rows(download: Download) -> Iterator[Row]:
    """(row number, cells), header first. Parsed a piece at a time: libxml2 would keep the whole file."""
    number = width = 0
    for piece in _pieces(download):
        for row in _tree(piece).iter("tr"):
            cells = [_text(cell) for cell in row.iterchildren("td", "th")]
            number += 1
            width = width or min(len(cells), MOST_COLUMNS)
            if len(cells) != width or not width:
                raise Unreadable(ODD_ROW, number)
            yield number, cells


def _pieces(download: Download) -> Iterator[bytes]:
    """The file in pieces that end with a row."""
    rest, opening = b"", b""
    with download.open() as stream:
        while chunk := stream.read(BUFFER // 4):
            rest += chunk
            ends = [match.end() for match in _ROW_END.finditer(rest)]
            if ends:
                yield opening + rest[: ends[-1]]
                rest, opening = rest[ends[-1] :], b"<table>"
            elif len(rest) > LONGEST_ROW:
                raise Unreadable(TOO_LONG)
    if b"</table" not in rest.lower():
        raise Unreadable(CUT)


def _tree(piece: bytes) -> etree._Element:
    try:
        piece.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(DAMAGED) from error
    return _parsed(piece)


def _text(element: etree._Element) -> str:
    """Text as the csv has it: `<br />\\n` was one line break, `&nbsp; ` two spaces; tags are left out."""
    if len(element) == 0:
        return (element.text or "").replace("\u00a0 ", "  ")
    pieces = []
    for part in element.iter():
        if part.tag == "br":
            pieces.append("\n")
        pieces.append(part.text or "")
        if part is not element:
            pieces.append(part.tail or "")
    return re.sub(r"\n\r?\n", "\n", "".join(pieces)).replace("\u00a0 ", "  ")


# ---- Pages ----


def refuse_no_page(html: bytes) -> None:
    """Raises Unreadable for a login page, an error page, or a page that is not Moodle's."""
    if _SUSPECT.search(html):
        tree = _parsed(html)
        if _is_login(tree):
            raise Unreadable(LOGIN)
        if (message := _error(tree)) is not None:
            raise Unreadable(ERROR.format(message))
    if not _MOODLE.search(html):
        title = _title(html)
        raise Unreadable(NOT_MOODLE.format(f" (“{title}”)" if title else ""))


def _parsed(html: bytes) -> etree._Element:
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        tree = etree.fromstring(html, parser)
    except (etree.LxmlError, ValueError) as error:
        raise Unreadable(DAMAGED) from error
    if tree is None:
        raise Unreadable(DAMAGED)
    return tree


def _is_login(tree: etree._Element) -> bool:
    """Moodle's own login page, or that of a sign-in service."""
    body = tree.find("body")
    page, kinds = ("", "") if body is None else (body.get("id", ""), body.get("class", ""))
    if page.startswith("page-login"):
        return True
    if page.startswith("page-"):  # any page may have a login form in a block, until one is logged in
        return "notloggedin" in kinds and bool(tree.xpath("//form//input[@name='logintoken']"))
    return bool(tree.xpath("//input[translate(@type, 'PASWORD', 'pasword') = 'password']"))


def _error(tree: etree._Element) -> str | None:
    """What Moodle says in its error box, in its own words, if this is an error page."""
    boxes = tree.xpath("//*[@data-rel='fatalerror'] | //*[contains(concat(' ', @class, ' '), ' errorbox ')]")
    if not boxes:
        return None
    said = boxes[0].xpath(".//*[contains(concat(' ', @class, ' '), ' errormessage ')]")
    return _short("".join((said or boxes)[0].itertext()))


def _title(html: bytes) -> str:
    found = re.search(rb"<title[^>]*>(.*?)</title", html, re.I | re.S)
    return _short(found[1].decode("utf-8", "replace")) if found else ""


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 200 else f"{text[:200]}…"
