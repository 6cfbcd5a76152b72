"""“Refresh this course” in a real browser: a pretend Moodle on one side, a real server on the other."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from desk import LEGEND, Desk, number_of, on_a_desk
from playwright.sync_api import Page, expect
from test_refresh import LOG
from test_refresh import page as participants_of

from loaders import tokens

LOGIN = '<!doctype html><html><body id="page-login-index">Log in</body></html>'
REPORTS = {"log": "/report/log/index.php", "people": "/user/index.php", "completion": "/report/progress/index.php"}
SAID = f"{LEGEND} [role=status] > div"


def with_right(script: str, folder: Path, site: str, right: str = "refresh") -> str:
    """The script as the install page makes it once it may refresh."""
    record = tokens.make(folder, "teacher", [{"site": site, "course": 2}], right=right)
    start, middle, end = script.rpartition("})(")
    settings = json.loads(end.strip().removesuffix(";").removesuffix(")"))
    settings |= {"token": tokens.text(folder, record), "refresh": right == "refresh"}
    return f"{start}{middle}{json.dumps(settings)});"


@pytest.fixture
def desk(tmp_path):
    with on_a_desk(tmp_path) as made:
        made.site[REPORTS["log"]] = LOG
        made.site[REPORTS["people"]] = participants_of(made.site.url, 2)
        owner = json.loads((tmp_path / "private" / "accounts.json").read_text())[0]["name"]
        assert owner == "teacher"
        yield made


def opened(page: Page, desk: Desk) -> Page:
    return desk.ready(page, script=with_right(desk.bookmark, desk.folder / "private", desk.site.url))


def button(page: Page, words: str):
    return page.locator(LEGEND).get_by_role("button", name=words, exact=True)


def refreshed(page: Page) -> list[str]:
    """What it says of each file when it is done."""
    button(page, "Refresh this course").click()
    expect(page.locator(SAID)).to_have_count(4)
    expect(button(page, "Refresh this course")).to_be_visible(timeout=30_000)
    return page.locator(SAID).all_inner_texts()


def test_without_the_right_there_is_no_button(page: Page, desk: Desk):
    desk.ready(page)
    expect(button(page, "refresh")).to_be_visible()
    assert button(page, "Refresh this course").count() == 0


def test_every_file_goes_over_and_one_that_fails_keeps_no_other_from_it(page: Page, desk: Desk):
    desk.site[REPORTS["completion"]] = LOGIN
    opened(page, desk)
    expect(number_of(page, "News")).to_have_text("3")
    button(page, "clicks").click()
    expect(number_of(page, "News")).to_have_text("4")
    said = refreshed(page)
    assert said[2:] == [
        "completion: Your session in Moodle has ended: sign in there, then try again.",
        "log: 2 lines, 2 new.",
    ]
    assert said[1].startswith("participants: ") and " new" in said[1], said
    # Two clicks more; and a student with one is not on the page of participants, so no longer in the course.
    expect(number_of(page, "News")).to_have_text("5")
    wanted = "/report/progress/index.php?course=2&format=csv&dataformat=csv&group=0&sifirst=all&silast=all"
    assert wanted in desk.site.asked and "/user/index.php?id=2&perpage=5000" in desk.site.asked
    with sqlite3.connect(desk.folder / "moodle.db") as db:
        kinds = {row[0] for row in db.execute("select kind from loads where source like 'handed in%'")}
    assert {"course log", "participants page"} <= kinds
    assert not list((desk.folder / "private").glob("handed-in-*"))


def test_only_the_days_since_are_asked_for(page: Page, desk: Desk):
    opened(page, desk)
    refreshed(page)
    with sqlite3.connect(desk.folder / "moodle.db") as db:
        then = "strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-50 hours')"  # fetched whole then, with a line of that very hour
        db.execute(f"insert or replace into pulls (course_id, part, fetched_utc) values (1, 'log', {then})")
        db.execute(f"update courses set data_up_to_utc = {then} where id = 1")
    desk.site.asked.clear()
    refreshed(page)
    days = [each for each in desk.site.asked if "date=" in each]
    assert len(days) in (3, 4) and all("chooselog=1&id=2&download=csv&date=" in each for each in days)


def test_a_refusal_and_an_empty_report_are_said(page: Page, desk: Desk):
    desk.site.pages.pop(REPORTS["people"])
    desk.site[REPORTS["log"]] = LOG.splitlines()[0] + b"\n"
    desk.site[REPORTS["completion"]] = b"a,b\n1,2\n"
    opened(page, desk)
    said = refreshed(page)
    assert said[1] == "participants: Moodle does not give you this report (status 404)."
    assert "This is none of what the page script hands in" in said[2]
    assert said[3] == "log: 0 lines, 0 new."


def test_it_can_be_stopped(page: Page, desk: Desk):
    opened(page, desk)
    page.route("**/report/progress/**", lambda route: None)  # never answered
    button(page, "Refresh this course").click()
    expect(page.locator(SAID)).to_have_count(3)
    button(page, "Stop").click()
    expect(button(page, "Refresh this course")).to_be_visible()
    assert page.locator(SAID).last.inner_text() == "completion: stopped."


def test_the_server_is_away(page: Page, desk: Desk):
    opened(page, desk)
    desk.stop()
    button(page, "Refresh this course").click()
    expect(page.locator(SAID)).to_contain_text("not begun: Coursette does not answer at")


def test_the_small_window_carries_files_too(page: Page, desk: Desk):
    desk.site.headers["Content-Security-Policy"] = "connect-src 'self'"
    page.goto(f"{desk.site.url}/course/view.php?id=2")
    page.evaluate(with_right(desk.bookmark, desk.folder / "private", desk.site.url))
    with page.expect_popup():
        button(page, "Use a small window").click()
    expect(number_of(page, "News")).to_have_text("3")
    assert refreshed(page)[3] == "log: 2 lines, 2 new."


def test_nothing_is_wrong_for_those_who_do_not_see_it(page: Page, desk: Desk, tmp_path):
    opened(page, desk)
    refreshed(page)
    page.screenshot(path=tmp_path / "refresh.png")
    found = Axe().run(page, context=LEGEND).response["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
