"""What forms offer: lists from the data of a course, in the order that a teacher expects."""

from __future__ import annotations

import sqlite3

import pytest

from loaders import answers, choices, choosing, question_data
from tests import made_up
from tests.made_up import MARKUP


@pytest.fixture
def db(tmp_path):
    conn = sqlite3.connect(made_up.small(tmp_path / "moodle.db"))
    yield conn
    conn.close()


def offered(db: sqlite3.Connection, *wanted: str) -> dict:
    return choices.of_course(db, answers.course(db, "2"), set(wanted))


def test_activities_stand_by_section_as_on_the_course_page(db):
    found = offered(db, "activity", "due", "book", "forum", "graded")
    assert found["activity"] == [
        ("General", [("10", "News & <i>chat</i>")]),
        ("Week 1: start", [("11", "Quiz 1"), ("12", "Reading nobody opens")]),
        ("Week 2: go on", [("13", "The TPACK book")]),
    ]
    assert found["due"] == [("Week 1: start", [("11", "Quiz 1")])]
    assert found["book"] == [("Week 2: go on", [("13", "The TPACK book")])]
    assert found["forum"] == [("General", [("10", "News & <i>chat</i>")])]
    assert found["graded"] == found["activity"], "no grades here, so any may be meant"
    db.execute("insert into grade_items (course_id, activity_id, name, display) values (1, 2, 'Quiz 1', 'real')")
    assert offered(db, "graded")["graded"] == [("Week 1: start", [("11", "Quiz 1")])]
    db.execute("update activities set name = 'Quiz 1' where cmid = 12")
    assert offered(db, "activity")["activity"][1][1] == [("11", "Quiz 1 (11)"), ("12", "Quiz 1 (12)")]


def test_sections_weeks_fields_and_grades(db):
    items = [(2, "Quiz 1", "real"), (2, "Quiz 1", "percentage"), (None, "Course total", "real"), (1, "Again", "real")]
    statement = "insert into grade_items (course_id, activity_id, name, display) values (1, ?, ?, ?)"
    db.executemany(statement, items)
    db.execute("update weeks set week = 2.5, name = 'Easter', starts_on = '2016-03-10' where week = 4")
    found = offered(db, "section", "week", "field", "grade")
    assert found["section"] == [("", [(0, "General"), (1, "Week 1: start"), (2, "Week 2: go on")])]
    assert found["week"] == [("", [(1, "Week 1"), (2, "Week 2"), (2.5, "Easter"), (3, "Week 3")])]
    assert found["field"] == [("", [("Phone", "Phone"), ("GPA", "GPA")])]
    assert found["grade"] == [("", [(name, name) for name in ("Quiz 1", "Course total", "Again")])]


def test_every_student_is_found_by_what_is_offered(db):
    db.execute("update people set fullname = 'Zoë Müller' where id = 7")  # the teacher is called like a student
    ((_, students),) = offered(db, "student")["student"]
    assert students == [
        ("Al Away", "Al Away"),
        (18, "Sam Lee (18)"),
        (19, "Sam Lee (19)"),
        (5, "Zoë Müller (5)"),
        ("Nia New", "Nia New"),
        (MARKUP, MARKUP),
    ]
    statement = "select people.id, moodle_id, fullname from people join enrolments on person_id = people.id"
    known = db.execute(f"{statement} where course_id = 1").fetchall()
    found = [choosing.choose("student", str(value), known).ids for value, _ in students]
    assert sorted(found) == [[1], [2], [3], [4], [5], [6]]


def test_offerings_of_one_name_are_told_apart(db):
    assert choices.of_courses(db) == (
        [("", [(2, 'ICT & Pedagogy "2016"'), (3, "An older course")])],
        [("", [(made_up.SITE, made_up.SITE)])],
    )
    db.execute("update courses set fullname = 'ICT & Pedagogy'")
    assert choices.of_courses(db)[0] == [("", [(2, "ICT & Pedagogy (EDC3100)"), (3, "ICT & Pedagogy (EDU1000)")])]


def test_a_parameter_is_chosen_from_the_list_of_its_name_or_another():
    assert [choices.list_of(name, {"activity": "due", "group_a": "group"}) for name in
            ("activity", "group_a", "from_week", "to_week", "student")] == [
        "due", "group", "week", "week", "student"]  # fmt: skip


def test_how_fresh_is_said_of_what_a_question_reads(db):
    course = answers.course(db, "2")
    db.execute("update loads set newest_utc = '2016-03-15T00:00:00Z' where kind = 'activity completion'")
    sql = "select * from usage_activity join completions join grades"
    assert question_data.fresh(db, course, sql) == {
        "up_to": [("course log", "2016-03-16T00:00:00Z"), ("completion report", "2016-03-15T00:00:00Z")],
        "missing": ["grades"],
        "timezone": "Australia/Brisbane",
    }
    posts = "select * from forum_posts union all select * from blog_posts"
    assert question_data.fresh(db, course, posts)["missing"] == [], "a course may have only one of them"
    db.execute("delete from forum_posts")
    assert question_data.fresh(db, course, posts)["missing"] == ["forum posts", "students’ blogs"]
    assert question_data.fresh(db, course, "select * from people")["missing"] == []
