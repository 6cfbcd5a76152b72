"""Made-up files for tests of finding and reading downloads."""

from __future__ import annotations

import tracemalloc
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from xml.sax.saxutils import escape

from loaders import downloads, tables
from loaders.downloads import Download

FIXTURES = Path(__file__).parent / "fixtures" / "tables"

LOG_HEADER = [
    "Time", "User full name", "Affected user", "Event context", "Component", "Event name", "Description",
    "Origin", "IP address",
]  # fmt: skip
LOG_ROW = [
    "5/03/26, 14:07:09", "Zoë Müller", "-", "Forum: News", "Forum", "Course module viewed",
    "The user with id '5' viewed the 'forum' activity with course module id '1'.", "web", "10.1.2.3",
]  # fmt: skip
LOG_LINE = (
    '"5/03/26, 14:07:09","Zoë Müller",-,"Forum: News",Forum,"Course module viewed",'
    "\"The user with id '5' viewed the 'forum' activity with course module id '1'.\",web,10.1.2.3\n"
)
LOG_HEAD = (
    '\ufeffTime,"User full name","Affected user","Event context",Component,"Event name",Description,Origin,'
    '"IP address"\n'
)


def only(path: Path) -> Download:
    """The one download that a path gives."""
    (found,) = downloads.find([path])
    return found


def read(path: Path, content: bytes | str | None = None):
    """What reading a file gives; the file is first written where content is given."""
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return tables.read(only(path))


def rows(sheet: tables.Sheet) -> list[list[str]]:
    """The cells of all rows."""
    return [cells for _, cells in sheet.rows()]


def memory_of_reading(path: Path) -> int:
    """The most bytes that Python holds at once while all rows are read, twice."""
    tracemalloc.start()
    sheet = read(path)
    for _ in range(2):
        for _ in sheet.rows():
            pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


# ---- Workbooks as Moodle's writer makes them ----

_TYPES = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
)
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def xlsx(path: Path, *sheets: list[list[str]] | str, application: str | None = "OpenSpout", **members: str) -> Path:
    """An .xlsx of sheets of text cells (or of the XML of their rows), with more `members` ("xl_x": ...)."""
    numbers = range(1, len(sheets) + 1)
    listed = "".join(f'<sheet name="Sheet{n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    linked = "".join(
        f'<Relationship Id="rId{n}" Type="{_LINKS}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        if application:
            facts = f'<Properties xmlns="urn:x"><Application>{application}</Application></Properties>'
            archive.writestr("docProps/app.xml", facts)
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}"><sheets>{listed}</sheets></workbook>',
        )
        archive.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="urn:y">{linked}</Relationships>')
        for name, content in members.items():
            archive.writestr(name, content)
        for number, sheet in zip(numbers, sheets, strict=True):
            inside = sheet if isinstance(sheet, str) else "".join(map(_xlsx_row, range(1, len(sheet) + 1), sheet))
            archive.writestr(
                f"xl/worksheets/sheet{number}.xml",
                f'<worksheet xmlns="{_MAIN}"><dimension ref="A1"/><sheetData>{inside}</sheetData></worksheet>',
            )
    return path


def _xlsx_row(number: int, cells: list[str]) -> str:
    inside = "".join(_xlsx_cell(f"{chr(ord('A') + place)}{number}", cell) for place, cell in enumerate(cells) if cell)
    return f'<row r="{number}" spans="1:{len(cells)}" customHeight="0">{inside}</row>'


def _xlsx_cell(place: str, text: str) -> str:
    if text.startswith("="):
        return f'<c r="{place}" s="0"><f>{escape(text[1:])}</f></c>'
    return f'<c r="{place}" s="0" t="inlineStr"><is><t>{escape(text)}</t></is></c>'


_ODS_NAMES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
)


def ods(path: Path, *tables_of_cells: list[list[str]] | str, creator: str = "OpenSpout") -> Path:
    """An .ods of tables of text cells (or of the XML of their rows), broken where a cell begins with "="."""
    inside = "".join(
        f'<table:table table:name="Sheet{number}">'
        f"{table if isinstance(table, str) else ''.join(map(_ods_row, table))}</table:table>"
        for number, table in enumerate(tables_of_cells, 1)
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr(
            "content.xml",
            f"<office:document-content {_ODS_NAMES}><office:body><office:spreadsheet>{inside}"
            "</office:spreadsheet></office:body></office:document-content>",
        )
        archive.writestr("meta.xml", f"<office:document-meta><dc:creator>{creator}</dc:creator></office:document-meta>")
    return path


def _ods_row(cells: list[str]) -> str:
    return f'<table:table-row table:style-name="ro1">{"".join(map(_ods_cell, cells))}</table:table-row>'


def _ods_cell(text: str) -> str:
    start = '<table:table-cell table:style-name="ce1"'
    if text.startswith("="):
        return start  # sic: this is all that Moodle writes
    return (
        f'{start} office:value-type="string"><text:p>{escape(text)}</text:p></table:table-cell>'
        if text
        else f"{start}/>"
    )


def utc(*moment: int) -> str:
    """A local moment of this computer, as modified_utc writes it."""
    return datetime(*moment).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
