"""Excel workbooks (.xlsx), row by row.

openpyxl's read-only mode keeps an element and a dict for every row that Moodle writes, and is ten times
slower on its inline strings; so rows are read with lxml, and openpyxl judges what is a date.

    <row r="2" spans="1:4" customHeight="0">
      <c r="A2" s="0" t="inlineStr"><is><t>Al</t></is></c>      Moodle's writer: all text is inline
      <c r="B2" s="1" t="s"><v>18</v></c>                       others: 18th of the shared strings
      <c r="C2" s="0"><f>HYPERLINK("x") Formula</f></c>         Moodle, of a name that begins with "="
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import lru_cache

from lxml import etree

from loaders.downloads import Download
from loaders.errors import Unreadable
from loaders.sheets import MOST_COLUMNS, Row, Sheet, join_sheets, number_text, spooled
from loaders.streams import BUFFER, DAMAGE, Watched, seekable

# One row, or one string, in XML; Excel's own limits stay far below.
LONGEST_PIECE = 8_000_000
MOST_STRINGS = 4_000_000
MOST_STRINGS_SIZE = 400_000_000

BROKEN = "this spreadsheet is damaged or was cut short: download it again, or take it as .csv"
LOCKED = "this spreadsheet is locked with a password: save it without one, or as .csv"
TOO_BIG = "this spreadsheet is too big to read: save it as .csv, or download it from Moodle as .csv"

_OFFICE = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"


def read(download: Download) -> Sheet:
    """The rows of a workbook's sheets, one after another. Raises Unreadable."""
    sheet = Sheet(download.source, "xlsx", [])
    return spooled(sheet, _lines(download, sheet))


def _lines(download: Download, sheet: Sheet) -> Iterator[Row]:
    with damage_told(), seekable(download) as stream, zipfile.ZipFile(stream) as archive:
        sheet.resaved = _resaved(archive)
        cells = _Cells(archive, sheet)
        yield from join_sheets(((name, cells.rows(part)) for name, part in _parts(archive)), sheet.notes)


@contextmanager
def damage_told() -> Iterator[None]:
    """Whatever zip and XML libraries raise over damaged bytes becomes one sentence."""
    try:
        yield
    except (*DAMAGE, etree.LxmlError, OSError, LookupError, ValueError, ArithmeticError, TypeError) as error:
        raise Unreadable(BROKEN) from error
    except (RuntimeError, NotImplementedError) as error:
        raise Unreadable(LOCKED) from error


def elements(stream: io.RawIOBase, tag: str, last: str, mark: bytes) -> Iterator[etree._Element]:
    """Each `tag` element of an XML stream as it ends, then forgotten; none after a `last` has ended.

    `mark` are bytes that every `tag` brings: where they stay away too long, the file is refused.
    """
    watched = Watched(stream, (mark,), LONGEST_PIECE, TOO_BIG, _refuse_entities)
    buffered = io.BufferedReader(watched, BUFFER)
    tags = ("{*}" + tag, "{*}" + last)
    for _, element in etree.iterparse(
        buffered, tag=tags, resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    ):
        if element.tag.endswith("}" + last):
            return
        yield element
        element.clear(keep_tail=False)
        parent = element.getparent()
        while parent is not None and parent[0] is not element:
            del parent[0]


def _refuse_entities(chunk: bytes) -> None:
    if b"<!DOCTYPE" in chunk or b"<!ENTITY" in chunk:
        raise Unreadable(BROKEN)


# ---- The workbook ----


def _parts(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """(name, member) of each sheet, in order."""
    book = _tree(archive, "xl/workbook.xml")
    targets = {
        one.get("Id"): one.get("Target", "")
        for one in _tree(archive, "xl/_rels/workbook.xml.rels")
        if one.get("Type", "").endswith("/worksheet")  # not a sheet that is one chart
    }
    for one in book.iterfind("{*}sheets/{*}sheet"):
        if target := targets.get(one.get(_OFFICE) or one.get(_STRICT)):
            yield one.get("name", ""), posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")


def _tree(archive: zipfile.ZipFile, part: str) -> etree._Element:
    if archive.getinfo(part).file_size > LONGEST_PIECE:
        raise Unreadable(TOO_BIG)
    return etree.fromstring(archive.read(part), etree.XMLParser(resolve_entities=False, no_network=True))


def _resaved(archive: zipfile.ZipFile) -> bool:
    """Whether a program other than Moodle's two writers (OpenSpout, PhpSpreadsheet) made the file."""
    if "docProps/app.xml" not in archive.namelist():
        return True
    facts = _tree(archive, "docProps/app.xml")
    program = facts.findtext("{*}Application", "")
    return "Spout" not in program and facts.findtext("{*}AppVersion") != "12.0000"


def _strings(archive: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    if archive.getinfo("xl/sharedStrings.xml").file_size > MOST_STRINGS_SIZE:
        raise Unreadable(TOO_BIG)
    strings: list[str] = []
    with archive.open("xl/sharedStrings.xml") as stream:
        for item in elements(stream, "si", "sst", b"si"):
            strings.append(_plain(item))
            if len(strings) > MOST_STRINGS:
                raise Unreadable(TOO_BIG)
    return strings


def _date_styles(archive: zipfile.ZipFile) -> dict[str, bool]:
    """Cell styles that show a number as a date; True where it shows a length of time."""
    from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format  # slow to import

    if "xl/styles.xml" not in archive.namelist():
        return {}
    styles = _tree(archive, "xl/styles.xml")
    codes = {str(number): code for number, code in BUILTIN_FORMATS.items()}
    own = styles.iterfind("{*}numFmts/{*}numFmt")
    codes |= {one.get("numFmtId"): one.get("formatCode", "") for one in own}
    formats = [codes.get(one.get("numFmtId"), "") for one in styles.iterfind("{*}cellXfs/{*}xf")]
    dates = ((str(place), code) for place, code in enumerate(formats) if is_date_format(code))
    return {place: is_timedelta_format(code) for place, code in dates}


# ---- Cells ----


class _Cells:
    """Turns the cells of one workbook into text."""

    def __init__(self, archive: zipfile.ZipFile, sheet: Sheet):
        self._archive, self._sheet = archive, sheet
        self._strings = _strings(archive)
        self._dates = _date_styles(archive)
        properties = _tree(archive, "xl/workbook.xml").find("{*}workbookPr")
        self._from_1904 = properties is not None and properties.get("date1904") in ("1", "true")

    def rows(self, part: str) -> Iterator[Row]:
        """(row number, cells) of one sheet; empty cells at the end of a row may be left out."""
        number = 0
        with self._archive.open(part) as stream:
            for row in elements(stream, "row", "sheetData", b"row"):
                number = int(row.get("r") or number + 1)
                cells: list[str] = []
                for cell in row:
                    if place := cell.get("r"):
                        cells.extend([""] * _gap(column(place) - len(cells)))
                    cells.append(self._text(cell))
                yield number, cells

    def _text(self, cell: etree._Element) -> str:
        kind = cell.get("t", "n")
        if kind == "inlineStr" and len(cell) == 1:
            return _plain(cell[0])
        value = formula = None
        for child in cell:
            if child.tag.endswith("}v"):
                value = child.text or ""
            elif child.tag.endswith("}f"):
                formula = child.text
        if formula and (kind == "e" or not (value or (kind == "str" and value == ""))):
            return f"={formula}"
        return self._value(kind, value or "", cell.get("s"))

    def _value(self, kind: str, value: str, style: str | None) -> str:
        if not value:
            return ""
        if kind == "s":
            return self._strings[int(value)]
        if kind == "b":
            return "TRUE" if value in ("1", "true") else "FALSE"
        if kind == "n":
            return self._date(value, self._dates[style]) if style in self._dates else number_text(value)
        return value.replace("T", " ") if kind == "d" else value

    def _date(self, value: str, is_length: bool) -> str:
        from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel

        self._sheet.resaved = True
        epoch = CALENDAR_MAC_1904 if self._from_1904 else CALENDAR_WINDOWS_1900
        moment = from_excel(float(value), epoch, timedelta=is_length)
        if isinstance(moment, datetime):
            return f"{moment + timedelta(milliseconds=500):%Y-%m-%d %H:%M:%S}"
        return str(moment).partition(".")[0]


def _gap(columns: int) -> int:
    if columns < 0:
        raise ValueError("cells out of order")
    return columns


def _plain(string: etree._Element) -> str:
    """The text of an inline or shared string, formatting and pronunciation left out."""
    if len(string) == 1 and len(string[0]) == 0:
        return string[0].text or ""
    found = (part for part in string.iter("{*}t") if not part.getparent().tag.endswith("}rPh"))
    return "".join(part.text or "" for part in found)


@lru_cache(maxsize=MOST_COLUMNS)
def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    if not re.fullmatch("[A-Z]{1,3}", letters) or number > MOST_COLUMNS:
        raise ValueError(letters)
    return number - 1


def column(place: str) -> int:
    """`C7` -> 2: how many columns come before it."""
    return _column(place.rstrip("0123456789"))
