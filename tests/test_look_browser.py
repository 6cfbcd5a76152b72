"""One look: every kind of page by axe and by hand's rules, in light and dark, on a phone, by keyboard, on paper."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests import made_up
from tests.visit import served

LONG = quote("select printf('%.*c', 900, 'x') || ' end' as long, 5 as number, id, fullname from people")
TABLE, QUESTION, SQL = "moodle/people?_facet=site_id", "moodle/resource_usage?course=2", f"moodle?sql={LONG}"
PAGES = {
    "home": "",
    "course": "-/course?course=2",
    "database": "moodle",
    "table": TABLE,
    "filtered": "moodle/people?_search=lee&lastname__contains=e&_where=1=1&site_id=1&_facet=site_id&_sort=email",
    "empty table": "moodle/people?_search=nobody",
    "events": "moodle/events",
    "row": "moodle/people/1",
    "question": QUESTION,
    "no answer": "moodle/never_opened?course=2&activity=nothing",
    "student question": "moodle/student_profile?course=2",
    "SQL": SQL,
    "wrong SQL": "moodle?sql=select+nonsense",
    "parameters": "moodle?sql=select+:a+%2B+:b",
    "find": "-/find?q=e",
    "student": "-/student?course=2&user=5",
    "account": "-/account",
    "bookmark": "-/bookmarklet",
    "not there": "nothing",
    "no such table": "moodle/nothing",
    "no such student": "-/student?course=2&user=77",
    "settings": "-/settings",
}
# What is large on purpose, and not ours: the charts that a teacher makes herself, the editor of SQL.
OF_OTHERS = re.compile(r"/datasette_vega/|/codemirror-|/cm-resize-|/sql-formatter-")
LARGEST_BYTES = 100_000
SMALLEST_PX = 24  # WCAG 2.5.8
CONTROLS = "button, select, summary, input:not([type=hidden]), textarea, [role=button], .top a, .rows-and-columns th a"


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
def open_page(browser: Browser, state):
    """Opens a page (its name in PAGES) in a window of any kind; `scripts` has the bytes of each file it ran."""
    address, cookies = state
    contexts = []

    def opened(name: str, width: int = 1200, signed_in: bool = True, **kind) -> Page:
        who = {"storage_state": cookies} if signed_in else {}
        contexts.append(browser.new_context(viewport={"width": width, "height": 800}, **who, **kind))
        page = contexts[-1].new_page()
        page.scripts = {}
        page.on("response", lambda got: got.request.resource_type == "script" and page.scripts.update({got.url: got}))
        page.goto(address + PAGES.get(name, name))
        return page

    yield opened
    for context in contexts:
        context.close()


def violations(page: Page) -> list[tuple]:
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(one["id"], [node["html"][:200] for node in one["nodes"]][:3]) for one in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(open_page, name, scheme):
    assert violations(open_page(name, color_scheme=scheme)) == []


@pytest.mark.parametrize("path", ["-/login", "moodle"])
def test_axe_finds_nothing_before_signing_in(open_page, path):
    assert violations(open_page(path, signed_in=False)) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_scrolls_down_only(open_page, name):
    page = open_page(name, 320)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.locator("h1").count() == 1 and page.locator("main").count() == 1


@pytest.mark.parametrize("name", PAGES)
def test_scripts_are_small_and_controls_large(open_page, name):
    page = open_page(name)
    own = [len(got.body()) for url, got in page.scripts.items() if not OF_OTHERS.search(url)]
    inline = page.evaluate("[...document.scripts].reduce((sum, each) => sum + each.textContent.length, 0)")
    assert sum(own) + inline < LARGEST_BYTES
    small = page.evaluate(
        """([controls, least]) => [...document.querySelectorAll(controls)]
            .filter(each => each.checkVisibility() && !each.matches('[type=checkbox], [type=radio]') && !each.closest('.CodeMirror'))
            .map(each => [each.outerHTML.slice(0, 120), each.getBoundingClientRect()])
            .filter(([, box]) => box.width > 1 && (box.height < least || box.width < least))
            .map(([html, box]) => [html, box.width, box.height])""",
        [CONTROLS, SMALLEST_PX],
    )
    assert small == []


@pytest.mark.parametrize("name", ["home", "database", "table", "row", "question", "SQL", "find"])
def test_the_keyboard_sees_where_it_is(open_page, name):
    page = open_page(name)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"
    for _ in range(12):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            """() => { let at = document.activeElement;
                if (at.closest('.CodeMirror')) at = at.closest('.CodeMirror');
                const style = getComputedStyle(at);
                return [at.outerHTML.slice(0, 120), style.outlineStyle, parseFloat(style.outlineWidth)]; }"""
        )
        assert (focused[1] != "none" and focused[2] >= 2) or focused[0].startswith("<body"), focused
        if "CodeMirror" in focused[0]:
            break


def test_menus_of_columns_open_and_close_by_keyboard(open_page):
    page = open_page("table")
    icon = page.locator("th.col-email [role=button]")
    assert icon.get_attribute("aria-label") == "What to do with email"
    icon.focus()
    page.keyboard.press("Enter")
    menu = page.locator("body > .dropdown-menu")
    assert menu.is_visible() and "Sort ascending" in page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Escape")
    assert not menu.is_visible() and icon.evaluate("icon => icon === document.activeElement")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "_sort_desc=email" in page.url


def test_a_menu_at_the_edge_stays_on_the_page(open_page):
    page = open_page("moodle/activities", 700)
    page.locator("th [role=button]").last.scroll_into_view_if_needed()
    page.locator("th [role=button]").last.click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_wide_tables_scroll_in_their_box_under_their_head(open_page):
    page = open_page("events", 700)
    box = page.locator(".table-wrapper")
    box.evaluate("box => { box.style.maxHeight = '200px'; box.scrollTo(50, 150) }")
    head, top = page.locator("thead th").first.bounding_box(), box.bounding_box()
    assert box.evaluate("box => box.scrollLeft") == 50 and head["y"] == pytest.approx(top["y"], abs=2)


def test_numbers_stand_at_the_right_and_long_text_opens(open_page):
    page = open_page("SQL")
    align = "cell => getComputedStyle(cell).textAlign"
    assert page.locator("td.col-number").first.evaluate(align) == "right"
    assert page.locator("td.col-fullname").first.evaluate(align) in ("left", "start")
    cell = page.locator("td.col-long").first
    assert " end" not in cell.inner_text()
    cell.locator("summary").click()
    assert " end" in cell.inner_text()
    page = open_page("question")
    assert page.locator("td.col-students_pct").first.evaluate(align) == "right"


def test_no_colour_says_anything_alone(open_page):
    page = open_page("question")
    chips = page.locator("td .heat").all_inner_texts()
    assert chips and all(re.fullmatch(r"[\d.]+", text) for text in chips)
    plain = "link => getComputedStyle(link).textDecorationLine"
    assert {link.evaluate(plain) for link in page.locator("td a, .export-links a").all()} == {"underline"}
    page = open_page("filtered")
    arrow = "link => getComputedStyle(link, '::after').content"
    assert "▲" in page.locator("th[aria-sort=ascending] a").evaluate(arrow)


def test_forced_colours_keep_edges(open_page):
    page = open_page("question", forced_colors="active")
    width = "each => parseFloat(getComputedStyle(each).borderTopWidth)"
    for edged in ("input[type=submit]", ".table-wrapper", "select"):
        assert page.locator(edged).first.evaluate(width) >= 1, edged
    assert page.locator("td .heat").first.evaluate("chip => getComputedStyle(chip).forcedColorAdjust") == "none"


@pytest.mark.parametrize("name", ["table", "question", "SQL", "row", "database"])
def test_paper_has_the_rows_and_no_navigation(open_page, name):
    page = open_page(name)
    page.emulate_media(media="print")
    for gone in page.locator("header.top, form, nav, footer, button, .export-links, svg.dropdown-menu-icon").all():
        assert not gone.is_visible(), gone.evaluate("each => each.outerHTML.slice(0, 120)")
    assert page.locator("h1").is_visible() and page.locator("tbody td").first.is_visible()
    expect(page.locator(".table-wrapper")).to_have_css("max-height", "none")


def test_the_same_header_stands_on_every_page(open_page):
    for name in ("database", "account", "question", "settings"):
        header = open_page(name).locator("header.top")
        assert header.get_by_role("link", name="Coursette").is_visible()
        assert header.get_by_role("searchbox", name="Find").is_visible()
        assert header.get_by_role("button", name="Sign out").is_visible()
