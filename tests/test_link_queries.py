"""The questions of metadata.yml about what ties students together: links between blogs, and who reads whom."""

from __future__ import annotations

import sqlite3

import pytest

from tests import made_up, made_up_posts
from tests.made_up import AWAY, BO, NEW, OTHER_SAM, SAM, ZOE
from tests.test_post_queries import of, some
from tests.test_queries import ask, note, opened


@pytest.fixture
def db(tmp_path) -> sqlite3.Connection:
    return opened(made_up_posts.small(tmp_path / "moodle.db"))


# ---- Who links to whose blog, and who to nobody? ----


def test_blog_links(db):
    rows = ask(db, "blog_links")
    columns = ("person", "posts", "links", "links_to_classmates", "classmates", "links_to", "linked_to_by")
    assert [some(row, *columns) for row in rows] == [
        (NEW, 1, 0, 0, 0, "nobody", None),
        (AWAY, 0, 0, 0, 0, "no post yet", None),
        (BO, 0, 0, 0, 0, "no post yet", None),
        (SAM, 4, 1, 1, 1, "Zoë Müller", 1),
        (OTHER_SAM, 2, 1, 1, 1, "Zoë Müller", 0),
        (ZOE, 6, 4, 2, 1, "Sam Lee", 2),
    ]
    assert of(rows, ZOE)["gone"] == 1 and of(rows, NEW)["remark"] == "no blog registered"


def test_blog_links_between(db):
    rows = ask(db, "blog_links_between")
    assert [some(row, "person", "to_person", "links", "last_link_utc") for row in rows] == [
        (ZOE, SAM, 2, "2016-03-14T02:00:00Z"),
        (SAM, ZOE, 1, "2016-03-01T00:00:00Z"),
        (OTHER_SAM, ZOE, 1, "2016-03-02T11:00:00Z"),
    ]
    assert some(rows[0], "fullname", "links_to") == ("Zoë Müller", "Sam Lee")


@pytest.mark.parametrize("name", ["blog_links", "blog_links_between"])
def test_without_registered_blogs_nobody_can_tell_whose_they_are(db, name):
    db.execute("delete from post_links")
    assert "note" not in {key for row in ask(db, name) for key, value in row.items() if value}
    db.execute("delete from feeds")
    assert note(ask(db, name)).startswith("no blogs of students are registered yet")
    db.execute("delete from forum_posts")
    db.execute("delete from blog_posts")
    db.execute("insert into feeds (id, person_id, url) values (1, 1, 'https://blogs.example.org/1')")
    assert "“coursette blogs fetch”" in note(ask(db, name))


# ---- Whose introduction has nobody read? ----


def test_unread_introductions(db):
    rows = ask(db, "unread_introductions")
    columns = ("person", "what", "readers", "replies", "teacher_replied", "remark")
    assert [some(row, *columns) for row in rows] == [
        (NEW, "first post, opens a discussion", 0, 0, "no", "nobody"),
        (OTHER_SAM, "first post, an answer", 1, 0, "no", None),  # one of three read on after it
        (ZOE, "first post, opens a discussion", 3, 2, "yes", None),
        (SAM, "first post, opens a discussion", None, 0, "no", "not logged: no discussion of this forum is in the log"),
    ]
    assert some(rows[0], "forum", "url") == (
        "News & <i>chat</i>", "https://moodle.example.edu/mod/forum/discuss.php?d=2#p4",
    )  # fmt: skip


def test_a_later_discussion_counts_too_and_a_later_answer_does_not(db):
    row = "insert into forum_posts (moodle_id, parent_id, part_id, course_id, person_id, published_utc) values "
    db.execute("insert into parts (id, activity_id, kind, moodle_id) values (6, 1, 'discussion', 4)")
    db.execute(row + "(6, null, 6, 1, 1, '2016-03-05T00:00:00Z'), (7, 4, 4, 1, 1, '2016-03-06T00:00:00Z')")
    rows = [row for row in ask(db, "unread_introductions") if row["person"] == ZOE]
    assert [some(row, "what", "readers") for row in rows] == [
        ("opens a discussion", 0),
        ("first post, opens a discussion", 3),
    ]
    assert of(ask(db, "unread_introductions"), NEW)["replies"] == 1


def test_nobody_is_not_what_the_log_cannot_see(db):
    def remarks():
        return {row["person"]: some(row, "readers", "remark") for row in ask(db, "unread_introductions", course="2")}

    db.execute("update usage_person set first_utc = '2016-03-02T05:00:00Z' where first_utc is not null")
    assert remarks()[NEW] == (None, "posted before the log begins")
    assert remarks()[ZOE] == (3, "posted before the log begins"), "at least so many"
    db.execute("update courses set data_up_to_utc = '2016-03-01T11:30:00Z' where id = 1")
    assert remarks()[NEW] == (None, "posted after the log ends") and remarks()[ZOE][0] == 3
    db.execute("update courses set data_up_to_utc = null where id = 1")
    assert set(remarks().values()) == {(None, "no log is loaded")}


def test_unread_introductions_without_forums_says_so_although_blogs_are_there(db):
    db.execute("delete from forum_posts where person_id != ?", (made_up.TEACHER,))
    assert note(ask(db, "unread_introductions")) == "no student has posted in the forums that are loaded"
    db.execute("delete from forum_posts")
    assert note(ask(db, "unread_introductions")).startswith("no forum posts of this course are loaded yet")
