"""The log lines of a course backup, into `events`; and joining them with the same lines of a course log.

A backup's line has Moodle's own event class and ids, but no origin; a log's line has words and an origin. Both
may hold the same click, so lines that say the same of the same second are joined: the log's stays, and every
load that held the backup's holds it from then on.
"""

from __future__ import annotations

import base64
import binascii
import re
import sqlite3
from collections.abc import Callable, Iterator
from functools import cache

from lxml import etree

from loaders import claims
from loaders.backup import KIND, read_contexts
from loaders.backup_archive import LOGS, Backup, elements, number, text
from loaders.directory import Directory
from loaders.events import Calendar, EventWriter, Line, Ranges, line_digest, line_key
from loaders.load_log import Place, now_utc
from loaders.log import TICK
from loaders.weeks import assume_numbering
from loaders.wordings import PARTS, EventType, event_types, table

ROW = "logstore_standard_log"
IDS = ("objectid", "contextid", "userid", "relateduserid", "realuserid", "timecreated")
# Where the id of a part stands in `other`, for events that are about something inside it.
OTHER = {"discussion": ("discussionid", "discussion"), "wikipage": ("pageid", "itemid")}
# `{"discussionid":"7"}` is JSON; a:1:{s:12:"discussionid";s:1:"7";} is PHP's.
VALUE = r'"{}"(?:;(?:i:|s:\d+:")|:"?)([0-9]{{1,15}})\b'
LAST_SECOND = 253_402_300_799  # of the year 9999
PAIRS = """
with ours as (
    select e.id, e.course_id, e.time_utc, e.event_type_id, e.person_id, e.activity_id,
        {more} row_number() over (
            partition by e.course_id, e.time_utc, e.event_type_id, e.person_id, e.activity_id,
                e.origin is null {by} order by e.id
        ) as place, e.origin is null as of_backup
    from events e
    where e.course_id = :course and {where}
        and e.time_utc in (select time_utc from events where course_id = :course and origin is null)
)
select b.id as gone, l.id as stays from ours b
join ours l on l.time_utc = b.time_utc and l.event_type_id = b.event_type_id and l.person_id is b.person_id
    and l.activity_id is b.activity_id and l.place = b.place and not l.of_backup {on}
where b.of_backup
"""


def write(
    connection: sqlite3.Connection, backup: Backup, place: Place, tick: Callable[[int], None]
) -> tuple[int, int, int]:
    """Write the backup's log lines, in the caller's transaction; returns how many: read, new, known."""
    _gather(connection, backup, tick)
    first = connection.execute("select min(at) from temp.backup_lines").fetchone()[0]
    if first is None:
        return 0, 0, 0
    zone, newest = connection.execute(
        "select courses.timezone, coalesce(loads.newest_utc, ?) from courses, loads"
        " where courses.id = ? and loads.id = ?",
        (now_utc(), place.course_id, place.load_id),
    ).fetchone()
    calendar = Calendar(zone, assume_numbering(connection, place.course_id, newest))
    writer = EventWriter(connection, place.course_id, place.load_id, calendar)
    book = _Book(Directory(connection, place.site_id, place.course_id), read_contexts(backup))
    writer.write(book.lines(connection))
    writer.finish()
    book.note_real(connection)
    claims.store(connection, place.load_id, book.claims())
    connection.execute("drop table temp.backup_lines")
    connection.execute(
        "update loads set rows_skipped = rows_skipped + ? where id = ?", (book.rows_skipped, place.load_id)
    )
    return book.rows_read, writer.rows_new, writer.rows_known


def _gather(connection: sqlite3.Connection, backup: Backup, tick: Callable[[int], None]) -> None:
    """All lines into a temporary table: the archive has them activity by activity, events want them by time."""
    connection.execute("drop table if exists temp.backup_lines")
    connection.execute(
        "create temp table backup_lines (at integer, log integer, class text, crud text, level integer,"
        " object integer, context integer, user integer, related integer, real integer, other text)"
    )
    connection.executemany(
        "insert into temp.backup_lines values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", _rows(backup, tick)
    )


def _rows(backup: Backup, tick: Callable[[int], None]) -> Iterator[tuple]:
    count = 0
    for _, stream in backup.files(lambda path: path.endswith(LOGS)):
        for element in elements(stream, 3):
            if element.tag == ROW and (row := _row(element)):
                count += 1
                if not count % TICK:
                    tick(TICK)
                yield row


def _row(element: etree._Element) -> tuple | None:
    """None for a line without a time, an event or a place, which no Moodle writes."""
    ids = {name: number(element, name) for name in IDS}
    name, at = text(element, "eventname"), ids["timecreated"]
    if not name or not at or not 0 < at < LAST_SECOND or not re.fullmatch(r"(?:\\[A-Za-z0-9_]+)+", name):
        return None
    crud, level = text(element, "crud"), number(element, "edulevel")
    log, other = element.get("id") or "", text(element, "other") or ""
    return (
        at, int(log) if log.isdecimal() and len(log) < 18 else 0, name, crud if crud in tuple("crud") else None,
        level if level in (0, 1, 2) else None, ids["objectid"], ids["contextid"], ids["userid"],
        ids["relateduserid"], ids["realuserid"], other if len(other) < 10_000 else "",
    )  # fmt: skip


@cache
def _part_of(eventclass: str) -> tuple[str, bool] | None:
    """(kind of part, whether the event's object is the part) of an event class, as in the log's wordings."""
    wordings = _parted().get(eventclass)
    return (wordings.part, wordings.part_is_object) if wordings else None


@cache
def _parted() -> dict:
    return {w.eventclass: w for found in table().exact.values() for w in found if w.part in PARTS}


def _decoded(other: str) -> str:
    try:
        return base64.b64decode(other, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def part_of(eventclass: str, object_id: int | None, other: str) -> tuple[str, int] | None:
    """The chapter, discussion ... that a line is about: `("discussion", 7)`. `other` is as in the backup."""
    found = _part_of(eventclass)
    if not found:
        return None
    kind, is_object = found
    if is_object:
        return (kind, object_id) if object_id and object_id > 0 else None
    said = _decoded(other)
    for name in OTHER.get(kind, ()):
        if (value := re.search(VALUE.format(name), said)) and int(value[1]):
            return kind, int(value[1])
    return None


class _Book:
    """The lines in own keys, and what they say besides."""

    def __init__(self, directory: Directory, contexts: dict[int, tuple[int, str]]):
        self.to, self.contexts = directory, contexts
        self.rows_read = self.rows_skipped = 0
        self.people: dict[int, None] = {}
        self.parts: dict[tuple, None] = {}
        self.real: list[tuple[int, int]] = []  # (line key, own key of who was logged in as somebody)

    def lines(self, connection: sqlite3.Connection) -> Iterator[tuple[int, Line]]:
        """(Unix time, line) by time; a line of no activity's context is about the course."""
        seconds, seen = None, {}
        for at, _, *facts, real, other in connection.execute("select * from temp.backup_lines order by at, log"):
            self.rows_read += 1
            if any(self.to.is_forgotten(one) for one in (facts[5], facts[6], real)):
                self.rows_skipped += 1
                continue
            line = self._line(*facts, other, real)
            if at != seconds:
                seconds, seen = at, {}
            seen[line.digest] = seen.get(line.digest, -1) + 1
            if real and real > 0 and (person := self._person(real)):
                self.real.append((line_key(line.digest, at, seen[line.digest]), person))
            yield at, line

    def _line(self, eventclass, crud, level, object_id, context, user, related, other, real) -> Line:
        to, (cmid, kind) = self.to, self.contexts.get(context, (None, None))
        part = part_of(eventclass, object_id, other) if cmid else None
        if part:
            self.parts[cmid, *part] = None
        component = eventclass.strip("\\").split("\\")[0]
        known = event_types().get(eventclass) or EventType(eventclass, component, None, crud, level)
        said = f"backup\n{eventclass}\n{object_id}\n{context}\n{user}\n{related}\n{real}\n{other}"
        return Line(
            line_digest(to.course_id, said, "backup"),
            self._person(user) or 0,
            self._person(related) or 0,
            to.event_type(known.component, known.name, known.eventclass, known.crud, known.edulevel),
            to.activity(cmid, kind) or 0,
            to.part(cmid, *part) if part else 0,
            None,
            None,
            False,
        )

    def _person(self, moodle_id: int | None) -> int | None:
        if not moodle_id or moodle_id < 1:
            return None
        self.people[moodle_id] = None
        return self.to.person(moodle_id)

    def note_real(self, connection: sqlite3.Connection) -> None:
        """Who really acted while logged in as somebody else."""
        connection.executemany(
            "update events set real_person_id = ?2 where line_key = ?1 and real_person_id is null", self.real
        )

    def claims(self) -> Iterator[dict]:
        """So that whom the lines name stays known."""
        for moodle_id in self.people:
            yield {"noun": "person", "person": {"moodle_id": moodle_id}, "in_course": False}
        for cmid, kind, moodle_id in self.parts:
            yield {"noun": "part", "cmid": cmid, "kind": kind, "moodle_id": moodle_id}


def join(connection: sqlite3.Connection) -> int:
    """Join lines of backups with the same lines of logs; returns how many were joined.

    First those that agree on everything, then those where the log's words leave out whom or what part.
    """
    courses = connection.execute(
        "select distinct course_id from loads where kind = ? and error is null and course_id is not null", (KIND,)
    ).fetchall()
    exact = ("e.related_person_id, e.part_id,", ", e.related_person_id, e.part_id",
             "and l.related_person_id is b.related_person_id and l.part_id is b.part_id", "1")  # fmt: skip
    loose = ("", "", "", "(e.origin is null or e.related_person_id is null or e.part_id is null)")
    joined = 0
    for (course,) in courses:
        for more, by, on, where in (exact, loose):
            connection.execute("drop table if exists temp.pairs")
            connection.execute(
                f"create temp table pairs as {PAIRS.format(more=more, by=by, on=on, where=where)}", {"course": course}
            )
            connection.execute("create index temp.pairs_gone on pairs(gone)")
            joined += _merge(connection)
    return joined


def _merge(connection: sqlite3.Connection) -> int:
    """Delete the backup's line of each pair; the loads that held it hold the log's."""
    count = connection.execute("select count(*) from temp.pairs").fetchone()[0]
    if not count:
        return 0
    holders = connection.execute(
        "select distinct r.load_id from temp.pairs join load_events r on gone between r.first_id and r.last_id"
    ).fetchall()
    held = {load_id: _held(connection, load_id) for (load_id,) in holders}
    connection.execute("delete from events where id in (select gone from temp.pairs)")
    for load_id, ranges in held.items():
        connection.execute("delete from load_events where load_id = ?", (load_id,))
        connection.executemany(
            "insert into load_events (load_id, first_id, last_id) values (?, ?, ?)",
            [(load_id, first, last) for first, last in ranges],
        )
    return count


def _held(connection: sqlite3.Connection, load_id: int) -> Ranges:
    """The events a load holds, those that stay in the place of those that go: ids that go are used again."""
    ranges = Ranges()
    ranges.add_all(
        event_id
        for (event_id,) in connection.execute(
            "select distinct coalesce(p.stays, e.id) as held from load_events r"
            " join events e on e.id between r.first_id and r.last_id left join temp.pairs p on p.gone = e.id"
            " where r.load_id = ? order by held",
            (load_id,),
        )
    )
    return ranges
