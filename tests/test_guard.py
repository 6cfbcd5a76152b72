"""Nothing that is asked of a database does anything but read it, whoever wrote the question."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml

from loaders import functions, guard, steps
from tests import made_up
from tests.visit import TREE, get, instance

NEVER = Path(tempfile.gettempdir()) / "coursette-never.db"  # what one of them would make
REFUSALS = "not authorized|authorization denied|prohibited|may not be modified"
FORBIDDEN = {
    "attach": "attach ':memory:' as other",
    "attach a file": "attach 'private/audit.db' as other",
    "detach": "detach main",
    "insert": "insert into sites (url) values ('x')",
    "update": "update people set email = 'x'",
    "delete": "delete from people",
    "replace": "replace into sites (id, url) values (1, 'x')",
    "create table": "create table mine (x)",
    "create temp table": "create temp table mine as select * from people",
    "create temp view": "create temp view mine as select 1",
    "create virtual table": "create virtual table temp.mine using fts5vocab(main, people_fts, row)",
    "create trigger": "create temp trigger mine after insert on sites begin select 1; end",
    "create index": "create index mine on people(email)",
    "update sqlite_master": "update sqlite_master set sql = ''",
    "drop": "drop table people",
    "alter": "alter table people rename to persons",
    "reindex": "reindex",
    "analyze": "analyze",
    "savepoint": "savepoint mine",
    "vacuum into": f"vacuum into '{NEVER}'",
    "write_schema": "pragma writable_schema = 1",
    "query_only": "pragma query_only = 0",
    "user_version": "pragma user_version = 99",
    "journal_mode": "pragma journal_mode = delete",
    "temp_store_directory": "pragma temp_store_directory = '/tmp'",
    "wal_checkpoint": "pragma wal_checkpoint(truncate)",
    "optimize": "pragma optimize",
    "pragma as a table": "select * from pragma_quick_check(1)",
    "integrity_check": "select * from pragma_integrity_check",
    "load_extension": "select load_extension('mod_spatialite')",
    "fts3_tokenizer": "select fts3_tokenizer('simple')",
    "statements of others": "select sql from sqlite_stmt",
}


@pytest.fixture
def path(tmp_path):
    return made_up.small(tmp_path / "moodle.db")


@pytest.fixture
def datasette(path):
    """With every forbidden thing as a canned query, as somebody's pack of questions could have it."""
    found = instance(path)
    queries = found._metadata_local["databases"]["moodle"]["queries"]
    queries |= {f"bad_{place}": {"sql": sql} for place, sql in enumerate(FORBIDDEN.values())}
    return found


async def test_no_question_does_it(datasette, path):
    before, done = path.read_bytes(), []
    for place, name in enumerate(FORBIDDEN):
        answer = await get(datasette, f"/moodle/bad_{place}.json?_shape=array")
        done += [name] if answer.status_code != 400 or answer.json()["ok"] else []
    assert not done and path.read_bytes() == before and not NEVER.exists()


async def test_no_sql_on_the_sql_page_does_it(datasette, path):
    before, done = path.read_bytes(), []
    for name, sql in FORBIDDEN.items():
        for form in (".json", ".csv"):
            answer = await get(datasette, f"/moodle{form}?sql={quote(sql)}")
            done += [name + form] if answer.status_code != 400 else []
    assert not done and path.read_bytes() == before and not NEVER.exists()


@pytest.mark.parametrize("name", FORBIDDEN)
def test_the_guard_alone_refuses_it(path, name):
    """On a connection that could write, so that it is not the read-only file that refuses."""
    conn = sqlite3.connect(path, isolation_level=None)
    guard.guard(conn)
    before = path.read_bytes()
    with pytest.raises(sqlite3.DatabaseError, match=REFUSALS):
        conn.execute(FORBIDDEN[name]).fetchall()
    conn.close()
    assert path.read_bytes() == before and not NEVER.exists()


@pytest.mark.parametrize("word", sorted(guard.SHAPES))
def test_the_shape_of_tables_can_be_asked(path, word):
    conn = sqlite3.connect(path)
    guard.guard(conn)
    conn.execute(f"pragma {word}(people)").fetchall()
    conn.execute("select * from pragma_table_info('people')").fetchall()
    conn.execute("begin")
    conn.rollback()
    conn.close()


async def test_datasette_finds_the_shape_through_it(datasette):
    answer = (await get(datasette, "/moodle/people.json?_extra=columns&_search=zoe")).json()
    assert [row[0] for row in answer["rows"]] == [made_up.ZOE] and answer["primary_keys"] == ["id"]


def test_it_costs_a_long_question_no_time_that_anybody_would_notice(path):
    queries = steps.questions(yaml.safe_load((TREE / "metadata.yml").read_text("utf-8"))["databases"]["moodle"])
    longest = max(queries.values(), key=lambda query: len(query["sql"]))
    given = dict.fromkeys(longest["params"], "")
    took = {}
    for guarded in (False, True):
        conn = sqlite3.connect(path, cached_statements=0)
        functions.register(conn)
        if guarded:
            guard.guard(conn)
        start = time.process_time()
        for _ in range(20):
            conn.execute(f"explain {longest['sql'].strip().rstrip(';')}", given).fetchone()
        took[guarded] = (time.process_time() - start) / 20
        conn.close()
    assert took[True] - took[False] < 0.02, took  # seconds to prepare it, each time it is asked
