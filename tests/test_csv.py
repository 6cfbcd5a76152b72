"""CSV that a spreadsheet may open: nothing in it runs, nothing is missing, and what goes wrong is one sentence."""

from __future__ import annotations

import csv
import io
import sqlite3
from pathlib import Path

import pytest

from loaders import csv_cells
from tests import made_up
from tests.visit import get, instance

HOSTILE = ["=1+1", "+1", "-1", "@sum(1)", "\tx", "\rx"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made_up.small(tmp_path / "moodle.db")
    with sqlite3.connect(tmp_path / "moodle.db") as db:
        db.execute("create table notes (id integer primary key, person_id integer references people(id), text, number)")
        rows = [(made_up.ZOE, text, -1.5) for text in HOSTILE] + [(made_up.SAM, "fine", -2), (None, None, b"=x")]
        db.executemany("insert into notes (person_id, text, number) values (?, ?, ?)", rows)
        db.execute("update people set fullname = '=HYPERLINK(1)' where id = ?", [made_up.ZOE])
    return tmp_path / "moodle.db"


async def rows(path: Path, asked: str) -> list[dict]:
    answer = await get(instance(path), asked)
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


@pytest.mark.parametrize(
    "how", ["", "?_size=max", "?_size=5", "?_stream=on", "?_sort_desc=id", "?_labels=on&_size=max"]
)
async def test_a_tables_csv_holds_no_formula(path, how):
    found = {row["text"]: row["number"] for row in await rows(path, f"/moodle/notes.csv{how}")}
    assert not any(text.startswith(tuple("=+-@\t\r")) for text in found)
    assert "-1.5" in found.values(), "numbers stay numbers"
    if how != "?_size=5":
        assert {f"'{text}" for text in HOSTILE} < set(found) and found["fine"] == "-2"


async def test_labels_and_what_stands_beside_a_blob_are_plain_too(path):
    found = await rows(path, "/moodle/notes.csv?_labels=on&_size=max")
    assert found[0]["person_id"] == "1" and found[0]["person_id_label"] == "'=HYPERLINK(1)"
    assert found[-1]["person_id"] == "" and "/moodle/notes/8.blob?" in found[-1]["number"]


async def test_people_with_their_names(path):
    found = await rows(path, "/moodle/people.csv")
    assert found[0]["fullname"] == "'=HYPERLINK(1)" and len(found) == len(made_up.PEOPLE)


@pytest.mark.parametrize(
    "sql", ["select 1; select 2", "select nothing", "select 1 from nowhere", "select ?", "select zeroblob(2000000000)"]
)
async def test_sql_that_fails_is_one_sentence(path, sql):
    answer = await get(instance(path), f"/moodle.csv?sql={sql}")
    assert answer.status_code == 400
    assert answer.text.endswith(".") and "Traceback" not in answer.text and "\n" not in answer.text


async def test_a_question_that_fails_is_one_sentence(path):
    datasette = instance(path)
    queries = datasette._metadata_local["databases"]["moodle"]["queries"]
    queries["two"] = {"sql": "select 1; select 2"}
    assert (await get(datasette, "/moodle/two.csv")).status_code == 400


def test_what_stands_after_a_semicolon_is_no_formula_either():
    assert csv_cells.plain("Bob;=cmd|'/C calc'!A0") == "Bob;'=cmd|'/C calc'!A0"
    assert (
        csv_cells.plain("; @sum(1)") == "; '@sum(1)"
        and csv_cells.plain("one; two - three = four") == "one; two - three = four"
    )
