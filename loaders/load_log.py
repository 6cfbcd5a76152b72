"""Loading a course log: which course, in which zone, and every line into `events` once."""

from __future__ import annotations

import gc
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from loaders import claims, log
from loaders.courses import Evidence
from loaders.directory import Directory
from loaders.errors import Unreadable
from loaders.events import Calendar, EventWriter, likely_shift
from loaders.tables import Sheet
from loaders.times import Clock, epoch_utc
from loaders.weeks import assume_week_1

HELD = "held log line"
WHY_HELD = "the log does not say which course it is of: say --course ID, or load more of that course"


def find_course(connection: sqlite3.Connection, site_id: int, votes: log.CourseVotes) -> int | None:
    """Own key of the course a log without a course id is of: by its activities, else by its people."""
    loads = [load for load in claims.read_loads(connection) if load.site_id == site_id]
    people = [{("id", moodle_id)} for moodle_id in votes.people]
    return Evidence(loads).place(people, {("cm", cmid) for cmid in votes.cmids})


def first_column(sheet: Sheet) -> Iterator[str]:
    """The time texts of a log."""
    return sheet.first_cells() if hasattr(sheet, "first_cells") else (row[0] for _, row in sheet.rows())


def sorted_rows(sheet: Sheet, clock: Clock, connection: sqlite3.Connection) -> Iterator[log.Row]:
    """The rows of a log that somebody sorted by another column, newest first again; times as Unix seconds."""
    connection.execute("drop table if exists temp.unsorted")
    connection.execute("create temp table unsorted (line integer, at integer, row text)")
    connection.executemany(
        "insert into unsorted values (?, ?, ?)",
        ((line, _epoch(clock.utc(row[0])), json.dumps(row[1:8])) for line, row in sheet.rows()),
    )
    for line, at, row in connection.execute("select line, at, row from unsorted order by at desc, rowid"):
        yield line, [at, *json.loads(row)]


def _epoch(utc: str) -> int:
    return int(datetime.fromisoformat(utc).timestamp())


@contextmanager
def no_collector() -> Iterator[None]:
    """Python's cycle collector walks every cached line again and again, though there are no cycles."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class LogLoad:
    """One log being written: its counts, when done."""

    def __init__(self, connection: sqlite3.Connection, load_id: int, site_id: int, course_id: int, newest: str):
        self.connection, self.load_id, self.course_id = connection, load_id, course_id
        zone = connection.execute("select timezone from courses where id = ?", (course_id,)).fetchone()[0]
        self.book = log.LogBook(Directory(connection, site_id, course_id))
        calendar = Calendar(zone, assume_week_1(connection, course_id, newest))
        self.writer = EventWriter(connection, course_id, load_id, calendar)

    def run(self, rows: Iterable[log.Row], seconds: Callable[[str], int], tick: Callable[[int], None]) -> None:
        """Write all rows, then what they say besides."""
        with no_collector():
            self.writer.write(self.book.lines(rows, seconds, tick))
        self.writer.finish()
        claims.store(self.connection, self.load_id, self.book.claims(epoch_utc))

    @classmethod
    def from_sheet(cls, sheet: Sheet, clock: Clock, tick: Callable, *args) -> LogLoad:
        """Write a file's lines: newest first as Moodle has them; else oldest first; else sorted here first."""
        connection = args[0]
        for newest_first in (True, False):
            connection.execute("savepoint lines")
            loading, stream = cls(*args), clock.stream(newest_first)
            loading.run(sheet.rows(), stream, tick)
            if stream.ordered:
                connection.execute("release lines")
                return loading
            connection.execute("rollback to lines")
            connection.execute("release lines")
        loading = cls(*args)
        loading.run(sorted_rows(sheet, clock, connection), int, tick)
        return loading

    def refuse_wrong_zone(self, zone: str, zones: list[str]) -> None:
        """Raise Unreadable if the lines are stored ones, a constant number of hours off."""
        if shift := likely_shift(self.connection, self.writer, zone, zones):
            way = "earlier" if shift.seconds < 0 else "later"
            say = f"say --timezone {shift.zone}" if shift.zone else "say the zone they are in with --timezone"
            raise Unreadable(
                f"its lines are already here, {abs(shift.seconds) / 3600:g} hours {way}, so its times are not in"
                f" {zone}: {say}"
            )


def hold(connection: sqlite3.Connection, load_id: int, sheet: Sheet, seconds: Callable[[str], int]) -> int:
    """Keep a log whose course is not known yet, without addresses; returns how many lines."""
    before = connection.total_changes
    connection.executemany(
        "insert into unmatched (load_id, kind, line, raw, reason) values (?, ?, ?, ?, ?)",
        (
            (load_id, HELD, line, json.dumps([seconds(row[0]), *row[1:8]], ensure_ascii=False), WHY_HELD)
            for line, row in sheet.rows()
        ),
    )
    return connection.total_changes - before


def retry_held(connection: sqlite3.Connection) -> bool:
    """Try again to place logs held without a course; True if one found its home."""
    loads = connection.execute(
        "select distinct loads.id, loads.site_id from unmatched join loads on loads.id = load_id"
        " where unmatched.kind = ?",
        (HELD,),
    ).fetchall()
    found = [_retry(connection, load_id, site_id) for load_id, site_id in loads]
    return any(found)


def _retry(connection: sqlite3.Connection, load_id: int, site_id: int) -> bool:
    sql = "select line, raw from unmatched where load_id = ? and kind = ? order by id"
    rows = [(line, json.loads(raw)) for line, raw in connection.execute(sql, (load_id, HELD))]
    course_id = find_course(connection, site_id, log.peek(rows))
    if course_id is None:
        return False
    connection.execute("delete from unmatched where load_id = ? and kind = ?", (load_id, HELD))
    loading = LogLoad(connection, load_id, site_id, course_id, epoch_utc(rows[0][1][0]))
    loading.run(rows, int, lambda rows: None)
    connection.execute(
        "update loads set course_id = ?, rows_new = ?, rows_known = ? where id = ?",
        (course_id, loading.writer.rows_new, loading.writer.rows_known, load_id),
    )
    return True


def all_zones(connection: sqlite3.Connection) -> list[str]:
    """Zones to name when one is wrong: those in use here, the usual ones, then every one there is."""
    from zoneinfo import available_timezones

    used = [zone for (zone,) in connection.execute("select distinct timezone from loads where timezone is not null")]
    cities = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))
    return ["UTC", *used, "Europe/London", "America/New_York", "Australia/Sydney", *cities]


def now_utc() -> str:
    """This moment, as the tables write it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
