"""Which columns of a spreadsheet tell people apart, which are details, and what their cells say."""

from __future__ import annotations

from datetime import datetime

import openpyxl
import pytest
from exports import (
    database,
    load,
)  # fmt: skip
from made_details import course, said, sheet, take, workbook
from sheet import made

from loaders import detail_columns, details, wide
from loaders.detail_columns import Asked
from loaders.errors import Unreadable

__all__ = ["course"]


def test_workbooks_keep_numbers_and_days_as_people_write_them(tmp_path, course):
    book = openpyxl.Workbook()
    page = book.active
    page.append(["Student number", "GPA", "Code", "Born", "Share"])
    page.append([1012345, 5.0999999046, "0412", datetime(1990, 2, 28), 0.1 + 0.2])
    book.save(tmp_path / "mine.xlsx")
    db = database(tmp_path)
    load(db, *course)
    take(db, tmp_path / "mine.xlsx")
    assert said(db) == {
        ("zoe", "GPA"): "5.1", ("zoe", "Code"): "0412", ("zoe", "Born"): "1990-02-28", ("zoe", "Share"): "0.3",
    }  # fmt: skip


def keys(*header: str) -> dict[str, str]:
    """What each of these columns was taken for."""
    found = detail_columns.by_heading(list(header))
    return {header[column]: what for what, column in found.items()}


def test_headers_that_identify():
    assert keys("Student Number", "GPA") == {"Student Number": "idnumber"}
    assert keys("STUDENT_ID", "e-mail", "GPA") == {"STUDENT_ID": "idnumber", "e-mail": "email"}
    assert keys("Surname", "Given names", "GPA") == {"Surname": "lastname", "Given names": "firstname"}
    assert keys("Nom", "Prénom", "Note") == {"Nom": "lastname", "Prénom": "firstname"}
    assert keys("Vorname", "Name", "Note") == {"Vorname": "firstname", "Name": "lastname"}
    assert keys("Surname, First name", "GPA") == {"Surname, First name": "fullname"}
    assert keys("Moodle ID", "Matrikel-Nr.", "Email", "Private email") == {
        "Moodle ID": "moodle_id", "Matrikel-Nr.": "idnumber", "Email": "email",
    }  # fmt: skip
    assert keys("First name", "GPA", "Tutor") == {}, "a first name alone is nobody"


def test_a_column_without_a_word_is_known_by_what_is_in_it(tmp_path, course):
    db = database(tmp_path)
    load(db, *course)
    (outcome,) = take(db, sheet(tmp_path / "mine.csv", ["Who", "GPA"], ["Zoë Müller", "5"], ["Al & Co", "6"]))
    assert said(db) == {("zoe", "GPA"): "5", ("al", "GPA"): "6"}
    assert "told apart by “Who”" in outcome.notes[0]
    unknown = made(["Dog", "Colour"], ["Rex", "brown"])
    with pytest.raises(Unreadable, match=r"no column tells who each row is about.*first line are Dog, Colour"):
        details.read(unknown, Asked(), details.known(db, 1))


def test_columns_are_chosen_by_their_headers():
    header = ["Email", "GPA", "Notes", "", "Notes", "", "Marks, all"]
    found = made(header, ["a@x.example", "5", "n", "", "m", "x", "1"])

    def taken(**asked) -> list[str]:
        return list(detail_columns.layout(found, Asked(**asked), {}).fields.values())

    assert taken() == ["GPA", "Notes", "Notes (2)", "Column F", "Marks, all"]
    assert taken(only=("gpa,Email",)) == ["Email", "GPA"], "one that identifies is kept when it is asked for"
    assert taken(leave_out=("Marks, all", "Notes")) == ["GPA", "Notes", "Column F"]
    with pytest.raises(Unreadable, match="there is no column “Nots”: the columns are Email, GPA"):
        taken(only=("Nots",))
    with pytest.raises(Unreadable, match="no column is left"):
        taken(only=("GPA",), leave_out=("GPA",))


def test_a_formula_without_a_result_is_left_out_and_said_once_a_column(tmp_path, course):
    db = database(tmp_path)
    load(db, *course)
    take(db, sheet(tmp_path / "older.csv", ["Email", "Total"], ["zoe@x.example", "11"]))
    header = ["Email", "Mark", "Total", "Born", "Met"]
    moment = datetime(2026, 5, 1, 3, 4)
    zoe = ["zoe@x.example", 7, "=B2*2", datetime(1991, 5, 1), moment]
    path = workbook(tmp_path / "mine.xlsx", header, zoe, ["sam1@x.example", 8, "=B3*2"], ["sam2@x.example", 9, 18])
    (outcome,) = take(db, path)
    assert outcome.notes[1:] == [
        "“Total” holds formulas without a result, which were left out (2, the first on line 2): open the file in your"
        " spreadsheet program, save it there, and take it again"
    ]
    assert said(db) == {
        ("zoe", "Mark"): "7", ("sam1", "Mark"): "8", ("sam2", "Mark"): "9", ("zoe", "Total"): "11",
        ("sam2", "Total"): "18", ("zoe", "Born"): "1991-05-01", ("zoe", "Met"): "2026-05-01 03:04:00",
    }  # fmt: skip


def test_names_in_any_column_are_no_details(tmp_path, course):
    db = database(tmp_path)
    load(db, *course)
    lines = ["Preferred name", "Given name(s)", "Family", "GPA"], ["Zed", "Zoë", "Müller", "5"]
    take(db, sheet(tmp_path / "mine.csv", *lines))
    assert said(db) == {("zoe", "GPA"): "5"}

    def found(*header: str):
        laid = detail_columns.layout(made(list(header), ["x"] * len(header)), Asked(), {})
        return laid.keys, list(laid.fields.values())

    assert found("Given", "Surname", "GPA") == ({"firstname": 0, "lastname": 1}, ["GPA"])
    assert found("Preferred name", "Family name", "GPA") == ({"firstname": 0, "lastname": 1}, ["GPA"])
    assert found("Name", "Preferred name", "GPA") == ({"fullname": 0}, ["GPA"])
    assert found("Email", "First name", "GPA") == ({"email": 0}, ["GPA"])
    asked = Asked(only=("Preferred name",))
    laid = detail_columns.layout(made(["Email", "Preferred name"], ["x", "y"]), asked, {})
    assert list(laid.fields.values()) == ["Preferred name"], "where the teacher asks for it"


def test_no_heading_is_a_formula():
    assert list(wide.columns(["=cmd|x", "+", "-GPA", "@sum"])) == ["cmd|x", "field", "GPA", "sum"]
