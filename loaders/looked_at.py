"""The record of look-ups beside the courses: who was enrolled, and is called what, for the questions over it.

The record holds ids only. Names and enrolments come from the course databases at the moment somebody asks, and only to
connections that read private/audit.db; nothing of the record can be reached from the connection of a course.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

from loaders import answers

VIEWS = Path(__file__).with_name("looked_at.sql")
Files = Callable[[], dict[str, Path]]

COURSES = """
    select
        courses.id,
        rtrim(sites.url, '/') as site,
        courses.moodle_id as course,
        coalesce(courses.shortname, courses.fullname, 'course ' || courses.moodle_id) as name,
        courses.timezone,
        courses.data_up_to_utc,
        (select min(loaded_utc) from loads) as since_utc
    from courses
    join sites on sites.id = courses.site_id
    order by courses.id
"""
STUDENTS = """
    select
        people.id as person,
        people.moodle_id as student,
        people.fullname,
        coalesce(people.lastname, people.fullname) as sorted_by,
        people.email,
        enrolments.status
    from enrolments
    join people on people.id = enrolments.person_id
    where enrolments.course_id = ? and enrolments.role = 'student'
    order by people.id
"""
WEEKS = "select week, starts_on, name from weeks where course_id = ? order by week"


def register(conn: sqlite3.Connection, files: Files) -> None:
    """Give a connection to the record `classes`, `class_weeks`, `enrolled` and `looked`, of these course databases.

    They are functions and not attached files: SQLite attaches ten at most, and a folder of courses may hold more.
    """
    conn.create_function("classes_now", 0, lambda: _list(row for _, row in _classes(files())))
    conn.create_function("weeks_now", 0, lambda: _list(_of_each(files(), WEEKS)))
    conn.create_function("enrolled_now", 0, lambda: _list(_enrolled(files())))
    conn.executescript(VIEWS.read_text(encoding="utf-8"))


def _classes(files: dict[str, Path]) -> Iterator[tuple[sqlite3.Connection, dict]]:
    """(connection, course) for every course there is; one that lies in two files is the same class."""
    for name, path in files.items():
        with suppress(sqlite3.Error), closing(_reading(path)) as conn:
            for row in _rows(conn, COURSES):
                key = [row["site"], row["course"]] if row["course"] is not None else [name, "own", row["id"]]
                yield conn, {**row, "database": name, "course": _text(row["course"]), "class": json.dumps(key)}


def _of_each(files: dict[str, Path], sql: str) -> Iterator[dict]:
    """The rows of a statement about each course, with what is known of the course, each of them once."""
    for conn, course in _classes(files):
        for row in _rows(conn, sql, course["id"]):
            yield {**course, **row}


def _enrolled(files: dict[str, Path]) -> Iterator[dict]:
    """Each student of each course once, by Moodle's id where it is known."""
    for row in _of_each(files, STUDENTS):
        own = [row["database"], "own", row["person"]]
        who = own if row["student"] is None else [row["site"], row["student"]]
        ids = {"who": json.dumps(who), "student": _text(row["student"]), "person": _text(row["person"])}
        yield {**row, **ids}


def _list(rows: Iterator[dict]) -> str:
    """JSON of these rows, each class, week or student of a class once."""
    once = {(row["class"], row.get("who"), row.get("week")): row for row in rows}
    return json.dumps(list(once.values()))


def _rows(conn: sqlite3.Connection, sql: str, *given: int) -> list[dict]:
    cursor = conn.execute(sql, given)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)


def _reading(path: Path) -> sqlite3.Connection:
    conn = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    tables = {name for (name,) in conn.execute("select name from sqlite_master where type = 'table'")}
    if not tables >= answers.TABLES:
        conn.close()
        raise sqlite3.DatabaseError("no courses in it")
    return conn
