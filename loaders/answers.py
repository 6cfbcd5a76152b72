"""What the pages and the JSON ask of the database. No Datasette here, and nothing of Moodle's files.

Every function takes an open sqlite3 connection and gives plain dicts and lists, ready for a template, JSON or
CSV. Times are UTC text. None means that it is not known; where that matters, a key beside it says why.
The statements are in answers/, one file each.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from typing import Any

from loaders import numbering
from loaders.statements import ask as _ask
from loaders.statements import first as _first
from loaders.statements import rows as _rows

TABLES = {"courses", "people", "enrolments", "activities", "completions", "usage_activity", "usage_person"}


def course(conn: sqlite3.Connection, course: str = "", site: str = "", user: str = "", person: str = "") -> dict | None:
    """The course with this Moodle id (on this site, if one is named), or else the one with the newest data.

    Where no course is named but a person is (as in answers.person), it is the newest that has them.
    """
    return _first(_rows(conn, "course", course=course, site=site, user=user, person=person))


def courses(conn: sqlite3.Connection) -> list[dict]:
    """Every course with its counts, newest data first, and `missing`: what is not loaded of it yet."""
    found = _rows(conn, "courses")
    for row in found:
        row["missing"] = [words for key, words in _PIECES if not row[key]]
    return found


def choices(conn: sqlite3.Connection, course_id: str, site: str) -> dict[str, Any]:
    """What a form can offer: `course`, `group` and so on as [(heading, [(value, words)])]; how many `sites`.

    `due` is of `activity` what has a due date.
    """
    every = _rows(conn, "courses")
    courses = [(row["moodle_id"], row["fullname"] or row["shortname"]) for row in every if row["moodle_id"]]
    found = course(conn, course_id, site)
    activities = _rows(conn, "choices", course=found["id"]) if found else []
    weeks = [(week, numbering.words(week, name)) for week, name in _weeks(conn, found)] if found else []
    return {
        **({"from_week": [("", weeks)], "to_week": [("", weeks)]} if weeks else {}),
        "course": [("", courses)] if courses else [],
        "group": _group_choices(conn, found) if found else [],
        "field": _field_choices(conn, found) if found else [],
        "activity": _by_section(activities),
        "due": _by_section([row for row in activities if row["is_due"]]),
        "sites": len({row["site"] for row in every}),
    }


def _by_section(activities: list[dict]) -> list[tuple]:
    sections: dict[str, list] = defaultdict(list)
    for row in activities:
        sections[row["section"]].append((row["value"], row["words"]))
    return list(sections.items())


def _group_choices(conn: sqlite3.Connection, course: dict) -> list[tuple]:
    """Moodle's own groups, then those of each column of the teacher's spreadsheet under its name."""
    named: dict[str, list] = defaultdict(list)
    statement = "select coalesce(field, ''), moodle_id, name from groups where course_id = ? order by 1, 3"
    for field, moodle_id, name in conn.execute(statement, (course["id"],)):
        named[field].append((moodle_id or name, name.removeprefix(f"{field}: ") if field else name))
    return list(named.items())


def _field_choices(conn: sqlite3.Connection, course: dict) -> list[tuple]:
    """The fields that files have for students of the course, in the order of their columns."""
    fields = [(field, field) for (field,) in conn.execute(_FIELDS, (course["id"],))]
    return [("", fields)] if fields else []


_FIELDS = """
select person_details.field
from enrolments join person_details on person_details.person_id = enrolments.person_id
where enrolments.course_id = ? and enrolments.role = 'student'
group by person_details.field
order by min(person_details.id)
"""


def _weeks(conn: sqlite3.Connection, course: dict) -> list[tuple]:
    """(week, name) up to the newest line of the log."""
    statement = "select week, name from weeks where course_id = ? and starts_on <= ? order by week"
    return conn.execute(statement, (course["id"], (course["data_up_to_utc"] or "")[:10])).fetchall()


def groups(conn: sqlite3.Connection, course: dict) -> list[tuple]:
    """(our key, Moodle's id, name) of every group of a course, Moodle's own first, then by name."""
    statement = "select id, moodle_id, name from groups where course_id = ? order by field is not null, name"
    return conn.execute(statement, (course["id"],)).fetchall()


def unmatched(conn: sqlite3.Connection) -> int:
    """How many rows of the files found no home yet."""
    return _ask(conn, "select count(*) as rows from unmatched")[0]["rows"]


# What the home page says is not here yet: a column of courses.sql, and the words.
_PIECES = [
    ("data_up_to_utc", "the course log"),
    ("students", "who is a student"),
    ("has_emails", "the list of participants"),
    ("has_sections", "the course page with its sections"),
    ("has_completion", "activity completion"),
    ("groups", "groups"),
    ("has_grades", "grades"),
    ("has_forum_posts", "forum posts"),
]


def person(conn: sqlite3.Connection, course: dict, user: str = "", person: str = "") -> dict | None:
    """One person of the course, by Moodle's id (`user`) or our own key (`person`), with `groups` (names)."""
    if not (user or person):
        return None
    ids = {"course": course["id"], "site_id": course["site_id"], "user": user, "person": person}
    found = _first(_rows(conn, "person", **ids))
    if found:
        seen = [found["last_access_utc"], found.pop("last_seen_utc")]
        found["last_access_utc"] = max(filter(None, seen), default=None)
        found["groups"] = [row["name"] for row in _rows(conn, "groups_of", course=course["id"], person=found["person"])]
    return found
