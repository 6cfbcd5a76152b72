"""Comma-, semicolon-, tab- and colon-separated files."""

from __future__ import annotations

import csv
import gzip
import io
import tracemalloc
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_tables import FIXTURES, LOG_HEAD, LOG_HEADER, LOG_LINE, LOG_ROW, read, rows

from loaders.errors import Unreadable

GRADES = '"First name":"Last name":"Quiz: Week 2, quiz; ICT (Real)":"Course total (Real)"\nAl:"& Co":7.50:-\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.csv"


def refused(path: Path, content: bytes | str) -> Unreadable:
    """How a file is refused, at once or while its rows are read."""
    with pytest.raises(Unreadable) as caught:
        rows(read(path, content))
    assert "\n" not in str(caught.value) and ": " in str(caught.value)  # one sentence, with its remedy
    return caught.value


# ---- Moodle's own shapes ----


def test_a_log(path: Path):
    sheet = read(path, LOG_HEAD + LOG_LINE * 2)
    assert (sheet.source, sheet.format, sheet.header) == ("file.csv", "csv", LOG_HEADER)
    assert (sheet.encoding, sheet.delimiter, sheet.bom, sheet.resaved) == ("utf-8", ",", True, False)
    assert list(sheet.rows()) == list(sheet.rows()) == [(2, LOG_ROW), (3, LOG_ROW)]


def test_a_log_under_gzip_and_another_name(tmp_path: Path):
    assert rows(read(tmp_path / "logs.xlsx", gzip.compress((LOG_HEAD + LOG_LINE).encode()))) == [LOG_ROW]


def test_participants_as_moodle_wrote_them():
    sheet = read(FIXTURES / "participants.csv")
    with (FIXTURES / "participants.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [sheet.header, *rows(sheet)] == list(csv.reader(file))
    assert ['=HYPERLINK("x")', "Formula", "w1012900@student.example.edu", "Toowoomba"] in rows(sheet)


def test_activity_completion_of_4_x_keeps_its_empty_headers(path: Path):
    sheet = read(
        path, ',"Email","What, why &amp; how?","","Quiz",""\n"Al","a@x.org","Completed","2016-03-01 00:36:06","",""\n'
    )
    assert sheet.header == ["", "Email", "What, why &amp; how?", "", "Quiz", ""]
    assert rows(sheet) == [["Al", "a@x.org", "Completed", "2016-03-01 00:36:06", "", ""]]
    assert (sheet.bom, sheet.resaved) == (False, False)


@pytest.mark.parametrize(("mark", "encoding"), [(b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")])
def test_activity_completion_for_excel_is_utf_16_with_tabs(path: Path, mark: bytes, encoding: str):
    sheet = read(path, mark + '\t"Email"\t"Zoë, why?"\t""\n"李"\t"z@x.org"\t"完了"\t""\n'.encode(encoding))
    assert (sheet.encoding, sheet.delimiter, sheet.bom, sheet.resaved) == ("utf-16", "\t", True, False)
    assert (sheet.header, rows(sheet)) == (["", "Email", "Zoë, why?", ""], [["李", "z@x.org", "完了", ""]])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", ":"])
def test_grades_with_any_delimiter(path: Path, delimiter: str):
    sheet = read(
        path,
        GRADES.replace('":"', f'"{delimiter}"').replace(
            'Al:"& Co":7.50:-', f'Al{delimiter}"& Co"{delimiter}7.50{delimiter}-'
        ),
    )
    assert sheet.delimiter == delimiter
    assert sheet.header == ["First name", "Last name", "Quiz: Week 2, quiz; ICT (Real)", "Course total (Real)"]
    assert rows(sheet) == [["Al", "& Co", "7.50", "-"]]
    assert not sheet.resaved


def test_forum_messages_have_many_lines(path: Path):
    sheet = read(path, 'id,message,deleted\n1,"<p>One</p>\n<p>""Two"", three</p>\n",0\n2,"four",0\n')
    assert list(sheet.rows()) == [(2, ["1", '<p>One</p>\n<p>"Two", three</p>\n', "0"]), (5, ["2", "four", "0"])]


def test_quotes_after_a_backslash_as_php_writes_them(path: Path):
    """PHP's fputcsv takes a backslash for an escape: it leaves the quote after one undoubled, and keeps both."""
    sheet = read(path, 'Name,Feedback,Total\nAl,"say \\"yes\\" twice",1\nBo,"ends with \\",2\nCy,"a ""b"" \\ c",3\n')
    assert [row[1] for row in rows(sheet)] == ['say \\"yes\\" twice', "ends with \\", 'a "b" \\ c']


def test_quotes_after_a_backslash_in_files_with_a_byte_order_mark(path: Path):
    """Those are written without an escape character."""
    assert rows(read(path, '\ufeffa,b\n"x \\""y",1\n')) == [['x \\"y', "1"]]


def test_only_a_header_is_a_sheet_without_rows(path: Path):
    sheet = read(path, "\ufeffid,discussion,parent\n")
    assert (sheet.header, rows(sheet)) == (["id", "discussion", "parent"], [])


def test_one_column_is_a_sheet(path: Path):
    assert rows(read(path, "Email\na@x.org\nb@x.org\n")) == [["a@x.org"], ["b@x.org"]]


def test_blank_lines_before_and_after(path: Path):
    assert list(read(path, "\n\na,b\n1,2\n\n,\n\n").rows()) == [(4, ["1", "2"])]


@given(
    table=st.integers(2, 5).flatmap(
        lambda width: st.lists(
            st.lists(
                st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff")), min_size=width, max_size=width
            ),
            min_size=1,
            max_size=5,
        )
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_moodle_writes_comes_back(path: Path, table: list[list[str]]):
    """Whatever is in the cells, quotes and line breaks too."""
    header = [f"column {number}" for number, _ in enumerate(table[0])]
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([header, *table])
    assert rows(read(path, b"\xef\xbb\xbf" + written.getvalue().encode())) == [row for row in table if any(row)]


# ---- Saved again by a spreadsheet program ----


def test_excel_saved_it_in_western_letters_with_semicolons(path: Path):
    sheet = read(path, "Vorname;Ort\r\nZoë;Köln – „West“\r\n".encode("cp1252"))
    assert (sheet.encoding, sheet.delimiter, sheet.bom, sheet.resaved) == ("cp1252", ";", False, True)
    assert rows(sheet) == [["Zoë", "Köln – „West“"]]


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffTime;User\r\n1;2\r\n",  # Excel's "CSV UTF-8"
        "\ufeffTime;User\n1;2\n",
        "Time,User\r\n1,2\r\n",
        "Time,User\r1,2\r",  # an older Macintosh
        "Time,User full name\n1,2\n",  # PHP quotes what has a space
    ],
)
def test_signs_of_a_spreadsheet_program(path: Path, content: str):
    assert read(path, content).resaved


def test_empty_columns_and_rows_that_a_spreadsheet_program_adds(path: Path):
    sheet = read(path, "a,b,,,\r\n1,2,,,\r\n3,4\r\n5,6,\r\n,,,,\r\n")
    assert (sheet.header, rows(sheet)) == (["a", "b"], [["1", "2"], ["3", "4"], ["5", "6"]])


@pytest.mark.parametrize(
    ("text", "encoding"), [("Имя;Группа\r\nАлёна;Первая\r\n", "cp1251"), ("a;b\r\nJosé;x\r\n", "mac_roman")]
)
def test_letters_that_might_be_others_are_refused(path: Path, text: str, encoding: str):
    assert "CSV UTF-8" in str(refused(path, text.encode(encoding)))


def test_letters_of_two_encodings_are_refused(path: Path):
    assert "letters" in str(refused(path, "a,b\nZoë,x\n".encode() + "Zoë,x\n".encode("cp1252")))


def test_western_letters_late_in_the_file(path: Path):
    sheet = read(path, b"a,b\n" + b"1,2\n" * 300_000 + b"Zo\xeb,x\n")
    assert sheet.encoding == "cp1252"
    *_, (line, last) = sheet.rows()
    assert (line, last) == (300_002, ["Zoë", "x"])


# ---- Cut and broken ----


def test_cut_anywhere_a_log_is_refused_or_ends_at_a_line(path: Path):
    whole, head = (LOG_HEAD + LOG_LINE * 3).encode(), len(LOG_HEAD.encode())
    for length in range(head, len(whole)):
        if whole[length - 1 : length] == b"\n":
            assert rows(read(path, whole[:length])) == [LOG_ROW] * (whole[head:length].count(b"\n"))
        else:
            error = refused(path, whole[:length])
            assert "cut short" in str(error) and "download it again" in str(error)
            assert error.line in (2, 3, 4)


def test_cut_in_the_header(path: Path):
    assert "cut short" in str(refused(path, '"First name","Last na'))


def test_cut_within_utf_16(path: Path):
    assert "cut short" in str(refused(path, "\ufeff\ta\tb\nx\t1\t2\n".encode("utf-16-le")[:-3]))


def test_a_line_of_another_width_in_the_middle_names_its_line(path: Path):
    for odd in ("1,2", "1,2,3,4"):
        error = refused(path, f"a,b,c\n1,2,3\n{odd}\n4,5,6\n")
        assert error.line == 3
        assert f"{odd.count(',') + 1} columns" in str(error) and "has 3" in str(error)


def test_rows_before_the_broken_line_are_given_first(path: Path):
    sheet = read(path, "a,b\n1,2\n3\n4,5\n")
    assert list(islice(sheet.rows(), 1)) == [(2, ["1", "2"])]
    with pytest.raises(Unreadable):
        list(sheet.rows())


def test_quotes_that_do_not_pair_up_name_their_line(path: Path):
    error = refused(path, 'a,b\n1,2\n"x"y,3\n4,5\n')
    assert (error.line, "quotation marks" in str(error)) == (3, True)


def test_damaged_letters_after_a_byte_order_mark(path: Path):
    assert "damaged" in str(refused(path, b"\xef\xbb\xbfa,b\n1,\xff\xfe\n2,3\n"))


@pytest.mark.parametrize("content", [b"a,b\n1,\0\n", b"\0\1\2\3", b"a,b\n" + b"1,2\n" * 400_000 + b"\0,2\n"])
def test_binary_bytes_are_refused(path: Path, content: bytes):
    assert "no text file" in str(refused(path, content))


@pytest.mark.parametrize("content", [b"", b" \n\n ", b"\xef\xbb\xbf", b"\xff\xfe", b"\xef\xbb\xbf\r\n"])
def test_an_empty_file_is_refused(path: Path, content: bytes):
    assert str(refused(path, content)) == "this file is empty: download it again"


@pytest.mark.parametrize(
    "content",
    ["Dear all,\nhow are you?\nI am well, you know, thanks.\nBye\n", "One: two\nthree\nfour\nfive\n", ",,,\n"],
)
def test_prose_is_no_table(path: Path, content: str):
    assert "no table" in str(refused(path, content))


# ---- Size ----


@pytest.mark.parametrize(
    "content",
    [
        b"x" * 12_000_000,
        b"a,b\n1,2\n" + b"x" * 12_000_000,
        b'\xef\xbb\xbfa,b\n1,2\n"' + (b"x" * 999 + b"\n") * 12_000,
        b"\xef\xbb\xbf" + b"a,b," * 3_000_000,
    ],
)
def test_a_line_or_cell_without_end_is_refused_in_little_memory(path: Path, content: bytes):
    path.write_bytes(content)
    tracemalloc.start()
    error = refused(path, content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "10 million" in str(error)
    assert peak < 90_000_000


def test_a_long_file_streams(path: Path):
    path.write_text(LOG_HEAD + LOG_LINE * 60_000, encoding="utf-8")
    tracemalloc.start()
    sheet = read(path)
    assert sum(1 for _ in sheet.rows()) == 60_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000
