"""When activities are due: the teacher's calendar goes before what Moodle says; and how long before it something was.

"3 days before due" counts days on the calendar where the zone is known, so that Tuesday is 3 days before Friday at any
hour. After it, time that has passed counts, as for a penalty.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

from loaders import calendars, zones
from loaders.activities import Activities
from loaders.claims import Load, read_loads
from loaders.times import epoch_utc

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def said(loads: list[Load], zone: str) -> list[tuple[Load, dict, str]]:
    """(load, claim, due in UTC) of every due date in the calendar that is in force, in a course's time zone."""
    load = calendars.newest(loads)
    return [(load, claim, _utc(claim["at"], zone)) for claim in load.of("due")] if load else []


def against_moodle(connection: sqlite3.Connection, course_id: int, zone: str) -> list[tuple[str, str, str]]:
    """(activity, due in UTC, the same as Moodle says) where the calendar that is in force and Moodle differ."""
    loads = [load for load in read_loads(connection) if load.course_id == course_id]
    activities = Activities(loads)
    found = []
    for _, claim, utc in said(loads, zone):
        key, _ = activities.find(claim)
        moodle = activities.said.get((key, "due_utc"))
        if moodle and moodle != utc:
            found.append((activities.said.get((key, "name")) or f"activity {key}", utc, moodle))
    return found


def _utc(at: str, zone: str) -> str:
    moment = datetime.fromisoformat(at)
    if moment.tzinfo:
        return epoch_utc(int(moment.timestamp()))
    return epoch_utc(zones.epochs(moment, zones.named(zone))[0])


def before_due(utc: str | None, due_utc: str | None, zone: str | None = None) -> str | None:
    """'3 days before due', 'on the day it was due', '5 hours after due'; None where either is no time.

    Times are ISO-8601 UTC text. Without a `zone` (IANA name) days are taken as 24 hours, and the day it was due is not
    known.
    """
    try:
        time, due = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (utc, due_utc))
    except (TypeError, ValueError):
        return None
    if time > due:
        return f"{_elapsed(time - due)} after due"
    if not zone:
        return f"{_elapsed(due - time)} before due"
    local = zones.named(zone)
    days = (due.astimezone(local).date() - time.astimezone(local).date()).days
    return f"{_many(days, 'day')} before due" if days else "on the day it was due"


def days_before(utc: str | None, due_utc: str | None) -> float | None:
    """`days_before(utc, due_utc)`: how many days of 24 hours before it was due, to a tenth; negative after that.

    select days_before('2016-03-01T10:00:00Z', '2016-03-04T13:55:00Z')
    """
    try:
        gap = datetime.fromisoformat(due_utc) - datetime.fromisoformat(utc)
    except (TypeError, ValueError):
        return None
    return round(gap / DAY, 1)


def _elapsed(gap: timedelta) -> str:
    if gap >= DAY:
        return _many(gap // DAY, "day")
    return _many(gap // HOUR, "hour") if gap >= HOUR else _many(gap // timedelta(minutes=1), "minute")


def _many(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"
