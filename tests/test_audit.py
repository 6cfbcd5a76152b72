"""What is recorded: who looked at whom, when, by what and from where; and what is not."""

from __future__ import annotations

import logging
import sqlite3

import pytest

from loaders import look_ups
from tests import made_up
from tests.visit import TEACHER, get, instance, recorded

SITE = made_up.SITE


@pytest.fixture
def datasette(tmp_path):
    return instance(made_up.small(tmp_path / "moodle.db"))


def rows(datasette, columns: str = "what, form, course, student, person, about") -> list[tuple]:
    with sqlite3.connect(recorded(datasette)) as db:
        return db.execute(f"select {columns} from look_ups order by id").fetchall()


async def test_every_look_up_of_a_student_is_recorded(datasette):
    for path in (
        "/-/student?course=2&user=5",
        "/-/student.json?course=2&person=1",
        "/-/student.csv?course=2&student=5",
        "/moodle/student_profile?course=2&student=18",
        "/moodle/student_profile.csv?student=Zoë",
        "/-/usage.json?course=2&student=18",
        "/moodle/people/4",
        "/moodle/completions/1",
    ):
        assert (await get(datasette, path)).status_code == 200
    assert rows(datasette) == [
        ("student", None, "2", "5", "1", None),
        ("student", "json", "2", "5", "1", None),
        ("student", "csv", "2", "5", "1", None),
        ("student_profile", None, "2", "18", "2", None),
        ("student_profile", "csv", "2", "5", "1", None),
        ("usage", "json", "2", "18", "2", None),
        ("people", None, None, "20", "4", None),
        ("table completions", None, None, "5", "1", "1"),
    ]
    assert set(rows(datasette, "actor, signed_in_by, database, site")) == {("teacher", "session", "moodle", SITE)}


async def test_both_ids_are_kept_so_that_it_means_somebody_when_the_database_is_new(datasette):
    await get(datasette, "/-/student?person=1")
    await get(datasette, f"/-/student?person={made_up.NEW}&db=moodle")
    columns = "database, site, course, student, person"
    assert rows(datasette, columns) == [
        ("moodle", SITE, "2", "5", "1"),
        ("moodle", SITE, "2", None, str(made_up.NEW)),
    ]


@pytest.mark.parametrize(
    ("path", "what", "form", "about"),
    [
        ("/-/access.json?course=2&activity=10", "access", "json", "10"),
        ("/-/access.json?course=2&part=chapter:7", "access", "json", "chapter:7"),
        ("/moodle/student_profile.json", "student_profile", "json", None),
        ("/moodle/never_opened?activity=11", "never_opened", None, "11"),
        ("/moodle/never_opened.csv?activity=quiz", "never_opened", "csv", "11"),
        ("/moodle/away.json?days=10", "away", "json", None),
        ("/moodle/opened_not_completed.csv", "opened_not_completed", "csv", None),
    ],
)
async def test_a_list_is_one_line(datasette, path, what, form, about):
    assert (await get(datasette, path)).status_code == 200
    assert rows(datasette) == [(what, form, "2", None, None, about)]


async def test_a_question_of_ones_own_is_recorded_if_it_tells_of_people(datasette):
    queries = datasette._metadata_local["databases"]["moodle"]["queries"]
    queries["mine"] = {"sql": "select person_id, count(*) from events where week = cast(:week as integer) group by 1;"}
    queries["sums"] = {"sql": "select count(*) from people -- all\n"}
    queries["broken"] = {"sql": "select fullname, nothing from people"}
    for name in ("mine", "sums", "broken"):
        await get(datasette, f"/moodle/{name}.json")
    assert rows(datasette) == [("mine", "json", "2", None, None, None)]


@pytest.mark.parametrize(
    ("path", "what", "form", "about"),
    [
        ("/moodle/people", "table people", None, None),
        ("/moodle/people.csv?_stream=on", "table people", "csv", None),
        ("/moodle/~70eople.json?_where=1=1", "table people", "json", None),
        ("/moodle/people_fts.json", "table people_fts", "json", None),
        ("/moodle/people_fts_data.json", "table people_fts_data", "json", None),
        ("/moodle/enrolments.json", "table enrolments", "json", None),
        ("/moodle/events?_facet=person_id", "table events", None, None),
        ("/moodle/completions.csv", "table completions", "csv", None),
        ("/moodle/grades.json?course=2&student=5", "table grades", "json", None),
        ("/moodle/forum_posts", "table forum_posts", None, None),
        ("/moodle/group_members", "table group_members", None, None),
        ("/moodle/person_details.json", "table person_details", "json", None),
        ("/moodle/unmatched", "table unmatched", None, None),
        ("/moodle/usage_person.json", "table usage_person", "json", None),
        ("/moodle/activities.json?_where=id+in+(select+activity_id+from+grade_items)", "SQL", "json", None),
        ("/moodle?sql=select+1", "SQL", None, None),
        ("/moodle.json?sql=select+fullname+from+people", "SQL", "json", None),
        ("/moodle.csv?sql=select+1", "SQL", "csv", None),
    ],
)
async def test_tables_of_students_and_sql_are_one_line_each(datasette, path, what, form, about):
    assert (await get(datasette, path)).status_code == 200
    assert rows(datasette) == [(what, form, None, None, None, about)]


async def test_a_row_of_people_is_the_person_however_it_is_written(datasette):
    assert (await get(datasette, "/moodle/~70eople/4.json")).status_code == 200
    assert rows(datasette) == [("people", "json", None, "20", "4", None)]


async def test_other_tables_are_nobodys_business(datasette):
    for path in (
        "/", "/moodle", "/moodle.json", "/moodle/activities", "/moodle/courses", "/moodle/weeks.csv",
        "/-/coursette.css", "/moodle/resource_usage?course=2", "/moodle/sections.csv", "/-/usage.json?course=2",
    ):  # fmt: skip
        assert (await get(datasette, path)).status_code == 200
    assert rows(datasette) == []


async def test_being_led_to_somebodys_page_is_a_look_up_too(datasette):
    assert (await get(datasette, "/-/find?q=zoe+müller")).status_code == 302
    assert rows(datasette) == [("find", None, None, None, None, None)]


async def test_what_was_not_shown_is_not_recorded(datasette):
    await get(datasette, "/-/student?course=2&user=12345")
    await get(datasette, "/-/student?course=2&user=5", None)
    await get(datasette, "/moodle/people/77")
    assert rows(datasette) == []


async def test_no_name_gets_into_the_record(datasette):
    for path in (
        "/-/find?q=Lee",
        "/moodle/student_profile?student=Sam&site=Zoë&person=&course=2",
        "/moodle/student_profile?student=Zoë+Müller",
        "/moodle/never_opened?course=2&activity=Zoë+Müller&group=Zoë+Müller",
        "/moodle/people?fullname=Zoë+Müller&student=Zoë",
        "/moodle/people?_search=Müller",
        "/audit/who_looked_at?student=Zoë+Müller",
    ):
        assert (await get(datasette, path)).status_code == 200, path
    kept = [str(value) for row in rows(datasette, "*") for value in row]
    assert len(rows(datasette)) == 7
    assert not [text for text in kept for word in ("Zo", "ller", "Lee", "Sam") if word in text]


@pytest.mark.parametrize(
    ("headers", "came_from"),
    [
        ({}, None),
        ({"sec-fetch-site": "same-origin"}, "coursette"),
        ({"origin": "http://localhost"}, "coursette"),
        ({"sec-fetch-site": "none"}, "address bar"),
        (
            {"sec-fetch-site": "cross-site", "referer": "https://moodle.example.edu/user/view.php?id=5"},
            "https://moodle.example.edu",
        ),
        ({"origin": "https://Moodle.example.edu:8443"}, "https://moodle.example.edu:8443"),
        ({"sec-fetch-site": "cross-site"}, "another site"),
        ({"origin": "null"}, "another site"),
        ({"referer": "https://zoë.example/"}, None),
    ],
)
async def test_where_it_came_from(datasette, headers, came_from):
    moved = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    sent = {key: value.encode() for key, value in {**moved, **headers}.items()}
    assert (await get(datasette, "/-/student?course=2&user=5", headers=sent)).status_code == 200
    assert rows(datasette, "came_from") == [(came_from,)]


async def test_no_address_of_a_computer_is_kept(datasette):
    await get(datasette, "/-/student?course=2&user=5", headers={"x-forwarded-for": "203.0.113.9"})
    assert not [text for text in map(str, rows(datasette, "*")[0]) if "203.0" in text or "127.0" in text]


async def ask(datasette, path: str, **scope) -> int:
    """The status of an answer, with something in the scope that a plugin verified before."""
    cookie = datasette.sign({"a": TEACHER}, "actor")
    name, _, query = path.partition("?")
    headers = [(b"host", b"localhost"), (b"cookie", f"ds_actor={cookie}".encode())]
    asked = {
        "type": "http", "method": "GET", "path": name, "raw_path": name.encode(), "query_string": query.encode(),
        "headers": headers, "http_version": "1.1", "scheme": "http", **scope,
    }  # fmt: skip
    sent = []

    async def send(message):
        sent.append(message)

    await datasette.app()(asked, None, send)
    return sent[0]["status"]


async def test_a_token_is_named(datasette):
    token = {"id": 7, "name": "office", "user": "anna", "origin": None, "courses": [{"site": None, "course": 2}]}
    assert await ask(datasette, "/-/student.json?course=2&user=5", coursette_token=token) == 200
    columns = "actor, signed_in_by, token, token_name, student"
    assert rows(datasette, columns) == [("anna", "token", "7", "office", "5")]


async def test_a_token_does_not_read_the_record(datasette):
    token = {"id": 7, "name": "office", "user": "teacher"}
    for path in ("/audit", "/audit/look_ups.json", "/audit/who_looked_at.csv", "/~61udit/looked_at"):
        assert await ask(datasette, path, coursette_token=token) == 403


async def test_nothing_is_shown_that_cannot_be_recorded(datasette, monkeypatch, caplog):
    for name, value in (("MOST_WAITING", 3), ("RETRY_S", 0.01), ("BUSY_S", 0.01)):
        monkeypatch.setattr(look_ups, name, value)
    await get(datasette, "/")
    recorder = datasette._coursette_recorder
    with sqlite3.connect(recorder.path) as other:
        other.execute("begin immediate")  # as good as a disk that is full
        answers = [await get(datasette, "/-/student?course=2&user=5") for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 503, 503]
        assert "cannot be recorded" in answers[4].text and "Müller" not in answers[4].text
        refused = await get(datasette, "/moodle/people.json")
        assert refused.status_code == 503 and set(refused.json()) == {"ok", "error", "status"}
        assert (await get(datasette, "/moodle/people.csv")).text.startswith("Nothing about students")
        assert (await get(datasette, "/moodle/weeks")).status_code == 200, "what is about nobody is shown"
    with recorder.record.changed:
        assert recorder.record.changed.wait_for(lambda: not recorder.record.failing, 10)
    assert (await get(datasette, "/-/student?course=2&user=18")).status_code == 200
    assert [row[0] for row in rows(datasette, "student")] == ["5", "5", "5", "18"]
    assert [entry.levelno for entry in caplog.records if entry.name == "coursette"] == [logging.ERROR, logging.WARNING]
    assert not [word for word in ("Müller", "user=5", "student") if word in caplog.text]


async def test_stopping_the_server_writes_what_waits(datasette):
    assert (await get(datasette, "/-/student?course=2&user=5")).status_code == 200
    record = datasette._coursette_recorder.record
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message["type"])

    await datasette.app()({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert record.writer is None and not record.waiting
    assert len(rows(datasette)) == 1
