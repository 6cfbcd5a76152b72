"""The database file: private, of any version we made, and never half a shape."""

from __future__ import annotations

import gzip
import os
import sqlite3
from pathlib import Path

import pytest
from exports import load, viewed_course, write_log

from loaders import rollups, serving
from loaders.errors import Unreadable
from loaders.reporting import printable
from loaders.schema import VERSION, open_database, open_existing, settle_in, statements
from tests import made_up
from tests.visit import get, instance


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps a user's files apart by folders, not by modes")
def test_a_new_database_is_readable_by_its_owner_alone(tmp_path):
    connection = open_database(tmp_path / "moodle.db", to_fill=True).conn
    load(connection, write_log(tmp_path / "logs.csv", [viewed_course("14/02/16, 10:00:00", 5)]))
    settle_in(connection)
    for file in tmp_path.glob("moodle.db*"):
        assert file.stat().st_mode & 0o077 == 0, file


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(Unreadable, match="no folder"):
        open_database(tmp_path / "nowhere" / "moodle.db")


def test_a_database_of_an_older_shape_gets_what_it_lacks(tmp_path):
    path = tmp_path / "moodle.db"
    connection = open_database(path).conn
    for sql in (
        "drop table usage_week_hour",
        "alter table loads drop column options",
        "alter table loads drop column to_minute",
        "pragma user_version = 0",
    ):
        connection.execute(sql)
    connection.close()
    connection = open_database(path).conn
    (outcome,) = load(connection, write_log(tmp_path / "logs.csv", [viewed_course("14/02/16, 10:00:00", 5)]))
    assert (outcome.error, outcome.rows_new) == (None, 1)
    assert connection.execute("pragma user_version").fetchone() == (VERSION,)


async def test_a_database_that_version_3_made_is_brought_up_to_date_when_it_is_served(tmp_path):
    path = tmp_path / "moodle.db"
    path.write_bytes(gzip.decompress((Path(__file__).parent / "fixtures" / "version_3.db.gz").read_bytes()))
    (served,) = serving.find_databases([path])
    datasette = instance(served)
    assert "Zoë Müller" in (await get(datasette, "/-/student?course=2&user=5")).text
    for query in ("posts_by_week", "student_profile", "students_by_details"):
        assert (await get(datasette, f"/moodle/{query}.json?course=2")).json()["rows"], query
    fresh = sqlite3.connect(made_up.small(tmp_path / "fresh.db"))
    assert shape_of(sqlite3.connect(path)) == shape_of(fresh)


def shape_of(connection: sqlite3.Connection) -> dict[str, set[str]]:
    """Columns of every table, and the names of all indexes."""
    names = [name for (name,) in connection.execute("select name from sqlite_master where type in ('table', 'view')")]
    names.remove("people_wide")  # has a column for every field that files have
    columns = {name: {row[1] for row in connection.execute(f'pragma table_info("{name}")')} for name in names}
    indexes = connection.execute("select name from sqlite_master where type = 'index' and sql is not null")
    return {**columns, "indexes": {name for (name,) in indexes}}


def test_a_file_of_somebody_else_is_left_alone(tmp_path):
    path = tmp_path / "moodle.db"
    with sqlite3.connect(path) as db:
        db.execute("create table courses (id)")
    serving.find_databases([path])
    assert [name for (name,) in sqlite3.connect(path).execute("select name from sqlite_master")] == ["courses"]


def test_a_database_of_an_older_version_gets_its_roll_ups(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    connection = sqlite3.connect(path)
    before = rows_of_rollups(connection)
    for table in set(rollups.TABLES) - set(OF_VERSION_1):
        connection.execute(f"drop table {table}")
    for table, columns in OF_VERSION_1.items():
        for column in columns:
            connection.execute(f"alter table {table} drop column {column}")
    connection.execute("pragma user_version = 1")
    connection.commit()
    connection.close()
    assert rows_of_rollups(open_existing(path).conn) == before


# roll-ups that version 1 had, each with its columns that came later
OF_VERSION_1 = {
    "usage_activity_person_week": [],
    "usage_part_person_week": [],
    "usage_person_week": [],
    "usage_person": ["position"],
    "usage_week_hour": [],
    "usage_activity": ["planes", "completed_by"],
}


def rows_of_rollups(connection: sqlite3.Connection) -> dict[str, list[tuple]]:
    return {table: connection.execute(f"select * from {table}").fetchall() for table in rollups.TABLES}


def test_a_database_of_a_newer_coursette_is_left_alone(tmp_path):
    connection = sqlite3.connect(tmp_path / "moodle.db")
    connection.execute(f"pragma user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(Unreadable, match="newer Coursette"):
        open_database(tmp_path / "moodle.db")


def test_opening_twice_changes_nothing(tmp_path):
    before = list(open_database(tmp_path / "moodle.db").conn.iterdump())
    assert list(open_database(tmp_path / "moodle.db").conn.iterdump()) == before
    assert len(statements()) > 40


def test_what_files_say_cannot_command_the_terminal():
    assert printable("\x1b[31mred\x07\u202e Zo\u00eb") == "\\x1b[31mred\\x07\\u202e Zo\u00eb"
