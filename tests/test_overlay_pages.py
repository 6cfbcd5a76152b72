"""The usage marks in a real browser, on small pages with Moodle's markup of 4.1 to 5.1.

In fixtures/moodle_pages/usage_*.html an element with data-usage="activity:10 part:chapter:7" must hold just these
marks, in this order, and no mark may stand elsewhere; `unlogged` is a mark of a link whose use Moodle does not log.
Its meta tag `address` is where a page is served; data-by-script names the script element that fills an element later.
"""

import re
from contextlib import suppress
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urljoin, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import Site
from datasette.utils import module_from_path
from playwright.sync_api import Page, Route, TimeoutError
from selectolax.lexbor import LexborHTMLParser

PAGES = Path(__file__).parent / "fixtures" / "moodle_pages"
NAMES = sorted(path.stem for path in PAGES.glob("usage_*.html"))
PLUGIN = Path(__file__).parent.parent / "plugins" / "bookmarklet.py"
plugin = module_from_path(str(PLUGIN), PLUGIN.name)
SERVER = "http://127.0.0.1:8001"  # never reached: the tests answer in its place


def activity(clicks: int | None, students: int | None, completed: int | None = None, kind: str = "page") -> dict:
    return {"clicks": clicks, "students": students, "completed": completed, "name": "A name", "kind": kind}


ANSWER = {
    "activities": {
        "6": activity(60, 10, None, "book"),
        "10": activity(35, 12, 3, "forum"),
        "11": activity(20, 11, 9),
        "12": activity(1234, 19, 17, "quiz"),
        "13": activity(7, 7, None, "url"),
        "14": activity(8, 6, None, "resource"),
        "15": activity(None, None, None, "label"),
        "16": activity(0, 0, 0, "assign"),
        "18": activity(4, 3, None, "folder"),
        "19": activity(2, 1, None, "forum"),
        "20": activity(90, 18, 16, "lesson"),
        "26": activity(15, 5, None, "wiki"),
        "27": activity(16, 6, None, "data"),
        "42": activity(30, 13, 12, "workshop"),
        "46": activity(None, None, None, "subsection"),
        "47": activity(5, 4),
        "48": activity(3, 3, None, "url"),
    },
    "parts": {
        "chapter:2": {"clicks": 5, "students": 2},
        "chapter:3": {"clicks": 4, "students": 1},
        "discussion:69": {"clicks": 21, "students": 9},
        "discussion:101": {"clicks": 6, "students": 6},
        "page:5": {"clicks": 11, "students": 8},
        "wikipage:4": {"clicks": 9, "students": 3},
    },
    "students": 20,
    "instances": {"forum:3": 10, "forum:4": 19, "book:2": 6, "quiz:1": 12, "data:1": 27, "folder:1": 18, "wiki:5": 26},
    "groups": [{"id": 7, "name": "Online", "students": 8}],
    "weeks": [{"week": 1, "name": None, "starts_on": "2016-02-29", "is_break": 0, "words": "1 · 29 Feb 16"}],
    "staff": [3, 4],
    "unknown_ids": 0,
    "course": {"moodle_id": 2, "shortname": "ICT101", "fullname": "ICT and teaching", "timezone": "Australia/Brisbane"},
    "data_up_to": "2016-06-14T04:05:00Z",
    "truncated": False,
}
NOT_IN_ANSWER = "activity:99"

OURS = ".coursette-usage, .coursette-details, #coursette-legend"
MARKS = "[...document.querySelectorAll('.coursette-usage')].filter(mark => !mark.closest('#coursette-legend'))"
ABOUT = """(({dataset}) => dataset.part ? `part:${dataset.part}` :
    dataset.activity ? `activity:${dataset.activity}` : 'unlogged')"""
IN_PLACES = f"""[...document.querySelectorAll('[data-usage]')].map(place =>
    [place.dataset.usage, [...place.querySelectorAll('.coursette-usage')].map({ABOUT}).join(' ')])"""
ELSEWHERE = f"{MARKS}.filter(mark => !mark.closest('[data-usage]')).map({ABOUT})"


# ---- How the script is run: all that these tests know of its settings and its legend ----
def script(site: Site, folder: str = "") -> str:
    """The script as a click on the bookmark runs it."""
    return plugin.with_settings(plugin.SCRIPT.read_text("utf-8"), SERVER, [site.url + folder], True, "a token")


def choose(page: Page, metric: str) -> None:
    """Choose in the legend what the marks count."""
    page.locator(f"#coursette-legend [data-metric={metric}]").click()


def address_of(text: str) -> str:
    return unescape(re.search(r'<meta name="address" content="([^"]*)"', text)[1])


def put(site: Site, name: str, folder: str = "", **changes: str) -> str:
    """Serve a fixture as a page of a Moodle; answers its address."""
    text = (PAGES / f"{name}.html").read_text("utf-8")
    own = {"WWWROOT": site.url + folder, "HOSTROOT": urlsplit(site.url).netloc + folder, "ROOT_PATH": folder}
    for old, new in {**changes, **own}.items():
        text = text.replace(old, new)
    path = folder + address_of(text)
    site[path] = text
    return site.url + path


def give(page: Page, answer: dict) -> list[str]:
    """Answer what the script asks of its server; answers the list of addresses asked for."""
    asked: list[str] = []

    def reply(route: Route) -> None:
        allowed = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "authorization, content-type"}
        if route.request.method == "OPTIONS":
            return route.fulfill(status=204, headers=allowed)
        asked.append(route.request.url)
        return route.fulfill(json=answer, headers=allowed)

    page.unroute("**/-/usage.json*")
    page.route("**/-/usage.json*", reply)
    return asked


def run(page: Page, site: Site, name: str, answer: dict = ANSWER, folder: str = "", **changes: str) -> list[str]:
    """Open a fixture, run the script on it and wait until it rests; answers what was asked of the server."""
    asked = give(page, answer)
    page.goto(put(site, name, folder, **changes))
    page.evaluate(script(site, folder))
    rest(page)
    return asked


def rest(page: Page) -> None:
    """Wait until there are as many marks as the page wants (but not for ever), and then whether more come."""
    page.wait_for_function("window.rendered !== false")  # what the page fills by script
    wanted = "[...document.querySelectorAll('[data-usage]')].flatMap(e => e.dataset.usage.match(/\\S+/g) ?? []).length"
    with suppress(TimeoutError):
        page.wait_for_function(f"{MARKS}.length === {wanted}", timeout=3000)
    page.wait_for_timeout(300)


def assert_as_expected(page: Page) -> None:
    places = page.evaluate(IN_PLACES)
    assert [found for _, found in places] == [wanted for wanted, _ in places]
    assert page.evaluate(ELSEWHERE) == []


def said_by(page: Page, about: str) -> str:
    """Text and description of the first mark about an activity, a part or something unlogged."""
    mark = f"{MARKS}.find(mark => {ABOUT}(mark) === '{about}')"
    words = "[mark.textContent, mark.getAttribute('aria-label'), mark.title].join(' ').toLowerCase()"
    return page.evaluate(f"(mark => mark ? {words} : 'no mark')({mark})")


def number_at(page: Page, about: str) -> int | None:
    """The first number in the text of a mark, whatever separates its thousands."""
    text = page.evaluate(f"{MARKS}.find(mark => {ABOUT}(mark) === '{about}')?.textContent ?? ''")
    found = re.search(r"\d(?:[,. \u202f\u00a0]?\d)*", text)
    return found and int(re.sub(r"\D", "", found[0]))


# ---- The fixtures themselves ----
INSTANCE = {"forum": "f", "book": "b", "quiz": "q", "data": "d", "folder": "f", "wiki": "wid"}
PART = {
    ("/mod/book/view.php", "chapterid"): "chapter",
    ("/mod/forum/discuss.php", "d"): "discussion",
    ("/mod/lesson/view.php", "pageid"): "page",
    ("/mod/wiki/view.php", "pageid"): "wikipage",
}


def leads_to(address: str, href: str) -> str | None:
    """What a link of a fixture leads to, in the words of data-usage."""
    for placeholder, real in {"WWWROOT": "http://moodle", "HOSTROOT": "moodle", "ROOT_PATH": ""}.items():
        href = href.replace(placeholder, real)
    if anchor := re.fullmatch(r"#module-(\d+)", href):
        return f"activity:{anchor[1]}"
    link = urlsplit(urljoin(f"http://moodle{address}", href))
    given = dict(parse_qsl(link.query.replace("&amp;", "&")))
    for (path, name), kind in PART.items():
        if link.path == path and given.get(name):
            return f"part:{kind}:{given[name]}"
    module = re.fullmatch(r"/mod/(\w+)/view\.php", link.path)
    if link.netloc != "moodle" or not module:
        return None
    instance = ANSWER["instances"].get(f"{module[1]}:{given.get(INSTANCE.get(module[1]))}")
    return f"activity:{given.get('id') or instance}"


@pytest.mark.parametrize("name", NAMES)
def test_a_fixture_is_consistent(name: str):
    text = (PAGES / f"{name}.html").read_text("utf-8")
    tree = LexborHTMLParser(text)
    assert text.count("<!DOCTYPE html>") == 1 and '"wwwroot":"WWWROOT"' in text and "127.0.0.1" not in text
    assert 20 <= len(text.splitlines()) <= 120
    for tag in ["a", "div", "li", "ul", "table", "tr", "td", "th", "p", "nav", "section", "article"]:
        assert len(re.findall(rf"<{tag}[ >]", text)) == text.count(f"</{tag}>"), tag
    places = tree.css("[data-usage]")
    assert places and not tree.css("[data-usage] [data-usage]")
    for place in places:
        wanted = place.attributes["data-usage"] or ""
        assert re.fullmatch(r"((activity:\d+|part:(chapter|discussion|page|wikipage):\d+|unlogged)( |$))*", wanted)
        filler = place.attributes.get("data-by-script")
        inside = LexborHTMLParser(tree.css_first(f"#{filler}").text()) if filler else place
        links = [leads_to(address_of(text), link.attributes["href"]) for link in inside.css("a[href]")]
        marks = wanted.split()
        assert set(marks) - {"unlogged"} <= set(links)
        assert marks.count("unlogged") <= links.count(None)
        known = {f"activity:{cmid}" for cmid in ANSWER["activities"]} | {NOT_IN_ANSWER}
        assert {mark for mark in marks if mark.startswith("activity")} <= known


# ---- What is marked ----
@pytest.mark.parametrize("name", NAMES)
def test_every_link_to_an_activity_is_marked_once_in_its_place(page: Page, site: Site, name: str):
    run(page, site, name)
    assert_as_expected(page)


@pytest.mark.parametrize("name", ["usage_shapes", "usage_book", "usage_forum_index", "usage_course_index"])
def test_a_moodle_in_a_folder(page: Page, site: Site, name: str):
    asked = run(page, site, name, folder="/lms")
    assert_as_expected(page)
    assert parse_qs(urlsplit(asked[0]).query)["site"] == [f"{site.url}/lms"]


def test_a_moodle_that_calls_itself_https_behind_a_proxy(page: Page, site: Site):
    run(page, site, "usage_shapes", **{'"wwwroot":"WWWROOT"': '"wwwroot":"https://HOSTROOT"'})
    assert_as_expected(page)


def test_the_server_is_asked_once_for_the_course_and_never_for_the_whole_site(page: Page, site: Site):
    asked = run(page, site, "usage_course_45")
    assert [parse_qs(urlsplit(each).query)["course"] for each in asked] == [["2"]]
    assert parse_qs(urlsplit(asked[0]).query)["site"] == [site.url]
    assert run(page, site, "usage_dashboard") == []


# ---- What a mark says ----
@pytest.mark.parametrize(
    ("metric", "forum", "quiz", "essay", "discussion"),
    [("clicks", 35, 1234, 0, 6), ("students", 12, 19, 0, 6)],
)
def test_the_text_is_the_number_of_what_is_counted(
    page: Page, site: Site, metric: str, forum: int, quiz: int, essay: int, discussion: int
):
    run(page, site, "usage_course_45")
    choose(page, metric)
    assert [number_at(page, "activity:10"), number_at(page, "activity:12")] == [forum, quiz]
    run(page, site, "usage_forum_discuss")
    choose(page, metric)
    assert [number_at(page, "activity:16"), number_at(page, "part:discussion:101")] == [essay, discussion]


def test_an_activity_that_the_data_does_not_know_says_not_loaded(page: Page, site: Site):
    run(page, site, "usage_course_onetopic")
    assert "not loaded" in said_by(page, NOT_IN_ANSWER)
    assert "not loaded" not in said_by(page, "activity:16")  # known, and nobody looked


def test_a_label_and_a_link_to_another_site_say_not_logged(page: Page, site: Site):
    run(page, site, "usage_course_index_on_course")
    assert "not logged" in said_by(page, "activity:15")
    run(page, site, "usage_course_45")
    assert "not logged" in said_by(page, "unlogged")


def test_a_mark_is_not_covered_by_a_link_stretched_over_the_activity(page: Page, site: Site):
    run(page, site, "usage_course_45")
    box = f"{MARKS}[0].getBoundingClientRect()"
    hit = "document.elementFromPoint(x + width / 2, y + height / 2)?.closest('.coursette-usage')?.dataset.activity"
    assert page.evaluate(f"{MARKS}.length") > 0
    page.evaluate(f"{MARKS}[0].scrollIntoView({{block: 'center'}})")
    assert page.evaluate(f"(({{x, y, width, height}}) => {hit})({box})") == "10"


# ---- Pages that change ----
def test_a_table_replaced_by_script_keeps_one_mark_per_link(page: Page, site: Site):
    run(page, site, "usage_forum_view")
    page.evaluate("""() => {
        const body = document.querySelector('tbody');
        body.innerHTML = body.innerHTML.replaceAll('d=100', 'd=70').replaceAll('discussion:100', 'discussion:70');
    }""")  # marks and all, as a copy
    rest(page)
    assert_as_expected(page)
    assert page.evaluate(f"{MARKS}.map({ABOUT})") == [f"part:discussion:{d}" for d in (101, 70, 69)]


@pytest.mark.parametrize(
    ("name", "render"), [("usage_course_index", "renderIndex"), ("usage_overview_51", "renderTables")]
)
def test_what_moodle_renders_again_is_marked_again(page: Page, site: Site, name: str, render: str):
    asked = run(page, site, name)
    page.evaluate(f"{render}()")
    page.evaluate(f"setTimeout({render}, 150)")
    rest(page)
    assert_as_expected(page)
    assert len(asked) == 1


def test_people_and_links_that_arrive_later_are_marked_each_in_its_way(page: Page, site: Site):
    run(page, site, "usage_messages")
    page.evaluate("""document.querySelector('ul.section').insertAdjacentHTML('beforeend',
        '<li class="activity" data-usage="activity:12"><a href="/mod/quiz/view.php?id=12">Late</a></li>')""")
    rest(page)
    assert_as_expected(page)
    details = page.evaluate("[...document.querySelectorAll('.coursette-details')].map(mark => mark.dataset.user)")
    assert details == ["9"]


# ---- How long it takes ----
def marking_time(page: Page, site: Site, links: int) -> float:
    """Milliseconds from the start of the script to the last of so many marks, the server's time left out."""
    page.goto(put(site, "usage_forum_index"))
    page.evaluate(
        """links => {
            const row = (id) => `<tr data-usage="activity:${id}"><td><a href="view.php?id=${id}">Forum</a></td></tr>`;
            document.querySelector('tbody').innerHTML = Array.from({length: links}, (_, i) => row(1000 + i)).join('');
        }""",
        links,
    )
    answer = {**ANSWER, "activities": {str(1000 + i): activity(i, i % 20) for i in range(links)}}
    return page.evaluate(
        """([text, answer, links]) => new Promise((resolve) => {
            const body = JSON.stringify(answer);
            window.fetch = async () => new Response(body, {headers: {'Content-Type': 'application/json'}});
            const begun = performance.now();
            const look = () => {
                const taken = performance.now() - begun;
                const enough = document.getElementsByClassName('coursette-usage').length >= links;
                if (enough || taken > 8000) { observer.disconnect(); resolve(taken); }
            };
            const observer = new MutationObserver(look);
            observer.observe(document.body, {childList: true, subtree: true});
            setTimeout(look, 8100);
            (0, eval)(text);
        })""",
        [script(site), answer, links],
    )


def test_ten_times_the_links_take_about_ten_times_as_long(page: Page, site: Site, record_property):
    taken = {}
    for links in (500, 5000):
        taken[links] = min(marking_time(page, site, links) for _ in range(2))
        rest(page)
        assert_as_expected(page)
        assert page.evaluate(f"{MARKS}.length") == links
    print("milliseconds from script to last mark:", taken)
    record_property("milliseconds", taken)
    assert taken[5000] < 40 * max(taken[500], 5), taken  # quadratic would be a hundredfold


# ---- For everybody ----
def grave(page: Page) -> tuple[set[str], dict[str, int]]:
    """Serious and critical findings of axe-core: in what we add, and how many of each rule in Moodle's own."""
    ours: set[str] = set()
    others: dict[str, int] = {}
    for finding in Axe().run(page).response["violations"]:
        if finding["impact"] not in {"serious", "critical"}:
            continue
        for node in finding["nodes"]:
            target = node["target"][-1]
            if page.evaluate("([at, ours]) => !!document.querySelector(at)?.closest(ours)", [target, OURS]):
                ours.add(f"{finding['id']}: {node['html']}")
            else:
                others[finding["id"]] = others.get(finding["id"], 0) + 1
    return ours, others


@pytest.mark.parametrize("name", ["course_45", "course_51", "course_index", "book", "forum_view", "grader", "progress"])
def test_marks_and_legend_put_nothing_in_the_way_of_a_screen_reader(page: Page, site: Site, name: str):
    page.goto(put(site, f"usage_{name}"))
    page.wait_for_function("window.rendered !== false")
    nothing, before = grave(page)
    assert nothing == set()
    run(page, site, f"usage_{name}")
    assert page.locator("#coursette-legend").count() == 1
    assert page.locator(".coursette-usage").count() > 0
    ours, after = grave(page)
    assert ours == set()
    assert {rule: count for rule, count in after.items() if count > before.get(rule, 0)} == {}  # a list, say, of marks
