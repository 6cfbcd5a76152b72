"""Which number of a date is the day, and what its words mean: decided from all dates of a file together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from loaders import months
from loaders.errors import Unreadable

ORDERS = {"dmy": "day first", "mdy": "month first", "ymd": "year first"}
_TIME = re.compile(r"(?<![\d:])(\d{1,2})(:|\.|\s?h\s?)(\d{2})(?:[:.](\d{2}))?(?![\d:])")
_HALF_BEFORE = re.compile(r"([^\s\d.,;:()]+)\s?$")
_HALF_AFTER = re.compile(r"\s?([ap] m\b|[^\s\d.,;:()]+)")
_YEAR_WORDS = ("年", "년")
_DOTS = re.compile(r"\d\. ?\d+\. ?\d")
_YEARS = range(1970, 2200)
_ONE_DAY = timedelta(days=1)
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@dataclass(frozen=True)
class Split:
    """A time's text taken apart."""

    day: str  # the words and numbers of its date
    seconds: int  # since midnight
    has_seconds: bool
    shape: str  # what is alike in all times of one file
    day_first: bool  # the whole date, and nothing of the time, stands before the hour


def split(text: str) -> Split | None:
    """Take a time apart; None if there is no time of day in it."""
    plain = months.plain(text)
    found = list(_TIME.finditer(plain))
    at = next((m for m in reversed(found) if m[2] == ":"), found[-1] if found else None)
    if at is None:
        return None
    before, half, after = _half_day(plain[: at.start()], plain[at.end() :])
    hour, minute, second = int(at[1]), int(at[3]), int(at[4] or 0)
    if half is not None and 1 <= hour <= 12:
        hour = hour % 12 + half
    if hour > 23 or minute > 59 or second > 59:
        return None
    day_first = len(before) == at.start() and not any(letter.isdigit() for letter in after)
    day = f"{before} {after}".strip()
    shape = f"{_looks(day)} {at[4] is None} {half is None}"
    return Split(day, hour * 3600 + minute * 60 + second, at[4] is not None, shape, day_first)


def _half_day(before: str, after: str) -> tuple[str, int | None, str]:
    """The hours that a word for morning or afternoon adds, and what else stands before and after the time."""
    if (m := _HALF_AFTER.match(after)) and (half := _half_day_hours(m[1])) is not None:
        return before, half, after[m.end() :]
    if (m := _HALF_BEFORE.search(before)) and (half := _half_day_hours(m[1])) is not None:
        return before[: m.start()], half, after
    return before, None, after


def _half_day_hours(word: str) -> int | None:
    word = word.replace(" ", "")
    if word in ("am", "pm"):
        return 12 if word == "pm" else 0
    return months.half_days().get(word)


def _looks(day: str) -> str:
    """`22/11/26,` -> `n/n/n,`; `saturday, 12 march 2016,` -> `w,nwY,`."""
    looks = re.sub(r"\d+", lambda number: "Y" if len(number[0]) == 4 else "n", re.sub(r"[^\s\d.,;:()/-]+", "w", day))
    return re.sub(r"w+", "w", looks.replace(" ", ""))


@dataclass(frozen=True)
class Day:
    """A date's numbers, and the words among which its month is, if it is written as a word."""

    numbers: tuple[str, ...]
    words: tuple[str, ...] = ()
    place: int = -1  # of the month's word: 0 before the numbers, 1 between, 2 after
    says_year: bool = False  # "16年 3月 12日"
    dots: bool = False  # "5.03.2026": nobody writes the month first with dots


def day_of(text: str) -> Day | None:
    """The parts of a date's text; None if it is no date."""
    parts = months.tokens(text)
    where = [i for i, part in enumerate(parts) if part.isdecimal()]
    numbers = tuple(parts[i] for i in where)
    if len(numbers) == 3:
        return Day(numbers, says_year=parts[where[0] + 1] in _YEAR_WORDS, dots=_DOTS.search(text) is not None)
    if len(numbers) != 2:
        return None
    first, last = where
    gaps = (parts[max(first - 1, 0) : first], parts[first + 1 : last], parts[last + 1 : last + 2])
    for place in (1, 0, 2):
        words = tuple(word for word in gaps[place] if months.is_month(word))
        if words:
            return Day(numbers, words, place)
    return None


@dataclass(frozen=True)
class Reading:
    """One way of reading a file's dates."""

    order: str
    months: Mapping[str, int] = field(default_factory=dict)

    def read(self, day: Day) -> date | None:
        """The date, or None if it cannot be read this way."""
        texts = self._year_month_day(day)
        if texts is None or len(texts[0]) not in (2, 4):
            return None
        year, month, number = (int(text) for text in texts)
        year += 2000 if len(texts[0]) == 2 else 0
        try:
            return date(year, month, number) if year in _YEARS else None
        except ValueError:
            return None

    def _year_month_day(self, day: Day) -> tuple[str, str, str] | None:
        if day.words:
            return self._with_word(day)
        if (day.says_year and self.order != "ymd") or (day.dots and self.order == "mdy"):
            return None
        first, second, third = day.numbers
        places = {"dmy": (third, second, first), "mdy": (third, first, second), "ymd": (first, second, third)}
        return places[self.order]

    def _with_word(self, day: Day) -> tuple[str, str, str] | None:
        month = next((str(self.months[word]) for word in day.words if word in self.months), None)
        if month is None or self.order not in {0: ("mdy",), 1: ("dmy", "ymd"), 2: ("ymd",)}[day.place]:
            return None
        first, second = day.numbers
        return (first, month, second) if self.order == "ymd" else (second, month, first)

    def with_months_of(self, day: Day) -> Reading | None:
        """This reading and a month that did not occur so far; None where its language has no such month."""
        found = months.meanings([*((word,) for word in self.months), day.words])
        return Reading(self.order, found[0]) if len(found) == 1 else None


def fitting(seen: Mapping[str, Day]) -> list[Reading]:
    """The readings that all these dates fit."""
    groups = {day.words for day in seen.values() if day.words}
    ways = months.meanings(groups) if groups else [{}]
    readings = (Reading(order, names) for order in ORDERS for names in ways)
    return [reading for reading in readings if all(reading.read(day) for day in seen.values())]


def decide(seen: Mapping[str, Day], steps: set[tuple[str, str]], order: str | None, year_first: bool) -> Reading:
    """The one reading of a file's dates.

    `seen` holds every date's text with its parts, `steps` which date follows which in a file that should be
    newest first (else empty), `order` what the teacher said. Raises Unreadable where no reading is left, or
    several that differ.
    """
    readings = fitting(seen)
    ordered = _in_order(readings, seen, steps)
    if order is None or _says_order(seen):
        readings = _fewest_years(ordered, seen, year_first)
    else:
        _check_order(order, seen, readings, ordered)
        readings = [reading for reading in readings if reading.order == order]
    if not readings:
        raise Unreadable(f"the dates of this file (“{next(iter(seen))}”) cannot be read: download the file again")
    for text, day in seen.items():
        found = {reading.read(day): reading for reading in readings}
        if len(found) > 1:
            raise Unreadable(_question(text, day, list(found.values())))
    return readings[0]


def _says_order(seen: Mapping[str, Day]) -> bool:
    """Whether the dates need no option: months as words, or a year that cannot be mistaken, first."""
    return all(day.words or day.says_year or len(day.numbers[0]) == 4 for day in seen.values())


def _check_order(order: str, seen: Mapping[str, Day], readings: list[Reading], ordered: list[Reading]) -> None:
    """Raise Unreadable if the order given contradicts the dates, or the order of their lines."""
    if not any(reading.order == order for reading in readings):
        text = next((text for text, day in seen.items() if not Reading(order).read(day)), next(iter(seen)))
        raise Unreadable(contradiction(text, order, given=True))
    if not any(reading.order == order for reading in ordered):
        other = ordered[0].order
        raise Unreadable(
            f"--date-order {order} would make the lines of this file jump to and fro in time, while {other}"
            f" ({ORDERS[other]}) keeps them in order: leave --date-order out"
        )


def _in_order(readings: list[Reading], seen: Mapping[str, Day], steps: set[tuple[str, str]]) -> list[Reading]:
    """The readings under which the lines go newest first, else those with the oldest first, else all.

    A day is allowed for clocks that were turned back over midnight.
    """
    down, up = [], []
    for reading in readings:
        jumps = [reading.read(seen[after]) - reading.read(seen[before]) for before, after in steps]
        if all(jump <= _ONE_DAY for jump in jumps):
            down.append(reading)
        if all(jump >= -_ONE_DAY for jump in jumps):
            up.append(reading)
    return down or up or readings


def _fewest_years(readings: list[Reading], seen: Mapping[str, Day], year_first: bool) -> list[Reading]:
    """Where a two-digit year may be first or last: the place that gives fewer years, else the usual one."""
    first = [reading for reading in readings if reading.order == "ymd"]
    last = [reading for reading in readings if reading.order != "ymd"]
    if not first or not last:
        return readings
    years = [min(len({reading.read(day).year for day in seen.values()}) for reading in side) for side in (first, last)]
    if years[0] != years[1]:
        return first if years[0] < years[1] else last
    return first if year_first else last


def contradiction(text: str, order: str, given: bool) -> str:
    """The sentence for a date that does not fit the order of its file."""
    text = text.strip(" ,")
    if given:
        return (
            f"the date “{text}” cannot be read {ORDERS[order]}, as --date-order {order} says: leave the"
            " option out, or give the order that fits this file"
        )
    return (
        f"the date “{text}” does not fit the dates before it, which are written {ORDERS[order]}: a"
        " spreadsheet program may have changed it; download the file again and load it without opening it"
    )


def _question(text: str, day: Day, readings: list[Reading]) -> str:
    """The sentence that asks how to read a date."""
    text = text.strip(" ,")
    meanings = " or ".join(_in_words(reading.read(day)) for reading in readings)
    orders = {reading.order: None for reading in readings}
    if len(orders) < len(readings):
        return (
            f"the date “{text}” means {meanings}, depending on the language: switch Moodle to English and"
            " download the file again"
        )
    options = " or ".join(f"--date-order {order} ({ORDERS[order]})" for order in orders)
    return f"the date “{text}” can be {meanings}, and nothing else in the file says which: give {options}"


def _in_words(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
