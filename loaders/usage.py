"""Use of a course's activities and parts, narrowed by groups, weeks and a student, as a Moodle page asks for it.

As in answers.py: no Datasette here, nothing of Moodle's files, plain dicts and lists.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from typing import Any

from loaders import answers, choosing
from loaders.statements import ask, first, rows

ALL_WEEKS = (-(10**6), 10**6)


@dataclass
class Filters:
    """What narrows clicks: groups (Moodle's ids or names), weeks (both included), a student (Moodle's id)."""

    groups: list[str] = field(default_factory=list)
    together: str = "any"
    from_week: int | None = None
    to_week: int | None = None
    student: str = ""

    @property
    def weeks(self) -> dict[str, int]:
        """The bounds as parameters of a statement."""
        lowest, highest = ALL_WEEKS
        return {
            "from_week": lowest if self.from_week is None else self.from_week,
            "to_week": highest if self.to_week is None else self.to_week,
        }

    @property
    def is_empty(self) -> bool:
        """True when everybody's whole time is asked for."""
        return not (self.groups or self.student) and self.from_week is None and self.to_week is None


def usage(conn: sqlite3.Connection, course: dict, filters: Filters) -> dict[str, Any]:
    """Clicks, students and completed of every activity (by cmid) and part ("chapter:7") in one answer.

    `students` is the denominator: all students inside the filter. What Moodle does not log has clicks None.
    """
    people = students(conn, course, filters)
    keys = json.dumps([row["person"] for row in people])
    narrowed = {"course": course["id"], "people": None if filters.is_empty else keys, **filters.weeks}
    clicks = {row["activity_id"]: row for row in rows(conn, "usage", **narrowed)}
    done = rows(conn, "usage_completed", course=course["id"], people=keys)
    completed = {row["activity_id"]: row["completed"] for row in done}
    known = ask(conn, _ACTIVITIES, course=course["id"])
    return {
        "activities": {
            str(row["cmid"]): {
                **_counted(course, row, clicks.get(row["id"])),
                "completed": completed.get(row["id"]),
            }
            for row in known
            if row["cmid"] is not None
        },
        "parts": {row.pop("part"): row for row in rows(conn, "usage_parts", **narrowed)},
        "students": len(people),
        "instances": {f"{row['kind']}:{row['instance_id']}": row["cmid"] for row in known if row["instance_id"]},
        "data_up_to": course["data_up_to_utc"],
        "truncated": False,
    }


_ACTIVITIES = "select id, cmid, kind, instance_id from activities where course_id = :course"


def _counted(course: dict, activity: dict, found: dict | None) -> dict:
    """Clicks and students of one activity: 0 when nobody opened it, None when that cannot be known."""
    if not course["data_up_to_utc"] or activity["kind"] in answers.NOT_LOGGED:
        return {"clicks": None, "students": None}
    return {"clicks": found["clicks"], "students": found["students"]} if found else {"clicks": 0, "students": 0}


def students(conn: sqlite3.Connection, course: dict, filters: Filters) -> list[dict]:
    """The students inside the filter: id (Moodle's, may be None), person (our key), fullname, email."""
    wanted = choosing.names(filters.groups)
    known = answers.groups(conn, course)
    pairs = [(name, key) for name in wanted for key in choosing.choose("group", [name], known).ids]
    groups = json.dumps(pairs) if wanted else None
    needed = len(wanted) if filters.together == "all" else 1
    return rows(conn, "students", course=course["id"], groups=groups, needed=needed, student=filters.student)


def unknown_groups(conn: sqlite3.Connection, course: dict, filters: Filters) -> str | None:
    """A sentence with the names of the course's groups, where one that is asked for is none of them."""
    return choosing.choose("group", filters.groups, answers.groups(conn, course)).note


def access(conn: sqlite3.Connection, course: dict, filters: Filters, activity: str = "", part: str = "") -> dict | None:
    """Who has and has not opened an activity (its cmid) or a part ("chapter:7"); None when not known."""
    kind, _, number = part.partition(":")
    ids = {"course": course["id"], "cmid": activity, "kind": kind, "number": number}
    found = first(rows(conn, "part", **ids) if part else ask(conn, _ACTIVITY, **ids))
    if not found:
        return None
    clicks = {row.pop("person"): row for row in rows(conn, "access", **found, **filters.weeks)}
    nothing = {"clicks": 0, "first_utc": None, "last_utc": None}
    everyone = [{**row, **clicks.get(row["person"], nothing)} for row in students(conn, course, filters)]
    return {
        "accessed": [row for row in everyone if row["clicks"]],
        "not_accessed": [row for row in everyone if not row["clicks"]],
        "data_up_to": course["data_up_to_utc"],
    }


_ACTIVITY = "select id as activity, null as part from activities where course_id = :course and cmid || '' = :cmid"
