"""A teacher's own questions as panels of the student page: rows, values, charts, and sentences where there are none."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from loaders import look_ups, panels
from loaders.placing import Answer
from tests import made_up
from tests.visit import TEACHER, get, instance, recorded

ZOE, NEW = "course=2&user=5", f"course=2&person={made_up.NEW}"
TUTOR = {"id": "tutor", "owner": False, "role": "tutor", "groups": ["Online"]}
HEAD = "-- show: student\n-- parameters: [course, person]\n"
USED = """-- title: What <img onerror=alert(1)> has she opened?
-- description: By <b>activity</b>.
-- show: student
-- parameters: [course, person]
-- chart: {mark: bar, x: clicks, y: activity}
select
  activities.name as activity,
  count(*) as clicks,
  max(time_utc) as last_utc,
  activities.cmid,
  '<img onerror=alert(2)>' as remark
from the_course
join events on events.course_id = the_course.id and events.person_id = cast(:person as integer)
join activities on activities.id = events.activity_id
group by activities.id
order by clicks desc, activities.cmid
"""
ONE = """-- title: Where does she stand?
-- show: student
-- parameters: [course, person, student]
select fullname, 0.256 as share, :student as moodle_id, null as empty
from people
where id = cast(:person as integer) and :course = '2'
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    made_up.small(tmp_path / "moodle.db")
    (tmp_path / "queries").mkdir()
    return tmp_path / "queries"


def put(folder: Path, **questions: str) -> None:
    for name, text in questions.items():
        (folder / f"{name}.sql").write_text(text, encoding="utf-8")


async def page_of(folder: Path, ids: str = ZOE) -> HTMLParser:
    response = await get(instance(folder.parent / "moodle.db"), f"/-/student?{ids}")
    assert response.status_code == 200
    return HTMLParser(response.text)


async def panels_of(folder: Path, ids: str = ZOE, actor: dict = TEACHER) -> list[dict]:
    return (await get(instance(folder.parent / "moodle.db"), f"/-/student.json?{ids}", actor)).json()["panels"]


def words(node) -> str:
    return " ".join(node.text(separator=" ").split())


async def test_rows_are_a_table_with_its_chart_in_a_tab_of_their_own(folder):
    put(folder, used=USED)
    html = await page_of(folder)
    tab = html.css_first('.tabs a[href="#own-used"]')
    assert words(tab) == "What <img onerror=alert(1)> has she opened? 3 rows"
    panel = html.css_first("section#own-used.panel")
    assert panel.css_first("h2").text() == "What <img onerror=alert(1)> has she opened?"
    assert [words(head) for head in panel.css("thead th")] == ["activity", "clicks", "last", "remark"]
    cells = [[words(cell) for cell in row.css("td, th")] for row in panel.css("tr")[1:]]
    assert cells[0] == ["News & <i>chat</i>", "3", "March 2016", "<img onerror=alert(2)>"]
    assert panel.css_first("figure.chart svg") and "Highest: News & <i>chat</i> (3)" in words(panel)
    assert html.css("img") == [] and html.css("#own-used b, #own-used i") == []
    ids = urlencode({"course": 2, "site": made_up.SITE, "person": made_up.ZOE})
    assert panel.css_first("a").attributes["href"] == f"/moodle/used?{ids}"


async def test_one_row_is_names_and_values(folder):
    put(folder, one=ONE)
    panel = (await page_of(folder)).css_first("#own-one")
    assert [words(each) for each in panel.css("dt")] == ["name", "share"]
    assert [words(each) for each in panel.css("dd")] == ["Zoë Müller", "0.26"]
    assert panel.css_first("table") is None


async def test_json_has_the_panels_by_title_with_ids_and_empty_cells(folder):
    put(folder, used=USED, one=ONE)
    used, one = await panels_of(folder)
    assert (used["name"], used["description"], used["error"], used["truncated"]) == (
        "used",
        "By <b>activity</b>.",
        None,
        False,
    )
    assert [(row["cmid"], row["clicks"]) for row in used["rows"]] == [(10, 3), (11, 1), (13, 1)]
    assert one["rows"] == [{"fullname": "Zoë Müller", "share": 0.256, "moodle_id": "5", "empty": None}]
    (row,) = (await panels_of(folder, NEW))[1]["rows"]
    assert (row["fullname"], row["moodle_id"]) == ("Nia New", ""), "no file has told her Moodle id"


async def test_what_is_wrong_with_a_question_is_one_sentence_and_the_page_stands(folder):
    endless = "with recursive n as (select 1 as i union all select i + 1 from n) select count(*) as n from n"
    put(
        folder,
        column=f"{HEAD}select\n  nope\nfrom people where id = :person and :course",
        key="-- show: student\n-- titel: Hers\nselect 1",
        slow=f"{HEAD}{endless} where :person and :course",
        writes=f"{HEAD}select * from pragma_user_version(7) where :person and :course",
        used=USED,
    )
    found = {panel["name"]: panel for panel in await panels_of(folder)}
    assert found["column"]["error"].startswith("column.sql, line 4: there is no column “nope”")
    assert found["key"]["error"] == "key.sql, line 2: there is no key “titel” here: did you mean “title”?"
    assert found["slow"]["error"].startswith("slow.sql, line 3: it was stopped after 500 ms")
    assert found["writes"]["error"].startswith("writes.sql, line 3: ")
    assert found["used"]["rows"] and found["used"]["error"] is None
    html = await page_of(folder)
    assert len(html.css(".panel .note.warn")) >= 4 and html.css_first("#completion")
    assert words(html.css_first('.tabs a[href="#own-slow"]')) == "Slow not answered"


async def test_nothing_a_note_and_much(folder):
    put(
        folder,
        none=f"{HEAD}select 1 as n where :person = 'x' and :course",
        note=f"{HEAD}select null as n, 'no <i>log</i> is loaded' as note where :person and :course",
        much=f"{HEAD}select value from json_each('[' || replace(hex(zeroblob(1500)), '00', '1,') || '1]')"
        " where :person and :course",
        odd=f"{HEAD}select x'00ff' as blob, 9e999 as big, replace(hex(zeroblob(4000)), '0', '<') as long"
        " where :person and :course",
    )
    found = {panel["name"]: panel for panel in await panels_of(folder)}
    json.dumps(found, allow_nan=False)
    assert (len(found["much"]["rows"]), found["much"]["truncated"]) == (200, True)
    assert found["odd"]["rows"][0]["blob"] == "(2 bytes)" and found["odd"]["rows"][0]["big"] is None
    html = await page_of(folder)
    assert "there is none" in words(html.css_first("#own-none"))
    assert words(html.css_first("#own-note .note")) == "No <i>log</i> is loaded."
    assert words(html.css_first('.tabs a[href="#own-much"]')) == "Much 200+ rows"


async def test_own_questions_are_for_teachers_and_other_ways_of_showing_are_no_panels(folder):
    put(
        folder,
        used=USED,
        plain="select 1",
        number="-- show: activity\nselect cmid, 1 as number from activities where :course",
    )
    assert [panel["name"] for panel in await panels_of(folder)] == ["used"]
    answer = await get(instance(folder.parent / "moodle.db"), f"/-/student.json?{ZOE}", TUTOR)
    assert (answer.status_code, answer.json()["panels"]) == (200, []), "she is in the tutor's group"


async def test_a_page_without_own_questions_is_as_it_was(folder):
    html = await page_of(folder)
    assert (
        len(html.css(".tabs a")) == len(html.css(".panel")) == 3
        and html.css_first(".tabs").attributes["class"] == "tabs"
    )


async def test_a_panel_changes_with_its_file_and_the_look_is_on_record(folder):
    datasette = instance(folder.parent / "moodle.db")
    for number in ("1", "2"):
        put(folder, live=f"{HEAD}select {number} as n where :person and :course")
        (panel,) = (await get(datasette, f"/-/student.json?{ZOE}")).json()["panels"]
        assert panel["rows"] == [{"n": int(number)}]
    with look_ups.opened(recorded(datasette)) as db:
        told = db.execute("select what, student from look_ups").fetchall()
    assert [tuple(row) for row in told] == [("student", "5")] * 2


@pytest.mark.parametrize(
    ("columns", "rows", "wanted"),
    [
        (["clicks"], [(1200,)], "1,200"),
        (["share"], [(0.5,)], "0.5"),
        (["words"], [("not yet",)], "not yet"),
        (["words"], [("a long sentence, more than a tab has room for",)], "1 row"),
        (["one", "two"], [(1, 2)], "1 row"),
        (["last_utc"], [("2016-03-01T10:00:00Z",)], "1 row"),
        (["one"], [], "nothing"),
    ],
)
def test_a_tab_says_the_one_value_or_how_many_rows(columns, rows, wanted):
    shown = panels.panel(Answer("name", "name.sql", "Title", columns=columns, rows=rows))
    assert panels.short(shown, panels.seen(shown["columns"], shown["rows"])) == wanted


def test_cells_that_are_no_times_are_told_as_they_stand():
    for text in ("2016-13-01T10:00:00Z", "0001-01-01T00:00:00Z", "soon", "2016-03-01T10:00:00"):
        assert panels._cell("last_utc", text) == {"column": "last_utc", "kind": "text", "value": text}
    assert panels._cell("week", 1200)["value"] == "1200" and panels._cell("clicks", 1200)["value"] == "1,200"
