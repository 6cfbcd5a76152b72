"""A letter to each of a list: filled in, safe as a link whatever names and addresses hold, stored nowhere."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from email.utils import getaddresses
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from loaders import letters
from tests import made_up
from tests.test_people_lists import datasette, sent
from tests.visit import get, instance, served

__all__ = ["datasette"]

TEXT = "Dear {first name},\n\nare you {name}, or {Last Name}? 50 % & more + ü.\n"


def person(
    email: str = "z@example.org", fullname: str = "Zoë Müller", first: str | None = "Zoë", last: str | None = "Müller"
):
    return {"person": 1, "fullname": fullname, "firstname": first, "lastname": last, "email": email, "idnumber": None}


def test_names_are_filled_in_once():
    letter = letters.letter(person(first="{name}"), "For {name}", TEXT)
    assert letter["subject"] == "For Zoë Müller"
    assert letter["text"] == "Dear {name},\n\nare you Zoë Müller, or Müller? 50 % & more + ü."
    assert letters.letter(person(first=None), "", "Dear { First  name }")["text"] == "Dear { First  name }"
    assert letters.letter(person(first=None), "", "Dear {FIRST NAME}")["text"] == "Dear Zoë Müller"


def test_the_link_holds_the_letter():
    link = urlsplit(letters.letter(person(), "Hello & {name}", TEXT)["href"])
    assert link.scheme == "mailto" and link.path == "z@example.org"
    asked = parse_qs(link.query, strict_parsing=True)
    assert asked["subject"] == ["Hello & Zoë Müller"] and list(asked) == ["subject", "body"]
    assert asked["body"] == ["Dear Zoë,\r\n\r\nare you Zoë Müller, or Müller? 50 % & more + ü."]


@pytest.mark.parametrize(
    "email",
    [
        "a@example.org?bcc=evil@example.org", "a&b@example.org", "o'brien+x@example.org", "ü@exämple.org",
        "a%0abcc:evil@example.org", "a#b@example.org", "a/b=c@example.org",
    ],
)  # fmt: skip
def test_an_odd_address_stays_one_address(email):
    href = letters.letter(person(email), "s", "t")["href"]
    link = urlsplit(href)
    assert unquote(link.path) == email and not link.fragment and set(parse_qs(link.query)) == {"subject", "body"}
    assert not re.search(r"[\s<>\"]", href)


@pytest.mark.parametrize(
    "email",
    [
        "a@example.org,b@example.org", "a@example.org; b@example.org", "a@example.org\nBcc: b@example.org",
        "A <a@example.org>", "a@b@example.org", "nobody", "@", "a@", " a@example.org", "a\x00@example.org",
        "a\u202e@example.org", '"a b"@example.org', "a:b@example.org", "a(b)@example.org", "a\u2028@example.org",
    ],
)  # fmt: skip
def test_no_letter_goes_where_a_mail_program_might_read_two(email):
    assert letters.written([person(email)], "s", "t") == []
    assert letters.reached([person(email)]) == ([], {letters.ODD: ["Zoë Müller"]})


@pytest.mark.parametrize("name", ["Zoë\r\nBcc: evil@example.org", "Zoë\u2028x", "\x00Zoë", "<b>Zoë</b>", 'Z"oë'])
def test_no_name_adds_a_line_to_the_subject(name):
    letter = letters.letter(person(fullname=name, first=name), "{name}", "{first name}")
    assert len(letter["subject"].splitlines()) == 1 and letter["subject"].isprintable()
    assert parse_qs(urlsplit(letter["href"]).query)["subject"] == [letter["subject"]]
    assert len(getaddresses([letter["email"]])) == 1


def test_a_letter_that_is_too_long_for_a_link_is_to_be_copied():
    letter = letters.letter(person(), "Hello", "ü" * 1000)
    assert (
        not letter["is_whole"]
        and letter["href"] == "mailto:z@example.org?subject=Hello"
        and len(letter["text"]) == 1000
    )
    assert letters.letter(person(), "Hello", "u" * 1000)["is_whole"]


async def test_the_page_shows_each_letter_and_who_gets_none(datasette):
    form = {
        "people": "1.4.6.5.999",
        "subject": "About {activity}",
        "letter": TEXT,
        "back": "/moodle/never_opened?course=2",
    }
    answer = await sent(datasette, "/-/letters?db=moodle&course=2", form)
    html = HTMLParser(answer.text)
    assert answer.status_code == 200 and answer.headers["cache-control"] == "private, no-store"
    assert html.css_first("h1").text() == "Letters to 2 students"
    assert [title.text() for title in html.css("article h2")] == ["Zoë Müller", made_up.MARKUP]
    assert html.css("article textarea")[1].text().strip().startswith("Dear Bo,\n\nare you <b>Bo</b>")
    assert not html.css("article b, article script") and len(html.css("script")) == 1
    notes = [note.text() for note in html.css(".note")]
    assert notes[0] == "Left out, without an address: Al Away." and notes[2].startswith("Not filled in: {activity}.")
    assert html.css_first("main > p a").attributes["href"] == "/moodle/never_opened?course=2"
    again = {box.attributes["name"]: box.attributes.get("value") for box in html.css(".letter input")}
    assert again["people"] == "1.4.6.5" and again["subject"] == "About {activity}"


async def test_one_that_is_too_long_or_asked_for_otherwise_is_a_sentence(datasette):
    long = {"people": "1", "letter": "x" * (letters.MOST_CHARACTERS + 1)}
    assert (await sent(datasette, "/-/letters?db=moodle", long)).status_code == 400
    answer = await get(datasette, "/-/letters?db=moodle&people=1")
    assert answer.status_code == 405 and "stand below the answer of a question" in answer.text
    jar = {"ds_actor": datasette.sign({"a": {"id": "teacher"}}, "actor")}
    forged = await datasette.client.post("/-/letters?db=moodle", data={"people": "1", "letter": "x"}, cookies=jar)
    assert forged.status_code == 403


async def test_hundreds_of_letters_are_shown_as_far_as_a_page_goes(tmp_path, monkeypatch):
    monkeypatch.setattr(letters, "MOST_LETTERS", 5)
    datasette = instance(made_up.large(tmp_path / "moodle.db", students=12, activities=2, events=100))
    keys = ".".join(map(str, range(1, 13)))
    page = (await sent(datasette, "/-/letters?db=moodle", {"people": keys, "letter": TEXT})).text
    assert page.count("<article") == 5 and "These are the first 5 of 12" in page


def test_copying_and_writing_in_a_browser(browser: Browser, tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("update people set email = null where id = ?", [made_up.AWAY])
    with served(path) as link:
        address = link.partition("-/")[0]
        context = browser.new_context(viewport={"width": 320, "height": 700})
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
        page = context.new_page()
        page.goto(link)
        page.goto(f"{address}moodle/student_profile?course=2")
        page.locator(".people-list > summary").focus()
        page.keyboard.press("Enter")
        button = page.locator("[data-copies]").nth(1)
        button.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#said-1-2")).to_have_text("Copied.")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert (
            copied.split("; ") == page.locator("#addresses-1-1").input_value().split(", ")
            and len(copied.split("; ")) == 5
        )
        axe = Axe().run(page, context=".people-list")
        assert axe.violations_count == 0, axe.generate_report()
        page.get_by_label("Subject").fill("A word")
        page.get_by_role("button", name="Show the letters").press("Enter")
        expect(page.locator("h1")).to_have_text("Letters to 5 students")
        page.locator("article [data-copies]").first.press("Enter")
        expect(page.locator("article [role=status]").first).to_have_text("Copied.")
        assert page.evaluate("navigator.clipboard.readText()").startswith("Dear ")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        axe = Axe().run(page)
        assert axe.violations_count == 0, axe.generate_report()
        context.close()


def test_a_place_that_never_ends_is_left_as_it_is():
    text = "{" + " " * 9_000
    assert letters.filled(text, {"fullname": "A B", "firstname": "A", "lastname": "B"}) == text
    assert letters.unknown("{ First  name }", "{ name }") == ["{ First  name }"]
