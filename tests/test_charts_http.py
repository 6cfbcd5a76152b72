"""The ready chart of every question over HTTP: a figure with its words, or a sentence that says why there is none."""

from __future__ import annotations

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from loaders import charts
from loaders.schema import open_database
from tests import made_up, made_up_grades, made_up_posts
from tests.catalogue import DATABASES
from tests.visit import COLLEAGUE, TEACHER, get, instance, recorded

CHARTED = [
    (database, name)
    for database, known in DATABASES.items()
    for name, query in known["queries"].items()
    if query.get("chart")
]
TOO_SMALL = ("seen_and_score", "offerings_activities")  # the made-up classes, for these
NETWORKS = ("replies_between", "blog_links_between")


@pytest.fixture
def datasette(tmp_path):
    return instance(made_up.small(tmp_path / "moodle.db"))


async def page_of(datasette, path: str) -> HTMLParser:
    answer = await get(datasette, path)
    assert answer.status_code == 200, path
    return HTMLParser(answer.text)


def with_question(datasette, sql: str, chart: dict) -> str:
    """A question of somebody's own in metadata.yml; its address."""
    query = {"title": "Mine", "params": ["course"], "sql": sql, "chart": chart}
    datasette._metadata_local["databases"]["moodle"]["queries"]["mine"] = query
    return "/moodle/mine?course=2"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A class with a log, with posts, with grades and an older offering, and a file with nothing in it."""
    tmp_path = tmp_path_factory.mktemp("several")
    small, posts = made_up.small(tmp_path / "moodle.db"), made_up_posts.small(tmp_path / "posts.db")
    grades, older = made_up_grades.small(tmp_path / "grades.db"), made_up_grades.older(tmp_path / "older.db")
    open_database(tmp_path / "nothing.db", to_fill=True).conn.close()
    return small, posts, grades, older, tmp_path / "nothing.db"


@pytest.fixture
def several(files):
    return instance(*files)


@pytest.mark.parametrize("name", [name for database, name in CHARTED if database == "moodle"])
async def test_every_chart_is_there_or_it_is_said_why_not(several, name):
    found = {}
    for database in ("moodle", "posts", "grades", "older", "nothing"):
        page = await page_of(several, f"/{database}/{name}")
        found[database] = page.css_first("figure.chart")
        if found[database]:
            words = page.css_first("#" + found[database].attributes["aria-labelledby"]).text()
            assert found[database].css_first("svg text") and ". " in words and words.endswith(".")
            assert page.css_first(".table-wrapper table"), "its table follows"
        else:
            said = page.css_first(".no-chart, .no-answer, .zero-results").text()
            assert said.endswith(".") and (said != charts.FAILED or name in NETWORKS)
    assert any(found.values()) or name in (*NETWORKS, *TOO_SMALL)
    assert not found["nothing"]


async def test_the_record_of_look_ups_has_its_chart(datasette):
    for student in (18, 19):
        await get(datasette, f"/-/student?course=2&user={student}")
    recorded(datasette)
    page = await page_of(datasette, "/audit/look_ups_by_week?course=2")
    assert page.css_first("figure.chart, .no-chart") is not None


async def test_what_stands_in_the_data_is_text(datasette):
    chart = {"mark": "bar", "x": "a.b[0]", "y": "fullname"}
    sql = "select fullname, people.id as \"a.b[0]\" from people where :course != ''"
    page = await page_of(datasette, with_question(datasette, sql, chart))
    texts = [node.text() for node in page.css("figure.chart text")]
    assert made_up.MARKUP in texts and not page.css("figure.chart :is(b, script, a, image, style)")
    assert "<b>Bo</b>" not in page.css_first(".chart-box").html
    policy = (await get(datasette, "/moodle/mine?course=2")).headers["content-security-policy"]
    assert "style-src 'self'" in policy and not page.css("figure.chart [style]")


async def test_a_wrong_chart_is_one_sentence(datasette):
    for chart in (
        {"mark": "pie", "x": "id", "y": "id"},
        {"mark": "bar", "x": "none", "y": "id"},
        {"x": 1},
        {"mark": []},
    ):
        page = await page_of(datasette, with_question(datasette, "select id from people where :course", chart))
        assert page.css_first(".no-chart").text() in (charts.FAILED, charts.TOO_LITTLE)
        assert len(page.css("table tbody tr")) > 1


async def test_the_chart_has_all_rows_and_says_what_it_leaves_out(datasette):
    rows = "with recursive r(week) as (select 1 union all select week + 1 from r where week < 1500) "
    sql = rows + "select printf('Quiz %d', week) as name, week as n from r where :course = '2'"
    page = await page_of(datasette, with_question(datasette, sql, {"mark": "bar", "x": "n", "y": "name"}))
    assert "The first 40 of 1,500 bars are drawn; the table has all." in page.css_first("#chart-words").text()


async def test_whoever_may_not_see_the_answer_sees_no_chart(datasette):
    datasette._metadata_local["databases"]["moodle"]["queries"]["weeks"]["allow"] = {"id": "teacher"}
    assert (await get(datasette, "/moodle/weeks?course=2", COLLEAGUE)).status_code == 403
    assert (await get(datasette, "/moodle/weeks?course=2", TEACHER)).status_code == 200


async def test_a_link_says_that_a_chart_waits_and_leads_to_it(datasette):
    for path in ("/moodle", "/-/course?course=2"):
        page = await page_of(datasette, path)
        link = next(link for link in page.css("a") if link.text() == DATABASES["moodle"]["queries"]["weeks"]["title"])
        assert "#" not in link.attributes["href"] and "chart" in link.parent.text()
