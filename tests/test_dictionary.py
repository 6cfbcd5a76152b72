"""The data dictionary: nothing is missing from it, its queries run, it names nobody; notes are joined in a terminal."""

from __future__ import annotations

import csv
import io
import re
import sqlite3
import stat
from contextlib import closing
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner
from selectolax.lexbor import LexborHTMLParser

from loaders import dictionary, function_words, functions, noted, notes, schema, steps
from loaders.cli import cli
from tests import made_up
from tests.test_metadata import MOODLE
from tests.visit import COLLEAGUE, TEACHER, cookies, get, instance

FIELDS = ['Mode "b"', "[Campus]", "<b>GPA</b>", "it's", "Select"]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """The small made-up course, with columns of the teacher's that need quoting, and a table of her own."""
    path = made_up.small(tmp_path_factory.mktemp("dictionary") / "moodle.db")
    with closing(schema.open_database(path).conn) as db:
        rows = [(made_up.ZOE, field, "4.5") for field in FIELDS]
        db.executemany("insert into person_details (person_id, field, value) values (?, ?, ?)", rows)
        schema.wide.save_view(db)
        db.execute('create table "her own" (person_id integer references people(id), "a ""b""" text)')
    return path


@pytest.fixture(scope="module")
def conn(path):
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        functions.register(db)
        yield db


@pytest.fixture(scope="module")
def whole(conn) -> dict:
    return dictionary.whole(conn, MOODLE)


def test_every_table_and_column_is_in_it_with_words_and_rows(conn, whole):
    info = {name: conn.execute(f"pragma table_info({dictionary.quoted(name)})").fetchall() for name in all_of(conn)}
    there = {name: {row[1] for row in rows} for name, rows in info.items()}
    found = {table["name"]: table for table in whole["tables"]}
    searched = {name for each in whole["search"] for name in there if name.startswith(each["name"])}
    assert set(found) | searched == set(there)
    for name, table in found.items():
        assert {column["name"] for column in table["columns"]} == there[name], name
        if name != "her own":
            assert table["words"] and [each for each in table["columns"] if not each["words"]] == [], name
        (rows,) = conn.execute(f"select count(*) from {dictionary.quoted(name)}").fetchone()
        assert table["rows"] == rows and bool(table["absent"]) == (rows == 0)


def all_of(conn) -> list[str]:
    names = [row[0] for row in conn.execute("select name from sqlite_master where type in ('table', 'view')")]
    return [name for name in names if not name.startswith("sqlite_")]


def test_every_foreign_key_is_a_join(conn, whole):
    for table in whole["tables"]:
        keys = {row[3] for row in conn.execute(f"pragma foreign_key_list({dictionary.quoted(table['name'])})")}
        assert {join["column"] for join in table["joins"]} == keys
        assert {column["name"] for column in table["columns"] if column["to"]} == keys


def test_every_step_is_in_it_with_words_that_read_nothing(whole):
    known = steps.known(MOODLE["steps"])
    assert [step["name"] for step in whole["steps"]] == list(known)
    for step in whole["steps"]:
        assert step["words"], f"the first line of {step['name']} has to say in a comment what it gives"
        assert not steps.read(step["words"], known), "a comment with “from” or “join” would be taken for SQL"
        assert ":" not in step["words"].replace(": ", "") and step["columns"]


def test_every_function_of_ours_is_in_it_with_a_call_words_and_an_example(whole):
    with closing(sqlite3.connect(":memory:")) as db:
        plain = {row[0] for row in db.execute("select name from pragma_function_list")}
        functions.register(db)
        ours = {row[0] for row in db.execute("select name from pragma_function_list")} - plain
    assert {each["name"] for each in whole["functions"]} == ours
    for each in whole["functions"]:
        assert each["call"].startswith(f"{each['name']}(") and each["words"] and "None" not in each["words"]
        assert each["name"] in each["example"]


def queries(whole: dict) -> list[str]:
    """All SQL that the page offers to open."""
    tables = [sql for each in whole["tables"] for sql in (each["sql"], *(join["sql"] for join in each["joins"]))]
    named = [each["sql"] for kind in ("details", "search", "steps") for each in whole[kind]]
    examples = [each["sql"] for each in whole["calendar"]["examples"]]
    return [*tables, *named, *examples, *(each["example"] for each in whole["functions"])]


def test_all_its_queries_run(conn, whole):
    for sql in queries(whole):
        names = dict.fromkeys(("course", "site", *parameters(sql)), "")
        conn.execute(sql, names).fetchmany(5)


def parameters(sql: str) -> set[str]:
    return set(re.findall(r":([a-z]\w*)", sql))


def test_her_own_columns_are_named_as_the_wide_view_names_them(conn, whole):
    found = {row["field"]: row for row in whole["details"]}
    assert set(FIELDS) <= set(found) and found["[Campus]"]["column"] == "(Campus)"
    for field in FIELDS:
        assert conn.execute(found[field]["sql"]).fetchall()[0][1] == 4.5, field
    wide = next(table for table in whole["tables"] if table["name"] == "people_wide")
    assert "What files say of them as “<b>GPA</b>”." in [column["words"] for column in wide["columns"]]


def test_what_is_not_loaded_is_told_from_what_is_none(whole, tmp_path):
    absent = {table["name"]: table["absent"] for table in whole["tables"]}
    assert absent["grades"] == "not loaded yet: grades" and absent["submissions"] == "none in what is loaded"
    assert absent["events"] is None
    with closing(schema.open_database(tmp_path / "new.db").conn) as db:
        functions.register(db)
        empty = dictionary.whole(db, MOODLE)
    assert {table["absent"] for table in empty["tables"]} == {"nothing is loaded yet"}


# ---- The page ----


async def test_the_page_shows_it_escaped_and_names_nobody(path, whole):
    answer = await get(instance(path), "/-/dictionary")
    page = LexborHTMLParser(answer.text)
    assert answer.status_code == 200 and "script" not in answer.headers["content-security-policy"]
    assert not page.css("script, [style], main b") and "<b>GPA</b>" in page.css_first("#details ~ table").text()
    assert "Müller" not in answer.text and "student.example.edu" not in answer.text
    ids = {each.attributes["id"] for each in page.css("[id]")}
    assert {f"table-{table['name']}" for table in whole["tables"]} <= ids
    assert {f"step-{step['name']}" for step in whole["steps"]} <= ids
    here = {each.attributes["href"][1:] for each in page.css("main a[href^='#']")}
    assert {each.replace("%20", " ") for each in here} <= ids
    linked = [parse_qs(urlsplit(each.attributes["href"]).query) for each in page.css("main a[href*='sql=']")]
    assert {query["sql"][0] for query in linked} == set(queries(whole))


async def test_its_queries_open_in_the_sql_page(path, whole):
    datasette = instance(path)
    step = next(each for each in whole["steps"] if each["name"] == "chosen")
    answer = await datasette.client.get("/moodle", params={"sql": step["sql"]}, cookies=cookies(datasette, TEACHER))
    assert answer.status_code == 200 and "Müller" in answer.text and "/-/dictionary?db=moodle" in answer.text


@pytest.mark.parametrize("where", ["/", "/moodle", "/moodle?sql=select+1", "/moodle/people"])
async def test_pages_lead_to_it(path, where):
    page = LexborHTMLParser((await get(instance(path), where)).text)
    assert [each for each in page.css("a") if (each.attributes["href"] or "").startswith("/-/dictionary")]


async def test_as_json_it_is_the_same(path, whole):
    found = (await get(instance(path), "/-/dictionary.json")).json()
    assert found == {"ok": True, "database": "moodle", **whole}


async def test_only_for_whoever_may_write_sql_and_one_file_at_a_time(path, tmp_path):
    other = made_up.small(tmp_path / "other.db")
    datasette = instance(path, other)
    assert "person_details" in (await get(datasette, "/-/dictionary?db=other")).text
    assert (await get(datasette, "/-/dictionary?db=nothing")).status_code == 404
    assert "her own" not in (await get(datasette, "/-/dictionary?db=other")).text
    assert (await get(datasette, "/-/dictionary", None)).status_code == 403
    datasette._metadata_local["allow_sql"] = {"id": "teacher"}
    for form in ("", ".json"):
        assert (await get(datasette, f"/-/dictionary{form}", COLLEAGUE)).status_code == 403
        assert (await get(datasette, f"/-/dictionary{form}")).status_code == 200


# ---- Notes, in a terminal ----

JOINED = """select fullname, text, 'note' as kind from my_notes join people on people.id = person_id
union all select fullname, about, how from my_nudges join people on people.id = person_id
union all select fullname, about, 'mark' from my_marks join people on people.id = person_id"""


@pytest.fixture
def kept(tmp_path):
    """A course with a note, a nudge and a mark on Zoë, and a note on her in another course."""
    path = made_up.small(tmp_path / "moodle.db")
    folder = tmp_path / "private"
    folder.mkdir(mode=0o700)
    with closing(sqlite3.connect(path)) as db:
        course = {"id": 1, "site": made_up.SITE, "moodle_id": 2, "shortname": "EDC3100", "fullname": None}
        (zoe,) = [row for row in noted.everybody(db, course) if row["person"] == made_up.ZOE]
    file = notes.file(folder)
    notes.use(file, notes.add_note, zoe, "=SUM(1) talked about quiz 1")
    notes.use(file, notes.add_nudge, zoe, "e-mail", "quiz 1")
    notes.use(file, notes.set_mark, zoe, "unseen:12")
    notes.use(file, notes.add_note, {**zoe, "course": "9", "course_name": "Elsewhere"}, "of another course")
    return path


def ask(path, sql: str, *options: str):
    return CliRunner().invoke(cli, ["sql", "--db", str(path), sql, *options])


def test_notes_are_tables_to_join_in_a_terminal(kept):
    answer = ask(kept, JOINED)
    assert answer.exit_code == 0, answer.output
    assert list(csv.reader(io.StringIO(answer.output))) == [
        ["fullname", "text", "kind"],
        ["Zoë Müller", "'=SUM(1) talked about quiz 1", "note"],
        ["Zoë Müller", "quiz 1", "e-mail"],
        ["Zoë Müller", "unseen:12", "mark"],
    ]
    assert ask(kept, "select local_time('2016-03-01T10:00:00Z', 'UTC')").exit_code == 0, "our functions too"


@pytest.mark.parametrize(
    "sql", ["delete from people", "delete from my_notes", "select 1; select 2", "vacuum", "nothing"]
)
def test_a_terminal_writes_nothing(kept, sql):
    before = kept.read_bytes()
    answer = ask(kept, sql)
    assert answer.exit_code == 1 and answer.output.startswith("Error: ") and "Traceback" not in answer.output
    assert kept.read_bytes() == before


def test_notes_stay_where_they_are(kept, tmp_path):
    with closing(sqlite3.connect(notes.file(tmp_path / "private"))) as db:
        before = list(db.iterdump())
    ask(kept, JOINED)
    with closing(sqlite3.connect(notes.file(tmp_path / "private"))) as db:
        assert list(db.iterdump()) == before
    assert b"talked about" not in kept.read_bytes() and stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o700


def test_it_leaves_a_line_in_the_record(kept, tmp_path):
    ask(kept, JOINED)
    with closing(sqlite3.connect(tmp_path / "private" / "audit.db")) as db:
        rows = db.execute("select actor, what, database, signed_in_by from look_ups").fetchall()
    assert rows == [("teacher", "SQL", "moodle", "command line")]


def test_without_notes_the_tables_are_empty(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    assert ask(path, "select count(*) from my_notes").output == "count(*)\n0\n"
    assert "there is no" in ask(tmp_path / "nothing.db", "select 1").output
    assert not notes.file(tmp_path / "private").exists()


def test_function_words_come_of_the_docstrings():
    assert next(each for each in function_words.listed() if each["name"] == "week_words")["words"].startswith("'Week 5")


async def test_the_server_has_no_notes_to_join(kept):
    answer = await get(instance(kept), "/moodle.json?sql=select+*+from+my_notes")
    assert answer.status_code == 400 and "no such table" in answer.json()["error"]
