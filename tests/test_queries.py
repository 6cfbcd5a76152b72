"""Every canned query of metadata.yml: what it answers, how fast, and that it never scans the events."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path

import pytest
import yaml

from loaders import functions, rollups, schema, steps
from tests import made_up, made_up_grades

HOUSE = Path(__file__).parents[1]
METADATA = yaml.safe_load((HOUSE / "metadata.yml").read_text(encoding="utf-8"))
MOST_ROWS = json.loads((HOUSE / "settings.json").read_text(encoding="utf-8"))["max_returned_rows"]
QUERIES = steps.questions(METADATA["databases"]["moodle"])
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
    "field": "GPA",
    "value": "",
    "at_least": "4.5",
    "at_most": "7",
    "weeks": "3",
    "below": "0.1",
    "week": "2",
    "section": "1",
    "group_a": "Group 1",
    "group_b": "Group 2",
    "tasks": "2",
    "seconds": "30",
    "hours": "48",
    "grade": "Quiz 1",
    "other_course": "3",
}


def opened(path: Path) -> sqlite3.Connection:
    """A connection as plugins/course_time.py makes it."""
    db = sqlite3.connect(path)
    functions.register(db)
    return db


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> sqlite3.Connection:
    return opened(made_up.small(tmp_path_factory.mktemp("small") / "moodle.db"))


@pytest.fixture(scope="module")
def posted(tmp_path_factory) -> sqlite3.Connection:
    return opened(made_up_grades.small(tmp_path_factory.mktemp("posted") / "moodle.db"))


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> sqlite3.Connection:
    return opened(made_up_grades.large(tmp_path_factory.mktemp("large") / "moodle.db"))


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
    assert len(ask(large, name)) <= MOST_ROWS


@pytest.mark.parametrize("name", QUERIES)
def test_an_empty_database_gives_no_rows_and_no_error(tmp_path, name):
    schema.open_database(tmp_path / "empty.db").conn.close()
    db = opened(tmp_path / "empty.db")
    assert ask(db, name) == []


@pytest.mark.parametrize("name", QUERIES)
def test_another_site_or_course_gives_no_rows(small, name):
    assert ask(small, name, course="77") == []
    assert ask(small, name, course="2", site="https://elsewhere.example.org") == []


def test_student_profile_is_one_row_with_the_contract_columns(small):
    (row,) = ask(small, "student_profile", course="2", student="5")
    assert list(row) == [
        "fullname", "email", "groups", "role", "last_access_local", "last_access_utc", "clicks",
        "completed", "tracked", "done_pct", "note", "person", "moodle_id", "course",
    ]  # fmt: skip
    assert row["person"] == made_up.ZOE and row["fullname"] == "Zoë Müller" and row["groups"] == "Online"
    assert (row["clicks"], row["completed"], row["tracked"], row["done_pct"]) == (5, 1, 3, 33.3)
    assert row["last_access_utc"] == "2016-03-15T10:00:00Z" and row["last_access_local"] == "2016-03-15T20:00:00"


def test_student_profile_of_someone_without_a_moodle_id(small):
    (row,) = ask(small, "student_profile", course="2", person=str(made_up.NEW))
    assert row["email"] == "nia@student.example.edu" and row["moodle_id"] is None
    assert row["completed"] is None, "no completion report has a line for her, which is not 0"


def test_student_profile_of_staff_has_no_clicks(small):
    (row,) = ask(small, "student_profile", course="2", student="3")
    assert row["role"] == "editingteacher" and row["clicks"] is None


def test_student_profile_of_nobody_and_of_everybody(small):
    assert note(ask(small, "student_profile", student="12345")).startswith("nobody in this course is called “12345”")
    assert note(ask(small, "student_profile", person="999")) == "nobody with the key 999 is in this course"
    assert names(ask(small, "student_profile", student="zoë")) == ["zoe"]
    assert note(ask(small, "student_profile", student="Sam")) == (
        "several people begin with “Sam”: Sam Lee (18), Sam Lee (19)"
    )
    assert names(ask(small, "student_profile")) == ["al", "sam1", "sam2", "zoe", "nia", "bo"]


def test_resource_usage_has_the_contract_columns(small):
    rows = ask(small, "resource_usage", course="2")
    contract = (
        "cmid", "name", "kind", "section", "clicks", "students", "students_pct", "clicks_per_student",
        "completed", "last_used_utc",
    )  # fmt: skip
    assert [tuple(row[column] for column in contract) for row in rows] == [
        (10, "News & <i>chat</i>", "forum", "General", 4, 3, 50.0, 1.3, 2, "2016-03-01T13:00:00Z"),
        (11, "Quiz 1", "quiz", "Week 1: start", 3, 3, 50.0, 1.0, 1, "2016-03-08T22:00:00Z"),
        (12, "Reading nobody opens", "resource", "Week 1: start", 0, 0, 0.0, None, 0, None),
        (13, "The TPACK book", "book", "Week 2: go on", 1, 1, 16.7, 1.0, None, "2016-03-15T10:00:00Z"),
        (14, "A heading", "label", "Week 2: go on", None, None, None, None, None, None),
    ]
    assert [row["label"] for row in rows][:2] == ["1 News & <i>chat</i>", "2 Quiz 1"], "unique, in course order"


def test_resource_usage_leads_to_who_has_not(small):
    forum, quiz, reading, book, label = ask(small, "resource_usage", group='A "quoted" & <i>group</i>')
    group = "A%20%22quoted%22%20%26%20%3Ci%3Egroup%3C%2Fi%3E"
    assert forum["never_opened"] == f"never_opened?course=2&activity=10&group={group}&site="
    assert quiz["not_completed"] == f"not_completed?course=2&activity=11&group={group}&site="
    assert quiz["never_opened"] is None, "the only one in the group has opened it"
    assert reading["not_completed"].startswith("not_completed?"), "not only those who opened it"
    assert (book["not_completed"], label["never_opened"]) == (None, None), "not tracked, not logged"


@pytest.mark.parametrize("group", ["7", "Online", '["Online"]', "[7]", '["7"]'])
def test_a_group_is_moodles_id_the_exact_name_or_a_list(small, group):
    forum = ask(small, "resource_usage", course="2", group=group)[0]
    assert (forum["clicks"], forum["students"], forum["students_pct"], forum["completed"]) == (3, 2, 100.0, 2)


def test_several_groups_are_a_union(small):
    forum = ask(small, "resource_usage", group='["Online", 8]')[0]
    assert (forum["students"], forum["students_pct"]) == (3, 100.0)
    quoted = ask(small, "resource_usage", group='A "quoted" & <i>group</i>')
    assert [row["students"] for row in quoted] == [0, 1, 0, 0, None]


def note(rows: list[dict]) -> str:
    """The sentence of the one row that stands for an answer that cannot be given."""
    (row,) = rows
    assert {key for key, value in row.items() if value is not None} == {"note"}
    return row["note"]


@pytest.mark.parametrize("name", [name for name in QUERIES if "group" in QUERIES[name]["params"]])
def test_an_unknown_group_is_said_so(posted, name):
    assert note(ask(posted, name, group="Offline")) == (
        'no group is called “Offline”; the groups are A "quoted" & <i>group</i>, Online (7), Toowoomba (8)'
    )
    assert "note" not in {key for row in ask(posted, name) for key, value in row.items() if value is not None}


def test_a_group_by_its_beginning_or_in_another_case(small):
    for group in ("online", "ONL"):
        assert ask(small, "resource_usage", group=group) != ask(small, "resource_usage")
        assert ask(small, "weeks", group=group) == ask(small, "weeks", group="Online")


def test_weeks_filter_clicks_but_not_completed(small):
    forum, quiz, *_ = ask(small, "resource_usage", from_week="2", to_week="2")
    assert (forum["clicks"], forum["completed"]) == (0, 2)
    assert (quiz["clicks"], quiz["students"], quiz["last_used_utc"]) == (2, 2, "2016-03-08T22:00:00Z")


def test_never_opened(small):
    assert names(ask(small, "never_opened", activity="11")) == ["al", "nia", "bo"]
    assert names(ask(small, "never_opened", activity="Quiz 1", group="8")) == ["bo"]
    assert {row["activity"] for row in ask(small, "never_opened")} == {"News & <i>chat</i>"}
    assert names(ask(small, "never_opened", activity="quiz")) == ["al", "nia", "bo"], "the beginning of one name"
    assert note(ask(small, "never_opened", activity="999")).startswith("no activity is called “999”")
    assert "a label is never opened" in note(ask(small, "never_opened", activity="14"))
    assert note(ask(small, "never_opened", course="3")) == "no log of this course is loaded yet"


def test_an_activity_must_be_the_only_one_of_its_name(tmp_path):
    db = opened(made_up.small(tmp_path / "moodle.db"))
    db.execute("update activities set name = 'Quiz 2' where cmid = 12")
    for name in ("never_opened", "opened_not_completed", "chapters"):
        several = note(ask(db, name, activity="QUIZ"))
        assert several == "several activities begin with “QUIZ”: Quiz 1 (11), Quiz 2 (12)"
        assert note(ask(db, name, activity="Essay")).startswith("no activity is called “Essay”")
    assert names(ask(db, "never_opened", activity="Quiz 2")) == ["al", "sam1", "sam2", "zoe", "nia", "bo"]


def test_opened_not_completed(small):
    rows = ask(small, "opened_not_completed", activity="11")
    assert [(row["person"], row["state"]) for row in rows] == [(3, "incomplete"), (1, "complete-fail")]
    assert {row["activity"] for row in ask(small, "opened_not_completed")} == {"Quiz 1"}
    untracked = note(ask(small, "opened_not_completed", activity="13"))
    assert untracked == "Moodle does not track the completion of “The TPACK book”"
    assert ask(small, "opened_not_completed", activity="12") == [], "nobody, which is an answer"


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


def test_a_break_without_a_number_has_its_name_and_its_place(tmp_path):
    db = opened(made_up.small(tmp_path / "moodle.db"))
    db.execute("update events set week = 1.5 where week = 2")
    db.execute("update weeks set week = 1.5, is_break = 1, name = 'Easter break' where week = 2")
    rollups.build(db, 1)
    assert [(row["week"], row["week_name"], row["clicks"]) for row in ask(db, "weeks")] == [
        (1, "Week 1", 7), (1.5, "Easter break", 2), (3, "Week 3", 1),
    ]  # fmt: skip
    for given, clicks in ((("1.5", "1.5"), 2), (("1", "1"), 7), (("1", "1.5"), 9), (("1.5", ""), 3)):
        filters = dict(zip(("from_week", "to_week"), given, strict=True))
        assert sum(row["clicks"] for row in ask(db, "busiest", **filters)) == clicks


def test_before_due_tells_when_each_began_and_handed_in(small):
    rows = ask(small, "before_due")
    assert {row["activity"] for row in rows} == {"Quiz 1"} and {row["due_local"] for row in rows} == {
        "2016-03-10T23:59:00"
    }
    assert [(row["email"][:4], row["began"], row["began_days_before"], row["handed_in"]) for row in rows] == [
        ("al@s", None, None, None),
        ("nia@", None, None, None),
        ("bo@s", None, None, None),
        ("sam2", "1 day before due", 1.7, None),
        ("zoe@", "2 days before due", 2.2, "2 days before due"),
        ("sam1", "8 days before due", 8.7, "8 days before due"),
    ]
    (row,) = ask(small, "before_due", student="5")
    assert row["moodle_id"] == 5 and row["handed_in_utc"] == "2016-03-08T10:30:00Z"
    assert ask(small, "before_due", activity="Quiz 1", group="Toowoomba")[0]["fullname"] == made_up.MARKUP
    assert "nobody says when “The TPACK book” is due" in ask(small, "before_due", activity="13")[0]["note"]


def test_of_several_that_were_due_last_the_one_that_most_handed_in(small):
    due = "update activities set due_utc = '2016-03-10T13:59:00Z', deleted = 0 where cmid in (10, 11)"
    small.execute(due)
    assert {row["activity"] for row in ask(small, "before_due")} == {"News & <i>chat</i>"}, "three and two"
    one = "insert into submissions (person_id, activity_id, state, time_utc) values (?, 2, ?, '2016-03-03T10:00:00Z')"
    small.executemany(one, [(made_up.BO, "submitted"), (made_up.OTHER_SAM, "submitted"), (made_up.NEW, "new")])
    assert {row["activity"] for row in ask(small, "before_due")} == {"Quiz 1"}, "three and four"
    assert len({row["activity"] for row in ask(small, "before_due", student="5")}) == 2
    assert {row["activity"] for row in ask(small, "before_due", activity="10")} == {"News & <i>chat</i>"}


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


@pytest.fixture
def detailed(tmp_path) -> sqlite3.Connection:
    """The small course with what a teacher's spreadsheet says."""
    db = opened(made_up.small(tmp_path / "moodle.db"))
    db.execute("delete from person_details")
    said = [
        ("Campus", ["Toowoomba", "Online", "toowoomba", "Springfield", None, "Online"]),
        ("GPA", ["5.5", "4", "3,75", "n/a", "6", "85%"]),
        ('"odd" field', ["<b>1</b>", None, None, None, None, None]),
    ]
    sql = "insert into person_details (person_id, field, value) values (?, ?, ?)"
    for field, values in said:
        for person, value in enumerate(values, 1):
            if value:
                db.execute(sql, [person, field, value])
    return db


def values(rows: list[dict]) -> list[str]:
    return [row["value"] for row in rows]


def test_students_by_details(detailed):
    everyone = ask(detailed, "students_by_details", field="gpa")
    assert values(everyone) == ["3,75", "4", "5.5", "6", "85%", "n/a"], "in order of number"
    zoe = everyone[2]
    assert list(zoe) == [
        "fullname", "value", "email", "clicks", "done_pct", "last_access_local", "last_access_utc", "field", "students",
        "different_values", "note", "person", "moodle_id", "course",
    ]  # fmt: skip
    assert (zoe["fullname"], zoe["clicks"], zoe["done_pct"], zoe["moodle_id"]) == ("Zoë Müller", 5, 33.3, 5)
    assert values(ask(detailed, "students_by_details", field="GPA", at_least="4", at_most="6")) == ["4", "5.5", "6"]
    assert names(ask(detailed, "students_by_details", field="campus", value="TOOWOOMBA")) == ["sam2", "zoe"]
    assert names(ask(detailed, "students_by_details", field="Campus", value="on")) == ["al", "sam1"]
    assert len(ask(detailed, "students_by_details", field="Campus", value='["Online", "Springfield"]')) == 3
    assert values(ask(detailed, "students_by_details", field='"odd"')) == ["<b>1</b>"]


def test_students_by_details_without_a_field_lists_the_fields(detailed):
    rows = ask(detailed, "students_by_details")
    assert [(row["field"], row["students"], row["different_values"]) for row in rows] == [
        ("Campus", 5, 3), ("GPA", 6, 6), ('"odd" field', 1, 1),
    ]  # fmt: skip
    assert {(row["fullname"], row["note"], row["course"]) for row in rows} == {(None, None, 2)}


def test_students_by_details_says_what_it_cannot_answer(detailed):
    assert note(ask(detailed, "students_by_details", field="Mode")) == (
        'no field is called “Mode”; the fields are Campus, GPA, "odd" field'
    )
    assert note(ask(detailed, "students_by_details", field="Campus", value="Ipswich")) == (
        "no value is called “Ipswich”; the values are Online, Springfield, Toowoomba"
    )
    assert note(ask(detailed, "students_by_details", course="3")).startswith("no file loaded says anything")
