"""The activity completion report: who has completed what, and when. It holds no ids.

    ,"Email address","Course orientation &amp; overview","","Introduce yourself","2016-03-11 00:00:00"
    "Al & Co","w1012493@student.example.edu","Completed","2016-03-01 00:36:06","Not completed",""

The first header is empty. Then come the identity fields that the site shows, then two columns per activity;
the header of the second is the date by which it is expected, if any.
Source: Moodle, Reports, Activity completion, download.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING

from loaders.errors import Unreadable
from loaders.identity import Identity
from loaders.names import clean
from loaders.reading import Reading
from loaders.states import state_of
from loaders.times import is_time

if TYPE_CHECKING:
    from loaders.tables import Sheet
    from loaders.times import Clock

KIND, REPORT = "activity completion", "completion"
_JSON = "as JSON, Moodle's activity completion report loses everybody's name: download it as .csv instead"


def first_activity(header: list[str]) -> int | None:
    """The column of the first activity; None if this is not the header of an activity completion report."""
    if len(header) < 3 or header[0].strip():
        return None
    blank = (at for at in range(2, len(header)) if _is_date_header(header[at]))
    start = next(blank, 0) - 1
    if start < 1:
        return None
    names, dates = header[start::2], header[start + 1 :: 2]
    return start if all(map(str.strip, names)) and all(map(_is_date_header, dates)) else None


def _is_date_header(text: str) -> bool:
    return not text.strip() or is_time(text)


def recognise(sheet: Sheet) -> bool:
    """An empty first header, then pairs of an activity's name and an empty header or a date."""
    return _lost_names(sheet) if sheet.format == "json" else first_activity(sheet.header) is not None


def _lost_names(sheet: Sheet) -> bool:
    """Whether this is the JSON of the report, whose keys without letters became one."""
    row = next((row for _, row in islice(sheet.rows(), 1)), [])
    return "" in sheet.header and any(state_of(cell) for cell in row)


def read(sheet: Sheet, clock: Clock) -> Reading:
    """A `columns` claim, then a `person` and a `completion` claim per row. Raises Unreadable for JSON."""
    if sheet.format == "json":
        raise Unreadable(_JSON)
    start = first_activity(sheet.header)
    due = [text for text in sheet.header[start + 1 :: 2] if text.strip()]
    clock.settle(chain(due, (date for _, row in sheet.rows() for date in row[start + 1 :: 2])))
    identity = Identity(sheet, range(1, start), full=0)
    reading = Reading(KIND, (), notes=list(identity.notes))
    reading.claims = _claims(sheet, clock, identity, start, reading)
    return reading


def _claims(sheet: Sheet, clock: Clock, identity: Identity, start: int, reading: Reading) -> Iterator[dict]:
    yield {"noun": "columns", "activities": [_activity(*pair, clock) for pair in pairs(sheet.header, start)]}
    cells = Cells(clock)
    for line, row in sheet.rows():
        if not (person := identity.person(row)):
            continue
        claim = {"noun": "person", "line": line, "person": person, "in_course": True, "report": REPORT}
        details = identity.other(row)
        yield claim | ({"details": details} if details else {})
        found = [cells.read(line, state, date) for state, date in pairs(row, start)]
        yield {"noun": "completion", "line": line, "person": person, "cells": found}
        reading.newest_utc = cells.newest_utc
    reading.notes.extend(cells.notes())


def pairs(row: list[str], start: int) -> list[tuple[str, str]]:
    """Two cells at a time; the very last may be missing where a spreadsheet program cut it off."""
    cells = [*row[start:], ""] if (len(row) - start) % 2 else row[start:]
    return list(zip(cells[::2], cells[1::2], strict=True))


def _activity(name: str, due: str, clock: Clock) -> dict:
    return {"name": clean(name)} | ({"due_utc": clock.utc(due)} if due.strip() else {})


class Cells:
    """Reads states with their dates, and remembers the newest date and the words it did not know."""

    def __init__(self, clock: Clock):
        self.clock, self.newest_utc = clock, None
        self.unknown: Counter[str] = Counter()

    def read(self, line: int, state: str, date: str) -> list | None:
        """[state, completed_utc, set_by], or None where the cell is empty or its word is not known."""
        if not state.strip():
            return None
        try:
            utc = self.clock.utc(date) if date.strip() else None
        except Unreadable as error:
            raise Unreadable(str(error), line) from None
        if utc and utc > (self.newest_utc or ""):
            self.newest_utc = utc
        known = state_of(state)
        if known is None:
            self.unknown[clean(state)] += 1
            return None
        return [known[0], utc if known[0] != "incomplete" else None, known[1]]

    def notes(self) -> list[str]:
        """One sentence if there were words for states that are not known."""
        if not self.unknown:
            return []
        words = ", ".join(f"“{word}” ({count})" for word, count in self.unknown.most_common(5))
        return [
            f"these words for a state of completion are not known and were left out: {words}; switch Moodle"
            " to English and download the report again"
        ]
