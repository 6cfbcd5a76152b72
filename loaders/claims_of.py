"""What files said of one person, as they said it: the rows of `claims` and of `unmatched`."""

from __future__ import annotations

import json
import sqlite3

from loaders import sifting
from loaders.courses import person_keys
from loaders.forgotten import STRONG
from loaders.statements import ask

CLAIMS = """
select loads.source as file, claims.line, claims.claim as said, loads.loaded_utc, loads.course_id
from claims
join loads on loads.id = claims.load_id
where loads.site_id = :site and (:course is null or loads.course_id is null or loads.course_id = :course)
union all
select loads.source, unmatched.line, unmatched.raw, loads.loaded_utc, loads.course_id
from unmatched
join loads on loads.id = unmatched.load_id
where unmatched.kind != 'held log line'
    and loads.site_id = :site and (:course is null or loads.course_id is null or loads.course_id = :course)
"""
PERSON = "select site_id, moodle_id, email, idnumber, username, fullname, firstname, lastname from people where id = ?"


def person(connection: sqlite3.Connection, key: int, course: int | None = None) -> list[dict]:
    """`file`, `line`, `said` (JSON) and `loaded_utc` of each row about a person (own key): by sure marks, or a name."""
    names = ("site_id", "moodle_id", "email", "idnumber", "username", "fullname", "firstname", "lastname")
    row = dict(zip(names, connection.execute(PERSON, (key,)).fetchone(), strict=True))
    keys = person_keys({name: value for name, value in row.items() if value})
    sure = {mark for mark in keys if mark[0] in STRONG}
    found = []
    for claim in ask(connection, CLAIMS, site=row["site_id"], course=course):
        said = sifting.keys_of(json.loads(claim["said"]))
        strong = {mark for mark in said if mark[0] in STRONG}
        if said & sure or (not strong and said & keys):
            found.append({name: value for name, value in claim.items() if name != "course_id"})
    return found
