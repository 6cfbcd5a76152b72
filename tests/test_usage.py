"""Use of activities and parts, and who opened them: on the small made-up course, and against plain SQL over events."""

from __future__ import annotations

import json
import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders import access, answers, bits, rollups, schema, student, usage
from tests import made_up
from tests.plainly import plainly


@pytest.fixture(scope="module")
def db(tmp_path_factory) -> sqlite3.Connection:
    return sqlite3.connect(made_up.small(tmp_path_factory.mktemp("small") / "moodle.db"))


@pytest.fixture
def course(db) -> dict:
    return answers.course(db, "2")


def used(db, course, **narrowed) -> dict:
    return usage.usage(db, course, usage.Filters(**narrowed))


def numbers(found: dict, cmid: str) -> tuple:
    return tuple(found["activities"][cmid][key] for key in ("clicks", "students", "completed"))


def test_usage_of_every_activity_and_part(db, course):
    found = used(db, course)
    assert found["activities"]["10"] == {
        "name": "News & <i>chat</i>", "kind": "forum", "clicks": 4, "students": 3, "completed": 2,
    }  # fmt: skip
    assert numbers(found, "12") == (0, 0, 0)
    assert numbers(found, "14") == (None, None, None)
    nobody = {"clicks": 0, "students": 0}
    assert found["parts"] == {"chapter:7": {"clicks": 1, "students": 1}, "chapter:8": nobody, "discussion:1": nobody}
    assert (found["students"], found["truncated"]) == (6, False)
    assert found["instances"]["forum:101"] == 10


def test_a_break_without_a_number_is_a_week_to_filter_by(tmp_path):
    db = sqlite3.connect(made_up.small(tmp_path / "moodle.db"))
    course = answers.course(db, "2")
    db.execute("update events set week = 1.5 where week = 2")
    db.execute("update weeks set week = 1.5, is_break = 1, name = 'Easter break' where week = 2")
    rollups.build(db, course["id"])
    assert numbers(used(db, course, from_week=1.5, to_week=1.5), "10") == (0, 0, 2)
    assert numbers(used(db, course, from_week=1, to_week=1.5), "11")[1] == 3
    found = used(db, course)["weeks"]
    assert [row["words"] for row in found] == [
        "1 · Week 1 · 29 Feb 16",
        "Easter break · 7 Mar 16",
        "3 · Week 3 · 14 Mar 16",
    ]
    assert json.dumps([row["week"] for row in found]) == "[1, 1.5, 3]", "whole numbers stay whole"


def test_usage_of_groups_weeks_and_one_student(db, course):
    assert used(db, course, groups=["7", "Toowoomba"])["students"] == 3
    both = used(db, course, groups=["7", "Toowoomba"], together="all")
    assert (both["students"], numbers(both, "11")) == (1, (1, 1, 1))
    week = used(db, course, from_week=2, to_week=2)
    assert numbers(week, "10") == (0, 0, 2), "weeks do not filter completed"
    one = used(db, course, student="5")
    assert (one["students"], numbers(one, "10")[0], one["parts"]["chapter:7"]["clicks"]) == (1, 2, 1)
    assert used(db, course, person=str(made_up.NEW))["students"] == 1, "whose Moodle id nobody knows"
    assert used(db, course, student="3")["students"] == 0, "a teacher is no student"
    assert used(db, course, groups=["nobody's"])["students"] == 0


@pytest.mark.parametrize(
    ("weeks", "clicks"),
    [((None, 1), 4), ((-3, 0), 0), ((2, 1), 0), ((10**30, None), 0), ((-(10**30), 10**30), 4), ((None, -(10**9)), 0)],
)
def test_weeks_may_be_any_number(db, course, weeks, clicks):
    narrowed = dict(zip(("from_week", "to_week"), weeks, strict=True))
    assert numbers(used(db, course, **narrowed), "10")[0] == clicks
    found = access.access(db, course, usage.Filters(**narrowed), activity="10")
    assert sum(row["clicks"] for row in found["accessed"]) == clicks


def test_usage_says_what_can_be_chosen_and_who_is_no_student(db, course):
    found = used(db, course, groups=["7"], from_week=1)
    assert found["course"] == {
        "moodle_id": 2, "shortname": "EDC3100", "fullname": 'ICT & Pedagogy "2016"', "timezone": "Australia/Brisbane",
    }  # fmt: skip
    assert found["groups"] == [
        {"id": None, "name": 'A "quoted" & <i>group</i>', "students": 1},
        {"id": 7, "name": "Online", "students": 2},
        {"id": 8, "name": "Toowoomba", "students": 2},
    ]
    assert found["weeks"][0] == {
        "week": 1,
        "name": "Week 1",
        "starts_on": "2016-02-29",
        "is_break": False,
        "words": "1 · Week 1 · 29 Feb 16",
    }
    assert [row["week"] for row in found["weeks"]] == [1, 2, 3], "the log ends in week 3"
    assert (found["staff"], found["unknown_ids"]) == ([3], 1)


def test_without_a_log_nothing_is_known_of_clicks(db):
    old = answers.course(db, "3")
    found = used(db, old)
    assert (found["students"], found["weeks"], found["activities"], found["data_up_to"]) == (1, [], {}, None)


def test_who_has_and_who_has_not_opened(db, course):
    found = access.access(db, course, usage.Filters(), activity="11")
    assert [row["email"][:4] for row in found["accessed"]] == ["sam1", "sam2", "zoe@"]
    assert [row["id"] for row in found["not_accessed"]] == [21, None, 20]
    assert found["accessed"][2] == {
        "person": 1, "id": 5, "fullname": "Zoë Müller", "firstname": "Zoë", "email": "zoe@student.example.edu",
        "groups": ["Online"], "clicks": 1, "first_utc": "2016-03-08T10:00:00Z", "last_utc": "2016-03-08T10:00:00Z",
        "last_seen_utc": "2016-03-15T11:00:00Z", "last_ever_utc": "2016-03-08T10:00:00Z", "state": "complete-fail",
        "before_due": "2 days before due",
    }  # fmt: skip
    early = access.access(db, course, usage.Filters(to_week=1), activity="11")["not_accessed"]
    assert [row["last_ever_utc"] for row in early if row["id"] == 5] == ["2016-03-08T10:00:00Z"], "in week 2"
    assert found["activity"] == {"cmid": 11, "name": "Quiz 1", "kind": "quiz"}
    assert (found["part"], found["logged"], found["students"]) == (None, True, 6)
    assert found["course"]["shortname"] == "EDC3100"


def test_last_seen_is_the_newest_that_any_file_says(tmp_path):
    db = sqlite3.connect(made_up.small(tmp_path / "moodle.db"))
    db.execute("update enrolments set last_access_utc = '2016-03-05T00:00:00Z' where role = 'student'")
    found = access.access(db, answers.course(db, "2"), usage.Filters(), activity="11")
    seen = {row["person"]: row["last_seen_utc"] for row in [*found["accessed"], *found["not_accessed"]]}
    assert seen[made_up.ZOE] == "2016-03-15T11:00:00Z" and seen[made_up.AWAY] == "2016-03-05T00:00:00Z"


def test_what_moodle_does_not_log_is_not_said_to_be_unopened(db, course):
    found = access.access(db, course, usage.Filters(), activity="14")
    assert (found["logged"], found["accessed"], found["not_accessed"]) == (False, [], [])


def test_who_has_opened_a_part_in_these_weeks(db, course):
    found = access.access(db, course, usage.Filters(), part="chapter:7")
    assert len(found["accessed"]) == 1
    assert found["part"] == {"kind": "chapter", "moodle_id": 7, "name": "What is <TPACK>?"}
    assert found["activity"]["cmid"] == 13
    assert access.access(db, course, usage.Filters(to_week=2), part="chapter:7")["accessed"] == []
    assert access.access(db, course, usage.Filters(), part="chapter:99") is None
    assert access.access(db, course, usage.Filters(), activity="99") is None


def test_people_to_choose_from_are_students_first(db, course):
    found = access.people(db, course)["people"]
    assert [row["id"] for row in found] == [21, 18, 19, 5, None, 20, 3]
    assert found[1] == {
        "id": 18,
        "person": 2,
        "fullname": "Sam Lee",
        "role": "student",
        "groups": ["Online", "Toowoomba"],
    }


def test_nothing_that_a_page_asks_reads_the_log(db, course):
    read = set()
    db.set_authorizer(lambda action, table, *_: read.add(table) or sqlite3.SQLITE_OK)
    for narrowed in ({}, {"groups": ["7"]}, {"from_week": 1, "student": "5"}):
        used(db, course, **narrowed)
        access.access(db, course, usage.Filters(**narrowed), activity="11")
        access.access(db, course, usage.Filters(**narrowed), part="chapter:7")
    access.people(db, course)
    student.student(db, course, answers.person(db, course, user="3"))
    student.student(db, course, answers.person(db, course, user="5"))
    db.set_authorizer(None)
    assert "usage_activity_week" in read and "usage_person_seen" in read
    assert "events" not in read


# ---- The same as plain SQL ----


@st.composite
def courses(draw) -> dict:
    """Students, their groups, clicks as (student, activity, part or None, week, how often), completions."""
    students = draw(st.sampled_from([1, 7, 8, 9, 64, 65, 130]))
    person = st.integers(1, students + 1)  # the last is a teacher
    often = st.sampled_from([1, 1, 2, 3, 7, 255, 256, 300])
    click = st.tuples(person, st.integers(1, 4), st.none() | st.integers(1, 3), st.integers(-2, 5), often)
    return {
        "students": students,
        "members": draw(st.sets(st.tuples(st.integers(1, 3), person), max_size=40)),
        "clicks": draw(st.lists(click, max_size=25)),
        "done": draw(st.dictionaries(st.tuples(person, st.integers(1, 3)), st.sampled_from(STATES), max_size=20)),
    }


STATES = ["complete", "complete-pass", "complete-fail", "incomplete"]
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "groups": st.lists(st.integers(1, 3), max_size=3, unique=True),
        "together": st.sampled_from(["any", "all"]),
        "from_week": st.integers(-4, 7),
        "to_week": st.integers(-4, 7),
        "student": st.integers(101, 140),
    },
)


def made(db: sqlite3.Connection, given: dict) -> None:
    """Fill the one course of a database; activity and part have the same number, part 3 is in activity 3 and so on."""
    for table in ("enrolments", "group_members", "people", "events", "completions"):
        db.execute(f"delete from {table}")
    everyone = range(1, given["students"] + 2)
    db.executemany("insert into people (id, site_id, moodle_id) values (?, 1, ?)", [(n, 100 + n) for n in everyone])
    roles = [(n, "student" if n <= given["students"] else "teacher") for n in everyone]
    db.executemany("insert into enrolments (course_id, person_id, role) values (1, ?, ?)", roles)
    db.executemany("insert into group_members (group_id, person_id) values (?, ?)", given["members"])
    lines = [
        (person, week, part or activity, part)
        for person, activity, part, week, often in given["clicks"]
        for _ in range(often)
    ]
    db.executemany(
        "insert into events (course_id, load_id, person_id, time_utc, time_local, week, event_type_id, activity_id,"
        " part_id, line_key) values (1, 1, ?, '2016-03-01T00:00:00Z', '2016-03-01T00:00:00', ?, 1, ?, ?, ?)",
        [(*line, key) for key, line in enumerate(lines)],
    )
    done = [(*key, state) for key, state in given["done"].items()]
    db.executemany("insert into completions (person_id, activity_id, state) values (?, ?, ?)", done)
    rollups.build(db, 1)


@pytest.fixture(scope="module")
def empty() -> sqlite3.Connection:
    """One course with four activities (the third not tracked), three parts and three groups; nobody in it."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    for statement in schema.statements():
        db.execute(statement)
    db.execute("insert into sites (id) values (1)")
    db.execute("insert into loads (id, source, loaded_utc) values (1, 'logs.csv', '')")
    db.execute(
        "insert into courses (id, site_id, moodle_id, timezone, timezone_from, data_up_to_utc)"
        " values (1, 1, 2, 'UTC', 'option', '2016-03-01T00:00:00Z')"
    )
    db.execute("insert into event_types (id, crud) values (1, 'r')")
    run = db.executemany
    activities = [(n, n, n != 3) for n in range(1, 5)]
    run("insert into activities (id, cmid, course_id, kind, tracked) values (?, ?, 1, 'book', ?)", activities)
    parts = [(n, n, n) for n in range(1, 4)]
    run("insert into parts (id, activity_id, kind, moodle_id) values (?, ?, 'chapter', ?)", parts)
    run("insert into groups (id, course_id, name) values (?, 1, ?)", [(n, f"Group {n}") for n in range(1, 4)])
    return db


@given(given=courses(), filters=st.lists(FILTERS, min_size=1, max_size=6))
@settings(max_examples=60)
def test_planes_and_plain_sql_say_the_same(empty, given, filters):
    made(empty, given)
    course = answers.course(empty, "2")
    for narrowed in [{}, *filters]:
        asked = {**narrowed, "groups": [f"Group {n}" for n in narrowed.get("groups", [])]}
        asked["student"] = str(narrowed.get("student", ""))
        found = used(empty, course, **asked)
        same = {**found, "activities": {cmid: numbers(found, cmid) for cmid in found["activities"]}}
        expected = plainly(empty, **narrowed)
        assert {key: same[key] for key in expected} == expected


@given(st.dictionaries(st.integers(0, 200), st.integers(1, 10**6), min_size=1), st.sets(st.integers(0, 200)))
def test_planes_count_any_numbers(clicks, inside):
    planes = bits.Planes()
    for position, number in clicks.items():
        planes.step(position, number)
    counted, who = bits.count(planes.finalize(), bits.as_set(inside))
    assert counted == sum(clicks[position] for position in clicks.keys() & inside)
    assert who == bits.as_set(clicks.keys() & inside)
