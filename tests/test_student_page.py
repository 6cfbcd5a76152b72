"""The student page's newer parts: what is new since the last look, completion by week, what is worth a look, moods."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from loaders import answers, look_ups, moods, since, student, student_completion
from tests import made_up
from tests.visit import TEACHER, get, instance, post

ZOE = "/-/student?course=2&user=5"
BLOG = (
    "insert into blog_posts (feed_id, guid, person_id, title, url, published_utc, first_fetched_utc, sentiment,"
    " no_sentiment, usual_sentiment, positive_pct, negative_pct, most_negative, word_count, link_count)"
    " values (1, ?, 1, ?, ?, ?, '2016-03-20T00:00:00Z', ?, ?, ?, 50, 50, ?, 120, 2)"
)


@pytest.fixture
def path(tmp_path) -> Path:
    return made_up.small(tmp_path / "moodle.db")


def changed(path: Path, *statements: str, rows: list[tuple] = ()) -> Path:
    with sqlite3.connect(path) as db:
        for statement in statements:
            db.execute(statement)
        db.executemany(BLOG, rows)
    db.close()
    return path


async def html_of(path: Path, address: str = ZOE) -> HTMLParser:
    return HTMLParser((await get(instance(path), address)).text)


def words(html: HTMLParser, selector: str) -> str:
    return " ".join(html.css_first(selector).text(separator=" ").split())


def found(path: Path, user: str = "5") -> dict:
    conn = sqlite3.connect(path)
    course = answers.course(conn, "2")
    return student.student(conn, course, answers.person(conn, course, user=user))


# ---- Since the last look ----


def looked(path: Path, when: str, course: str = "2", student: str = "5", actor: str = "teacher") -> None:
    """A look at Zoë's page, as the record keeps it."""
    row = {"time_utc": when, "actor": actor, "what": "student", "site": made_up.SITE}
    record = path.parent / "private"
    record.mkdir(mode=0o700, exist_ok=True)
    db = look_ups.opened(record / "audit.db")
    look_ups.write(db, [{**row, "course": course, "student": student}])
    db.close()


async def test_the_first_look_says_nothing_of_earlier_ones(path):
    html = await html_of(path)
    assert html.css_first(".since") is None and "opened this student" not in html.body.text()


async def test_what_was_loaded_after_the_last_look_is_new_however_old_it_is(path):
    changed(
        path,
        "update loads set kind = 'course log' where id = 1",
        "update loads set loaded_utc = '2026-01-01T00:00:00Z', newest_utc = '2016-03-05T00:00:00Z'",
        "update completions set state = 'complete-pass' where person_id = 1 and activity_id = 2",
        "insert into submissions (person_id, activity_id, state, time_utc) values (1, 3, 'submitted',"
        " '2016-03-09T00:00:00Z')",
    )
    looked(path, "2026-02-01T00:00:00Z")
    html = await html_of(path)
    said = words(html, ".since")
    assert "1 activity completed , 1 handed in" in said.replace("completed,", "completed ,")
    assert "Quiz 1" in said and "forum post" not in said, "the report of 5 March had everything before it"
    assert "you opened this student once before" in words(html, ".foot")


async def test_clicks_alone_are_something_new(path):
    changed(
        path,
        "update loads set kind = 'course log' where id = 1",
        "update loads set loaded_utc = '2026-01-01T00:00:00Z', newest_utc = '2016-03-12T00:00:00Z'",
    )
    looked(path, "2026-02-01T00:00:00Z")
    said = words(await html_of(path), ".since")
    assert ": 1 click" in said and "nothing completed, handed in or posted" in said, "not counted: her own post"


async def test_nothing_new_is_said_so(path):
    changed(path, "update loads set newest_utc = '2016-12-31T00:00:00Z'")
    looked(path, "2026-02-01T00:00:00Z")
    assert words(await html_of(path), ".since").startswith("Nothing new in the data since you last looked")


async def test_others_looks_other_courses_and_this_visit_do_not_count(path):
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    looked(path, "2026-02-01T00:00:00Z", actor="colleague")
    looked(path, "2026-02-01T00:00:00Z", course="3")
    looked(path, "2026-02-01T00:00:00Z", student="18")
    looked(path, now)
    html = await html_of(path)
    assert html.css_first(".since") is None and "opened this student" not in words(html, ".foot")


async def test_visits_are_counted_and_not_pages(path):
    for when in ("2026-02-01T10:00:00Z", "2026-02-01T10:20:00Z", "2026-02-01T10:45:00Z", "2026-02-01T12:00:00Z"):
        looked(path, when)
    assert "you opened this student twice before" in words(await html_of(path), ".foot")


async def test_a_record_that_cannot_be_read_hides_no_student(path):
    record = path.parent / "private" / "audit.db"
    record.parent.mkdir(mode=0o700)
    record.write_bytes(b"no database at all, but as long as a header of one is: " * 4)
    course = {"site": made_up.SITE, "moodle_id": 2}
    with pytest.raises(sqlite3.DatabaseError):
        since.looks(record, "teacher", course, {"moodle_id": 5}, datetime.now(UTC))


def test_blog_posts_are_new_by_when_their_feed_first_had_them(path):
    changed(path, rows=[("a", "Late", None, "2016-03-01T00:00:00Z", None, "too short", None, None)])
    conn = sqlite3.connect(path)
    course = answers.course(conn, "2")
    everything = found(path)
    news = since.changes(conn, course, everything, "2016-03-19T00:00:00Z")
    assert [row["title"] for row in news["blog"]] == ["Late"]
    assert since.changes(conn, course, everything, "2016-03-21T00:00:00Z")["blog"] == []
    assert since.changes(conn, course, everything, None) is None


# ---- Completion ----


def test_completion_by_week_tells_whose_week_from_when(path):
    changed(path, "update completions set state = 'complete' where person_id = 1 and activity_id = 2")
    weeks = found(path)["completion_by_week"]
    assert [(w["week"], w["done"], w["tracked"], w["completed"]) for w in weeks] == [(1, 1, 2, 1), (2, None, 0, 1)]
    assert weeks[1]["first_utc"] == weeks[1]["last_utc"] == "2016-03-08T10:30:00Z"
    assert weeks[0]["done_pct"] == 50


def test_a_completion_on_monday_morning_is_of_the_new_week_in_course_time(path):
    changed(
        path, "update completions set completed_utc = '2016-03-06T15:00:00Z' where person_id = 1 and activity_id = 1"
    )
    assert [w["week"] for w in found(path)["completion_by_week"] if w["completed"]] == [2]


def test_a_completion_the_log_does_not_reach_is_of_its_own_week(path):
    later = "'2016-05-20T00:00:00Z' where person_id = 1 and activity_id = 1"
    changed(path, f"update completions set completed_utc = {later}", "delete from weeks where week > 3")
    weeks = [(w["week"], w["words"]) for w in found(path)["completion_by_week"] if w["completed"]]
    assert weeks == [(12, "Week 12")]


def done_at(*seconds: int, **more) -> list[dict]:
    """Completions at these seconds of one minute or hour."""
    return [
        {
            "cmid": 10 + place, "name": f"Page {place}", "done": True, "clicks": 1, "set_by": None,
            "completed_utc": datetime.fromtimestamp(1_457_000_000 + second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            **more,
        }
        for place, second in enumerate(seconds)
    ]  # fmt: skip


LOG = ({"data_up_to_utc": "2016-04-01T00:00:00Z"}, "2016-02-01")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ((0, 41, 60), ["run:10,11,12"]),
        ((0, 41), []),  # two in a row happen
        ((0, 61, 122), []),
        ((0, 60, 120, 181), ["run:10,11,12"]),
        ((0, 0, 0, 0), []),  # Moodle set them at once
        ((0, 0, 20), []),
        ((0, 0, 20, 40), ["run:10,11,12,13"]),
        ((0, 10, 20, 500, 510, 520), ["run:13,14,15", "run:10,11,12"]),
    ],
)
def test_runs_of_completions_seconds_apart(seconds, expected):
    rows = done_at(*seconds)
    assert [odd["about"] for odd in student_completion.worth_a_look(*LOG, rows)] == expected


def test_a_run_tells_how_long_after_the_one_before():
    rows = done_at(0, 41, 60)
    (odd,) = student_completion.worth_a_look(*LOG, rows)
    assert odd["seconds"] == 60 and [row["after_s"] for row in rows] == [None, 41, 19]
    assert [one["name"] for one in odd["activities"]] == ["Page 0", "Page 1", "Page 2"]


@pytest.mark.parametrize(
    ("log", "more", "expected"),
    [
        (LOG, {"clicks": 0}, ["unseen:10"]),
        (LOG, {"clicks": 3}, []),
        (LOG, {"clicks": None}, []),  # not logged is not never
        (LOG, {"clicks": 0, "set_by": "Marguerite Holloway"}, []),
        (({"data_up_to_utc": "2016-03-01T00:00:00Z"}, "2016-02-01"), {"clicks": 0}, []),  # the log ends before
        ((LOG[0], "2016-03-28"), {"clicks": 0}, []),  # it begins after
        (({"data_up_to_utc": None}, None), {"clicks": 0}, []),
    ],
)
def test_completions_without_a_view(log, more, expected):
    assert [odd["about"] for odd in student_completion.worth_a_look(*log, done_at(0, **more))] == expected


def test_a_finding_without_ids_has_no_mark_that_others_share():
    (odd,) = student_completion.worth_a_look(*LOG, done_at(0, cmid=None, clicks=0))
    assert odd["about"] is None and odd["activities"] == [{"cmid": None, "name": "Page 0"}]


async def test_worth_a_look_is_said_with_reasons(path):
    when = "'2016-03-09T00:00:00Z'"
    changed(
        path,
        f"update completions set state = 'complete', completed_utc = {when} where person_id = 1 and activity_id = 3",
    )
    html = await html_of(path)
    assert "Reading nobody opens: done" in words(html, ".odd") and "good reasons" in words(html, ".odd")
    assert "never opened" in words(html, "#completion tr:has(.warn)")


# ---- Posts ----

POSTS = [
    ("a", "One <b>", "https://zoe.example.org/1", "2016-03-01T00:00:00Z", 0.5, None, None, None),
    ("b", "Two", "javascript:alert(1)", "2016-03-08T00:00:00Z", -0.41, None, 0.21, "An <i>epic</i> fail."),
    ("c", "Drei", None, "2016-03-09T00:00:00Z", None, "not English", None, None),
    ("d", "Four", None, "2016-03-10T00:00:00Z", 0.02, None, 0.1, None),
    ("e", "Five", None, "2016-03-11T00:00:00Z", None, None, None, None),
]


async def test_posts_say_how_they_sound_beside_the_usual_and_why(path):
    html = await html_of(changed(path, rows=POSTS))
    said = [" ".join(post.text(separator=" ").split()) for post in html.css("#posts .post")]
    assert said[0].startswith("no score: not scored yet Five")
    assert said[1].startswith("sounds neutral: +0.02 ● Four")
    assert said[2].startswith("no score: not English Drei")
    assert said[3].startswith("sounds negative: −0.41 ▼ Two")
    assert "0.62 below the usual +0.21" in said[3] and "An <i>epic</i> fail." in said[3]
    assert said[4].startswith("sounds positive: +0.50 ▲ One <b>")
    assert [a.attributes["href"] for a in html.css("#posts .post a") if "mod/forum" not in a.attributes["href"]] == [
        "https://zoe.example.org/1"
    ]


async def test_a_post_dated_before_it_was_there_says_when_it_came(path):
    changed(path, rows=POSTS)
    changed(path, "update blog_posts set missed_utc = '2016-03-10T00:00:00Z' where guid = 'a'")
    said = [" ".join(post.text(separator=" ").split()) for post in (await html_of(path)).css("#posts .post")]
    assert ["first seen here" in each for each in said].count(True) == 1


async def test_of_very_many_posts_the_newest_are_shown_and_all_are_counted(path):
    rows = [
        (str(number), "T" * 1000, None, f"2016-03-0{number % 9 + 1}T00:00:00Z", 0.1, None, None, "Bad.")
        for number in range(3000)
    ]
    html = await html_of(changed(path, "delete from blog_posts", rows=rows))
    assert len(html.css("#posts .post")) == len(found(path)["posts"]) and len(html.html) < 500_000
    assert "3,000" in words(html, "nav.tabs") and "T" * 300 not in html.html
    older = html.css_first("#posts .note a")
    assert older.text() == "Older ones: 2,800 more"
    assert older.attributes["href"] == "/moodle/blog_posts?person_id=1&_sort_desc=published_utc"
    said = found(path)
    assert said["truncated"] and said["post_count"]["blog"] == said["sentiment"]["blog"]["scored"] == 3000
    assert {len(post["title"]) for post in said["posts"] if post["source"] == "blog"} == {300}
    newest = [post["published_utc"] for post in said["posts"] if post["source"] == "blog"]
    assert len(newest) == 200 and set(newest) == {"2016-03-09T00:00:00Z"}


async def test_a_line_of_moods_from_three_posts_on(path):
    html = await html_of(changed(path, rows=POSTS))
    assert len(html.css("#posts svg circle")) == 3
    assert "+0.50, −0.41, +0.02" in html.css_first("#mood-words").text()
    changed(path, "delete from blog_posts where guid = 'd'")
    assert not (await html_of(path)).css("#posts svg")


def test_a_trend_needs_three_posts_on_either_side():
    posts = [{"sentiment": score} for score in (-0.4, -0.2, None, 0.0, 0.3, 0.4, 0.5)]
    assert student.trend(posts) == {"scored": 6, "mean": 0.1, "recent": -0.2, "before": 0.4}
    assert student.trend(posts[2:])["recent"] is None
    assert student.trend([])["mean"] is None, "no posts are not neutral posts"


@pytest.mark.parametrize(
    ("score", "text"), [(0.5, "+0.50"), (-0.41, "−0.41"), (0.001, "0.00"), (-0.001, "0.00"), (1, "+1.00")]
)
def test_scores_have_their_sign(score, text):
    assert moods.signed(score) == text


async def test_what_became_of_the_blog_is_said_in_different_words(path):
    assert "No blogs are loaded yet." in words(await html_of(path), "#posts")
    changed(path, "insert into feeds (id, person_id, url) values (1, 2, 'https://sam.example.org/')")
    assert "no blog of this person is registered" in words(await html_of(path), "#posts")
    changed(path, "update feeds set person_id = 1")
    assert "registered and not fetched yet" in words(await html_of(path), "#posts")
    changed(path, "update feeds set asked_utc = '2016-03-01T00:00:00Z', error = 'The blog is gone (404).'")
    said = words(await html_of(path), "#posts")
    assert "could not be read" in said and "The blog is gone (404)." in said
    changed(path, "update feeds set error = null, fetched_utc = '2016-03-01T00:00:00Z'")
    assert "the blog has no posts" in words(await html_of(path), "#posts")
    assert "https://sam.example.org/" in words(await html_of(path), "#details")
    changed(path, "update feeds set registered = 0, error = 'The blog is gone (404).'")
    said = words(await html_of(path), "#posts")
    assert "is not registered any more: its posts stay" in said and "could not be read" not in said
    assert "Former blog" in words(await html_of(path), "#details")


async def test_what_was_looked_at_and_found_fine_is_not_listed_again(path):
    changed(path, "update completions set state = 'complete' where person_id = 1 and activity_id = 3")
    changed(
        path, "update completions set completed_utc = '2016-03-09T00:00:00Z' where person_id = 1 and activity_id = 3"
    )
    datasette = instance(path)
    form = (await get(datasette, ZOE)).text.partition('class="mark-it" action="')[2].partition('"')[0]
    marked = await post(datasette, form.replace("&amp;", "&"), {"do": "mark", "about": "unseen:12"}, TEACHER)
    assert marked.status_code == 303
    html = await html_of(path)
    assert html.css_first(".odd") is None and not html.css("#completion tr:has(.warn)")
    assert "Reading nobody opens: done" in words(html, ".fine")


async def test_how_long_before_the_due_date_it_was_done(path):
    changed(path, "update activities set due_utc = '2016-03-04T10:00:00Z' where id in (1, 2)")
    rows = [" ".join(row.text(separator=" ").split()) for row in (await html_of(path)).css("#completion tr:has(.due)")]
    assert [row for row in rows if "3 days before due" in row and "chat" in row]
    assert [row for row in rows if "due March 2016" in row and "Quiz 1" in row], "failed: it is still to be done"
