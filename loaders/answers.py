"""What the pages and the JSON ask of the database. No Datasette here, and nothing of Moodle's files.

Every function takes an open sqlite3 connection and gives plain dicts and lists, ready for a template, JSON or
CSV. Times are UTC text. None means that it is not known; where that matters, a key beside it says why.
The statements are in answers/, one file each.
"""

from __future__ import annotations

import sqlite3

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
