"""Questions over the record: the figures, whom nobody looked at, by week, who looked at one; for the owner only."""

from __future__ import annotations

import csv
import io
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from loaders import functions, look_ups, looked_at, schema
from tests import made_up
from tests.visit import COLLEAGUE, TEACHER, get, instance

AUDIT = yaml.safe_load((Path(__file__).parents[1] / "metadata.yml").read_text(encoding="utf-8"))["databases"]["audit"]
QUERIES = AUDIT["queries"]


def look(time: str, what: str = "student", **more: str | None) -> dict:
    asked = {"site": made_up.SITE, "course": "2", "database": "moodle", "actor": "teacher", **more}
    return {"time_utc": f"{time}T10:00:00Z", "what": what, **asked}


# Zoë three times, one Sam Lee twice, Nia (whose Moodle id nobody knows) once, and Olaf of course 3.
LOOK_UPS = [
    look("2016-03-01", student="5", person="1"),
    look("2016-03-02", student="5", person="77", database="gone"),
    look("2016-03-02", "people", student="5", course=None),
    look("2016-03-06", student="18", site=None),
    look("2016-03-16", "student_profile", student="18", site=f"{made_up.SITE}/"),
    look("2016-03-16", person=str(made_up.NEW)),
    look("2016-03-16", student="99", course="3"),
    look("2016-03-17", "away"),
    look("2016-03-17", "access", about="10", site=None),
    # What counts for nobody: a teacher, another site, a key of a file from before, tables, the record itself.
    look("2016-03-17", student="3"),
    look("2016-03-17", student="19", site="https://elsewhere.example.org"),
    look("2016-01-01", person=str(made_up.OTHER_SAM)),
    look("2016-03-17", "table people", course=None, site=None),
    look("2016-03-17", "who_looked_at", student="19", database="audit"),
]


@pytest.fixture
def moodle(tmp_path) -> Path:
    path = made_up.small(tmp_path / "moodle.db")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("update loads set loaded_utc = '2016-02-01T00:00:00Z'")
    return path


def opened(path: Path, **files: Path) -> sqlite3.Connection:
    """A connection to the record as Datasette's is prepared."""
    db = look_ups.opened(path)
    functions.register(db)
    looked_at.register(db, lambda: files)
    return db


@pytest.fixture
def db(tmp_path, moodle) -> sqlite3.Connection:
    db = opened(tmp_path / "audit.db", moodle=moodle)
    look_ups.write(db, LOOK_UPS)
    return db


def ask(db: sqlite3.Connection, name: str, **given: str) -> list[dict]:
    cursor = db.execute(QUERIES[name]["sql"], {**dict.fromkeys(QUERIES[name]["params"], ""), **given})
    return [dict(zip([column[0] for column in cursor.description], row, strict=True)) for row in cursor]


def test_the_figures_of_a_course(db):
    assert [tuple(row.values())[:8] for row in ask(db, "looked_at")] == [
        # look-ups, students, enrolled, per cent, median, most, lists
        ("EDC3100", 6, 3, 6, 50.0, 2.0, 3, 2),
        ("EDU1000", 1, 1, 1, 100.0, 1.0, 1, 0),
    ]
    (row,) = ask(db, "looked_at", course="2", site=f"{made_up.SITE}/")
    assert (row["first_utc"], row["last_utc"]) == ("2016-03-01T10:00:00Z", "2016-03-16T10:00:00Z")
    assert ask(db, "looked_at", course="2", site="https://elsewhere.example.org") == []


def test_the_median_of_an_even_number_lies_between(db):
    look_ups.write(db, [look("2016-03-18", student="20") for _ in range(4)])
    (row,) = ask(db, "looked_at", course="2")
    assert (row["students"], row["median"], row["most"]) == (4, 2.5, 4), "of 1, 2, 3 and 4"


def test_whom_nobody_looked_at(db):
    rows = ask(db, "never_looked_at")
    assert [(row["email"].partition("@")[0], row["person"]) for row in rows] == [
        ("al", "6"),
        ("sam2", "3"),
        ("bo", "4"),
    ]
    assert {row["database"] for row in rows} == {"moodle"} and rows[0]["moodle_id"] == "21"
    assert ask(db, "never_looked_at", course="3") == []


def test_look_ups_by_week(db):
    assert [tuple(row.values())[:4] for row in ask(db, "look_ups_by_week")] == [
        ("2016-02-29", 1, 4, 2),
        ("2016-03-07", 2, 0, 0),
        ("2016-03-14", 3, 2, 2),
    ]


def test_a_look_up_belongs_to_the_week_of_the_course(db):
    look_ups.write(db, [{**look("2016-03-20"), "time_utc": "2016-03-20T14:30:00Z", "student": "5"}])
    assert ask(db, "look_ups_by_week")[-1]["week_starts_on"] == "2016-03-21", "Monday in Brisbane"


def test_who_looked_at_one_student(db):
    rows = ask(db, "who_looked_at", student="18")
    assert [(row["time_utc"][:10], row["actor"], row["what"], row["fullname"]) for row in rows] == [
        ("2016-03-16", "teacher", "student_profile", "Sam Lee"),
        ("2016-03-06", "teacher", "student", "Sam Lee"),
    ]
    assert [row["what"] for row in ask(db, "who_looked_at", student="Zoë Müller")] == ["people", "student", "student"]
    assert [row["fullname"] for row in ask(db, "who_looked_at", person=str(made_up.NEW))] == ["Nia New"]
    assert len(ask(db, "who_looked_at")) == len(LOOK_UPS) - 1, "all but looking at the record"


def test_the_record_outlives_the_courses(tmp_path, db):
    alone = opened(tmp_path / "audit.db")
    assert [row["what"] for row in ask(alone, "who_looked_at", student="18")] == ["student_profile", "student"]
    assert ask(alone, "looked_at") == [] and ask(alone, "look_ups_by_week") == []


def test_a_student_of_an_earlier_file_is_found_when_the_id_becomes_known(db, moodle):
    with closing(sqlite3.connect(moodle)) as other, other:
        other.execute("update people set moodle_id = 22 where id = ?", [made_up.NEW])
    assert len(ask(db, "who_looked_at", student="22")) == 1


def test_a_course_in_two_files_counts_once(tmp_path, moodle):
    copy = made_up.small(tmp_path / "copy.db")
    other = tmp_path / "other.db"
    sqlite3.connect(other).execute("create table something (id)")
    db = opened(tmp_path / "audit.db", moodle=moodle, copy=copy, other=other, missing=tmp_path / "missing.db")
    look_ups.write(db, LOOK_UPS[:2])
    # Nia, known by our own key only, is somebody of each file.
    assert [(row["look_ups"], row["enrolled"]) for row in ask(db, "looked_at", course="2")] == [(2, 7)]


@pytest.mark.parametrize("name", QUERIES)
def test_with_nothing_loaded_there_is_no_error(tmp_path, name):
    schema.open_database(tmp_path / "empty.db").conn.close()
    assert ask(opened(tmp_path / "audit.db", empty=tmp_path / "empty.db"), name) == []


@pytest.mark.parametrize("name", QUERIES)
def test_every_question_says_what_counts(name):
    query = QUERIES[name]
    assert query["title"].endswith("?") and query["description"].endswith((".", "?")) and query["hide_sql"] is True
    assert all(f":{parameter}" in query["sql"] for parameter in query["params"])
    assert set(AUDIT["allow"]) == set(AUDIT["allow_sql"]) == {"owner", "id"} and "allow" not in query


def test_every_column_of_the_record_is_described(tmp_path):
    db = look_ups.opened(tmp_path / "audit.db")
    tables = [name for (name,) in db.execute("select name from sqlite_master where type = 'table'")]
    assert tables == list(AUDIT["tables"])
    columns = [row[1] for row in db.execute("pragma table_info(look_ups)")]
    assert columns == list(AUDIT["tables"]["look_ups"]["columns"])


@pytest.fixture
def datasette(moodle):
    return instance(moodle)


async def test_the_owner_sees_it_as_page_json_and_csv(datasette):
    await get(datasette, "/-/student?course=2&user=5")
    for name in (*QUERIES, "look_ups"):
        assert (await get(datasette, f"/audit/{name}")).status_code == 200
        assert (await get(datasette, f"/audit/{name}.json")).json()["rows"] is not None
        assert (await get(datasette, f"/audit/{name}.csv")).status_code == 200
    (row,) = (await get(datasette, "/audit/who_looked_at.json?student=5&_shape=array")).json()
    assert (row["actor"], row["what"], row["fullname"]) == ("teacher", "student", "Zoë Müller")
    text = (await get(datasette, "/audit/never_looked_at.csv?course=2")).text
    assert [line["email"][:2] for line in csv.DictReader(io.StringIO(text))] == ["al", "sa", "sa", "ni", "bo"]
    sql = "/audit.json?sql=select+count(*)+as+students+from+enrolled&_shape=array"
    assert (await get(datasette, sql)).json() == [{"students": 7}]


async def test_a_name_leads_to_the_students_page(datasette):
    html = HTMLParser((await get(datasette, "/audit/never_looked_at?course=2")).text)
    link = html.css_first("tbody .col-fullname a").attributes["href"]
    assert link == "/-/student?course=2&person=6&db=moodle"
    assert (await get(datasette, link)).status_code == 200
    assert [option.text() for option in html.css('select[name="course"] option')][1:] == [
        'ICT & Pedagogy "2016"',
        "An older course",
    ]


async def test_the_home_page_leads_its_owner_there(datasette):
    links = [link.attributes["href"] for link in HTMLParser((await get(datasette, "/")).text).css("a")]
    assert [link.partition("#")[0] for link in links if "/audit/" in link] == [
        f"/audit/{name}?course=&site=" for name in QUERIES
    ]
    for_colleagues = (await get(datasette, "/", COLLEAGUE)).text
    assert "/moodle/away" in for_colleagues and "audit" not in for_colleagues


@pytest.mark.parametrize("actor", [COLLEAGUE, None])
@pytest.mark.parametrize("allowed", ["as it is", "everybody everything", "no rules"])
async def test_nobody_else_sees_anything_of_it(datasette, actor, allowed):
    await get(datasette, "/-/student?course=2&user=5")
    rules = datasette._metadata_local["databases"]
    if allowed == "no rules":
        del rules["audit"]
    elif allowed == "everybody everything":
        rules["audit"]["allow"] = rules["audit"]["allow_sql"] = True
        rules["audit"]["tables"]["look_ups"]["allow"] = True
        for query in rules["audit"]["queries"].values():
            query["allow"] = True
    for path in ("", "/look_ups", "/look_ups/1", *(f"/{name}" for name in QUERIES)):
        for ending in ("", ".json", ".csv"):
            answer = await get(datasette, f"/audit{path}{ending}?sql=select+1&_where=1=1", actor)
            assert answer.status_code in (403, 404), (path, ending)
            assert "Zoë" not in answer.text and "teacher" not in answer.text
    assert (await get(datasette, "/audit.db", actor)).status_code == 403
    assert (await get(datasette, "/audit.db", TEACHER)).status_code == 403, "the file is nobody's"


async def test_a_courses_connection_does_not_reach_it(datasette):
    for table in ("look_ups", "audit.look_ups", "looked", "json_each(enrolled_now())"):
        assert (await get(datasette, f"/moodle.json?sql=select+*+from+{table}")).status_code == 400


async def test_nobody_writes_to_it_by_sql(datasette):
    for sql in ("delete+from+look_ups", "insert+into+look_ups+values+(1)"):
        assert (await get(datasette, f"/audit.json?sql={sql}")).status_code == 400
