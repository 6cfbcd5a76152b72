"""The form of a question in a real browser: by keyboard, without JavaScript, for a screen reader, light and dark."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests import made_up
from tests.visit import served


@pytest.fixture(scope="module")
def state(browser: Browser, tmp_path_factory):
    """(address of the server, the signed-in teacher's cookies)"""
    path = made_up.small(tmp_path_factory.mktemp("served") / "moodle.db")
    with served(path) as link:
        context = browser.new_context()
        context.new_page().goto(link)
        yield link.partition("-/")[0], context.storage_state()
        context.close()


@pytest.fixture
def ask(browser: Browser, state):
    """Opens a question in a window of any kind."""
    address, cookies = state
    contexts = []

    def asked(question: str, **kind) -> Page:
        contexts.append(browser.new_context(storage_state=cookies, **kind))
        page = contexts[-1].new_page()
        page.goto(f"{address}moodle/{question}")
        return page

    yield asked
    for context in contexts:
        context.close()


def test_a_question_is_asked_by_keyboard_and_without_javascript(ask):
    page = ask("student_profile?course=2", java_script_enabled=False)
    page.get_by_label("Student", exact=True).focus()
    page.keyboard.type("Nia New")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Answer: 1 row", exact=True)).to_be_visible()
    assert page.locator("form.ask [name=student]").input_value() == "Nia New"


def test_the_choice_comes_back_until_it_is_left(ask):
    page = ask("resource_usage?course=2", java_script_enabled=False)
    page.get_by_label("Group", exact=True).select_option(label="Online")
    page.get_by_role("button", name="Ask").click()
    page.goto(re.sub("resource_usage.*", "weeks?course=2", page.url))
    assert page.get_by_label("Group", exact=True).locator("option:checked").inner_text() == "Online"
    page.get_by_role("link", name="start afresh").click()
    assert page.get_by_label("Group", exact=True).locator("option:checked").inner_text() == "everybody"
    assert page.get_by_text("Remembered for your next question").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("question", ["before_due?course=2&student=18&activity=", "away?course=2&days=abc"])
def test_nothing_in_the_form_is_in_the_way_of_a_screen_reader(ask, question, scheme):
    page = ask(question, color_scheme=scheme)
    found = Axe().run(page, context="main, .ask, .fresh", options={"resultTypes": ["violations"]})
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found.response["violations"]] == []


def test_a_phone_shows_the_whole_form(ask):
    page = ask("before_due?course=2&student=18&activity=", viewport={"width": 320, "height": 640})
    form = page.locator("form.ask")
    assert form.evaluate("form => form.scrollWidth <= form.clientWidth")
    for field in form.locator("select, input:not([type=hidden])").all():
        assert field.bounding_box()["height"] >= 24, "big enough for a finger"
