"""A teacher's own questions on the running server: there as soon as the file is saved, gone with it, and never hers
to the harm of others."""

from __future__ import annotations

import csv
import io
import time

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from loaders import own_questions
from tests import made_up
from tests.visit import get, instance

GUIDE = """-- title: Who has <b>opened</b> it?
-- question: One row per student.
-- parameters:
--   course:
--   activity: {label: The guide, choices: activity}
--   least: {label: At least, default: 1}
-- chart: {mark: bar, x: clicks, y: fullname}
select
  chosen.fullname,
  coalesce(usage_person.clicks, 0) as clicks,
  :least as least,
  :activity as asked,
  chosen.id as person
from chosen left join usage_person on usage_person.person_id = chosen.id
where coalesce(usage_person.clicks, 0) >= :least
order by 2 desc, 1
"""


@pytest.fixture
def datasette(tmp_path):
    (tmp_path / "queries").mkdir()
    return instance(made_up.small(tmp_path / "moodle.db"))


@pytest.fixture
def queries(datasette, tmp_path):
    """The folder of own questions, with one in it."""
    (tmp_path / "queries" / "guide.sql").write_text(GUIDE, encoding="utf-8")
    return tmp_path / "queries"


async def test_a_file_is_a_question_with_page_form_chart_json_and_csv(datasette, queries):
    page = HTMLParser((await get(datasette, "/moodle/guide?course=2")).text)
    assert page.css_first("h1").text() == "Who has <b>opened</b> it?"
    assert page.css_first('label[for="ask-activity"]').text() == "The guide"
    assert page.css_first('select[name="activity"] option[value="11"]').text() == "Quiz 1"
    least = page.css_first('input[name="least"]')
    assert least.attributes["type"] == "number" and page.css_first("#ask-least-hint").text() == "1 if left out"
    assert page.css_first("figure.chart svg") is not None
    assert "person=1&" in page.css_first("tbody .col-fullname a").attributes["href"]
    rows = (await get(datasette, "/moodle/guide.json?course=2&least=0&_shape=array")).json()
    assert len(rows) == 6 and {row["least"] for row in rows} == {0}
    rows = list(csv.DictReader(io.StringIO((await get(datasette, "/moodle/guide.csv?course=2")).text)))
    assert rows and {row["least"] for row in rows} == {"1"} and len(rows) < 6


async def test_it_is_listed_on_the_first_page_and_the_course_page(datasette, queries):
    for path in ("/", "/-/course?course=2"):
        page = HTMLParser((await get(datasette, path)).text)
        heading = next(node for node in page.css("h3") if node.text() == "My questions")
        links = heading.parent.css('ul a[href*="/moodle/guide?course=2"]')
        assert [link.text() for link in links] == ["Who has <b>opened</b> it?"]


async def test_a_change_counts_at_once_and_so_does_its_end(datasette, queries):
    file = queries / "guide.sql"
    for n in (1, 2):
        file.write_text(f"select {n} as n", encoding="utf-8")
        assert (await get(datasette, "/moodle/guide.json?_shape=array")).json() == [{"n": n}]
    (queries / "more.sql").write_text("select 3 as n", encoding="utf-8")
    assert (await get(datasette, "/moodle/more.json?_shape=array")).json() == [{"n": 3}]
    file.unlink()
    assert (await get(datasette, "/moodle/guide")).status_code == 404
    assert (await get(datasette, "/moodle/more")).status_code == 200


async def test_every_database_with_courses_has_them_and_no_other(tmp_path, queries):
    two = instance(made_up.small(tmp_path / "first.db"), made_up.small(tmp_path / "moodle.db"))
    for name, status in (("first", 200), ("moodle", 200), ("audit", 404)):
        assert (await get(two, f"/{name}/guide.json?course=2")).status_code == status


async def test_strangers_get_none_of_it(datasette, queries):
    for path in ("/moodle/guide", "/moodle/guide.json", "/moodle/guide.csv"):
        answer = await get(datasette, path, None)
        assert answer.status_code in (302, 403) and "clicks" not in answer.text


async def test_fifty_files_cost_a_request_under_a_millisecond(datasette, queries):
    for number in range(50):
        (queries / f"q{number}.sql").write_text(GUIDE, encoding="utf-8")
    time.sleep(0.06)  # files as young are read again
    own_questions.found_of(datasette, "moodle")
    times = []
    for _ in range(20):
        start = time.perf_counter()
        questions, problems = own_questions.found_of(datasette, "moodle")
        own_questions.queries(questions)
        times.append(time.perf_counter() - start)
    assert len(questions) == 51 and not problems
    assert min(times) < 0.001
