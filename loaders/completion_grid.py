"""The completion grid: every student beside every tracked activity, as plain dicts and lists.

As in answers.py: no Datasette here, nothing of Moodle's files. 350 students and 130 activities are 45,500 cells, so
a row has its states in one list, in the order of the activities.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from loaders import access, freshness, usage
from loaders.statements import ask, rows
from loaders.student_completion import DONE

NO_SECTION = "none"  # in an address: activities whose section is not known
# What counts in a column's order, beginning with those who still have it to do.
RANK = {"incomplete": 0, "complete-fail": 1, "complete": 2, "complete-pass": 3}
NOT_REPORTED = "not in the report"


@dataclass(frozen=True)
class Order:
    """How rows are sorted: `by` name, done or the key of an activity (see key_of), from the other end if `falling`."""

    by: str = "name"
    falling: bool = False

    @classmethod
    def asked(cls, text: str) -> Order:
        """'done' or '-done', as an address says it."""
        return cls(text.removeprefix("-") or "name", text.startswith("-"))

    def __str__(self) -> str:
        return f"-{self.by}" if self.falling else self.by


def grid(
    conn: sqlite3.Connection, course: dict, filters: usage.Filters, section: str = "", sort: str = ""
) -> dict[str, Any] | None:
    """The students inside the filter and their state in each tracked activity (of one section, by its number).

    A row's `states` are Moodle's (complete, complete-pass, complete-fail, incomplete) and None where no report has
    this student in that activity; `done` and `states` are None for whom no report has at all: that is not 0.
    `why` is a sentence where there is no grid. None where no such order or section is known.
    """
    tracked = rows(conn, "tracked_activities", course=course["id"])
    chosen = [row for row in tracked if section in ("", section_key(row))]
    order = Order.asked(sort)
    if (section and not chosen) or order.by not in ("name", "done", *map(key_of, chosen)):
        return None
    found = _rows(conn, course, filters, chosen)
    fresh = {row["kind"]: row for row in freshness.freshness(conn, course)}["activity completion"]
    return {
        "course": {**usage.about_course(course), "site": course["site"]},
        "activities": _counted(chosen, found),
        "sections": _sections(tracked),
        "section": section,
        "rows": in_order(found, order, chosen),
        "sort": str(order),
        "students": len(found),
        "reported": sum(row["states"] is not None for row in found),
        "why": why_none(conn, course, tracked, fresh["is_loaded"]),
        "completion_up_to": fresh["up_to_utc"],
        "completion_loaded": fresh["loaded_utc"],
        "data_up_to": course["data_up_to_utc"],
        "truncated": False,
    }


def key_of(activity: dict) -> str:
    """An activity in an address: Moodle's id, or our own key where no file has told that yet."""
    return f"own-{activity['id']}" if activity["cmid"] is None else str(activity["cmid"])


def section_key(activity: dict) -> str:
    """A section in an address: its number on the course page."""
    return NO_SECTION if activity["number"] is None else str(activity["number"])


def _rows(conn: sqlite3.Connection, course: dict, filters: usage.Filters, chosen: list[dict]) -> list[dict]:
    """One row per student inside the filter, by name."""
    states = _states(conn, course, chosen)
    statuses = dict(conn.execute(_STATUSES, (course["id"],)))
    found = []
    for student in access.students(conn, course, filters):
        own = states.get(student["person"])
        done = own and sum(state in DONE for state in own)
        about = {key: student[key] for key in ("person", "id", "fullname", "email", "groups")}
        found.append({**about, "status": statuses.get(student["person"]), "done": done, "states": own})
    return found


_STATUSES = "select person_id, status from enrolments where course_id = ? and role = 'student'"


def _states(conn: sqlite3.Connection, course: dict, chosen: list[dict]) -> dict[int, list[str | None]]:
    """{our key of a person: states in the order of the activities} of those whom a report has in any."""
    places = {row["id"]: place for place, row in enumerate(chosen)}
    nothing = [None] * len(chosen)
    found: dict[int, list] = {}
    for person, activity, state in conn.execute(_STATES, (course["id"],)):
        own = found.setdefault(person, nothing[:])
        if (place := places.get(activity)) is not None:
            own[place] = state
    return {person: own for person, own in found.items() if any(own)}


_STATES = """
select completions.person_id, completions.activity_id, completions.state
from activities join completions on completions.activity_id = activities.id
where activities.course_id = ? and activities.tracked = 1 and activities.deleted = 0
"""


def _counted(chosen: list[dict], found: list[dict]) -> list[dict]:
    """The activities, each with how many of the rows have completed it (None where no report has the activity)."""
    columns = list(zip(*(row["states"] for row in found if row["states"] is not None), strict=True))
    columns = columns or [()] * len(chosen)
    return [
        {
            **{key: row[key] for key in ("cmid", "kind", "name", "due_utc", "section", "number")},
            "key": key_of(row),
            "completed": sum(state in DONE for state in states) if any(states) else None,
        }
        for row, states in zip(chosen, columns, strict=True)
    ]


def _sections(tracked: list[dict]) -> list[dict]:
    """All sections with a tracked activity: `key` for an address, `name`, how many `activities`."""
    found = [list(of) for _, of in groupby(tracked, lambda row: row["section_key"])]
    return [
        {"key": section_key(of[0]), "name": of[0]["section"] or "Section not known", "activities": len(of)}
        for of in found
    ]


def in_order(found: list[dict], order: Order, chosen: list[dict]) -> list[dict]:
    """Rows by what is asked, then by name (as they come); whom no report has stand last either way."""
    if order.by == "name":
        return found[::-1] if order.falling else found
    value = _value(order.by, chosen)
    known = [row for row in found if value(row) is not None]
    unknown = [row for row in found if value(row) is None]
    sign = -1 if order.falling else 1
    return sorted(known, key=lambda row: sign * value(row)) + unknown


def _value(by: str, chosen: list[dict]) -> Callable[[dict], int | None]:
    """What a row is sorted by."""
    if by == "done":
        return lambda row: row["done"]
    place = [key_of(row) for row in chosen].index(by)
    return lambda row: RANK.get(row["states"][place]) if row["states"] else None


def why_none(conn: sqlite3.Connection, course: dict, tracked: list[dict], is_loaded: bool) -> str | None:
    """A sentence, where there is no completion to show: "not loaded yet" is not "not tracked"."""
    if tracked and is_loaded:
        return None
    known = ask(conn, _KNOWN, course=course["id"])[0]
    if not tracked and known["activities"] and known["untracked"] == known["activities"]:
        return "Moodle does not track the completion of any activity in this course."
    return "No completion report of this course is loaded yet: “coursette status” has the link to download it."


_KNOWN = """
select count(*) as activities, count(*) filter (where tracked = 0) as untracked
from activities
where course_id = :course and deleted = 0
"""


def table(found: dict[str, Any]) -> tuple[list[str], list[list]]:
    """(columns, rows) of a grid for a spreadsheet: a column per activity with Moodle's words for its state."""
    named = [f"{row['name'] or row['kind'] or 'activity'} ({row['key']})" for row in found["activities"]]
    columns = ["fullname", "email", "moodle_id", "groups", "status", "done", "tracked", *named]
    missing = [None] * len(named)
    lines = []
    for row in found["rows"]:
        about = [row["fullname"], row["email"], row["id"], ", ".join(row["groups"]), row["status"]]
        done = NOT_REPORTED if row["done"] is None else row["done"]
        lines.append([*about, done, len(named), *(row["states"] or missing)])
    return columns, lines
