"""What a reader of a shared question may choose: a course, one of the groups, one week. Nothing that can be subtracted.

Two groups with students in common, or a group beside the whole class, differ by few at times; so do weeks 1 to 5 and
weeks 1 to 6. So a reader chooses one group among those that share nobody, and one week at a time, never all of them.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Mapping

from loaders import answers, choices
from loaders.shares import WEEKS
from loaders.small_counts import LEAST

Options = list[tuple[str, str]]  # (value, words)
WORDS = {"course": "Course", "group": "Group", "section": "Section", "week": "Week"}
NONE = {
    "course": "No course is loaded here yet.",
    "group": "No group of this course has 5 students or more, shares none with another, and leaves none or 5 others.",
    "section": "No sections of this course are loaded here yet.",
    "week": "No weeks of this course are loaded here yet.",
}


class Refused(Exception):
    """What was chosen is not offered, or there is nothing to choose; the message is a sentence for the reader."""


def chosen(
    conn: sqlite3.Connection, free: Collection[str], fixed: Mapping[str, str], given: Mapping[str, str]
) -> tuple[dict[str, str], list[dict]]:
    """(the question's parameters, the fields of the form) of what a reader gives; what she leaves out is the first
    course, group or section, and the newest week.

    `fixed` is what the teacher chose. A field is `name`, `words`, `value`, `options`. Raises Refused.
    """
    found, fields = dict(fixed), []
    if "course" in free:
        fields.append(_field("course", _flat(choices.of_courses(conn)[0]), given))
        found |= {"course": fields[-1]["value"], "site": ""}
    course = answers.course(conn, found.get("course") or "", found.get("site") or "")
    if course is None:
        raise Refused(NONE["course"])
    if "group" in free:
        fields.append(_field("group", groups_apart(conn, course), given))
    if "section" in free:
        fields.append(_field("section", _flat(choices.of_course(conn, course, {"section"}).get("section")), given))
    found |= {field["name"]: field["value"] for field in fields}
    if free_weeks := WEEKS & set(free):
        weeks = _flat(choices.of_course(conn, course, {"week"}).get("week"))
        fields.append(_field("week", weeks, given, newest=True))
        found |= dict.fromkeys(free_weeks, fields[-1]["value"])
    return found, fields


def groups_apart(conn: sqlite3.Connection, course: dict) -> Options:
    """The groups of a course that share no student, each of 5 or more, with nobody or 5 and more left over.

    Moodle's own come first, then those made of a spreadsheet, each in order of name.
    """
    students = {key for (key,) in conn.execute(_STUDENTS, (course["id"],))}
    members: dict[str, set[int]] = defaultdict(set)
    words = {}
    for moodle_id, name, person in conn.execute(_MEMBERS, (course["id"],)):
        value = str(moodle_id or name)  # without an id, all groups of one name are meant
        members[value] |= {person} & students
        words[value] = name
    kept: list[str] = []
    left = students
    for value, there in members.items():
        if len(there) >= LEAST and there <= left:
            kept.append(value)
            left = left - there
    while kept and 0 < len(left) < LEAST:
        left = left | members[kept.pop()]
    return [(value, words[value]) for value in kept]


_STUDENTS = "select person_id from enrolments where course_id = ? and role = 'student'"
_MEMBERS = """
select groups.moodle_id, groups.name, group_members.person_id
from groups join group_members on group_members.group_id = groups.id
where groups.course_id = ?
order by groups.field is not null, groups.name, groups.id
"""


def _field(name: str, options: Options, given: Mapping[str, str], newest: bool = False) -> dict:
    if not options:
        raise Refused(NONE[name])
    value = (given.get(name) or "").strip() or options[-1 if newest else 0][0]
    if value not in dict(options):
        raise Refused(f"“{WORDS[name]}” takes one of those that are offered here.")
    return {"name": name, "words": WORDS[name], "value": value, "options": options}


def _flat(listed: choices.List | None) -> Options:
    return [(str(value), str(words)) for _, options in listed or [] for value, words in options]
