"""The completion grid: who has completed what, sorted, narrowed, and never a 0 for somebody whom no report has."""

from __future__ import annotations

import csv
import io
import sqlite3
import time

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from loaders import answers, completion_grid, usage
from tests import made_up
from tests.visit import get, instance, recorded

PAGE = "/-/completion?course=2"
ZOE, SAM, OTHER_SAM, BO = "Zoë Müller", "Sam Lee", "Sam Lee", made_up.MARKUP
NOT_IN_THE_REPORT = {"Al Away", "Nia New"}


@pytest.fixture
def db(tmp_path):
    connection = sqlite3.connect(made_up.small(tmp_path / "moodle.db"))
    yield connection
    connection.close()


@pytest.fixture
def datasette(tmp_path):
    return instance(made_up.small(tmp_path / "moodle.db"))


def grid(db: sqlite3.Connection, *groups: str, course: str = "2", **asked: str) -> dict | None:
    return completion_grid.grid(db, answers.course(db, course), usage.Filters(groups=list(groups)), **asked)


def names(found: dict) -> list[str]:
    return [row["fullname"] for row in found["rows"]]


def text(response) -> str:
    return " ".join(HTMLParser(response.text).body.text(separator=" ").split())


# ---- The answer ----


def test_every_student_stands_beside_every_tracked_activity(db):
    found = grid(db)
    assert [row["name"] for row in found["activities"]] == ["News & <i>chat</i>", "Quiz 1", "Reading nobody opens"]
    assert [row["completed"] for row in found["activities"]] == [2, 1, 0]
    assert [(row["fullname"], row["done"], row["states"]) for row in found["rows"]] == [
        ("Al Away", None, None),
        (SAM, 2, ["complete", "complete-pass", "incomplete"]),
        (OTHER_SAM, 0, ["incomplete"] * 3),
        (ZOE, 1, ["complete", "complete-fail", "incomplete"]),
        ("Nia New", None, None),
        (BO, 0, ["incomplete"] * 3),
    ]
    assert (found["students"], found["reported"], found["why"]) == (6, 4, None)


def test_who_is_in_the_report_for_some_activities_only_is_unknown_in_the_others(db):
    db.execute("insert into completions (person_id, activity_id, state) values (?, 1, 'complete')", [made_up.NEW])
    found = grid(db)
    assert next(row for row in found["rows"] if row["fullname"] == "Nia New")["states"] == ["complete", None, None]
    section = grid(db, section="1")
    assert next(row for row in section["rows"] if row["fullname"] == "Nia New")["done"] is None, "nothing known there"


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("", ["Al Away", SAM, OTHER_SAM, ZOE, "Nia New", BO]),
        ("-name", [BO, "Nia New", ZOE, OTHER_SAM, SAM, "Al Away"]),
        ("done", [OTHER_SAM, BO, ZOE, SAM, "Al Away", "Nia New"]),
        ("-done", [SAM, ZOE, OTHER_SAM, BO, "Al Away", "Nia New"]),
        ("11", [OTHER_SAM, BO, ZOE, SAM, "Al Away", "Nia New"]),
        ("-11", [SAM, ZOE, OTHER_SAM, BO, "Al Away", "Nia New"]),
    ],
)
def test_rows_are_sorted_and_those_not_in_the_report_come_last(db, sort, expected):
    assert names(grid(db, sort=sort)) == expected


def test_an_activity_whose_id_no_file_has_told_sorts_by_our_own_key(db):
    db.execute("update activities set cmid = null where id = 2")
    found = grid(db, sort="-own-2")
    assert found["activities"][1]["key"] == "own-2" and names(found)[0] == SAM


def test_a_group_and_a_section_narrow_it(db):
    assert names(grid(db, "Online")) == [SAM, ZOE]
    assert [row["completed"] for row in grid(db, "Online")["activities"]] == [2, 1, 0]
    section = grid(db, section="1")
    assert [row["name"] for row in section["activities"]] == ["Quiz 1", "Reading nobody opens"]
    assert [(each["key"], each["activities"]) for each in section["sections"]] == [("0", 1), ("1", 2)]
    assert [row["done"] for row in section["rows"]] == [None, 1, 0, 0, None, 0]


def test_what_there_is_not_is_no_order_and_no_section(db):
    for asked in ({"sort": "13"}, {"sort": "fullname"}, {"section": "9"}, {"section": "1", "sort": "10"}):
        assert grid(db, **asked) is None, asked


def test_not_loaded_yet_is_not_untracked(db):
    not_loaded = "No completion report of this course is loaded yet: “coursette status” has the link to download it."
    assert grid(db, course="3")["why"] == not_loaded
    db.execute("insert into activities (course_id, kind, name, tracked) values (2, 'page', 'One', null)")
    assert grid(db, course="3")["why"] == not_loaded
    db.execute("update activities set tracked = 1 where course_id = 2")
    assert grid(db, course="3")["why"] == not_loaded
    db.execute("update activities set tracked = 0 where course_id = 2")
    assert grid(db, course="3")["why"] == "Moodle does not track the completion of any activity in this course."


# ---- The page ----


def cells(html: HTMLParser) -> dict[str, list[str]]:
    """{name: what stands in the cells of that row}, the second Sam Lee's last."""
    rows = html.css(".grid tbody tr")
    return {row.css_first("th a").text(): [cell.text() for cell in row.css("td")] for row in rows}


async def test_cells_say_their_state_in_a_symbol_that_the_legend_explains(datasette):
    html = HTMLParser((await get(datasette, PAGE)).text)
    found = cells(html)
    assert found[ZOE] == ["1", "✓", "F", "○"] and found[SAM] == ["0", "○", "○", "○"]
    assert found["Nia New"] == ["not in the report"] and found["Al Away"] == ["not in the report: suspended"]
    legend, caption = html.css_first(".legend").text(), html.css_first("caption").text()
    for symbol, word in (("✓", "done"), ("P", "passed"), ("F", "done, not passed"), ("○", "not done")):
        assert f"{symbol} {word}" in legend and word in caption
    assert "2 are not in the report that is loaded" in html.body.text()


async def test_what_no_report_says_of_one_activity_is_a_question_mark(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    with sqlite3.connect(path) as db:
        db.execute("delete from completions where person_id = ? and activity_id = 2", [made_up.ZOE])
    db.close()
    html = HTMLParser((await get(instance(path), PAGE)).text)
    assert cells(html)[ZOE] == ["1", "✓", "?", "○"] and "? not in the report" in html.css_first(".legend").text()


async def test_headers_are_headers_with_sections_above_and_links_that_sort(datasette):
    html = HTMLParser((await get(datasette, f"{PAGE}&sort=done")).text)
    assert [(th.text(), th.attributes["colspan"]) for th in html.css('th[scope="colgroup"]')] == [
        ("General", "1"),
        ("Week 1: start", "2"),
    ]
    columns = html.css('.grid th[scope="col"]')
    assert [th.css_first("a").text() for th in columns][:3] == ["Student", "Done", "News & <i>chat</i>"]
    assert [th.attributes.get("aria-sort") for th in columns] == [None, "ascending", None, None, None]
    quiz = html.css_first('.grid th a[title="Quiz 1"]').attributes["href"]
    sorted_by_quiz = HTMLParser((await get(datasette, quiz)).text)
    assert sorted_by_quiz.css_first('th[aria-sort="ascending"] a').text() == "Quiz 1"
    again = sorted_by_quiz.css_first('.grid th a[title="Quiz 1"]').attributes["href"]
    fallen = HTMLParser((await get(datasette, again)).text)
    assert fallen.css_first('th[aria-sort="descending"] a').text() == "Quiz 1"
    assert len(html.css('tbody th[scope="row"]')) == 6


async def test_names_lead_to_the_student_and_the_form_keeps_what_was_chosen(datasette):
    html = HTMLParser((await get(datasette, f"{PAGE}&group=Online&section=1&sort=-done")).text)
    student = html.css_first(".grid tbody a").attributes["href"]
    assert "Sam Lee" in text(await get(datasette, student))
    assert [option.text() for option in html.css("option[selected]")] == ["Online", "Week 1: start (2)"]
    hidden = {field.attributes["name"]: field.attributes["value"] for field in html.css("input[type=hidden]")}
    assert (hidden["course"], hidden["sort"]) == ("2", "-done")
    by_name = html.css_first('.grid th[scope="col"] a').attributes["href"]
    assert "group=Online" in by_name and "section=1" in by_name and "sort=name" in by_name


async def test_the_numbers_lead_to_who_has_not_completed_it(datasette):
    for path in (f"{PAGE}&group=Online", "/-/course?course=2&group=Online"):
        html = HTMLParser((await get(datasette, path)).text)
        link = html.css_first('a[aria-label$="ho has not completed Quiz 1?"]').attributes["href"]
        assert link == "/moodle/not_completed?course=2&site=https%3A%2F%2Fmoodle.example.edu&activity=11&group=Online"
        assert "Zoë Müller" in text(await get(datasette, link))
        assert not html.css('a[aria-label$="ho has not completed The TPACK book?"]'), "not tracked"


async def test_the_page_is_escaped(datasette):
    page = (await get(datasette, PAGE)).text
    assert "<b>Bo" not in page and "<script" not in page and "<i>chat" not in page


async def test_an_unknown_order_or_group_is_a_sentence(datasette):
    for asked, status in (("sort=x", 400), ("section=9", 400), ("group=Offline", 404)):
        answer = await get(datasette, f"/-/completion.json?course=2&{asked}")
        assert answer.status_code == status and answer.json()["ok"] is False, asked


async def test_without_completion_there_is_a_sentence_and_no_grid(datasette):
    page = await get(datasette, "/-/completion?course=3")
    assert page.status_code == 200 and "No completion report of this course is loaded yet" in text(page)
    assert "<table" not in page.text
    assert (await get(datasette, "/-/completion.csv?course=3")).status_code == 404


async def test_csv_and_json_are_the_same_answer(datasette, db):
    found = (await get(datasette, f"{PAGE.replace('?', '.json?')}&sort=-done")).json()
    assert found["ok"] and found["truncated"] is False
    assert [row["states"] for row in found["rows"]] == [row["states"] for row in grid(db, sort="-done")["rows"]]
    answer = await get(datasette, f"{PAGE.replace('?', '.csv?')}&sort=-done")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["content-type"].startswith("text/csv")
    assert [row["done"] for row in rows] == ["2", "1", "0", "0", "not in the report", "not in the report"]
    assert rows[0]["Quiz 1 (11)"] == "complete-pass" and rows[-1]["Quiz 1 (11)"] == ""
    assert rows[0]["groups"] == "Online, Toowoomba"


async def test_the_grid_is_recorded_as_a_list_and_closed_to_strangers(datasette):
    for path in (PAGE, "/-/completion.json?course=2", "/-/completion.csv?course=2"):
        assert (await get(datasette, path, None)).status_code == 403
        assert (await get(datasette, path)).status_code == 200
    with sqlite3.connect(recorded(datasette)) as record:
        found = record.execute("select what, form, course, student, person from look_ups order by id").fetchall()
    assert found == [("completion", form, "2", None, None) for form in (None, "json", "csv")]


async def test_a_large_course_comes_within_a_second(tmp_path):
    path = made_up.large(tmp_path / "moodle.db", students=350, activities=130, events=500)
    datasette = instance(path)
    await get(datasette, "/-/health")
    took = []
    for sort in ("name", "-done", "77"):
        started = time.perf_counter()
        page = await get(datasette, f"{PAGE}&sort={sort}")
        took.append(time.perf_counter() - started)
    assert page.text.count("<td class=y>") + page.text.count("<td>○") == 350 * 130
    assert min(took) < 1, took
    assert len(page.content) < 700_000, "45,500 cells"
