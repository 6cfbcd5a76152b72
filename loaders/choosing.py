"""What somebody means who names a group, an activity or a student: Moodle's id, the name, or how it begins.

A student is found by how any word of the name begins, as teachers know many by their last names alone.
A section is named by its number on the course page, which is what teachers know it by, instead of Moodle's id.

Questions in SQL (see functions.py) and pages choose alike, and say the same where nothing or several fit.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field

from loaders.names import fold

ID, NAME, CASE, BEGINNING, NOT = range(5)  # how well it fits, best first
MANY = {
    "group": "groups", "activity": "activities", "student": "people", "section": "sections", "field": "fields",
    "value": "values", "grade": "grades",
}  # fmt: skip
LISTED = 12
MOST, LONGEST = 100, 300  # names in one list, and characters of each


@dataclass
class Choice:
    """`ids`: our keys of what fits; `note`: a sentence for each name that fits nothing, or too much."""

    ids: list[int] = field(default_factory=list)
    note: str | None = None


def choose(noun: str, asked: str | list[str], known: list[tuple[int, int | None, str | None]]) -> Choice:
    """What `asked` names among the `known`, rows of (our key, Moodle's id, name); a text may be a JSON list.

    Several groups of exactly this name are all meant; of anything else one must fit, and best.
    """
    found, notes = [], []
    several = names(asked)
    if len(several) > MOST:  # each is compared with all there are
        return Choice([], f"at most {MOST} {MANY[noun]} can be named at once")
    for name in several:
        fitting = best(noun, name, known)
        if len(fitting) == 1 or (noun == "group" and fitting and _fit(noun, name, *fitting[0][1:]) <= NAME):
            found += [row[0] for row in fitting]
        else:
            notes.append(_sentence(noun, name, fitting, known))
    return Choice(list(dict.fromkeys(found)), "; ".join(notes) or None)


def names(asked: str | list[str]) -> list[str]:
    """One name, or those of a JSON list, each as text and once."""
    if isinstance(asked, str) and asked.startswith("["):
        with suppress(ValueError, RecursionError):
            asked = json.loads(asked)
    several = asked if isinstance(asked, list) else [asked]
    return list(dict.fromkeys(str(name).strip()[:LONGEST] for name in several if str(name).strip()))


def _fit(noun: str, asked: str, moodle_id: int | None, name: str | None) -> int:
    if moodle_id is not None and asked == str(moodle_id):
        return ID
    if asked == (name or "").strip():
        return NAME
    own, wanted = fold(name), fold(asked)
    if own == wanted:
        return CASE
    if wanted and (own.startswith(wanted) or (noun == "student" and _begins_a_word(own, wanted))):
        return BEGINNING
    return NOT


def _begins_a_word(own: str, wanted: str) -> bool:
    """Whether a word of a name begins so; what is a number is an id and no part of a name."""
    return not wanted.isdigit() and re.search(rf"\b{re.escape(wanted)}", own) is not None


def best(noun: str, asked: str, known: list[tuple]) -> list[tuple]:
    """The rows that fit best; an id goes before a name."""
    fits = [(_fit(noun, asked, moodle_id, name), (key, moodle_id, name)) for key, moodle_id, name in known]
    closest = min((fit for fit, _ in fits), default=NOT)
    return [row for fit, row in fits if fit == closest and fit < NOT]


def _sentence(noun: str, asked: str, fitting: list[tuple], known: list[tuple]) -> str:
    if fitting:
        return f"several {MANY[noun]} {_how(noun, asked, fitting)} “{asked}”: {_listed(fitting)}"
    if noun in ("group", "section", "field", "value", "grade"):
        there = f"the {MANY[noun]} are {_listed(known)}" if known else f"no {MANY[noun]} of this course are loaded"
        number = " or has it as number" if noun == "section" else ""
        return f"no {noun} is called “{asked}”{number}; {there}"
    if noun == "student":
        return f"nobody in this course is called “{asked}” or has it as Moodle id"
    return f"no activity is called “{asked}” or has it as Moodle id"


def _how(noun: str, asked: str, fitting: list[tuple]) -> str:
    """How several fit a name."""
    if _fit(noun, asked, *fitting[0][1:]) < BEGINNING:
        return "are called"
    begin = all(fold(name).startswith(fold(asked)) for _, _, name in fitting)
    return "begin with" if begin else "have a name that begins with"


def _listed(rows: list[tuple]) -> str:
    """'Quiz 1 (11), Quiz 2 (12)': the number in brackets names it for certain."""
    said = [f"{name}" + (f" ({moodle_id})" if moodle_id is not None else "") for _, moodle_id, name in rows]
    more = f" and {len(said) - LISTED} more" if len(said) > LISTED else ""
    return ", ".join(said[:LISTED]) + more
