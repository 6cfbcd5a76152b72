"""The complete student page in a real browser: its three tabs, by keyboard, on a phone, in the dark, on paper."""

from __future__ import annotations

import sqlite3

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests import made_up
from tests.test_student_page import BLOG, POSTS, looked
from tests.visit import served

TABS = ("details", "completion", "posts")


@pytest.fixture(scope="module")
def state(browser: Browser, tmp_path_factory):
    """(address of Zoë's page, the signed-in teacher's cookies): with posts, moods, a break and something odd."""
    path = made_up.small(tmp_path_factory.mktemp("served") / "moodle.db")
    with sqlite3.connect(path) as db:
        db.execute("insert into feeds (id, person_id, url, error) values (1, 1, 'https://zoe.example.org/', 'Gone.')")
        db.executemany(BLOG, POSTS)
        db.execute(
            "update completions set state = 'complete', completed_utc = '2016-03-09T00:00:00Z' where person_id = 1"
        )
        db.execute("update loads set loaded_utc = '2026-01-01T00:00:00Z', newest_utc = '2016-03-05T00:00:00Z'")
    db.close()
    looked(path, "2026-02-01T00:00:00Z")
    with served(path) as link:
        context = browser.new_context()
        context.new_page().goto(link)
        yield link.partition("-/")[0] + "-/student?course=2&user=5", context.storage_state()
        context.close()


@pytest.fixture
def page_of(browser: Browser, state):
    """Opens a tab of the page in a window of any kind."""
    address, cookies = state
    contexts = []

    def opened(tab: str, width: int = 600, **kind) -> Page:
        contexts.append(browser.new_context(storage_state=cookies, viewport={"width": width, "height": 700}, **kind))
        page = contexts[-1].new_page()
        page.goto(f"{address}#{tab}")
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("tab", TABS)
def test_axe_finds_nothing_serious(page_of, tab, scheme):
    page = page_of(tab, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    found = [one for one in Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("width", [320, 600])
def test_everything_fits_when_all_is_open(page_of, tab, width):
    page = page_of(tab, width)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_why_a_post_sounds_so_opens_by_keyboard_without_javascript(page_of):
    page = page_of("posts", java_script_enabled=False)
    sentence = page.get_by_text("An <i>epic</i> fail.")
    assert not sentence.is_visible()
    page.locator(".post", has_text="Two").locator("summary").focus()
    page.keyboard.press("Enter")
    assert sentence.is_visible()


def test_the_link_to_the_notes_opens_their_tab(page_of):
    page = page_of("completion", java_script_enabled=False)
    page.get_by_role("link", name="Add a note").click()
    assert page.get_by_label("A note").is_visible() and not page.locator("#completion").is_visible()
    assert page.locator(".tabs a[href='#details']").evaluate("tab => getComputedStyle(tab).fontWeight") == "600"


def test_what_is_new_opens_and_tells_which(page_of):
    page = page_of("completion", java_script_enabled=False)
    page.locator(".since summary").click()
    assert page.locator(".since").get_by_text("Reading nobody opens").is_visible()


def test_the_weeks_open_into_a_table(page_of):
    page = page_of("completion", java_script_enabled=False)
    page.locator(".by-week summary").click()
    row = page.locator(".by-week tr", has_text="Week 2")
    assert "3 done" in row.inner_text() and "Wed 9 March" in row.inner_text()


def test_paper_has_what_was_closed(page_of):
    page = page_of("completion")
    page.emulate_media(media="print")
    rows = page.locator(".by-week tbody tr, .by-week tr").evaluate_all("all => all.map(row => row.offsetHeight)")
    assert rows and max(rows) < 60, "a week is one line or two, and not one letter a line"
    for words in ("An <i>epic</i> fail.", "zoe@student.example.edu", "Reading nobody opens: done"):
        assert page.get_by_text(words).first.is_visible(), words
