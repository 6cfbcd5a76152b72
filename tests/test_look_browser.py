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
    "grid": "-/completion?course=2",
    "database": "moodle",
    "table": TABLE,
    "filtered": "moodle/people?_search=lee&lastname__contains=e&_where=1=1&site_id=1&_facet=site_id&_sort=email",
    "empty table": "moodle/people?_search=nobody",
    "row": "moodle/people/1",
    "question": QUESTION,
    "no answer": "moodle/never_opened?course=2&activity=nothing",
    "student question": "moodle/student_profile?course=2",
    "SQL": SQL,
    "wrong SQL": "moodle?sql=select+nonsense",
    "parameters": "moodle?sql=select+:a+%2B+:b",
    "find": "-/find?q=e",
    "letters": "moodle/student_profile?course=2",
    "nudges": "-/nudges",
    "student": "-/student?course=2&user=5",
    "account": "-/account",
    "sharing": "-/shares?db=moodle&query=resource_usage&course=2",
    "bookmark": "-/bookmarklet",
    "not there": "nothing",
    "no such student": "-/student?course=2&user=77",
}
# What is large on purpose, and not ours: the charts that a teacher makes herself, the editor of SQL.
OF_OTHERS = re.compile(r"/datasette_vega/|/codemirror-|/cm-resize-|/sql-formatter-")
LARGEST_BYTES = 100_000
SMALLEST_PX = 24  # WCAG 2.5.8
WIDE = 1200
SEEN = """chosen => [...document.querySelectorAll(chosen)].filter(each => each.checkVisibility())
    .map(each => each.outerHTML.slice(0, 120))"""
OFF_PAPER = "header.top, nav, footer, .skip, .export-links, svg.dropdown-menu-icon, main input[type=submit]"
# Controls that show with less than so many pixels either way: [HTML, width, height].
SMALL = """([controls, least]) => [...document.querySelectorAll(controls)]
    .filter(each => each.checkVisibility())
    .filter(each => !each.closest('.CodeMirror') && !each.matches('[type=checkbox], [type=radio]'))
    .map(each => [each.outerHTML.slice(0, 120), each.getBoundingClientRect()])
    .filter(([, box]) => box.width > 1 && (box.height < least || box.width < least))
    .map(([html, box]) => [html, box.width, box.height])"""
CONTROLS = (
    "button, select, summary, input:not([type=hidden]), textarea, [role=button], .top a, .rows-and-columns thead a"
)


@pytest.fixture(scope="module")
def state(browser: Browser, tmp_path_factory):
    """(address of the server, the signed-in teacher's cookies)"""
    path = made_up.small(tmp_path_factory.mktemp("served") / "moodle.db")
    with served(path) as link:
        context = browser.new_context()
        context.new_page().goto(link)
        yield link.partition("-/")[0], context.storage_state()
        context.close()


@pytest.fixture(scope="module", params=PAGES)
def each(browser: Browser, state, request):
    """A page of each kind, opened once for all that is looked at; `scripts` has the answers with scripts."""
    address, cookies = state
    context = browser.new_context(viewport={"width": WIDE, "height": 800}, storage_state=cookies)
    page = context.new_page()
    page.scripts = {}
    page.on("response", lambda got: got.request.resource_type == "script" and page.scripts.update({got.url: got}))
    page.goto(address + PAGES[request.param])
    if request.param == "letters":
        to_the_letters(page)
    yield page
    context.close()


def to_the_letters(page: Page) -> None:
    page.locator(".people-list summary").click()
    page.get_by_label("Letter", exact=True).fill("Dear {first name}")
    page.get_by_role("button", name="Show the letters").click()
    page.wait_for_selector(".a-letter")


@pytest.fixture
def open_page(browser: Browser, state):
    """Opens a page (its name in PAGES) in a window of any kind."""
    address, cookies = state
    contexts = []

    def opened(name: str, width: int = WIDE, signed_in: bool = True, **kind) -> Page:
        who = {"storage_state": cookies} if signed_in else {}
        contexts.append(browser.new_context(viewport={"width": width, "height": 800}, **who, **kind))
        page = contexts[-1].new_page()
        page.goto(address + PAGES.get(name, name))
        return page

    yield opened
    for context in contexts:
        context.close()


def violations(page: Page, **options) -> list[tuple]:
    found = Axe().run(page, options={"resultTypes": ["violations"], **options}).response["violations"]
    return [(one["id"], [node["html"][:200] for node in one["nodes"]][:3]) for one in found]


def test_axe_finds_nothing(each):
    assert violations(each) == []


def test_axe_finds_nothing_in_the_dark(each):
    each.emulate_media(color_scheme="dark")
    assert violations(each, runOnly=["color-contrast"]) == [], "all else is as in the light"
    each.emulate_media(color_scheme="light")


def test_the_header_leads_home_finds_and_signs_out(each):
    header = each.locator("header.top")
    assert header.get_by_role("link", name="Coursette").get_attribute("href") == "/"
    assert each.get_by_role("searchbox").count() >= 1 and each.locator("[role=search]").count() == 1
    assert header.get_by_role("button", name="Sign out").is_visible()
    assert each.locator("h1").count() == 1 and each.locator("main").count() == 1


def test_controls_are_large_enough_to_hit(each):
    assert each.evaluate(SMALL, [CONTROLS, SMALLEST_PX]) == []


def test_scripts_are_small(each):
    own = [len(got.body()) for url, got in each.scripts.items() if not OF_OTHERS.search(url)]
    inline = each.evaluate("[...document.scripts].reduce((sum, each) => sum + each.textContent.length, 0)")
    assert sum(own) + inline < LARGEST_BYTES


def test_a_phone_scrolls_down_only(each):
    each.set_viewport_size({"width": 320, "height": 700})
    wide = each.evaluate("document.documentElement.scrollWidth")
    each.set_viewport_size({"width": WIDE, "height": 800})
    assert wide <= 320


def test_paper_has_no_navigation(each):
    each.emulate_media(media="print")
    seen = each.evaluate(SEEN, OFF_PAPER)
    title = each.locator("h1").is_visible()
    each.emulate_media(media="screen")
    assert seen == [] and title


@pytest.mark.parametrize("path", ["-/login", "moodle"])
def test_axe_finds_nothing_before_signing_in(open_page, path):
    assert violations(open_page(path, signed_in=False)) == []


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
    page = open_page("moodle/events", 700)
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


@pytest.mark.parametrize("name", ["table", "question", "row"])
def test_paper_has_all_rows(open_page, name):
    page = open_page(name)
    page.emulate_media(media="print")
    assert page.locator("tbody td").first.is_visible() and not page.locator("main form").first.is_visible()
    expect(page.locator(".table-wrapper")).to_have_css("max-height", "none")


def test_a_question_leads_back_to_its_course(open_page):
    page = open_page("question")
    page.get_by_role("navigation", name="Where this is").get_by_role("link").first.click()
    page.wait_for_url("**/-/course?course=2**")


def test_the_home_page_leads_to_ten_questions_and_in_two_clicks_to_all(open_page):
    page = open_page("home")
    assert page.locator(".course").first.locator(".questions a").count() == 10
    page.get_by_role("link", name="more questions").first.click()
    page.wait_for_url("**#questions")
    course = page.locator(".headed .questions a").evaluate_all("links => links.map(a => new URL(a.href).pathname)")
    database = open_page("database").locator(".headed .questions a")
    every = database.evaluate_all("links => links.map(a => new URL(a.href).pathname)")
    assert len(course) >= 25 and set(course) == set(every)


def test_names_head_their_rows_and_stay_in_sight(open_page):
    page = open_page("student question", 500)
    name, box = page.locator("tbody th[scope=row]").first, page.locator(".table-wrapper")
    assert name.inner_text() and page.locator("tbody tr").count() == page.locator("tbody th").count()
    box.evaluate("box => box.scrollTo(150, 0)")
    assert box.evaluate("box => box.scrollLeft") == 150
    assert name.bounding_box()["x"] == pytest.approx(box.bounding_box()["x"], abs=2)


def test_an_answer_is_sorted_by_its_heads(open_page):
    page = open_page("question", java_script_enabled=False)
    page.locator("thead").get_by_role("link", name="clicks", exact=True).click()
    counts = [int(text.replace(",", "")) for text in page.locator("td.col-clicks").all_inner_texts() if text.strip()]
    assert counts == sorted(counts, reverse=True) and page.locator("th[aria-sort=descending]").count() == 1
