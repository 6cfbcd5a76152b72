"""The questions of metadata.yml about resources, groups, weeks and hours, over the course of made_up."""

from __future__ import annotations

import sqlite3

import pytest

from loaders import rollups
from tests import made_up
from tests.made_up import BO, NEW, OTHER_SAM, SAM, ZOE
from tests.test_queries import QUERIES, ask, note, opened

MINE = [
    "resource_usage", "activities_ranked", "groups_by_resource", "nobody_opened", "chapters", "weeks", "busiest",
    "groups_compared", "sections",
]  # fmt: skip
QUOTED = 'A "quoted" & <i>group</i>'


@pytest.fixture
def db(tmp_path) -> sqlite3.Connection:
    return opened(made_up.small(tmp_path / "moodle.db"))


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> sqlite3.Connection:
    return opened(made_up.large(tmp_path_factory.mktemp("large") / "moodle.db", events=5_000))


def some(rows: list[dict], *columns: str) -> list[tuple]:
    return [tuple(row[column] for column in columns) for row in rows]


def without_log(db: sqlite3.Connection) -> None:
    """The course before its log is loaded."""
    db.execute("delete from events")
    db.execute("update courses set data_up_to_utc = null where id = 1")
    rollups.build(db, 1)


@pytest.mark.parametrize("name", MINE)
def test_what_a_chart_draws_is_there(db, name):
    chart = QUERIES[name].get("chart")
    if chart:
        columns = {chart[axis] for axis in ("x", "y", "value") if axis in chart}
        assert columns <= set(ask(db, name)[0]) and columns >= set(chart["words"])
    assert chart or name == "nobody_opened", "a list of what has no number"


@pytest.mark.parametrize("name", ["activities_ranked", "groups_by_resource", "nobody_opened", "chapters", "busiest"])
def test_without_a_log_it_is_said(db, name):
    without_log(db)
    assert note(ask(db, name, course="2")) == "no log of this course is loaded yet"


def test_activities_by_how_many_students(db):
    assert some(ask(db, "activities_ranked"), "rank", "name", "students", "students_pct", "clicks", "cmid") == [
        (1, "News & <i>chat</i>", 3, 50.0, 4, 10),
        (2, "Quiz 1", 3, 50.0, 3, 11),
        (3, "The TPACK book", 1, 16.7, 1, 13),
        (4, "Reading nobody opens", 0, 0.0, 0, 12),
    ], "as many students, fewer clicks; no label, and nothing deleted that nobody opened"
    toowoomba = ask(db, "activities_ranked", group="Toowoomba", to_week="1")
    assert some(toowoomba, "rank", "cmid", "students", "clicks_per_student") == [
        (1, 10, 2, 1.0), (2, 11, 1, 1.0), (3, 12, 0, None), (3, 13, 0, None),
    ]  # fmt: skip
    assert toowoomba[0]["never_opened"] is None, "both have"
    assert toowoomba[1]["never_opened"] == "never_opened?course=2&activity=11&group=Toowoomba&site="


@pytest.mark.parametrize("given", [{}, {"group": "Group 2"}, {"from_week": "3", "to_week": "4"},
                                   {"group": '["Group 1", "Group 2"]', "from_week": "3"}])  # fmt: skip
def test_ranks_are_of_what_resource_usage_counts(large, given):
    columns = ("cmid", "students", "students_pct", "clicks", "clicks_per_student")
    ranked, usage = (ask(large, name, **given) for name in ("activities_ranked", "resource_usage"))
    assert sorted(some(ranked, *columns)) == sorted(some(usage, *columns))
    assert [row["students"] for row in ranked] == sorted((row["students"] for row in usage), reverse=True)


@pytest.mark.parametrize("given", [{}, {"group": "Group 2"}, {"from_week": "3", "to_week": "4"},
                                   {"group": "Group 1", "from_week": "3"}])  # fmt: skip
def test_resource_usage_is_what_the_clicks_of_each_student_say(large, given):
    plainly = """
        select activity_id, sum(clicks), count(distinct person_id), max(last_utc)
        from usage_activity_person_week
        where week between ? and ? and (? = '' or person_id in (
            select person_id from group_members join groups on groups.id = group_id where name = ?
        ))
        group by activity_id
        order by activity_id
    """
    group = given.get("group", "")
    weeks = int(given.get("from_week", 0)), int(given.get("to_week", 99))
    rows = some(ask(large, "resource_usage", **given), "cmid", "clicks", "students", "last_used_utc")
    assert sorted(row for row in rows if row[1]) == large.execute(plainly, (*weeks, group, group)).fetchall()


def test_groups_by_resource_of_a_week(db):
    columns = ("group", "opened", "students", "opened_pct", "class_pct")
    book = ask(db, "groups_by_resource")
    assert {row["activity"] for row in book} == {"The TPACK book"}, "week 3 has no section, week 2 has begun"
    assert some(book, *columns) == [
        (QUOTED, 0, 1, 0.0, 16.7),
        ("Online", 1, 2, 50.0, 16.7),
        ("Toowoomba", 0, 2, 0.0, 16.7),
        ("in no group", 0, 2, 0.0, 16.7),
    ]
    first = ask(db, "groups_by_resource", week="1")
    assert some(first, "label", "cmid", "week", "opened_pct") == [
        ("1 Quiz 1", 11, 1, 100.0), ("1 Quiz 1", 11, 1, 100.0), ("1 Quiz 1", 11, 1, 50.0), ("1 Quiz 1", 11, 1, 0.0),
        *[("2 Reading nobody opens", 12, 1, 0.0)] * 4,
    ]  # fmt: skip
    assert note(ask(db, "groups_by_resource", week="9")) == (
        "no activities are in a section of week 9; there are some in those of weeks 1, 2"
    )


def of_campus(db: sqlite3.Connection) -> None:
    db.execute("insert into groups (id, course_id, name, field) values (8, 1, 'Campus: A', 'Campus')")
    db.execute("insert into groups (id, course_id, name, field) values (9, 1, 'Campus: B', 'Campus')")
    db.executemany("insert into group_members (group_id, person_id) values (?, ?)", [(8, ZOE), (8, BO), (9, NEW)])


def test_groups_of_a_spreadsheet_by_their_field(db):
    asked = {"field": "campus", "week": "2"}
    assert note(ask(db, "groups_by_resource", **asked)).startswith("no column of your spreadsheet makes groups")
    of_campus(db)
    assert some(ask(db, "groups_by_resource", **asked), "group", "opened_pct") == [
        ("Campus: A", 50.0), ("Campus: B", 0.0), ("in no group", 0.0),
    ]  # fmt: skip
    assert len(ask(db, "groups_by_resource", week="2")) == 4, "Moodle's own, if no field is named"
    assert note(ask(db, "groups_by_resource", field="GPA")) == "no field is called “GPA”; the fields are Campus"


def test_where_there_are_no_groups_it_is_said(db):
    db.execute("delete from group_members")
    db.execute("delete from groups")
    without = note(ask(db, "groups_by_resource"))
    assert without.startswith("no groups with students") and without.endswith("makes some of your spreadsheet")
    assert note(ask(db, "groups_compared")).startswith("no groups of this course are loaded yet")
    of_campus(db)
    assert note(ask(db, "groups_by_resource")).endswith("or choose a field of your spreadsheet: Campus")
    assert ask(db, "groups_compared")[0]["group"] == "Campus: A"


def test_sections_without_weeks_are_said(db):
    db.execute("update sections set week = null")
    assert note(ask(db, "groups_by_resource")) == "no section of the course page says which week it is about"


def test_groups_beside_the_rest(db):
    columns = ("group", "students", "in_both", "opened", "opened_pct", "clicks", "clicks_per_student", "completed")
    rows = ask(db, "groups_compared", activity="10", group_a="Online", group_b="8")
    assert some(rows, *columns) == [
        ("Online", 2, 1, 2, 100.0, 3, 1.5, 2),
        ("Toowoomba", 2, 1, 2, 100.0, 2, 1.0, 1),
        ("the rest", 3, None, 0, 0.0, 0, None, 0),
        ("everybody", 6, None, 3, 50.0, 4, 1.3, 2),
    ], "Sam is in both and counted in each"
    assert some(rows, "completed_pct", "first_opened_local") == [
        (100.0, "2016-02-29T09:00:00"), (50.0, "2016-03-01T07:00:00"), (0.0, None), (33.3, "2016-03-01T07:00:00"),
    ]  # fmt: skip
    alone = ask(db, "groups_compared", activity="Quiz", group_a='["Online", "Toowoomba"]')
    assert some(alone, "group", "students", "opened", "in_both") == [
        ("Online, Toowoomba", 3, 2, None), ("the rest", 3, 1, None), ("everybody", 6, 3, None),
    ]  # fmt: skip


def test_the_first_two_groups_and_the_activity_most_have_opened(db):
    rows = ask(db, "groups_compared")
    assert [row["group"] for row in rows] == [QUOTED, "Online", "the rest", "everybody"]
    assert {row["activity"] for row in rows} == {"News & <i>chat</i>"}
    assert ask(db, "groups_compared", group_b="Online")[0]["group"] == "Online"


def test_grades_of_groups(db):
    ungraded = ask(db, "groups_compared", activity="11")[0]
    assert (ungraded["graded"], ungraded["grade_mean"], ungraded["grade_maximum"]) == (None, None, None)
    db.execute(
        "insert into grade_items (id, course_id, activity_id, name, display, maximum) values"
        " (1, 1, 2, 'Quiz 1', 'letter', null), (2, 1, 2, 'Quiz 1', 'percentage', null), (3, 1, 2, 'Quiz 1', 'real', 20)"
    )
    marks = [(1, ZOE, "A"), (2, ZOE, 50), (2, SAM, 60), (3, ZOE, 10), (3, SAM, 12.5), (3, OTHER_SAM, "-")]
    db.executemany("insert into grades (grade_item_id, person_id, grade) values (?, ?, ?)", marks)
    columns = ("group", "graded", "grade_mean", "grade_maximum", "grade_item")
    given = {"activity": "Quiz 1", "group_a": "Online", "group_b": "Toowoomba"}
    assert some(ask(db, "groups_compared", **given), *columns) == [
        ("Online", 2, 11.25, 20, "Quiz 1"),
        ("Toowoomba", 1, 12.5, 20, "Quiz 1"),
        ("the rest", 0, None, 20, "Quiz 1"),
        ("everybody", 2, 11.25, 20, "Quiz 1"),
    ]
    db.execute("delete from grade_items where id = 3")
    assert some(ask(db, "groups_compared", **given), *columns)[0] == ("Online", 2, 55.0, 100, "Quiz 1")


def test_groups_are_compared_by_what_is_known(db):
    assert "no group is called “North”" in note(ask(db, "groups_compared", group_a="North"))
    assert "no group is called “North”" in note(ask(db, "groups_compared", group_a="Online", group_b="North"))
    assert "no file has its completion or grades" in note(ask(db, "groups_compared", activity="14"))
    without_log(db)
    quiz = ask(db, "groups_compared", course="2", activity="11", group_a="Online")[0]
    assert (quiz["opened"], quiz["clicks"], quiz["completed"]) == (None, None, 1), "not 0: no log says so"
    assert note(ask(db, "groups_compared", course="2", activity="13")) == "no log of this course is loaded yet"


def test_nobody_of_a_group_opened(db):
    assert some(ask(db, "nobody_opened"), "cmid", "completed", "due_utc") == [(12, 0, None)]
    assert some(ask(db, "nobody_opened", group="Toowoomba"), "cmid", "section") == [
        (12, "Week 1: start"), (13, "Week 2: go on"),
    ]  # fmt: skip
    db.execute("delete from group_members where group_id = 3")
    assert len(ask(db, "nobody_opened", group=QUOTED)) == 4, "a group of nobody has opened nothing"


def test_chapters_that_are_skipped(db):
    columns = ("moodle_id", "opened", "students", "students_pct", "skipped_by", "clicks")
    assert some(ask(db, "chapters", activity="The TPACK book"), *columns) == [
        (7, 1, 1, 100.0, 0, 1), (8, 1, 0, 0.0, 1, 0),
    ]  # fmt: skip
    db.execute("update parts set position = 3 - id where kind = 'chapter'")
    assert some(ask(db, "chapters", activity="13"), "label", "cmid") == [("1 Unread", 13), ("2 What is <TPACK>?", 13)]
    assert some(ask(db, "chapters", activity="13", group="8"), *columns)[1] == (7, 0, 0, None, 0, 0)
    assert some(ask(db, "chapters"), "kind", "opened") == [("discussion", 3), ("chapter", 1), ("chapter", 1)]
    assert note(ask(db, "chapters", activity="11")) == "no file loaded has chapters or discussions of “11”"
    assert note(ask(db, "chapters", activity="11", group="x")).startswith("no group is called")


def test_a_group_at_its_hours(db):
    online = ask(db, "busiest", group="Online")
    assert some(online, "day", "hour", "clicks", "students_a_week") == [
        ("1 Monday", 9, 2, 0.3), ("2 Tuesday", 7, 1, 0.3), ("2 Tuesday", 20, 3, 1.0), ("3 Wednesday", 8, 1, 0.3),
    ]  # fmt: skip
    assert sum(row["clicks_pct"] for row in online) == pytest.approx(100, abs=0.1)
    toowoomba = ask(db, "busiest", group="Toowoomba", from_week="1")
    assert some(toowoomba, "hour", "students_a_week") == [(7, 1.0), (23, 1.0), (8, 1.0)], "only week 1 is theirs"
    assert ask(db, "busiest", group="Toowoomba", from_week="2") == []


def test_all_groups_together_are_the_class_at_its_hours(large):
    everybody = '["Group 1", "Group 2", "Group 3", "Group 4"]'
    assert ask(large, "busiest", group=everybody) == ask(large, "busiest")


def test_a_week_tells_its_change(db):
    assert some(ask(db, "weeks"), "week", "students", "students_change") == [(1, 4, None), (2, 2, -2), (3, 1, -1)]
    db.execute("update courses set data_up_to_utc = '2016-03-20T15:00:00Z' where id = 1")
    assert [row["week"] for row in ask(db, "weeks")][-1] == 4, "Monday has begun in Brisbane"
