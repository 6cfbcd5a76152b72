"""Our pages in a real browser: by keyboard, without JavaScript, in a pop-up, on a phone, in the dark, on paper."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page

from tests import made_up
from tests.visit import served

STUDENT = "-/student?course=2&user=5"
PAGES = [
    "",
    STUDENT,
    STUDENT + "#details",
    STUDENT + "#posts",
    "-/student?course=2&user=20",
    "-/account",
    "-/course?course=2",
    "-/completion?course=2",
    "-/student?course=2&user=77",
]


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
    """Opens a page of ours in a window of any kind; collects what the browser complains of."""
    address, cookies = state
    contexts = []

    def opened(path: str, width: int = 600, **kind) -> Page:
        context = browser.new_context(storage_state=cookies, viewport={"width": width, "height": 700}, **kind)
        contexts.append(context)
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.goto(address + path)
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", [360, 600, 1200])
def test_nothing_runs_over_the_edge_and_the_policy_is_kept(open_page, path, width):
    page = open_page(path, width)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert [text for text in page.complaints if "404" not in text and "403" not in text] == []
    assert page.evaluate("document.querySelectorAll('h1').length") == 1
    assert page.evaluate("document.querySelectorAll('img, script, style').length") == 0


def visible(page: Page) -> list[str]:
    return [panel.get_attribute("id") for panel in page.locator(".panel").all() if panel.is_visible()]


def test_tabs_work_by_keyboard_and_without_javascript(open_page):
    page = open_page(STUDENT, java_script_enabled=False)
    assert visible(page) == ["completion"]
    page.locator('nav a[href="#details"]').focus()
    page.keyboard.press("Enter")
    assert visible(page) == ["details"] and "zoe@student.example.edu" in page.locator("#details").inner_text()
    page.keyboard.press("Tab")
    assert page.locator("#details a").first.evaluate("link => link === document.activeElement"), "goes on inside"
    page.go_back()
    assert visible(page) == ["completion"]
    assert visible(open_page(STUDENT + "#posts")) == ["posts"]


def test_the_tabs_stay_in_sight(open_page):
    page = open_page(STUDENT, java_script_enabled=True)
    page.locator('nav a[href="#posts"]').click()
    assert page.locator("nav.tabs").evaluate("nav => nav.getBoundingClientRect().top") >= 0
    assert page.evaluate("scrollY") == 0


def test_the_exact_time_shows_on_focus(open_page):
    page = open_page(STUDENT)
    time = page.locator("header time")
    content = "time => getComputedStyle(time, '::after').content"
    assert time.evaluate(content) == "none"
    for _ in range(9):  # past the link to the content, home, the course, find (2), hiding names, account, signing out
        page.keyboard.press("Tab")
    assert time.evaluate("time => time === document.activeElement")
    assert time.evaluate(content) == '"Tuesday 15 March 2016, 21:00"'


def test_sections_open_by_keyboard(open_page):
    page = open_page(STUDENT)
    section = page.locator("details.section:not(.by-week)").first
    assert section.get_attribute("open") is None
    section.locator("summary").focus()
    page.keyboard.press("Enter")
    assert section.get_attribute("open") is not None and section.get_by_text("News & <i>chat</i>").is_visible()


def test_paper_shows_everything(open_page):
    page = open_page(STUDENT)
    page.emulate_media(media="print")
    assert visible(page) == ["details", "completion", "posts"]
    assert page.get_by_text("News & <i>chat</i>").first.is_visible(), "closed sections too"
    assert not page.locator("nav.tabs").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(open_page, scheme):
    for path in PAGES:
        page = open_page(path, color_scheme=scheme)
        for foreground, background, text in page.evaluate(COLOURS):
            assert contrast(foreground, background) >= 4.5, (path, text, foreground, background)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_heat_gets_steadily_darker_or_lighter(open_page, scheme):
    page = open_page("", color_scheme=scheme)
    steps = page.evaluate(
        """() => [0, 1, 2, 3, 4].map(step => {
            const cell = document.createElement('b');
            cell.className = 'heat h' + step;
            document.querySelector('main').append(cell);
            const style = getComputedStyle(cell);
            return [style.color, style.backgroundColor];
        })"""
    )
    assert all(contrast(*step) >= 4.5 for step in steps)
    light = [luminance(background) for _, background in steps]
    assert light == sorted(light, reverse=scheme == "light") and len(set(light)) == 5


# Every visible text with its colour and the colour of the nearest painted ground below it.
COLOURS = """() => [...document.querySelectorAll('body *')].filter(e =>
    e.checkVisibility() && !e.closest('svg') && e.getBoundingClientRect().left >= 0 &&
    [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())
).map(e => {
    let ground = e;
    while (ground && getComputedStyle(ground).backgroundColor === 'rgba(0, 0, 0, 0)') ground = ground.parentElement;
    const root = getComputedStyle(document.documentElement).backgroundColor;
    return [getComputedStyle(e).color, ground ? getComputedStyle(ground).backgroundColor : root, e.textContent.trim()];
})"""


def luminance(colour: str) -> float:
    """WCAG's relative luminance of 'rgb(r, g, b)'."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio of two colours."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)
