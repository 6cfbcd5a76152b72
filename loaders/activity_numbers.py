"""A question's answer as a number beside each activity of a Moodle page: what it is narrowed by, which number is whose.

Plain dicts and lists; nothing of Moodle's files.
"""

from __future__ import annotations

import json
import math
import re
import sqlite3
from collections.abc import Collection, Sequence
from typing import Any

from loaders import answers, placing
from loaders.usage import Filters

COLUMNS = ("cmid", "number")
MOST_WORDS = 300  # characters that a mark says when it is pointed at
NAMES_WITHHELD = "some of its words name a student: those stay here, as a Moodle page can be read by its scripts"
_PEOPLE = """
select fullname, email
from enrolments join people on people.id = enrolments.person_id
where enrolments.course_id = ?
"""


class Odd(Exception):
    """An answer that is no number for each activity; the message is a sentence with the remedy."""


def narrowed(params: Collection[str], filters: Filters, person: dict | None) -> tuple[dict[str, str], dict]:
    """(what the question is given, `honoured` and `ignored`: the filters in force that it does and does not follow).

    `person` is the one student asked for. Several groups are a JSON list, which means anybody in one of them.
    """
    groups = filters.groups if filters.together == "any" else filters.groups[:1] if len(filters.groups) == 1 else []
    offered = {
        "group": _group(groups),
        "from_week": _text(filters.from_week),
        "to_week": _text(filters.to_week),
        "student": _text((person or {}).get("moodle_id")),
        "person": _text((person or {}).get("person")),
    }
    given = {name: value for name, value in offered.items() if name in params and value}
    in_force = {
        "group": bool(filters.groups),
        "from_week": filters.from_week is not None,
        "to_week": filters.to_week is not None,
        "student": person is not None,
    }
    followed = {**dict.fromkeys(given, True), "student": "student" in given or "person" in given}
    asked = [name for name, is_on in in_force.items() if is_on]
    said = {
        "honoured": [name for name in asked if followed.get(name)],
        "ignored": [name for name in asked if not followed.get(name)],
    }
    return given, said


def by_activity(columns: Sequence[str], rows: Sequence[Sequence], is_cut: bool) -> dict[str, dict]:
    """{cmid: {number, words}} of an answer; an activity with no number, or no cmid yet, has no mark. Raises Odd."""
    if said := placing.note(columns, rows):
        raise Odd(said)
    if missing := [name for name in COLUMNS if name not in columns]:
        raise Odd(f"it has no column “{missing[0]}”: select cmid and number (and words, if you like)")
    if is_cut:
        raise Odd(f"it has more than {len(rows):,} rows: give one row for each activity (group by cmid)")
    found: dict[str, dict] = {}
    for row in (dict(zip(columns, each, strict=True)) for each in rows):
        if row["cmid"] is None or row["number"] is None:
            continue
        cmid = str(row["cmid"])
        if not cmid.isdecimal():
            raise Odd(f"“{cmid[:40]}” is no cmid: select activities.cmid, the id in Moodle's address")
        if cmid in found:
            raise Odd(f"the activity {cmid} has two rows: give one row for each activity (group by cmid)")
        words = row.get("words")
        found[cmid] = {"number": _number(row["number"]), "words": None if words is None else str(words)[:MOST_WORDS]}
    return found


def without_names(conn: sqlite3.Connection, course: dict, activities: dict[str, dict]) -> dict[str, dict]:
    """The same, without words that hold the name or the e-mail of somebody in the course."""
    if not any(each["words"] for each in activities.values()):
        return activities
    people = [text.casefold() for row in conn.execute(_PEOPLE, [course["id"]]) for text in row if text]
    return {
        cmid: {**each, "words": None if _names_one_of(people, each["words"]) else each["words"]}
        for cmid, each in activities.items()
    }


def student(conn: sqlite3.Connection, course: dict, filters: Filters) -> dict | None:
    """The one student asked for, or None."""
    if not (filters.student or filters.person):
        return None
    return answers.person(conn, course, user=filters.student, person=filters.person)


def _names_one_of(people: list[str], words: str | None) -> bool:
    said = (words or "").casefold()
    return any(name in said and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", said) for name in people)


def _number(value: Any) -> int | float:
    if isinstance(value, int | float) and math.isfinite(value):
        return value
    raise Odd(f"“{str(value)[:40]}” is no number: cast it, and put what else there is to say into words")


def _group(groups: list[str]) -> str:
    return groups[0] if len(groups) == 1 else json.dumps(groups) if groups else ""


def _text(value: Any) -> str:
    return "" if value is None else str(value)
