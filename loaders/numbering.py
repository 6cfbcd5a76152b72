"""Teaching weeks by number: which week a day is in, and how a week is called.

A week that belongs to a break has a number like any other, or it has none of its own: weeks go on counting after it,
and it gets a fraction in between, so that it still has its place. Of one such week between 4 and 5 that is 4.5, of
two 4.33 and 4.67. A fraction is for sorting and for filters; people are shown words.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

WEEK = timedelta(weeks=1)


def monday(day: date) -> date:
    """The Monday of the week that holds `day`."""
    return day - timedelta(days=day.weekday())


@dataclass(frozen=True)
class Numbering:
    """How the weeks of a course are counted.

    `week_1` is a Monday; `uncounted` the Mondays of break weeks without a number of their own, in order, all later.
    """

    week_1: date
    uncounted: tuple[date, ...] = ()
    _fractions: dict[date, float] = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        object.__setattr__(self, "_fractions", dict(self._between()))

    def __call__(self, day: date) -> int | float:
        """The number of the week that holds `day`: 1, 2 ...; 0, -1 ... before; 4.5 for a break without a number."""
        start = monday(day)
        return self._fractions[start] if start in self._fractions else self._whole(start)

    def _whole(self, start: date) -> int:
        return (start - self.week_1).days // 7 + 1 - bisect_left(self.uncounted, start)

    def _between(self) -> Iterable[tuple[date, float]]:
        """The fraction of each uncounted week, by its place in its run of neighbours."""
        for run in runs(self.uncounted):
            before = self._whole(run[0]) - 1
            for place, start in enumerate(run, 1):
                yield start, round(before + place / (len(run) + 1), 2 if len(run) < 99 else 4)

    def starts_on(self, number: int | float) -> date:
        """The Monday of a week; the other way round than calling."""
        for start, fraction in self._fractions.items():
            if fraction == number:
                return start
        start = self.week_1 + (int(number) - 1) * WEEK
        for pause in self.uncounted:
            start += WEEK * (pause <= start)
        return start


def runs(mondays: Iterable[date]) -> list[list[date]]:
    """Mondays in order, neighbours together."""
    found: list[list[date]] = []
    for start in mondays:
        if found and start - found[-1][-1] == WEEK:
            found[-1].append(start)
        else:
            found.append([start])
    return found


def line(week: float, name: str | None, starts_on: str, is_break: bool, today: date) -> str:
    """'5 · Getting started · 28 Mar', to choose from a list; a break without a number: 'Easter break · 28 Mar'.

    The year is said where it is not this one.
    """
    start = date.fromisoformat(starts_on)
    day = f"{start.day} {start:%b}" + ("" if start.year == today.year else f" {start:%y}")
    if week % 1:
        return f"{words(week, name)} · {day}"
    return " · ".join(filter(None, (str(int(week)), name, day, is_break and "break")))


def words(week: float | None, name: str | None = None) -> str | None:
    """'Week 5', 'Week 5: Getting started'; a break without a number by its name alone, 'Easter break'."""
    if week is None:
        return None
    if week % 1:
        return name or "Break"
    said = f"Week {int(week)}"
    return said if not name or name == said else f"{said}: {name}"
