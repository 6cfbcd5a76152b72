"""Whom the teacher nudged, and whether they came back: the nudges of private/notes.db beside the log of moodle.db.

The two files never meet in one connection: the nudges are read first, and looked up here.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from loaders import noted
from loaders.statements import ask

DAYS = 7  # that are counted before and after the day of the nudge, in course time
CLICKS = ("clicks_before", "clicks_that_day", "clicks_after", "back_on")
UNKNOWN = dict.fromkeys(("person", "last_seen_utc", *CLICKS))
_COURSES = """
select courses.id, courses.moodle_id, courses.shortname, courses.fullname, courses.timezone, courses.data_up_to_utc,
    sites.url as site
from courses
join sites on sites.id = courses.site_id
"""
_SEEN = """
select enrolments.role, enrolments.last_access_utc, usage_person_seen.last_utc
from enrolments
left join usage_person_seen
    on usage_person_seen.course_id = enrolments.course_id and usage_person_seen.person_id = enrolments.person_id
where enrolments.course_id = :course and enrolments.person_id = :person
"""
_DAYS = "select day, clicks from usage_person_day where course_id = ? and person_id = ? order by day"


def beside(conn: sqlite3.Connection, nudges: list[dict]) -> dict[int, dict]:
    """{id of a nudge (see notes.nudges): what moodle.db knows around it}, for those of its courses.

    `person`, `fullname`, `course` (Moodle's id), `course_name`, `timezone`, `data_up_to_utc`, `last_seen_utc`, and
    CLICKS: in the DAYS before, on the day, in the DAYS after, and the first day after it with a click; null where
    `why` says why. `so_far` is 1 where the log ends within the days after.
    """
    found = {}
    for course in ask(conn, _COURSES):
        if mine := [row for row in nudges if _is_of(row, noted.course_of(course))]:
            found |= _in_course(conn, course, mine)
    return found


def _is_of(nudge: dict, course: dict) -> bool:
    """Whether a nudge was noted in this course."""
    site, written = nudge["student"]["site"], {"course": nudge["in_course"], "course_name": nudge["in_course_name"]}
    return noted.in_course(written, course) and (site == course["site"] or None in (site, course["site"]))


def _in_course(conn: sqlite3.Connection, course: dict, nudges: list[dict]) -> dict[int, dict]:
    """The nudges whose student is known in this course."""
    people = defaultdict(list)
    for row in noted.everybody(conn, course):
        for known in _known(row):
            people[known].append(row)
    of_person = defaultdict(list)
    for nudge in nudges:
        student = nudge["student"]
        hits = (row for known in _known(student) for row in people[known])
        if who := next((row for row in hits if noted.is_same(student, row)), None):  # by the strongest first
            of_person[who["person"], who["fullname"]].append(nudge)
    return {
        key: row for (person, name), mine in of_person.items() for key, row in _of(conn, course, person, name, mine)
    }


def _known(ids: dict) -> list[tuple]:
    """What is known of noted.IDS and can say who it is, the strongest first."""
    return [(name, ids[name]) for name in ("moodle_id", "email", "idnumber", "name") if ids[name] is not None]


def _of(conn: sqlite3.Connection, course: dict, person: int, fullname: str | None, nudges: list[dict]) -> list[tuple]:
    """(id, what is around it) of each nudge of one person."""
    seen = ask(conn, _SEEN, course=course["id"], person=person)[0]
    known = {
        "person": person,
        "fullname": fullname,
        "course": course["moodle_id"],
        "course_name": course["shortname"] or course["fullname"],
        "timezone": course["timezone"],
        "data_up_to_utc": course["data_up_to_utc"],
        "last_seen_utc": max(filter(None, (seen["last_access_utc"], seen["last_utc"])), default=None),
    }
    clicks = {date.fromisoformat(day): count for day, count in conn.execute(_DAYS, (course["id"], person))}
    return [(row["id"], {**UNKNOWN, **known, **_around(course, seen["role"], row, clicks)}) for row in nudges]


def _around(course: dict, role: str | None, nudge: dict, clicks: dict[date, int]) -> dict:
    """How much they clicked before and after, and when first again, from their `clicks` by day, in order."""
    at, up_to = (_day(utc, course["timezone"]) for utc in (nudge["nudged_utc"], course["data_up_to_utc"]))
    if why := _why(role, at, up_to):
        return {"why": why, "so_far": 0}
    ahead = {(day - at).days: count for day, count in clicks.items()}
    return {
        "why": None,
        "so_far": int(up_to <= at + timedelta(days=DAYS)),
        "clicks_before": sum(count for days, count in ahead.items() if -DAYS <= days < 0),
        "clicks_that_day": ahead.get(0, 0),
        "clicks_after": sum(count for days, count in ahead.items() if 0 < days <= DAYS),
        "back_on": next((str(at + timedelta(days=days)) for days in ahead if days > 0), None),
    }


def _why(role: str | None, at: date, up_to: date | None) -> str | None:
    """Why there are no clicks to count; None where there are."""
    if role != "student":
        return "clicks are counted for students only"
    if up_to is None:
        return "no log of this course is loaded yet"
    return "the log that is loaded ends before this" if up_to < at else None


def _day(utc: str | None, zone: str) -> date | None:
    return datetime.fromisoformat(utc).astimezone(ZoneInfo(zone)).date() if utc else None
