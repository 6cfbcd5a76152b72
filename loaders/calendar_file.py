"""The small file in which a teacher keeps a course's calendar: TOML, as its dates cannot be mistaken.

course = 2
week_1 = 2016-02-29
last_week = 15
breaks_count = true

[names]
1 = "Getting started"

[[breaks]]
from = 2016-03-28
name = "Easter break"

[[due]]
activity = 18
at = 2016-04-01T23:59:00
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import pairwise
from typing import Any

from loaders.calendar_slips import far, slip
from loaders.calendars import Break, Calendar
from loaders.downloads import Download
from loaders.errors import Unreadable
from loaders.numbering import monday
from loaders.reading import Reading

KIND = "calendar"
LARGEST = 1_000_000
MOST_WEEKS = 200
KEYS = {
    "": ("course", "site", "week_1", "last_week", "breaks_count", "names", "breaks", "due"),
    "breaks": ("from", "weeks", "name"),
    "due": ("activity", "name", "at"),
}
MARK = re.compile(
    rb"(?:[ \t\r\n]|#[^\n]*\n)*+(?:\[{1,2}[ \t]*(?:names|breaks|due)[ \t]*\]"
    rb"|(?:course|site|week_1|last_week|breaks_count)[ \t]*=)"
)
_PLACE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")
NO_DATE = "{key} = {said} is no date: {hint}"
NO_TIME = "at = {said} is no date and time: {hint}"


@dataclass
class CalendarFile:
    """The file's text, and what it says."""

    text: str
    said: dict[str, Any]

    def line(self, table: str, number: int = 0, key: str = "") -> int:
        """Where `key` of the top, or of the table's entry `number`, stands; where that begins, if it is not there."""
        lines = self.text.splitlines()
        headers = [at for at, text in enumerate(lines) if re.match(r"\s*\[", text)]
        mine = [at for at in headers if table and re.match(rf"\s*\[+\s*{table}\s*\]", lines[at])]
        start = mine[number] if number < len(mine) else 0
        end = next((at for at in headers if at > start), len(lines))
        if not table and (found := [at for at in headers if re.match(rf"\s*\[+\s*{re.escape(key)}\s*[].]", lines[at])]):
            return found[0] + 1  # what should be a table of another name
        named = (at for at in range(start, end) if re.match(rf"""\s*["']?{re.escape(key)}["']?\s*=""", lines[at]))
        return next(named, start) + 1


def read(download: Download) -> CalendarFile:
    """The file, if it is TOML. Raises Unreadable with the line."""
    with download.open() as stream:
        content = stream.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise Unreadable("this is too large for a calendar of a course")
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
        return CalendarFile(text, tomllib.loads(text))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Unreadable("this calendar is not saved as UTF-8: save it so in your editor", line) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _not_toml(str(error), text) from error


def _not_toml(message: str, text: str) -> Unreadable:
    place = _PLACE.search(message)
    what = _PLACE.sub("", message).strip()
    if place and place[1] and (wrong := slip(text.split("\n")[int(place[1]) - 1])):
        return Unreadable(f"this line has a date that cannot be: {wrong}", int(place[1]))
    remedy = 'each line is: name = value, with words in "quotes", dates plain, and true or false in small letters'
    return Unreadable(f"this line cannot be read ({what}): {remedy}", int(place[1]) if place and place[1] else None)


def reading(file: CalendarFile) -> Reading:
    """What the file says. Raises Unreadable, with the line, at the first mistake."""
    reader = _Reader(file)
    calendar = reader.calendar()
    claims = [calendar.claim(), *reader.due(calendar)]
    course = {"moodle_id": reader.number("", 0, file.said, "course", None)}
    return Reading(KIND, claims, course if course["moodle_id"] else {}, reader.site(), notes=reader.notes)


class _Reader:
    """Takes the values of one file, and says of each that is wrong where it stands."""

    def __init__(self, file: CalendarFile):
        self.file, self.said, self.notes = file, file.said, []
        self.known("", 0, self.said)

    def wrong(self, sentence: str, table: str = "", number: int = 0, key: str = "") -> Unreadable:
        return Unreadable(sentence, self.file.line(table, number, key))

    def known(self, table: str, number: int, entry: dict) -> None:
        """Refuse words that mean nothing here: a slip of the pen would be lost without a word."""
        for key in entry:
            if key not in KEYS[table]:
                near = difflib.get_close_matches(key, KEYS[table], 1)
                hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(KEYS[table])}"
                raise self.wrong(f"nothing is called {key} here: {hint}", table, number, key)

    def entries(self, table: str) -> Iterator[tuple[int, dict]]:
        found = self.said.get(table, [])
        if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
            raise self.wrong(f"write each of the {table} under a line [[{table}]]", table, 0, table)
        for number, entry in enumerate(found):
            self.known(table, number, entry)
            yield number, entry

    def number(self, table: str, at: int, entry: dict, key: str, default: int | None) -> int | None:
        value = entry.get(key, default)
        if isinstance(value, str) and value.strip().isdecimal():
            value = int(value)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**53):
            raise self.wrong(f"{key} is a number, such as 12, and not {_shown(value)}", table, at, key)
        return value

    def words(self, table: str, at: int, entry: dict, key: str) -> str | None:
        value = entry.get(key)
        if isinstance(value, (dict, list)):
            raise self.wrong(f'{key} is words in "quotes"', table, at, key)
        return str(value).strip() or None if value is not None else None

    def day(self, table: str, at: int, entry: dict, key: str) -> date:
        """The Monday of the week that holds a day."""
        value = entry.get(key)
        if value is None:
            raise self.wrong(f"{key} is missing: any day of that week, such as {key} = 2016-02-29", table, at)
        value = _parsed(value, date.fromisoformat)
        value = value.date() if isinstance(value, datetime) else value
        if not isinstance(value, date) or not 1970 <= value.year < 2200:
            hint = slip(str(entry[key])) or "write it as 2016-02-29"
            raise self.wrong(NO_DATE.format(key=key, said=_shown(entry[key]), hint=hint), table, at, key)
        return monday(value)

    def site(self) -> str | None:
        site = self.words("", 0, self.said, "site")
        if site and not site.startswith(("https://", "http://")):
            raise self.wrong("site is the address of the Moodle, such as https://moodle.example.edu", key="site")
        return site

    # -- weeks

    def calendar(self) -> Calendar:
        week_1, last = self.day("", 0, self.said, "week_1"), self.number("", 0, self.said, "last_week", None)
        if last is None or last > MOST_WEEKS:
            raise self.wrong("last_week is the number of the last teaching week, such as 15", key="last_week")
        count = self.said.get("breaks_count", True)
        if not isinstance(count, bool):
            raise self.wrong(f"breaks_count is true or false, and not {_shown(count)}", key="breaks_count")
        breaks = sorted(self.breaks(), key=lambda pair: pair[1].starts_on)
        for (_, one), (at, other) in pairwise(breaks):
            if other.starts_on <= one.mondays()[-1]:
                sentence = f"this break and the one from {one.starts_on} overlap: let one end before the other begins"
                raise self.wrong(sentence, "breaks", at, "from")
        calendar = Calendar(week_1, last, count, tuple(one for _, one in breaks), self.names(last))
        for at, one in breaks:
            self.inside(calendar, at, one)
        return calendar

    def breaks(self) -> Iterator[tuple[int, Break]]:
        for at, entry in self.entries("breaks"):
            start, weeks = self.day("breaks", at, entry, "from"), self.number("breaks", at, entry, "weeks", 1)
            if weeks > MOST_WEEKS:
                raise self.wrong(f"a break of {weeks} weeks is no break", "breaks", at, "weeks")
            yield at, Break(start, weeks, self.words("breaks", at, entry, "name"))

    def inside(self, calendar: Calendar, at: int, one: Break) -> None:
        """Refuse a break outside the weeks."""
        first, last = calendar.week_1, calendar.numbering().starts_on(calendar.last_week)
        if not first <= one.starts_on <= one.mondays()[-1] <= last:
            raise self.wrong(
                f"the break of the week of {one.starts_on} is outside the weeks, which go from {first} to the week of"
                f" {last}: correct it, or last_week",
                "breaks", at, "from",
            )  # fmt: skip
        if not calendar.breaks_count and one.starts_on == first:
            raise self.wrong(
                "the break holds week 1: begin week_1 after it, or say breaks_count = true", "breaks", at, "from"
            )

    def names(self, last: int) -> dict[int, str]:
        found = self.said.get("names", {})
        if not isinstance(found, dict):
            raise self.wrong('write names under a line [names], each as: 1 = "Getting started"', key="names")
        for key, name in found.items():
            if not re.fullmatch(r"-?\d{1,3}", key) or isinstance(name, (dict, list)):
                sentence = f'names are written as: 1 = "Getting started"; {key} is no number of a week'
                raise self.wrong(sentence, "names", 0, key)
            if int(key) > last:
                raise self.wrong(f"week {key} is after last_week, {last}: correct one of them", "names", 0, key)
        return {int(key): str(name).strip() for key, name in sorted(found.items()) if str(name).strip()}

    # -- due dates

    def due(self, calendar: Calendar) -> Iterator[dict]:
        """Claims of due dates: `at` in course time without a zone, or in UTC where the file gives one."""
        lines: dict[int | str, int] = {}
        for at, entry in self.entries("due"):
            cmid, name = self.number("due", at, entry, "activity", None), self.words("due", at, entry, "name")
            if cmid is None and name is None:
                raise self.wrong("say which activity is due: activity = 12, the number in its address", "due", at)
            line = self.file.line("due", at)
            if (before := lines.setdefault(cmid or name, line)) != line:
                what = f"activity {cmid}" if cmid else f"“{name}”"
                raise self.wrong(f"{what} is due on line {before} already: keep one of the two", "due", at)
            moment = self.moment(at, entry)
            weeks = calendar.week_1, calendar.numbering().starts_on(calendar.last_week)
            if sentence := far(date.fromisoformat(moment[:10]), *weeks):
                self.notes.append(f"line {self.file.line('due', at, 'at')}: {sentence}")
            yield {"noun": "due", "line": line, "cmid": cmid, "name": name, "at": moment}

    def moment(self, number: int, entry: dict) -> str:
        value = _parsed(entry.get("at"), datetime.fromisoformat)
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime.combine(value, time(23, 59))  # a day is until its end
        elif isinstance(value, datetime) and isinstance(entry["at"], str) and len(entry["at"].strip()) <= 10:
            value = value.replace(hour=23, minute=59)
        if not isinstance(value, datetime) or not 1970 <= value.year < 2200:
            said = _shown(entry["at"]) if "at" in entry else "(nothing)"
            hint = slip(said) or "write it as 2016-04-01T23:59:00"
            raise self.wrong(NO_TIME.format(said=said, hint=hint), "due", number, "at")
        value = value.replace(microsecond=0)
        return value.astimezone(UTC).isoformat() if value.tzinfo else value.isoformat()


def _parsed(value: Any, parse: Callable) -> Any:
    """A date in quotes as the date it is."""
    try:
        return parse(value.strip()) if isinstance(value, str) else value
    except ValueError:
        return value


def _shown(value: Any) -> str:
    text = f"“{value}”" if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 60 else text[:57] + "...”"
