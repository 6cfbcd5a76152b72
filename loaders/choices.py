"""What the form of a question offers: lists from the data of a course, each in the order a teacher expects.

A list is [(heading, [(value, words)])]: without a heading where it has no parts. Values are what the SQL of questions
takes, see choosing.py.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import groupby

from loaders import numbering, times
from loaders.statements import rows

List = list[tuple[str, list[tuple]]]
OF_WEEKS = ("week", "from_week", "to_week")
OF_ACTIVITIES = ("activity", "due", "book", "forum", "parted", "graded")


def list_of(parameter: str, chosen_from: dict[str, str]) -> str:
    """The list that a parameter is chosen from: what metadata.yml says of it under `choices`, else its own name."""
    name = chosen_from.get(parameter, parameter)
    return "week" if name in OF_WEEKS else name


def of_courses(conn: sqlite3.Connection) -> tuple[List, List]:
    """(courses, sites), the newest course first. Offerings of one name are told apart by their short names."""
    every = rows(conn, "courses")
    named = Counter(row["fullname"] for row in every)
    courses = [(row["moodle_id"], _course_words(row, named)) for row in every if row["moodle_id"]]
    sites = dict.fromkeys(row["site"] for row in every if row["site"])
    return _plain(_told_apart(courses)), _plain([(site, site) for site in sites])


def of_course(conn: sqlite3.Connection, course: dict, wanted: set[str]) -> dict[str, List]:
    """Those lists of a course that are wanted, by their names; `student` is for a field to search in."""
    found = {name: make(conn, course) for name, make in _LISTS.items() if name in wanted}
    if wanted & set(OF_ACTIVITIES):
        found |= _activities(conn, course, wanted)
    return found


def _course_words(row: dict, named: Counter) -> str:
    name = row["fullname"] or row["shortname"] or f"Course {row['moodle_id']}"
    return f"{name} ({row['shortname']})" if named[row["fullname"]] > 1 and row["shortname"] else name


def _activities(conn: sqlite3.Connection, course: dict, wanted: set[str]) -> dict[str, List]:
    """By section; `due` to `graded` are parts of `activity`, or all of it where they have none."""
    every = rows(conn, "choices", course=course["id"])
    words = dict(_told_apart([(row["value"], row["words"]) for row in every]))
    fits: dict[str, Callable[[dict], bool]] = {
        "due": lambda row: row["is_due"],
        "graded": lambda row: row["is_graded"],
        "book": lambda row: row["kind"] == "book",
        "forum": lambda row: row["kind"] == "forum",
        "parted": lambda row: row["kind"] in ("book", "forum"),
        "activity": lambda row: True,
    }
    found = {}
    for name in wanted & set(OF_ACTIVITIES):
        chosen = list(filter(fits[name], every)) or every
        sections = groupby(chosen, key=lambda row: (row["section_id"], row["section"]))
        found[name] = [(key[1], [(row["value"], words[row["value"]]) for row in group]) for key, group in sections]
    return found


def _groups(conn: sqlite3.Connection, course: dict) -> List:
    """Moodle's own groups, then those of each column of the teacher's spreadsheet under its name."""
    named: dict[str, list] = defaultdict(list)
    statement = "select coalesce(field, ''), moodle_id, name from groups where course_id = ? order by 1, 3"
    for field, moodle_id, name in conn.execute(statement, (course["id"],)):
        named[field].append((moodle_id or name, name.removeprefix(f"{field}: ") if field else name))
    return list(named.items())


def _sections(conn: sqlite3.Connection, course: dict) -> List:
    """By number, which is what questions take; a section without one by its name."""
    statement = """
        select coalesce(number, name), coalesce(name, 'Section ' || number)
        from sections where course_id = ? and coalesce(number, name) is not null
        order by number is null, number, id
    """
    return _plain(_told_apart(conn.execute(statement, (course["id"],)).fetchall()))


def _weeks(conn: sqlite3.Connection, course: dict) -> List:
    """Up to the newest line of the log."""
    statement = "select week, name from weeks where course_id = ? and starts_on <= ? order by week"
    newest = course["data_up_to_utc"]
    today = times.local_text(newest, course["timezone"])[:10] if newest else ""
    weeks = conn.execute(statement, (course["id"], today))
    return _plain([(week, numbering.words(week, name)) for week, name in weeks])


def _students(conn: sqlite3.Connection, course: dict) -> List:
    """By name; of several with one name, staff counted too, the value is Moodle's id, where it is known."""
    people = rows(conn, "students_by_name", course=course["id"])
    return _plain([_student(row) for row in people if row["role"] == "student"])


def _student(row: dict) -> tuple:
    if row["namesakes"] == 1 or row["moodle_id"] is None:
        return (row["fullname"], row["fullname"])
    return (row["moodle_id"], f"{row['fullname']} ({row['moodle_id']})")


def _grades(conn: sqlite3.Connection, course: dict) -> List:
    """Grade items as the gradebook has them, whether shown as points, per cent or letters."""
    statement = "select name, name from grade_items where course_id = ? group by name order by min(id)"
    return _plain(conn.execute(statement, (course["id"],)).fetchall())


def _fields(conn: sqlite3.Connection, course: dict) -> List:
    """The fields that files have for students of the course, in the order of their columns."""
    return _plain(conn.execute(_FIELDS, (course["id"],)).fetchall())


_FIELDS = """
select person_details.field, person_details.field
from enrolments join person_details on person_details.person_id = enrolments.person_id
where enrolments.course_id = ? and enrolments.role = 'student'
group by person_details.field
order by min(person_details.id)
"""
_LISTS: dict[str, Callable[[sqlite3.Connection, dict], List]] = {
    "group": _groups,
    "section": _sections,
    "week": _weeks,
    "student": _students,
    "grade": _grades,
    "field": _fields,
}


def _plain(options: list[tuple]) -> List:
    """A list without parts."""
    return [("", options)] if options else []


def _told_apart(options: list[tuple]) -> list[tuple]:
    """Options with their value in brackets, where two have the same words."""
    said = Counter(words for _, words in options)
    return [(value, f"{words} ({value})" if said[words] > 1 else words) for value, words in options]
