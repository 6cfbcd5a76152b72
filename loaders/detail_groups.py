"""Groups made of the columns of a teacher's spreadsheet: `Campus: Toowoomba`, to narrow every question by.

They stand in `groups` beside Moodle's own, whose `field` is null.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter, defaultdict

from loaders.claims import sync
from loaders.names import fold

FEWEST, MOST = 2, 12  # different values
COLUMNS = 20  # the first that do: a survey of 80 questions would bury the groups one looks for
LONGEST = 60  # letters; anything longer is free text
_NUMBER = re.compile(r"[-+]?[\d ().,/%-]*\d[ )%]*")  # a mark, a phone, a date
_SHORT_NUMBER = re.compile(r"\d{1,4}")  # a year, a tutorial
_STUDENTS = """
select enrolments.course_id, person_details.field, person_details.value, person_details.person_id
from person_details
join enrolments on enrolments.person_id = person_details.person_id
where coalesce(enrolments.role, 'student') = 'student'
order by person_details.id
"""
_OURS = "course_id = ? and field is not null"


def divides(values: list[str]) -> bool:
    """Whether these values, one a student, sort students into groups: a few that most share, not marks nor phones."""
    counts = Counter(map(fold, values))
    if not FEWEST <= len(counts) <= MOST or max(map(len, values)) > LONGEST:
        return False
    if any(_NUMBER.fullmatch(value) and not _SHORT_NUMBER.fullmatch(value) for value in values):
        return False
    return sum(students > 1 for students in counts.values()) > len(counts) / 2


def save_detail_groups(connection: sqlite3.Connection, fields: set[str]) -> None:
    """Write the groups of these fields in every course, with their members; those of other fields go."""
    said: dict[int, dict[str, dict[int, str]]] = defaultdict(lambda: defaultdict(dict))
    for course, field, value, person in connection.execute(_STUDENTS):
        if field in fields:
            said[course][field][person] = value
    for (course,) in connection.execute("select id from courses").fetchall():
        dividing = [field for field, words in said[course].items() if divides(list(words.values()))]
        _save(connection, course, {field: said[course][field] for field in dividing[:COLUMNS]})


def _save(connection: sqlite3.Connection, course: int, fields: dict[str, dict[int, str]]) -> None:
    moodles = {
        fold(name)
        for (name,) in connection.execute("select name from groups where course_id = ? and field is null", (course,))
    }
    members: dict[tuple[int, str, str], list[int]] = defaultdict(list)
    for field, words in fields.items():
        shown = spellings(words.values())
        for person, value in words.items():
            name = f"{field}: {shown[fold(value)]}"
            name += " (your spreadsheet)" * (fold(name) in moodles)
            members[course, field, name].append(person)
    sync(connection, "groups", ("course_id", "field", "name"), {key: {} for key in sorted(members)}, _OURS, (course,))
    sql = f"select course_id, field, name, id from groups where {_OURS}"
    keys = {tuple(row): key for *row, key in connection.execute(sql, (course,))}
    sync(
        connection, "group_members", ("group_id", "person_id"),
        {(keys[group], person): {} for group, people in members.items() for person in sorted(people)},
        f"group_id in (select id from groups where {_OURS})", (course,),
    )  # fmt: skip


def spellings(values) -> dict[str, str]:
    """By folded value its most usual spelling, so that `toowoomba ` is no campus of its own."""
    counts = Counter(values)
    best: dict[str, str] = {}
    for value in sorted(counts, key=lambda value: (-counts[value], value)):
        best.setdefault(fold(value), value)
    return best
