"""Panels of own questions in a real browser: by keyboard, on a phone, in the dark, without JavaScript."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests import made_up
from tests.test_panels import HEAD, ONE, USED
from tests.visit import served

LONG = HEAD.replace("show", "title: How often has this student come back to the same activity within a day?\n-- show")
PANELS = {
    "used": USED,
    "one": ONE,
    "long": f"{LONG}select {', '.join(f'{at} as a_column_{at}' for at in range(9))} where :person and :course"
    " union all select 1, 2, 3, 4, 5, 6, 7, 8, 9",
    "wrong": f"{HEAD}select nope where :person and :course",
}


@pytest.fixture(scope="module")
def state(browser: Browser, tmp_path_factory):
    """(address of Zoë's page, the signed-in teacher's cookies), with four panels."""
    path = made_up.small(tmp_path_factory.mktemp("panels") / "moodle.db")
    (path.parent / "queries").mkdir()
    for name, text in PANELS.items():
        (path.parent / "queries" / f"{name}.sql").write_text(text, encoding="utf-8")
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

    def opened(tab: str = "", width: int = 600, **kind) -> Page:
        contexts.append(browser.new_context(storage_state=cookies, viewport={"width": width, "height": 700}, **kind))
        page = contexts[-1].new_page()
        page.goto(f"{address}#{tab}")
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(page_of, scheme):
    page = page_of(color_scheme=scheme)
    for name in PANELS:
        page.locator(f".tabs a[href='#own-{name}']").click()
        found = [one for one in Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")]
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == [], name


@pytest.mark.parametrize("width", [320, 600])
def test_every_tab_is_seen_and_everything_fits(page_of, width):
    page = page_of("own-long", width)
    for tab in page.locator(".tabs a").all():
        box = tab.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width and box["height"] >= 24
    for name in PANELS:
        page.locator(f".tabs a[href='#own-{name}']").click()
        assert page.locator(".panel:visible").count() == 1 and page.locator(f"#own-{name}").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_panels_by_keyboard_without_javascript(page_of):
    page = page_of(java_script_enabled=False)
    page.locator(".tabs a[href='#posts']").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    first, second = page.locator(".tabs a").all()[3:5]
    panel = page.locator(second.get_attribute("href"))
    assert panel.is_visible() and page.locator(".panel:visible").count() == 1
    weight = "node => getComputedStyle(node).fontWeight"
    assert (first.evaluate(weight), second.evaluate(weight)) == ("400", "600"), "the open one stands out"
