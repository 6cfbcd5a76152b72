"""What the pages and the JSON ask of the database, on the small made-up course."""

from __future__ import annotations

import sqlite3
import time

import pytest

from loaders import answers, schema, usage
from loaders import student as student_page
from tests import made_up


@pytest.fixture(scope="module")
def db(tmp_path_factory) -> sqlite3.Connection:
    return sqlite3.connect(made_up.small(tmp_path_factory.mktemp("small") / "moodle.db"))


@pytest.fixture
def course(db) -> dict:
    return answers.course(db, "2")


def student(db, course, **who) -> dict:
    return student_page.student(db, course, answers.person(db, course, **who))


def test_the_course_asked_for_or_the_one_with_the_newest_data(db):
    assert answers.course(db, "3")["fullname"] == "An older course"
    assert answers.course(db)["moodle_id"] == 2
    assert answers.course(db, "2", made_up.SITE + "/")["site"] == made_up.SITE
    assert answers.course(db, "2", "https://elsewhere.example.org") is None
    assert answers.course(db, "44") is None


def test_a_course_whose_site_is_unknown_answers_to_any(tmp_path):
    db = sqlite3.connect(made_up.small(tmp_path / "moodle.db"))
    db.execute("update sites set url = null")
    assert answers.course(db, "2", "https://elsewhere.example.org")["moodle_id"] == 2


def test_courses_say_what_is_not_loaded_yet(db):
    first, second = answers.courses(db)
    assert (first["students"], first["staff"], first["activities"], first["groups"]) == (6, 1, 5, 3)
    assert first["missing"] == ["grades"]
    assert "the course log" in second["missing"] and "who is a student" not in second["missing"]
    assert answers.courses(sqlite3.connect(":memory:", factory=_Empty)) == []


class _Empty(sqlite3.Connection):
    """A database with the tables and nothing in them."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.executescript((schema.HERE / "schema.sql").read_text(encoding="utf-8"))


def test_a_person_by_moodles_id_or_by_our_key(db, course):
    zoe = answers.person(db, course, user="5")
    assert (zoe["person"], zoe["fullname"], zoe["groups"], zoe["role"]) == (
        1,
        "Zoë Müller",
        ["Online"],
        "student",
    )
    assert zoe["last_access_utc"] == "2016-03-15T11:00:00Z", "posting counts, not only reading"
    assert answers.person(db, course, person="5")["fullname"] == "Nia New"


def test_nobody_is_found_by_an_unknown_id_or_in_another_course(db, course):
    assert answers.person(db, course, user="12345") is None
    assert answers.person(db, course) is None
    assert answers.person(db, course, user="99") is None, "Olaf is in another course"
    assert answers.person(db, answers.course(db, "3"), user="99")["fullname"] == "Olaf Other"


def test_completion_by_section(db, course):
    sections = student(db, course, user="5")["completion"]
    assert [(s["section"], s["week"], s["done"], s["tracked"]) for s in sections] == [
        ("General", None, 1, 1),
        ("Week 1: start", 1, 0, 2),
        ("Week 2: go on", 2, None, 0),
    ]
    forum = sections[0]["activities"][0]
    assert (forum["cmid"], forum["state"], forum["completed_utc"]) == (10, "complete", "2016-03-01T10:00:00Z")
    assert (forum["class_pct"], forum["clicks"]) == (33.3, 2)


def test_completion_tells_apart_why_there_is_no_state(db, course):
    nia = [row for s in student(db, course, person="5")["completion"] for row in s["activities"]]
    assert [(row["name"], row["why"]) for row in nia if row["kind"] in ("quiz", "book", "label")] == [
        ("Quiz 1", "not loaded"),
        ("The TPACK book", "not tracked"),
        ("A heading", "not tracked"),
    ]
    assert student(db, course, person="5")["progress"] == {"done": None, "tracked": 3, "done_pct": None}


def test_clicks_of_labels_are_not_known_and_of_unopened_activities_are_0(db, course):
    rows = [row for s in student(db, course, user="5")["completion"] for row in s["activities"]]
    assert {row["kind"]: row["clicks"] for row in rows} == {
        "forum": 2, "quiz": 1, "resource": 0, "book": 1, "label": None,
    }  # fmt: skip


def test_usage_by_week_beside_the_class_median(db, course):
    found = student(db, course, user="5")["usage"]
    assert (found["clicks"], found["rank"], found["students"]) == (5, 1, 6)
    assert [(w["week"], w["clicks"], w["class_median"]) for w in found["weeks"]] == [
        (1, 3, 1),
        (2, 1, 0),
        (3, 1, 0),
    ]


def test_staff_have_no_clicks(db, course):
    assert student(db, course, user="3")["usage"] == {
        "clicks": None,
        "rank": None,
        "students": 6,
        "weeks": [],
    }


def test_details_posts_and_what_is_loaded(db, course):
    zoe = student(db, course, user="5")
    assert zoe["details"] == {"Phone": "<i>07</i> 1234", "GPA": "5.5"}
    assert [(p["source"], p["title"], p["place"]) for p in zoe["posts"]] == [
        ("forum", "Hello <script>alert(2)</script>", "News & <i>chat</i>")
    ]
    assert zoe["loaded"] == {
        "log": 1,
        "completion": 1,
        "own_completion": 1,
        "forum_posts": 1,
        "blog_posts": 0,
        "own_blog": 0,
        "due_dates": 0,
    }
    assert zoe["data_up_to"] == "2016-03-16T00:00:00Z"


def test_the_page_of_a_student_takes_milliseconds(tmp_path):
    db = sqlite3.connect(made_up.large(tmp_path / "moodle.db"))
    course = answers.course(db, "2")
    start = time.thread_time()
    student(db, course, user="105")
    usage.usage(db, course, usage.Filters())
    assert time.thread_time() - start < 0.1
