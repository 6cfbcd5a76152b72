"""Who was deleted on request or opted out, so that no file brings them back: keyed hashes, and nothing else of them.

What a student is known by (Moodle's id, e-mail, id number, user name, name in a course) is hashed with a key that lies
in the private folder and not in the database: who has the file alone cannot find out whom it forgets.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from loaders import accounts
from loaders.courses import person_keys
from loaders.errors import Unreadable
from loaders.names import fold

KEY = "forgotten-key"  # in the private folder
FORGOTTEN, OPTED_OUT = "forgotten", "opted out"
STRONG = ("id", "email", "idnumber", "username")
MARKS = ("key", "untidy")  # rows that are of no student
WORDS = {FORGOTTEN: "was deleted here on request", OPTED_OUT: "has opted out"}
NO_KEY = (
    "students were deleted from this database on request, and the key that keeps them out (the file {name}) is not in"
    " {folder}: put it back, or say where the private folder is with COURSETTE_PRIVATE; nothing is loaded without it"
)
OTHER_KEY = (
    "students were deleted from this database on request, and {folder}/{name} is not the key that keeps them out: put"
    " back the one that belongs to this database; nothing is loaded without it"
)
COUNTS = """
select reason, count(distinct student), min(forgotten_utc), max(forgotten_utc)
from forgotten
where kind not in ('key', 'untidy')
group by reason
order by reason
"""


class Hit(NamedTuple):
    """A student who is kept out: her number, why and since when."""

    student: int
    reason: str
    forgotten_utc: str


class Forgotten:
    """Who is kept out of one site. False where nobody is."""

    def __init__(self, connection: sqlite3.Connection, site_id: int | None, folder: Path | None = None):
        rows = connection.execute(
            "select kind, hash, student, course, reason, forgotten_utc from forgotten"
            " where site_id is ?1 or ?1 is null or site_id is null",
            (site_id,),
        ).fetchall()
        rows = [row for row in rows if row[0] not in MARKS]
        self.connection, self.site_id = connection, site_id
        self.secret = secret(connection, folder) if rows else b""
        self.rows: dict[tuple[str, str], list[tuple[int | None, Hit]]] = defaultdict(list)
        for kind, hashed, student, course, reason, when in rows:
            self.rows[kind, hashed].append((course, Hit(student, reason, when)))
        self.known_by_id = {hit.student for (kind, _), hits in self.rows.items() for _, hit in hits if kind == "id"}

    def __bool__(self) -> bool:
        return bool(self.rows)

    def match(self, kind: str, value: object, course: int | None) -> set[Hit]:
        """Who has this mark, of those kept out of this course (Moodle's id)."""
        if not self.rows:
            return set()
        found = self.rows.get((kind, hashed(self.secret, kind, value)), ())
        return {hit for only, hit in found if only in (None, course)}

    def by_keys(self, keys: Iterable[tuple], course: int | None) -> set[Hit]:
        """Who has one of these sure marks (as courses.person_keys gives them)."""
        return {hit for kind, value in keys if kind in STRONG for hit in self.match(kind, value, course)}

    def by_name(self, names: Iterable[str], course: int | None) -> set[Hit]:
        """Who has one of these folded names in this course; where none is known, in any."""
        courses = [course] if course else self.courses()
        return {hit for name in names for one in courses for hit in self.match("name", named(one, name), course or one)}

    def courses(self) -> list[int]:
        """Moodle's ids of the courses of the site."""
        sql = "select distinct moodle_id from courses where moodle_id is not null and (?1 is null or site_id = ?1)"
        return [moodle_id for (moodle_id,) in self.connection.execute(sql, (self.site_id,))]

    def has_id(self, moodle_id: int | None, course: int | None) -> bool:
        """Whether the person with this Moodle id is kept out of this course."""
        return bool(moodle_id and self.rows and self.match("id", moodle_id, course))

    def has_name(self, name: str | None, course: int | None) -> bool:
        """Whether somebody of this name is kept out of this course."""
        return bool(name and self.rows and self.by_name([fold(name)], course))

    def learn(self, student: int, marks: Iterable[tuple[str, object]]) -> int:
        """Keep further marks of a student who is kept out; returns how many were new."""
        fresh = [(kind, value) for kind, value in marks if (kind, hashed(self.secret, kind, value)) not in self.rows]
        if fresh:
            (like,) = self.connection.execute(
                "select max(id) from forgotten where student = ? and kind not in ('key', 'untidy')", (student,)
            ).fetchone()
            for kind, value in fresh:
                digest = hashed(self.secret, kind, value)
                self.connection.execute(
                    "insert into forgotten (student, site_id, course, kind, hash, reason, forgotten_utc)"
                    " select student, site_id, course, ?, ?, reason, forgotten_utc from forgotten where id = ?",
                    (kind, digest, like),
                )
                row = self.connection.execute(
                    "select course, student, reason, forgotten_utc from forgotten where id = ?", (like,)
                ).fetchone()
                self.rows[kind, digest].append((row[0], Hit(*row[1:])))
        return len(fresh)


def named(course: int, name: str) -> str:
    """A name as it is hashed: it means somebody in one course only."""
    return f"{course}\n{name}"


@lru_cache(maxsize=100_000)
def hashed(key: bytes, kind: str, value: object) -> str:
    """The keyed hash of a mark. Id numbers are compared without leading zeros, which spreadsheets take away."""
    text = str(value).casefold()
    text = text.lstrip("0") if kind == "idnumber" else text
    return hmac.new(key, f"{kind}\n{text}".encode(), hashlib.sha256).hexdigest()


def folder_of(connection: sqlite3.Connection, chosen: Path | None = None) -> Path:
    """The private folder of the database that is open; not made."""
    if chosen or (chosen := os.environ.get("COURSETTE_PRIVATE")):
        return Path(chosen)
    file = next((row[2] for row in connection.execute("pragma database_list") if row[1] == "main"), "")
    return (Path(file).resolve().parent if file else Path.cwd()) / "private"


def secret(connection: sqlite3.Connection, folder: Path | None = None, make: bool = False) -> bytes:
    """The key. Raises Unreadable where it is not there, or is another than that of this database."""
    there = folder_of(connection, folder)
    if make and not _mark(connection):
        there.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = _read(there)
        _set_mark(connection, "key", hashed(key, "key", "coursette"))
        return key
    if not (there / KEY).exists():
        raise Unreadable(NO_KEY.format(name=KEY, folder=there))
    key = _read(there)
    if not hmac.compare_digest(_mark(connection) or "", hashed(key, "key", "coursette")):
        raise Unreadable(OTHER_KEY.format(name=KEY, folder=there))
    return key


def _read(folder: Path) -> bytes:
    try:
        return accounts.key(folder, KEY).encode()
    except accounts.Refused as refused:
        raise Unreadable(str(refused)) from None


def _mark(connection: sqlite3.Connection) -> str | None:
    row = connection.execute("select hash from forgotten where kind = 'key'").fetchone()
    return row[0] if row else None


def _set_mark(connection: sqlite3.Connection, kind: str, text: str) -> None:
    connection.execute(
        "insert into forgotten (student, kind, hash, reason, forgotten_utc) values (0, ?, ?, ?, ?)",
        (kind, text, FORGOTTEN, now_utc()),
    )


def set_untidy(connection: sqlite3.Connection) -> None:
    """Note that the file has old pages that still have to be cleared."""
    if not is_untidy(connection):
        _set_mark(connection, "untidy", "")


def set_tidy(connection: sqlite3.Connection) -> None:
    """The file holds nothing any more of what was deleted."""
    connection.execute("delete from forgotten where kind = 'untidy'")


def is_untidy(connection: sqlite3.Connection) -> bool:
    """Whether a deletion was not brought to its end."""
    return connection.execute("select 1 from forgotten where kind = 'untidy'").fetchone() is not None


def remember(
    connection: sqlite3.Connection,
    site_id: int | None,
    marks: Iterable[tuple[str, object]],
    reason: str,
    course: int | None = None,
    folder: Path | None = None,
) -> int:
    """Keep out whoever has these marks, from one course (Moodle's id) or everywhere; returns the student's number."""
    key = secret(connection, folder, make=True)
    (student,) = connection.execute("select coalesce(max(student), 0) + 1 from forgotten").fetchone()
    now = now_utc()
    connection.executemany(
        "insert into forgotten (student, site_id, course, kind, hash, reason, forgotten_utc) values (?,?,?,?,?,?,?)",
        sorted((student, site_id, course, kind, hashed(key, kind, value), reason, now) for kind, value in marks),
    )
    return student


def find(connection: sqlite3.Connection, who: str, folder: Path | None = None) -> set[Hit]:
    """Who, of those kept out, is meant by Moodle's id, e-mail, id number, user name or name."""
    kept = Forgotten(connection, None, folder)
    keys = {("email", who), ("idnumber", who), ("username", who)} | ({("id", int(who))} if who.isdecimal() else set())
    if not kept:
        return set()
    wanted = {hashed(kept.secret, kind, value) for kind, value in keys}
    wanted |= {hashed(kept.secret, "name", named(course, fold(who))) for course in kept.courses()}
    return {hit for (_, digest), hits in kept.rows.items() if digest in wanted for _, hit in hits}


def undo(connection: sqlite3.Connection, students: set[int]) -> list[str]:
    """Keep these students out no more; returns the names of the files that have to be loaded again."""
    connection.executemany("delete from forgotten where student = ?", [(student,) for student in students])
    skipped = "select source from loads where rows_skipped > 0 and error is null order by id"
    rows = connection.execute(skipped).fetchall()
    connection.execute("update loads set content_key = null, rows_skipped = 0 where rows_skipped > 0")
    return [source for (source,) in rows]


def counts(connection: sqlite3.Connection) -> list[tuple[str, int, str, str]]:
    """(reason, how many students, first, last UTC time) of those kept out."""
    return connection.execute(COUNTS).fetchall()


def marks_of(row: dict) -> set[tuple]:
    """The sure marks of a row of `people`."""
    return {key for key in person_keys(row) if key[0] in STRONG}


def now_utc() -> str:
    """This moment, as the tables write it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
