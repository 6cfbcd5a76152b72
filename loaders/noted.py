"""Whom a note is about: ids and names that still mean the same student when moodle.db was made anew.

The strongest that both sides know decides: Moodle's id, then id number, then e-mail, then the full name in one course.
What becomes known later is added, so that a note which was written under an e-mail is found by Moodle's id.
Nothing here knows Datasette.
"""

from __future__ import annotations

import sqlite3
from collections import Counter

from loaders.names import clean, fold
from loaders.statements import ask

IDS = ("site", "moodle_id", "email", "idnumber", "name", "fullname", "course", "course_name")
OWNED = ("notes", "nudges", "marks")
_CANDIDATES = f"""
select id, {", ".join(IDS)}
from students
where moodle_id = :moodle_id or email = :email or idnumber = :idnumber or name = :name
order by id
"""
_ENROLLED = """
select people.id as person, people.moodle_id, people.fullname, people.email, people.idnumber
from enrolments
join people on people.id = enrolments.person_id
where enrolments.course_id = :course
"""


def who(course_conn: sqlite3.Connection, course: dict, person: dict) -> dict:
    """IDS of a person in a course, from moodle.db and rows of answers.course and answers.person."""
    rows = ask(course_conn, _ENROLLED, course=course["id"])
    names = Counter(fold(row["fullname"]) for row in rows if row["person"] != person["person"])
    return _ids(course, person, names)


def everybody(course_conn: sqlite3.Connection, course: dict) -> list[dict]:
    """IDS of everybody enrolled in a course, each with `person`, our key in this moodle.db."""
    rows = ask(course_conn, _ENROLLED, course=course["id"])
    names = Counter(fold(row["fullname"]) for row in rows)
    names.subtract(list(names))  # each once: what is left are the others of that name
    return [{**_ids(course, row, names), "person": row["person"]} for row in rows]


def _ids(course: dict, person: dict, others: Counter) -> dict:
    """IDS of a row of a person; of two people of one name, the name says neither."""
    name = fold(person["fullname"])
    return {
        **course_of(course),
        "moodle_id": person["moodle_id"],
        "email": fold(person["email"]) or None,
        "idnumber": clean(person["idnumber"]) or None,
        "name": name if name and not others[name] else None,
        "fullname": clean(person["fullname"]) or None,
    }


def course_of(course: dict) -> dict:
    """`site`, `course` and `course_name` of a row of answers.course: what says that a note belongs to it."""
    return {
        "site": (course["site"] or "").rstrip("/") or None,
        "course": None if course["moodle_id"] is None else str(course["moodle_id"]),
        "course_name": course["shortname"] or course["fullname"],
    }


def is_same(row: dict, who: dict) -> bool:
    """Whether two sets of IDS are of one student."""
    here = in_course(row, who)
    if row["site"] != who["site"] and not (here and None in (row["site"], who["site"])):
        return False
    if None not in (row["moodle_id"], who["moodle_id"]):
        return row["moodle_id"] == who["moodle_id"]
    for key in ("idnumber", "email"):
        if None not in (row[key], who[key]):
            return row[key] == who[key]
    return here and row["name"] is not None and row["name"] == who["name"]


def in_course(row: dict, who: dict) -> bool:
    """Whether a row was written in this course: by Moodle's id, else by the course's name."""
    key = "course_name" if None in (row["course"], who["course"]) else "course"
    return row[key] is not None and row[key] == who[key]


def same(conn: sqlite3.Connection, who: dict) -> list[dict]:
    """The rows of notes.db about this student, with `id` and IDS. Writes nothing."""
    return [row for row in ask(conn, _CANDIDATES, **who) if is_same(row, who)]


def keys(conn: sqlite3.Connection, who: dict) -> list[int]:
    """Our keys in notes.db of this student: none, one, or several that contradict one another in what they say.

    Inside the caller's transaction. What is newly known is added, and rows that prove to be one become one.
    """
    found = same(conn, who)
    if not found:
        return []
    if len({row["moodle_id"] for row in found} - {None}) > 1:
        return [row["id"] for row in found]
    first, *others = found
    _update(conn, first, who, others)
    for other in others:
        for table in OWNED:
            conn.execute(f"update {table} set student_id = ? where student_id = ?", (first["id"], other["id"]))
        conn.execute("delete from students where id = ?", (other["id"],))
    return [first["id"]]


def key(conn: sqlite3.Connection, who: dict) -> int:
    """Our key of this student, made if need be."""
    if found := keys(conn, who):
        return found[-1]
    marks = ", ".join(f":{name}" for name in IDS)
    return conn.execute(f"insert into students ({', '.join(IDS)}) values ({marks})", who).lastrowid


def _update(conn: sqlite3.Connection, row: dict, who: dict, others: list[dict]) -> None:
    """Write what is known of a student by now; the course stays that in which they were first met."""
    known = {name: _first([who[name], row[name], *(other[name] for other in others)]) for name in IDS}
    for name in ("course", "course_name"):
        known[name] = row[name] if row["course_name"] != who["course_name"] else known[name]
    if any(known[name] != row[name] for name in IDS):
        sets = ", ".join(f"{name} = :{name}" for name in IDS)
        conn.execute(f"update students set {sets} where id = :id", {**known, "id": row["id"]})


def _first(values: list) -> object:
    return next((value for value in values if value is not None), None)
