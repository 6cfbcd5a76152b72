"""Use of a course's activities and parts, narrowed by groups, weeks and a student, as a Moodle page asks for it.

As in answers.py: no Datasette here, nothing of Moodle's files, plain dicts and lists. The sets of students and the
planes of clicks are explained in bits.py.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from functools import reduce
from operator import and_, or_
from typing import Any

from loaders import answers, bits, choosing, numbering, times
from loaders.statements import ask
from loaders.student_completion import NOT_LOGGED

FARTHEST = 10**6  # weeks; nothing is farther away, and SQLite takes no number of any size


@dataclass
class Filters:
    """What narrows clicks: groups (Moodle's ids or names), weeks (both included), a student.

    `student` is Moodle's id, `person` our own key for somebody whose Moodle id is not known yet.
    """

    groups: list[str] = field(default_factory=list)
    together: str = "any"
    from_week: float | None = None
    to_week: float | None = None
    student: str = ""
    person: str = ""

    @property
    def weeks(self) -> dict[str, float]:
        """The bounds as parameters of a statement."""
        lowest = -FARTHEST if self.from_week is None else self.from_week
        highest = FARTHEST if self.to_week is None else self.to_week
        return {
            "from_week": min(max(lowest, -FARTHEST), FARTHEST),
            "to_week": min(max(highest, -FARTHEST), FARTHEST),
        }

    @property
    def has_weeks(self) -> bool:
        """True unless the whole time is asked for."""
        return self.from_week is not None or self.to_week is not None

    @property
    def is_empty(self) -> bool:
        """True when everybody's whole time is asked for."""
        return not (self.groups or self.student or self.person or self.has_weeks)


def usage(conn: sqlite3.Connection, course: dict, filters: Filters) -> dict[str, Any]:
    """Clicks, students and completed of every activity (by cmid) and part ("chapter:7") in one answer.

    `students` is the denominator: all students inside the filter. What Moodle does not log has clicks None.
    """
    groups = _sets_of_groups(conn, course)
    inside = _inside(conn, course, filters, groups)
    known = ask(conn, _ACTIVITIES, course=course["id"])
    opened = used(conn, "activity", course, filters, inside)
    return {
        "activities": {
            str(row["cmid"]): {
                "name": row["name"],
                "kind": row["kind"],
                **counted(course, row, opened.get(row["id"], (0, 0))),
                "completed": completed(row, filters, inside),
            }
            for row in known
            if row["cmid"] is not None
        },
        "parts": _parts(conn, course, used(conn, "part", course, filters, inside)),
        "students": inside.bit_count(),
        "instances": {f"{row['kind']}:{row['instance_id']}": row["cmid"] for row in known if row["instance_id"]},
        "data_up_to": course["data_up_to_utc"],
        "truncated": False,
        **_about(conn, course, groups),
    }


_ACTIVITIES = """
select activities.id, cmid, kind, name, instance_id, completed, completed_by
from activities left join usage_activity on usage_activity.activity_id = activities.id
where activities.course_id = :course
"""


def used(conn: sqlite3.Connection, noun: str, course: dict, filters: Filters, inside: int) -> dict[int, tuple]:
    """{our key of an activity or part: (clicks, students)} of those with a click inside the filter."""
    if filters.is_empty:
        sql = f"select {noun}_id, clicks, students from usage_{noun} where course_id = ? and clicks"
        return {key: (clicks, students) for key, clicks, students in conn.execute(sql, (course["id"],))}
    sql = f"select {noun}_id, planes from usage_{noun} where course_id = :course and clicks"
    if filters.has_weeks:
        sql = f"select {noun}_id, planes from usage_{noun}_week where course_id = :course"
        sql += " and week >= :from_week and week <= :to_week"
    clicks: dict[int, int] = defaultdict(int)
    who: dict[int, int] = defaultdict(int)
    for key, planes in conn.execute(sql, {"course": course["id"], **filters.weeks}):
        more, students = bits.count(planes, inside)
        if more:
            clicks[key] += more
            who[key] |= students
    return {key: (clicks[key], who[key].bit_count()) for key in clicks}


def counted(course: dict, activity: dict, found: tuple[int, int]) -> dict:
    """Clicks and students of one activity: 0 when nobody opened it, None when that cannot be known."""
    known = course["data_up_to_utc"] and is_logged(activity)
    return dict(zip(("clicks", "students"), found if known else (None, None), strict=True))


def is_logged(activity: dict) -> bool:
    """Whether Moodle writes a log line when somebody opens it."""
    return activity["kind"] not in NOT_LOGGED


def completed(activity: dict, filters: Filters, inside: int) -> int | None:
    """How many inside the filter have done an activity; None where it is not tracked, or no report has it."""
    if activity["completed"] is None or filters.is_empty:
        return activity["completed"]
    return (bits.read_set(activity["completed_by"]) & inside).bit_count()


def _parts(conn: sqlite3.Connection, course: dict, used: dict[int, tuple]) -> dict[str, dict]:
    """{"chapter:7": {clicks, students}} of every part known: 0 when nobody opened it, None without a log."""
    none = (0, 0) if course["data_up_to_utc"] else (None, None)
    found = conn.execute(_PARTS, (course["id"],))
    return {part: dict(zip(("clicks", "students"), used.get(key, none), strict=True)) for key, part in found}


_PARTS = """
select parts.id, parts.kind || ':' || parts.moodle_id
from activities join parts on parts.activity_id = activities.id
where activities.course_id = ?
order by parts.id
"""


def _sets_of_groups(conn: sqlite3.Connection, course: dict) -> list[tuple[int, int | None, str, int]]:
    """(our key, Moodle's id, name, set of its students) of every group, by name."""
    found = bits.sets_by(conn.execute(_MEMBERS, (course["id"],)))
    return [(*group, found.get(group[0], 0)) for group in answers.groups(conn, course)]


_MEMBERS = """
select groups.id, usage_person.position
from groups
join group_members on group_members.group_id = groups.id
join usage_person on usage_person.course_id = groups.course_id and usage_person.person_id = group_members.person_id
where groups.course_id = ?
"""


def students_inside(conn: sqlite3.Connection, course: dict, filters: Filters) -> int:
    """The set of the students inside the filter (see bits.py)."""
    return _inside(conn, course, filters, _sets_of_groups(conn, course))


def _inside(conn: sqlite3.Connection, course: dict, filters: Filters, groups: list[tuple]) -> int:
    inside = _one_or_all(conn, course, filters)
    known, sets = [group[:3] for group in groups], {group[0]: group[3] for group in groups}
    named = [
        reduce(or_, (sets[key] for key in choosing.choose("group", [name], known).ids), 0)
        for name in choosing.names(filters.groups)
    ]
    if named:
        inside &= reduce(and_ if filters.together == "all" else or_, named)
    return inside


def _one_or_all(conn: sqlite3.Connection, course: dict, filters: Filters) -> int:
    if not (filters.student or filters.person):
        everybody = conn.execute("select position from usage_person where course_id = ?", (course["id"],))
        return bits.as_set(position for (position,) in everybody)  # under a veil not all of them
    asked = {"course": course["id"], "student": filters.student, "person": filters.person}
    return bits.as_set(position for (position,) in conn.execute(_ONE, asked))


_ONE = """
select usage_person.position
from usage_person join people on people.id = usage_person.person_id
where usage_person.course_id = :course
    and :student in ('', people.moodle_id || '')
    and :person in ('', people.id || '')
"""


def is_unknown(conn: sqlite3.Connection, course: dict, filters: Filters) -> bool:
    """Whether a student is asked for whom the course does not have."""
    return bool(filters.student or filters.person) and not _one_or_all(conn, course, filters)


def _about(conn: sqlite3.Connection, course: dict, groups: list[tuple]) -> dict[str, Any]:
    """What a Moodle page needs besides numbers: what it can filter by, whose links are not a student's."""
    newest = times.local_text(course["data_up_to_utc"], course["timezone"]) if course["data_up_to_utc"] else None
    weeks = ask(conn, _WEEKS, course=course["id"], today=(newest or "")[:10])
    staff = [moodle_id for (moodle_id,) in conn.execute(_STAFF, (course["id"],))]
    return {
        "data_up_to_local": newest,
        "course": about_course(course),
        "groups": [
            {"id": moodle_id, "name": name, "students": students.bit_count()} for _, moodle_id, name, students in groups
        ],
        "weeks": [{**row, "is_break": bool(row["is_break"]), "words": _words(row)} for row in weeks],
        "staff": staff,
        "unknown_ids": conn.execute(_UNKNOWN_IDS, (course["id"],)).fetchone()[0],
    }


def _words(week: dict) -> str:
    return numbering.line(**week, today=date.today())


_WEEKS = (
    "select week, name, starts_on, is_break from weeks where course_id = :course and starts_on <= :today order by 1"
)
_STAFF = """
select people.moodle_id
from enrolments join people on people.id = enrolments.person_id
where enrolments.course_id = ? and enrolments.role != 'student' and people.moodle_id is not null
order by people.moodle_id
"""
_UNKNOWN_IDS = """
select count(*)
from enrolments join people on people.id = enrolments.person_id
where enrolments.course_id = ? and people.moodle_id is null
"""


def about_course(course: dict) -> dict:
    """What every answer says of its course."""
    return {key: course[key] for key in ("moodle_id", "shortname", "fullname", "timezone")}


def unknown_groups(conn: sqlite3.Connection, course: dict, filters: Filters) -> str | None:
    """A sentence with the names of the course's groups, where one that is asked for is none of them."""
    return choosing.choose("group", filters.groups, answers.groups(conn, course)).note
