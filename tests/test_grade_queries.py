"""The questions about grades: how use in the first weeks goes with them, and what those score who saw a resource."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests import made_up, made_up_grades
from tests.made_up import AWAY, BO, NEW, OTHER_SAM, SAM, ZOE
from tests.test_post_queries import of, people, some
from tests.test_queries import ask, note, opened
from tests.visit import get, instance

GRADE_QUERIES = ["use_and_grade", "use_by_band", "seen_and_score"]


@pytest.fixture
def path(tmp_path) -> Path:
    return made_up_grades.small(tmp_path / "moodle.db")


@pytest.fixture
def db(path) -> sqlite3.Connection:
    return opened(path)


def attempt(db: sqlite3.Connection, person: int, at: str) -> None:
    db.execute(
        "insert into attempts (person_id, activity_id, state, time_utc) values (?, 2, 'finished', ?)", (person, at)
    )


@pytest.mark.parametrize("name", GRADE_QUERIES)
def test_what_is_not_loaded_or_not_there_is_said(db, name):
    assert note(ask(db, name, grade="Essay")) == (
        "no grade is called “Essay”; the grades are Course total, Handwriting, Quiz 1"
    )
    db.execute("delete from grades where grade_item_id = 5")
    assert note(ask(db, name)) == "nobody has a grade in “Course total” yet"
    db.execute("delete from grades")
    assert note(ask(db, name)).startswith("no grades of this course are loaded yet")
    db.execute("update courses set data_up_to_utc = null")
    assert note(ask(db, name, course="2")) == "no log of this course is loaded yet"


async def test_each_has_a_page(path):
    datasette = instance(path)
    for name in GRADE_QUERIES:
        page = await get(datasette, f"/moodle/{name}?course=2&grade=Quiz+1")
        assert page.status_code == 200 and "Answer:" in page.text and "<script>alert" not in page.text


# ---- How does use in the first weeks go with a grade or a detail? ----


def test_use_beside_the_course_total(db):
    rows = ask(db, "use_and_grade")
    columns = ("person", "clicks", "active_days", "activities", "value", "value_number")
    assert [some(row, *columns) for row in rows] == [
        (ZOE, 6, 4, 3, "160", 160),
        (SAM, 3, 2, 2, "120.5", 120.5),
        (OTHER_SAM, 2, 2, 2, "80", 80),
        (BO, 2, 2, 1, "20", 20),
        (AWAY, 0, 0, 0, None, None),
        (NEW, 2, 1, 1, None, None),
    ]
    assert {row["compared_with"] for row in rows} == {"Course total"}
    assert people(ask(db, "use_and_grade", group="Online")) == [ZOE, SAM]


def test_use_in_the_first_week_alone(db):
    zoe = of(ask(db, "use_and_grade", weeks="1", grade="quiz 1"), ZOE)
    assert some(zoe, "clicks", "active_days", "activities", "value", "compared_with") == (4, 2, 1, "80", "Quiz 1")


def test_letters_are_no_numbers_and_stand_in_their_order(db):
    rows = ask(db, "use_and_grade", grade="Handwriting")[:2]
    assert [some(row, "person", "value", "value_number") for row in rows] == [(SAM, "A", None), (ZOE, "B", None)]


def test_use_beside_a_detail(db):
    rows = ask(db, "use_and_grade", field="gpa", grade="Quiz 1")
    assert some(rows[0], "person", "value", "value_number", "compared_with") == (ZOE, "5.5", 5.5, "GPA")
    assert {row["value"] for row in rows[1:]} == {None}
    assert note(ask(db, "use_and_grade", field="Mood")).startswith(
        "no field is called “Mood”; the fields are Phone, GPA"
    )
    db.execute("delete from grades")
    assert len(ask(db, "use_and_grade", field="GPA")) == 6, "needs no grades"
    db.execute("delete from person_details")
    assert note(ask(db, "use_and_grade", field="GPA")).startswith("no file loaded says anything of these students")


def test_a_log_that_begins_later_knows_nothing_of_the_first_weeks(db):
    db.execute("delete from usage_week where week < 3")
    for name in ("use_and_grade", "use_by_band"):
        assert note(ask(db, name, weeks="2")) == "the log begins in week 3: it cannot tell of the first 2 weeks"
        assert "note" not in {key for row in ask(db, name) for key, value in row.items() if value is not None}


def test_few_numbers_are_a_band_each(db):
    rows = ask(db, "use_by_band", grade="Quiz 1")
    columns = ("band", "students", "median_clicks", "lower_quartile", "upper_quartile", "median_activities")
    assert [some(row, *columns) for row in rows] == [
        ("40", 1, 2, 2, 2, 2),
        ("60", 1, 3, 3, 3, 2),
        ("80", 1, 6, 6, 6, 3),
        ("none known", 3, 2, 1, 2, 1),
    ]
    assert {row["remark"] for row in rows} == {"under 5 students: says nothing about others"}


def test_many_numbers_are_quarters_and_equal_ones_stay_together(tmp_path):
    db = opened(made_up.large(tmp_path / "moodle.db", students=40, activities=3, events=400))
    db.execute("insert into grade_items (id, course_id, name, display) values (1, 1, 'Final', 'percentage')")
    db.executemany(
        "insert into grades (grade_item_id, person_id, grade) values (1, ?, ?)",
        [(n, 50 if n <= 12 else 50 + n) for n in range(1, 37)],
    )
    rows = ask(db, "use_by_band")
    assert [some(row, "compared_with", "band", "students", "remark") for row in rows] == [
        ("Final", "lowest quarter: 50 to 50", 12, None),
        ("Final", "second quarter: 63 to 68", 6, None),
        ("Final", "third quarter: 69 to 77", 9, None),
        ("Final", "highest quarter: 78 to 86", 9, None),
        ("Final", "none known", 4, "under 5 students: says nothing about others"),
    ]


def test_words_are_bands_whatever_their_case_and_too_many_are_refused(db):
    said = "insert into person_details (person_id, field, value) values (?, ?, ?)"
    db.executemany(said, [(ZOE, "Mode", "Online"), (SAM, "Mode", "online"), (BO, "Mode", "Campus")])
    rows = ask(db, "use_by_band", field="Mode")
    assert [some(row, "band", "students") for row in rows] == [("Campus", 1), ("Online", 2), ("none known", 3)]
    db.executemany(
        "insert into people (id, site_id, fullname) values (?, 1, 'One more')", [(n,) for n in range(100, 141)]
    )
    db.executemany(
        "insert into enrolments (course_id, person_id, role) values (1, ?, 'student')", [(n,) for n in range(100, 141)]
    )
    db.executemany(said, [(n, "Motto", f"Motto {n}") for n in range(100, 141)])
    assert note(ask(db, "use_by_band", field="Motto")) == "“Motto” has 42 different values: too many to compare"


# ---- Do students who saw a resource score differently? ----


def test_seen_and_score(db):
    rows = ask(db, "seen_and_score", activity="10", grade="Course total")
    columns = ("seen", "students", "graded", "mean", "median", "lower_quartile", "upper_quartile", "difference")
    assert [some(row, *columns) for row in rows] == [
        ("opened it", 5, 4, 95.1, 100.3, 65.0, 130.4, None),
        ("did not open it", 1, 0, None, None, None, None, None),
    ]
    assert {some(row, "activity", "grade", "cmid") for row in rows} == {("News & <i>chat</i>", "Course total", 10)}
    assert rows[0]["remark"] == (
        "under 5 grades: says nothing about others;"
        " before or after the grade: when that was handed in or due is not known"
    )


def test_opened_after_it_was_due_or_handed_in_is_a_row_of_its_own(db):
    def seen() -> list[tuple]:
        rows = ask(db, "seen_and_score", activity="10", grade="Quiz 1")
        return [some(row, "seen", "students", "graded", "median", "difference") for row in rows]

    db.execute("update activities set due_utc = '2016-03-01T12:00:00Z' where id = 2")
    assert seen() == [
        ("opened it before", 2, 2, 70, None),  # Zoë, and the first Sam on that morning
        ("opened it after", 3, 1, 40, None),
        ("did not open it", 1, 0, None, None),
    ]
    attempt(db, ZOE, "2016-02-28T00:00:00Z")
    attempt(db, OTHER_SAM, "2016-03-10T00:00:00Z")
    assert seen()[0][1:4] == (2, 2, 50), "the second Sam handed in late, and had opened it by then"
    db.execute("insert into grades (grade_item_id, person_id, grade) values (1, ?, 45)", (AWAY,))
    assert [row[4] for row in seen()] == [5, 35, None]


def test_the_resource_is_the_one_that_divides_the_class_most_evenly(db):
    assert {row["activity"] for row in ask(db, "seen_and_score")} != {"Quiz 1"}, "graded itself"
    db.execute("delete from usage_activity where activity_id = 4")
    db.execute("update usage_activity set students = 3 where activity_id = 3")
    rows = ask(db, "seen_and_score", group="Online")
    assert [some(row, "activity", "seen", "students") for row in rows] == [
        ("Reading nobody opens", "did not open it", 2),
    ]


def test_what_cannot_be_compared(db):
    assert note(ask(db, "seen_and_score", activity="14")) == "Moodle does not log a label: a label is never opened"
    assert note(ask(db, "seen_and_score", grade="Handwriting")) == (
        "no grade in “Handwriting” is a number, so that there is no median"
    )
