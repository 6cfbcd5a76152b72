"""The teacher's own notes on students, nudges, and marks "looked at, it is fine": private/notes.db.

A file of its own, readable by its owner only: it is never served, and nothing of it is ever written to moodle.db.
`who` is what noted.who gives: a student in a course. Times are UTC text. Nothing here knows Datasette.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from loaders import noted
from loaders.private_files import owners_only
from loaders.statements import ask

NAME = "notes"
SHAPE = Path(__file__).with_name("notes.sql")
VERSION = 1  # of the shape
OURS = 0x4E4F5445  # "NOTE", in the file's head (application_id): known by any name, and as a copy
BUSY_S = 10.0
LONGEST = 10_000  # characters of a note
LONGEST_WORDS = 500  # of how and about what somebody was nudged
EARLIEST = date(2000, 1, 1)  # there was no Moodle before
TWICE_S = 60  # a form that comes again within this time was sent twice
MARK = re.compile(r"[a-z]{1,20}:[\w,.:-]{1,10000}", re.ASCII)
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")  # what no keyboard writes; line ends and tabs stay
GONE = "This is not there any more: it was deleted, maybe in another tab."
COLUMNS = {
    "notes": "notes.id, text, written_utc, changed_utc",
    "nudges": "nudges.id, nudged_utc, has_time, how, about, written_utc",
    "marks": "marks.id, about, marked_utc",
}


class Refused(Exception):
    """What was written cannot be taken; the message is a sentence for the teacher."""


# ---- The file ----


def file(folder: Path) -> Path:
    """Where the notes are, in the private folder."""
    return folder / f"{NAME}.db"


def use(path: Path, question: Callable, *args: Any, **kwargs: Any) -> Any:
    """What a function of this module answers, as one transaction on a connection of its own. Not on an event loop."""
    with closing(opened(path)) as conn:
        conn.execute("begin immediate")
        try:
            answer = question(conn, *args, **kwargs)
        except BaseException:
            conn.execute("rollback")
            raise
        conn.execute("commit")
        if conn.total_changes:
            conn.execute("pragma wal_checkpoint(truncate)")  # the log holds what was deleted, until it is written back
        return answer


def opened(path: Path) -> sqlite3.Connection:
    """The notes in this file, made if need be: readable by its owner only; what is deleted is overwritten in it."""
    owners_only(path)
    conn = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    try:
        conn.execute("pragma secure_delete = on")
        if conn.execute("pragma user_version").fetchone()[0] < VERSION:
            conn.execute("pragma journal_mode = wal")
            conn.executescript(f"begin immediate; {SHAPE.read_text(encoding='utf-8')}")
            conn.execute(f"pragma application_id = {OURS}")
            conn.execute(f"pragma user_version = {VERSION}")
            conn.execute("commit")
    except BaseException:
        conn.close()
        raise
    return conn


def is_notes(path: Path) -> bool:
    """Whether a file holds such notes, whatever it is called."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as conn:
            return conn.execute("pragma application_id").fetchone()[0] == OURS
    except sqlite3.Error:
        return False


# ---- Reading ----


def of_student(conn: sqlite3.Connection, who: dict) -> dict[str, Any]:
    """What the teacher keeps on a student, newest first.

    `notes`: id, text, written_utc, changed_utc (null: never); `nudges`: id, nudged_utc, has_time (0: only the day was
    named), how, about. Those of the student's other courses too: `here` is 0 there, and `course_name` says which.
    `marks`: {about: marked_utc} of this course.
    """
    keys = noted.keys(conn, who)
    return {
        "notes": _rows(conn, "notes", keys, who, "written_utc"),
        "nudges": _rows(conn, "nudges", keys, who, "nudged_utc"),
        "marks": {
            row["about"]: row["marked_utc"] for row in _rows(conn, "marks", keys, who, "marked_utc") if row["here"]
        },
    }


def students(conn: sqlite3.Connection, course: dict) -> list[dict]:
    """Everybody with something written in this course (see noted.course_of): noted.IDS, how many `notes`, `nudges` and
    `marks` in it, and `last_nudged_utc`."""
    counts = ", ".join(f"(select count(*) from {table} where {_OF}) as {table}" for table in noted.OWNED)
    last = f"(select max(nudged_utc) from nudges where {_OF}) as last_nudged_utc"
    sql = f"select id, {', '.join(noted.IDS)}, {counts}, {last} from students"
    found = ask(conn, sql, course=course["course"], course_name=course["course_name"])
    there = [row for row in found if row["site"] == course["site"] or None in (row["site"], course["site"])]
    return [row for row in there if row["notes"] or row["nudges"] or row["marks"]]


# Of this student and course: by Moodle's id where both are known, else by name (see noted.in_course).
_OF = "student_id = students.id and coalesce(course = :course, course_name = :course_name)"


def nudges(conn: sqlite3.Connection) -> list[dict]:
    """Every nudge, newest first: its columns, `student` (noted.IDS of whom) and how many `notes` there are on them."""
    mine = ", ".join(f"students.{name}" for name in noted.IDS)
    sql = f"""
        select {COLUMNS["nudges"]}, nudges.course as in_course, nudges.course_name as in_course_name,
            (select count(*) from notes where notes.student_id = students.id) as notes, {mine}
        from nudges
        join students on students.id = nudges.student_id
        order by nudged_utc desc, nudges.id desc
    """
    rows = ask(conn, sql)
    return [{**row, "student": {name: row.pop(name) for name in noted.IDS}} for row in rows]


def _rows(conn: sqlite3.Connection, table: str, keys: list[int], who: dict, order: str) -> list[dict]:
    whose = "student_id in (select value from json_each(:students))"
    sql = f"select {COLUMNS[table]}, course, course_name from {table} where {whose} order by {order} desc, id desc"
    return [{**row, "here": int(noted.in_course(row, who))} for row in ask(conn, sql, students=json.dumps(keys))]


# ---- Writing ----


def add_note(conn: sqlite3.Connection, who: dict, text: str, now: datetime | None = None) -> int:
    """Keep a note; its id. Raises Refused for none and for too long a text."""
    return _add(conn, "notes", who, {"text": _text(text)}, now)


def change_note(conn: sqlite3.Connection, who: dict, note: int, text: str, now: datetime | None = None) -> None:
    """Write a note of this student anew. Raises Refused where it is gone."""
    _of(conn, "notes", who, note)
    changed = (_text(text), _utc(now), note)
    conn.execute("update notes set text = ?1, changed_utc = ?2 where id = ?3 and text != ?1", changed)


def delete_note(conn: sqlite3.Connection, who: dict, note: int) -> None:
    """Take a note of this student away for good. Raises Refused where it is gone."""
    _delete(conn, "notes", who, note)


def add_nudge(
    conn: sqlite3.Connection,
    who: dict,
    how: str = "",
    about: str = "",
    day: str = "",
    zone: str = "UTC",
    now: datetime | None = None,
) -> int:
    """Keep that this student was nudged: now, or on a `day` (YYYY-MM-DD) in course time; its id.

    Raises Refused for a day that is none or still to come, and for too many words.
    """
    at, has_time = _moment(day, zone, now or datetime.now(UTC))
    row = {"nudged_utc": _utc(at), "has_time": has_time, "how": _words(how), "about": _words(about)}
    return _add(conn, "nudges", who, row, now)


def delete_nudge(conn: sqlite3.Connection, who: dict, nudge: int) -> None:
    """Take a nudge of this student away. Raises Refused where it is gone."""
    _delete(conn, "nudges", who, nudge)


def set_mark(conn: sqlite3.Connection, who: dict, about: str, now: datetime | None = None) -> None:
    """Keep that a finding (`run:12,13,14`, `unseen:42`) was looked at and is fine; again changes nothing."""
    if not MARK.fullmatch(about):
        raise Refused("There is no such finding to mark.")
    if about not in of_student(conn, who)["marks"]:
        _insert(conn, "marks", who, {"about": about, "marked_utc": _utc(now)})


def unset_mark(conn: sqlite3.Connection, who: dict, about: str) -> None:
    """The finding is worth a look again."""
    for row in _rows(conn, "marks", noted.keys(conn, who), who, "marked_utc"):
        if row["here"] and row["about"] == about:
            conn.execute("delete from marks where id = ?", (row["id"],))
    _drop_bare(conn)


def forget(conn: sqlite3.Connection, who: dict) -> dict[str, int]:
    """Take away everything on a student, in all courses; how many notes, nudges and marks that were.

    What stood there is overwritten in the file (secure_delete), and its write-ahead log is emptied (see `use`).
    """
    gone = dict.fromkeys(noted.OWNED, 0)
    for key in noted.keys(conn, who):
        for table in noted.OWNED:
            gone[table] += conn.execute(f"delete from {table} where student_id = ?", (key,)).rowcount
    _drop_bare(conn)
    return gone


def _add(conn: sqlite3.Connection, table: str, who: dict, row: dict, now: datetime | None) -> int:
    """Insert a row, unless the very same came just now: a button was pressed twice."""
    now = now or datetime.now(UTC)
    just_now = _utc(now - timedelta(seconds=TWICE_S))
    said = [name for name in row if name != "nudged_utc" or not row["has_time"]]
    for old in _rows(conn, table, noted.keys(conn, who), who, "written_utc"):
        if old["here"] and old["written_utc"] >= just_now and all(old[name] == row[name] for name in said):
            return old["id"]
    return _insert(conn, table, who, {**row, "written_utc": _utc(now)})


def _insert(conn: sqlite3.Connection, table: str, who: dict, row: dict) -> int:
    row = {"student_id": noted.key(conn, who), "course": who["course"], "course_name": who["course_name"], **row}
    sql = f"insert into {table} ({', '.join(row)}) values ({', '.join('?' * len(row))})"
    return conn.execute(sql, list(row.values())).lastrowid


def _of(conn: sqlite3.Connection, table: str, who: dict, key: int) -> None:
    """Raise Refused unless this row is there and about this student."""
    owner = conn.execute(f"select student_id from {table} where id = ?", (key,)).fetchone()
    if owner is None or owner[0] not in noted.keys(conn, who):
        raise Refused(GONE)


def _delete(conn: sqlite3.Connection, table: str, who: dict, key: int) -> None:
    """Delete a row of this student, and with the last one what was known of them."""
    _of(conn, table, who, key)
    conn.execute(f"delete from {table} where id = ?", (key,))
    _drop_bare(conn)


def _drop_bare(conn: sqlite3.Connection) -> None:
    """No ids are kept of somebody about whom nothing is written."""
    nothing = " and ".join(f"id not in (select student_id from {table})" for table in noted.OWNED)
    conn.execute(f"delete from students where {nothing}")


# ---- Words and times ----


def _text(text: str) -> str:
    text = UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if not text:
        raise Refused("There is nothing in this note: write something first.")
    if len(text) > LONGEST:
        raise Refused(f"A note has at most {LONGEST:,} characters, and this one has {len(text):,}: make two of it.")
    return text


def _words(words: str) -> str:
    words = " ".join(UNSEEN.sub("", words).split())
    if len(words) > LONGEST_WORDS:
        raise Refused(f"At most {LONGEST_WORDS} characters say how and about what: put the rest into a note.")
    return words


def _moment(day: str, zone: str, now: datetime) -> tuple[datetime, int]:
    """(when, 1), or (noon of the day named, 0); today is now."""
    today = now.astimezone(ZoneInfo(zone)).date()
    try:
        named = date.fromisoformat(day.strip()) if day.strip() else today
    except ValueError:
        named = date.min
    if named < EARLIEST:
        raise Refused("That is no day: write it as 2026-03-31.")
    if named > today:
        raise Refused("That day is still to come.")
    if named == today:
        return now, 1
    return datetime.combine(named, time(12), ZoneInfo(zone)), 0


def _utc(moment: datetime | None) -> str:
    return (moment or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
