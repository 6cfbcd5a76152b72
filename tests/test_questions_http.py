"""Questions and tables asked for over HTTP: page, JSON and CSV give the same, and all of it."""

from __future__ import annotations

import csv
import io
import json
import sqlite3

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from tests import made_up
from tests.catalogue import DATABASES
from tests.visit import get, instance


@pytest.fixture
def datasette(tmp_path):
    return instance(made_up.small(tmp_path / "moodle.db"))


async def test_canned_queries_as_page_json_and_csv(datasette):
    page = await get(datasette, "/moodle/student_profile?course=2&student=5")
    assert "How are the students getting on?" in page.text
    link = HTMLParser(page.text).css_first("tbody .col-fullname a")
    assert link.attributes["href"] == "/-/student?course=2&person=1&db=moodle"
    assert (await get(datasette, link.attributes["href"])).status_code == 200
    (row,) = (await get(datasette, "/moodle/student_profile.json?course=2&student=5&_shape=array")).json()
    assert (row["person"], row["clicks"]) == (1, 5)
    (row,) = csv.DictReader(io.StringIO((await get(datasette, "/moodle/student_profile.csv?course=2&student=5")).text))
    assert row["fullname"] == "Zoë Müller"


async def test_weeks_are_chosen_and_shown_by_their_names(datasette):
    page = HTMLParser((await get(datasette, "/moodle/busiest?course=2&from_week=2")).text)
    options = page.css('select[name="from_week"] option')
    assert [(option.attributes["value"], option.text()) for option in options] == [
        ("", "the first"), ("1", "Week 1"), ("2", "Week 2"), ("3", "Week 3"),
    ]  # fmt: skip
    assert page.css_first('select[name="from_week"] option[selected]').attributes["value"] == "2"
    page = HTMLParser((await get(datasette, "/moodle/weeks?course=2")).text)
    assert page.css("tbody .col-week_name") and not page.css("td.col-week"), "words, where there are words"


async def test_every_question_answers_over_http(datasette, tmp_path):
    with sqlite3.connect(tmp_path / "moodle.db") as db:
        done = "update completions set state = 'complete', completed_utc = ? where person_id = ? and activity_id = 3"
        db.execute(done, ("2016-03-08T10:30:05Z", made_up.SAM))  # which nobody has opened
    queries = json.loads((await get(datasette, "/moodle.json")).text)["queries"]
    assert len(queries) == len(DATABASES["moodle"]["queries"])
    for query in queries:
        assert (await get(datasette, f"/moodle/{query['name']}")).status_code == 200
        found = (await get(datasette, f"/moodle/{query['name']}.json?course=2&tasks=1&seconds=90000")).json()
        assert found["ok"] and not found["truncated"]
        assert found["rows"] or query["name"] in ("unanswered_posts", "replies_between"), "one post, and a fresh one"


async def test_what_to_ask_for_is_chosen_from_a_list(datasette):
    html = HTMLParser((await get(datasette, "/moodle/never_opened?course=2&activity=11")).text)
    assert html.css_first('select[name="activity"] option[selected]').text() == "Quiz 1"
    assert [group.attributes["label"] for group in html.css("optgroup")] == [
        "General",
        "Week 1: start",
        "Week 2: go on",
    ]
    assert [option.text() for option in html.css('select[name="group"] option')][2] == "Online"
    assert html.css_first('[name="site"]') is None and "Custom SQL" not in html.text()
    assert html.css_first("main h2, section h2, h2").text() == "Answer: 3 rows"
    assert html.css_first("th").attributes["title"] == "fullname" and html.css_first("th").text() == "name"
    assert html.css_first("th.col-note, th.col-last_click_utc") is None


async def test_only_what_is_due_is_offered_where_anything_is(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    datasette = instance(path)

    async def offered(question: str) -> list[str]:
        html = HTMLParser((await get(datasette, f"/moodle/{question}?course=2")).text)
        return [option.text() for option in html.css('select[name="activity"] optgroup option')]

    assert await offered("before_due") == ["Quiz 1"]
    assert len(every := await offered("never_opened")) == 4
    with sqlite3.connect(path) as db:
        db.execute("update activities set due_utc = null")
    assert await offered("before_due") == every


async def test_without_a_field_the_fields_are_the_answer(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    with sqlite3.connect(path) as db:
        db.execute("delete from person_details")
        db.execute("insert into person_details (person_id, field, value) values (1, '<b>Mode</b> & so', 'Online')")
    datasette = instance(path)
    page = await get(datasette, "/moodle/students_by_details?course=2")
    html = HTMLParser(page.text)
    assert "No answer" not in page.text and "`" not in html.css_first("form").parent.text(), "backticks"
    assert [cell.text() for cell in html.css("tbody :is(th, td)")] == ["<b>Mode</b> & so", "1", "1"]
    found = HTMLParser((await get(datasette, html.css_first("tbody .col-field a").attributes["href"])).text)
    assert [cell.text() for cell in found.css("td.col-value")] == ["Online"]


async def test_a_row_of_usage_leads_to_who_has_not(datasette):
    html = HTMLParser((await get(datasette, "/moodle/resource_usage?course=2")).text)
    for column, words in (("never_opened", "Who has never opened"), ("not_completed", "Who has not completed")):
        link = html.css_first(f"tbody .col-{column} a").attributes
        assert link["title"].startswith(words)
        assert HTMLParser((await get(datasette, link["href"])).text).css_first("tbody .col-fullname a")


async def test_nobody_and_no_such_thing_differ(datasette):
    assert "No activity is called “x<y”" in (await get(datasette, "/moodle/never_opened?activity=x<y")).text.replace(
        "&lt;", "<"
    )
    nobody = (await get(datasette, "/moodle/opened_not_completed?course=2&activity=12")).text
    assert "Answer: nobody" in nobody and "No answer" not in nobody


async def test_every_table_page_answers(datasette):
    for table in (await get(datasette, "/moodle.json")).json()["tables"]:
        assert (await get(datasette, f"/moodle/{table['name']}")).status_code == 200, table["name"]
    events = (await get(datasette, "/moodle/events.json?_shape=objects")).json()["rows"]
    assert events[0]["time_utc"] == "2016-03-16T00:00:00Z", "newest first"
    assert "Zoë Müller" in (await get(datasette, "/moodle/events")).text, "foreign keys have labels"


async def test_nothing_is_cut_short_without_a_word(tmp_path):
    datasette = instance(made_up.large(tmp_path / "moodle.db", events=11_000))
    for path in (
        "/moodle/events.csv",
        "/moodle/events.csv?_size=max",
        "/moodle.csv?sql=select+*+from+events",
    ):
        answer = await get(datasette, path)
        assert answer.status_code == 200 and answer.text.count("\n") == 11_001, path
    assert (await get(datasette, "/moodle/events.csv?_size=10")).text.count("\n") == 11, "a page, as asked"
    sql = "/moodle.json?sql=select+*+from+events"
    assert (await get(datasette, sql)).json()["truncated"] is True
    bare = await get(datasette, sql + "&_shape=array")
    assert bare.status_code == 400 and bare.json()["ok"] is False
    page = HTMLParser((await get(datasette, sql.replace(".json", ""))).text)
    assert page.css_first("h2#answer").text() == "More than 10,000 rows"


async def test_csv_says_what_is_wrong(datasette):
    for path in (
        "/moodle.csv",
        "/moodle.csv?sql=select+nothing",
        "/moodle.csv?sql=delete+from+people",
        "/no/weeks.csv",
    ):
        assert (await get(datasette, path)).status_code in (400, 404), path
    header = (await get(datasette, "/moodle/weeks.csv?course=77")).text
    assert header.startswith("week,starts_on,name") and header.count("\n") == 1, "no rows, but their names"
