"""Whom a look-up was about: what an address asked for, as ids that outlive the course database.

Addresses name people by Moodle's id, by our own key, or in words. The record keeps ids only, so that no name gets
into it, and both ids where they are known: with its site, Moodle's id still means somebody when moodle.db is new.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from loaders import answers, choosing
from loaders.look_ups import NAME

# What may stand in a column besides what resolving finds; a name never does.
IDS = {
    "course": re.compile(r"\d{1,18}"),
    "student": re.compile(r"\d{1,18}"),
    "person": re.compile(r"\d{1,18}"),
    "site": re.compile(r"https?://[^\s/?#@]+(/[^\s?#@]*)?"),
    "about": re.compile(r"[a-z]{0,20}:?\d{1,18}(,\d{1,18})*"),
}


def resolved(rows: list[dict], files: dict[str, Path]) -> list[dict]:
    """Rows for the record, from what was asked and the course databases there are; ids only, whatever goes wrong."""
    with _Courses(files) as courses:
        return [_resolved(row, courses) for row in rows]


class _Courses(ExitStack):
    """Connections to the course databases, each opened when it is first asked: that costs more than the question."""

    def __init__(self, files: dict[str, Path]):
        super().__init__()
        self.files, self.open = files, {}

    def __getitem__(self, name: str) -> sqlite3.Connection:
        if name not in self.open:
            conn = sqlite3.connect(f"{self.files[name].resolve().as_uri()}?mode=ro", uri=True)
            self.open[name] = self.enter_context(closing(conn))
        return self.open[name]


def _resolved(row: dict, courses: _Courses) -> dict:
    found = {}
    if row.get("database") != NAME:
        with suppress(Exception):  # a line that says less is better than none
            found = _found(row, courses)
    kept = {key: value for key, value in row.items() if key not in IDS or IDS[key].fullmatch(str(value))}
    return {**kept, **{key: value for key, value in found.items() if value is not None}}


def _found(row: dict, courses: _Courses) -> dict:
    """What the database that answered knows of it: the one asked for, or that with the newest data."""
    names = [row["database"]] if row.get("database") else list(courses.files)
    hits = []
    for name in names:
        with suppress(sqlite3.Error):
            hits.append((name, _in_one(courses[name], row)))
    known = [(found.pop("newest") or "", name, found) for name, found in hits if found]
    return {"database": (best := max(known, key=lambda hit: hit[0]))[1], **best[2]} if known else {}


def _in_one(conn: sqlite3.Connection, row: dict) -> dict | None:
    """The ids in this database; None where it has no such course."""
    asked = {key: row.get(key) or "" for key in ("course", "site", "student", "person", "about")}
    if row.get("key"):
        return _of_key(conn, row["table"], row["key"])
    if row.get("table") or row["what"] in ("SQL", "find"):
        return None
    ids = {"user": asked["student"], "person": asked["person"]}
    one = row["what"] == "student"
    course = one and answers.course(conn, asked["course"], asked["site"], **ids)
    course = course or answers.course(conn, asked["course"], asked["site"])
    if not course:
        return None
    found = {"newest": course["data_up_to_utc"], "course": _text(course["moodle_id"]), "site": course["site"]}
    return {**found, **_student(conn, course, ids), "about": _about(conn, course, asked["about"])}


def _student(conn: sqlite3.Connection, course: dict, ids: dict) -> dict:
    """Both ids of the one student meant, by id, key, name or its beginning; nothing where several are."""
    person = answers.person(conn, course, **ids)
    if not person and ids["user"]:
        chosen = choosing.choose("student", ids["user"], conn.execute(_ENROLLED, [course["id"]]).fetchall()).ids
        person = answers.person(conn, course, person=str(chosen[0])) if len(chosen) == 1 else None
    return {"student": _text(person["moodle_id"]), "person": _text(person["person"])} if person else {}


_ENROLLED = (
    "select people.id, moodle_id, fullname from enrolments join people on people.id = person_id where course_id = ?"
)


def _about(conn: sqlite3.Connection, course: dict, asked: str) -> str | None:
    """Moodle's id of the activity that was asked for by its name."""
    if not asked or IDS["about"].fullmatch(asked):
        return None
    known = conn.execute("select cmid, cmid, name from activities where course_id = ?", [course["id"]]).fetchall()
    chosen = choosing.choose("activity", asked, known).ids
    return _text(chosen[0]) if len(chosen) == 1 else None


def _of_key(conn: sqlite3.Connection, table: str, key: str) -> dict | None:
    """Whom one row of a table is about, by its `person_id`."""
    table = table.replace('"', '""')
    columns = {name for _, name, *_ in conn.execute(f'pragma table_info("{table}")')}
    column = "id" if table.lower() == "people" else "person_id"
    if not {"id", column} <= columns:
        return None
    statement = f"""
        select people.moodle_id, people.id, sites.url
        from people join sites on sites.id = people.site_id
        where people.id = (select {column} from "{table}" where id = ?)
    """
    person = conn.execute(statement, [key]).fetchone()
    return (
        {"newest": "", "student": _text(person[0]), "person": _text(person[1]), "site": person[2]} if person else None
    )


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)
