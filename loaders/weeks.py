"""Teaching weeks: they start on Monday; week 1 holds the course's start, or the first student event."""

from __future__ import annotations

import sqlite3
from datetime import date, datetime, timedelta
from itertools import pairwise

from loaders.events import Calendar

FIRST_STUDENT_EVENT = (
    "select min(time_local) from events where course_id = ?1 and person_id in"
    " (select person_id from enrolments where course_id = ?1 and role = 'student') and real_person_id is null"
)
WEEK_OF = "(cast(julianday(substr(time_local, 1, 10)) - julianday(?) as integer) + 7000) / 7 - 999"

LONGEST_GAP = 9  # weeks


def monday(day: date) -> date:
    """The Monday of the week that holds `day`."""
    return day - timedelta(days=day.weekday())


def first_monday(connection: sqlite3.Connection, course_id: int, start_date: str | None) -> date | None:
    """The Monday of week 1, or None while nothing tells."""
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
        if first := first_monday(connection, course_id, start_date):
            moved |= _number(connection, course_id, first)
            _save(connection, course_id, first)
        else:
            connection.execute("delete from weeks where course_id = ?", (course_id,))
    connection.execute("delete from weeks where course_id not in (select id from courses)")
    return moved


def week_1(connection: sqlite3.Connection, course_id: int) -> date | None:
    """The Monday that the weeks of stored events are counted from, if there are any."""
    sql = "select starts_on from weeks where course_id = ? and week = 1"
    row = connection.execute(sql, (course_id,)).fetchone()
    return date.fromisoformat(row[0]) if row else None


def assume_week_1(connection: sqlite3.Connection, course_id: int, newest_utc: str) -> date:
    """The Monday to count a log's weeks from while it is written; settling corrects it where it was wrong."""
    if known := week_1(connection, course_id):
        return known
    start = connection.execute("select start_date from courses where id = ?", (course_id,)).fetchone()[0]
    assumed = monday(date.fromisoformat((start or newest_utc)[:10]))
    connection.execute(
        "insert into weeks (course_id, week, starts_on) values (?, 1, ?)", (course_id, assumed.isoformat())
    )
    return assumed


def _number(connection: sqlite3.Connection, course_id: int, first: date) -> bool:
    """Number the events' weeks again if week 1 is another than was thought."""
    known = week_1(connection, course_id)
    if known and (shift := (known - first).days // 7):
        connection.execute("update events set week = week + ? where course_id = ?", (shift, course_id))
    return known != first


def _save(connection: sqlite3.Connection, course_id: int, first: date) -> None:
    """One row for each week with events, and for quiet weeks of up to two months between them."""
    sql = "select distinct week from events where course_id = ? and week is not null"
    busy = sorted({week for (week,) in connection.execute(sql, (course_id,))} | {1})
    wanted = set(busy)
    for one, next_one in pairwise(busy):
        if next_one - one <= LONGEST_GAP:
            wanted.update(range(one, next_one))
    rows = [(course_id, week, (first + timedelta(weeks=week - 1)).isoformat()) for week in sorted(wanted)]
    connection.execute("delete from weeks where course_id = ?", (course_id,))
    connection.executemany("insert into weeks (course_id, week, starts_on) values (?, ?, ?)", rows)


def move_zone(connection: sqlite3.Connection, course_id: int, zone: str, zone_from: str) -> None:
    """Put a course into another time zone: local times and weeks are worked out anew."""
    known = connection.execute("select timezone from courses where id = ?", (course_id,)).fetchone()
    connection.execute("update courses set timezone = ?, timezone_from = ? where id = ?", (zone, zone_from, course_id))
    if known and known[0] != zone:
        calendar = Calendar(zone, date.min)

        def local(utc: str) -> str:
            return calendar(int(datetime.fromisoformat(utc).timestamp()))[1]

        connection.create_function("local_time", 1, local, deterministic=True)
        connection.execute("update events set time_local = local_time(time_utc) where course_id = ?", (course_id,))
        if first := week_1(connection, course_id):
            connection.execute(
                f"update events set week = {WEEK_OF} where course_id = ?", (first.isoformat(), course_id)
            )
