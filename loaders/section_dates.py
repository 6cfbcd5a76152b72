"""What the names of a course's sections say of its calendar: dates, numbers of weeks, breaks.

Moodle's weekly format names a section by its days, in the language of the site, without the year:

    15 February - 21 February    February 15 - February 21    15 février - 21 février    2月15日 - 2月21日
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from loaders import months
from loaders.activities import WEEK

BREAK = re.compile(
    r"\b(?:break|recess|vacations?|holidays?|non-teaching|reading week|\w*ferien|vorlesungsfrei\w*|relâche|vacances"
    r"|pausa|pause|receso|vacaciones|recesso|férias|vacanze|vakantie|reces|\w*ferie|\w*loma(?:viikko)?|przerwa"
    r"|prázdniny|szünet|каникулы|休み|假期)\b",
    re.I,
)
MONTH_DAY = re.compile(r"^(\d+) ?[月월] ?(\d+) ?[日일]$")
HALF_A_YEAR = timedelta(days=183)
AFTER_NUMBER = " \t:.,;·|–—-"


def days(names: Iterable[str | None], near: date) -> dict[str, tuple[date, date]]:
    """{name: (first day, last day)} of those sections that are named by their days, in the year that fits `near`."""
    halves = {name: found for name in set(names) if (found := _halves(name or ""))}
    groups = {words for pair in halves.values() for _, words in pair if words}
    readings = months.meanings(groups) if groups else [{}]
    if len(readings) != 1:
        return {}
    found = {}
    for name, pair in halves.items():
        first, last = (_date(number, words, readings[0], near) for number, words in pair)
        if first and last:
            found[name] = (first, last if last >= first else last.replace(year=last.year + 1))
    return found


def _halves(name: str) -> list[tuple[tuple[int, ...], tuple[str, ...]]]:
    """Of each of the two days: its numbers, and the words among which its month is; empty if it is no such name."""
    halves = re.split(r" [-–—] ", months.plain(name))
    found = [half for half in map(_half, halves) if half]
    return found if len(halves) == len(found) == 2 else []


def _half(text: str) -> tuple[tuple[int, ...], tuple[str, ...]] | None:
    if numbers := MONTH_DAY.match(text):
        return (int(numbers[1]), int(numbers[2])), ()
    parts = months.tokens(text)
    numbers = [int(part) for part in parts if part.isdecimal()]
    words = tuple(part for part in parts if months.is_month(part))
    return ((numbers[0],), words) if len(numbers) == 1 and words and len(parts) <= 4 else None


def _date(numbers: tuple[int, ...], words: tuple[str, ...], names, near: date) -> date | None:
    """The day, in the year that brings it nearest to `near`."""
    month = numbers[0] if len(numbers) == 2 else next((names[word] for word in words if word in names), 0)
    found = []
    for year in (near.year - 1, near.year, near.year + 1):
        try:
            found.append(date(year, month, numbers[-1]))
        except ValueError:
            continue
    return min(found, key=lambda day: abs(day - near - HALF_A_YEAR / 2), default=None)


def names_of_weeks(sections: Iterable[tuple[int | None, str | None]]) -> Iterator[tuple[int, str]]:
    """(week, name) of sections such as "Week 3: Planning", from (number, name) pairs; 'Planning'."""
    for _, name in sections:
        found = WEEK.search(name or "")
        rest = found and (name[: found.start()] + name[found.end() :]).strip(AFTER_NUMBER)
        if rest:
            yield int(found[1]), rest


def is_break(name: str | None) -> bool:
    """Whether a section is named like a break."""
    return bool(BREAK.search(name or ""))
