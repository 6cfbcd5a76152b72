"""OpenDocument spreadsheets (.ods), row by row, also where Moodle wrote them broken.

Of a cell that begins with "=" Moodle's writer leaves nothing but an open tag, so the file is no XML any more:

    <table:table-cell table:style-name="ce1"<table:table-cell table:style-name="ce1" office:value-type=...

Such a cell is closed before the XML is read: every other cell stays in its column, and the lost one is empty.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from itertools import groupby, repeat

from lxml import etree

from loaders.downloads import Download
from loaders.errors import Unreadable
from loaders.sheets import MOST_COLUMNS, Row, Sheet, join_sheets, number_text, spooled
from loaders.spreadsheets import LONGEST_PIECE, TOO_BIG, damage_told, elements
from loaders.streams import BUFFER, seekable

_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_CELLS = {_TABLE + "table-cell", _TABLE + "covered-table-cell"}

# A row may stand for that many equal ones; empty rows and cells are not counted out.
MOST_REPEATS = 10_000

LOST = (
    "Moodle leaves cells that begin with '=' empty in its .ods files ({} here): "
    "take comma separated values (.csv) if you need them"
)


def read(download: Download) -> Sheet:
    """The rows of a spreadsheet's tables, one after another. Raises Unreadable."""
    sheet = Sheet(download.source, "ods", [])
    return spooled(sheet, _lines(download, sheet))


def _lines(download: Download, sheet: Sheet) -> Iterator[Row]:
    with damage_told(), seekable(download) as stream, zipfile.ZipFile(stream) as archive:
        sheet.resaved = _resaved(archive)
        with archive.open("content.xml") as content:
            mended = Mended(content)
            tables = groupby(_rows(mended, sheet), key=lambda found: found[0])
            yield from join_sheets(((name, (row for _, row in found)) for name, found in tables), sheet.notes)
            if mended.count:
                sheet.notes.append(LOST.format(mended.count))


def _resaved(archive: zipfile.ZipFile) -> bool:
    """Whether the file does not say that Moodle, or the library it uses, made it."""
    if "meta.xml" not in archive.namelist():
        return True
    with archive.open("meta.xml") as stream:
        said = stream.read(BUFFER)
    return b"Moodle" not in said and b"Spout" not in said


class Mended(io.RawIOBase):
    """XML in which cells that were left open are closed; `count` says how many so far."""

    _OPEN = re.compile(rb'(<table:table-cell(?: [\w:-]+="[^"<>]*")*) ?(?=<|\Z)')

    def __init__(self, stream: io.RawIOBase):
        self._stream, self._ready, self._rest, self.count = stream, b"", b"", 0

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer) -> int:
        """Fill `buffer` with mended bytes."""
        while not self._ready and (chunk := self._stream.read(BUFFER // 4)):
            self._ready = self._mend(self._rest + chunk)
        if not self._ready:
            self._ready, self._rest = self._rest, b""
        size = min(len(buffer), len(self._ready))
        buffer[:size], self._ready = self._ready[:size], self._ready[size:]
        return size

    def _mend(self, chunk: bytes) -> bytes:
        """All up to the last tag, which may not be whole yet."""
        last = chunk.rfind(b"<")
        if last <= 0 and len(chunk) > LONGEST_PIECE:
            raise Unreadable(TOO_BIG)
        whole, self._rest = chunk[: max(last, 0)], chunk[max(last, 0) :]
        mended, count = self._OPEN.subn(rb"\1/>", whole)
        self.count += count
        return mended


# ---- Rows and cells ----


def _rows(stream: io.RawIOBase, sheet: Sheet) -> Iterator[tuple[str, Row]]:
    """(name of the table, (row number, cells)) of all tables."""
    table: etree._Element | None = None
    name, number = "", 0
    for row in elements(stream, "table-row", "spreadsheet", b"table-row"):
        if (here := _table_of(row)) != table:
            table, number = here, 0
            name = table.get(_TABLE + "name", "")
        cells = _cells(row, sheet)
        times = _times(row, "number-rows-repeated")
        if any(cells):
            if times > MOST_REPEATS:
                raise Unreadable(TOO_BIG, number + 1)
            yield from ((name, (number + more, cells)) for more in range(1, times + 1))
        number += times


def _table_of(row: etree._Element) -> etree._Element:
    for table in row.iterancestors(_TABLE + "table"):
        return table
    raise LookupError("a row outside of tables")


def _times(element: etree._Element, attribute: str) -> int:
    times = element.get(_TABLE + attribute)
    return max(int(times), 1) if times else 1


def _cells(row: etree._Element, sheet: Sheet) -> list[str]:
    cells: list[str] = []
    empty = 0
    for cell in row:
        if cell.tag not in _CELLS:
            continue
        text = _text(cell, sheet)
        times = _times(cell, "number-columns-repeated")
        if not text:
            empty += times  # of those at the end there may be a million
            continue
        if len(cells) + empty + times > MOST_COLUMNS:
            raise Unreadable(TOO_BIG)
        cells.extend(repeat("", empty))
        cells.extend(repeat(text, times))
        empty = 0
    return cells


def _text(cell: etree._Element, sheet: Sheet) -> str:
    kind = cell.get(_OFFICE + "value-type")
    if kind == "string" and len(cell) == 1 and cell[0].tag == _TEXT + "p":
        return _paragraph(cell[0])
    if kind == "float" and (value := cell.get(_OFFICE + "value")):
        return number_text(value)
    if kind == "date" and (value := cell.get(_OFFICE + "date-value")):
        sheet.resaved = True
        return f"{value}T00:00:00"[:19].replace("T", " ")
    text = "\n".join(map(_paragraph, cell.iterchildren(_TEXT + "p")))
    formula = cell.get(_TABLE + "formula", "")
    if formula and (not text or text.startswith(("#", "Err:"))):
        return f"={formula.partition('=')[2]}"
    return text


def _paragraph(paragraph: etree._Element) -> str:
    if len(paragraph) == 0:
        return paragraph.text or ""
    return "".join(_pieces(paragraph))


def _pieces(element: etree._Element) -> Iterator[str]:
    """Text with its runs of spaces, tabs and line breaks, which OpenDocument writes as elements."""
    yield element.text or ""
    for child in element:
        if child.tag == _TEXT + "s":
            yield " " * min(int(child.get(_TEXT + "c", "1")), MOST_REPEATS)
        elif child.tag in (_TEXT + "tab", _TEXT + "line-break"):
            yield "\t" if child.tag.endswith("tab") else "\n"
        elif not child.tag.endswith("annotation"):
            yield from _pieces(child)
        yield child.tail or ""
