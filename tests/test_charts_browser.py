"""Ready charts in a real browser: light and dark, on a phone, on paper, without a script."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests import made_up
from tests.visit import served

CHARTS = ["weeks", "busiest", "resource_usage"]  # a line, a heat map, bars


@pytest.fixture(scope="module")
def state(browser: Browser, tmp_path_factory):
    """(address of the server, the signed-in teacher's cookies)"""
    path = made_up.large(tmp_path_factory.mktemp("served") / "moodle.db", students=30, activities=20, events=2000)
    with served(path) as link:
        context = browser.new_context()
        context.new_page().goto(link)
        yield link.partition("-/")[0], context.storage_state()
        context.close()


@pytest.fixture
def ask(browser: Browser, state):
    """Opens a question in a window of any kind; collects what the browser complains of, and what it asked for."""
    address, cookies = state
    contexts = []

    def asked(question: str, width: int = 1280, **kind) -> Page:
        contexts.append(browser.new_context(storage_state=cookies, viewport={"width": width, "height": 800}, **kind))
        page = contexts[-1].new_page()
        page.complaints, page.elsewhere = [], []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("request", lambda request: request.url.startswith(address) or page.elsewhere.append(request.url))
        page.goto(f"{address}moodle/{question}")
        return page

    yield asked
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("question", CHARTS)
def test_axe_finds_nothing(ask, question, scheme):
    page = ask(question, color_scheme=scheme)
    # The whole page once; of the others what is theirs.
    found = Axe().run(page, context=None if question == "weeks" else ".chart-box").response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found] == []
    assert page.complaints == [] and page.elsewhere == []
    assert page.get_by_role("img").first.get_attribute("aria-labelledby") == "chart-words"


def test_colours_are_those_of_the_page(ask):
    bar = "document.querySelector('figure.chart path[fill^=var]')"
    light, dark = (
        ask("resource_usage", color_scheme=scheme).evaluate(f"getComputedStyle({bar}).fill")
        for scheme in ("light", "dark")
    )
    assert light.startswith("rgb(") and dark.startswith("rgb(") and light != dark


@pytest.mark.parametrize("question", CHARTS)
def test_on_a_phone_it_scrolls_in_its_own_box_and_can_be_read(ask, question):
    page = ask(question, width=320)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = page.locator(".chart-box")
    assert box.evaluate("box => box.scrollWidth > box.clientWidth && box.tabIndex === 0")
    sizes = (
        "[...document.querySelectorAll('figure.chart text')].map(text => parseFloat(getComputedStyle(text).fontSize))"
    )
    scale = "document.querySelector('figure.chart svg').getBoundingClientRect().width / 860"
    assert page.evaluate(f"Math.min(...{sizes}) * {scale}") > 8.5


@pytest.mark.parametrize("question", CHARTS)
def test_nothing_lies_outside_the_drawing(ask, question):
    page = ask(question, java_script_enabled=True)
    outside = page.evaluate(
        """() => {
          const svg = document.querySelector("figure.chart svg").getBoundingClientRect();
          return [...document.querySelectorAll("figure.chart text")].filter(text => {
            const box = text.getBoundingClientRect();
            return box.left < svg.left - 1 || box.right > svg.right + 1 || box.bottom > svg.bottom + 1;
          }).map(text => text.textContent);
        }"""
    )
    assert outside == []


def test_it_is_there_without_a_script_and_on_paper(ask):
    page = ask("weeks", java_script_enabled=False)
    assert page.locator("figure.chart svg").is_visible()
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 700, "height": 900})
    assert page.locator("figure.chart").bounding_box()["width"] <= 700
