"""A course's calendar as the teacher has it: its weeks and breaks, and when things are due.

It comes from a file (calendar_file.py), whose claims are kept like those of any other. Of several files for one course
the newest counts, whole.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from loaders.claims import Load
from loaders.numbering import WEEK, Numbering

NEWEST = """
select claims.claim, loads.id, loads.source
from claims join loads on loads.id = claims.load_id
where loads.course_id = ? and loads.error is null and claims.noun = 'calendar'
order by coalesce(loads.newest_utc, '') desc, coalesce(loads.modified_utc, '') desc, claims.claim desc
limit 1
"""


@dataclass(frozen=True)
class Break:
    """`weeks` weeks from the Monday `starts_on`."""

    starts_on: date
    weeks: int = 1
    name: str | None = None

    def mondays(self) -> list[date]:
        """The Monday of each of its weeks."""
        return [self.starts_on + place * WEEK for place in range(self.weeks)]

    def name_of(self, place: int) -> str | None:
        """What its week number `place`, from 0, is called."""
        return f"{self.name or 'Break'} ({place + 1} of {self.weeks})" if self.weeks > 1 else self.name


@dataclass(frozen=True)
class Calendar:
    """The weeks of a course; `breaks_count`: a break week has a number of its own, and weeks go on after it."""

    week_1: date  # a Monday
    last_week: int
    breaks_count: bool = True
    breaks: tuple[Break, ...] = ()  # in order
    names: dict[int, str] = field(default_factory=dict)

    def numbering(self) -> Numbering:
        """How its weeks are counted."""
        if self.breaks_count:
            return Numbering(self.week_1)
        return Numbering(self.week_1, tuple(start for one in self.breaks for start in one.mondays()))

    def weeks(self) -> dict[date, tuple[str | None, bool]]:
        """{Monday: (name, whether it is a break)} of every week from week 1, or the first one named, to the last."""
        number = self.numbering()
        start, end = (number.starts_on(n) for n in (min([1, *self.names]), self.last_week))
        found = {}
        while start <= end:
            found[start] = (self.names.get(number(start)), False)
            start += WEEK
        for one in self.breaks:
            for place, start in enumerate(one.mondays()):
                found[start] = (self.names.get(number(start)) or one.name_of(place), True)
        return found

    def claim(self) -> dict:
        """As it is kept."""
        return {
            "noun": "calendar",
            "week_1": self.week_1.isoformat(),
            "last_week": self.last_week,
            "breaks_count": self.breaks_count,
            "breaks": [[one.starts_on.isoformat(), one.weeks, one.name] for one in self.breaks],
            "names": {str(number): name for number, name in self.names.items()},
        }

    @classmethod
    def kept(cls, claim: dict) -> Calendar:
        """Out of a claim."""
        return cls(
            date.fromisoformat(claim["week_1"]),
            claim["last_week"],
            claim["breaks_count"],
            tuple(Break(date.fromisoformat(start), weeks, name) for start, weeks, name in claim["breaks"]),
            {int(number): name for number, name in claim["names"].items()},
        )


def of(connection: sqlite3.Connection, course_id: int) -> Calendar | None:
    """The calendar in force for a course, if a file gave one."""
    row = connection.execute(NEWEST, (course_id,)).fetchone()
    return Calendar.kept(json.loads(row[0])) if row else None


def source(connection: sqlite3.Connection, course_id: int) -> tuple[int, str] | None:
    """(load, file) of the calendar in force for a course."""
    row = connection.execute(NEWEST, (course_id,)).fetchone()
    return row[1:] if row else None


def newest(loads: Iterable[Load]) -> Load | None:
    """Of a course's loads, the calendar that is in force."""
    files = [load for load in loads if any(load.of("calendar"))]
    return max(files, key=_age, default=None)


def _age(load: Load) -> tuple:
    weeks = [json.dumps(claim, ensure_ascii=False, sort_keys=True) for claim in load.of("calendar", "due")]
    return load.newest, sorted(weeks, key=lambda text: '"noun": "calendar"' not in text)
