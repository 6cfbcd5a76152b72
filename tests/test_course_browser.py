"""The course page and the completion grid in a real browser: by keyboard, on a phone, in the dark, on paper."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests import made_up
from tests.visit import served

COURSE, GRID = "-/course?course=2", "-/completion?course=2"
PAGES = [COURSE, GRID, "-/course?course=3", "-/completion?course=3"]
ALL_OPEN = "document.querySelectorAll('details').forEach(each => { each.open = true })"


@pytest.fixture(scope="module")
def state(browser: Browser, tmp_path_factory):
    """(address of a server of two files, the teacher's cookies): `small`, and `large` with 60 activities."""
    folder = tmp_path_factory.mktemp("served")
    small = made_up.small(folder / "small.db")
    large = made_up.large(folder / "large.db", students=40, activities=60, events=500)
    with served(small, large) as link:
        context = browser.new_context()
        context.new_page().goto(link)
        yield link.partition("-/")[0], context.storage_state()
        context.close()


@pytest.fixture
def open_page(browser: Browser, state):
    """Opens a page of a course in a window of any kind; collects what the browser complains of."""
    address, cookies = state
    contexts = []

    def opened(path: str, width: int = 1000, db: str = "small", **kind) -> Page:
        contexts.append(browser.new_context(storage_state=cookies, viewport={"width": width, "height": 700}, **kind))
        page = contexts[-1].new_page()
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.goto(f"{address}{path}&db={db}")
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(open_page, path, scheme):
    page = open_page(path, color_scheme=scheme)
    page.evaluate(ALL_OPEN)
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found] == []
    assert page.complaints == []


@pytest.mark.parametrize("db", ["small", "large"])
@pytest.mark.parametrize("path", [COURSE, GRID])
@pytest.mark.parametrize("width", [320, 1000])
def test_wide_things_scroll_inside_their_box(open_page, path, width, db):
    page = open_page(path, width, db)
    page.evaluate(ALL_OPEN)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.complaints == [], "no inline style, no script"


def test_names_and_headers_stay_in_sight(open_page):
    page = open_page(GRID, 320, "large")
    page.locator(".grid").evaluate("grid => grid.scrollTo(700, 400)")
    box = page.locator(".grid").bounding_box()
    name = page.locator("tbody th").nth(30).bounding_box()
    assert name["x"] == pytest.approx(box["x"] + 1, abs=1)
    head = page.locator("thead").bounding_box()
    assert head["y"] == pytest.approx(box["y"] + 1, abs=1)


def test_the_grid_is_sorted_by_keyboard_and_without_javascript(open_page):
    page = open_page(GRID, java_script_enabled=False)
    page.locator(".grid").focus()
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # on "Done", after "Student"
    page.wait_for_url("**sort=done**")
    assert page.locator("th[aria-sort]").inner_text().startswith("Done")
    assert page.locator("tbody th").first.inner_text() == "Sam Lee"


def test_a_group_is_chosen_by_a_form_without_javascript(open_page):
    page = open_page(COURSE, java_script_enabled=False)
    page.get_by_label("Group").select_option("Online")
    page.get_by_role("button", name="Show").click()
    assert page.get_by_text("2 students in Online").is_visible()


def test_only_this_weeks_section_is_open_at_first(open_page):
    page = open_page(COURSE, java_script_enabled=False)
    assert page.locator("details.section[open] summary").count() == 1
    assert page.locator("details.section[open]").get_by_text("The TPACK book").is_visible()


def test_paper_has_every_section_and_as_many_columns_as_there_is_room_for(open_page):
    page = open_page(COURSE)
    page.emulate_media(media="print")
    assert page.get_by_role("link", name="Quiz 1", exact=True).is_visible()
    assert not page.get_by_role("button", name="Show").is_visible()
    grid = open_page(GRID, db="large")
    grid.emulate_media(media="print")
    assert grid.locator("tbody tr").first.locator("td:visible").count() == 1 + 40
    assert grid.get_by_text("On paper the first 40 activities have room").is_visible()
    assert not grid.get_by_text("This grid as").is_visible()
