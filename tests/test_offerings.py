"""The questions that hold two offerings of a course side by side."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from loaders import rollups
from tests import made_up_grades
from tests.test_post_queries import some
from tests.test_queries import ask, note, opened
from tests.visit import get, instance


@pytest.fixture
def path(tmp_path) -> Path:
    return made_up_grades.older(tmp_path / "moodle.db")


@pytest.fixture
def db(path) -> sqlite3.Connection:
    return opened(path)


async def test_each_has_a_page(path):
    datasette = instance(path)
    for address in ("offerings?course=2&activity=11&other_course=3", "offerings_activities?course=2"):
        page = await get(datasette, f"/moodle/{address}")
        assert page.status_code == 200 and "EDU1000" in page.text and "Answer:" in page.text


@pytest.mark.parametrize("name", ["offerings", "offerings_activities"])
def test_what_there_is_to_compare_with(db, name):
    assert note(ask(db, name, other_course="9")) == "no other course has “9” as Moodle id"
    assert note(ask(db, name, course="2", other_course="2")) == "no other course has “2” as Moodle id"
    db.execute("update courses set data_up_to_utc = null where id = 2")
    assert note(ask(db, name, course="2")) == "no log of “EDU1000” is loaded yet"
    assert note(ask(db, name, course="3")) == "no log of this course is loaded yet"


def test_one_course_alone(db):
    db.execute("pragma foreign_keys = off")
    db.execute("delete from courses where id = 2")
    assert note(ask(db, "offerings")).startswith("only one course is here")


def test_another_moodle_may_have_the_other_offering(db):
    db.execute("insert into sites (id, url) values (2, 'https://old.example.edu')")
    db.execute("update courses set site_id = 2, moodle_id = 2, timezone = 'Europe/Berlin' where id = 2")
    rows = ask(db, "offerings", course="2", site="https://moodle.example.edu", other_course="2")
    assert {row["offering"] for row in rows} == {"EDC3100", "EDU1000"}


def test_two_of_the_same_short_name_are_told_apart(db):
    db.execute("update courses set shortname = 'EDC3100' where id = 2")
    assert {row["offering"] for row in ask(db, "offerings")} == {"EDC3100 (2016-02-29)", "EDC3100 (3)"}


def test_an_activity_week_by_week(db):
    rows = ask(db, "offerings", activity="11")
    columns = ("week", "week_name", "offering", "clicks", "students", "students_pct", "starts_on")
    assert [some(row, *columns) for row in rows] == [
        (1, "Week 1", "EDC3100", 1, 1, 16.7, "2016-02-29"),
        (1, "Week 1", "EDU1000", 2, 1, 50.0, "2015-03-02"),
        (2, "Week 2", "EDC3100", 2, 2, 33.3, "2016-03-07"),
        (2, "Week 2", "EDU1000", 2, 2, 100.0, "2015-03-09"),
        (3, "Week 3", "EDC3100", 0, 0, 0.0, "2016-03-14"),  # the older log ends before
    ]


def test_the_whole_course_week_by_week(db):
    rows = ask(db, "offerings")
    assert [row["clicks"] for row in rows if row["offering"] == "EDU1000"] == [2, 4]
    assert len([row for row in rows if row["offering"] == "EDC3100"]) == 3


def test_an_activity_that_the_other_does_not_have(db):
    db.execute("update activities set name = 'Quiz one' where id = 21")
    assert note(ask(db, "offerings", activity="Quiz 1")) == (
        "no quiz of “An older course” is called “Quiz 1”; near it: “Quiz 0”, “Quiz one”"
    )
    assert note(ask(db, "offerings", activity="13")) == "no book of “An older course” is called “The TPACK book”"
    assert note(ask(db, "offerings", activity="14")) == "Moodle does not log a label: a label is never opened"
    assert note(ask(db, "offerings", activity="Essay")).startswith("no activity is called “Essay”")


def test_a_break_keeps_its_name_and_its_place(db):
    db.execute("update events set week = 1.5 where course_id = 1 and week = 2")
    db.execute("update weeks set week = 1.5, name = 'Easter break', is_break = 1 where course_id = 1 and week = 2")
    rollups.build(db, 1)
    rows = ask(db, "offerings")
    assert [some(row, "week", "week_name", "is_break") for row in rows][2:4] == [
        (1.5, "Easter break", 1),
        (2, "Week 2", None),
    ]


def test_activities_of_both_side_by_side(db):
    db.execute("delete from usage_week where course_id = 1 and week > 2")
    rows = ask(db, "offerings_activities")
    columns = ("activity", "kind", "found_in", "students_pct", "other_students_pct", "difference")
    assert [some(row, *columns) for row in rows] == [
        ("Quiz 1", "quiz", "both", 50.0, 100.0, -50.0),
        ("News & <i>chat</i>", "forum", "only here", 83.3, None, None),
        ("All on one page", "forum", "only here", 0.0, None, None),
        ("Reading nobody opens", "resource", "only here", 0.0, None, None),
        ("The TPACK book", "book", "only here", 16.7, None, None),
        ("Quiz 0", "quiz", "only there", None, 0.0, None),
        ("Notes", "page", "only there", None, 50.0, None),
        ("Notes", "page", "only there", None, 0.0, None),
        ("Quiz 1", "forum", "only there", None, 50.0, None),
    ]
    assert {some(row, "offering", "other_offering", "up_to_week") for row in rows} == {("EDC3100", "EDU1000", 2)}
    assert rows[0]["cmid"] == 11 and rows[-1]["cmid"] is None


def test_the_longer_offering_counts_up_to_where_the_shorter_is(db):
    quiz = ask(db, "offerings_activities", course="3", other_course="2")[0]
    assert some(quiz, "students_pct", "other_students_pct", "up_to_week") == (100.0, 50.0, 2)
    book = [row for row in ask(db, "offerings_activities") if row["activity"] == "The TPACK book"]
    assert book[0]["students_pct"] == 0.0, "opened in week 3"
    db.execute("delete from usage_week where course_id = 2 and week > 1")
    quiz = ask(db, "offerings_activities")[0]
    assert some(quiz, "students_pct", "other_students_pct", "up_to_week") == (16.7, 100.0, 1)


def test_the_second_of_a_name_belongs_to_the_others_second(db):
    db.execute(
        "insert into activities (id, cmid, course_id, kind, name, position) values (30, 61, 1, 'page', 'NOTES', 9)"
    )
    db.execute(
        "insert into activities (id, cmid, course_id, kind, name, position) values (31, 60, 1, 'page', 'Notes', 8)"
    )
    rollups.build(db, 1)
    both = [row for row in ask(db, "offerings_activities") if row["found_in"] == "both" and row["kind"] == "page"]
    assert [some(row, "cmid", "students_pct", "other_students_pct") for row in both] == [
        (60, 0.0, 50.0),
        (61, 0.0, 0.0),
    ]
    weeks = ask(db, "offerings", activity="60")
    assert [row["students"] for row in weeks if row["offering"] == "EDU1000"] == [1]
