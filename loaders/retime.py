"""Times read in an assumed zone, put right when a saved page tells the teacher's own.

A download does not say its time zone. Without --timezone it is read in this computer's; a page saved from the
same Moodle carries the zone in which Moodle shows times to this teacher. Whichever comes first, the result is
the same: what was only assumed is read again from its wall-clock time.
"""

from __future__ import annotations

import re
import sqlite3
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from loaders import zones
from loaders.events import COUNT_FACTOR, MASK, TIME_FACTOR, Calendar
from loaders.times import epoch_utc
from loaders.weeks import assume_numbering, move_zone

ASSUMED = ("machine", "course", "site")
UTC_TEXT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
LOCAL_KINDS = ("activity completion", "course completion")  # their files hold wall-clock times, and no others


def page_zone(connection: sqlite3.Connection, site_id: int) -> str | None:
    """The zone in which this Moodle shows times to the teacher, as saved pages have it."""
    sql = (
        "select timezone from loads where site_id = ? and timezone_from = 'saved page' and error is null"
        " group by timezone order by count(*) desc, timezone limit 1"
    )
    row = connection.execute(sql, (site_id,)).fetchone()
    return row[0] if row else None


def follow_pages(connection: sqlite3.Connection, site_id: int) -> list[str]:
    """Read assumed times again in the pages' zone; returns the files it was done for."""
    zone = page_zone(connection, site_id)
    if zone is None:
        return []
    courses = connection.execute(
        "select id from courses where site_id = ? and timezone_from in ('first load', 'this computer') and id not in"
        " (select course_id from loads where timezone_from = 'option' and course_id is not null)",
        (site_id,),
    ).fetchall()
    for (course_id,) in courses:
        move_zone(connection, course_id, zone, "saved page")
    loads = connection.execute(
        f"select id, source, timezone from loads where site_id = ? and error is null and timezone != ?"
        f" and timezone_from in ({', '.join('?' * len(ASSUMED))})",
        (site_id, zone, *ASSUMED),
    ).fetchall()
    for load_id, _, old in loads:
        _move_load(connection, load_id, Shift(old, zone))
    return [source for _, source, _ in loads]


class Shift:
    """Unix seconds read in one zone, read again in another from the same wall clock."""

    def __init__(self, old: str, new: str):
        self.new = new
        self._old, self._new = ZoneInfo(old), ZoneInfo(new)
        self._by = lru_cache(maxsize=None)(self._quarter)

    def __call__(self, seconds: int) -> int:
        return seconds + self._by(seconds // 900)

    def _quarter(self, quarter: int) -> int:
        wall = datetime.fromtimestamp(quarter * 900, self._old).replace(tzinfo=None)
        return zones.epochs(wall, self._new)[0] - quarter * 900

    def text(self, utc: str) -> str:
        """The same for ISO-8601 UTC text."""
        return epoch_utc(self(_epoch(utc)))


def _epoch(utc: str) -> int:
    return int(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp())


def _move_load(connection: sqlite3.Connection, load_id: int, shift: Shift) -> None:
    kind, oldest, newest = connection.execute(
        "select kind, oldest_utc, newest_utc from loads where id = ?", (load_id,)
    ).fetchone()
    if kind == "course log":
        _move_events(connection, load_id, shift)
    if kind in ("course log", *LOCAL_KINDS):
        dated = "noun != 'person'" if kind == "course log" else "1"
        _move_claims(connection, load_id, dated, shift)
        oldest, newest = (shift.text(utc) if utc else None for utc in (oldest, newest))
    connection.execute(
        "update loads set timezone = ?, timezone_from = 'site', oldest_utc = ?, newest_utc = ? where id = ?",
        (shift.new, oldest, newest, load_id),
    )


def _move_claims(connection: sqlite3.Connection, load_id: int, where: str, shift: Shift) -> None:
    rows = connection.execute(f"select id, claim from claims where load_id = ? and {where}", (load_id,)).fetchall()
    moved = [(UTC_TEXT.sub(lambda utc: shift.text(utc[0]), claim), key) for key, claim in rows]
    connection.executemany("update claims set claim = ? where id = ?", moved)


def _move_events(connection: sqlite3.Connection, load_id: int, shift: Shift) -> None:
    """Give the events that only assumed loads hold their new times and keys; those that are there already go."""
    inside = "select e.id from events e join load_events r on e.id between r.first_id and r.last_id"
    marks = ", ".join(f"'{name}'" for name in ASSUMED)
    connection.execute("drop table if exists temp.moving")
    connection.execute(f"create temp table moving as {inside} where r.load_id = ?", (load_id,))
    connection.execute(
        f"delete from moving where id in ({inside} join loads l on l.id = r.load_id"
        f" where l.id != ? and l.timezone_from not in ({marks}))",
        (load_id,),
    )
    rows = connection.execute(
        "select id, course_id, time_utc, line_key from events where id in (select id from moving)"
    ).fetchall()
    if not rows:
        return
    changes = _changes(connection, rows, shift)
    connection.execute("drop index events_line_key")
    connection.executemany(
        "update events set time_utc = ?, time_local = ?, week = ?, line_key = ? where id = ?", changes
    )
    _drop_doubles(connection, load_id)
    connection.execute("create unique index events_line_key on events(line_key)")
    connection.execute("drop table moving")


def _changes(connection: sqlite3.Connection, rows: list[tuple], shift: Shift) -> list[tuple]:
    course_id = rows[0][1]
    zone = connection.execute("select timezone from courses where id = ?", (course_id,)).fetchone()[0]
    calendar = Calendar(zone, assume_numbering(connection, course_id, rows[0][2]))
    changes, taken = [], set()
    for event_id, _, utc, key in rows:
        before = _epoch(utc)
        after = shift(before)
        key = (key + (after - before) * TIME_FACTOR) & MASK
        while key in taken:  # two hours that daylight saving made one: their lines stay two
            key = (key + COUNT_FACTOR) & MASK
        taken.add(key)
        changes.append((*calendar(after), key, event_id))
    return changes


def _drop_doubles(connection: sqlite3.Connection, load_id: int) -> None:
    """Moved events that another load has brought in the right zone already: the load holds those instead."""
    doubles = connection.execute(
        "select moved.id, kept.id from events moved join moving on moving.id = moved.id"
        " join events kept on kept.line_key = moved.line_key and kept.id != moved.id"
        " where kept.id not in (select id from moving)"
    ).fetchall()
    for table, column in (("event_names", "event_id"), ("events", "id")):
        connection.executemany(f"delete from {table} where {column} = ?", [(moved,) for moved, _ in doubles])
    connection.executemany(
        "insert into load_events (load_id, first_id, last_id) values (?, ?, ?)",
        [(load_id, kept, kept) for _, kept in doubles],
    )
