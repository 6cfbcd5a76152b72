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


async def test_what_to_choose_from_may_stand_in_the_head(datasette, queries):
    head = "-- parameters:\n--   course:\n--   how: {choices: [much, '<b>', 3], default: much}\n"
    (queries / "how.sql").write_text(f"{head}select :how as how from the_course", encoding="utf-8")
    page = HTMLParser((await get(datasette, "/moodle/how?course=2&how=3")).text)
    assert [option.text() for option in page.css('select[name="how"] option')] == ["much", "much", "<b>", "3"]
    assert page.css_first('select[name="how"] option[selected]').attributes["value"] == "3"
    assert (await get(datasette, "/moodle/how.json?_shape=array")).json() == [{"how": "much"}]


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
    own_questions.queries_of(datasette, "moodle")
    times = []
    for _ in range(20):
        token = own_questions.of_this_request.set({})
        start = time.process_time()
        for _ in range(200):  # permissions, each of which Datasette looks up by all queries
            queries_now = own_questions.queries_of(datasette, "moodle")
        times.append(time.process_time() - start)
        own_questions.of_this_request.reset(token)
    assert len(queries_now) == 51
    assert min(times) < 0.001


async def test_a_page_tells_the_teacher_what_each_file_does_and_what_is_wrong(datasette, queries):
    (queries / "worse.sql").write_text("-- title: x\n-- titel: <b>\nselect 1", encoding="utf-8")
    (queries / "bad.sql").write_text("select 1,\n  fullnam from people", encoding="utf-8")
    text = (await get(datasette, "/-/questions")).text
    page = HTMLParser(text)
    assert [link.text() for link in page.css("h3 a")] == ["Bad", "Who has <b>opened</b> it?"]
    assert page.css_first("h3 a[href='/moodle/guide']") is not None and "guide.sql" in text and "rows in" in text
    notes = [note.text() for note in page.css("p.note")]
    assert (
        notes[0].startswith("worse.sql, line 2: There is no key “titel”") and "line 2: There is no column" in notes[1]
    )
    home = HTMLParser((await get(datasette, "/")).text)
    note = next(note.text() for note in home.css("p.note") if "cannot be asked" in note.text())
    assert "1 of your own questions" in note and "worse.sql, line 2" in note
    assert (await get(datasette, "/moodle/guide.json?course=2")).status_code == 200, "a bad file hides no good one"


async def test_only_a_teacher_is_told_of_files(datasette, queries):
    (queries / "worse.sql").write_text("selekt", encoding="utf-8")
    for role in ("tutor", "colleague", "student"):
        actor = {"id": "somebody", "owner": False, "role": role}
        assert (await get(datasette, "/-/questions", actor)).status_code == 403
        assert "worse.sql" not in (await get(datasette, "/", actor)).text
    assert (await get(datasette, "/-/questions", None)).status_code in (302, 403)


async def test_the_page_of_a_question_that_sqlite_refuses_says_so_and_nothing_is_written(datasette, queries, tmp_path):
    before = (tmp_path / "moodle.db").read_bytes()
    for sql in (
        "with a as (select 1) delete from people",
        "select fts3_tokenizer('simple')",
        "select nothing from people",
    ):
        (queries / "bad.sql").write_text(sql, encoding="utf-8")
        answer = await get(datasette, "/moodle/bad.json")
        assert answer.status_code == 400 and not answer.json()["ok"]
    assert (tmp_path / "moodle.db").read_bytes() == before


async def test_its_own_page_says_what_is_wrong_with_file_and_line(datasette, queries):
    (queries / "bad.sql").write_text("select fullname,\n  emial\nfrom chosen", encoding="utf-8")
    page = HTMLParser((await get(datasette, "/moodle/bad?course=2")).text)
    said = page.css_first(".message-error").text()
    assert said == "bad.sql, line 2: there is no column “emial”: did you mean “email”?"


async def test_another_folder_may_be_named(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "one.sql").write_text("select 1 as n", encoding="utf-8")
    db = made_up.small(tmp_path / "moodle.db")
    assert (await get(instance(db, queries=tmp_path / "mine"), "/moodle/one.json")).status_code == 200
    assert (await get(instance(db), "/moodle/one.json")).status_code == 404
    monkeypatch.setenv("COURSETTE_QUERIES", str(tmp_path / "mine"))
    assert (await get(instance(db), "/moodle/one.json")).status_code == 200
