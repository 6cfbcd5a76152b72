"""What a spreadsheet's columns become: groups to narrow by, and the columns of one wide view."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from pathlib import Path

import pytest
from exports import database, load, rows, write
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from loaders import answers, choices, detail_groups, usage, wide
from loaders.detail_columns import Asked
from loaders.load import Loader
from loaders.places import Options
from loaders.unload import unload
from tests.visit import get, instance, recorded

PEOPLE = ["zoe", "sam", "al", "bo", "di", "ed"]
ODD = 'Say "when", it\'s [%] <b>'


def roster(folder: Path, day: int = 1, **groups: str) -> Path:
    """A web-service answer with six students, and the groups that Moodle has for them."""
    people = [
        {"id": 10 + place, "firstname": name.title(), "lastname": "Lee", "fullname": f"{name.title()} Lee",
         "email": f"{name}@x.example", "roles": [{"roleid": 5, "shortname": "student"}],
         "groups": [{"id": 1, "name": groups[name]}] if name in groups else [],
         "enrolledcourses": [{"id": 2, "fullname": "ICT"}]}
        for place, name in enumerate(PEOPLE)
    ]  # fmt: skip
    path = folder / "people.json"
    path.write_text(json.dumps(people), encoding="utf-8")
    os.utime(path, (86_400 * 17_000 + day,) * 2)
    return path


def details(db, path: Path, **columns: list[str]) -> int:
    """Load a spreadsheet with these columns, a value for each of PEOPLE; returns the load."""
    table = zip(PEOPLE, *columns.values(), strict=True)
    write(path, [["Email", *columns], *([f"{name}@x.example", *cells] for name, *cells in table)], delimiter=",")
    (outcome,) = Loader(db, Options(details=Asked())).load([path])
    assert outcome.error is None and not outcome.rows_unmatched
    return outcome.load_id


def members(db) -> dict[str, list[str]]:
    """Group -> first names."""
    found: dict[str, list[str]] = {}
    sql = (
        "select g.name, p.firstname from groups g left join group_members m on m.group_id = g.id"
        " left join people p on p.id = m.person_id order by g.name, p.moodle_id"
    )
    for name, who in rows(db, sql):
        found.setdefault(name, []).append(who)
    return found


@pytest.mark.parametrize(
    "values, sort",
    [
        (["A", "A", "B", "B"], True),
        (["A", "a ", "B", "b"], True),
        (["1", "1", "2", "2", "3"], True),  # years, tutorials
        (["A"] * 4, False),  # nothing to tell apart
        (["A", "B", "C", "D"], False),  # shared by nobody
        (["5.5", "5.5", "6", "6"], False),  # marks
        (["+61 491 570 006", "+61 491 570 006", "(07) 1", "(07) 1"], False),
        (["2016-02-29"] * 2 + ["2016-03-01"] * 2, False),  # days
        (["85%", "85%", "90%", "90%"], False),
        (["0491570006", "0491570006", "1", "1"], False),  # phones
        (["x" * 61, "x" * 61, "B", "B"], False),  # free text
        ([letter for letter in "ABCDEFGHIJKLM" for _ in range(2)], False),  # 13 of them
        ([letter for letter in "ABCDEFGHIJKL" for _ in range(2)], True),
        ([], False),
    ],
)
def test_which_columns_sort_students_into_groups(values, sort):
    assert detail_groups.divides(values) is sort


def test_columns_become_groups_beside_those_of_moodle(tmp_path):
    db = database(tmp_path)
    load(db, roster(tmp_path, zoe="Campus: City"))
    first = details(db, tmp_path / "mine.csv", Campus=["City", "city", "Town", "Town", "City", ""], GPA=["5.5"] * 6)
    campus = {
        "Campus: City": ["Zoe"],
        "Campus: City (your spreadsheet)": ["Zoe", "Sam", "Di"],
        "Campus: Town": ["Al", "Bo"],
    }
    assert members(db) == campus
    keys = rows(db, "select id, name from groups order by id")
    load(db, roster(tmp_path, 2, zoe="Campus: City", sam="Campus: City"))
    assert rows(db, "select id, name from groups order by id") == keys, "Moodle's answer leaves them, and their keys"
    assert members(db)["Campus: City"] == ["Zoe", "Sam"]
    course = answers.course(db, "2")
    zoe = answers.person(db, course, user="10")
    assert zoe["groups"] == ["Campus: City"], "her own groups are Moodle's"
    assert answers.courses(db)[0]["groups"] == 1
    assert choices.of_course(db, course, {"group"})["group"] == [
        ("", [(1, "Campus: City")]),
        ("Campus", [("Campus: City (your spreadsheet)", "City (your spreadsheet)"), ("Campus: Town", "Town")]),
    ]
    asked = usage.usage(db, course, usage.Filters(groups=["Campus: Town"]))
    assert asked["students"] == 2
    assert {"id": None, "name": "Campus: Town", "students": 2} in asked["groups"]
    unload(db, first)
    assert list(members(db)) == ["Campus: City"]


def test_the_wide_view_has_a_column_for_every_field(tmp_path):
    db = database(tmp_path)
    assert [column[1] for column in db.execute("pragma table_info(people_wide)")] == list(wide.BASE)
    load(db, roster(tmp_path, sam="Online"))
    columns = {ODD: list("aabbcc"), "Email": ["x"] * 6, "email ": ["y"] * 6, "GPA": ["10", "9.5", "4", "", "4", "4"],
               "gpa": ["010", "9", "4", "4", "4", "4"]}  # fmt: skip
    table = zip(PEOPLE, *columns.values(), strict=True)
    write(tmp_path / "mine.csv", [["Who", *columns], *([f"{one}@x.example", *rest] for one, *rest in table)],
          delimiter=",")  # fmt: skip
    list(Loader(db, Options(details=Asked(key="Who"))).load([tmp_path / "mine.csv"]))
    names = [column[1] for column in db.execute("pragma table_info(people_wide)")]
    assert names == [*wide.BASE, ODD.replace("[", "(").replace("]", ")"), "Email (2)", "email (3)", "GPA", "gpa (2)"]
    (sam,) = rows(db, "select * from people_wide where email = 'sam@x.example'")
    assert sam[2:] == ("Sam Lee", "sam@x.example", "student", "Online", "a", "x", "y", 9.5, "9")
    found = rows(db, "select fullname from people_wide where GPA is not null order by GPA desc limit 2")
    assert found == [("Zoe Lee",), ("Sam Lee",)], "numbers sort as numbers"


@pytest.fixture
def shown(tmp_path):
    """An instance with a spreadsheet of an odd column."""
    db = database(tmp_path)
    load(db, roster(tmp_path))
    details(db, tmp_path / "mine.csv", **{ODD: list("aabbcc"), "GPA": ["5.5", "4.5", "6", "7", "2", "3.3"]})
    return db, instance(tmp_path / "moodle.db")


async def test_the_view_s_page_has_its_words_and_facets(shown):
    db, datasette = shown
    name = ODD.replace("[", "(").replace("]", ")")
    answer = (await get(datasette, "/moodle/people_wide.json?_shape=objects&_col=GPA&_sort=GPA")).json()
    assert [row["GPA"] for row in answer["rows"]][:2] == [2, 3.3]
    assert set(answer["facet_results"]) == {"course_id", "role", name}
    assert {row["value"] for row in answer["facet_results"][name]["results"]} == {"a", "b", "c"}
    page = await get(datasette, "/moodle/people_wide")
    assert page.text.count('href="/-/student?person=') == len(PEOPLE)
    assert page.status_code == 200 and "What files say of them as “GPA”." in page.text
    assert "<b>" not in page.text.replace("<b>1</b>", "") and "&lt;b&gt;" in page.text
    assert (await get(datasette, "/moodle/people_wide", None)).status_code != 200
    unload(db, 2)
    later = await get(datasette, "/moodle/people_wide")
    assert "GPA" not in later.text, "looked up again when the file changed"


async def test_forms_offer_the_fields_and_the_groups_made_of_them(shown):
    _, datasette = shown
    form = HTMLParser((await get(datasette, "/moodle/students_by_details?course=2&field=GPA&at_least=6")).text)
    assert [each.text() for each in form.css("select[name=field] option")][-2:] == [ODD, "GPA"]
    assert [each.text() for each in form.css("td.col-value")] == ["6", "7"]
    form = HTMLParser((await get(datasette, "/moodle/weeks?course=2")).text)
    assert form.css_first("select[name=group] optgroup").attributes["label"] == ODD
    chosen = [each.attributes["value"] for each in form.css("select[name=group] optgroup option")]
    assert chosen == [f"{ODD}: {letter}" for letter in "abc"]


async def test_looking_at_the_view_is_recorded_as_for_a_table_with_people(shown):
    _, datasette = shown
    await get(datasette, "/moodle/people_wide.json")
    with sqlite3.connect(recorded(datasette)) as record:
        assert record.execute("select what, form from look_ups").fetchall() == [("table people_wide", "json")]


def test_two_hundred_columns_of_four_hundred_students_are_quick(tmp_path):
    db = database(tmp_path)
    db.execute("begin")
    db.execute("insert into sites (id) values (1)")
    db.execute("insert into courses (id, site_id, timezone, timezone_from) values (1, 1, 'UTC', 'option')")
    db.executemany("insert into people (id, site_id) values (?, 1)", [(one,) for one in range(400)])
    db.executemany("insert into enrolments (course_id, person_id, role) values (1, ?, 'student')",
                   [(one,) for one in range(400)])  # fmt: skip
    db.executemany("insert into person_details (person_id, field, value) values (?, ?, ?)",
                   [(one, f"Field {field}", str(one % 7)) for field in range(200) for one in range(400)])  # fmt: skip
    db.execute("insert into person_details (person_id, field, value) values (1, 'a' || char(0) || 'b', 'x')")
    start = time.thread_time()
    wide.save_view(db)
    detail_groups.save_detail_groups(db, {f"Field {field}" for field in range(200)})
    assert time.thread_time() - start < 2
    start = time.thread_time()
    assert len(rows(db, "select * from people_wide limit 101")) == 101
    assert time.thread_time() - start < 0.3
    assert rows(db, "select count(*) from groups") == [(7 * detail_groups.COLUMNS,)]
