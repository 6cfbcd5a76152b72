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
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from loaders.schema import index_statements

BATCH = 20_000
MASK = (1 << 63) - 1
TIME_FACTOR = 0x9E3779B97F4A7C15
COUNT_FACTOR = 0x4BF58476D1CE4E5B

_INSERT = (
    "insert into events (id, course_id, person_id, related_person_id, time_utc, time_local, event_type_id,"
    " activity_id, part_id, origin, load_id, line_key) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def line_digest(course_id: int, description: str, origin: str) -> int:
    """64-bit hash of the parts of a line that stay the same in every export, but for its time."""
    text = f"{course_id}\n{origin}\n{description}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def line_key(digest: int, seconds: int, count: int) -> int:
    """The stored key: digest, Unix time and the line's place among equals of its second."""
    return (digest + seconds * TIME_FACTOR + count * COUNT_FACTOR) & MASK


@dataclass(slots=True)
class Line:
    """What lines that differ only in time have in common, in own keys."""

    digest: int
    person: int | None
    related: int | None
    event_type: int
    activity: int | None
    part: int | None
    origin: str
    names: tuple[str | None, str | None] | None = None  # person, related: where the text has no id


class Texts:
    """Unix seconds to the two ISO texts of a row; one entry a quarter of an hour, since zones shift by quarters."""

    MMSS = [f"{second // 60:02d}:{second % 60:02d}" for second in range(3600)]

    def __init__(self, zone: str):
        self.zone, self.quarters = ZoneInfo(zone), {}

    def __call__(self, seconds: int) -> tuple[str, str]:
        quarter = seconds // 900
        known = self.quarters.get(quarter) or self._quarter(quarter)
        utc_hour, local_hour, offset = known
        return (
            f"{utc_hour}{self.MMSS[seconds % 3600]}Z",
            local_hour + self.MMSS[(seconds + offset) % 3600],
        )

    def _quarter(self, quarter: int) -> tuple[str, str, int]:
        utc = datetime.fromtimestamp(quarter * 900, timezone.utc)
        local = utc.astimezone(self.zone)
        offset = int(local.utcoffset().total_seconds())
        known = f"{utc:%Y-%m-%dT%H:}", f"{local:%Y-%m-%dT%H:}", offset
        self.quarters[quarter] = known
        return known


class EventWriter:
    """Takes a file's lines in order, writes the new ones, and remembers which events the file holds."""

    def __init__(self, connection: sqlite3.Connection, course_id: int, load_id: int, zone: str):
        self.connection, self.course_id, self.load_id = connection, course_id, load_id
        self.texts = Texts(zone)
        self.next_id = connection.execute("select coalesce(max(id), 0) + 1 from events").fetchone()[0]
        self.stored = connection.execute(
            "select min(time_utc), max(time_utc), count(*) from events where course_id = ?", (course_id,)
        ).fetchone()
        self.first_of_all = self.next_id == 1
        self.rows_new = self.rows_known = 0
        self.keys, self.times, self.lines = [], [], []
        self.second, self.seen = None, {}
        self.ranges = Ranges()
        self.new_digests, self.new_times = array("Q"), array("q")
        if self.first_of_all:
            for name in index_statements():
                connection.execute(f"drop index if exists {name}")

    def add(self, line: Line, seconds: int) -> None:
        """One line of the file, in the file's order (lines of one second must be neighbours)."""
        digest = line.digest
        if seconds != self.second:
            self.second, self.seen = seconds, {digest: 1}
            count = 0
        else:
            count = self.seen.get(digest, 0)
            self.seen[digest] = count + 1
        self.keys.append((digest + seconds * TIME_FACTOR + count * COUNT_FACTOR) & MASK)
        self.times.append(seconds)
        self.lines.append(line)
        if len(self.keys) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write the rows collected so far, inside the caller's transaction."""
        known = self._known_ids() if self.stored[2] else {}
        rows, names, key_of = [], [], self.next_id
        for key, seconds, line in zip(self.keys, self.times, self.lines):
            if (event_id := known.get(key)) is not None:
                self.rows_known += 1
                self.ranges.add(event_id)
                continue
            utc, local = self.texts(seconds)
            rows.append(
                (key_of, self.course_id, line.person, line.related, utc, local, line.event_type,
                 line.activity, line.part, line.origin, self.load_id, key)
            )  # fmt: skip
            if line.names:
                names.append((key_of, *line.names, line.person is not None))
            if self.stored[2]:
                self.new_digests.append(line.digest)
                self.new_times.append(seconds)
            key_of += 1
        self.connection.executemany(_INSERT, rows)
        self.connection.executemany("insert into event_names values (?, ?, ?, ?)", names)
        self.rows_new += len(rows)
        if rows:
            self.ranges.add_run(self.next_id, key_of - 1)
        self.next_id = key_of
        self.keys, self.times, self.lines = [], [], []

    def _known_ids(self) -> dict[int, int]:
        sql = "select line_key, id from events where line_key in (select value from json_each(?))"
        return dict(self.connection.execute(sql, (json.dumps(self.keys),)))

    def finish(self) -> None:
        """Write the rest, the indexes, and which events this load holds."""
        self.flush()
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

    def add(self, event_id: int) -> None:
        if self.runs and event_id == self.runs[-1][1] + 1:
            self.runs[-1][1] = event_id
        elif not (self.runs and self.runs[-1][0] <= event_id <= self.runs[-1][1]):
            self.runs.append([event_id, event_id])

    def add_run(self, first: int, last: int) -> None:
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


def likely_shift(connection: sqlite3.Connection, writer: EventWriter) -> int | None:
    """Seconds by which the file's new lines lie off stored ones, if one shift explains them; else None.

    Asked only when a file overlaps what is stored in time and yet shares almost no line with it: then its
    times were read in the wrong zone. Shifts of up to 15 hours are tried, in half hours.
    """
    low, high, stored = writer.stored
    if not stored or not writer.new_times:
        return None
    start, end = (int(datetime.fromisoformat(text).timestamp()) for text in (low, high))
    reach = 15 * 3600
    near = [i for i, at in enumerate(writer.new_times) if start - reach <= at <= end + reach]
    if len(near) < 10 or writer.rows_known > 0.2 * min(len(near), stored):
        return None
    step = max(1, len(near) // 20_000)
    sample = [(writer.new_digests[i], writer.new_times[i]) for i in near[::step]]
    hits = {shift: _hits(connection, sample, shift, writer.load_id) for shift in range(-reach, reach + 1, 1800)}
    shift, best = max(((s, n) for s, n in hits.items() if s), key=lambda pair: pair[1])
    others = sorted(n for s, n in hits.items() if abs(s - shift) > 3600)
    enough = max(8, 0.2 * min(len(sample), stored / step))
    return shift if best >= enough and best > 4 * max(1, others[len(others) // 2]) else None


def _hits(connection: sqlite3.Connection, sample: list[tuple[int, int]], shift: int, load_id: int) -> int:
    keys = json.dumps([line_key(digest, seconds + shift, 0) for digest, seconds in sample])
    sql = (
        "select count(*) from events where load_id != ?"
        " and line_key in (select value from json_each(?))"
    )
    return connection.execute(sql, (load_id, keys)).fetchone()[0]


def likely_zones(seconds: list[int], zone: str, shift: int, preferred: list[str]) -> list[str]:
    """Zones in which these times, read in `zone`, would have come out `shift` seconds later."""
    wall = [datetime.fromtimestamp(at, ZoneInfo(zone)).replace(tzinfo=None) for at in seconds]
    wanted = [at + shift for at in seconds]

    def fits(name: str) -> bool:
        there = ZoneInfo(name)
        return all(
            abs(w.replace(tzinfo=there) - datetime.fromtimestamp(at, timezone.utc)) < timedelta(minutes=1)
            for w, at in zip(wall, wanted)
        )

    return [name for name in dict.fromkeys(preferred) if fits(name)]
