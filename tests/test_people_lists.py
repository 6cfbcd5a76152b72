"""A list of students below an answer: addresses to copy, a CSV, and opening them in turn."""

from __future__ import annotations

import csv
import io
import sqlite3
from contextlib import closing
from urllib.parse import quote

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from loaders import people_lists
from tests import made_up
from tests.test_audit import rows
from tests.visit import COLLEAGUE, TEACHER, cookies, get, instance, post

LIST = "/moodle/student_profile?course=2&_suspended=1"  # all six


@pytest.fixture
def datasette(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("update people set email = null where id = ?", [made_up.AWAY])
        db.execute("update people set email = 'a@b.example, c@d.example' where id = ?", [made_up.NEW])
    return instance(path)


async def page(datasette, path: str = LIST, actor: dict = TEACHER) -> HTMLParser:
    answer = await get(datasette, path, actor)
    assert answer.status_code == 200 and "no-store" in answer.headers["cache-control"]
    return HTMLParser(answer.text)


async def sent(datasette, action: str, form: dict, actor: dict = TEACHER, origin: str = LIST):
    """The answer to a form of the list, sent as a browser does."""
    token = (await get(datasette, origin, actor)).cookies["ds_csrftoken"]
    jar = {**cookies(datasette, actor), "ds_csrftoken": token}
    return await datasette.client.post(action, data={**form, "csrftoken": token}, cookies=jar)


async def test_addresses_can_be_copied_and_who_has_none_is_named(datasette):
    html = await page(datasette)
    assert (
        html.css_first(".people-list summary").text() == "For these 6 students: addresses, letters, one after the other"
    )
    comma, semicolon = (box.text().strip() for box in html.css(".people-list textarea[readonly]"))
    assert comma.split(", ") == semicolon.split("; ") and len(comma.split(", ")) == 4
    assert "zoe@student.example.edu" in comma and "a@b" not in comma
    said = html.css_first(".people-list").text()
    assert "Left out, without an address: Al Away." in said
    assert "Left out, with an address that mail programs would misread: Nia New." in said
    assert [button.attributes["data-copies"] for button in html.css("button[hidden]")] == [
        "addresses-1-1",
        "addresses-1-2",
    ]


async def test_there_is_no_list_where_nobody_is(datasette):
    for path in ("/moodle/weeks?course=2", "/moodle/never_opened?activity=x", "/moodle/student_profile?course=77"):
        assert not (await page(datasette, path)).css(".people-list"), path


async def test_who_is_suspended_is_left_out_until_asked_for(datasette):
    html = await page(datasette, "/moodle/student_profile?course=2")
    shown = html.css_first(".people-list")
    assert "For these 5 students" in shown.text() and "1 suspended left out · include them" in shown.text()
    assert "Al Away" not in shown.text() and "6 rows" in html.body.text(), "in the answer as before"
    link = shown.css_first("p a").attributes["href"]
    assert link == "?course=2&_suspended=1#people-1" and "open" not in shown.attributes
    shown = (await page(datasette, "/moodle/student_profile" + link.partition("#")[0])).css_first(".people-list")
    assert "For these 6 students" in shown.text() and "1 suspended included · leave them out" in shown.text()
    assert shown.css_first("p a").attributes["href"] == "?course=2#people-1" and "open" in shown.attributes
    shown = (await page(datasette, "/moodle/never_entered?course=2")).css_first(".people-list")
    assert "For nobody who is still enrolled" in shown.text() and not shown.css("form, textarea")


def test_who_is_in_several_rows_counts_once_and_no_row_of_a_sentence_counts():
    def row(person, email="a@example.org", course=2):
        return {"person": person, "fullname": f"N{person}", "email": email, "course": course}

    (one,) = people_lists.lists(row(1), [row(7), row(3, "b@example.org"), row(7), row(None), row(9)], "moodle")
    assert (one["ids"], one["db"], one["course"]) == ("7.3.9", "moodle", 2)
    assert one["addresses"] == ["a@example.org", "b@example.org"]
    two = people_lists.lists(row(1), [row(7), row(7, course=3)], "moodle")
    assert [(each["course"], each["ids"]) for each in two] == [(2, "7"), (3, "7")]
    assert people_lists.lists({"person", "name"}, [{"person": 1, "name": "x"}], "moodle") == []


async def test_a_csv_for_mail_merge(datasette):
    html = await page(datasette)
    keys = html.css_first("[name=people]").attributes["value"]
    answer = await sent(datasette, html.css_first("[formaction]").attributes["formaction"], {"people": keys})
    assert answer.status_code == 200 and answer.text.startswith("\ufefffullname,firstname,lastname,email,idnumber\r\n")
    assert answer.headers["cache-control"] == "private, no-store"
    found = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert len(found) == 6 and found[0]["fullname"] == "Al Away"
    assert {row["idnumber"] for row in found if row["fullname"] == "Sam Lee"} == {"001012826", "001012863"}


async def test_a_csv_holds_no_formula(datasette):
    with closing(sqlite3.connect(datasette.databases["moodle"].path)) as db, db:
        db.execute("update people set fullname = '=1+1' where id = ?", [made_up.ZOE])
    assert "'=1+1,Zoë" in (await sent(datasette, "/-/list.csv?db=moodle", {"people": "1"})).text


async def test_all_in_turn(datasette):
    html = await page(datasette)
    order = html.css_first("[name=people]").attributes["value"].split(".")
    link, seen = html.css_first('.people-list a[href^="/-/student"]').attributes["href"], []
    for place in range(6):
        html = await page(datasette, link)
        seen.append(html.css_first("h1").text())
        assert html.css_first(".turn b").text() == f"{place + 1} of 6"
        assert html.css_first(".turn a:last-child").attributes["href"] == LIST
        assert bool(html.css('[rel="prev"]')) == (place > 0)
        link = html.css_first('[rel="next"]').attributes["href"] if place < 5 else ""
    assert len(order) == len(seen) == 6 and seen[0] == "Al Away" and not html.css('[rel="next"]')
    looked = [row for row in rows(datasette, "what, person") if row[0] == "student"]
    assert looked == [("student", key) for key in order], "each look-up is recorded"


async def test_a_note_does_not_end_the_turn(datasette):
    asked = f"/-/student?course=2&person=1&db=moodle&turn=2.1.3&back={quote(LIST)}"
    form = (await page(datasette, asked)).css_first(".notes form").attributes["action"]
    answer = await post_note(datasette, form)
    html = await page(datasette, answer.headers["location"].partition("#")[0])
    assert html.css_first(".turn b").text() == "2 of 3"
    assert html.css_first(".turn a:last-child").attributes["href"] == LIST


async def post_note(datasette, action: str):
    answer = await sent(
        datasette, action, {"do": "add", "text": "Called.", "at": "notes"}, origin="/-/student?course=2&person=1"
    )
    assert answer.status_code == 303
    return answer


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
        "/%0d%0aevil\r\nx", "/a b", "evil", "", "/" + "a" * 3000, "/\t/evil.example", "http:/x",
    ],
)  # fmt: skip
async def test_the_way_back_leads_nowhere_else(datasette, back):
    answer = await datasette.client.get(
        "/-/student",
        params={"course": 2, "person": 1, "turn": "1.2", "back": back},
        cookies=cookies(datasette, TEACHER),
    )
    links = HTMLParser(answer.text).css(".turn a")
    assert [link.text() for link in links] == ["Next student"] and "evil" not in links[0].attributes["href"]


@pytest.mark.parametrize(
    "turn", ["", "x", "1,2", "2.3", "1..2", ".1", "1.2.", "9" * 30, ".".join(map(str, range(1, 900)))]
)
async def test_what_is_no_turn_is_left_alone(datasette, turn):
    html = await page(datasette, f"/-/student?course=2&person=1&turn={turn}")
    assert html.css_first("h1").text() == "Zoë Müller" and not html.css(".turn")


async def test_a_long_list_is_opened_as_far_as_an_address_goes(tmp_path):
    datasette = instance(made_up.large(tmp_path / "moodle.db", students=520, activities=2, events=100))
    html = await page(datasette)
    assert "520 addresses" in html.css_first(".people-list").text() and "(the first 500)" in html.body.text()
    link = html.css_first('.people-list a[href^="/-/student"]').attributes["href"]
    assert (await page(datasette, link)).css_first(".turn b").text() == "1 of 500" and len(link) < 4000


async def test_lists_are_for_who_may_see_the_people(datasette):
    metadata = datasette._metadata_local
    metadata["allow"] = {"id": "teacher"}
    metadata["databases"]["moodle"]["queries"]["student_profile"]["allow"] = {"id": ["teacher", "colleague"]}
    html = await page(datasette, actor=COLLEAGUE)
    assert html.css(".people-list textarea[readonly]") and not html.css(".people-list form, .people-list a")
    for action in ("/-/list.csv?db=moodle", "/-/letters?db=moodle"):
        answer = await post(datasette, action, {"people": "1"}, COLLEAGUE)
        assert answer.status_code == 403 and "Müller" not in answer.text


@pytest.mark.parametrize("form", [{}, {"people": "x"}, {"people": "1;2"}, {"people": "-1"}])
async def test_whom_nobody_names_is_a_sentence(datasette, form):
    for action in ("/-/list.csv?db=moodle", "/-/letters?db=moodle", "/-/letters?db=none", "/-/letters"):
        answer = await sent(datasette, action, form)
        assert answer.status_code == 400 and "Whom is this about?" in answer.text


async def test_lists_are_recorded_for_whom_they_were_made(datasette):
    await sent(datasette, "/-/list.csv?db=moodle&course=2", {"people": "1"})
    await sent(datasette, "/-/letters?db=moodle&course=2", {"people": "1", "letter": "x"})
    found = [row for row in rows(datasette, "what, form, database, course") if row[0] in ("list", "letters")]
    assert found == [("list", "csv", "moodle", "2"), ("letters", None, "moodle", "2")]


@pytest.mark.parametrize(
    ("path", "is_ours"),
    [
        (LIST, True),
        ("/base/moodle/away?days=10&group=%5B%22a%22%5D", True),
        ("//evil.example/moodle/away", False),
        ("/moodle?sql=select+1", False),
        ("/moodle/people?_where=1", False),
        ("/moodle/away.csv", False),
        ("/-/logout", False),
    ],
)
def test_the_way_back_is_to_a_question_of_ours(path, is_ours):
    assert (people_lists.local(path) == path) is is_ours


async def test_another_site_takes_nobody_through_a_list(datasette):
    asked = f"/-/student?course=2&person=1&turn=1.2&back={LIST}"
    ours = await get(datasette, asked)
    assert HTMLParser(ours.text).css_first(".turn")
    theirs = await datasette.client.get(
        asked,
        cookies=cookies(datasette, TEACHER),
        headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
    )
    assert not HTMLParser(theirs.text).css_first(".turn")
