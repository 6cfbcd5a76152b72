"""Writing log lines into `events`: each once, however often and in whatever order files bring it.

A line is known again by `line_key`: a 63-bit hash of what Moodle never changes about it (course, time,
description, origin) and of how many equal lines its second has had so far. So two genuine clicks in one
second stay two, and of identical lines there are as many as in the file that has most.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from array import array
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple
from zoneinfo import ZoneInfo

from loaders.numbering import Numbering
from loaders.schema import index_statements

BATCH = 20_000
MASK = (1 << 63) - 1
TIME_FACTOR = 0x9E3779B97F4A7C15
COUNT_FACTOR = 0x4BF58476D1CE4E5B
REACH = 15 * 3600  # furthest apart that two time zones' readings of one log are looked for

# 0 stands for null: sqlite3 looks up an adapter for every None it is given, which costs more than the look at 0.
_INSERT = (
    "insert into events (course_id, load_id, id, person_id, related_person_id, time_utc, time_local, week,"
    " event_type_id, activity_id, part_id, origin, line_key) values ({course_id}, {load_id},"
    " ?, nullif(?, 0), nullif(?, 0), ?, ?, ?, ?, nullif(?, 0), nullif(?, 0), ?, ?)"
)


def line_digest(course_id: int, description: str, origin: str) -> int:
    """64-bit hash of the parts of a line that stay the same in every export, but for its time."""
    text = f"{course_id}\n{origin}\n{description}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def line_key(digest: int, seconds: int, count: int) -> int:
    """The stored key: digest, Unix time and the line's place among equals of its second."""
    return (digest + seconds * TIME_FACTOR + count * COUNT_FACTOR) & MASK


class Line(NamedTuple):
    """What lines that differ only in time have in common, in own keys."""

    digest: int
    person: int  # 0: nobody, or not known; so too below
    related: int
    event_type: int
    activity: int
    part: int
    origin: str
    names: tuple[str | None, str | None, bool] | None  # person and related where the text has no id; has it one
    dated: bool  # its time says when a role or an enrolment began or ended


class Calendar:
    """Unix seconds to a row's UTC time, local time and week; kept by quarters of an hour, as zones shift by them."""

    MMSS = tuple(f"{second // 60:02d}:{second % 60:02d}" for second in range(3600))

    def __init__(self, zone: str, numbering: Numbering):
        self.zone, self.numbering = ZoneInfo(zone), numbering
        self.quarters: dict[int, tuple[str, str, int, int | float]] = {}

    def __call__(self, seconds: int) -> tuple[str, str, int | float]:
        """`2016-02-29T01:00:00Z`, `2016-02-29T11:00:00`, 1."""
        utc_hour, local_hour, offset, week = self.quarters.get(seconds // 900) or self.quarter(seconds // 900)
        return (
            f"{utc_hour}{self.MMSS[seconds % 3600]}Z",
            local_hour + self.MMSS[(seconds + offset) % 3600],
            week,
        )

    def quarter(self, quarter: int) -> tuple[str, str, int, int | float]:
        """(UTC text up to the hour, local text up to the hour, offset in seconds, week) of a quarter of an hour."""
        utc = datetime.fromtimestamp(quarter * 900, UTC)
        local = utc.astimezone(self.zone)
        offset = int(local.utcoffset().total_seconds())
        known = f"{utc:%Y-%m-%dT%H:}", f"{local:%Y-%m-%dT%H:}", offset, self.numbering(local.date())
        self.quarters[quarter] = known
        return known


class EventWriter:
    """Takes a file's lines in order, writes the new ones, and remembers which events the file holds."""

    def __init__(self, connection: sqlite3.Connection, course_id: int, load_id: int, calendar: Calendar):
        self.connection, self.course_id, self.load_id = connection, course_id, load_id
        self.calendar = calendar
        self.next_id = connection.execute("select coalesce(max(id), 0) + 1 from events").fetchone()[0]
        self.stored = connection.execute(
            "select min(time_utc), max(time_utc), count(*) from events where course_id = ?", (course_id,)
        ).fetchone()
        # Lines out of backups have no texts, so they are no lines of a downloaded log that is a few hours off.
        self.logged = connection.execute(
            "select min(time_utc), max(time_utc), count(*) from events where course_id = ?"
            " and load_id not in (select id from loads where kind = 'course backup')",
            (course_id,),
        ).fetchone()
        self.rows_new = self.rows_known = 0
        self.oldest: int | None = None
        self.newest: int | None = None
        self.ranges = Ranges()
        self.new_digests, self.new_times = array("Q"), array("q")
        if self.next_id == 1:
            for name in index_statements():
                connection.execute(f"drop index if exists {name}")

    def write(self, lines: Iterable[tuple[int, Line]]) -> None:
        """Write (Unix time, line) pairs in the file's order; lines of one second must be neighbours."""
        keyed = self._keyed(lines)
        if not self.stored[2]:
            self._insert(keyed)
            return
        while batch := list(islice(keyed, BATCH)):
            self._insert(self._unknown(batch))

    def _keyed(self, lines: Iterable[tuple[int, Line]]) -> Iterator[tuple[int, int, Line]]:
        """The lines with their keys."""
        second, seen, low, high = None, {}, None, None
        for seconds, line in lines:
            digest = line[0]
            if seconds != second:
                second, seen, equal = seconds, {digest: 1}, 0
                low = seconds if low is None or seconds < low else low
                high = seconds if high is None or seconds > high else high
            else:
                equal = seen.get(digest, 0)
                seen[digest] = equal + 1
            yield (digest + seconds * TIME_FACTOR + equal * COUNT_FACTOR) & MASK, seconds, line
        self.oldest, self.newest = low, high

    def _insert(self, keyed: Iterable[tuple[int, int, Line]]) -> None:
        first, names = self.next_id, []
        sql = _INSERT.format(course_id=int(self.course_id), load_id=int(self.load_id))
        self.connection.executemany(sql, self._rows(keyed, names))
        self.connection.executemany("insert into event_names values (?, ?, ?, ?)", names)
        if self.next_id > first:
            self.rows_new += self.next_id - first
            self.ranges.add_run(first, self.next_id - 1)

    def _rows(self, keyed: Iterable[tuple[int, int, Line]], names: list[tuple]) -> Iterator[tuple]:
        """The rows of `events`; those of `event_names` are added to `names`. No work a row can do without."""
        event_id, calendar, second = self.next_id, self.calendar, None
        for key, seconds, line in keyed:
            if seconds != second:
                second = seconds
                utc, local, week = calendar(seconds)
            _, person, related, event_type, activity, part, origin, named, _ = line
            yield event_id, person, related, utc, local, week, event_type, activity, part, origin, key
            if named:
                names.append((event_id, *named))
            event_id += 1
        self.next_id = event_id

    def _unknown(self, batch: list[tuple[int, int, Line]]) -> list[tuple[int, int, Line]]:
        """Those of the batch that are not stored yet; the others are counted."""
        known = self._known_ids([key for key, _, _ in batch])
        self.ranges.add_all(known[key] for key, _, _ in batch if key in known)
        new = [item for item in batch if item[0] not in known]
        self.rows_known += len(batch) - len(new)
        self.new_digests.extend(line[0] for _, _, line in new)
        self.new_times.extend(seconds for _, seconds, _ in new)
        return new

    def _known_ids(self, keys: list[int]) -> dict[int, int]:
        sql = "select line_key, id from events where line_key in (select value from json_each(?))"
        return dict(self.connection.execute(sql, (json.dumps(keys),)))

    def finish(self) -> None:
        """Write the indexes, and which events this load holds."""
        for statement in index_statements().values():
            self.connection.execute(statement)
        self.connection.executemany(
            "insert into load_events (load_id, first_id, last_id) values (?, ?, ?)",
            [(self.load_id, first, last) for first, last in self.ranges],
        )


class Ranges:
    """Event ids as runs: a whole export is a handful of them."""

    def __init__(self):
        self.runs: list[list[int]] = []

    def add_all(self, event_ids: Iterable[int]) -> None:
        """Ids in any order; mostly each is the one after the last."""
        first = last = None
        for event_id in event_ids:
            if last is None or event_id != last + 1:
                if last is not None:
                    self.add_run(first, last)
                first = event_id
            last = event_id
        if last is not None:
            self.add_run(first, last)

    def add_run(self, first: int, last: int) -> None:
        """Ids from `first` to `last`."""
        if self.runs and first == self.runs[-1][1] + 1:
            self.runs[-1][1] = last
        else:
            self.runs.append([first, last])

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Merged and sorted."""
        merged: list[list[int]] = []
        for first, last in sorted(self.runs):
            if merged and first <= merged[-1][1] + 1:
                merged[-1][1] = max(last, merged[-1][1])
            else:
                merged.append([first, last])
        return iter((first, last) for first, last in merged)


class Shift(NamedTuple):
    """How far a file's lines lie off stored ones, and in which zone they would lie on them (None: in none)."""

    seconds: int
    zone: str | None


def likely_shift(connection: sqlite3.Connection, writer: EventWriter, zone: str, zones: list[str]) -> Shift | None:
    """The shift that explains why a file's new lines are not stored ones, if there is one; else None.

    Asked only when a file overlaps what is stored in time and yet shares almost no line with it: then its
    times, read in `zone`, were written in another. Shifts of up to 15 hours are tried, in half hours.
    """
    low, high, stored = writer.logged
    if not stored or not writer.new_times:
        return None
    start, end = (int(datetime.fromisoformat(text).timestamp()) for text in (low, high))
    near = [i for i, at in enumerate(writer.new_times) if start - REACH <= at <= end + REACH]
    if len(near) < 10 or writer.rows_known > 0.2 * min(len(near), stored):
        return None
    step = max(1, len(near) // 20_000)
    sample = [(writer.new_digests[i], writer.new_times[i]) for i in near[::step]]
    hits = {
        shift: _hits(connection, writer, [(digest, at + shift) for digest, at in sample])
        for shift in range(-REACH, REACH + 1, 1800)
    }
    shift, best = max(((s, n) for s, n in hits.items() if s), key=lambda pair: pair[1])
    others = sorted(n for s, n in hits.items() if abs(s - shift) > 3600)
    enough = max(8, 0.2 * min(len(sample), stored / step))
    if best < enough or best <= 4 * max(1, others[len(others) // 2]):
        return None
    return Shift(shift, _best_zone(connection, writer, sample[:: max(1, len(sample) // 500)], zone, zones))


def _hits(connection: sqlite3.Connection, writer: EventWriter, lines: list[tuple[int, int]]) -> int:
    """How many of these lines other loads have stored."""
    keys = json.dumps([line_key(digest, seconds, 0) for digest, seconds in lines])
    sql = "select count(*) from events where load_id != ? and line_key in (select value from json_each(?))"
    return connection.execute(sql, (writer.load_id, keys)).fetchone()[0]


def _best_zone(connection, writer: EventWriter, sample: list[tuple[int, int]], zone: str, zones: list[str]):
    """Of `zones`, the first in which most of these lines, read in `zone`, are stored ones."""
    wall = [(digest, datetime.fromtimestamp(at, ZoneInfo(zone)).replace(tzinfo=None)) for digest, at in sample]
    best, most = None, 0
    for name in dict.fromkeys(zones):
        there = ZoneInfo(name)
        lines = [(digest, int(at.replace(tzinfo=there).timestamp())) for digest, at in wall]
        found = _hits(connection, writer, lines)
        if found > most:
            best, most = name, found
    return best
