"""The course page: how fresh the data is, weeks, who needs a look, activities by section, as plain dicts.

As in answers.py: no Datasette here, nothing of Moodle's files. Everything comes from roll-ups.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import date
from itertools import groupby
from typing import Any

from loaders import access, answers, choosing, freshness, needs_a_look, numbering, times, usage
from loaders.statements import rows

ABOUT_SECTION = ("section_key", "section", "number", "week")


def summary(
    conn: sqlite3.Connection, course: dict, filters: usage.Filters, questions: Mapping[str, str]
) -> dict[str, Any]:
    """All of the course page. `questions` are the SQL of the canned queries that the visitor may see, by name.

    `students` is the denominator: everybody enrolled as student and inside the groups of the filter.
    """
    people = access.students(conn, course, filters)
    return {
        "course": {**usage.about_course(course), "site": course["site"]},
        "groups": groups(conn, course, filters),
        "students": len(people),
        "freshness": freshness.freshness(conn, course),
        "next_download": freshness.next_download(conn, course),
        "weeks": weeks(conn, course, filters, people),
        "needs_a_look": needs_a_look.findings(conn, course, filters, questions),
        "sections": sections(conn, course, filters, len(people)),
        "data_up_to": course["data_up_to_utc"],
        "truncated": False,
    }


def groups(conn: sqlite3.Connection, course: dict, filters: usage.Filters) -> list[dict]:
    """The groups to choose from: `value` for an address (Moodle's id, else the name), `name`, whether `is_chosen`."""
    known = answers.groups(conn, course)
    chosen = choosing.choose("group", filters.groups, known).ids
    return [
        {"value": str(name if moodle_id is None else moodle_id), "name": name, "is_chosen": key in chosen}
        for key, moodle_id, name in known
    ]


def weeks(conn: sqlite3.Connection, course: dict, filters: usage.Filters, people: list[dict]) -> list[dict]:
    """Teaching weeks up to the newest line of the log: `students`, `students_pct`, `clicks`, `is_break`, `words`."""
    if not course["data_up_to_utc"]:
        return []
    keys = json.dumps([row["person"] for row in people]) if filters.groups else None
    newest = times.local_text(course["data_up_to_utc"], course["timezone"])[:10]
    found = rows(conn, "class_weeks", course=course["id"], up_to=newest, people=keys)
    for week in found:
        week["words"] = numbering.words(week["week"], week["name"])
        week["is_break"] = bool(week["is_break"])
        week["students_pct"] = _share(week["students"], len(people))
    return found


def sections(conn: sqlite3.Connection, course: dict, filters: usage.Filters, students: int) -> list[dict]:
    """Sections in course order, each with its activities and their sums; one `is_open`: this week's, or the newest."""
    inside = usage.students_inside(conn, course, filters)
    used = usage.used(conn, "activity", course, filters, inside)
    known = rows(conn, "course_activities", course=course["id"])
    reported = any(row["completed"] is not None for row in known)
    activities = [_activity(course, row, used, filters, inside, reported) for row in known]
    for row in activities:
        row["students_pct"] = _share(row["students"], students)
        row["completed_pct"] = _share(row["completed"], students)
    found = [_section(list(rows_of), students) for _, rows_of in groupby(activities, lambda row: row["section_key"])]
    opened = current(conn, course, found)
    return [{**section, "is_open": place == opened} for place, section in enumerate(found)]


def _activity(course: dict, row: dict, used: dict, filters: usage.Filters, inside: int, reported: bool) -> dict:
    """One activity with its numbers; `not_opened` and `not_completed` say in words why there is none, or that it is 0.

    A completion report has every tracked activity, so what one lacks is not tracked.
    """
    unsaid = "not tracked" if reported else "not known"
    number = usage.counted(course, row, used.get(row["id"], (0, 0)))
    completed = usage.completed(row, filters, inside)
    why_not = {0: "never opened", None: "not logged" if course["data_up_to_utc"] else "no log yet"}
    return {
        **{key: row[key] for key in (*ABOUT_SECTION, "cmid", "kind", "name", "tracked", "due_utc", "last_used_utc")},
        "is_deleted": bool(row["deleted"]),
        **number,
        "completed": completed,
        "not_opened": why_not.get(number["clicks"]),
        "not_completed": None if completed is not None else _untracked(row, unsaid),
    }


def _untracked(row: dict, unsaid: str) -> str:
    return {0: "not tracked", 1: "not loaded"}.get(row["tracked"], unsaid)


def _section(activities: list[dict], students: int) -> dict:
    """A section: its activities, how many of them nobody opened, clicks (None: not known), the share that is done."""
    about = {key: activities[0][key] for key in ABOUT_SECTION}
    there = [row for row in activities if not row["is_deleted"]]
    clicks = [row["clicks"] for row in activities if row["clicks"] is not None]
    done = [row["completed"] for row in there if row["tracked"] == 1 and row["completed"] is not None]
    return {
        **{key: value for key, value in about.items() if key != "section_key"},
        "activities": [{key: row[key] for key in row if key not in ABOUT_SECTION} for row in activities],
        "never_opened": sum(row["clicks"] == 0 for row in there),
        "clicks": sum(clicks) if clicks else None,
        "tracked": sum(row["tracked"] == 1 for row in there),
        "done_pct": _share(sum(done), len(done) * students) if done else None,
    }


def current(conn: sqlite3.Connection, course: dict, found: list[dict]) -> int | None:
    """Index of the section to show first: of the teaching week that the log has reached, else the last one used."""
    if not found:
        return None
    reached = _week_reached(conn, course)
    told = [place for place, section in enumerate(found) if _is_begun(section, reached)]
    if told:
        return max(told, key=lambda place: (found[place]["week"], -place))
    newest = [max((row["last_used_utc"] or "" for row in section["activities"]), default="") for section in found]
    return newest.index(max(newest))


def _is_begun(section: dict, reached: float | None) -> bool:
    return reached is not None and section["week"] is not None and section["week"] <= reached


def _week_reached(conn: sqlite3.Connection, course: dict) -> float | None:
    if not course["data_up_to_utc"]:
        return None
    today = date.fromisoformat(times.local_text(course["data_up_to_utc"], course["timezone"])[:10]).isoformat()
    statement = "select max(week) from weeks where course_id = ? and starts_on <= ?"
    return conn.execute(statement, (course["id"], today)).fetchone()[0]


def _share(part: int | None, whole: int) -> float | None:
    return round(100 * part / whole, 1) if part is not None and whole else None
