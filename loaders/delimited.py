"""Comma-, semicolon-, tab- and colon-separated text, as Moodle and spreadsheet programs write it.

\ufeffTime,"User full name","Affected user",...      log and most others: byte order mark, LF
,"Email address","Introduce yourself","",...          activity completion of 4.x: no mark, no first header
"First name":"Last name":"Quiz: Week 2 (Real)":...    grades: no mark, delimiter chosen in a form
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from loaders.downloads import Download
from loaders.errors import Unreadable
from loaders.sheets import MOST_COLUMNS, Row, Sheet, other_width, trim_header
from loaders.streams import BUFFER, DAMAGED, Watched

DELIMITERS = (",", ";", "\t", ":")
LONGEST_CELL = 10_000_000
csv.field_size_limit(LONGEST_CELL)

CUT = "this file was cut short, its last line is not whole: download it again"
BINARY = "this is no text file, or it is damaged: download it from Moodle again, as .csv"
NO_TABLE = "this is no table: download the file from Moodle as comma separated values (.csv)"
ENDLESS = "this file has a line of over 10 million characters, so it is no Moodle table: download it again"
QUOTES = "the quotation marks of this line do not pair up: download the file again"
ODD_LETTERS = (
    "the letters of this file cannot be told for certain: download it again and load it as it is, "
    "or save it as 'CSV UTF-8' in your spreadsheet program"
)


@dataclass(frozen=True)
class Layout:
    """How the bytes of one file become cells."""

    encoding: str
    bom: bool
    delimiter: str = ","

    @property
    def php(self) -> bool:
        r"""Whether a quote after a backslash may stand undoubled, as PHP's fputcsv writes it.

        Moodle's files with a byte order mark are written without that quirk.
        """
        return not self.bom

    @property
    def unit(self) -> int:
        """Bytes of a line's end."""
        return 2 if self.encoding == "utf-16" else 1


def read(download: Download, head: bytes) -> Sheet:
    """The sheet in a text file; `head` is its first megabyte. Raises Unreadable."""
    encoding, bom = _encoding(download, head)
    whole = len(head) < BUFFER
    sample = _decode(head, encoding)
    layout, header = _layout(sample, encoding, bom, whole)
    header = trim_header(header)
    if not any(header) or len(header) > MOST_COLUMNS:
        raise Unreadable(NO_TABLE)
    resaved = _resaved(sample, layout, header)
    return Sheet(
        source=download.source,
        format="csv",
        header=header,
        encoding="utf-8" if encoding == "utf-8-sig" else encoding,
        delimiter=layout.delimiter,
        bom=bom,
        resaved=resaved,
        start=lambda: _rows(download, layout, len(header), must_end=bom and not resaved),
    )


# ---- Letters ----


def _encoding(download: Download, head: bytes) -> tuple[str, bool]:
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig", True
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", True
    _refuse_binary(head)
    if len(head) == BUFFER and b"\n" not in head and b"\r" not in head:
        raise Unreadable(ENDLESS)
    return _encoding_of_all(download), False


def _watched(download: Download, nuls: bool) -> Watched:
    """The bytes of a download; NUL bytes are in order only in UTF-16."""
    return Watched(download.open(), (b"\n", b"\r"), LONGEST_CELL, ENDLESS, None if nuls else _refuse_binary)


def _refuse_binary(chunk: bytes) -> None:
    if b"\0" in chunk:
        raise Unreadable(BINARY)


def _encoding_of_all(download: Download) -> str:
    """Without a byte order mark, only the whole file tells."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    letters = western = False
    with _watched(download, nuls=False) as stream:
        while chunk := stream.read(BUFFER):
            if not western:
                try:
                    letters = not decoder.decode(chunk).isascii() or letters
                except UnicodeDecodeError as error:
                    western, letters = True, letters or not error.object[: error.start].isascii()
            if western:
                _refuse_other_than_western(chunk, letters)
    return "cp1252" if western else "utf-8"


def _refuse_other_than_western(chunk: bytes, utf8_before: bool) -> None:
    """Excel on Windows saves in the code page of its country; only the Western one is known for certain.

    Four accented letters in a row are no Western word, but a Greek, Cyrillic or Asian one; and what would be
    a capital after a small letter (`JosŽ`) is an accented letter of an older Macintosh.
    """
    try:
        chunk.decode("cp1252")
    except UnicodeDecodeError as error:
        raise Unreadable(ODD_LETTERS) from error
    if utf8_before or re.search(rb"[\xc0-\xff]{4}|[a-z][\x83\x87-\x8c\x8e\x98\x9f]", chunk):
        raise Unreadable(ODD_LETTERS)


def _decode(head: bytes, encoding: str) -> str:
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError as error:
        raise Unreadable(DAMAGED) from error
    if not text.strip():
        raise Unreadable("this file is empty: download it again")
    if "\0" in text:
        raise Unreadable(BINARY)
    return text


# ---- Shape ----


def _layout(sample: str, encoding: str, bom: bool, whole: bool) -> tuple[Layout, list[str]]:
    """The layout under which header and first rows agree best, and the header."""
    found = []
    for delimiter in DELIMITERS:
        layout = Layout(encoding, bom, delimiter)
        rows, broken = _first_rows(sample, layout, whole)
        if rows:
            found.append((*_agreement(rows, broken), layout, rows[0]))
    if not found:
        raise Unreadable(_why_no_rows(sample, whole))
    several, share, _, layout, header = max(found, key=lambda one: one[:3])
    if share < (0.5 if several else 1):
        raise Unreadable(NO_TABLE)
    return layout, header


def _agreement(rows: list[list[str]], broken: bool) -> tuple[bool, float, int]:
    """Whether there are several columns, the share of rows that fit the header, and how many columns."""
    width = len(rows[0])
    fitting = [len(row) == width for row in rows[1:]] + [False] * broken
    share = sum(fitting) / len(fitting) if len(fitting) > 1 or (fitting and width == 1) else 1
    return width > 1, share, width


def _first_rows(sample: str, layout: Layout, whole: bool) -> tuple[list[list[str]], bool]:
    """Up to 100 rows, blank lines left out, and whether the quotes then go wrong."""
    rows: list[list[str]] = []
    lines = io.StringIO(sample, newline="")
    try:
        rows.extend(islice(_reader(lines, layout), 100))
    except csv.Error as error:
        return _filled(rows), "unexpected end" not in str(error)
    ended = not lines.read(1)
    # Where the sample or a cut file ends, so may a row.
    if rows and ended and (len(rows[-1]) != len(rows[0]) or not (whole or rows[1:])):
        rows.pop()
    return _filled(rows), False


def _filled(rows: list[list[str]]) -> list[list[str]]:
    return [row for row in rows if row]


def _why_no_rows(sample: str, whole: bool) -> str:
    if not whole:
        return ENDLESS
    return CUT if sample.count('"') % 2 else NO_TABLE


def _resaved(sample: str, layout: Layout, header: list[str]) -> bool:
    """Moodle ends lines with LF, puts commas where it puts a byte order mark, and quotes what has a space."""
    first_end = re.search(r"\r?\n|\r", sample)
    if layout.encoding == "cp1252" or (first_end and first_end[0] != "\n"):
        return True
    if layout.encoding == "utf-8-sig" and layout.delimiter != ",":
        return True
    first_line = sample[: first_end.start()] if first_end else sample
    # Tabs: Moodle's own choice report does not quote at all.
    return layout.delimiter != "\t" and '"' not in first_line and any(" " in cell for cell in header)


# ---- Rows ----


def _reader(lines, layout: Layout):
    """A csv.reader over lines; strict, so that quotes that go wrong are noticed."""
    if layout.php:
        lines = _mended(lines, layout.delimiter)
    return csv.reader(lines, delimiter=layout.delimiter, strict=True)


def _mended(lines, delimiter: str) -> Iterator[str]:
    r"""Lines with PHP's `"said \"yes\" twice"` made `"said \""yes\"" twice"`.

    Only where it can be nothing else: after a closing quote comes a delimiter, a line's end or a quote.
    """
    undoubled = re.compile(rf'\\"(?=[^"\r\n{delimiter}])')
    for line in lines:
        yield undoubled.sub(r'\\""', line) if '\\"' in line else line


def _rows(download: Download, layout: Layout, width: int, must_end: bool) -> Iterator[Row]:
    """Rows with the line on which each begins; a cut end and a broken row in the middle are refused."""
    watched = _watched(download, nuls=layout.encoding == "utf-16")
    line = 1
    with io.TextIOWrapper(io.BufferedReader(watched, BUFFER), encoding=layout.encoding, newline="") as text:
        try:
            reader = _reader(text, layout)
            next(row for row in reader if row)  # the header
            line = reader.line_num + 1
            for row in reader:
                if len(row) != width or not row[0]:
                    row = _odd_row(row, width, line, reader)
                    if not row:
                        line = reader.line_num + 1
                        continue
                yield line, row
                line = reader.line_num + 1
        except csv.Error as error:
            raise _quotes(error, line) from error
        except UnicodeDecodeError as error:
            cut = "unexpected end" in error.reason or "truncated" in error.reason
            raise Unreadable(CUT if cut else DAMAGED, line) from error
        if must_end and not set(b"\r\n") & set(watched.tail[-layout.unit :]):
            raise Unreadable(CUT, line - 1)


def _odd_row(row: list[str], width: int, line: int, reader) -> list[str]:
    """A row that needs a look: empty (then it is none), widened by a spreadsheet program, cut or broken."""
    if not any(row):
        return []
    if len(row) == width:
        return row
    if len(row) > width and not any(row[width:]):
        return row[:width]
    if len(row) < width and not any(any(more) for more in reader):
        raise Unreadable(CUT, line)
    raise Unreadable(other_width(len(row), width), line)


def _quotes(error: csv.Error, line: int) -> Unreadable:
    said = str(error)
    if "unexpected end" in said:
        return Unreadable(CUT, line)
    return Unreadable(ENDLESS if "field larger" in said else QUOTES, line)
