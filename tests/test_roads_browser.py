"""How the page script reaches the server from a real page: directly, by permission, by a window; and who cannot."""

from __future__ import annotations

import json
import sqlite3
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import unquote

import pytest
from browser import Site, launch
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from loaders import tokens
from tests import made_up
from tests.visit import served

NUMBERS = ".coursette-usage"
COURSE_PAGE = """<!doctype html><html lang="en"><head><title>Course</title></head>
<body id="page-course-view-topics" class="course-2">
<script>M = {{}}; M.cfg = {{"wwwroot": "{site}", "courseId": 2, "userId": 3, "sesskey": "SECRETKEY1"}};</script>
<ul class="course-content"><li class="activity" data-id="10"><a href="{site}/mod/forum/view.php?id=10">News</a></li>
<li class="activity" data-id="11"><a href="{site}/mod/quiz/view.php?id=11">Quiz 1</a></li></ul>
<a href="{site}/user/view.php?id=5&amp;course=2">Zoë Müller</a></body></html>"""


class World:
    """A signed-in browser, a Moodle page on another origin, and the server."""

    def __init__(self, stack: ExitStack, browser: Browser, folder: Path, site: Site, host: str, args: list[str]):
        self.site, self.folder = site, folder
        port = site.url.rpartition(":")[2]
        self.moodle = f"http://{host}:{port}"
        path = made_up.small(folder / "moodle.db")
        with sqlite3.connect(path) as db:
            db.execute("update sites set url = ? where id = 1", [self.moodle])
        args = ["--host-resolver-rules=MAP *.example 127.0.0.1", *(arg.format(port=port) for arg in args)]
        self.browser = launch(browser.browser_type, args=args)
        stack.callback(self.browser.close)
        self.link = stack.enter_context(served(path))
        self.context: BrowserContext = self.browser.new_context()
        self.context.set_default_timeout(10_000)
        home = self.context.new_page()
        home.goto(self.link)
        self.server = home.url.rstrip("/")
        home.goto(f"{self.server}/-/bookmarklet")
        href = home.locator("#coursette-bookmarklet").get_attribute("href")
        self.script = unquote(href.removeprefix("javascript:"))
        home.close()
        site["/course/view.php"] = COURSE_PAGE.format(site=self.moodle)

    def open(self, where: str = "", context: BrowserContext | None = None) -> Page:
        """The course page with the bookmark clicked."""
        page = (context or self.context).new_page()
        page.goto(f"{where or self.moodle}/course/view.php?id=2")
        self.click(page)
        return page

    def click(self, page: Page) -> None:
        # As a bookmark does: beside the page's own rules on scripts.
        page.context.new_cdp_session(page).send("Runtime.evaluate", {"expression": self.script})

    def token(self) -> str:
        return json.loads(self.script.rpartition("})(")[2].partition(");")[0])["token"]


PUBLIC = "--ip-address-space-overrides=127.0.0.1:{port}=public"
SECURE = "--unsafely-treat-insecure-origin-as-secure=http://moodle.example:{port}"


@pytest.fixture
def world(browser: Browser, tmp_path: Path, site: Site):
    """Makes a World for a host name and flags of the browser."""
    with ExitStack() as stack:
        yield lambda host="127.0.0.1", *args: World(stack, browser, tmp_path, site, host, list(args))


def numbers(page: Page) -> list[str]:
    expect(page.locator(NUMBERS).first).to_be_visible()
    return page.locator(NUMBERS).all_inner_texts()


def by(page: Page) -> str:
    """The road that the legend names."""
    return page.locator("#coursette-legend .coursette-soft").inner_text().rpartition(" asked by ")[2]


def trouble(page: Page) -> str:
    expect(page.locator(".coursette-trouble p")).to_be_visible()
    return page.locator(".coursette-trouble").inner_text()


def button(page: Page, words: str):
    return page.locator(".coursette-trouble").get_by_role("button", name=words)


def test_directly_from_another_origin(world):
    page = world().open()
    assert numbers(page) == ["3", "3"]
    assert by(page) == "this page"


def test_a_public_page_is_explained_first_and_asks_on_a_click_only(world):
    here = world("moodle.example", PUBLIC, SECURE)
    page = here.open()
    assert "Your browser will ask whether this site may reach it" in trouble(page)
    assert not [url for url in asked_of(page) if here.server in url], "nothing is asked before the click"
    assert page.locator(".coursette-details").count() == 1, "[details] need no permission"
    here.context.grant_permissions(["local-network-access"])
    button(page, "Ask my browser").click()
    assert numbers(page) == ["3", "3"]
    again = here.open()
    assert numbers(again) == ["3", "3"], "granted once, it asks no more"
    assert by(again) == "this page, as you allowed"


def asked_of(page: Page) -> list[str]:
    return page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")


def test_permission_refused_leaves_the_small_window(world):
    here = world("moodle.example", PUBLIC, SECURE)
    page = here.context.new_page()
    page.goto(f"{here.moodle}/course/view.php?id=2")
    cdp = here.context.new_cdp_session(page)
    context = cdp.send("Target.getTargetInfo")["targetInfo"]["browserContextId"]
    for name in ("local-network-access", "loopback-network"):
        permission = {"permission": {"name": name}, "setting": "denied", "origin": here.moodle}
        with suppress(Error):  # a name that this version does not know
            cdp.send("Browser.setPermission", {**permission, "browserContextId": context})
    here.click(page)
    assert "may not reach programs on your computer" in trouble(page)
    by_window(page)


def test_permission_never_answered_leaves_the_small_window(world):
    page = world("moodle.example", PUBLIC, SECURE).open()
    trouble(page)
    button(page, "Ask my browser").click()
    by_window(page)


def by_window(page: Page) -> Page:
    with page.expect_popup() as opened:
        button(page, "Use a small window").click()
    assert numbers(page) == ["3", "3"]
    assert by(page) == "the small window"
    assert page.locator(".coursette-trouble p").count() == 0
    return opened.value


def test_a_strict_policy_of_the_page_leaves_the_small_window_and_it_is_remembered(world):
    here = world()
    here.site.headers["Content-Security-Policy"] = "default-src 'none'; script-src 'none'; style-src 'none'"
    page = here.open()
    # The page's own script may not run, so the script reads Moodle's settings from its text.
    assert "This Moodle's own rules let no page ask another server." in trouble(page)
    window = by_window(page)
    page.locator(NUMBERS).first.click()
    expect(page.locator("#coursette-list tbody tr").first).to_be_visible()
    page.goto(f"{here.moodle}/course/view.php?id=2#next")
    page.reload()
    page.evaluate("sessionStorage.removeItem(Object.keys(sessionStorage).find(key => key.includes('usage ')))")
    here.click(page)
    assert numbers(page) == ["3", "3"], "the window that is still open announces itself"
    window.close()


def test_the_server_is_away_and_comes_back(world):
    here = world()
    page = here.context.new_page()
    page.goto(f"{here.moodle}/course/view.php?id=2")
    here.context.route(f"{here.server}/**", lambda route: route.abort())
    here.click(page)
    said = trouble(page)
    assert f"Coursette does not answer at {here.server}. Is it running (coursette serve)?" in said
    assert page.locator(".coursette-details").count() == 1
    here.context.unroute(f"{here.server}/**")
    button(page, "Try again").click()
    assert numbers(page) == ["3", "3"]


def test_a_revoked_token_is_said_on_the_page(world):
    here = world()
    folder = here.folder / "private"
    for record in tokens.records(folder):
        tokens.revoke(folder, record["user"], record["id"])
    page = here.open()
    assert "This token was revoked." in trouble(page)
    with page.expect_popup() as opened:
        button(page, "On your Moodle pages").click()
    opened.value.wait_for_url("**/-/bookmarklet")


def test_another_site_with_a_stolen_token_gets_nothing(world):
    here = world()
    port = here.site.url.rpartition(":")[2]
    here.site["/evil"] = "<title>evil</title>"
    page = here.context.new_page()
    steal = """async ([address, token]) => {
        try { return (await fetch(address, token ? {headers: {Authorization: `Bearer ${token}`}} : {})).status }
        catch (error) { return String(error) }
    }"""
    for path in ("/-/usage.json?course=2", "/-/access.json?course=2&activity=10", "/moodle/people.json", "/"):
        for host in ("evil.example", "localhost"):
            page.goto(f"http://{host}:{port}/evil")
            for token in (here.token(), ""):
                assert "TypeError" in page.evaluate(steal, [here.server + path, token]), (path, host)
        page.goto(f"{here.moodle}/evil")
        expected = 200 if path.startswith("/-/") else "TypeError: Failed to fetch"
        assert page.evaluate(steal, [here.server + path, here.token()]) == expected, "the Moodle itself"
        without = 403 if path.startswith("/-/") else "TypeError: Failed to fetch"
        assert page.evaluate(steal, [here.server + path, ""]) == without


LISTEN = """([address, question]) => new Promise((done) => {
    const heard = [];
    addEventListener("message", ({data}) => heard.push(data));
    const opened = window.open(address, "stolen", "popup");
    setTimeout(() => opened.postMessage(question, "*"), 1500);
    setTimeout(() => done(heard), 3000);
})"""


@pytest.mark.parametrize("claimed", ["own", "moodle"])
def test_a_hostile_page_that_opens_the_small_window_and_listens_hears_nothing(world, claimed):
    here = world()
    port = here.site.url.rpartition(":")[2]
    here.site["/evil"] = "<title>evil</title>"
    page = here.context.new_page()
    page.goto(f"http://evil.example:{port}/evil")
    home = here.moodle if claimed == "moodle" else f"http://evil.example:{port}"
    question = {"coursette": "ask", "id": 1, "path": "/-/access.json?course=2&activity=10", "token": here.token()}
    heard = page.evaluate(LISTEN, [f"{here.server}/-/window#{home}", question])
    answers = [each for each in heard if each.get("coursette") == "answer"]
    assert "student.example.edu" not in json.dumps(heard)
    if claimed == "moodle":
        assert heard == [], "messages go to the Moodle's origin only"
    else:
        assert [each["status"] for each in answers] == [403], "the token is not for this origin"
    without = page.evaluate(LISTEN, [f"{here.server}/-/window#{home}", {**question, "token": ""}])
    assert "student.example.edu" not in json.dumps(without)


def test_a_hostile_page_can_frame_nothing(world):
    here = world()
    port = here.site.url.rpartition(":")[2]
    frames = "".join(f'<iframe src="{here.server}{path}"></iframe>' for path in ("/", "/-/window", "/-/student?user=5"))
    here.site["/evil"] = f"<title>evil</title>{frames}"
    page = here.context.new_page()
    page.goto(f"http://evil.example:{port}/evil")
    page.wait_for_timeout(500)
    for frame in page.frames[1:]:
        assert "EDC3100" not in frame.content() and "Leave this window" not in frame.content()


def test_the_participants_page_teaches_ids_on_two_clicks_only(world, tmp_path):
    here = world()
    page_of = Path(__file__).parent / "fixtures" / "pages" / "participants.html"
    table = page_of.read_text("utf-8")
    here.site["/user/index.php"] = COURSE_PAGE.format(site=here.moodle).replace("</body>", f"{body(table)}</body>")
    page = here.context.new_page()
    page.goto(f"{here.moodle}/user/index.php?id=2")
    here.click(page)
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Let Coursette learn the ids of this page").click()
    window = opened.value
    expect(window.locator("#state")).to_contain_text("The page shows")
    sent = window.locator("textarea[name=page]").input_value()
    assert "SECRETKEY1" not in sent and "<script>M.cfg" in sent
    with sqlite3.connect(tmp_path / "moodle.db") as db:
        assert db.execute("select count(*) from loads where kind = 'participants page'").fetchone() == (0,)
    window.get_by_role("button", name="Take them over").click()
    expect(window.get_by_text("Taken over:")).to_be_visible()
    with sqlite3.connect(tmp_path / "moodle.db") as db:
        assert db.execute("select count(*) from loads where kind = 'participants page'").fetchone() == (1,)


def body(html: str) -> str:
    return html.partition("<body")[2].partition(">")[2].rpartition("</body>")[0]


def test_the_userscript_goes_by_its_manager_past_every_rule(world):
    """A manager in small: it asks on the script's behalf, from no page."""
    here = world()
    here.site.headers["Content-Security-Policy"] = "default-src 'none'"
    home = here.context.new_page()
    home.goto(f"{here.server}/-/bookmarklet")
    address = home.locator("#coursette-userscript").get_attribute("href")
    text = here.context.request.get(here.server + address).text()
    page = here.context.new_page()
    asked: list[dict] = []

    def ask(_, request: dict) -> dict:
        asked.append(request)
        answer = here.context.request.get(request["url"], headers=request["headers"])
        return {"status": answer.status, "responseText": answer.text()}

    page.expose_binding("askByManager", ask)
    page.goto(f"{here.moodle}/course/view.php?id=2")
    shim = """const GM = { xmlHttpRequest: (request) => { const { onload, onerror, ontimeout, ...rest } = request;
        askByManager(rest).then(onload, onerror); } };"""
    page.context.new_cdp_session(page).send("Runtime.evaluate", {"expression": f"{{ {shim} {text} }}"})
    assert numbers(page) == ["3", "3"]
    assert by(page) == "the userscript"
    assert [request["method"] for request in asked] == ["GET"] and asked[0]["anonymous"] is True
