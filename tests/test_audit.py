"""The record of look-ups: who, whom, when."""

from __future__ import annotations

import sqlite3

import pytest

from loaders import serving
from tests import made_up
from tests.visit import get, instance


@pytest.fixture
def datasette(tmp_path):
    return instance(made_up.small(tmp_path / "moodle.db"))


@pytest.fixture
def private(datasette, tmp_path):
    return tmp_path / "private"


def look_ups(private) -> list[tuple]:
    with sqlite3.connect(private / "audit.db") as db:
        columns = "actor, what, form, course, student, person, about"
        return db.execute(f"select {columns} from look_ups order by id").fetchall()


async def test_every_look_up_of_a_student_is_recorded(datasette, private):
    for path in (
        "/-/student?course=2&user=5",
        "/-/student.json?course=2&person=1",
        "/-/student.csv?course=2&student=5",
        "/moodle/student_profile?course=2&student=18",
        "/moodle/student_profile.json",
        "/-/access.json?course=2&activity=10",
        "/-/people.json?course=2",
        "/moodle/people/4",
    ):
        assert (await get(datasette, path)).status_code == 200
    assert look_ups(private) == [
        ("teacher", "student", None, "2", "5", None, None),
        ("teacher", "student", "json", "2", None, "1", None),
        ("teacher", "student", "csv", "2", "5", None, None),
        ("teacher", "student_profile", None, "2", "18", None, None),
        ("teacher", "student_profile", "json", None, None, None, None),
        ("teacher", "access", "json", "2", None, None, "10"),
        ("teacher", "people", "json", "2", None, None, None),
        ("teacher", "people", None, None, None, "4", None),
    ]


@pytest.mark.parametrize(
    ("path", "what", "form", "about"),
    [
        ("/moodle/people", "table people", None, None),
        ("/moodle/people.csv?_stream=on", "table people", "csv", None),
        ("/moodle/~70eople.json?_where=1=1", "table people", "json", None),
        ("/moodle/people_fts.json", "table people_fts", "json", None),
        ("/moodle/enrolments.json", "table enrolments", "json", None),
        ("/moodle/events?_facet=person_id", "table events", None, None),
        ("/moodle/events/1.json", "table events", "json", "1"),
        ("/moodle/completions.csv", "table completions", "csv", None),
        ("/moodle/grades.json", "table grades", "json", None),
        ("/moodle/forum_posts", "table forum_posts", None, None),
        ("/moodle?sql=select+1", "SQL", None, None),
        ("/moodle.json?sql=select+fullname+from+people", "SQL", "json", None),
        ("/moodle.csv?sql=select+1", "SQL", "csv", None),
    ],
)
async def test_tables_of_students_and_sql_are_one_line_each(datasette, private, path, what, form, about):
    assert (await get(datasette, path)).status_code == 200
    assert look_ups(private) == [("teacher", what, form, None, None, None, about)]


async def test_a_row_of_people_is_the_person_however_it_is_written(datasette, private):
    assert (await get(datasette, "/moodle/~70eople/4.json")).status_code == 200
    assert look_ups(private) == [("teacher", "people", "json", None, None, "4", None)]


async def test_other_tables_are_nobodys_business(datasette, private):
    for path in ("/", "/moodle", "/moodle.json", "/moodle/activities", "/moodle/weeks.csv", "/-/coursette.css"):
        assert (await get(datasette, path)).status_code == 200
    assert not (private / "audit.db").exists()


async def test_what_was_not_shown_is_not_recorded(datasette, private):
    await get(datasette, "/-/student?course=2&user=12345")
    await get(datasette, "/-/student?course=2&user=5", None)
    await get(datasette, "/-/usage.json?course=2")
    assert not (private / "audit.db").exists()


async def test_the_record_is_not_served(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    datasette = instance(path)
    await get(datasette, "/-/student?course=2&user=5")
    assert (await get(datasette, "/audit")).status_code == 404
    assert sorted(datasette.databases) == ["_internal", "moodle"]
    assert serving.find_databases([tmp_path]) == [path.resolve()]
