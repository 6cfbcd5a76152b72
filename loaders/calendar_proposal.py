"""A calendar to begin with, from what is loaded: the names of sections, dates of activities, and the log."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median

from loaders import section_dates, times
from loaders.activities import WEEK as WEEK_IN_NAME
from loaders.calendars import Break, Calendar
from loaders.errors import Unreadable
from loaders.numbering import WEEK, monday, runs
from loaders.weeks import first_monday, stored_numbering

QUIET = 0.1  # of the clicks of the week in the middle
COURSE_END = """
select max(json_extract(claims.claim, '$.end_utc'))
from claims join loads on loads.id = claims.load_id
where loads.course_id = ? and loads.error is null and claims.noun = 'course'
"""
SECTIONS = "select number, name from sections where course_id = ? and number > 0 order by number"
CLICKS = "select week, clicks from usage_week where course_id = ?"
DUE = """
select activities.cmid, activities.name,
    coalesce(activities.due_utc, (
        select max(starts_utc) from calendar_events
        where activity_id = activities.id and event_type in ('due', 'close') and group_id is null
    )) as due,
    activities.due_utc is null
from activities
where course_id = ? and deleted = 0 and cmid is not null and due is not null
order by due, position, cmid
"""


@dataclass(frozen=True)
class Due:
    """An activity that is due at `at`, course time."""

    cmid: int
    name: str | None
    at: datetime


@dataclass
class Proposal:
    """`took`: what was taken from where, in words; `because`: by the Monday of a break, what speaks for it."""

    course: dict
    calendar: Calendar
    due: list[Due]
    took: list[str] = field(default_factory=list)
    because: dict[date, str] = field(default_factory=dict)


def propose(connection: sqlite3.Connection, course: dict) -> Proposal:
    """A calendar of a course (`id`, `start_date`, `timezone`). Raises Unreadable where nothing tells when it began."""
    known = _Known(connection, course)
    took = [f"week 1 is that of {known.week_1}: {known.why_week_1}"]
    found = known.breaks()
    breaks = tuple(one for one, _, _ in found)
    last, why = known.last(breaks)
    counted = not any(between for _, _, between in found)
    calendar = Calendar(known.week_1, 1, counted, breaks)
    number = int(calendar.numbering()(last))
    breaks = tuple(one for one in breaks if one.mondays()[-1] <= last)
    names = {week: name for week, name in section_dates.names_of_weeks(known.sections) if week <= number}
    calendar = Calendar(known.week_1, number, counted, breaks, names)
    took.append(f"week {number}, from {last}, is the last: {why}")
    took += [f"a break from {one.starts_on}: {why}" for one, why, _ in found if one in breaks]
    if not breaks:
        took.append("no break: no section is named like one, and no week is quiet between busy ones")
    if names:
        took.append(f"{len(names)} name{'s' * (len(names) > 1)} of weeks: sections that are called “Week 3: ...”")
    return Proposal(course, calendar, *_due(connection, course, took), {one.starts_on: why for one, why, _ in found})


def _due(connection: sqlite3.Connection, course: dict, took: list[str]) -> tuple[list[Due], list[str]]:
    rows = connection.execute(DUE, (course["id"],)).fetchall()
    for by_event, source in ((0, "as Moodle (or the calendar in force) has them"), (1, "from Moodle's calendar")):
        if count := sum(row[3] == by_event for row in rows):
            took.append(f"{count} due date{'s' * (count > 1)}: {source}")
    if not rows:
        took.append("no due dates: no file that is loaded has any")
    zone = course["timezone"]
    return [Due(cmid, name, datetime.fromisoformat(times.local_text(utc, zone))) for cmid, name, utc, _ in rows], took


class _Known:
    """What is loaded of a course that tells of its weeks."""

    def __init__(self, connection: sqlite3.Connection, course: dict):
        self.connection, self.course = connection, course
        key, start = course["id"], course["start_date"]
        derived = first_monday(connection, key, start)
        self.sections = connection.execute(SECTIONS, (key,)).fetchall()
        self.dated = section_dates.days((name for _, name in self.sections), derived) if derived else {}
        self.clicks = self._clicks()
        if self.dated:
            self.week_1 = monday(min(self.dated.values())[0])
            self.why_week_1 = "the dates in the names of sections"
        elif derived:
            self.week_1 = derived
            self.why_week_1 = f"the course starts on {start}" if start else "the first thing a student did"
        else:
            raise Unreadable("nothing tells yet when this course began: load its log or its saved page first")

    def _clicks(self) -> dict[date, int]:
        """Students' clicks by the Monday of the week."""
        number = stored_numbering(self.connection, self.course["id"])
        rows = self.connection.execute(CLICKS, (self.course["id"],)).fetchall() if number else []
        return {number.starts_on(week): clicks for week, clicks in rows}

    def _busy(self) -> list[date]:
        """Mondays with clicks enough, from week 1 on, to where two months are quiet."""
        usual = median([clicks for start, clicks in self.clicks.items() if start >= self.week_1] or [0])
        busy: list[date] = []
        for start, clicks in sorted(self.clicks.items()):
            if start >= self.week_1 and clicks >= max(1, QUIET * usual):
                if busy and start - busy[-1] > 9 * WEEK:
                    break
                busy.append(start)
        return busy

    def last(self, breaks: tuple[Break, ...]) -> tuple[date, str]:
        """(the Monday of the last week, why)."""
        (end,) = self.connection.execute(COURSE_END, (self.course["id"],)).fetchone()
        if end:  # midnight ends the day before
            day = datetime.fromisoformat(times.local_text(end, self.course["timezone"])) - timedelta(seconds=1)
            if self.week_1 <= day.date() < self.week_1 + 100 * WEEK:
                return monday(day.date()), f"the course ends on {day:%Y-%m-%d}"
        if self.dated:
            return monday(max(self.dated.values())[0]), "the dates in the names of sections"
        numbers = [int(found[1]) for _, name in self.sections if (found := WEEK_IN_NAME.search(name or ""))]
        by_section = self.week_1 + (max(numbers, default=1) - 1) * WEEK
        busy = self._busy()
        if busy and busy[-1] >= by_section:
            return busy[-1], "students' activity ends there"
        return by_section, "the highest number in the names of sections" if numbers else "nothing tells; correct it"

    def breaks(self) -> list[tuple[Break, str, bool]]:
        """(break, what speaks for it, whether weeks go on counting after it), in order."""
        found = {one.starts_on: (one, why, between) for one, why, between in (*self._quiet(), *self._named())}
        taken: set[date] = set()
        kept = []
        for start, (one, why, between) in sorted(found.items()):
            if not taken & set(one.mondays()) and (start > self.week_1 or not between):
                taken |= set(one.mondays())
                kept.append((one, why, between))
        return kept

    def _named(self) -> Iterator[tuple[Break, str, bool]]:
        """Sections named like a break: dated by the section before them, else by their number of a week."""
        day, week, uncounted = None, 0, 0
        for _, name in self.sections:
            number = WEEK_IN_NAME.search(name or "")
            week = int(number[1]) if number else week
            if name in self.dated:
                day = monday(self.dated[name][0])
            elif section_dates.is_break(name) and (day or week):
                between = not (day or number)
                start = day + WEEK if day else self.week_1 + (week - (not between) + uncounted) * WEEK
                yield Break(start, 1, _title(name)), f"the section “{name}”", between
                uncounted += between
                day = day and start

    def _quiet(self) -> Iterator[tuple[Break, str, bool]]:
        """Weeks with hardly a click between busy ones."""
        busy = self._busy()
        if len(busy) < 4:
            return
        quiet = [start for start in _between(busy[0], busy[-1]) if start not in set(busy)]
        for run in runs(quiet):
            clicks = sum(self.clicks.get(start, 0) for start in run)
            why = f"only {clicks} click{'s' * (clicks != 1)} of students, between busy weeks"
            yield Break(run[0], len(run), "Break"), why, False


def _between(first: date, last: date) -> list[date]:
    return [first + step * WEEK for step in range((last - first) // WEEK)]


def _title(name: str) -> str:
    """'Easter break' of "Week 5: Easter break"."""
    return next((rest for _, rest in section_dates.names_of_weeks([(None, name)])), name)
