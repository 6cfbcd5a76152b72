"""What a page of another site can do with a teacher's browser: lead it to a few pages, and nothing else."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

import pytest
from browser import launch
from playwright.sync_api import Browser

from tests import made_up
from tests.visit import get, instance, served

LED = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-User": "?1"}
OPEN = [
    "/", "/-/student?course=2&user=5", "/-/login", "/-/bookmarklet", "/-/coursette.user.js", "/-/health",
    "/-/coursette.css", "/-/static/app.css", "/favicon.ico",
]  # fmt: skip
CLOSED = [
    "/moodle.json?sql=select+1", "/moodle?sql=select+1", "/moodle.csv?sql=select+1", "/moodle", "/moodle/people",
    "/moodle/people.csv", "/-/student.csv?course=2&user=5", "/-/student.json?course=2&user=5", "/.json",
    "/-/usage.json?course=2", "/-/access.json?course=2&activity=10", "/-/account", "/-/logout", "/-/metadata.json",
    "/-/actor.json", "/-/student/", "//", "/-/sign-in/../account",
]  # fmt: skip


@pytest.fixture
def datasette(tmp_path):
    return instance(made_up.small(tmp_path / "moodle.db"))


@pytest.mark.parametrize("who", ["cross-site", "same-site", "odd"])
@pytest.mark.parametrize("path", CLOSED)
async def test_another_site_cannot_lead_to_data(datasette, path, who):
    answer = await get(datasette, path, headers={**LED, "Sec-Fetch-Site": who})
    assert answer.status_code == 403 and "open this page from Coursette itself" in answer.text
    if path.partition("?")[0].endswith(".json"):
        assert answer.json()["ok"] is False


@pytest.mark.parametrize("path", OPEN)
async def test_another_site_can_lead_to_a_few_pages_but_not_take_them(datasette, path):
    for who in ("cross-site", "same-site"):
        assert (await get(datasette, path, headers={**LED, "Sec-Fetch-Site": who})).status_code == 200
    for mode, dest in (("no-cors", "image"), ("no-cors", "script"), ("navigate", "iframe"), ("navigate", "object")):
        headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
        assert (await get(datasette, path, headers=headers)).status_code == 403, (mode, dest)
    assert (await get(datasette, path, headers={"Sec-Fetch-Site": "cross-site"})).status_code == 403


async def test_a_manager_of_userscripts_may_fetch_the_script_and_nothing_else(datasette):
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
    assert (await get(datasette, "/-/coursette.user.js", headers=headers)).status_code == 200
    assert (await get(datasette, "/-/student", headers=headers)).status_code == 403


@pytest.mark.parametrize("method", ["POST", "OPTIONS", "PUT"])
async def test_another_site_can_send_no_form(datasette, method):
    for path in ("/-/login", "/", "/-/logout"):
        headers = {**LED, "Sec-Fetch-Site": "cross-site"}
        assert (await datasette.client.request(method, path, headers=headers)).status_code == 403


@pytest.mark.parametrize("path", ["/moodle.json?sql=select+1", "/moodle/people", "/-/student.csv?course=2&user=5"])
async def test_our_own_pages_a_typed_address_and_old_browsers_go_everywhere(datasette, path):
    for headers in ({}, {"Sec-Fetch-Site": "none", **LED}, {"Sec-Fetch-Site": "same-origin", **LED}):
        assert (await get(datasette, path, headers=headers)).status_code == 200


async def test_windows_are_cut_off_from_their_openers_but_the_students(datasette):
    for path in ("/", "/moodle/people", "/-/login", "/nothing", "/-/bookmarklet"):
        assert (await get(datasette, path)).headers["cross-origin-opener-policy"] == "same-origin"
    assert "cross-origin-opener-policy" not in (await get(datasette, "/-/student?course=2&user=5")).headers


# ---- In a real browser: evil.example and moodle.example are other sites, served beside ours ----

HEAVY = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000000) select max(i) from n"
# Opens a window on an address and tells after how long it is no longer the blank page it was.
TIMING = """
async ([address, name]) => {
  const start = performance.now();
  const opened = window.open(address, name);
  for (;;) {
    await new Promise((done) => setTimeout(done, 5));
    let blank = false;
    try { blank = opened.location.href === "about:blank"; } catch { /* it is somewhere else now */ }
    if (!blank || opened.closed) return performance.now() - start;
    if (performance.now() - start > 8000) return -1;
  }
}
"""


@pytest.fixture
def teacher(browser: Browser, tmp_path: Path, site):
    """(a signed-in browser, our address, the port of other sites)"""
    path = made_up.small(tmp_path / "moodle.db")
    port = site.url.rpartition(":")[2]
    with sqlite3.connect(path) as db:
        db.execute("update sites set url = ? where id = 1", [f"http://moodle.example:{port}"])
    started = launch(browser.browser_type, args=["--host-resolver-rules=MAP *.example 127.0.0.1"])
    with served(path) as link:
        context = started.new_context()
        context.set_default_timeout(10_000)
        site["/"] = f'<a id="in" href="{link}">sign in</a>'
        page = context.new_page()
        page.goto(f"http://evil.example:{port}/")
        page.click("#in")  # a link in a mail, say
        page.wait_for_load_state()
        yield context, page.url.rstrip("/"), port
    started.close()


def test_the_link_signs_in_from_another_page_and_links_inside_work(teacher):
    context, ours, _ = teacher
    page = context.pages[0]
    assert "EDC3100" in page.text_content("body")
    page.goto(f"{ours}/moodle")
    page.click("a[href='/moodle/people']")
    assert page.url == f"{ours}/moodle/people" and "Müller" in page.text_content("body")
    assert page.goto(f"{ours}/moodle.json?sql=select+1").status == 200, "typed"


def test_another_site_cannot_time_a_question(teacher):
    context, ours, port = teacher
    page = context.pages[0]
    slow = f"{ours}/moodle.json?sql={quote(HEAVY)}"
    for host in ("evil.example", "127.0.0.1", "localhost"):
        page.goto(f"http://{host}:{port}/")
        with context.expect_page() as opened:
            page.evaluate(TIMING, [slow, "timing"])
        # Refused before the question is asked, so that there is no time to take.
        opened.value.wait_for_load_state()
        assert "open this page from Coursette itself" in opened.value.text_content("body")
        opened.value.close()


def test_a_students_page_opens_from_moodle_in_one_window(teacher):
    context, ours, port = teacher
    page = context.pages[0]
    page.goto(f"http://moodle.example:{port}/")
    with context.expect_page() as opened:
        page.evaluate("address => { window.open(address, 'coursette-student', 'popup') }", f"{ours}/-/student?user=5")
    popup = opened.value
    popup.wait_for_load_state()
    assert "Müller" in popup.text_content("body")
    before = len(context.pages)
    with popup.expect_navigation():
        page.evaluate("address => { window.open(address, 'coursette-student', 'popup') }", f"{ours}/-/student?user=20")
    assert "Tables" in popup.text_content("h1") and len(context.pages) == before
    with popup.expect_navigation():
        popup.click("header a >> nth=0")
    assert popup.url.rstrip("/") == ours and "EDC3100" in popup.text_content("body")


def test_a_page_of_ours_keeps_no_tie_to_who_opened_it(teacher):
    context, ours, port = teacher
    page = context.pages[0]
    page.goto(f"http://evil.example:{port}/")
    with context.expect_page() as opened:
        page.evaluate("address => { window.mine = window.open(address) }", f"{ours}/")
    opened.value.wait_for_load_state()
    assert "EDC3100" in opened.value.text_content("body")
    assert page.evaluate("window.mine.closed") and opened.value.evaluate("window.opener") is None


def test_a_file_that_leads_to_the_link_signs_in(teacher, tmp_path, browser: Browser):
    context, ours, _ = teacher
    file = tmp_path / "open.html"
    file.write_text(f'<meta http-equiv="refresh" content="0; url={ours}/">', encoding="utf-8")
    page = context.pages[0]
    page.goto(file.as_uri())
    page.wait_for_url(f"{ours}/")
    assert "EDC3100" in page.text_content("body")
