"""The questions about forums: who reads and how soon, who waits for an answer, who replies to whom."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from tests import made_up, made_up_posts
from tests.made_up import BO, NEW, OTHER_SAM, SAM, TEACHER, ZOE
from tests.test_post_queries import of, people, some
from tests.test_queries import QUERIES, ask, note, opened
from tests.visit import get, instance

FORUM_QUERIES = ["discussions_read", "readers_only", "unanswered_posts", "replies_between"]


@pytest.fixture
def path(tmp_path) -> Path:
    return made_up_posts.small(tmp_path / "moodle.db")


@pytest.fixture
def db(path) -> sqlite3.Connection:
    return opened(path)


def post(db: sqlite3.Connection, moodle_id: int, person: int, at: str, answers: int, part: int = 3) -> None:
    """One more post, in the first discussion unless said."""
    row = moodle_id, answers, part, person, at
    db.execute(
        "insert into forum_posts (moodle_id, parent_id, part_id, course_id, person_id, published_utc)"
        " values (?, ?, ?, 1, ?, ?)",
        row,
    )


@pytest.mark.parametrize("name", FORUM_QUERIES)
def test_one_forum_by_its_name_or_a_sentence(db, name):
    assert "note" not in {key for row in ask(db, name, activity="News") for key, value in row.items() if value}
    assert note(ask(db, name, activity="Quiz 1")) == "“Quiz 1” is no forum"
    assert note(ask(db, name, activity="Chat")).startswith("no activity is called “Chat”")


async def test_names_are_no_markup_and_lead_to_the_student(path):
    datasette = instance(path)
    page = await get(datasette, "/moodle/readers_only?course=2")
    assert page.status_code == 200 and "<script>alert" not in page.text
    assert f"person={BO}&amp;db=moodle" in page.text
    for name in FORUM_QUERIES:
        assert (await get(datasette, f"/moodle/{name}?course=2&activity=10")).status_code == 200


def test_a_large_forum_is_asked_quickly(tmp_path):
    db = opened(made_up_posts.large(tmp_path / "moodle.db"))
    for name in FORUM_QUERIES:
        times = []
        for _ in range(3):
            start = time.thread_time()
            rows = ask(db, name, activity="1", group="Group 1")
            times.append(time.thread_time() - start)
        assert min(times) < 0.05 and (rows or name == "readers_only"), name


# ---- How many students read each discussion, and how soon? ----


def test_discussions_read(db):
    first, second, elsewhere = ask(db, "discussions_read")
    columns = ("students", "students_pct", "hours_to_read", "clicks", "posts")
    assert some(first, "discussion", "started_by", "started_utc") == (
        "Discussion 1",
        "Zoë Müller",
        "2016-03-01T11:00:00Z",
    )
    assert some(first, *columns) == (4, 66.7, 23.0, 4, 3)
    assert some(first, "last_read_utc", "person") == ("2016-03-03T00:00:00Z", ZOE)
    assert first["url"] == "https://moodle.example.edu/mod/forum/discuss.php?d=1"
    assert some(second, *columns, "remark") == (1, 16.7, None, 1, 1, "nobody else has opened it")
    assert some(elsewhere, "forum", "students", "clicks", "posts") == ("All on one page", None, None, 1)
    assert elsewhere["remark"] == "not logged: no discussion of this forum is in the log"
    assert [row["label"] for row in (first, elsewhere)] == ["1 Discussion 1", "3 Discussion 3"]


def test_discussions_read_by_a_group(db):
    first, second, _ = ask(db, "discussions_read", group="Toowoomba")
    assert some(first, "students", "students_pct", "hours_to_read") == (2, 100.0, 19.0), "after 1 and after 37 hours"
    assert some(second, "students", "clicks") == (0, 0)


def test_a_discussion_whose_beginning_nobody_knows_has_no_hours(db):
    db.execute("delete from forum_posts where id = 1")
    row = ask(db, "discussions_read")[1]
    assert some(row, "students", "hours_to_read", "posts") == (4, None, 2)
    assert row["remark"] == "when it began is not known: its first post is not loaded"
    db.execute("delete from forum_posts")
    rows = ask(db, "discussions_read")
    assert [some(row, "students", "posts", "started_by", "person") for row in rows][:2] == [
        (4, None, None, None),
        (1, None, None, None),
    ]
    assert rows[0]["remark"] == "when it began is not known: its posts are not loaded"


def test_a_discussion_from_before_or_after_the_log(db):
    db.execute("update forum_posts set published_utc = '2016-02-01T00:00:00Z' where id = 1")
    db.execute("update forum_posts set published_utc = '2016-03-17T00:00:00Z' where id = 4")
    rows = ask(db, "discussions_read", activity="10")
    assert [some(row, "students", "hours_to_read", "remark") for row in rows] == [
        (4, None, "began before the log"),
        (None, None, "began after the log ends"),
    ]


def test_no_log_and_no_discussion_are_said(db):
    db.execute("delete from usage_part")
    db.execute("delete from usage_part_person_week")
    db.execute("delete from parts")
    assert note(ask(db, "discussions_read")).startswith("no discussion of a forum is known yet")
    db.execute("update courses set data_up_to_utc = null")
    assert note(ask(db, "discussions_read", course="2")) == "no log of this course is loaded yet"


# ---- Who reads the forums but never posts? ----


def test_readers_only(db):
    (row,) = ask(db, "readers_only")
    assert some(row, "person", "groups", "clicks", "forums", "discussions") == (BO, "Toowoomba", 2, 1, 1)
    assert row["last_read_utc"] == "2016-03-03T00:00:00Z"
    assert people(ask(db, "readers_only", activity="10")) == [SAM, BO], "who has written in the other forum alone"


def test_a_post_that_only_the_log_knows_is_a_post(db):
    db.execute("delete from forum_posts")
    rows = ask(db, "readers_only")
    assert sorted(people(rows)) == [SAM, OTHER_SAM, BO, NEW], "Zoë has written, as the log says"
    db.execute("insert into usage_activity_person_posts values (1, ?, 1, 1)", (BO,))
    assert sorted(people(ask(db, "readers_only"))) == [SAM, OTHER_SAM, NEW]


def test_a_post_without_a_home_makes_nobody_silent(db):
    assert people(ask(db, "readers_only")) == [BO]
    db.execute("insert into forum_posts (moodle_id, course_id, person_id) values (99, 1, ?)", (BO,))
    assert ask(db, "readers_only") == []


def test_where_only_staff_writes_nobody_is_silent(db):
    db.execute("delete from forum_posts where person_id != ?", (TEACHER,))
    db.execute("delete from usage_activity_person_posts")
    assert note(ask(db, "readers_only")).startswith("no student has written in a forum of this course yet")
    assert len(ask(db, "readers_only", activity="10")) == 5, "asked for, it is counted"


# ---- Which student posts have had no staff reply? ----


def test_unanswered_posts(db):
    rows = ask(db, "unanswered_posts")
    columns = ("person", "forum", "discussion", "what", "days_waiting", "classmates_replied")
    assert [some(row, *columns) for row in rows] == [
        (NEW, "News & <i>chat</i>", "Discussion 2", "opens a discussion", 14.0, 0),
        (SAM, "All on one page", "Discussion 3", "opens a discussion", 13.0, 0),
        (OTHER_SAM, "News & <i>chat</i>", "Discussion 1", "in a student’s discussion", 13.5, 0),
    ]
    assert rows[0]["url"] == "https://moodle.example.edu/mod/forum/discuss.php?d=2#p4"
    assert list(rows[0])[:4] == ["fullname", "discussion", "begins", "days_waiting"]
    assert people(ask(db, "unanswered_posts", hours="330")) == [NEW]
    assert people(ask(db, "unanswered_posts", activity="All on one page", hours="")) == [SAM]


async def test_what_waits_for_a_reply_is_reached_by_its_title(path):
    with sqlite3.connect(path) as db:
        db.execute("update forum_posts set url = 'javascript:alert(1)' where id = 4")
    html = HTMLParser((await get(instance(path), "/moodle/unanswered_posts?course=2")).text)
    links = [cell.css_first("a") for cell in html.css("tbody .col-discussion")]
    assert links[0] is None, "an address of no web page is no link"
    assert links[2].text() == "Discussion 1"
    assert links[2].attributes["href"] == "https://moodle.example.edu/mod/forum/discuss.php?d=1#p3"
    heads = [head.text() for head in html.css("thead th")]
    assert heads[:3] == ["name", "discussion", "days waiting"] and heads[-1] == "e-mail"
    assert "address" not in heads and "javascript" not in html.css_first("table").html


def test_any_later_post_of_staff_in_the_discussion_is_a_reply(db):
    post(db, 20, BO, "2016-03-04T00:00:00Z", answers=1)
    post(db, 21, TEACHER, "2016-03-03T00:00:00Z", answers=1)
    assert people(ask(db, "unanswered_posts", activity="10")) == [NEW, BO]
    post(db, 22, TEACHER, "2016-03-05T00:00:00Z", answers=21)
    assert people(ask(db, "unanswered_posts", activity="10")) == [NEW]


def test_answers_to_what_staff_asked_come_last_and_classmates_count(db):
    db.execute("update forum_posts set person_id = ?, published_utc = '2016-03-01T11:00:00Z' where id = 4", (TEACHER,))
    post(db, 30, BO, "2016-03-01T12:00:00Z", answers=4, part=4)
    post(db, 31, ZOE, "2016-03-06T12:00:00Z", answers=3)
    rows = ask(db, "unanswered_posts")
    assert [some(row, "person", "what", "classmates_replied") for row in rows] == [
        (SAM, "opens a discussion", 0),
        (OTHER_SAM, "in a student’s discussion", 1),
        (ZOE, "in a student’s discussion", 0),
        (BO, "in a discussion that staff opened", 0),
    ]


def test_waiting_ends_with_the_newest_of_posts_and_log_and_with_teaching(db):
    def waiting() -> float:
        return of(ask(db, "unanswered_posts", course="2"), NEW)["days_waiting"]

    db.execute("update courses set data_up_to_utc = null")
    db.execute("update forum_posts set published_utc = '2016-03-05T01:00:00Z' where id = 3")
    assert waiting() == 3
    db.execute("update courses set data_up_to_utc = '2019-01-01T00:00:00Z' where id = 1")
    assert waiting() == 33.0, "until 4 April 2016, when the last week of the calendar is over"


def test_what_is_behind_the_log_says_so(db):
    db.execute("insert into usage_activity_person_posts values (1, ?, 3, 1)", (TEACHER,))
    rows = ask(db, "unanswered_posts")
    assert of(rows, NEW)["remark"] == "the log has 2 more posts by staff in this forum: export it again"
    assert of(rows, SAM)["remark"] is None


def test_posts_whose_discussion_nobody_knows_hang_together_by_what_they_answer(db):
    db.execute("update forum_posts set part_id = null")
    rows = ask(db, "unanswered_posts")
    assert [some(row, "person", "forum", "discussion") for row in rows] == [
        (NEW, None, "Hello 4 <script>alert(2)</script>"),
        (SAM, None, "Hello 5 <script>alert(2)</script>"),
        (OTHER_SAM, None, "Hello 3 <script>alert(2)</script>"),
    ]
    assert {row["remark"] for row in rows} == {"its forum is not known: load the log too"}
    db.execute("update forum_posts set parent_id = 4 where id = 4")  # no Moodle makes this, but a file may say it
    assert len(ask(db, "unanswered_posts")) == 3


def test_the_beginning_of_a_text(db):
    db.execute("update forum_posts set text = ? where id = 4", ("Why?\n" + "very " * 40,))
    assert of(ask(db, "unanswered_posts"), NEW)["begins"] == ("Why? " + "very " * 40)[:120] + " …"


# ---- Who replies to whom in the forums? ----


def test_replies_between(db):
    rows = ask(db, "replies_between")
    columns = ("person", "role", "to_person", "replies_to_role", "replies", "first_reply_utc", "last_reply_utc")
    assert [some(row, *columns) for row in rows] == [
        (TEACHER, "staff", ZOE, "student", 1, "2016-03-01T12:00:00Z", "2016-03-01T12:00:00Z"),
        (OTHER_SAM, "student", ZOE, "student", 1, "2016-03-02T11:00:00Z", "2016-03-02T11:00:00Z"),
    ]
    post(db, 40, OTHER_SAM, "2016-03-09T00:00:00Z", answers=1)
    post(db, 41, OTHER_SAM, "2016-03-09T00:00:00Z", answers=3)
    most = ask(db, "replies_between")[0]
    assert some(most, "person", "replies", "last_reply_utc") == (OTHER_SAM, 2, "2016-03-09T00:00:00Z"), "not to oneself"


def test_replies_to_or_from_a_group(db):
    assert len(ask(db, "replies_between", group="Online")) == 2, "both are to Zoë"
    assert people(ask(db, "replies_between", group='A "quoted"')) == [OTHER_SAM]
    assert ask(db, "replies_between", group="Toowoomba") == []


def test_what_is_to_be_drawn():
    charts = {name: QUERIES[name].get("chart") for name in ("replies_between", "blog_links_between", "posts_by_week")}
    joined = {"mark": "network", "from": "fullname", "to": "replies_to", "weight": "replies"}
    assert charts["replies_between"].items() >= joined.items()
    assert charts["blog_links_between"]["weight"] == "links" and charts["posts_by_week"]["mark"] == "heat"


def test_charts_name_columns_that_there_are(tmp_path):
    db = opened(made_up.small(tmp_path / "moodle.db"))
    for name, query in QUERIES.items():
        chart = query.get("chart") or {}
        drawn = {chart[key] for key in ("x", "y", "value", "series", "from", "to", "weight") if key in chart}
        cursor = db.execute(query["sql"], dict.fromkeys(query["params"], ""))
        assert drawn <= {column[0] for column in cursor.description}, name
