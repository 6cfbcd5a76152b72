"""Lists of names: who is in a course, and who has and has not opened an activity or a part of it.

As in answers.py: no Datasette here, nothing of Moodle's files, plain dicts and lists.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from typing import Any

from loaders import answers, choosing, due, usage
from loaders.statements import ask, first, rows


def students(conn: sqlite3.Connection, course: dict, filters: usage.Filters) -> list[dict]:
    """The students inside the filter: id (Moodle's, may be None), person (our key), names, email, groups (names)."""
    wanted = choosing.names(filters.groups)
    known = answers.groups(conn, course)
    pairs = [(name, key) for name in wanted for key in choosing.choose("group", [name], known).ids]
    asked = {
        "groups": json.dumps(pairs) if wanted else None,
        "needed": len(wanted) if filters.together == "all" else 1,
        "student": filters.student,
        "person": filters.person,
    }
    groups = _groups_by_person(conn, course)
    found = rows(conn, "students", course=course["id"], **asked)
    return [{**row, "groups": groups[row["person"]]} for row in found]


def _groups_by_person(conn: sqlite3.Connection, course: dict) -> dict[int, list[str]]:
    groups: dict[int, list[str]] = defaultdict(list)
    for person, name in conn.execute(_GROUPS, (course["id"],)):
        groups[person].append(name)
    return groups


_GROUPS = """
select group_members.person_id, groups.name
from groups join group_members on group_members.group_id = groups.id
where groups.course_id = ? and groups.field is null
order by groups.name
"""


def people(conn: sqlite3.Connection, course: dict) -> dict[str, Any]:
    """Everybody in the course, to choose one from: students first, as on the lists."""
    groups = _groups_by_person(conn, course)
    found = rows(conn, "people", course=course["id"])
    return {
        "people": [{**row, "groups": groups[row["person"]]} for row in found],
        "course": usage.about_course(course),
        "data_up_to": course["data_up_to_utc"],
    }


def access(
    conn: sqlite3.Connection, course: dict, filters: usage.Filters, activity: str = "", part: str = ""
) -> dict | None:
    """Who has and has not opened an activity (its cmid) or a part ("chapter:7"); None when that is not known.

    Both lists are empty where nobody can tell: `logged` is False (Moodle writes no line when somebody opens it), or
    `data_up_to` is None (no log is loaded). `before_due`: in words, how long before it was due each first opened it.
    """
    kind, _, number = part.partition(":")
    ids = {"course": course["id"], "cmid": activity, "kind": kind, "number": number}
    about = first(rows(conn, "part", **ids) if part else ask(conn, _ACTIVITY, **ids))
    if not about:
        return None
    logged = usage.is_logged(about)
    inside = students(conn, course, filters)
    opened = _opened(conn, about, filters, inside) if logged and course["data_up_to_utc"] else []
    for row in opened:
        row["before_due"] = due.before_due(row.pop("first_ever_utc"), about["due_utc"], course["timezone"])
    return {
        "accessed": [row for row in opened if row["clicks"]],
        "not_accessed": [row for row in opened if not row["clicks"]],
        "students": len(inside),
        "logged": logged,
        "activity": {key: about[key] for key in ("cmid", "name", "kind")},
        "due_utc": about["due_utc"],
        "part": {"kind": kind, "moodle_id": about["moodle_id"], "name": about["part_name"]} if part else None,
        "course": usage.about_course(course),
        "data_up_to": course["data_up_to_utc"],
    }


_ACTIVITY = """
select id as activity, null as part, cmid, name, kind, due_utc
from activities
where course_id = :course and cmid || '' = :cmid
"""


def _opened(conn: sqlite3.Connection, about: dict, filters: usage.Filters, inside: list[dict]) -> list[dict]:
    """The students inside the filter with their clicks in one activity or part, and their state of completion.

    Weeks narrow `clicks`, `first_utc` and `last_utc`; what is `ever`, and `state`, is of the whole time.
    """
    ids = {"activity": about["activity"], "part": about["part"]}
    clicks = {row.pop("person"): row for row in rows(conn, "access", **ids, **filters.weeks)}
    states = {} if about["part"] else dict(conn.execute(_STATES, (about["activity"],)))
    nothing = {"clicks": 0, "first_utc": None, "last_utc": None, "first_ever_utc": None, "last_ever_utc": None}
    return [{**row, **clicks.get(row["person"], nothing), "state": states.get(row["person"])} for row in inside]


_STATES = "select person_id, state from completions where activity_id = ?"
