"""Lists of students: who is in an answer, each once; and opening them in turn, by an address that holds their keys.

A list is written as our own keys with dots between them, 12.7.31, in its own order. Nothing of it is stored.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from loaders import letters
from loaders.statements import ask

NEEDED = {"person", "email"}
MOST_IN_TURN = 500  # so many keys an address may hold
KEYS = re.compile(r"\d{1,18}(\.\d{1,18})*", re.ASCII)
QUESTION = re.compile(r"(/[^/]+)*/[^/.]+/[^/.]+")
NOT_CARRIED = {"sql", "_where", "_through"}
WITH_GONE = "_suspended"  # in the address of a question: its lists are also of those who are no longer active
Gone = dict[tuple[str, int | None], dict[int, str]]  # (database, Moodle's id of a course) -> our key -> status
LOCAL = re.compile(r"/(?![/\\])[!-\[\]-~]{0,2000}")  # a path of this server: no other host, no backslash, no space


def lists(
    columns: Iterable[str], rows: Iterable[Mapping], database: str, gone: Gone | None = None, with_gone: bool = False
) -> list[dict]:
    """The people of an answer with `person` and `email`, by database and course: mostly one list.

    Each has `db`, `course` (Moodle's id, or None), `people` (`person`, `fullname`, `email`, each person once),
    `ids` (as written), `addresses` and `left_out` (see letters.reached); `gone`, {status: how many} of those who are
    no longer active there, who are among them only `with_gone`.
    """
    columns = set(columns)
    found: dict[tuple, dict[int, dict]] = {}
    for row in rows if columns >= NEEDED else ():
        if row["person"] is not None:
            place = (
                row["database"] if "database" in columns else database,
                row["course"] if "course" in columns else None,
            )
            name = row["fullname"] if "fullname" in columns else None
            person = {"person": row["person"], "fullname": name, "email": row["email"]}
            found.setdefault(place, {}).setdefault(row["person"], person)
    return [
        described(db, course, list(people.values()), (gone or {}).get((db, course), {}), with_gone)
        for (db, course), people in found.items()
    ]


def described(db: str, course: int | None, people: list[dict], gone: dict[int, str], with_gone: bool) -> dict:
    """One of `lists`; `gone` says whose enrolment is what, where it is not active."""
    counted = Counter(gone[row["person"]] for row in people if row["person"] in gone)
    people = [row for row in people if with_gone or row["person"] not in gone]
    addresses, left_out = letters.reached(people)
    ids = joined(row["person"] for row in people)
    of_these = {"ids": ids, "addresses": addresses, "left_out": left_out, "gone": counted, "with_gone": with_gone}
    return {"db": db, "course": course, "people": people, **of_these}


def gone(conn: sqlite3.Connection) -> dict[int | None, dict[int, str]]:
    """{Moodle's id of a course: {our key of a student: suspended, ...}} of those who are not active in it."""
    found: dict[int | None, dict[int, str]] = {}
    for course, person, status in conn.execute(_GONE):
        found.setdefault(course, {})[person] = status
    return found


_GONE = """
select courses.moodle_id, enrolments.person_id, enrolments.status
from enrolments join courses on courses.id = enrolments.course_id
where enrolments.role = 'student' and enrolments.status != 'active'
"""


def people(conn: sqlite3.Connection, keys: list[int]) -> list[dict]:
    """`person`, `fullname`, `firstname`, `lastname`, `email` and `idnumber` of these people, in this order."""
    known = {row["person"]: row for row in ask(conn, _PEOPLE, keys=json.dumps(keys))}
    return [known[key] for key in keys if key in known]


_PEOPLE = """
select id as person, fullname, firstname, lastname, email, idnumber
from people
where id in (select value from json_each(:keys))
"""


def joined(keys: Iterable[Any]) -> str:
    """12.7.31"""
    return ".".join(map(str, keys))


def keys(text: str | None) -> list[int]:
    """The keys of a list, each once; none for what is no list."""
    return list(dict.fromkeys(map(int, text.split(".")))) if KEYS.fullmatch(text or "") else []


def local(path: str | None) -> str | None:
    """The address of a question on this server; None for anything else, somebody's SQL too."""
    if not LOCAL.fullmatch(path or ""):
        return None
    parts = urlsplit(path)
    keys_given = {key for key, _ in parse_qsl(parts.query, keep_blank_values=True)}
    is_question = QUESTION.fullmatch(parts.path) and "/-/" not in parts.path and not keys_given & NOT_CARRIED
    return path if is_question else None


def carried(asked: Mapping) -> dict[str, str]:
    """What of an address goes on to the next student's: `turn`, and `back`, where the list is."""
    turn = keys(asked.get("turn"))
    if not 0 < len(turn) <= MOST_IN_TURN:
        return {}
    back = local(asked.get("back"))
    return {"turn": joined(turn), **({"back": back} if back else {})}


def turn(asked: Mapping, page: str, course: dict, person: dict, database: str) -> dict | None:
    """Where this person stands in the turn of an address: `place` of `count`, `previous`, `next`, `back` (addresses).

    None where there is no turn, or somebody else's. `page` is the address of the student page.
    """
    kept = carried(asked)
    order = keys(kept.get("turn"))
    if person["person"] not in order:
        return None
    at = order.index(person["person"])

    def address(place: int) -> str | None:
        ids = (
            {"course": course["moodle_id"] or "", "person": order[place], "db": database}
            if place in range(len(order))
            else {}
        )
        return f"{page}?{urlencode({**ids, **kept})}" if ids else None

    return {
        "place": at + 1,
        "count": len(order),
        "previous": address(at - 1),
        "next": address(at + 1),
        "back": kept.get("back"),
    }
