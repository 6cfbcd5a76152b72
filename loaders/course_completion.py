"""The course completion report: the one download of a teacher's that holds user ids.

    ID,Name,"Email address",Quiz,"Quiz - Completion date","Grade 50 required","Course complete"
    9,"Al & Co",w1012493@student.example.edu,Completed,"1/03/16, 00:36",,"22/11/26, 20:24"

After the identity fields comes one column per criterion with the date it was met, and two per activity
criterion (state and date). Source: Moodle, Reports, Course completion, download; where criteria are set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from loaders.activity_completion import Cells
from loaders.errors import Unreadable
from loaders.identity import Identity
from loaders.names import clean, fold
from loaders.reading import Reading
from loaders.times import may_be_time

if TYPE_CHECKING:
    from loaders.tables import Sheet
    from loaders.times import Clock

KIND = REPORT = "course completion"
_ID = re.compile(r"\d{1,18}")


def recognise(sheet: Sheet) -> bool:
    """User ids first, then names; then pairs of an activity and its date, or dates only at the end."""
    header = sheet.header
    if len(header) < 3 or "discussion" in header:
        return False
    rows = [row for _, row in islice(sheet.rows(), 50)]
    if not all(_ID.fullmatch(row[0]) and row[1].strip() and not row[1].isdecimal() for row in rows):
        return False
    if activity_columns(header):
        return True
    dates = all(not row[-1].strip() or may_be_time(row[-1]) for row in rows)
    return bool(rows) and dates and fold(header[0]) in ("id", "identifiant", "kennung", "identificador")


def activity_columns(header: list[str]) -> list[int]:
    """The first of each two columns whose headers are `X` and `X - Completion date`."""
    pairs = enumerate(pairwise(header))
    return [at for at, (name, date) in pairs if at >= 2 and name and date.startswith(f"{name} - ")]


def read(sheet: Sheet, clock: Clock) -> Reading:
    """A `person` claim with `moodle_id` per row; `columns` and `completion` for activity criteria."""
    activities = activity_columns(sheet.header)
    fields = _fields(sheet, activities[0] if activities else len(sheet.header) - 1)
    if activities:
        dates = [at for at in range(2, len(sheet.header)) if at not in (*fields, *activities)]
        clock.settle(row[at] for _, row in sheet.rows() for at in dates)
    identity = Identity(sheet, fields, full=1)
    reading = Reading(KIND, (), notes=list(identity.notes))
    reading.claims = _claims(sheet, clock, identity, activities, reading)
    return reading


def _fields(sheet: Sheet, end: int) -> list[int]:
    """The identity columns: those before the criteria; a criterion's cells are dates or empty."""
    rows = [row for _, row in sheet.rows()]
    return [at for at in range(2, end) if any(row[at].strip() and not may_be_time(row[at]) for row in rows)]


def _claims(sheet: Sheet, clock: Clock, identity: Identity, activities: list[int], reading: Reading) -> Iterator[dict]:
    if activities:
        yield {"noun": "columns", "activities": [{"name": clean(sheet.header[at])} for at in activities]}
    cells = Cells(clock)
    for line, row in sheet.rows():
        if not _ID.fullmatch(row[0]):
            raise Unreadable("a line does not begin with a user id: download the report again", line)
        person = {"moodle_id": int(row[0])} | identity.person(row)
        claim = {"noun": "person", "line": line, "person": person, "in_course": True, "report": REPORT}
        details = identity.other(row)
        yield claim | ({"details": details} if details else {})
        if activities:
            found = [cells.read(line, row[at], row[at + 1]) for at in activities]
            yield {"noun": "completion", "line": line, "person": person, "cells": found}
        reading.newest_utc = cells.newest_utc
    reading.notes.extend(cells.notes())
