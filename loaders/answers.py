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
DONE = ("complete", "complete-pass")
NOT_LOGGED = ("label",)  # there is no page to open, hence no log line


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
    """What a form offers: courses, groups, activities, weeks as [(heading, [(value, words)])]; how many `sites`."""
    every = _rows(conn, "courses")
    courses = [(row["moodle_id"], row["fullname"] or row["shortname"]) for row in every if row["moodle_id"]]
    found = course(conn, course_id, site)
    sections: dict[str, list] = defaultdict(list)
    for row in _rows(conn, "choices", course=found["id"]) if found else []:
        sections[row["section"]].append((row["value"], row["words"]))
    named = [(moodle_id or name, name) for _, moodle_id, name in (groups(conn, found) if found else [])]
    weeks = [(week, numbering.words(week, name)) for week, name in _weeks(conn, found)] if found else []
    return {
        **({"from_week": [("", weeks)], "to_week": [("", weeks)]} if weeks else {}),
        "course": [("", courses)] if courses else [],
        "group": [("", named)] if named else [],
        "activity": list(sections.items()),
        "sites": len({row["site"] for row in every}),
    }


def _weeks(conn: sqlite3.Connection, course: dict) -> list[tuple]:
    """(week, name) up to the newest line of the log."""
    statement = "select week, name from weeks where course_id = ? and starts_on <= ? order by week"
    return conn.execute(statement, (course["id"], (course["data_up_to_utc"] or "")[:10])).fetchall()


def groups(conn: sqlite3.Connection, course: dict) -> list[tuple]:
    """(our key, Moodle's id, name) of every group of a course, by name."""
    statement = "select id, moodle_id, name from groups where course_id = ? order by name"
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


def student(conn: sqlite3.Connection, course: dict, person: dict) -> dict[str, Any]:
    """The whole student page: person, details, completion by section, posts, usage by week, how fresh it is.

    `loaded` says for each kind of data whether anything of it is here at all: "none" is not "not loaded yet".
    """
    ids = {"course": course["id"], "person": person["person"]}
    class_size = _ask(conn, _CLASS_SIZE, course=course["id"])[0]["students"]
    activities = completion(conn, course, person)
    return {
        "course": {key: course[key] for key in ("moodle_id", "shortname", "fullname", "timezone", "site")},
        "person": person,
        "details": {row["field"]: row["value"] for row in _ask(conn, _DETAILS, person=person["person"])},
        "completion": _by_section(activities),
        "progress": _progress(activities),
        "posts": _rows(conn, "posts", **ids),
        "posted": _rows(conn, "posted", **ids),
        "usage": _usage_of(conn, course, person, class_size),
        "loaded": {key: bool(here) for key, here in _rows(conn, "loaded", **ids)[0].items()},
        "data_up_to": course["data_up_to_utc"],
    }


_CLASS_SIZE = "select count(*) as students from enrolments where course_id = :course and role = 'student'"
_DETAILS = "select field, value from person_details where person_id = :person order by id"


def completion(conn: sqlite3.Connection, course: dict, person: dict) -> list[dict]:
    """One row per activity, in course order: state, when, this person's clicks, share of the class done.

    `clicks` is None where Moodle logs none or no log is loaded. `why` says why there is no state:
    "not tracked", "not loaded" (no completion report has this person), "not known" (no file says if tracked).
    """
    students = _ask(conn, _CLASS_SIZE, course=course["id"])[0]["students"]
    rows = _rows(conn, "completion", course=course["id"], person=person["person"])
    reported = any(row["class_completed"] is not None for row in rows)  # and a report has every tracked activity
    unsaid = "not tracked" if reported else "not known"
    for row in rows:
        done = row.pop("class_completed")
        row["class_pct"] = round(100 * done / students, 1) if students and done is not None else None
        logged = course["data_up_to_utc"] and row["kind"] not in NOT_LOGGED and person["role"] == "student"
        row["clicks"] = (row["clicks"] or 0) if logged else None
        row["done"] = row["state"] in DONE
        row["why"] = None if row["state"] else {0: "not tracked", 1: "not loaded"}.get(row["tracked"], unsaid)
    return rows


def _by_section(activities: list[dict]) -> list[dict]:
    """Sections in course order, each with how many of its tracked activities are done, and its activities."""
    sections: dict[Any, dict] = {}
    for row in activities:
        key = row.pop("section_key")
        about = {name: row.pop(name) for name in ("section", "number", "week")}
        section = sections.setdefault(key, {**about, "done": 0, "tracked": 0, "activities": []})
        section["activities"].append(row)
    for section in sections.values():
        section.update(_progress(section["activities"]))
    return list(sections.values())


def _progress(activities: list[dict]) -> dict:
    """How many are tracked, how many of those this person has done, what share (None when none is known)."""
    tracked = [row for row in activities if row["tracked"] == 1]
    known = [row for row in tracked if row["state"]]
    done = sum(row["done"] for row in tracked)
    share = round(100 * done / len(tracked), 1) if known else None
    return {"done": done if known else None, "tracked": len(tracked), "done_pct": share}


def _usage_of(conn: sqlite3.Connection, course: dict, person: dict, class_size: int) -> dict:
    """Clicks by week beside the class median (students without a click count as 0), and rank by clicks."""
    if not course["data_up_to_utc"] or person["role"] != "student":
        return {"clicks": None, "rank": None, "students": class_size, "weeks": []}
    ids = {"course": course["id"], "person": person["person"]}
    weeks = _rows(conn, "weeks", data_up_to=course["data_up_to_utc"], **ids)
    for week in weeks:
        week["words"] = numbering.words(week["week"], week["name"])
    return {**_rows(conn, "rank", **ids)[0], "students": class_size, "weeks": weeks}
