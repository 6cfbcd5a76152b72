"""Every canned query of metadata.yml: what it answers, how fast, and that it never scans the events."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest
import yaml

from loaders import schema
from tests import made_up

METADATA = yaml.safe_load((Path(__file__).parents[1] / "metadata.yml").read_text(encoding="utf-8"))
QUERIES = METADATA["databases"]["moodle"]["queries"]
FILLED = {
    "course": "2",
    "site": made_up.SITE + "/",
    "student": "105",
    "person": "5",
    "activity": "7",
    "group": '["Group 1", 72]',
    "from_week": "2",
    "to_week": "9",
    "days": "3",
    "pct": "70",
}


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> sqlite3.Connection:
    return sqlite3.connect(made_up.small(tmp_path_factory.mktemp("small") / "moodle.db"))


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> sqlite3.Connection:
    return sqlite3.connect(made_up.large(tmp_path_factory.mktemp("large") / "moodle.db"))


def ask(db: sqlite3.Connection, name: str, **given: str) -> list[dict]:
    """The rows as Datasette would get them: every parameter as text, those left out empty."""
    parameters = {**dict.fromkeys(QUERIES[name]["params"], ""), **given}
    cursor = db.execute(QUERIES[name]["sql"], parameters)
    return [dict(zip([column[0] for column in cursor.description], row, strict=True)) for row in cursor]


def names(rows: list[dict]) -> list[str]:
    return [row["email"].partition("@")[0] for row in rows]


@pytest.mark.parametrize("name", QUERIES)
@pytest.mark.parametrize("filled", [False, True])
def test_is_quick_and_never_scans_the_events(large, name, filled):
    given = {key: value for key, value in FILLED.items() if filled and key in QUERIES[name]["params"]}
    plan = large.execute(
        "explain query plan " + QUERIES[name]["sql"], {**dict.fromkeys(QUERIES[name]["params"], ""), **given}
    ).fetchall()
    assert [row[3] for row in plan if row[3].startswith("SCAN events")] == []
    times = []
    for _ in range(3):
        start = time.thread_time()  # of the processor, whatever else it does
        ask(large, name, **given)
        times.append(time.thread_time() - start)
    assert min(times) < 0.050


@pytest.mark.parametrize("name", QUERIES)
def test_says_what_it_is_and_nothing_is_cut_off(large, name):
    query = QUERIES[name]
    assert query["title"].endswith("?")
    assert len(query["description"].split()) > 30
    assert query["params"][0] == "course" and query["params"][-1] == "site"
    assert set(query["params"]) <= set(FILLED)
    for parameter in set(query["params"]) - {"course", "site"}:
        assert parameter in query["sql"]
    assert len(ask(large, name)) <= 1000


@pytest.mark.parametrize("name", QUERIES)
def test_an_empty_database_gives_no_rows_and_no_error(tmp_path, name):
    db = schema.open_database(tmp_path / "empty.db").conn
    assert ask(db, name) == []


@pytest.mark.parametrize("name", QUERIES)
def test_another_site_or_course_gives_no_rows(small, name):
    assert ask(small, name, course="77") == []
    assert ask(small, name, course="2", site="https://elsewhere.example.org") == []


def test_student_profile_is_one_row_with_the_contract_columns(small):
    (row,) = ask(small, "student_profile", course="2", student="5")
    assert list(row)[:11] == [
        "person", "moodle_id", "fullname", "email", "groups", "role", "last_access_utc", "clicks",
        "completed", "tracked", "done_pct",
    ]  # fmt: skip
    assert row["person"] == made_up.ZOE and row["fullname"] == "Zoë Müller" and row["groups"] == "Online"
    assert (row["clicks"], row["completed"], row["tracked"], row["done_pct"]) == (5, 1, 3, 33.3)
    assert row["last_access_utc"] == "2016-03-15T10:00:00Z"


def test_student_profile_of_someone_without_a_moodle_id(small):
    (row,) = ask(small, "student_profile", course="2", person=str(made_up.NEW))
    assert row["email"] == "nia@student.example.edu" and row["moodle_id"] is None
    assert row["completed"] is None, "no completion report has a line for her, which is not 0"


def test_student_profile_of_staff_has_no_clicks(small):
    (row,) = ask(small, "student_profile", course="2", student="3")
    assert row["role"] == "editingteacher" and row["clicks"] is None


def test_student_profile_of_nobody_and_of_everybody(small):
    assert ask(small, "student_profile", course="2", student="12345") == []
    assert names(ask(small, "student_profile")) == ["al", "sam1", "sam2", "zoe", "nia", "bo"]


def test_resource_usage_has_the_contract_columns(small):
    rows = ask(small, "resource_usage", course="2")
    assert list(rows[0]) == [
        "cmid", "name", "kind", "section", "clicks", "students", "students_pct", "clicks_per_student",
        "completed", "last_used_utc",
    ]  # fmt: skip
    assert [tuple(row.values()) for row in rows] == [
        (10, "News & <i>chat</i>", "forum", "General", 4, 3, 50.0, 1.3, 2, "2016-03-01T13:00:00Z"),
        (11, "Quiz 1", "quiz", "Week 1: start", 3, 3, 50.0, 1.0, 1, "2016-03-08T22:00:00Z"),
        (12, "Reading nobody opens", "resource", "Week 1: start", 0, 0, 0.0, None, 0, None),
        (13, "The TPACK book", "book", "Week 2: go on", 1, 1, 16.7, 1.0, None, "2016-03-15T10:00:00Z"),
        (14, "A heading", "label", "Week 2: go on", None, None, None, None, None, None),
    ]


@pytest.mark.parametrize("group", ["7", "Online", '["Online"]', "[7]", '["7"]'])
def test_a_group_is_moodles_id_the_exact_name_or_a_list(small, group):
    forum = ask(small, "resource_usage", course="2", group=group)[0]
    assert (forum["clicks"], forum["students"], forum["students_pct"], forum["completed"]) == (3, 2, 100.0, 2)


def test_several_groups_are_a_union(small):
    forum = ask(small, "resource_usage", group='["Online", 8]')[0]
    assert (forum["students"], forum["students_pct"]) == (3, 100.0)
    quoted = ask(small, "resource_usage", group='A "quoted" & <i>group</i>')
    assert [row["students"] for row in quoted] == [0, 1, 0, 0, None]


def test_an_unknown_group_has_no_students_at_all(small):
    rows = ask(small, "resource_usage", group="Offline")
    assert {row["students_pct"] for row in rows} == {None}


def test_weeks_filter_clicks_but_not_completed(small):
    forum, quiz, *_ = ask(small, "resource_usage", from_week="2", to_week="2")
    assert (forum["clicks"], forum["completed"]) == (0, 2)
    assert (quiz["clicks"], quiz["students"], quiz["last_used_utc"]) == (2, 2, "2016-03-08T22:00:00Z")


def test_never_opened(small):
    assert names(ask(small, "never_opened", activity="11")) == ["al", "nia", "bo"]
    assert names(ask(small, "never_opened", activity="Quiz 1", group="8")) == ["bo"]
    assert {row["activity"] for row in ask(small, "never_opened")} == {"News & <i>chat</i>"}
    assert ask(small, "never_opened", activity="999") == []


def test_opened_not_completed(small):
    rows = ask(small, "opened_not_completed", activity="11")
    assert [(row["person"], row["state"]) for row in rows] == [(3, "incomplete"), (1, "complete-fail")]
    assert {row["activity"] for row in ask(small, "opened_not_completed")} == {"Quiz 1"}
    assert ask(small, "opened_not_completed", activity="13") == [], "not tracked"


def test_away_counts_from_the_newest_line_and_tells_the_last_deed(small):
    rows = ask(small, "away", days="10")
    assert names(rows) == ["al", "bo", "sam1", "nia"]
    assert rows[0]["last_seen_utc"] is None and rows[0]["status"] == "suspended"
    assert (rows[2]["last_did"], rows[2]["last_activity"], rows[2]["days_away"]) == (
        "Course module viewed",
        "Quiz 1",
        14,
    )
    assert names(ask(small, "away")) == ["al", "bo", "sam1", "nia"], "14 days if left out"
    assert len(ask(small, "away", days="0")) == 6


def test_never_entered_and_behind(small):
    assert names(ask(small, "never_entered")) == ["al"]
    assert names(ask(small, "behind")) == ["sam2", "bo", "zoe"]
    assert names(ask(small, "behind", pct="10")) == ["sam2", "bo"]


def test_weeks_end_where_the_log_ends(small):
    rows = ask(small, "weeks")
    assert [(row["week"], row["clicks"], row["students"]) for row in rows] == [
        (1, 7, 4),
        (2, 2, 2),
        (3, 1, 1),
    ]
    assert [row["clicks"] for row in ask(small, "weeks", group="Toowoomba")] == [3, 0, 0]


def test_busiest_days_and_hours(small):
    rows = ask(small, "busiest")
    assert (rows[0]["day"], rows[0]["hour"], rows[0]["clicks"]) == ("1 Monday", 9, 2)
    assert sum(row["clicks"] for row in rows) == 10 and sum(row["clicks_pct"] for row in rows) == 100
    assert [row["clicks"] for row in ask(small, "busiest", from_week="3")] == [1]


def test_nobody_opened_leaves_labels_and_deleted_activities_out(small):
    assert [row["name"] for row in ask(small, "nobody_opened")] == ["Reading nobody opens"]


def test_chapters_and_sections(small):
    assert [(row["moodle_id"], row["students"]) for row in ask(small, "chapters", activity="13")] == [
        (7, 1),
        (8, 0),
    ]
    assert [(row["section"], row["done_pct"]) for row in ask(small, "sections")] == [
        ("General", 33.3),
        ("Week 1: start", 8.3),
    ]
