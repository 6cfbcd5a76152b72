"""Excel and OpenDocument workbooks."""

from __future__ import annotations

import zipfile
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path

import openpyxl
import pytest
from made_tables import FIXTURES, LOG_HEADER, LOG_ROW, memory_of_reading, ods, read, rows, xlsx

from loaders import sheets, spreadsheets
from loaders.errors import Unreadable

FORMULA = ['=HYPERLINK("x")', "Formula", "w1012900@student.example.edu", "Toowoomba"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.bin"


def refused(path: Path, content: bytes | None = None) -> str:
    with pytest.raises(Unreadable) as caught:
        rows(read(path, content))
    return str(caught.value)


# ---- What Moodle writes ----


def test_participants_xlsx_has_what_the_csv_has():
    text, book = read(FIXTURES / "participants.csv"), read(FIXTURES / "participants.xlsx")
    assert (book.format, book.header, book.resaved) == ("xlsx", text.header, False)
    assert list(book.rows()) == list(book.rows()) == list(text.rows())


def test_participants_ods_has_what_the_csv_has_but_the_formula():
    """Moodle breaks the file at a name that begins with "="; nothing else may be lost, or move."""
    text, book = read(FIXTURES / "participants.csv"), read(FIXTURES / "participants.ods")
    assert (book.format, book.header, book.resaved) == ("ods", text.header, False)
    assert rows(book) == [["", *row[1:]] if row == FORMULA else row for row in rows(text)]
    assert book.notes == [
        "Moodle leaves cells that begin with '=' empty in its .ods files (1 here): "
        "take comma separated values (.csv) if you need them"
    ]


def test_grades_and_choices_of_moodles_other_writers():
    grades, choices = read(FIXTURES / "grades.ods"), read(FIXTURES / "choice.xls")
    assert (len(grades.header), len(rows(grades)), grades.resaved, grades.notes) == (17, 110, False, [])
    assert (choices.header[4], len(rows(choices)), choices.resaved) == ("Choice", 95, False)
    assert {row[2][:3] for row in rows(grades)} == {"001"}  # id numbers keep their zeros


@pytest.mark.parametrize("write", [xlsx, ods])
def test_awkward_cells(path: Path, write):
    cells = ["  Padded  ", "", "<b> & 🦘", 'O"Neil', "a\nb" if write is xlsx else "ab"]
    sheet = read(write(path, [["a", "b", "c", "d", "e"], cells, ["", "", "", "", "x"], ["y"]]))
    assert list(sheet.rows()) == [(2, cells), (3, ["", "", "", "", "x"]), (4, ["y", "", "", "", ""])]
    assert not sheet.resaved


def test_a_formula_without_a_value_is_its_text(path: Path):
    assert rows(read(xlsx(path, [["Name", "Id"], ['=HYPERLINK("x") Formula', "1"]]))) == [
        ['=HYPERLINK("x") Formula', "1"]
    ]


def test_lost_cells_of_an_ods_anywhere_in_a_row(path: Path):
    sheet = read(ods(path, [["a", "b", "c"], ["=1", "2", "=3"], ["=1", "=2", "=3"], ["1", "=2", "3"]]))
    assert rows(sheet) == [["", "2", ""], ["1", "", "3"]]
    assert "(6 here)" in sheet.notes[0]


@pytest.mark.parametrize("write", [xlsx, ods])
@pytest.mark.parametrize("expected", ["", "2016-03-02 00:00:00"])
def test_activity_completion_keeps_its_empty_headers(path: Path, write, expected: str):
    """Also the last one, which workbooks leave out like any empty cell at the end of a row."""
    header = ["", "Mail", "Quiz", "", "Book", expected]
    row = ["Al", "a@x.org", "Completed", "2016-03-01 00:36:06", "Completed", "2016-03-01 00:36:07"]
    sheet = read(write(path, [header, [*row[:5], ""], row]))
    assert (sheet.header, rows(sheet)) == (header, [[*row[:5], ""], row])


# ---- Several sheets ----


@pytest.mark.parametrize("write", [xlsx, ods])
def test_later_sheets_go_on_where_the_first_ends(path: Path, write):
    sheet = read(write(path, [LOG_HEADER, LOG_ROW], [LOG_ROW, LOG_ROW], [LOG_HEADER, LOG_ROW]))
    assert list(sheet.rows()) == [(2, LOG_ROW), (3, LOG_ROW), (4, LOG_ROW), (5, LOG_ROW)]
    assert sheet.notes == []


@pytest.mark.parametrize("write", [xlsx, ods])
def test_a_sheet_with_other_columns_is_left_out_and_said(path: Path, write):
    sheet = read(write(path, [], [LOG_HEADER, LOG_ROW], [["my", "sums"], ["1", "2"]], [[*LOG_ROW, "more"]]))
    assert rows(sheet) == [LOG_ROW]
    assert len(sheet.notes) == 2 and "'Sheet3' has other columns" in sheet.notes[0]


def test_after_a_full_sheet_a_row_may_lack_its_last_cells(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sheets, "FULL_SHEET", 3)
    cron = [*LOG_ROW[:7], "cli"]
    sheet = read(xlsx(path, [LOG_HEADER, LOG_ROW, LOG_ROW], [cron, LOG_ROW]))
    assert list(sheet.rows()) == [(2, LOG_ROW), (3, LOG_ROW), (4, [*cron, ""]), (5, LOG_ROW)]


# ---- What spreadsheet programs write ----


def test_numbers_and_dates_of_a_spreadsheet_program_become_text(path: Path):
    book = openpyxl.Workbook()
    book.active.append(["a", "b", "c", "d", "e", "f", "g"])
    book.active.append(
        [1.0, 7.1, 1234567890123, datetime(2026, 3, 5, 14, 7, 8, 999_600), date(2026, 3, 5), time(14, 7), True]
    )
    book.active.append(["001", None, "=1+1", -2, 0.25, 1e20, "x"])
    book.save(path)
    sheet = read(path)
    assert rows(sheet) == [
        ["1", "7.1", "1234567890123", "2026-03-05 14:07:09", "2026-03-05 00:00:00", "14:07:00", "TRUE"],
        ["001", "", "=1+1", "-2", "0.25", "1e+20", "x"],
    ]
    assert sheet.resaved


@pytest.mark.parametrize(
    ("application", "resaved"), [("OpenSpout", False), ("Spout", False), ("Microsoft Excel", True), (None, True)]
)
def test_who_wrote_a_workbook_tells_whether_it_was_saved_again(path: Path, application, resaved: bool):
    assert read(xlsx(path, [["a", "b"]], application=application)).resaved is resaved


def test_shared_strings_with_formatting(path: Path):
    strings = (
        '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>a</t></si><si><r><t>bo</t></r>'
        '<r><rPr><b/></rPr><t>ld</t></r><rPh sb="0" eb="1"><t>ボールド</t></rPh></si><si/></sst>'
    )
    cells = "".join(f'<c r="{place}%" t="s"><v>{number}</v></c>' for number, place in enumerate("ACD"))
    inside = "".join(f'<row r="{row}">{cells.replace("%", str(row))}</row>' for row in (1, 2))
    sheet = read(xlsx(path, inside, **{"xl/sharedStrings.xml": strings}))
    assert (sheet.header, rows(sheet)) == (["a", "", "bold"], [["a", "", "bold"]])


def test_a_stored_value_goes_before_its_formula_unless_it_is_an_error(path: Path):
    inside = (
        '<row><c t="str"><f>A1</f><v>head</v></c><c t="str"><v>b</v></c></row>'
        '<row><c t="e"><f>HYPERLINK(x</f><v>#NAME?</v></c><c><f>1+1</f><v>2.0</v></c></row>'
    )
    sheet = read(xlsx(path, inside))
    assert (sheet.header, rows(sheet)) == (["head", "b"], [["=HYPERLINK(x", "2"]])


def test_an_ods_of_libreoffice(path: Path):
    inside = (
        '<table:table-row><table:table-cell office:value-type="string"><text:p>a</text:p></table:table-cell>'
        '<table:table-cell office:value-type="string" table:number-columns-repeated="2"><text:p>b</text:p>'
        '</table:table-cell><table:table-cell table:number-columns-repeated="16381"/></table:table-row>'
        '<table:table-row table:number-rows-repeated="2"><table:table-cell office:value-type="float" '
        'office:value="7.50"><text:p>7,50</text:p></table:table-cell><table:table-cell office:value-type="date" '
        'office:date-value="2026-03-05T14:07:09"><text:p>5.3.26</text:p></table:table-cell><table:table-cell '
        'office:value-type="string"><office:annotation><text:p>a note</text:p></office:annotation><text:p>x<text:s '
        'text:c="2"/>y<text:span>z</text:span><text:line-break/></text:p><text:p>2</text:p></table:table-cell>'
        '</table:table-row><table:table-row table:number-rows-repeated="1048573"><table:table-cell '
        'table:number-columns-repeated="16384"/></table:table-row>'
    )
    sheet = read(ods(path, inside, creator="LibreOffice"))
    assert sheet.header == ["a", "b", "b"]
    cells = ["7.5", "2026-03-05 14:07:09", "x  yz\n\n2"]
    assert list(sheet.rows()) == [(2, cells), (3, cells)]
    assert sheet.resaved


# ---- Damage and size ----


@pytest.mark.parametrize("name", ["participants.xlsx", "participants.ods"])
def test_half_a_workbook_is_refused(path: Path, name: str):
    whole = (FIXTURES / name).read_bytes()
    for part in (0.3, 0.9, 0.999):
        assert "only half there" in refused(path, whole[: int(len(whole) * part)])


@pytest.mark.parametrize("write", [xlsx, ods])
def test_a_row_wider_than_the_header_is_refused_with_its_number(path: Path, write):
    with pytest.raises(Unreadable) as caught:
        rows(read(write(path, [["a", "b"], ["1", "2", ""], ["1", "2", "3"]])))
    assert caught.value.line == 3


@pytest.mark.parametrize(
    "inside",
    [
        "<row><c",  # no XML
        '<row r="x"/>',
        '<row><c r="A1" t="s"><v>7</v></c></row>',  # no such string
        '<row><c r="ZZZZZZZ1"><v>7</v></c></row>',  # no such column
        '<row><c r="B1"><v>7</v></c><c r="A1"><v>7</v></c></row>',
        "<row><c><v>seven</v></c></row>",
    ],
)
def test_nonsense_in_a_workbook_is_a_sentence(path: Path, inside: str):
    assert "damaged" in refused(xlsx(path, inside))


def test_entities_are_not_followed(path: Path):
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    strings = f'{bomb}<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>&b;</t></si></sst>'
    assert "damaged" in refused(xlsx(path, [["a"]], **{"xl/sharedStrings.xml": strings}))


@pytest.mark.parametrize(
    ("of_row", "of_cell"),
    [('table:number-rows-repeated="99999999"', ""), ("", 'table:number-columns-repeated="99999999"')],
)
def test_absurd_repeats_are_refused(path: Path, of_row: str, of_cell: str):
    cell = f"<table:table-cell {of_cell}><text:p>x</text:p></table:table-cell>"
    assert "too big" in refused(ods(path, f"<table:table-row {of_row}>{cell}</table:table-row>"))


@pytest.mark.parametrize(
    ("write", "row"),
    [
        (xlsx, "<row>" + "<c/>" * 3_000_000),
        (ods, "<table:table-row>" + "<table:table-cell/>" * 1_000_000),
        (ods, "x" * 9_000_000),
    ],
)
def test_a_row_without_end_is_refused(path: Path, write, row: str):
    assert "too big" in refused(write(path, row))


def test_a_long_workbook_streams(path: Path):
    short = memory_of_reading(xlsx(path, [LOG_HEADER, *[LOG_ROW] * 2_000]))
    assert memory_of_reading(xlsx(path, [LOG_HEADER, *[LOG_ROW] * 6_000])) < short + 1_500_000


def test_a_workbook_is_parsed_once(path: Path, monkeypatch: pytest.MonkeyPatch):
    sheet = read(xlsx(path, [LOG_HEADER, *[LOG_ROW] * 2_500]))
    assert len(list(islice(sheet.rows(), 5))) == 5  # a look at the first rows
    assert sum(1 for _ in sheet.rows()) == 2_500
    monkeypatch.setattr(spreadsheets, "elements", None)
    assert sum(1 for _ in sheet.rows()) == 2_500


def test_passes_over_a_workbook_may_overlap(path: Path):
    sheet = read(xlsx(path, [["a"], *[[str(number)] for number in range(3_000)]]))
    assert all(one == other for one, other in zip(sheet.rows(), sheet.rows(), strict=True))


def test_what_ends_the_rows_ends_them_every_time(path: Path):
    sheet = read(xlsx(path, [["a"], *[["x"]] * 2_000, ["x", "y"]]))
    for _ in range(2):
        seen = []
        with pytest.raises(Unreadable) as caught:
            seen.extend(sheet.rows())
        assert caught.value.line == 2_002


# ---- Other zip files ----


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["[Content_Types].xml", "word/document.xml"], "document without a table"),
        (["[Content_Types].xml", "xl/workbook.bin"], "xlsb"),
        (["Index/Document.iwa"], "Numbers"),
        (["mimetype"], "document without a table"),
    ],
)
def test_other_documents_are_named(path: Path, names: list[str], said: str):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "application/epub+zip")
    assert said in refused(path)
