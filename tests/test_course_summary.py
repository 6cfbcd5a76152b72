"""The course page: how fresh, week by week, who needs a look, activities, every question; as page and as JSON."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import yaml
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from loaders import answers, course_summary, functions, house, needs_a_look, rollups, steps, usage
from tests import made_up, made_up_posts
from tests.visit import TEACHER, get, instance, recorded

MOODLE = yaml.safe_load((house.root() / "metadata.yml").read_text("utf-8"))["databases"]["moodle"]
QUERIES = steps.questions(MOODLE)
SQL = {name: query["sql"] for name, query in QUERIES.items()}
PAGE = "/-/course?course=2"


def opened(path: Path) -> sqlite3.Connection:
    """A connection as plugins/course_time.py makes it."""
    db = sqlite3.connect(path)
    functions.register(db)
    return db


@pytest.fixture
def db(tmp_path):
    connection = opened(made_up.small(tmp_path / "moodle.db"))
    yield connection
    connection.close()


@pytest.fixture
def datasette(tmp_path):
    return instance(made_up.small(tmp_path / "moodle.db"))


def summary(db: sqlite3.Connection, course: str = "2", *groups: str) -> dict:
    return course_summary.summary(db, answers.course(db, course), usage.Filters(groups=list(groups)), SQL)


def activities(found: dict) -> dict[str, dict]:
    return {row["name"]: row for section in found["sections"] for row in section["activities"]}


def text(response) -> str:
    return " ".join(HTMLParser(response.text).body.text(separator=" ").split())


# ---- How fresh ----


def test_each_kind_of_data_says_up_to_when_it_tells(db):
    fresh = {row["kind"]: row for row in summary(db)["freshness"]}
    assert fresh["course log"]["up_to_utc"] == "2016-03-16T00:00:00Z"
    assert fresh["activity completion"]["is_loaded"] and fresh["activity completion"]["up_to_utc"] is None
    assert fresh["activity completion"]["loaded_utc"] == "2016-03-16T01:00:00Z"
    assert fresh["grades"]["said"] == "not loaded yet" and fresh["blogs"]["said"] == "none registered"
    assert fresh["forum posts"]["is_loaded"]
    older = {row["kind"]: row["said"] for row in summary(db, "3")["freshness"]}
    assert {older[kind] for kind in ("course log", "activity completion", "grades", "forum posts")} == {
        "not loaded yet"
    }


def test_what_was_pulled_live_is_as_fresh_as_the_pull(db):
    db.execute("insert into pulls (course_id, part, fetched_utc) values (1, 'completion', '2016-03-17T00:00:00Z')")
    fresh = {row["kind"]: row for row in summary(db)["freshness"]}
    assert fresh["activity completion"]["up_to_utc"] == "2016-03-17T00:00:00Z"


def test_blogs_that_nobody_has_read_yet_are_not_nobodys(db):
    db.execute("insert into feeds (person_id, url) values (1, 'https://zoe.example.org/')")
    assert summary(db)["freshness"][-1]["said"] == "1 registered, none read yet"
    db.execute("update feeds set fetched_utc = '2016-03-17T00:00:00Z', error = 'Gone.'")
    blogs = summary(db)["freshness"][-1]
    assert (blogs["is_loaded"], blogs["blogs"], blogs["failed"]) == (True, 1, 1)


def test_the_next_download_leads_to_the_own_moodle_only(db):
    found = summary(db)["next_download"]
    assert found["kind"] == "course log" and found["href"].startswith(f"{made_up.SITE}/report/log/")
    db.execute("update sites set url = 'javascript:alert(1)//'")
    assert summary(db)["next_download"]["href"] is None


# ---- Week by week ----


def test_weeks_have_students_and_clicks_and_breaks(db):
    db.execute("update courses set data_up_to_utc = '2016-03-28T00:00:00Z' where id = 1")
    found = [(row["words"], row["students"], row["clicks"], row["is_break"]) for row in summary(db)["weeks"]]
    assert found == [
        ("Week 1", 4, 7, False),
        ("Week 2", 2, 2, False),
        ("Week 3", 1, 1, False),
        ("Week 4: Easter", 0, 0, True),
        ("Week 5: Week 4", 0, 0, False),
    ]


def test_a_group_narrows_weeks_and_activities_and_those_who_need_a_look(db):
    found = summary(db, "2", "Online")
    assert found["students"] == 2
    week_1 = found["weeks"][0]
    assert (week_1["students"], week_1["students_pct"], week_1["clicks"]) == (2, 100.0, 5)
    quiz = activities(found)["Quiz 1"]
    assert (quiz["students"], quiz["students_pct"], quiz["completed"], quiz["completed_pct"]) == (2, 100.0, 1, 50.0)
    assert [row["is_chosen"] for row in found["groups"]] == [False, True, False]
    never = next(row for row in found["needs_a_look"] if row["question"] == "never_entered")
    assert (never["count"], never["words"]) == (0, "everybody has entered the course")


def test_several_groups_are_anybody_in_one_of_them(db):
    found = summary(db, "2", "Online", "8")
    assert found["students"] == 3
    away = next(row for row in found["needs_a_look"] if row["question"] == "away")
    assert {person["fullname"] for person in away["people"]} == {"Sam Lee", made_up.MARKUP}


# ---- Activities ----


def test_activities_by_section_with_their_numbers_or_why_there_is_none(db):
    found = summary(db)
    assert [section["section"] for section in found["sections"]] == ["General", "Week 1: start", "Week 2: go on"]
    said = {
        name: (row["students"], row["clicks"], row["completed"], row["not_opened"], row["not_completed"])
        for name, row in activities(found).items()
    }
    assert said == {
        "News & <i>chat</i>": (3, 4, 2, None, None),
        "Quiz 1": (3, 3, 1, None, None),
        "Reading nobody opens": (0, 0, 0, "never opened", None),
        "The TPACK book": (1, 1, None, None, "not tracked"),
        "A heading": (None, None, None, "not logged", "not tracked"),
    }
    week_1 = found["sections"][1]
    assert (week_1["never_opened"], week_1["clicks"], week_1["tracked"], week_1["done_pct"]) == (1, 3, 2, 8.3)


def test_without_a_log_nothing_is_never_opened(db):
    db.execute("insert into activities (course_id, kind, name) values (2, 'page', 'Unknown')")
    row = activities(summary(db, "3"))["Unknown"]
    assert (row["not_opened"], row["not_completed"], row["clicks"]) == ("no log yet", "not known", None)


def test_what_was_deleted_shows_only_while_it_has_clicks(db):
    assert "Old link" not in activities(summary(db))
    db.execute("update usage_activity set clicks = 2, students = 1 where activity_id = 6")
    row = activities(summary(db))["Old link"]
    assert row["is_deleted"] and row["clicks"] == 2


def test_the_section_of_the_week_that_the_log_has_reached_is_open(db):
    assert [section["is_open"] for section in summary(db)["sections"]] == [False, False, True]
    db.execute("update courses set data_up_to_utc = '2016-03-06T13:59:00Z' where id = 1")  # a Sunday in Brisbane
    assert [section["is_open"] for section in summary(db)["sections"]] == [False, True, False]
    db.execute("update sections set week = null")
    assert [section["is_open"] for section in summary(db)["sections"]] == [False, False, True], "what was used last"


# ---- Who needs a look ----


def test_every_look_is_a_question_that_there_is_with_its_own_parameters():
    for look in needs_a_look.LOOKS:
        assert set(look.given) <= set(QUERIES[look.question]["params"]), look.question


@pytest.fixture(scope="module")
def posting(tmp_path_factory) -> sqlite3.Connection:
    """A class in which two never came, and two were last seen in the first week; in Group 2 one of each."""
    path = tmp_path_factory.mktemp("posting") / "moodle.db"
    db = opened(made_up_posts.large(path, students=60, posts=20, events=2000))
    db.execute("update usage_person set clicks = 0 where person_id in (1, 2)")
    sql = "update usage_person set last_event_id = null, last_utc = '2016-03-01T00:00:00Z' where person_id in (5, 6)"
    db.execute(sql)
    return db


@pytest.mark.parametrize("group", ["", "Group 2"])
def test_counts_are_those_of_the_questions(posting, group):
    course, filters = answers.course(posting, "2"), usage.Filters(groups=[group] if group else [])
    found = needs_a_look.findings(posting, course, filters, SQL)
    assert [row["question"] for row in found] == [look.question for look in needs_a_look.LOOKS]
    for look, row in zip(needs_a_look.LOOKS, found, strict=True):
        given = {**dict.fromkeys(QUERIES[look.question]["params"], ""), "course": "2", "group": group, **look.given}
        cursor = posting.execute(SQL[look.question], given)
        columns = [column[0] for column in cursor.description]
        rows = [dict(zip(columns, values, strict=True)) for values in cursor]
        expected = sum(not each["note"] and look.counts(each) for each in rows)
        assert row["count"] == expected > 0, look.question
        assert len(row["people"]) == len({person["person"] for person in row["people"]}) <= needs_a_look.FIRST


def test_reasons_stand_beside_the_names(db):
    found = {row["question"]: row for row in summary(db)["needs_a_look"]}
    assert [(row["fullname"], row["why"]) for row in found["never_entered"]["people"]] == [
        ("Al Away", "enrolled 20 February 2016")
    ]
    assert found["away"]["words"] == "3 students have been away for 14 days or more", "and one never came"
    assert [(row["fullname"], row["why"]) for row in found["away"]["people"]] == [
        (made_up.MARKUP, "last here 1 March 2016"),
        ("Sam Lee", "last here 2 March 2016"),
        ("Nia New", "last here 2 March 2016"),
    ]
    tasks = "insert into activities (id, cmid, course_id, kind, name, tracked) values (?, ?, 1, 'page', 'More', 1)"
    db.executemany(tasks, [(number, number) for number in range(101, 104)])
    done = "insert into completions (person_id, activity_id, state) values (?, ?, 'complete')"
    db.executemany(done, [(made_up.SAM, 101), (made_up.SAM, 102), (made_up.SAM, 103), (made_up.ZOE, 101)])
    behind = next(row for row in summary(db)["needs_a_look"] if row["question"] == "behind_median")
    assert behind["words"] == "nobody in the report is 3 tasks behind the median of their group"
    db.executemany(done, [(made_up.ZOE, 102), (made_up.ZOE, 103)])
    db.execute("insert into group_members (group_id, person_id) values (1, ?)", (made_up.BO,))
    behind = next(row for row in summary(db)["needs_a_look"] if row["question"] == "behind_median")
    assert behind["words"] == "1 student is 3 tasks or more behind the median of their group"
    assert [(row["fullname"], row["why"]) for row in behind["people"]] == [(made_up.MARKUP, "0 done, median 4")]


def test_what_cannot_be_known_says_why_and_is_no_zero(db):
    found = {row["question"]: row for row in summary(db, "3")["needs_a_look"]}
    assert found["away"]["count"] is None and found["away"]["note"] == "no log of this course is loaded yet"
    assert found["behind_median"]["note"] == "no completion report of this course is loaded yet"


def test_a_question_that_the_visitor_may_not_ask_is_left_out(db):
    course = answers.course(db, "2")
    assert needs_a_look.findings(db, course, usage.Filters(), {}) == []


# ---- The page ----


async def test_the_page_says_it_all_from_top_to_bottom(datasette):
    page = await get(datasette, PAGE)
    headings = [heading.text() for heading in HTMLParser(page.text).css("h2")]
    assert headings == ["Week by week", "Who needs a look", "Activities", "Questions"]
    words = text(page)
    parts = [
        'ICT & Pedagogy "2016"', "Course log data up to", "Grades not loaded yet", "Blogs none registered",
        "Next to download: course log", "Group", "6 students", "These weeks as a table",
        "1 student has never entered the course Al Away enrolled 20 February 2016", "Week 2: go on",
        "Which resources has nobody opened?", "this page as JSON",
    ]  # fmt: skip
    places = [words.find(part) for part in parts]
    assert -1 not in places and places == sorted(places), dict(zip(parts, places, strict=True))


async def test_every_question_is_there_with_the_course_and_the_group_filled_in(datasette):
    html = HTMLParser((await get(datasette, f"{PAGE}&group=Online")).text)
    links = {a.text(): a.attributes["href"] for a in html.css(".questions a")}
    about_courses = {query["title"] for query in QUERIES.values() if "course" in query["params"]}
    assert set(links) == about_courses
    away = links["Who has been away, and what did they do last?"]
    assert away.startswith("/moodle/away?course=2&") and "group=Online" in away
    assert (await get(datasette, away)).status_code == 200
    drawn = await get(datasette, links["Do students and clicks fall week by week?"])
    assert HTMLParser(drawn.text).css_first("figure svg") is not None


async def test_names_lead_to_students_activities_to_moodle_and_to_who_has_not(datasette):
    html = HTMLParser((await get(datasette, PAGE)).text)
    links = {a.text(): a.attributes["href"] for a in html.css("main a")}
    assert links["Quiz 1"] == f"{made_up.SITE}/mod/quiz/view.php?id=11"
    assert (await get(datasette, links["Al Away"])).status_code == 200
    who_not = html.css_first('a[aria-label="Who has not opened Quiz 1?"]').attributes["href"]
    asked = HTMLParser((await get(datasette, who_not)).text)
    assert "Al Away" in asked.body.text() and "Zoë Müller" not in asked.css_first("table").text()


async def test_the_page_is_escaped(datasette):
    page = (await get(datasette, PAGE)).text
    assert "<b>Bo" not in page and "<script" not in page and "<i>chat" not in page and "<i>group" not in page


async def test_a_group_is_chosen_without_javascript_and_an_unknown_one_is_a_sentence(datasette):
    html = HTMLParser((await get(datasette, f"{PAGE}&group=7")).text)
    assert [option.text() for option in html.css("#group option[selected]")] == ["Online"]
    assert "2 students in Online" in text(await get(datasette, f"{PAGE}&group=7"))
    unknown = await get(datasette, f"{PAGE}&group=Offline")
    assert unknown.status_code == 404 and "No group is called “Offline”" in text(unknown)


async def test_json_is_the_same_answer(datasette, db):
    found = (await get(datasette, "/-/course.json?course=2&group=Online")).json()
    assert found["ok"] and found["truncated"] is False and found["data_up_to"] == "2016-03-16T00:00:00Z"
    assert [row["clicks"] for row in found["weeks"]] == [row["clicks"] for row in summary(db, "2", "Online")["weeks"]]
    assert (await get(datasette, "/-/course.json?course=77")).json()["ok"] is False


async def test_a_course_without_a_log_says_so_once(datasette):
    words = text(await get(datasette, "/-/course?course=3"))
    assert "No log of this course is loaded yet, so there are no weeks to show." in words
    assert words.count("No log of this course is loaded yet.") == 1
    assert "No activities of this course are known yet." in words


async def test_the_page_is_recorded_as_a_list_and_closed_to_strangers(datasette):
    for path in (PAGE, "/-/course.json?course=2"):
        assert (await get(datasette, path, None)).status_code == 403
        assert (await get(datasette, path, TEACHER)).status_code == 200
    with sqlite3.connect(recorded(datasette)) as record:
        found = record.execute("select what, form, course, student, person from look_ups order by id").fetchall()
    assert found == [("course", None, "2", None, None), ("course", "json", "2", None, None)]


async def test_the_student_page_leads_back_to_the_course(datasette):
    html = HTMLParser((await get(datasette, "/-/student?course=2&user=5")).text)
    back = html.css_first(".crumbs a")
    assert back.text() == "EDC3100" and (await get(datasette, back.attributes["href"])).status_code == 200


async def test_a_course_whose_ids_no_file_has_told_still_has_a_page(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    with sqlite3.connect(path) as db:
        db.execute("update courses set moodle_id = null where id = 1")
        db.execute("update activities set cmid = null")
        db.execute("update sites set url = null")
    db.close()
    page = await get(instance(path), "/-/course")
    html = HTMLParser(page.text)
    assert page.status_code == 200 and "Quiz 1" in text(page)
    assert html.css_first(".used th a") is None, "no link where Moodle's ids are not known"
    who_not = html.css_first('a[aria-label="Who has not opened Quiz 1?"]').attributes["href"]
    assert "activity=Quiz+1" in who_not


def test_a_rebuilt_roll_up_gives_the_same_page(db):
    before = summary(db)
    rollups.build(db, 1)
    assert summary(db) == before
