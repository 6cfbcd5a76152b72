"""Loading a course log: which course, in which zone, and every line into `events` once."""

from __future__ import annotations

import gc
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from loaders import claims, log
from loaders.courses import Evidence
from loaders.directory import Directory
from loaders.errors import Unreadable
from loaders.events import Calendar, EventWriter, likely_shift
from loaders.tables import Sheet
from loaders.times import Clock, epoch_utc
from loaders.weeks import assume_numbering

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
        calendar = Calendar(zone, assume_numbering(connection, course_id, newest))
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


@dataclass
class Place:
    """Where a log goes: a load, its site and its course (own keys)."""

    load_id: int
    site_id: int
    course_id: int


def write_log(connection: sqlite3.Connection, sheet: Sheet, clock: Clock, place: Place, tick: Callable) -> LogLoad:
    """Write a log's lines into events, in the caller's transaction. Raises Unreadable where they cannot be right."""
    texts = first_column(sheet)
    first = next(texts, None)
    to_minute = first is not None and first.count(":") == 1
    newest = clock.utc(first) if first else now_utc()
    loading = LogLoad.from_sheet(sheet, clock, tick, connection, place.load_id, place.site_id, place.course_id, newest)
    oldest, newest = (at if at is None else epoch_utc(at) for at in (loading.writer.oldest, loading.writer.newest))
    _refuse_other_precision(connection, place, to_minute, oldest, newest)
    _refuse_wrong_zone(connection, loading.writer, clock.zone, place)
    connection.execute(
        "update loads set course_id = ?, rows_read = ?, rows_new = ?, rows_known = ?, oldest_utc = ?, newest_utc = ?,"
        " to_minute = ?, rows_skipped = ? where id = ?",
        (place.course_id, loading.book.rows_read, loading.writer.rows_new, loading.writer.rows_known, oldest, newest,
         to_minute, loading.book.rows_skipped, place.load_id),
    )  # fmt: skip
    return loading


def _refuse_other_precision(connection, place: Place, to_minute: bool, oldest: str | None, newest: str | None) -> None:
    """Lines without seconds cannot be told from lines with: both would be there, and every click count twice."""
    sql = (
        "select id from loads where course_id = ? and id != ? and to_minute = ? and rows_read > 0 and error is null"
        " and oldest_utc <= ? and newest_utc >= ? order by id limit 1"
    )
    values = (place.course_id, place.load_id, not to_minute, newest, oldest)
    if (other := connection.execute(sql, values).fetchone()) is None:
        return
    if to_minute:
        raise Unreadable(
            f"its times have no seconds, and load {other[0]} holds this period with them: download the log again"
            " from Moodle, and do not open it in a spreadsheet program"
        )
    raise Unreadable(
        f"load {other[0]} holds this period without seconds: take that back with `coursette unload {other[0]}`,"
        " then load this file again"
    )


def _refuse_wrong_zone(connection: sqlite3.Connection, writer: EventWriter, zone: str, place: Place) -> None:
    """Raise Unreadable if the lines are stored ones, a constant number of hours off."""
    shift = likely_shift(connection, writer, zone, all_zones(connection))
    if shift is None:
        return
    way = "earlier" if shift.seconds < 0 else "later"
    say = f"say --timezone {shift.zone}" if shift.zone else "say the zone they are in with --timezone"
    assumed = connection.execute(
        "select id, timezone from loads where course_id = ? and id != ? and kind = ? and timezone_from = 'machine'"
        " and rows_new > 0 and error is null order by id limit 1",
        (place.course_id, place.load_id, log.KIND),
    ).fetchone()
    other = (
        f"; or it was load {assumed[0]} that is not in {assumed[1]}, this computer's zone: then `coursette unload"
        f" {assumed[0]}`, and load both files with --timezone {zone}"
        if assumed
        else ""
    )
    raise Unreadable(
        f"its lines are already here, {abs(shift.seconds) / 3600:g} hours {way}, so its times are not in {zone}:"
        f" {say}{other}"
    )


@dataclass
class HeldSheet:
    """The lines of a log whose course was not known, as they were in the file."""

    connection: sqlite3.Connection
    load_id: int

    def rows(self) -> Iterator[log.Row]:
        sql = "select line, raw from unmatched where load_id = ? and kind = ? order by id"
        for line, raw in self.connection.execute(sql, (self.load_id, HELD)).fetchall():
            yield line, json.loads(raw)


def hold(connection: sqlite3.Connection, load_id: int, sheet: Sheet) -> int:
    """Keep a log whose course is not known yet, without addresses; returns how many lines.

    Those of students who were deleted on request or opted out go again before anybody sees them (see sifting.py).
    """
    before = connection.total_changes
    connection.executemany(
        "insert into unmatched (load_id, kind, line, raw, reason) values (?, ?, ?, ?, ?)",
        ((load_id, HELD, line, json.dumps(row[:8], ensure_ascii=False), WHY_HELD) for line, row in sheet.rows()),
    )
    return connection.total_changes - before


def retry_held(connection: sqlite3.Connection) -> bool:
    """Try again to place logs held without a course; True if one found its home."""
    loads = connection.execute(
        "select distinct loads.id, loads.site_id, loads.timezone, loads.options from unmatched"
        " join loads on loads.id = load_id where unmatched.kind = ? and reason = ? order by newest_utc, loads.id",
        (HELD, WHY_HELD),
    ).fetchall()
    found = [_retry(connection, *load) for load in loads]
    return any(found)


def _retry(connection: sqlite3.Connection, load_id: int, site_id: int, zone: str, options: str) -> bool:
    sheet = HeldSheet(connection, load_id)
    course_id = find_course(connection, site_id, log.peek(sheet.rows()))
    if course_id is None:
        return False
    clock = Clock(zone, json.loads(options).get("date_order"))
    clock.settle(first_column(sheet), newest_first=True)
    connection.execute("savepoint retry")
    try:
        write_log(connection, sheet, clock, Place(load_id, site_id, course_id), lambda rows: None)
        connection.execute("delete from unmatched where load_id = ? and kind = ?", (load_id, HELD))
    except Unreadable as error:
        connection.execute("rollback to retry")
        connection.execute(
            "update unmatched set reason = ? where load_id = ? and kind = ?", (str(error), load_id, HELD)
        )
    connection.execute("release retry")
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
