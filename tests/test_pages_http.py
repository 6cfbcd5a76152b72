"""Our pages and their JSON and CSV, asked for over HTTP by the teacher."""

from __future__ import annotations

import csv
import io
import re
import sqlite3

import pytest
import yaml
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from loaders import house, schema
from tests import made_up
from tests.visit import get, instance

QUERIES = yaml.safe_load((house.root() / "metadata.yml").read_text("utf-8"))["databases"]["moodle"]["queries"]
STUDENT = "/-/student?course=2&user=5"


@pytest.fixture
def datasette(tmp_path):
    return instance(made_up.small(tmp_path / "moodle.db"))


def text(response) -> str:
    return " ".join(HTMLParser(response.text).body.text(separator=" ").split())


async def test_home_shows_the_courses_how_fresh_they_are_and_the_first_questions(datasette):
    page = await get(datasette, "/")
    assert page.status_code == 200
    words = text(page)
    assert 'ICT & Pedagogy "2016" EDC3100' in words
    assert "Data up to Wednesday 16 March 2016, 10:00" in words, "in the course's time zone"
    assert "Not loaded yet: grades." in words and "coursette status" in words
    assert "6 students" in words and "3 groups" in words
    links = {a.text(): a.attributes["href"] for a in HTMLParser(page.text).css(".course .questions a")}
    assert set(links) < {query["title"] for query in QUERIES.values()}, "all of them are on the course page"
    assert links["Who has been away, and what did they do last?"].startswith("/moodle/away?course=2&")
    named = {a.text(): a.attributes["href"] for a in HTMLParser(page.text).css(".course h2 a")}
    assert (await get(datasette, named['ICT & Pedagogy "2016"'])).status_code == 200


async def test_home_says_what_found_no_home(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    with sqlite3.connect(path) as db:
        db.execute("insert into unmatched (load_id, kind, raw, reason) values (1, 'grade', 'x', 'y')")
    assert "1 row of the files found no home yet." in text(await get(instance(path), "/"))


async def test_home_of_an_empty_database_says_what_to_do(tmp_path):
    schema.open_database(tmp_path / "moodle.db").conn.close()
    page = await get(instance(tmp_path / "moodle.db"), "/")
    assert "Nothing is loaded yet." in text(page) and "coursette load" in text(page)


async def test_home_without_any_database(tmp_path):
    assert "Nothing is loaded yet." in text(await get(instance(private=tmp_path), "/"))


async def test_student_page_has_three_tabs_with_counts(datasette):
    page = await get(datasette, STUDENT)
    assert page.status_code == 200
    html = HTMLParser(page.text)
    assert html.css_first("h1").text() == "Zoë Müller"
    tabs = [" ".join(tab.text(separator=" ").split()) for tab in html.css("nav.tabs a")]
    assert tabs == [
        "Personal details 11",
        "Activity completion 1 of 3 · 33 %",
        "Blog posts none loaded yet · 1 in forums",
    ]
    assert [tab.attributes["href"][1:] for tab in html.css("nav.tabs a")] == [
        "details",
        "completion",
        "posts",
    ]
    assert {panel.attributes["id"] for panel in html.css("section.panel")} == {
        "details",
        "completion",
        "posts",
    }


async def test_student_page_needs_no_script_and_no_inline_style(datasette):
    ours = ("/-/course?course=2", "/-/completion?course=2", "/-/student?course=2&user=77")
    for path in (STUDENT, "/", "/-/account", "/-/login", *ours):
        page = await get(datasette, path)
        assert "<script" not in page.text and not re.search(r"\sstyle=|<style|\son\w+=", page.text), path
        assert page.headers["content-security-policy"].startswith("default-src 'none'"), path
        assert page.headers["cache-control"] == "private, no-store", path


async def test_student_page_words(datasette):
    words = text(await get(datasette, STUDENT))
    assert "1 of 6 by clicks" in words and "5 clicks by teaching week" in words
    assert "opened once" in words, "the failed quiz"
    assert "never opened" in words and "class 33" in words
    assert "No blogs are loaded yet." in words
    assert "Data up to Wednesday 16 March 2016, 10:00 (Australia/Brisbane)" in words
    assert "A heading" not in words, "a label is nothing to look at"


async def test_times_are_words_with_the_exact_local_time_for_mouse_and_keyboard(datasette):
    html = HTMLParser((await get(datasette, STUDENT)).text)
    time = html.css_first("#completion tr:has(.mark) time")
    assert time.attributes["datetime"] == "2016-03-01T10:00:00Z"
    assert time.attributes["title"] == "Tuesday 1 March 2016, 20:00"
    assert time.attributes["tabindex"] == "0" and time.text() == "March 2016"


async def test_whatever_comes_from_outside_is_escaped(datasette):
    for path in ("/-/student?course=2&user=20", STUDENT, "/", "/-/student?course=2&user=%3Cscript%3E"):
        page = (await get(datasette, path)).text
        assert "<script" not in page and "<b>Bo" not in page and "<i>" not in page.replace("<i></i>", ""), path
    assert (
        HTMLParser((await get(datasette, "/-/student?course=2&user=20")).text).css_first("h1").text() == made_up.MARKUP
    )


async def test_addresses_that_are_no_web_pages_become_no_links(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    with sqlite3.connect(path) as db:
        db.execute("update sites set url = 'javascript:alert(1)//'")
        db.execute("update forum_posts set url = 'javascript:alert(2)'")
        db.execute("update people set email = 'x?bcc=y@example.org' where id = 1")
        db.execute("update person_details set value = 'javascript:alert(3)' where field = 'Phone'")
    page = await get(instance(path), STUDENT)
    links = [a.attributes["href"] for a in HTMLParser(page.text).css("main a")]
    assert not [link for link in links if link.startswith(("javascript", "tel"))]
    assert "mailto:x%3Fbcc%3Dy@example.org" in links


async def test_a_phone_number_can_be_rung(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    with sqlite3.connect(path) as db:
        db.execute("update person_details set value = '+61 (7) 4631-2100' where field = 'Phone'")
    assert 'href="tel:+61746312100"' in (await get(instance(path), STUDENT)).text


async def test_details_that_are_a_web_page_or_an_address_lead_there(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    said = {
        "Blog": "https://zoe.example/a?b=c", "Home": "http://user@evil.example/", "Other mail": "o'neil+x@home.example",
        "Note": "see https://zoe.example", "Script": "javascript:alert(1)", "Data": "data:text/html,x",
    }  # fmt: skip
    with sqlite3.connect(path) as db:
        sql = "insert into person_details (person_id, field, value) values (1, ?, ?)"
        db.executemany(sql, said.items())
    rows = HTMLParser((await get(instance(path), STUDENT)).text).css("#details a, dl a")
    links = {a.text(): a.attributes["href"] for a in rows}
    assert {text: links.get(text) for text in said.values()} == {
        **dict.fromkeys(said.values()),
        said["Blog"]: said["Blog"],
        said["Other mail"]: "mailto:o%27neil%2Bx@home.example",
    }


async def test_what_is_not_there_is_said_in_four_ways(datasette):
    nia = text(await get(datasette, "/-/student?course=2&person=5"))
    assert "Not in the completion report that is loaded" in nia and "not tracked" in nia
    assert "not loaded" not in nia and "not in the report" in nia, "said once, not at every activity"
    assert "No file has told this person's Moodle id yet" in nia
    assert "never opened" in nia
    old = text(await get(datasette, "/-/student?course=3&user=99"))
    assert "No log of this course is loaded yet" in old
    assert "No completion report of this course is loaded yet" in old
    assert "Clicks are counted for students only" in text(await get(datasette, "/-/student?course=2&user=3"))


async def test_an_unknown_student_is_a_helpful_404(datasette):
    page = await get(datasette, "/-/student?course=2&user=12345")
    assert page.status_code == 404
    assert "Nobody with the Moodle id 12345 is known in EDC3100." in text(page) and "coursette load" in text(page)
    unknown_course = await get(datasette, "/-/student?course=77&user=5")
    assert unknown_course.status_code == 404 and "No course with Moodle's id 77" in text(unknown_course)
    assert (await get(datasette, "/-/student")).status_code == 404


async def test_somebody_known_by_name_only_is_found_by_the_name_on_the_page(datasette):
    page = await get(datasette, "/-/student?course=2&user=40&name=+nia%20%20New")
    assert page.status_code == 200 and HTMLParser(page.text).css_first("h1").text() == "Nia New"
    assert "Known by name only: no file has told yet that this is Moodle's number 40." in text(page)
    assert (await get(datasette, "/-/student?course=2&user=40&name=Zo%C3%AB+M%C3%BCller")).status_code == 404, (
        "has an id"
    )
    assert "Known by name" not in text(await get(datasette, "/-/student?course=2&user=5&name=Nia+New")), (
        "the id decides"
    )


@pytest.mark.parametrize("path", ["student", "usage", "access", "people"])
async def test_errors_in_json_are_the_contracts(datasette, path):
    answer = await get(datasette, f"/-/{path}.json?course=77&user=12345")
    assert answer.status_code == 404
    assert set(answer.json()) == {"ok", "error", "status"}
    assert answer.json()["ok"] is False and answer.json()["status"] == 404


async def test_a_person_without_a_course_is_looked_up_in_the_newest_that_has_them(datasette):
    assert (await get(datasette, "/-/student.json?user=5")).json()["course"]["moodle_id"] == 2
    assert (await get(datasette, "/-/student.json?user=99")).json()["course"]["moodle_id"] == 3
    assert (await get(datasette, "/-/student.json?user=12345")).status_code == 404


async def test_student_json_has_the_contract_keys(datasette):
    found = (await get(datasette, "/-/student.json?course=2&user=5&site=" + made_up.SITE + "/")).json()
    assert {"person", "details", "completion", "posts", "usage", "data_up_to"} <= set(found)
    assert found["person"]["moodle_id"] == 5 and found["details"]["GPA"] == "5.5"
    forum = found["completion"][0]["activities"][0]
    assert {"cmid", "name", "state", "completed_utc", "class_pct"} <= set(forum)
    assert found["data_up_to"] == "2016-03-16T00:00:00Z"
    same = (await get(datasette, "/-/student.json?course=2&student=5")).json()
    assert same == found, "student= is the same as user="


async def test_student_csv_is_a_row_per_activity_without_formulas(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    with sqlite3.connect(path) as db:
        db.execute("update activities set name = '=HYPERLINK(\"x\")' where id = 1")
    answer = await get(instance(path), "/-/student.csv?course=2&user=5")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["content-type"].startswith("text/csv")
    assert rows[0]["name"] == '\'=HYPERLINK("x")' and rows[0]["section"] == "General"
    assert [row["cmid"] for row in rows] == ["10", "11", "12", "13", "14"]


async def test_usage_json(datasette):
    found = (await get(datasette, "/-/usage.json?course=2&group=Online&group=8&from_week=1&to_week=2")).json()
    assert set(found) >= {"activities", "parts", "students", "instances", "data_up_to", "truncated"}
    assert (found["students"], found["activities"]["10"]["students"]) == (3, 3)
    assert (await get(datasette, "/-/usage.json?course=2&group=7&group=8&together=all")).json()["students"] == 1
    for wrong in ("together=some", "from_week=x"):
        answer = await get(datasette, f"/-/usage.json?course=2&{wrong}")
        assert answer.status_code == 400 and answer.json()["ok"] is False


@pytest.mark.parametrize("path", ["usage.json?course=2", "access.json?course=2&activity=11"])
async def test_an_unknown_group_is_no_empty_group(datasette, path):
    answer = await get(datasette, f"/-/{path}&group=Online&group=Offline")
    assert answer.status_code == 404
    assert answer.json()["error"] == (
        'No group is called “Offline”; the groups are A "quoted" & <i>group</i>, Online (7), Toowoomba (8).'
    )
    assert (await get(datasette, f"/-/{path}&group=online")).status_code == 200


async def test_access_json(datasette):
    found = (await get(datasette, "/-/access.json?course=2&activity=11")).json()
    assert [row["id"] for row in found["accessed"]] == [18, 19, 5]
    assert set(found["not_accessed"][0]) == {
        *("id", "person", "fullname", "firstname", "email", "groups"),
        *("clicks", "first_utc", "last_utc", "last_seen_utc"),
        *("last_ever_utc", "state", "before_due"),
    }
    part = (await get(datasette, "/-/access.json?course=2&part=chapter:7")).json()
    assert [row["fullname"] for row in part["accessed"]] == ["Zoë Müller"]
    assert (await get(datasette, "/-/access.json?course=2")).status_code == 404


async def test_people_json(datasette):
    found = (await get(datasette, "/-/people.json?course=2")).json()
    assert set(found["people"][0]) == {"id", "person", "fullname", "role", "groups"}
    assert [row["role"] for row in found["people"]] == [*["student"] * 6, "editingteacher"]


async def test_an_older_file_that_no_loader_has_opened_says_what_to_do(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    with sqlite3.connect(path) as db:
        db.execute("drop table usage_activity_week")
        db.execute("drop table usage_person_seen")
    datasette = instance(path)
    for ask in ("usage.json?course=2&from_week=1", "access.json?course=2&activity=11", "student.json?course=2&user=5"):
        answer = await get(datasette, f"/-/{ask}")
        assert answer.status_code == 503
        assert "`coursette status --db moodle.db`" in answer.json()["error"]
    assert (await get(datasette, "/")).status_code == 200


async def test_the_table_of_people_leads_to_their_pages(datasette):
    links = HTMLParser((await get(datasette, "/moodle/people")).text).css("td.col-fullname a")
    assert "/-/student?person=1&db=moodle" in [link.attributes["href"] for link in links]
    assert made_up.MARKUP in [link.text() for link in links], "escaped"


async def test_weeks_without_a_click_are_said_in_runs(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    with sqlite3.connect(path) as db:
        db.execute("update courses set data_up_to_utc = '2016-04-10T00:00:00Z'")
    assert "none in weeks 2 to 5 (break: 4)" in text(await get(instance(path), "/-/student?course=2&user=20"))


async def test_another_database_gets_the_same_questions_and_pages(tmp_path):
    made_up.small(tmp_path / "moodle.db")
    made_up.large(tmp_path / "edc3100 spring.db", students=10, activities=5, events=200)
    (tmp_path / "other.db").touch()
    with sqlite3.connect(tmp_path / "other.db") as db:
        db.execute("create table t (x)")
    datasette = instance(*sorted(tmp_path.glob("*.db")))
    assert (await get(datasette, "/edc3100~20spring/weeks.json?_shape=array")).json()[0]["week"] == 1
    assert (await get(datasette, "/other/weeks")).status_code == 404
    assert (await get(datasette, "/edc3100~20spring/weeks.json", None)).status_code == 403
    words = (await get(datasette, "/edc3100~20spring/events")).text
    assert "Who did it, as Moodle says" in words, "the words of metadata.yml"
    both = await get(datasette, "/")
    assert text(both).count("EDC3100") == 2 and "Find edc3100 spring 2 courses" in text(both)
    named = (await get(datasette, "/-/student.json?course=2&user=105&db=edc3100+spring")).json()
    assert named["person"]["fullname"] == "Student 5"
    assert (await get(datasette, "/-/student.json?course=2&user=105&db=moodle")).status_code == 404


async def test_data_that_arrives_while_serving_shows_at_once(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    datasette = instance(path)
    assert (await get(datasette, STUDENT)).status_code == 200
    with sqlite3.connect(path) as db:
        db.execute("update people set fullname = 'Zoë Newname' where id = 1")
    assert "Zoë Newname" in (await get(datasette, STUDENT)).text


async def test_answers_under_a_base_address(tmp_path):
    datasette = instance(made_up.small(tmp_path / "moodle.db"))
    datasette._settings["base_url"] = "/coursette/"
    page = await get(datasette, "/")
    assert 'href="/coursette/-/coursette.css"' in page.text and "/coursette/moodle/away?" in page.text
    assert (await get(datasette, "/", None)).status_code == 403
    assert (await get(datasette, "/-/health", None)).text == "ok"
