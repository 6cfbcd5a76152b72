"""Loading a course log: which course, in which zone, and every line into `events` once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice

from loaders import claims, log
from loaders.courses import Evidence
from loaders.directory import Directory
from loaders.errors import Unreadable
from loaders.events import EventWriter, likely_shift, likely_zones
from loaders.tables import Sheet
from loaders.times import Clock, epoch_utc

HELD = "held log line"
WHY_HELD = "the log does not say which course it is of: say --course ID, or load more of that course"
Timed = tuple[int, list[str]]  # Unix time, and the row without its address


def find_course(connection: sqlite3.Connection, site_id: int, votes: log.CourseVotes) -> int | None:
    """Own key of the course a log without a course id is of: by its activities, else by its people."""
    loads = [load for load in claims.read_loads(connection) if load.site_id == site_id]
    people = [{("id", moodle_id)} for moodle_id in votes.people]
    return Evidence(loads).place(people, votes.cmids)


def timed_rows(sheet: Sheet, seconds: Callable[[str], int]) -> Iterator[Timed]:
    """The log's rows with their Unix time, in the file's order."""
    for line, row in sheet.rows():
        try:
            at = seconds(row[0])
        except Unreadable as error:
            raise Unreadable(str(error), line) from None
        yield at, row


def first_column(sheet: Sheet) -> Iterator[str]:
    """The time texts of a log."""
    return sheet.first_cells() if hasattr(sheet, "first_cells") else (row[0] for _, row in sheet.rows())


def sorted_rows(sheet: Sheet, clock: Clock, connection: sqlite3.Connection) -> Iterator[Timed]:
    """The rows of a log that somebody sorted by another column, newest first again."""
    connection.execute("drop table if exists temp.unsorted")
    connection.execute("create temp table unsorted (at integer, row text)")
    connection.executemany(
        "insert into unsorted values (?, ?)",
        ((_epoch(clock.utc(row[0])), json.dumps(row[:8])) for _, row in sheet.rows()),
    )
    for at, row in connection.execute("select at, row from unsorted order by at desc, rowid"):
        yield at, json.loads(row)


def _epoch(utc: str) -> int:
    return int(datetime.fromisoformat(utc).timestamp())


class LogLoad:
    """One log being written: its counts, when done."""

    def __init__(self, connection: sqlite3.Connection, load_id: int, site_id: int, course_id: int):
        self.connection, self.load_id, self.course_id = connection, load_id, course_id
        zone = connection.execute("select timezone from courses where id = ?", (course_id,)).fetchone()[0]
        self.book = log.LogBook(Directory(connection, site_id, course_id))
        self.writer = EventWriter(connection, course_id, load_id, zone)
        self.rows_read = 0
        self.oldest: int | None = None
        self.newest: int | None = None

    def run(self, rows: Iterable[Timed], tick: Callable[[int], None] = lambda rows: None) -> None:
        """Write all rows, then what they say besides."""
        book, add, dated = self.book, self.writer.add, self.book.dated
        low, high = 1 << 60, -(1 << 60)
        count = 0
        for count, (at, row) in enumerate(rows, 1):
            line = book.line(row)
            add(line, at)
            if line.digest in dated:
                book.note_time(line, at)
            if at < low:
                low = at
            if at > high:
                high = at
            if not count % 10_000:
                tick(10_000)
        self.rows_read = count
        if count:
            self.oldest, self.newest = low, high
        self.writer.finish()
        claims.store(self.connection, self.load_id, book.claims(epoch_utc))

    @classmethod
    def from_sheet(cls, sheet: Sheet, clock: Clock, tick: Callable, *args) -> LogLoad:
        """Write a file's lines: newest first as Moodle has them; else oldest first; else sorted here first."""
        connection = args[0]
        for newest_first in (True, False):
            connection.execute("savepoint lines")
            loading, stream = cls(*args), clock.stream(newest_first)
            loading.run(timed_rows(sheet, stream), tick)
            if stream.ordered:
                connection.execute("release lines")
                return loading
            connection.execute("rollback to lines")
            connection.execute("release lines")
        loading = cls(*args)
        loading.run(sorted_rows(sheet, clock, connection), tick)
        return loading

    def refuse_wrong_zone(self, zone: str, known_zones: list[str]) -> None:
        """Raise Unreadable if the lines are stored ones, a constant number of hours off."""
        shift = likely_shift(self.connection, self.writer)
        if shift is None:
            return
        sample = list(islice(self.writer.new_times, 0, None, max(1, len(self.writer.new_times) // 50)))
        zones = likely_zones(sample, zone, shift, known_zones)
        hours = abs(shift) / 3600
        way = "earlier" if shift < 0 else "later"
        say = f": say --timezone {zones[0]}" if zones else ": say the zone they are in with --timezone"
        raise Unreadable(
            f"its lines are already here, {hours:g} hours {way}, so its times are not in {zone}{say}"
        )


def hold(connection: sqlite3.Connection, load_id: int, rows: Iterable[Timed]) -> int:
    """Keep a log whose course is not known yet; returns how many lines."""
    before = connection.total_changes
    connection.executemany(
        "insert into unmatched (load_id, kind, line, raw, reason) values (?, ?, ?, ?, ?)",
        (
            (load_id, HELD, line, json.dumps([at, *log.scrubbed(row)], ensure_ascii=False), WHY_HELD)
            for line, (at, row) in enumerate(rows, 2)
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
    return any([_retry(connection, load_id, site_id) for load_id, site_id in loads])


def _retry(connection: sqlite3.Connection, load_id: int, site_id: int) -> bool:
    sql = "select raw from unmatched where load_id = ? and kind = ? order by id"
    raw = [json.loads(text) for (text,) in connection.execute(sql, (load_id, HELD))]
    rows = [(at, [text, *row]) for at, text, *row in raw]
    course_id = find_course(connection, site_id, log.peek((0, row) for _, row in rows))
    if course_id is None:
        return False
    connection.execute("delete from unmatched where load_id = ? and kind = ?", (load_id, HELD))
    loading = LogLoad(connection, load_id, site_id, course_id)
    loading.run(rows)
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
