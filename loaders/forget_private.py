"""Deleting a student, or a course, from the private folder: the teacher's notes, and the record of look-ups by policy.

The record says who looked at whom, and is there for the students' protection: so by default its lines stay, and lose
whom they were about.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from loaders import look_ups, noted, notes
from loaders.statements import ask

POLICIES = ("blank", "keep", "delete")
COURSES = """
select courses.id, courses.moodle_id, courses.shortname, courses.fullname, rtrim(sites.url, '/') as site
from courses
join sites on sites.id = courses.site_id
where :person is null or courses.site_id = (select site_id from people where id = :person)
"""
PERSON = "select id as person, moodle_id, fullname, email, idnumber from people where id = ?"
_WHOSE = (
    "((student = :student and (site is null or :site is null or rtrim(site, '/') = :site))"
    " or (person = :person and database = :database))"
)
_COURSE = "course = :course and (site is null or :site is null or rtrim(site, '/') = :site)"


def courses(connection: sqlite3.Connection, person: int | None = None) -> list[dict]:
    """Rows of all courses (of the person's site), as noted.course_of takes them."""
    return ask(connection, COURSES, person=person)


def identities(connection: sqlite3.Connection, person: int, course: int | None = None) -> list[dict]:
    """Who a person (own key) is for notes.db, in each course or in one."""
    names = ("person", "moodle_id", "fullname", "email", "idnumber")
    row = dict(zip(names, connection.execute(PERSON, (person,)).fetchone(), strict=True))
    there = [one for one in courses(connection, person) if course in (None, one["id"])]
    return [noted.who(connection, one, row) for one in there]


def forget_notes(path: Path, whose: Iterable[dict], only_course: bool) -> Counter[str]:
    """Delete notes, nudges and marks on a student, in all courses or only in that of `whose`; {table: rows deleted}."""
    gone: Counter[str] = Counter()
    if path.exists():
        for who in whose:
            gone.update(notes.use(path, _in_course if only_course else notes.forget, who))
    return +gone


def _in_course(conn: sqlite3.Connection, who: dict) -> Counter[str]:
    return _delete(conn, "student_id in (select value from json_each(:keys))", who, keys=str(noted.keys(conn, who)))


def forget_course_notes(path: Path, course: dict) -> Counter[str]:
    """Delete everything written in one course (a row of `courses`)."""
    return notes.use(path, _delete, "1", noted.course_of(course)) if path.exists() else Counter()


def _delete(conn: sqlite3.Connection, where: str, course: dict, **values: object) -> Counter[str]:
    gone: Counter[str] = Counter()
    here = "coalesce(course, course_name) = coalesce(:course, :course_name)"
    site = "student_id in (select id from students where site is null or :site is null or site = :site)"
    values |= {key: course[key] for key in ("course", "course_name", "site")}
    for table in noted.OWNED:
        sql = f"delete from {table} where {where} and {here} and {site}"
        gone[table] += conn.execute(sql, values).rowcount
    nothing = " and ".join(f"id not in (select student_id from {table})" for table in noted.OWNED)
    conn.execute(f"delete from students where {nothing}")
    return +gone


def forget_looks(path: Path, about: dict, policy: str) -> int:
    """Treat the lines of the record about a student (`student`, `person`, `database`, `site`; `course` or None), or
    about a course (`course`, `site`), by policy; returns how many.

    keep: as they are; blank: whom they were about goes, and who looked, when and at what kind of page stays; delete.
    """
    if policy == "keep" or not path.exists():
        return 0
    of_course = about.get("course") is not None
    where = " and ".join([_WHOSE] * ("student" in about) + [_COURSE] * of_course)
    blank = "update look_ups set student = null, person = null, about = null"
    sql = f"{blank if policy == 'blank' else 'delete from look_ups'} where {where}"
    with closing(look_ups.opened(path)) as conn:
        conn.isolation_level = None
        conn.execute("pragma secure_delete = on")
        conn.execute("begin immediate")
        try:
            count = _unlocked(conn, sql, about)
        except BaseException:
            conn.execute("rollback")
            raise
        conn.execute("commit")
        return count


def _unlocked(conn: sqlite3.Connection, sql: str, values: dict) -> int:
    """Run a statement on the record, which is append only but for this; its triggers are back before anybody else."""
    triggers = conn.execute("select name, sql from sqlite_master where type = 'trigger'").fetchall()
    for name, _ in triggers:
        conn.execute(f"drop trigger {name}")
    count = conn.execute(sql, values).rowcount
    for _, statement in triggers:
        conn.execute(statement)
    return count


def looks_of(connection: sqlite3.Connection, person: int, database: str, course: int | None = None) -> dict:
    """How the record knows a person (own key): `about` of forget_looks."""
    sql = "select moodle_id, rtrim(url, '/') from people join sites on sites.id = site_id where people.id = ?"
    moodle_id, site = connection.execute(sql, (person,)).fetchone()
    return {
        "student": None if moodle_id is None else str(moodle_id),
        "person": str(person),
        "database": database,
        "site": site,
        "course": None if course is None else str(course),
    }


def naming(db: Path, private: Path, pattern: re.Pattern[str]) -> list[Path]:
    """Files of the teacher's own making in which a student's name, address or id stands."""
    written = [*sorted((db.parent / "queries").rglob("*.sql")), private / "accounts.json", private / "shares.db"]
    return [path for path in written if path.is_file() and pattern.search(path.read_bytes().decode("utf-8", "replace"))]
