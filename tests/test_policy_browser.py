"""Datasette's own pages under their content policy, in a real browser: all of them work, and nothing else runs."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page

from tests import made_up
from tests.visit import served

REPORT = """addEventListener("securitypolicyviolation", (event) =>
    console.error(`violation: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`))"""
CHART = "#g.mark=bar&g.x_column=week&g.x_type=ordinal&g.y_column=clicks&g.y_type=quantitative"
PAGES = [
    "", "-/student?course=2&user=5", "-/bookmarklet", "-/account", "-/course?course=2",
    "-/completion?course=2", "moodle", "moodle/people", "moodle/people/1",
    "moodle/people?_search=lee", "moodle/people?_sort=fullname", "moodle/people?_sort_desc=fullname",
    "moodle/events?_facet=person_id&_facet_size=2", "moodle/people?_where=1=1", "moodle/nothing", "nothing",
    "moodle?sql=select+*+from+people", "moodle?sql=select+nonsense", "moodle/student_profile?course=2",
    "moodle/student_profile?course=2&_hide_sql=", "moodle/weeks?course=2", "_memory",
    "moodle/people.json", "moodle/people.json?_shape=array", "-/metadata.json", "-/health", "-/static/table.js",
    "-/metadata", "-/settings", "-/versions", "-/plugins", "-/databases", "-/actor", "-/threads", "-/allow-debug",
    "-/permissions", "-/messages", "-/patterns", "-/password-tool", "-/logout", "-/login",
]  # fmt: skip


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
def page(browser: Browser, state):
    """A window of the teacher's; `complaints` has what its console said and every violation of a policy."""
    context = browser.new_context(storage_state=state[1], base_url=state[0])
    context.set_default_timeout(10_000)
    context.add_init_script(REPORT)
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda said: page.complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: page.complaints.append(f"error: {error}"))
    yield page
    context.close()


def complaints(page: Page) -> list[str]:
    """What the browser found wrong, but for answers that are refusals on purpose."""
    page.evaluate("new Promise((done) => setTimeout(done))")  # what the page's load event started has run
    return [text for text in page.complaints if "the server responded with a status of 40" not in text]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_keeps_to_its_policy(page, path):
    page.goto(path)
    assert complaints(page) == []


def test_columns_have_menus_and_rows_sort(page):
    page.goto("moodle/people")
    page.locator("th.col-fullname svg.dropdown-menu-icon").click()
    menu = page.locator(".dropdown-menu")
    assert menu.is_visible()
    menu.get_by_text("Sort descending").click()
    page.wait_for_url("**/people?_sort_desc=fullname")
    assert "Zoë Müller" in page.locator("td.col-fullname").first.inner_text()
    page.locator("th.col-site_id svg.dropdown-menu-icon").click()
    page.locator(".dropdown-menu").get_by_text("Facet by this").click()
    page.locator(".facet-results").wait_for()
    page.locator("th.col-email svg.dropdown-menu-icon").click()
    page.locator(".dropdown-menu").get_by_text("Hide this column").click()
    assert page.locator("th.col-email").count() == 0 and complaints(page) == []


def test_searching_filtering_and_a_row(page):
    page.goto("moodle/people")
    page.locator("input[name=_search]").fill("lee")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator("td.col-fullname").count() == 2
    page.goto("moodle/people")
    page.locator("select[name=_filter_column]").first.select_option("lastname")
    page.locator("input[name=_filter_value]").first.fill("Away")
    with page.expect_navigation():
        page.locator("input[type=submit][value=Apply]").click()
    assert page.locator("td.col-fullname").count() == 1
    page.locator("td.col-id a, td.col-Link a").first.click()
    page.wait_for_url("**/moodle/people/*")
    assert page.url.endswith("/moodle/people/6") and complaints(page) == []


def test_the_editor_of_sql_formats_and_asks(page):
    page.goto("moodle?sql=" + quote("select fullname from people where id = :who"))
    assert page.locator(".CodeMirror").is_visible(), "the editor, not a plain box"
    page.locator("#sql-format").click()
    assert "\n" in page.evaluate("document.querySelector('.CodeMirror').CodeMirror.getValue()")
    corner = page.locator(".cm-resize-handle")
    assert corner.evaluate("corner => getComputedStyle(corner).position") == "absolute", "its style is let in"
    page.locator("input[name=who]").fill("1")
    with page.expect_navigation():
        page.locator("input[value='Run SQL']").click()
    assert "Zoë Müller" in page.locator("table").inner_text() and complaints(page) == []


def test_the_menu_opens_and_closes_and_signs_out(page):
    page.goto("moodle")
    page.locator("details.nav-menu summary").click()
    page.locator("h1").click()
    assert page.locator("details.nav-menu").get_attribute("open") is None, "a click elsewhere closes it"
    with page.expect_navigation():
        page.get_by_role("button", name="Sign out").click()
    page.goto("moodle")
    assert "sign in" in page.locator("main").inner_text().lower() and complaints(page) == []


@pytest.mark.parametrize("path", ["moodle/usage_person_week" + CHART, "moodle/weeks?course=2" + CHART])
def test_a_chart_is_drawn(page, path):
    page.goto(path)
    page.wait_for_function("document.querySelector('.vega-embed canvas, .vega-embed svg')?.clientWidth > 50")
    page.locator(".vega-embed").hover()
    assert complaints(page) == []


def test_the_form_of_permissions_asks(page):
    page.goto("-/allow-debug")
    page.locator("textarea[name=allow]").fill('{"id": "anna"}')
    page.locator("textarea[name=actor]").fill('{"id": "anna"}')
    with page.expect_navigation():
        page.locator("input[type=submit]").click()
    assert "Result: allow" in page.locator("body").inner_text() and complaints(page) == []


# Each says in its own way that it ran.
INJECTED = """
<script>window.ran = "script"</script>
<script nonce="">window.ran = "nonce"</script>
<img src=x onerror="window.ran = 'image'">
<svg><script>window.ran = "svg"</script></svg>
<a id="it" href="javascript:window.ran = 'link'">x</a>
<style>body { color: rgb(1, 2, 3) }</style>
<iframe srcdoc="<script>parent.ran = 'frame'</script>"></iframe>
<object data="data:text/html,<script>parent.ran = 'object'</script>"></object>
<base href="http://127.0.0.1:9/"><script src="http://127.0.0.1:9/x.js"></script>
<script src="/moodle.csv?sql=select+'window.ran=1'"></script>
"""


@pytest.mark.parametrize("path", ["moodle/people", "moodle/weeks?course=2", "moodle", "moodle/nothing", ""])
def test_what_gets_into_a_page_unescaped_does_not_run(page, state, path):
    """As if escaping had failed: the markup stands in the page as the server sent it."""

    def into(route):
        answer = route.fetch()
        before, end, after = answer.text().partition("</body>")
        route.fulfill(response=answer, body=before + INJECTED + end + after)

    page.route(lambda address: address == state[0] + path, into)
    page.goto(path)
    page.locator("#it").click()
    assert page.evaluate("window.ran") is None
    assert page.evaluate("getComputedStyle(document.body).color") != "rgb(1, 2, 3)"
    assert not page.evaluate("document.baseURI").startswith("http://127.0.0.1:9/")
    assert len([text for text in page.complaints if text.startswith("violation")]) >= 8
