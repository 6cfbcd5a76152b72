"""What reading a file gives: a Sheet of rows, a saved Page, or a saved Answer; and what all sheets share."""

from __future__ import annotations

import marshal
import re
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from loaders.errors import Unreadable

Row = tuple[int, list[str]]

# Excel's own limits; a file beyond them was not made by a spreadsheet program, nor by Moodle.
MOST_COLUMNS = 16_384
FULL_SHEET = 1_048_576

_DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


@dataclass
class Sheet:
    """A table download: csv, xlsx, ods, JSON list of objects, or html table.

    `header` is the first row (JSON: the keys). `encoding`, `delimiter` and `bom` (byte order mark) are of csv
    only. `resaved`: looks as if a spreadsheet program had saved it again; it may turn true while rows are
    read, when a real date is met. `notes` are sentences for the teacher, which may grow while rows are read.
    """

    source: str
    format: str
    header: list[str]
    encoding: str | None = None
    delimiter: str | None = None
    bom: bool | None = None
    resaved: bool = False
    notes: list[str] = field(default_factory=list)
    start: Callable[[], Iterator[Row]] = field(default=lambda: iter(()), repr=False, compare=False)

    def rows(self) -> Iterator[Row]:
        """(line number in the file, cells as text, as many as the header), without the header.

        Every call starts anew; memory does not grow with the length. The line is that on which the row begins
        (xlsx, ods, html: the row, the header being row 1; JSON: the object, from 1). Raises Unreadable,
        possibly after many rows.
        """
        return self.start()


@dataclass
class Page:
    """A saved HTML page that is no table download; `html` is the whole of it."""

    source: str
    html: bytes


@dataclass
class Answer:
    """A saved web-service answer: JSON that is not a list of flat rows."""

    source: str
    data: Any


def trim_header(cells: list[str]) -> list[str]:
    """A header without the empty columns that a spreadsheet program puts after it.

    In an activity completion report (which begins with an empty header) the last column is a date whose
    header is empty too: there one stays.
    """
    width = max((place for place, cell in enumerate(cells, 1) if cell), default=0)
    if width < len(cells) and not cells[0]:
        width += 1
    return cells[:width]


def _with_last_date(header: list[str]) -> list[str]:
    """Workbooks leave out empty cells at the end, and so the header of the last date of a completion report."""
    if not header[0] and header[-1] and not _DATE.fullmatch(header[-1]):
        return [*header, ""]
    return header


def fit(cells: list[str], width: int, line: int) -> list[str]:
    """`cells` as many as the header: spreadsheets leave out empty cells at the end, or add some."""
    if len(cells) <= width:
        return cells + [""] * (width - len(cells))
    if any(cells[width:]):
        raise Unreadable(other_width(len(cells), width), line)
    return cells[:width]


def other_width(found: int, width: int) -> str:
    """The sentence about a row that does not fit its header."""
    return (
        f"this line has {found} {'column' if found == 1 else 'columns'} where the header has {width}: "
        "download the file again, and load it without opening it in another program first"
    )


def join_sheets(sheets: Iterable[tuple[str, Iterator[Row]]], notes: list[str]) -> Iterator[Row]:
    """The rows of a workbook, header first, later sheets as continuation of the first.

    Moodle goes on in a second sheet, without a header, when the first is full (1,048,576 rows). A sheet that
    has other columns is somebody's own: it is left out, and a note says so.
    """
    header: list[str] = []
    before = last = 0
    for name, rows in sheets:
        rows = (row for row in rows if any(row[1]))
        first = next(rows, None)
        if first is None:
            continue
        if not header:
            header = _with_last_date(trim_header(first[1]))
            yield first[0], header
        elif not _continues(first[1], len(header), last):
            notes.append(f"the sheet {name!r} has other columns than the first and was left out")
            continue
        elif fit(first[1], len(header), before + first[0]) != header:
            rows = chain([first], rows)
        else:
            before -= 1  # a header again: it is no row of its own
        last = first[0]
        for number, cells in rows:
            last = number
            yield before + number, fit(cells, len(header), before + number)
        before += last


def number_text(value: str) -> str:
    """A number as Moodle would have written it: `1.0` -> `1`, `7.0999999999999996` -> `7.1`."""
    if value.isdigit():
        return value
    number = float(value)
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def spooled(sheet: Sheet, rows: Iterator[Row]) -> Sheet:
    """`sheet` with its header and rows from `rows`, whose first is the header."""
    first = next(rows, None)
    if first is None:
        raise Unreadable("this table is empty, it has not even a header: download it again")
    sheet.header = first[1]
    sheet.start = Spool(rows).rows
    return sheet


def _continues(cells: list[str], width: int, rows_before: int) -> bool:
    filled = len(trim_header(cells))
    return filled == width or (filled < width and rows_before >= FULL_SHEET - 1)


class Spool:
    """Rows that cost much to read, kept on disk as they are read, so that a second pass is cheap.

    The temporary file has no name and vanishes with the program. Several passes may go on at once, and a pass
    may stop early: what it has read is there for the next.
    """

    CHUNK = 1_000

    def __init__(self, rows: Iterator[Row]):
        self._rows = rows
        self._file = tempfile.SpooledTemporaryFile(max_size=1 << 20)  # noqa: SIM115 (closed by finalize)
        weakref.finalize(self, self._file.close)
        self._ends = [0]  # of the chunks; each begins where the one before it ends
        self._over: Unreadable | bool = False

    def rows(self) -> Iterator[Row]:
        """All rows, from the first; raises again what ended them."""
        place = 0
        while place < len(self._ends) - 1 or self._read_on():
            self._file.seek(self._ends[place])
            yield from marshal.loads(self._file.read(self._ends[place + 1] - self._ends[place]))
            place += 1
        if isinstance(self._over, Unreadable):
            raise Unreadable(str(self._over), self._over.line)

    def _read_on(self) -> bool:
        """Read another chunk, if there is one."""
        if self._over:
            return False
        chunk: list[Row] = []
        try:
            for row in self._rows:
                chunk.append(row)
                if len(chunk) == self.CHUNK:
                    break
            else:
                self._over = True
        except Unreadable as error:
            self._over = error
        if chunk:
            self._file.seek(self._ends[-1])
            self._file.write(marshal.dumps(chunk, 2))  # version 2 does not look for repeated objects: faster
            self._ends.append(self._file.tell())
        return bool(chunk)
