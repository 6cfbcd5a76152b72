"""The participants download: who is in the course, with their groups, but without ids, roles or status.

    "First name","Last name","Email address",Groups
    Mohammed,Al-Fāris,w1012604@student.example.edu,"Online, Springfield"

Between the names and the groups stand the identity fields that the site shows (id number, phone, city ...).
Source: Moodle, Participants, select all, "With selected users... download table data as".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from loaders import headings
from loaders.identity import EMAIL, Identity
from loaders.names import clean
from loaders.reading import Reading

if TYPE_CHECKING:
    from loaders.tables import Sheet
    from loaders.times import Clock

KIND = "participants"
_COMMAS = (
    "nobody is in {names} only: a group that has “, ” in its own name was split there, which the group"
    " overview or the saved participants page would put right"
)


def recognise(sheet: Sheet) -> bool:
    """First and last name, then nothing that is not a field of the person, and the groups at the end."""
    header = sheet.header
    if len(header) < 3:
        return False
    if headings.name_columns(header) is None:
        return _looks_right(sheet)
    others = header[2:]
    if headings.says(others[-1], "groups"):
        return True
    return all(headings.is_identity(name) for name in others)


def _looks_right(sheet: Sheet) -> bool:
    """In a language not known here: two names, an email address, at most one column more."""
    header = sheet.header
    known = [name for name in header if any(headings.says(name, what) for what in headings.WORDS)]
    rows = [row for _, row in islice(sheet.rows(), 20)]
    if len(header) not in (3, 4) or known or "" in header or not rows:
        return False
    return all(
        EMAIL.fullmatch(clean(row[2])) and not any(letter.isdigit() for letter in row[0] + row[1]) for row in rows
    )


def read(sheet: Sheet, clock: Clock) -> Reading:
    """One `person` claim per row, all of them in the course; `groups` is complete, [] for people in none."""
    names = headings.name_columns(sheet.header) or (0, 1)
    last = len(sheet.header) - 1
    groups = last if headings.says(sheet.header[last], "groups") or len(sheet.header) == 4 else None
    if groups is not None and headings.is_identity(sheet.header[last]):
        groups = None
    identity = Identity(sheet, range(2, last if groups is not None else last + 1), names=names)
    reading = Reading(KIND, (), notes=list(identity.notes))
    reading.claims = _claims(sheet, identity, groups, reading.notes)
    return reading


def _claims(sheet: Sheet, identity: Identity, groups: int | None, notes: list[str]) -> Iterator[dict]:
    together: Counter[str] = Counter()
    alone: set[str] = set()
    for line, row in sheet.rows():
        person = identity.person(row)
        if not person:
            continue
        claim = {"noun": "person", "line": line, "person": person, "in_course": True, "report": KIND}
        if groups is not None:
            names = split_groups(row[groups])
            claim["groups"] = [{"name": name} for name in names]
            alone.update(names if len(names) == 1 else ())
            together.update(names if len(names) > 1 else ())
        if details := identity.other(row):
            claim["details"] = details
        yield claim
    if doubtful := sorted(together.keys() - alone):
        names = ", ".join(f"“{name}”" for name in doubtful[:5])
        notes.append(_COMMAS.format(names=names))


def split_groups(text: str) -> list[str]:
    """The names in a Groups cell: `Online, Springfield` -> two."""
    return [name for part in text.split(", ") if (name := clean(part))]
