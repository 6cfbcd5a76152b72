"""Moodle's times as text, in any language, brought to UTC.

Moodle writes a time in the viewer's zone without naming it, and in the viewer's language:

    22/11/26, 20:24:12    5/09/16, 00:23:51    5. März 2026, 14:07:09    5 mars 26, 14:07:09
    26/03/5, 14:07:09     22 November 2026, 8:32:57 PM                   2016-03-01 00:36:06

Which number is the day is decided from the whole file, never from one row (dates.py); the hour that the end
of daylight saving repeats is settled by the order of the lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from loaders import dates, zones
from loaders.errors import Unreadable
from loaders.zones import machine_zone

__all__ = ["Clock", "Stream", "epoch_utc", "is_time", "local_text", "machine_zone", "may_be_time"]

_NUMERIC = re.compile(
    r"\s*\d{1,4}([-/.])\d{1,2}\1\d{1,4}[,\sT]\s*\d{1,2}[:.]\d{2}([:.]\d{2})?(\s?[ap]\.?m\.?)?\s*",
    re.IGNORECASE,
)
_HMS = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d")
_EPOCH = datetime(1970, 1, 1)


def epoch_utc(seconds: int) -> str:
    """Unix seconds as `YYYY-MM-DDTHH:MM:SSZ`."""
    return (_EPOCH + timedelta(seconds=seconds)).isoformat() + "Z"


def local_text(utc_text: str, zone: str) -> str:
    """`YYYY-MM-DDTHH:MM:SSZ` as the wall clock of a zone shows it, `YYYY-MM-DDTHH:MM:SS`."""
    return datetime.fromisoformat(utc_text).astimezone(zones.named(zone)).isoformat()[:19]


def is_time(text: str) -> bool:
    """Whether a text is a date and time in numbers (`2016-03-01 00:36:06`), and nothing else."""
    return _NUMERIC.fullmatch(text) is not None


def may_be_time(text: str) -> bool:
    """Whether a text can be a date and time in any language (`5 mars 26, 14:07`)."""
    split = dates.split(text)
    return split is not None and dates.day_of(split.day) is not None


class Clock:
    """The zone and date order of one file's times.

    `zone` is an IANA name, `order` one of dmy, mdy, ymd, or None where the file tells. Raises Unreadable for
    a zone that does not exist.
    """

    def __init__(self, zone: str, order: str | None = None):
        self.zone, self.order = zone, order
        self.tz = zones.named(zone)
        self._reading: dates.Reading | None = None
        self._shape: str | None = None
        self._days: dict[str, date] = {}

    def settle(self, texts: Iterable[str], newest_first: bool = False, year_first: bool = False) -> None:
        """Fix the date order and month language from a file's time texts; stops early when certain.

        `newest_first` says that the lines should be in that order, which can tell day from month.
        `year_first` says that the file's language writes a two-digit year first (Basque, Japanese): it
        decides where nothing else does. Empty texts are passed over. Raises Unreadable, with the remedy,
        where day and month stay ambiguous, dates are written in two ways, or they contradict the order.
        """
        seen: dict[str, dates.Day] = {}
        steps: set[tuple[str, str]] = set()
        known: dict[str, str] = {}
        previous = previous_key = None
        for text in texts:
            key = text[: text.find(":") - 2] if ":" in text else text
            if key == previous_key or not text.strip():
                continue
            previous_key = key
            if (new := key not in known) and (day := self._look(text).day) not in seen:
                seen[day] = self._parts(day, text)
            if new:
                known[key] = day
            if previous is not None and previous != known[key]:
                steps.add((previous, known[key]))
            previous = known[key]
            if new and self.order is None and len(dates.fitting(seen)) == 1:
                break
        if seen:
            self._reading = dates.decide(seen, steps if newest_first else set(), self.order, year_first)

    def _look(self, text: str) -> dates.Split:
        split = dates.split(text)
        if split is None:
            raise Unreadable(_no_time(text))
        if self._shape is None:
            self._shape = split.shape
        if split.shape != self._shape:
            raise Unreadable(
                f"the times are written in two ways (“{text.strip()}” is not like those before it), as"
                " happens when a spreadsheet program saves the file: download it again and load it unopened"
            )
        return split

    def _parts(self, day: str, text: str) -> dates.Day:
        parts = dates.day_of(day)
        if parts is None:
            raise Unreadable(_no_time(text))
        return parts

    def _day(self, split: dates.Split, text: str) -> date:
        """The date of a time of the settled file."""
        known = self._days.get(split.day)
        if known is not None:
            return known
        if self._reading is None:
            self.settle([text])
        parts = self._parts(split.day, text)
        known = self._reading.read(parts)
        if known is None and parts.words and (wider := self._reading.with_months_of(parts)):
            self._reading, known = wider, wider.read(parts)
        if known is None:
            raise Unreadable(dates.contradiction(split.day, self._reading.order, self.order is not None))
        self._days[split.day] = known
        return known

    def local(self, text: str) -> datetime:
        """The wall-clock time, without zone. Raises Unreadable naming the text."""
        split = self._look(text)
        return datetime.combine(self._day(split, text), datetime.min.time()) + timedelta(seconds=split.seconds)

    def utc(self, text: str) -> str:
        """`YYYY-MM-DDTHH:MM:SSZ`; a time that came twice is taken as the first."""
        return epoch_utc(zones.epochs(self.local(text), self.tz)[0])

    def stream(self, newest_first: bool = True) -> Stream:
        """A converter for the times of a file's lines, in the file's order."""
        return Stream(self, newest_first)


class Stream:
    """Turns the times of consecutive lines into unix seconds; call it with each text, in the file's order.

    Of a wall-clock time that came twice, it takes the reading that keeps the lines in order: newest first,
    the latest that is not after the line before. Where the lines leave both possible (nobody did anything
    in one of the two hours), newest first gives the second, oldest first the first. `ordered` turns False
    when the lines prove not to be in order: such times are then the first of the two; the caller may sort.
    """

    __slots__ = ("_last", "_midnights", "_seconds", "_to_seconds", "clock", "newest_first", "ordered")

    def __init__(self, clock: Clock, newest_first: bool = True):
        self.clock, self.newest_first, self.ordered = clock, newest_first, True
        self._last: int | None = None
        self._midnights: dict[str, int] = {}  # text before the hour -> unix seconds
        self._seconds: dict[str, int] = {}  # text from the hour on -> seconds since midnight
        self._to_seconds = False  # whether the file's times end in 20:24:12

    def __call__(self, text: str) -> int:
        at = text.find(":") - 2
        try:
            epoch = self._midnights[text[:at]] + self._seconds[text[at:]]
        except KeyError:
            epoch = self._read(text, at)
        last = self._last
        if last is not None and epoch != last and (epoch > last) == self.newest_first:
            self.ordered = False
        self._last = epoch
        return epoch

    def _read(self, text: str, at: int) -> int:
        midnight, tail = self._midnights.get(text[:at]), text[at:]
        if midnight is not None and self._to_seconds and _HMS.fullmatch(tail):
            seconds = int(tail[:2]) * 3600 + int(tail[3:5]) * 60 + int(tail[6:])
            self._seconds[tail] = seconds
            return midnight + seconds
        split = self.clock._look(text)
        day = self.clock._day(split, text)
        midnight = zones.plain_midnight(day, self.clock.tz)
        if midnight is not None:
            self._remember(text, at, split, midnight)
            return midnight + split.seconds
        wall = datetime.combine(day, datetime.min.time()) + timedelta(seconds=split.seconds)
        first, second = zones.epochs(wall, self.clock.tz)
        if not self.ordered:
            return first
        last = self._last
        if self.newest_first:
            return second if last is None or second <= last else first
        return first if last is None or first >= last else second

    def _remember(self, text: str, at: int, split: dates.Split, midnight: int) -> None:
        """Keep the two halves of a text, so that the next line of the day needs two look-ups only."""
        if not split.day_first:
            return
        if at > 0:
            self._midnights[text[:at]], self._seconds[text[at:]] = midnight, split.seconds
            self._to_seconds = _HMS.fullmatch(text[at:]) is not None
        elif at == -3 and text[-2:].isdecimal():  # "10.50": cut before the last two digits
            rest = int(text[-2:]) * (1 if split.has_seconds else 60)
            self._midnights[text[:at]], self._seconds[text[at:]] = midnight + split.seconds - rest, rest


def _no_time(text: str) -> str:
    return f"“{text.strip()}” is not a date and time as Moodle writes them: download the file again"
