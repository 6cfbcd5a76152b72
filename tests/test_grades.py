"""The grade export: items, their activities, everybody's grades, and what spreadsheet programs do to them."""

import json

import pytest
from sheet import made, opened

from loaders import grades
from loaders.errors import Unreadable
from loaders.identity import NO_ZEROS
from loaders.times import Clock

PEOPLE = ["First name", "Last name", "ID number", "Email address"]
EXPORTED = "Last downloaded from this course"


def claims(sheet):
    """Everything the reader says of a sheet, as JSON would keep it."""
    reading = grades.read(sheet, Clock("Australia/Brisbane"))
    found = list(reading.claims)
    assert json.loads(json.dumps(found)) == found
    return found, reading


def items(*headers: str, cells: tuple[str, ...] = (), **more):
    """The items of a sheet with these columns of grades; `cells` is one row of them."""
    cells = cells or ("-",) * len(headers)
    header = [*PEOPLE, *headers, EXPORTED]
    sheet = made(header, ["A", "B", "007", "a@x.example", *cells, "1795343200"], **more)
    assert grades.recognise(sheet)
    return claims(sheet)


def test_rows():
    found, reading = claims(opened("grades.csv"))
    assert found[0] == {
        "noun": "grade_items",
        "items": [
            {"name": name, "activity": activity, "display": "real"}
            for name, activity in (
                ("Week 2 quiz: ICT basics", {"name": "Week 2 quiz: ICT basics", "kind": "quiz"}),
                (
                    "Assignment 1: Artefact and essay (30%)",
                    {"name": "Assignment 1: Artefact and essay (30%)", "kind": "assign"},
                ),
                ("Lesson: writing outcomes", {"name": "Lesson: writing outcomes", "kind": "lesson"}),
                (
                    "Assignment 2: Unit plan (40%)",
                    {"name": "Assignment 2: Unit plan (40%)", "kind": "assign"},
                ),
                ("Placement readiness quiz", {"name": "Placement readiness quiz", "kind": "quiz"}),
                (
                    "Assignment 3: Reflection (30%)",
                    {"name": "Assignment 3: Reflection (30%)", "kind": "assign"},
                ),
                (
                    "Peer review workshop (submission)",
                    {"name": "Peer review workshop", "kind": "workshop"},
                ),
                (
                    "Peer review workshop (assessment)",
                    {"name": "Peer review workshop", "kind": "workshop"},
                ),
                ("SCORM: final check", {"name": "SCORM: final check", "kind": "scorm"}),
                ("Course total", None),
            )
        ],
    }
    person = {
        "email": "w1014713@student.example.edu",
        "idnumber": "001014713",
        "firstname": "Nathaniel",
        "lastname": "Barker",
    }
    assert found[3:5] == [
        {"noun": "person", "line": 3, "person": person, "in_course": True, "report": "grades"},
        {
            "noun": "grade",
            "line": 3,
            "person": person,
            "cells": [None, "89.9", None, "73.5", None, "49.8", None, None, None, "213.2"],
        },
    ]
    names = [claim["person"]["firstname"] for claim in found if claim["noun"] == "person"]
    assert names == ["Mohammed", "Nathaniel", '=HYPERLINK("x")', "Padded"]
    assert (reading.kind, reading.newest_utc, reading.notes) == ("grades", "2026-11-22T10:26:40Z", [])


def test_tabs_feedback_and_suspended_people():
    found, reading = claims(opened("grades_feedback.txt"))
    assert [item["display"] for item in found[0]["items"]] == ["real", "feedback"] * 10
    assert {item["name"] for item in found[0]["items"][2:4]} == {"Assignment 1: Artefact and essay (30%)"}
    assert [claim["inactive"] for claim in found if claim["noun"] == "person"] == [True, False]
    assert "status" not in found[1]
    assert found[4]["cells"][2:12] == [
        "89.9", None, None, None, "73.5", None, None, None, "49.8", "Good work, see comments & rubric.",
    ]  # fmt: skip
    assert len(reading.notes) == 1
    assert reading.notes[0].startswith("1 people are marked as suspended")


def test_several_ways_of_showing_a_grade():
    found, _ = items(
        "Quiz: Test (Real)", "Quiz: Test (Percentage)", "Quiz: Test (Letter)", "Quiz: Test (Feedback)",
        "Course total (Real)", "Course total (Percentage)", "Course total (Letter)",
        "Course total (Feedback)",
        cells=("7.50", "75.00 %", "B+", "7,5 is good", "70.00", "70.00 %", "C", ""),
    )  # fmt: skip
    assert [item["display"] for item in found[0]["items"]] == ["real", "percentage", "letter", "feedback"] * 2
    assert found[2]["cells"] == ["7.5", "75", "B+", "7,5 is good", "70", "70", "C", None]


def test_what_an_item_is_of():
    found, _ = items(
        "Forum: Introduce yourself whole forum (Real)",
        "Forum: Rating grade for Introduce yourself (Real)",
        "External tool: Zoom: week (1) (Real)",
        "Participation (Real)",
        "Wiki total (Real)",
        "Attendance: Roll call (Real)",
        "Quiz: Test (Real)",
        "Quiz: Test (Real)",
        "Course total (Real)",
    )
    assert [(item["name"], item["activity"]) for item in found[0]["items"]] == [
        ("Introduce yourself whole forum", {"name": "Introduce yourself", "kind": "forum"}),
        ("Rating grade for Introduce yourself", {"name": "Introduce yourself", "kind": "forum"}),
        ("Zoom: week (1)", {"name": "Zoom: week (1)", "kind": "lti"}),
        ("Participation", None),
        ("Wiki total", None),
        ("Attendance: Roll call", {"name": "Roll call"}),
        ("Test", {"name": "Test", "kind": "quiz"}),
        ("Test (2)", {"name": "Test", "kind": "quiz"}),
        ("Course total", None),
    ]


def test_a_profile_field_that_ends_in_brackets():
    sheet = made(
        ["First name", "Last name", "Phone (home)", "Quiz: Test (Real)", "Course total (Real)", EXPORTED],
        ["A", "B", "42", "7.00", "7.00", "1795343200"],
    )
    found, _ = claims(sheet)
    assert [item["name"] for item in found[0]["items"]] == ["Test", "Course total"]
    assert found[1]["details"] == {"Phone (home)": "42"}


def test_another_language():
    sheet = made(
        [
            *("Vorname", "Nachname", "ID-Nummer", "Institution", "Abteilung", "E-Mail-Adresse"),
            "Aufgabe: Essay: Teil 1 (Punkte)", "Gegenseitige Beurteilung: Werkstatt (Einreichung) (Punkte)",
            "Kurs gesamt (Punkte)", "Zuletzt geladen",
        ],
        ["Zoë", "Müller", "007", "", "", "zoe@x.example", "7.50", "-", "7.50", "1795343200"],
    )  # fmt: skip
    assert grades.recognise(sheet)
    found, _ = claims(sheet)
    assert found[0]["items"] == [
        {"name": "Aufgabe: Essay: Teil 1", "activity": {"name": "Essay: Teil 1"}, "display": "real"},
        {
            "name": "Werkstatt (Einreichung)",
            "activity": {"name": "Werkstatt", "kind": "workshop"},
            "display": "real",
        },
        {"name": "Kurs gesamt", "activity": None, "display": "real"},
    ]
    assert found[1]["person"] == {
        "idnumber": "007",
        "email": "zoe@x.example",
        "firstname": "Zoë",
        "lastname": "Müller",
    }


def test_a_language_not_known_here():
    """How grades are shown is then told by the grades."""
    sheet = made(
        ["J1", "J2", "Barua", "Jaribio: A (X)", "Jaribio: A (Y)", "Jaribio: A (Z)", "Jumla (X)", "Jumla (Y)",
         "Jumla (Z)", "Wakati"],
        ["Zoë", "Müller", "zoe@x.example", "7.50", "75.00 %", "", "7.50", "75.00 %", "", "1795343200"],
        ["Sam", "Lee", "sam@x.example", "-", "-", "Good", "-", "-", "", "1795343200"],
    )  # fmt: skip
    found, _ = claims(sheet)
    assert [item["display"] for item in found[0]["items"]][:3] == ["real", "percentage", "feedback"]
    assert found[2]["cells"][:3] == ["7.5", "75", None]
    assert found[1]["person"] == {"email": "zoe@x.example", "firstname": "Zoë", "lastname": "Müller"}


def test_words_of_a_scale_stay():
    found, _ = items("Quiz: Test (Real)", "Course total (Real)", cells=("Mostly connected", "12.00"))
    assert found[2]["cells"] == ["Mostly connected", "12"]


class TestResaved:
    def test_decimal_commas_and_lost_zeros(self):
        header = [*PEOPLE, "Quiz: Test (Real)", "Course total (Real)", EXPORTED]
        found, reading = claims(
            made(header, ["A", "B", "1012493", "a@x.example", "7,5", "70", "1795343200"], resaved=True)
        )
        assert found[2]["cells"] == ["7.5", "70"]
        assert found[1]["person"] == {"email": "a@x.example", "firstname": "A", "lastname": "B"}
        assert reading.notes == [
            NO_ZEROS,
            "a spreadsheet program has written the grades with decimal commas: 7,5 was read as 7.5",
        ]

    def test_grades_turned_into_dates_are_refused(self):
        header = [*PEOPLE, "Quiz: Test (Real)", "Course total (Real)", EXPORTED]
        people = ["A", "B", "s1", "a@x.example"]
        sheet = made(
            header,
            [*people, "7,55", "70,1", "1795343200"],
            [*people, "12. Okt", "70,1", "1795343200"],
            [*people, "8,25", "70,1", "1795343200"],
            resaved=True,
        )
        with pytest.raises(Unreadable, match=r"a grade of “Test” into the date “12\. Okt”") as error:
            claims(sheet)
        assert error.value.line == 3
