"""Taking over the participants page from a window beside Moodle: the owner's, this course's, and nothing else."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from loaders import accounts, tokens
from tests import made_up
from tests.visit import COLLEAGUE, TEACHER, cookies, get, instance, post

SITE = made_up.SITE
LEARN = f"/-/learn?course=2&site={SITE}"
FIXTURES = Path(__file__).parent / "fixtures"
CONFIG = '<script>M.cfg = {{"wwwroot": "{site}", "courseId": {course}, "siteId": 1}};</script>'
PAGE = """<!doctype html><html lang="en"><head><title>EDC3100: Participants</title>{config}</head>
<body id="page-user-index" class="{classes}"><h1>Named anew</h1>
<table id="participants"><thead><tr><th>Name</th></tr></thead><tbody>
<tr><td><input name="user77"></td><th class="cell"><a href="{site}/user/view.php?id=77">{name}</a></th></tr></tbody>
</table></body></html>"""


def page(course: int | None = 2, site: str = SITE, name: str = "Nora Newcomer") -> str:
    config = CONFIG.format(site=site, course=course) if course else ""
    return PAGE.format(config=config, classes=f"course-{course}" if course else "", site=site, name=name)


@pytest.fixture
def path(tmp_path):
    return made_up.small(tmp_path / "moodle.db")


@pytest.fixture
def datasette(path):
    return instance(path)


def everything(path: Path) -> list[str]:
    """The whole database, but for the list of loads, which also names what was refused."""
    with sqlite3.connect(path) as db:
        return [line for line in db.iterdump() if not line.startswith('INSERT INTO "loads"')]


def refused(path: Path, before: list[str]) -> bool:
    with sqlite3.connect(path) as db:
        taken = db.execute("select count(*) from loads where kind = 'participants page' and error is null").fetchone()
    return everything(path) == before and taken == (0,)


async def test_the_owner_takes_a_page_of_this_course_over(datasette, path):
    answer = await post(datasette, LEARN, {"page": page()}, TEACHER)
    assert answer.status_code == 200 and "Taken over" in answer.text
    with sqlite3.connect(path) as db:
        found = db.execute("select fullname from people where moodle_id = 77").fetchall()
    assert found == [("Nora Newcomer",)]


OVERVIEW = (FIXTURES / "pages" / "course.html").read_text("utf-8")
STRANGE = {
    "of another course": page(course=3),
    "of a course that is not here": page(course=4),
    "of another site": page(site="https://evil.example"),
    "of a site that is no address": page(site="https://[evil"),
    "of a port that is none": page(site=f"{SITE}:99999"),
    "a course page": OVERVIEW,
    "a log": "Time,User full name,Affected user,Event context,Component,Event name,Description,Origin,IP address\n",
    "an answer of web services": json.dumps([{"id": 3, "shortname": "X", "fullname": "Renamed"}]),
    "hostile names": f'<body id="page-user-index">{"<div>" * 5000}',
    "nothing": "",
    "half of a page": page()[: len(page()) // 3],
    "NUL": "\0" * 1000,
    "half a character": "\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
    "a file of a name": "/etc/passwd",
}


@pytest.mark.parametrize("what", STRANGE)
async def test_anything_else_changes_nothing(datasette, path, what):
    before = everything(path)
    answer = await post(datasette, LEARN, {"page": STRANGE[what]}, TEACHER)
    assert answer.status_code == 200 and "nothing of it was taken over" in answer.text
    assert refused(path, before)


async def test_a_page_that_does_not_say_its_course_is_of_the_forms(datasette, path):
    of_77 = "select course_id from enrolments join people on people.id = person_id where moodle_id = 77 order by 1"
    await post(datasette, LEARN.replace("course=2", "course=3"), {"page": page(course=3)}, TEACHER)
    with sqlite3.connect(path) as db:
        assert db.execute(of_77).fetchall() == [(2,)]
    answer = await post(datasette, LEARN, {"page": page(course=None)}, TEACHER)
    assert "Taken over" in answer.text
    with sqlite3.connect(path) as db:
        assert db.execute(of_77).fetchall() == [(1,), (2,)]
        assert db.execute("select fullname from courses where moodle_id = 3").fetchone() == ("Named anew",)


async def test_a_hostile_name_stays_text(datasette, path):
    name = '<img src=x onerror=alert(1)>{{ 7*7 }}"'
    answer = await post(datasette, LEARN, {"page": page(name=name.replace("<", "&lt;"))}, TEACHER)
    assert "Taken over" in answer.text and "<img" not in answer.text
    shown = await get(datasette, "/-/student?course=2&user=77")
    assert shown.status_code == 200 and "<img" not in shown.text and "{{ 7*7 }}" in shown.text


def with_cell(kind: str, value: str, options: str = '{"options": []}') -> str:
    cell = f"<td class=cell><span data-itemtype={kind} data-value='{value}' data-options='{options}'></span></td>"
    return page().replace("</th></tr></tbody>", f"</th>{cell}</tr></tbody>")


def with_filters(filters: str) -> str:
    return page().replace("<table", f"<div data-table-handler=participants data-table-filters='{filters}'></div><table")


BIG, DEEP = "9" * 30, "[" * 100_000
HOSTILE = {
    "a name that is nested deeply": page(name="<b>" * 100_000 + "Nora"),
    "a heading that is": page().replace("Named anew", "<i>" * 100_000),
    "a group's id that no database holds": with_cell("user_groups", f"[{BIG}]", f'{{"options": [{{"key": {BIG}}}]}}'),
    "an endless number": with_cell("user_groups", "[1e999]"),
    "roles that are nested deeply": with_cell("user_roles", DEEP),
    "roles that are no list": with_cell("user_roles", "5", "[]"),
    "settings that are nested deeply": page().replace('"courseId"', f'"x": {DEEP}, "courseId"'),
    "settings of odd kinds": page().replace(
        "M.cfg = {", 'M.cfg = {"usertimezone": ["x"], "language": 5, "siteId": [],'
    ),
    "settings that are a list": page().replace("M.cfg = {", "M.cfg = [{").replace("};", "}];"),
    "filters that are nested deeply": with_filters(DEEP),
    "filters that are a list": with_filters("[]"),
    "a course with a very long number": page().replace("course-2", "course-" + "9" * 5000),
    "very many cells": page().replace("</th></tr>", f"</th>{'<td class=cell>x</td>' * 3000}</tr>"),
}


@pytest.mark.parametrize("what", HOSTILE)
async def test_a_hostile_page_breaks_nothing(datasette, what):
    answer = await post(datasette, LEARN, {"page": HOSTILE[what]}, TEACHER)
    assert answer.status_code == 200 and 'class="note' in answer.text


async def test_nobody_else_takes_anything_over(datasette, path, tmp_path):
    before, form = everything(path), {"page": page()}
    assert (await post(datasette, LEARN, form, COLLEAGUE)).status_code == 403
    assert (await datasette.client.post(LEARN, data=form)).status_code == 403, "a stranger"
    own = cookies(datasette, TEACHER)
    assert (await datasette.client.post(LEARN, data=form, cookies=own)).status_code == 403, "without csrftoken"
    folder = accounts.private_folder([path])
    accounts.make_owner(folder, "teacher")
    token = tokens.text(folder, tokens.make(folder, "teacher", [{"site": SITE, "course": 2}]))
    bearer = {"Authorization": f"Bearer {token}"}
    for sent in (own, {}):  # beside a token nobody checks for a forged form, so no cookie counts
        assert (await datasette.client.post(LEARN, data=form, cookies=sent, headers=bearer)).status_code == 403
    crossing = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert (await datasette.client.post(LEARN, data=form, cookies=own, headers=crossing)).status_code == 403
    assert refused(path, before)


@pytest.mark.parametrize("site", ["https://[evil", "https://a.b:99999", "javascript:alert(1)", "//evil.example"])
async def test_where_no_file_says_where_moodle_is_the_address_must_be_one(path, site):
    with sqlite3.connect(path) as db:
        db.execute("update sites set url = null")
    assert (await get(instance(path), f"/-/learn?course=2&site={site}")).status_code == 400
