"""Numbers of own questions in a real browser, on the course page of the demo's made-up Moodle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from desk import LEGEND, USAGE, Desk, asked, on_a_desk, settled
from playwright.sync_api import Page, expect
from test_truth_browser import in_their_place

COURSE = "/course/view.php?id=2"
NUMBER = ".coursette-number"
EVIL = "<img src=x onerror=window.harmed=1>"
GUIDE = """-- title: Study guide {evil}
-- show: activity
-- parameters: [course, group]
select column1 as cmid, column2 as number, 'words {evil}' as words
from (values ({cmid}, {number}), (999999, 1))
where :course = '2' and :group || '' is not null
"""
PLAIN = "-- title: Another\n-- show: activity\nselect {cmid} as cmid, 0.256 as number where :course"
DARK = "body { background: #111 !important; color: #eee !important } a { color: #9cf !important }"
FORUM = "a[href*='/mod/forum/view.php?id=']"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("numbers")
    (folder / "queries").mkdir()
    with on_a_desk(folder) as made:
        made.site.pages.clear()
        in_their_place(made.site)
        yield made


@pytest.fixture
def queries(desk: Desk) -> Iterator[Path]:
    """The folder of own questions, empty before and after."""
    folder = desk.folder / "queries"
    yield folder
    for file in folder.iterdir():
        file.unlink()


def first_cmid(page: Page, desk: Desk) -> str:
    """Of an activity that the page has."""
    page.goto(desk.site.url + COURSE)
    return page.locator(FORUM).first.get_attribute("href").rpartition("id=")[2]


def guide(folder: Path, cmid: str, number: float = 12) -> None:
    (folder / "guide.sql").write_text(GUIDE.format(evil=EVIL, cmid=cmid, number=number), encoding="utf-8")


def of(page: Page, question: str = "guide"):
    return page.locator(f"#region-main {NUMBER}[data-question={question}]")


def test_a_number_stands_beside_the_use_and_changes_with_its_file(page: Page, desk: Desk, queries: Path):
    cmid = first_cmid(page, desk)
    guide(queries, cmid)
    desk.ready(page, COURSE)
    mark = of(page).first
    expect(mark).to_have_text("12")
    assert (mark.get_attribute("data-activity"), mark.get_attribute("data-sign")) == (cmid, "a")
    assert mark.locator("xpath=../preceding-sibling::*[1]").get_attribute("data-activity") == cmid
    assert mark.get_attribute("title") == f"12 · words {EVIL} · Study guide {EVIL}"
    assert page.evaluate("[window.harmed, document.querySelectorAll('img[src=x]').length]") == [None, 0]
    guide(queries, cmid, 13.5)
    page.reload()
    page.evaluate(desk.bookmark)
    expect(of(page).first).to_have_text("13.5")
    (queries / "guide.sql").unlink()
    page.reload()
    page.evaluate(desk.bookmark)
    settled(page)
    expect(page.locator(NUMBER)).to_have_count(0)
    assert page.locator(USAGE).count() > 10


def test_each_question_has_a_switch_that_is_remembered(page: Page, desk: Desk, queries: Path):
    cmid = first_cmid(page, desk)
    guide(queries, cmid)
    (queries / "other.sql").write_text(PLAIN.format(cmid=cmid), encoding="utf-8")
    desk.ready(page, COURSE)
    switches = page.locator(LEGEND).get_by_role("group", name="Your questions").get_by_role("checkbox")
    assert [switch.is_checked() for switch in switches.all()] == [True, True], "new ones are on"
    expect(of(page, "other").first).to_have_text("0.26")
    page.locator(LEGEND).get_by_label("b Study guide").focus()
    page.keyboard.press("Space")
    expect(of(page)).to_have_count(0)
    expect(page.locator(LEGEND).get_by_label("b Study guide")).to_be_focused()
    expect(of(page, "other").first).to_be_visible()
    page.reload()
    page.evaluate(desk.bookmark)
    expect(of(page, "other").first).to_be_visible()
    assert of(page).count() == 0 and not page.locator(LEGEND).get_by_label("b Study guide").is_checked()
    page.evaluate(desk.bookmark)  # a second click switches all off
    expect(page.locator(f"{NUMBER}, {NUMBER}s")).to_have_count(0)


def test_what_is_wrong_and_what_is_not_narrowed_is_said_in_the_legend(page: Page, desk: Desk, queries: Path):
    guide(queries, first_cmid(page, desk))
    (queries / "wrong.sql").write_text("-- show: activity\n-- titel: x\nselect 1", encoding="utf-8")
    desk.ready(page, COURSE)
    legend = page.locator(LEGEND)
    expect(legend).to_contain_text("wrong.sql, line 2: there is no key “titel” here")
    sent = asked(page)
    legend.get_by_label("from week").select_option("2")
    expect(legend).to_contain_text("not narrowed to weeks")
    expect(of(page).first).to_have_attribute("title", f"12 · words {EVIL} · Study guide {EVIL} · not narrowed to weeks")
    assert [each["path"] for each in sent] == ["/-/usage.json"], "one call a page"


def test_a_click_or_a_key_says_the_words(page: Page, desk: Desk, queries: Path):
    guide(queries, first_cmid(page, desk))
    desk.ready(page, COURSE)
    of(page).first.focus()
    page.keyboard.press("Enter")
    note = page.locator("#coursette-note")
    expect(note).to_have_text(f"12 · words {EVIL} · Study guide {EVIL}")
    assert page.evaluate("window.harmed ?? null") is None and "course/view.php" in page.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_and_a_phone_holds_it(page: Page, desk: Desk, queries: Path, scheme: str):
    guide(queries, first_cmid(page, desk))
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(desk.site.url + COURSE)
    if scheme == "dark":
        page.add_style_tag(content=DARK)
    page.evaluate(desk.bookmark)
    settled(page)
    page.locator(LEGEND).get_by_role("button", name="show").click()
    found = Axe().run(page, {"include": [["#coursette-legend"], [f"{NUMBER}s"]]}).response["violations"]
    found = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    legend = page.locator(LEGEND).bounding_box()
    assert legend["x"] >= 0 and legend["x"] + legend["width"] <= 320
