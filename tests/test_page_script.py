"""The page script in a real browser, on small pages with Moodle's link shapes.

In fixtures/moodle_pages an element with data-marks="5 9" must hold the marks of just these people, in order.
"""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from browser import Site
from datasette.utils import module_from_path
from playwright.sync_api import Page

PAGES = Path(__file__).parent / "fixtures" / "moodle_pages"
PLUGIN = Path(__file__).parent.parent / "plugins" / "bookmarklet.py"
plugin = module_from_path(str(PLUGIN), PLUGIN.name)
SOURCE = plugin.SCRIPT.read_text("utf-8")
SERVER = "http://127.0.0.1:1"  # nothing listens there

MARKS = "[...document.querySelectorAll('.coursette-details')]"
USERS = f"{MARKS}.map(mark => mark.dataset.user)"
IN_PLACES = """[...document.querySelectorAll('[data-marks]')].map(place => [place.dataset.marks,
    [...place.querySelectorAll('.coursette-details')].map(mark => mark.dataset.user).join(' ')])"""


def put(site: Site, name: str, path: str = "/user/index.php", folder: str = "", **changes: str) -> str:
    """Serve a fixture as a page of a Moodle; answers its address."""
    text = (PAGES / f"{name}.html").read_text("utf-8")
    for old, new in {"WWWROOT": site.url + folder, "ROOT_PATH": folder, **changes}.items():
        text = text.replace(old, new)
    site[folder + path] = text
    return site.url + folder + path


def script(clicked: bool = True, server: str = SERVER, sites: tuple[str, ...] = ()) -> str:
    return plugin.with_settings(SOURCE, server, list(sites), clicked)


def click_bookmark(page: Page, server: str = SERVER, sites: tuple[str, ...] = ()) -> None:
    """Run the bookmarklet as a browser does, by opening its address, and wait for what it does."""
    page.evaluate("document.getElementById('coursette-note')?.remove()")
    before = page.evaluate("document.documentElement.dataset.coursette")
    address = plugin.as_bookmarklet(script(server=server, sites=sites))
    page.evaluate("address => { location.href = address }", address)
    page.wait_for_function(
        "before => document.documentElement.dataset.coursette !== before || document.getElementById('coursette-note')",
        arg=before,
    )


def note(page: Page) -> str | None:
    return page.evaluate("document.getElementById('coursette-note')?.textContent ?? null")


def course_of(address: str) -> list[str] | None:
    return parse_qs(urlsplit(address).query).get("course")


@pytest.mark.parametrize("name", ["participants", "forum", "grader", "progress", "profile", "shapes"])
def test_every_person_once_in_every_place(page: Page, site: Site, name: str):
    page.goto(put(site, name))
    click_bookmark(page)
    places = page.evaluate(IN_PLACES)
    assert [found for _, found in places] == [wanted for wanted, _ in places]
    wanted = " ".join(wanted for wanted, _ in places).split()
    assert sorted(page.evaluate(USERS)) == sorted(wanted)  # and none outside of these places


def test_a_mark_says_who_and_leads_to_the_student_page(page: Page, site: Site):
    page.goto(put(site, "participants"))
    click_bookmark(page)
    mark = page.locator("tr .coursette-details").first
    assert mark.inner_text() == "[details]"
    assert mark.get_attribute("aria-label") == "details of Zoë Müller"
    address = urlsplit(mark.get_attribute("href"))
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{SERVER}/-/student"
    assert parse_qs(address.query) == {"course": ["2"], "user": ["5"], "site": [site.url]}
    labels = page.evaluate(f"{MARKS}.map(mark => mark.getAttribute('aria-label'))")
    assert labels == [
        "details of Bronwyn Anderson",
        "details of Zoë Müller",
        "details of Al & Co",
        "details of Bronwyn Anderson",
        "details of عمر الحسن",
        "details of Null Null",
    ]


def test_names_where_there_is_no_link(page: Page, site: Site):
    page.goto(put(site, "grader"))
    click_bookmark(page)
    mark = page.locator("[data-uid='90'] .coursette-details")
    assert mark.get_attribute("aria-label") == "details of Nathaniel Barker"
    page.goto(put(site, "profile", "/user/view.php?id=9&course=2"))
    click_bookmark(page)
    assert page.locator("h2 .coursette-details").get_attribute("aria-label") == "details of Al & Co"


def test_a_profile_is_known_by_its_address_when_its_heading_has_no_link(page: Page, site: Site):
    without_links = {"<a href=": "<a data-was="}
    page.goto(put(site, "profile", "/user/view.php?id=9&course=2", **without_links))
    click_bookmark(page)
    assert page.evaluate(USERS) == ["9"]
    assert page.locator("h2 .coursette-details").count() == 1


def test_the_course_is_the_links_own_else_the_pages_and_never_the_site(page: Page, site: Site):
    page.goto(put(site, "shapes"))
    click_bookmark(page)
    for row in page.locator("tr[data-marks]").all():
        course = course_of(row.locator(".coursette-details").get_attribute("href"))
        assert course == [row.get_attribute("data-course")]
    site_level = {'"courseId":2': '"courseId":1', "course-2": "course-1", "course=2": "course=1"}
    page.goto(put(site, "forum", **site_level))
    click_bookmark(page)
    addresses = page.evaluate(f"{MARKS}.map(mark => mark.href)")
    assert addresses and not any(course_of(address) for address in addresses)


def test_an_older_moodle_in_a_folder(page: Page, site: Site):
    """No ids in M.cfg, and that out of reach: viewer and course are known from the page."""
    older = {',"userId":3': "", '"courseId":2,': "", "<script>M =": "<script>if (0) M ="}
    page.goto(put(site, "participants", folder="/lms", **older))
    click_bookmark(page)
    assert page.evaluate(USERS) == ["35", "5", "9", "35", "21", "40"]
    address = page.locator(".coursette-details").first.get_attribute("href")
    assert parse_qs(urlsplit(address).query)["site"] == [f"{site.url}/lms"]
    assert course_of(address) == ["2"]
    page.goto(put(site, "shapes", folder="/lms"))
    click_bookmark(page)
    assert all(wanted == found for wanted, found in page.evaluate(IN_PLACES))


def test_a_second_click_switches_off_and_a_third_on(page: Page, site: Site):
    page.goto(put(site, "forum"))
    before = page.content()
    click_bookmark(page)
    marked = page.evaluate(USERS)
    click_bookmark(page)
    assert note(page) == "Coursette is off on this page. Click again to switch it on."
    page.evaluate("document.getElementById('coursette-note').click()")
    assert page.content() == before
    click_bookmark(page)
    assert page.evaluate(USERS) == marked


def test_moodle_replaces_a_table_and_every_row_has_one_mark(page: Page, site: Site):
    page.goto(put(site, "participants"))
    click_bookmark(page)
    page.evaluate("""() => {
        const table = document.querySelector('[data-region=table]');
        table.innerHTML = table.innerHTML.replaceAll('id=9&amp;', 'id=77&amp;').replaceAll('user9', 'user77')
            .replaceAll('data-marks="9"', 'data-marks="77"'); // marks and all, as a copy
    }""")
    page.wait_for_function(f"{USERS}.includes('77')")
    assert all(wanted == found for wanted, found in page.evaluate(IN_PLACES))
    assert len(page.evaluate(USERS)) == 6


def test_what_moodle_changes_in_a_row_is_followed(page: Page, site: Site):
    page.goto(put(site, "participants"))
    click_bookmark(page)
    page.evaluate("document.querySelector('tr[data-marks=\"5\"] .coursette-details').remove()")
    page.wait_for_function(f"{USERS}.length === 6")
    page.evaluate("""() => {
        document.querySelector('[name=user5]').name = 'user50';
        document.querySelector('tr[data-marks="5"] th a').search = '?id=50&course=2';
    }""")
    page.wait_for_function(f"{USERS}.includes('50')")
    page.evaluate("document.querySelector('tr[data-marks=\"9\"]').remove()")
    page.evaluate(
        "document.querySelector('ul.list').insertAdjacentHTML('beforeend',"
        " '<li><a href=\"/user/profile.php?id=88\">Late Comer</a></li>')"
    )
    page.wait_for_function(f"{USERS}.includes('88')")
    assert page.evaluate(USERS) == ["35", "88", "50", "35", "21", "40"]


def test_a_page_of_something_else_gets_a_sentence_and_no_marks(page: Page, site: Site):
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    site["/favicon.ico"] = ""
    page.goto(put(site, "not_moodle"))
    page.evaluate(script(clicked=False))
    assert note(page) is None
    click_bookmark(page)
    assert note(page) == "This is not a Moodle page. Click here again when you are on one."
    assert page.evaluate(USERS) == []
    assert said == []


def test_a_moodle_without_people_and_an_unknown_moodle_get_a_sentence(page: Page, site: Site):
    of_the_site = {'"courseId":2': '"courseId":1', "course-2": "course-1"}
    page.goto(put(site, "participants", user="nobody", **of_the_site))
    click_bookmark(page)
    assert note(page) == "Coursette found no links to people on this page."
    page.goto(put(site, "participants"))
    click_bookmark(page, sites=("https://moodle.example.edu",))
    assert note(page) == f"Nothing is loaded from {site.url} yet: [details] may find nobody."
    assert len(page.evaluate(USERS)) == 6


def test_the_userscript_runs_by_itself_on_its_moodle_only(page: Page, site: Site):
    page.goto(put(site, "participants"))
    page.evaluate(script(clicked=False, sites=("https://moodle.example.edu",)))
    assert page.evaluate(USERS) == []
    own = script(clicked=False, sites=(site.url.replace("http:", "https:"),))
    page.evaluate(own)
    page.evaluate(own)
    assert len(page.evaluate(USERS)) == 6
    click_bookmark(page)  # the bookmark is its off switch
    assert page.evaluate(USERS) == []


def test_a_strict_page_policy_does_not_stop_it(page: Page, site: Site):
    site.headers["Content-Security-Policy"] = "default-src 'none'"  # keeps even Moodle's own scripts from running
    said: list[str] = []
    page.goto(put(site, "participants"))
    page.on("console", lambda message: said.append(message.text))
    page.context.new_cdp_session(page).send("Runtime.evaluate", {"expression": script()})
    assert len(page.evaluate(USERS)) == 6
    assert page.evaluate(f"getComputedStyle({MARKS}[0]).fontSize") == "13px"
    assert said == []


def test_a_click_opens_one_popup_and_the_wheel_a_tab(page: Page, site: Site):
    site["/-/student"] = "<title>student</title>"
    page.goto(put(site, "participants"))
    page.evaluate("document.addEventListener('click', () => { window.moodleHeard = true })")
    click_bookmark(page, server=site.url)
    marks = page.locator("tr .coursette-details")
    with page.expect_popup() as opened:
        marks.first.click()
    popup = opened.value
    popup.wait_for_url("**/-/student?course=2&user=5&*")
    assert popup.evaluate("[innerWidth, innerHeight]") == [640, 800]
    marks.nth(1).press("Enter")  # the next person, in the same window
    popup.wait_for_url("**/-/student?course=2&user=9&*")
    with page.context.expect_page() as opened:
        marks.nth(2).click(button="middle")
    opened.value.wait_for_url("**/-/student?course=2&user=35&*")
    assert opened.value.evaluate("window.opener") is None
    assert len(page.context.pages) == 3
    assert page.evaluate("window.moodleHeard") is None
    assert "/user/index.php" in page.url


def test_marks_are_small_and_copied_or_printed_lists_stay_as_they_were(page: Page, site: Site):
    page.goto(put(site, "progress"))
    row = page.locator("tbody tr").first
    height = row.bounding_box()["height"]
    click_bookmark(page)
    assert row.bounding_box()["height"] == height
    page.evaluate("getSelection().selectAllChildren(document.querySelector('tbody'))")
    assert "details" not in page.evaluate("getSelection().toString()")
    assert page.locator(".coursette-details").first.get_attribute("class") == "coursette-details d-print-none"


@pytest.mark.parametrize(("links", "limit_ms"), [(500, 50), (5000, 1000)])
def test_it_is_quick(page: Page, site: Site, links: int, limit_ms: int):
    page.goto(put(site, "participants"))
    page.evaluate(
        """links => {
            const body = document.querySelector('tbody');
            const rows = [...body.rows].slice(0, 3).map(row => row.outerHTML).join('');
            body.innerHTML = Array.from({length: links / 6}, (_, i) =>
                rows.replaceAll('id=5&', `id=${1000 + i}&`).replaceAll('user5', `user${1000 + i}`)).join('');
        }""",
        links,
    )
    timed = "text => { const t = performance.now(); (0, eval)(text); return performance.now() - t }"
    taken = [page.evaluate(timed, script()) for _ in range(5)][::2]  # every other run switches off
    assert page.evaluate("document.links.length") >= links
    people = page.locator("[data-marks]:not([data-marks=''])").count()
    assert page.evaluate(f"{MARKS}.length") == people > links / 4
    assert min(taken) < limit_ms, taken


def test_marks_can_be_read_on_light_and_on_dark_pages(page: Page, site: Site):
    page.goto(put(site, "forum"))
    click_bookmark(page)
    colour = f"getComputedStyle({MARKS}[0]).color"
    assert page.evaluate(colour) == "rgb(26, 95, 180)"  # 6:1 on white
    dark = "<style>body { background: #111; color: #eee } a { color: rgb(125, 179, 240) }"
    page.goto(put(site, "forum", **{"<style>": dark}))
    click_bookmark(page)
    assert page.evaluate(colour) == "rgb(125, 179, 240)"
