"""Teaching weeks: they start on Monday; week 1 holds the course's start, or the first student event.

A calendar of the teacher's overrides that, and names weeks (see calendars.py).
"""

from __future__ import annotations

import sqlite3
from datetime import date, datetime
from functools import cache
from itertools import pairwise

from loaders import calendars, section_dates
from loaders.events import Calendar
from loaders.numbering import WEEK, Numbering, monday

FIRST_STUDENT_EVENT = (
    "select min(time_local) from events where course_id = ?1 and person_id in"
    " (select person_id from enrolments where course_id = ?1 and role = 'student') and real_person_id is null"
)

LONGEST_GAP = 9  # weeks


def first_monday(connection: sqlite3.Connection, course_id: int, start_date: str | None) -> date | None:
    """The Monday of week 1 where no calendar says it, or None while nothing tells."""
    start = start_date or connection.execute(FIRST_STUDENT_EVENT, (course_id,)).fetchone()[0]
    start = (
        start
        or connection.execute("select min(time_local) from events where course_id = ?", (course_id,)).fetchone()[0]
    )
    return monday(date.fromisoformat(start[:10])) if start else None


def settle_weeks(connection: sqlite3.Connection) -> bool:
    """Bring `events.week`, `weeks` and `courses.data_up_to_utc` up to date; True where weeks of events moved."""
    moved = False
    for course_id, start_date in connection.execute("select id, start_date from courses").fetchall():
        connection.execute(
            "update courses set data_up_to_utc = (select max(time_utc) from events where course_id = ?1) where id = ?1",
            (course_id,),
        )
        calendar = calendars.of(connection, course_id)
        if calendar:
            numbering = calendar.numbering()
        else:
            first = first_monday(connection, course_id, start_date)
            numbering = first and Numbering(first)
        if numbering:
            moved |= _number(connection, course_id, numbering)
            _save(connection, course_id, numbering, calendar)
            _date_sections(connection, course_id, numbering)
        else:
            connection.execute("delete from weeks where course_id = ?", (course_id,))
    connection.execute("delete from weeks where course_id not in (select id from courses)")
    return moved


def stored_numbering(connection: sqlite3.Connection, course_id: int) -> Numbering | None:
    """How the weeks of stored events are counted, if there are any: `weeks` always has all that tells it."""
    rows = connection.execute(
        "select week, starts_on from weeks where course_id = ? and (week = 1 or week != cast(week as integer))"
        " order by week",
        (course_id,),
    ).fetchall()
    if not rows:
        return None
    week_1 = next(date.fromisoformat(start) for week, start in rows if week == 1)
    return Numbering(week_1, tuple(date.fromisoformat(start) for week, start in rows if week != 1))


def assume_numbering(connection: sqlite3.Connection, course_id: int, newest_utc: str) -> Numbering:
    """How to count a log's weeks while it is written; settling corrects it where it was wrong."""
    if known := stored_numbering(connection, course_id):
        return known
    start = connection.execute("select start_date from courses where id = ?", (course_id,)).fetchone()[0]
    assumed = monday(date.fromisoformat((start or newest_utc)[:10]))
    connection.execute(
        "insert into weeks (course_id, week, starts_on) values (?, 1, ?)", (course_id, assumed.isoformat())
    )
    return Numbering(assumed)


def _number(connection: sqlite3.Connection, course_id: int, wanted: Numbering) -> bool:
    """Number the events' weeks again where they are counted in another way: one pass, and only over those."""
    known = stored_numbering(connection, course_id)
    if known and known != wanted:
        changes = [(old, new) for old in _busy(connection, course_id) if old != (new := wanted(known.starts_on(old)))]
        connection.execute("create temp table renumbered (old primary key, new) without rowid")
        connection.executemany("insert into renumbered values (?, ?)", changes)
        connection.execute(
            "update events set week = (select new from renumbered where old = week)"
            " where course_id = ? and week in (select old from renumbered)",
            (course_id,),
        )
        connection.execute("drop table renumbered")
    return known != wanted


def _busy(connection: sqlite3.Connection, course_id: int) -> list[int | float]:
    """The numbers of the weeks with events."""
    sql = "select distinct week from events where course_id = ? and week is not null order by week"
    return [week for (week,) in connection.execute(sql, (course_id,))]


def _save(connection: sqlite3.Connection, course_id: int, numbering: Numbering, calendar) -> None:
    """One row for each week with events or in the calendar, and for quiet weeks of up to two months between them.

    A calendar tells when teaching ends: somebody who looks in years later makes no week of it.
    """
    known = calendar.weeks() if calendar else {numbering.week_1: (None, False)}
    busy = sorted({numbering.starts_on(week) for week in _busy(connection, course_id)} | set(known))
    if calendar:
        near = LONGEST_GAP * WEEK
        busy = [start for start in busy if min(known) - near <= start <= max(known) + near]
    wanted = set(busy)
    for one, next_one in pairwise(busy):
        if next_one - one <= LONGEST_GAP * WEEK:
            wanted.update(one + step * WEEK for step in range((next_one - one) // WEEK))
    rows = [
        (course_id, numbering(start), start.isoformat(), *known.get(start, (None, False))) for start in sorted(wanted)
    ]
    connection.execute("delete from weeks where course_id = ?", (course_id,))
    connection.executemany(
        "insert into weeks (course_id, week, starts_on, name, is_break) values (?, ?, ?, ?, ?)", rows
    )


def _date_sections(connection: sqlite3.Connection, course_id: int, numbering: Numbering) -> None:
    """Sections named by their days are about the week these are in, unless it is a break without a number."""
    sql = "select id, name from sections where course_id = ? and week is null and name is not null"
    unnumbered = connection.execute(sql, (course_id,)).fetchall()
    dated = section_dates.days((name for _, name in unnumbered), numbering.week_1)
    connection.executemany(
        "update sections set week = ? where id = ?",
        [(week, key) for key, name in unnumbered if name in dated and not (week := numbering(dated[name][0])) % 1],
    )


def move_zone(connection: sqlite3.Connection, course_id: int, zone: str, zone_from: str) -> None:
    """Put a course into another time zone: local times and weeks are worked out anew."""
    known = connection.execute("select timezone from courses where id = ?", (course_id,)).fetchone()
    connection.execute("update courses set timezone = ?, timezone_from = ? where id = ?", (zone, zone_from, course_id))
    if known and known[0] != zone:
        calendar = Calendar(zone, Numbering(date.min))

        def local(utc: str) -> str:
            return calendar(int(datetime.fromisoformat(utc).timestamp()))[1]

        connection.create_function("local_time", 1, local, deterministic=True)
        connection.execute("update events set time_local = local_time(time_utc) where course_id = ?", (course_id,))
        if numbering := stored_numbering(connection, course_id):
            days = cache(lambda day: numbering(date.fromisoformat(day)))
            connection.create_function("week_of", 1, days, deterministic=True)
            connection.execute(
                "update events set week = week_of(substr(time_local, 1, 10)) where course_id = ?", (course_id,)
            )
