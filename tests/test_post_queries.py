"""The questions of metadata.yml about blogs and forums, over the posts of made_up_posts that one knows by heart."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from tests import made_up, made_up_posts
from tests.made_up import AWAY, BO, NEW, OTHER_SAM, SAM, ZOE
from tests.test_queries import QUERIES, ask, note, opened
from tests.visit import get, instance

POST_QUERIES = [name for name, query in QUERIES.items() if query.get("heading") == "Blogs and forums"]
OF_THE_LOG = ("discussions_read", "readers_only")  # which can answer while no post is loaded
NO_ROW_A_PERSON = ("class_posts_by_week", "discussions_read", "replies_between")


@pytest.fixture
def path(tmp_path) -> Path:
    return made_up_posts.small(tmp_path / "moodle.db")


@pytest.fixture
def db(path) -> sqlite3.Connection:
    return opened(path)


def people(rows: list[dict]) -> list[int]:
    return [row["person"] for row in rows]


def of(rows: list[dict], person: int) -> dict:
    (row,) = [row for row in rows if row["person"] == person]
    return row


def some(row: dict, *columns: str) -> tuple:
    return tuple(row[column] for column in columns)


# ---- all of them ----


def test_there_are_thirteen():
    assert len(POST_QUERIES) == 13


@pytest.mark.parametrize("name", [name for name in POST_QUERIES if name not in OF_THE_LOG])
def test_nothing_loaded_is_one_sentence_that_says_what_to_load(tmp_path, name):
    db = opened(made_up.small(tmp_path / "moodle.db"))
    for table in ("post_links", "forum_posts", "blog_posts", "feeds"):
        db.execute(f"delete from {table}")
    assert "loaded yet" in note(ask(db, name)) and "load the export of a forum" in note(ask(db, name))


@pytest.mark.parametrize("name", POST_QUERIES)
def test_400_students_with_8000_posts_take_well_under_a_fifth_of_a_second(many, name):
    times = []
    for _ in range(3):
        start = time.thread_time()
        rows = ask(many, name)
        times.append(time.thread_time() - start)
    assert min(times) < 0.2
    assert "note" not in {key for row in rows[:1] for key, value in row.items() if value is not None}
    assert len(rows) <= 10_000


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> sqlite3.Connection:
    return opened(made_up_posts.large(tmp_path_factory.mktemp("many") / "moodle.db", students=400, events=20_000))


@pytest.mark.parametrize("name", POST_QUERIES)
def test_no_question_reads_through_the_texts_of_blog_posts(many, name):
    """A blog post is a page or two of the file: whoever counts them must not read them all."""
    sql, empty = QUERIES[name]["sql"], dict.fromkeys(QUERIES[name]["params"], "")
    plan = [row[3] for row in many.execute("explain query plan " + sql, empty)]
    steps = [step for step in plan if step.startswith(("SCAN blog_posts", "SEARCH blog_posts"))]
    whole = [step for step in steps if "COVERING" not in step and "INTEGER PRIMARY KEY" not in step]
    assert len(whole) == (name == "unusually_negative"), "that counts what has no score, if nothing has"


@pytest.mark.parametrize("name", [name for name in POST_QUERIES if name not in NO_ROW_A_PERSON])
def test_a_group_is_part_of_the_answer_for_all(db, name):
    all_rows, online = ask(db, name), ask(db, name, group="Online")
    assert online == [row for row in all_rows if row["person"] in (ZOE, SAM)]


async def test_names_lead_to_the_student_and_nothing_is_taken_for_markup(path):
    datasette = instance(path)
    for name in POST_QUERIES:
        page = await get(datasette, f"/moodle/{name}?course=2")
        html = HTMLParser(page.text)
        assert page.status_code == 200 and "Answer:" in page.text
        assert "<script>alert" not in page.text and "<b>task" not in page.text
        if link := html.css_first("tbody .col-fullname a"):
            assert (await get(datasette, link.attributes["href"])).status_code == 200
        else:
            assert name in NO_ROW_A_PERSON


async def test_the_form_says_what_each_number_means(path):
    datasette = instance(path)
    for name, field, words, hint in (
        ("stopped_posting", "weeks", "Silent for weeks", "2"),
        ("unusually_negative", "below", "Below their usual by", "0.3"),
        ("posts_before_due", "hours", "Hours before due", "72"),
        ("away", "days", "Days away", "14"),
    ):
        html = HTMLParser((await get(datasette, f"/moodle/{name}?course=2")).text)
        assert html.css_first(f'label[for="ask-{field}"]').text() == words
        assert html.css_first(f"#ask-{field}-hint").text() == f"{hint} if left out"


async def test_the_course_page_has_them_under_a_heading_of_their_own(path):
    html = HTMLParser((await get(instance(path), "/-/course?course=2")).text)
    headings = [heading.text() for heading in html.css("#questions + .headed h3")]
    found = html.css("#questions + .headed ul.questions")[headings.index("Blogs and forums")]
    assert [link.text() for link in found.css("a")] == [QUERIES[name]["title"] for name in POST_QUERIES]


# ---- Who posts how much, week by week? ----


def test_posts_by_week_counts_weeks_of_course_time(db):
    rows = [row for row in ask(db, "posts_by_week") if row["person"] == ZOE]
    assert [some(row, "week", "starts_on", "blog_posts", "forum_posts", "words") for row in rows] == [
        (0, "2016-02-22", 1, 0, 100),
        (1, "2016-02-29", 0, 1, 3),
        (2, "2016-03-07", 1, 0, 100),  # Sunday evening in UTC
        (3, "2016-03-14", 1, 0, 100),
        (4, "2016-03-21", 1, 0, 100),
        (6, "2016-04-04", 1, 0, 100),  # after the last week of the calendar
    ]
    assert [row["gone"] for row in rows] == [None, None, None, 1, None, None]


def test_posts_by_week_misses_nobody(db):
    rows = ask(db, "posts_by_week")
    assert list(dict.fromkeys(people(rows))) == [AWAY, SAM, OTHER_SAM, ZOE, NEW, BO]
    assert some(of(rows, AWAY), "week", "posts", "words", "remark") == (None, 0, 0, "no post; no blog registered")
    assert some(of(rows, BO), "posts", "blog_posts", "remark") == (0, None, "no post; blog not read: 404 Not Found")
    assert some(of(rows, NEW), "week", "posts", "blog_posts", "remark") == (1, 1, None, "no blog registered")


def test_posts_by_week_tells_not_loaded_from_none(db):
    db.execute("delete from forum_posts")
    assert {row["forum_posts"] for row in ask(db, "posts_by_week")} == {None}
    assert of(ask(db, "posts_by_week"), AWAY)["remark"] == "no post; no blog registered"
    db.execute("insert into usage_activity_person_posts values (1, ?, 3, 1)", (AWAY,))
    said = "no post; the log has 3 in forums that are not loaded; no blog registered"
    assert of(ask(db, "posts_by_week"), AWAY)["remark"] == said
    db.execute("insert into pulls (course_id, part, fetched_utc) values (1, 'blog', '2016-04-05T00:00:00Z')")
    rows = ask(db, "posts_by_week")
    assert some(of(rows, NEW), "blog_posts", "remark") == (0, "no post"), "Moodle's own blog is everybody's"


def test_a_course_without_a_log_has_posts_of_any_time_and_no_weeks(db):
    db.execute("delete from weeks")
    db.execute("update courses set start_date = null")
    rows = [row for row in ask(db, "posts_by_week") if row["person"] == ZOE]
    assert some(rows[0], "week", "starts_on") == (None, "2016-01-04")


def test_class_posts_by_week(db):
    rows = ask(db, "class_posts_by_week")
    columns = ("week", "name", "posts", "blog_posts", "forum_posts", "students", "students_pct")
    assert [some(row, *columns) for row in rows] == [
        (0, None, 1, 1, 0, 1, 16.7),
        (1, "Week 1", 6, 2, 4, 4, 66.7),
        (2, "Week 2", 2, 2, 0, 2, 33.3),
        (3, "Week 3", 2, 2, 0, 2, 33.3),
        (4, "Easter", 1, 1, 0, 1, 16.7),
        (5, "Week 4", 0, 0, 0, 0, 0.0),
        (6, None, 1, 1, 0, 1, 16.7),
    ]
    assert [row["is_break"] for row in rows] == [None, None, None, None, 1, None, None]
    online = ask(db, "class_posts_by_week", group="Online")
    assert [some(row, "week", "students", "students_pct") for row in online][1:3] == [(1, 2, 100.0), (2, 2, 100.0)]


# ---- Who has stopped posting? ----


def test_stopped_posting_counts_back_from_the_newest_of_log_and_posts(db):
    rows = ask(db, "stopped_posting")
    assert [some(row, "person", "standing", "weeks_since", "usual_gap_days", "posts") for row in rows] == [
        (SAM, "silent", 2.9, 5.0, 4),  # gaps of 2, 5 and 7 days
        (NEW, "too few posts for a rhythm", 4.7, None, 1),
        (OTHER_SAM, "too few posts for a rhythm", 4.7, None, 2),  # both on one day
        (AWAY, "no post loaded", None, None, 0),
        (BO, "no post loaded", None, None, 0),
    ]
    assert some(rows[0], "last_post_utc", "last_post_local") == ("2016-03-15T00:00:00Z", "2016-03-15T10:00:00")
    assert rows[4]["remark"] == "blog not read: 404 Not Found"
    assert people(ask(db, "stopped_posting", weeks="3")) == [NEW, OTHER_SAM, AWAY, BO]
    assert people(ask(db, "stopped_posting", weeks="5")) == [AWAY, BO]


def test_stopped_posting_is_relative_to_the_usual_gap(db):
    db.execute("delete from forum_posts")
    db.execute("delete from blog_posts where person_id = ? and published_utc like '2016-03-08%'", (SAM,))
    assert SAM not in people(ask(db, "stopped_posting")), "20 days are not twice 14"
    db.execute("update courses set data_up_to_utc = '2016-04-13T00:00:00Z' where id = 1")
    db.execute("insert into weeks (course_id, week, starts_on) values (1, 6, '2016-04-04'), (1, 7, '2016-04-11')")
    assert some(of(ask(db, "stopped_posting"), SAM), "weeks_since", "usual_gap_days") == (4.1, 14.0)


def test_a_log_that_goes_on_after_the_calendar_makes_nobody_silent(db):
    def standings() -> list[tuple]:
        return [(row["person"], row["standing"]) for row in ask(db, "stopped_posting")]

    before = standings()
    db.execute("update courses set data_up_to_utc = '2019-04-13T00:00:00Z' where id = 1")
    assert standings() == before, "the last teaching week ends on 4 April 2016"
    later(db)
    assert standings() == before, "who writes years later was silent then"


def later(db: sqlite3.Connection) -> None:
    """A very negative post of everybody, years after the last teaching week."""
    db.execute("update courses set data_up_to_utc = '2019-04-13T00:00:00Z' where id = 1")
    db.execute(
        "insert into blog_posts (person_id, published_utc, title, sentiment, usual_sentiment) "
        "select distinct person_id, '2019-01-01T00:00:00Z', 'Much later', -0.9, 0.5 from blog_posts"
    )


def test_never_posted_is_said_of_those_whose_blog_was_read(db):
    db.execute("update feeds set fetched_utc = '2016-04-05T00:00:00Z', error = null where person_id = ?", (BO,))
    assert some(of(ask(db, "stopped_posting"), BO), "standing", "remark") == ("never posted", None)
    db.execute("insert into usage_activity_person_posts values (2, ?, 1, 1)", (BO,))
    assert of(ask(db, "stopped_posting"), BO)["standing"] == "no post loaded"


def test_a_blog_that_fails_now_says_when_it_was_last_read(db):
    db.execute("update feeds set error = 'timed out' where person_id = ?", (SAM,))
    assert of(ask(db, "stopped_posting"), SAM)["remark"] == "blog last read on 2016-04-05: timed out"


def test_a_post_dated_in_the_future_makes_nobody_else_silent(db):
    before = ask(db, "stopped_posting")
    db.execute("update blog_posts set published_utc = '2999-01-01T00:00:00Z' where id = ?", (made_up_posts.ZOE_BREAK,))
    assert ask(db, "stopped_posting") == before


# ---- Which posts sound unusually negative for that student? ----


def test_unusually_negative_is_below_the_students_own_usual(db):
    own, first = ask(db, "unusually_negative")
    assert some(own, "person", "place", "sentiment", "usual_sentiment", "difference", "sounds", "compared_with") == (
        ZOE, "blog", -0.4, 0.29, -0.69, "negative", "own earlier posts",
    )  # fmt: skip
    assert own["most_negative"] == "I hate this <b>task</b>." and own["url"] == "https://blogs.example.org/1/6"
    assert some(first, "person", "difference", "compared_with") == (
        OTHER_SAM, None, "no baseline yet: the class’s mean is 0.09",
    )  # fmt: skip


def test_unusually_negative_by_how_much_and_how_lately(db):
    assert ask(db, "unusually_negative", below="0.7") == []
    assert people(ask(db, "unusually_negative", below="0.6")) == [ZOE]
    assert [row["title"] for row in ask(db, "unusually_negative", below="0.03")][:2] == [
        "Post 6 & <i>more</i>",
        "Post 5 & <i>more</i>",
    ]
    assert people(ask(db, "unusually_negative", weeks="2")) == [ZOE]
    lowered = ask(db, "unusually_negative", below="0.03", weeks="1")
    assert [row["sounds"] for row in lowered] == ["negative"]
    later(db)
    assert "Much later" in {row["title"] for row in ask(db, "unusually_negative")}
    lately = {row["title"] for row in ask(db, "unusually_negative", below="0.03", weeks="8")}
    assert lately and "Much later" not in lately, "the last weeks are weeks of teaching"


def test_unusually_negative_in_a_forum_leads_to_the_post(db):
    db.execute("update forum_posts set sentiment = 0.1, usual_sentiment = 0.8, most_negative = 'No.' where id = 3")
    row = ask(db, "unusually_negative")[0]
    assert some(row, "place", "difference", "sounds", "url") == (
        "forum", -0.7, "positive", "https://moodle.example.edu/mod/forum/discuss.php?d=1#p3",
    )  # fmt: skip


def test_without_scores_the_answer_says_why(db):
    db.execute("update blog_posts set sentiment = null")
    assert note(ask(db, "unusually_negative")) == "no post of a student has a score yet: 9 not scored yet, 4 too short"


# ---- Who posts only just before due dates? ----


def test_posts_before_due_against_what_an_even_spread_gives(db):
    rows = ask(db, "posts_before_due")
    columns = ("person", "posts", "before_due", "before_due_pct", "expected_pct")
    assert [some(row, *columns) for row in rows] == [
        (ZOE, 3, 1, 33.3, 14.3),  # weeks 1, 2 and 3; not those before, in the break and after the calendar
        (SAM, 4, 1, 25.0, 14.3),  # 4 of 28 days: Sunday night to Thursday night
    ]
    assert [row["before_due"] for row in ask(db, "posts_before_due", hours="240")] == [2, 2]
    assert [row["expected_pct"] for row in ask(db, "posts_before_due", hours="24")] == [7.1, 7.1], "two days of 28"


def test_a_post_on_the_due_minute_is_before_it_and_one_after_is_not(db):
    db.execute("update activities set due_utc = '2016-03-15T00:00:00Z' where id in (2, 3)")
    assert of(ask(db, "posts_before_due", hours="0.25"), SAM)["before_due"] == 1
    db.execute("update activities set due_utc = '2016-03-14T23:59:59Z' where id in (2, 3)")
    assert of(ask(db, "posts_before_due", hours="0.25"), SAM)["before_due"] == 0


def test_posts_before_due_needs_due_dates_and_weeks(db):
    db.execute("update activities set due_utc = null")
    assert note(ask(db, "posts_before_due")).startswith("no due dates of this course are known yet")
    db.execute("update activities set due_utc = '2016-03-15T00:00:00Z'")
    db.execute("delete from weeks")
    assert note(ask(db, "posts_before_due")).startswith("the teaching weeks of this course are not known yet")
