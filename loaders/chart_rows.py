"""What a chart reads from the rows of an answer: numbers, names, places in time, and what it calls its columns."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ].*)?")
UNSEEN = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]+")  # no XML may hold these
LONGEST = 200  # characters of a name
ORDERED = {"label": re.compile(r"\d+ "), "day": re.compile(r"\d (?=[A-Z])")}  # '07 Quiz 1', '1 Monday': in their order
WEEKS = ("week", "starts_on", "week_starts_on")  # columns of teaching weeks
FILLED = ("week", "hour")  # columns whose whole numbers between have a place too, though nothing in it
MOST_FILLED = 60


@dataclass(frozen=True)
class Asked:
    """A question's `chart`, its answer's rows by column, and whether there are more rows than these."""

    chart: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]
    is_cut: bool = False

    def column(self, role: str) -> str:
        """The column for `x`, `y`, `value`, ...; '' where the chart has none."""
        return str(self.chart.get(role) or "")

    def words(self, role: str) -> str:
        """How a reader calls this column: by the chart's `words`, else by its name."""
        column = self.column(role)
        return str((self.chart.get("words") or {}).get(column) or column.replace("_", " "))

    def key(self, role: str, row: Mapping[str, Any]) -> Any:
        """Where a row stands along an axis: at its cell; a person at our key, as two may have the same name."""
        value = row.get(self.column(role))
        is_person = self.column(role) == "fullname" and value is not None and row.get("person") is not None
        return row["person"] if is_person else value

    def values(self, role: str) -> list[Any]:
        """This column of all rows."""
        return [row.get(self.column(role)) for row in self.rows]


@dataclass(frozen=True)
class Drawing:
    """A chart to be drawn: its Vega-Lite `spec`, what it shows in `words`, what it leaves out in `remarks`.

    `is_linked`: there are links in it, which a reader wants to reach one by one.
    """

    spec: dict
    words: str
    remarks: list[str] = field(default_factory=list)
    is_linked: bool = False


def number(value: Any) -> float | None:
    """A number that can be drawn, or None: text, nothing and infinity are none."""
    is_one = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return value if is_one else None


def said(value: float) -> str:
    """1,200, 12.5 or 0.25, with a real minus: as many decimals as say something."""
    text = f"{value:,.{0 if abs(value) >= 1000 else 2}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")


def short(value: float) -> str:
    """The same in five characters at most: 12.5, 1.2k, 35k."""
    if abs(value) < 1000:
        return said(round(value, 1))
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if abs(value) >= size * 0.9995:
            return f"{said(round(value / size, 1 if abs(value) < 9.95 * size else 0))}{unit}"
    return said(value)


def name(value: Any) -> str:
    """A cell as a name: one line, nothing that an SVG cannot hold."""
    if number(value) is not None:
        return said(value)
    text = " ".join(UNSEEN.sub(" ", str("" if value is None else value)).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def called(column: str, value: Any) -> str:
    """The same without the number that keeps names of this column in order."""
    text = name(value)
    match = ORDERED[column].match(text) if column in ORDERED and isinstance(value, str) else None
    return text[match.end() :] if match else text


def day(value: Any) -> date | None:
    """The date of '2016-03-07' or '2016-03-07T20:11:00Z', else None."""
    match = DATE.fullmatch(value) if isinstance(value, str) else None
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def day_words(value: date, with_year: bool = False) -> str:
    """'7 Mar', '7 Mar 2016'."""
    return f"{value.day} {value:%b %Y}" if with_year else f"{value.day} {value:%b}"


def are_days(values: Iterable[Any]) -> bool:
    """Whether these are dates, all that there are."""
    known = [value for value in values if value is not None]
    return bool(known) and all(day(value) for value in known)


def are_numbers(values: Iterable[Any]) -> bool:
    """Whether these are numbers, all that there are."""
    known = [value for value in values if value is not None]
    return bool(known) and all(number(value) is not None for value in known)


def is_time(asked: Asked, role: str) -> bool:
    """Whether this column goes on with time: weeks or dates."""
    column = asked.column(role)
    return column in WEEKS or column.endswith("_week") or are_days(asked.values(role))


@dataclass(frozen=True)
class Places:
    """The places along an axis, in order: `keys` (values of the column), their `labels`, which are `breaks`."""

    keys: list[Any]
    labels: list[str]
    breaks: frozenset[int] = frozenset()

    def index(self) -> dict[Any, int]:
        """{key: its place}."""
        return {key: place for place, key in enumerate(self.keys)}

    def first(self, most: int) -> Places:
        """Only the first so many."""
        return Places(self.keys[:most], self.labels[:most], frozenset(at for at in self.breaks if at < most))


def places(asked: Asked, role: str) -> Places:
    """The different values of a column: time and numbers in their order, names in that of the rows.

    A week in a break that the rows tell of (`is_break`) is called that. People are told apart, whatever their names.
    """
    if asked.column(role) == "fullname":
        people = {asked.key(role, row): name(row["fullname"]) for row in asked.rows if row.get("fullname") is not None}
        return Places(list(people), list(people.values()))
    keys = list(dict.fromkeys(value for value in asked.values(role) if value is not None))
    column, is_weekly = asked.column(role), is_time(asked, role)
    if column in FILLED and are_numbers(keys):
        keys += between(keys)
    if are_numbers(keys) or are_days(keys):
        keys.sort()
    paused = {row.get(column) for row in asked.rows if row.get("is_break")} if is_weekly else set()
    if column in ("week",) or column.endswith("_week"):
        paused |= {key for key in keys if number(key) is not None and key % 1}  # 4.5: a break without a number
    days = {key: day(key) for key in keys} if are_days(keys) else {}
    labels = ["break" if key in paused else day_words(days[key]) if days else called(column, key) for key in keys]
    return Places(keys, labels, frozenset(place for place, key in enumerate(keys) if key in paused))


def spoken(asked: Asked, role: str, labels: Sequence[str]) -> list[str]:
    """The labels of places as a sentence says them: 'week 3', 'hour 20'; others as they are."""
    column = asked.column(role)
    return [f"{column} {label}" if column in FILLED and label.isdecimal() else label for label in labels]


def between(keys: list[Any]) -> list[int]:
    """The whole numbers between the lowest and the highest that are missing: [1, 4] -> [2, 3]."""
    first, last = math.ceil(min(keys, default=0)), math.floor(max(keys, default=0))
    return [key for key in range(first, last) if key not in keys] if last - first <= MOST_FILLED else []


def thinned(labels: Sequence[str], most: int) -> list[str]:
    """As many of the labels as there is room for, evenly; the others empty."""
    every = -(-len(labels) // most) if most else 1
    return [label if place % every == 0 else "" for place, label in enumerate(labels)]


def drawn_of(drawn: int, known: int, what: str, is_cut: bool) -> list[str]:
    """['The first 40 of 130 bars are drawn; the table has all.'], or nothing where all are."""
    if drawn >= known and not is_cut:
        return []
    of = f"more than {known:,}" if is_cut else f"{known:,}"
    rest = "the table has more" if is_cut else "the table has all"
    return [f"The first {drawn:,} of {of} {what} are drawn; {rest}."]
