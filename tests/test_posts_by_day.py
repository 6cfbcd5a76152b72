"""On which days does each student post? Over the posts of made_up_posts that one knows by heart."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests import made_up_posts
from tests.made_up import AWAY, BO, NEW, OTHER_SAM, SAM, ZOE
from tests.test_post_queries import of, people, some
from tests.test_queries import ask, note, opened
from tests.visit import get, instance

NAME = "posts_by_day"


@pytest.fixture
def path(tmp_path) -> Path:
    return made_up_posts.small(tmp_path / "moodle.db")


@pytest.fixture
def db(path) -> sqlite3.Connection:
    return opened(path)


def days(rows: list[dict], person: int) -> list[tuple]:
    return [some(row, "day", "blog_posts", "forum_posts", "posts") for row in rows if row["person"] == person]


def test_days_are_those_of_course_time(db):
    assert days(ask(db, NAME), ZOE) == [
        ("2016-02-28", 1, 0, 1),  # Saturday evening in UTC
        ("2016-03-01", 0, 1, 1),
        ("2016-03-07", 1, 0, 1),  # Sunday evening in UTC
        ("2016-03-14", 1, 0, 1),  # gone since, and counted
        ("2016-03-21", 1, 0, 1),
        ("2016-04-04", 1, 0, 1),
    ]
    assert days(ask(db, NAME), OTHER_SAM) == [("2016-03-02", 1, 1, 2)], "a blog and a forum on one day are one row"


def test_nobody_is_missing(db):
    rows = ask(db, NAME)
    assert list(dict.fromkeys(people(rows))) == [AWAY, SAM, OTHER_SAM, ZOE, NEW, BO]
    assert some(of(rows, AWAY), "day", "posts", "words", "remark") == (None, 0, 0, "no post; no blog registered")
    assert some(of(rows, BO), "posts", "blog_posts", "remark") == (0, None, "no post; blog not read: 404 Not Found")
    assert some(of(rows, NEW), "day", "blog_posts", "remark") == ("2016-03-02", None, "no blog registered")


def test_weeks_leave_out_days_and_nobody(db):
    rows = ask(db, NAME, from_week="2", to_week="3")
    assert [row[0] for row in days(rows, ZOE)] == ["2016-03-07", "2016-03-14"]
    assert some(of(rows, NEW), "posts", "forum_posts") == (0, 0)
    assert of(rows, NEW)["remark"] == "no post in these weeks; no blog registered"
    assert of(rows, OTHER_SAM)["remark"] == "no post in these weeks"
    assert [row[0] for row in days(ask(db, NAME, from_week="4"), ZOE)] == ["2016-03-21", "2016-04-04"]


def test_its_sums_are_those_of_the_weeks(db):
    def sums(name: str) -> dict:
        found = {}
        for row in ask(db, name):
            found[row["person"], row["week"]] = found.get((row["person"], row["week"]), 0) + row["posts"]
        return found

    assert sums(NAME) == sums("posts_by_week")


def test_not_loaded_is_not_none(db):
    db.execute("delete from forum_posts")
    assert {row["forum_posts"] for row in ask(db, NAME)} == {None}
    assert note(ask(db, NAME, group="Nowhere")).startswith("no group is called “Nowhere”")


def test_a_course_without_weeks_has_days(db):
    db.execute("delete from weeks")
    rows = ask(db, NAME)
    assert days(rows, SAM)[0][0] == "2016-03-01" and {row["week"] for row in rows} == {None}


async def test_the_page_names_the_day_and_leads_to_the_student(path):
    page = await get(instance(path), f"/moodle/{NAME}?course=2&to_week=2")
    assert page.status_code == 200 and "2016-03-07" in page.text and f"person={ZOE}&amp;db=moodle" in page.text
    assert "<script>alert" not in page.text
