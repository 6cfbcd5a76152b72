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

from loaders.placing import Answer
from loaders.usage import Filters

COLUMNS = ("cmid", "number")
MOST_WORDS = 300  # characters that a mark says when it is pointed at
NAMES_WITHHELD = "some of its words name a student: those stay here, as a Moodle page can be read by its scripts"
_PEOPLE = """
select fullname, email
from enrolments join people on people.id = enrolments.person_id
where enrolments.course_id = ?
"""


_STUDENT = (("student", "moodle_id"), ("person", "person"))  # parameter, what it is given


class Odd(Exception):
    """An answer that is no number for each activity; the message is a sentence."""


def given(course: dict, filters: Filters, person: dict | None, params: Collection[str]) -> dict[str, str]:
    """What a question with these parameters is asked.

    `person` is the one student asked for. Several groups are a JSON list, which means anybody in one of them.
    """
    offered = {
        "course": course["moodle_id"],
        "site": course["site"],
        "group": _group(filters) if _follows_groups(filters) else None,
        "from_week": filters.from_week,
        "to_week": filters.to_week,
        "student": person and person["moodle_id"],
        "person": person and person["person"],
    }
    return {name: str(value) for name, value in offered.items() if name in params and value is not None}


def followed(params: Collection[str], filters: Filters, person: dict | None) -> dict[str, list[str]]:
    """`honoured` and `ignored`: of the filters in force those that a question with these parameters follows or not."""
    in_force = {
        "group": (bool(filters.groups), "group" in params and _follows_groups(filters)),
        "from_week": (filters.from_week is not None, "from_week" in params),
        "to_week": (filters.to_week is not None, "to_week" in params),
        "student": (person is not None, any(person and person[key] and name in params for name, key in _STUDENT)),
    }
    asked = [(name, does) for name, (is_on, does) in in_force.items() if is_on]
    return {
        "honoured": [name for name, does in asked if does],
        "ignored": [name for name, does in asked if not does],
    }


def by_activity(answer: Answer) -> dict[str, dict]:
    """{cmid: {number, words}} of an answer; an activity with no number, or no cmid yet, has no mark. Raises Odd."""
    if answer.error:
        raise Odd(answer.error)
    try:
        return _by_activity(answer.columns, answer.rows, answer.is_cut, answer.note)
    except Odd as odd:
        raise Odd(f"{answer.file}: {odd}.") from None


def _by_activity(columns: Sequence[str], rows: Sequence[Sequence], is_cut: bool, note: str) -> dict[str, dict]:
    if note:
        raise Odd(note)
    if missing := [name for name in COLUMNS if name not in columns]:
        raise Odd(f"the answer has no column “{missing[0]}”: select cmid and number (and words, if you like)")
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


def _names_one_of(people: list[str], words: str | None) -> bool:
    said = (words or "").casefold()
    return any(name in said and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", said) for name in people)


def _number(value: Any) -> int | float:
    if isinstance(value, int | float) and math.isfinite(value):
        return value
    raise Odd(f"“{str(value)[:40]}” is no number: cast it, and put what else there is to say into words")


def _follows_groups(filters: Filters) -> bool:
    """A question's `group` may be several, and means anybody in one of them; nobody can ask it for who is in all."""
    return filters.together == "any" or len(filters.groups) < 2


def _group(filters: Filters) -> str | None:
    groups = filters.groups
    return groups[0] if len(groups) == 1 else json.dumps(groups) if groups else None
