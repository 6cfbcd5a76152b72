"""Clearing old pages: what was deleted from a database file is still in its bytes until it is written anew.

Deleting leaves free pages, the write-ahead log the pages of before, the search index words. So the file is vacuumed and
its log emptied; a program that reads at that moment stands in the way of the last step, which is then said.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from loaders import forgotten

PATIENCE_MS = 5_000
IN_THE_WAY = (
    "another program is reading {name}, so the deleted data could not be cleared from the file's old pages yet: stop"
    " the server (Ctrl-C where `coursette serve` runs) and everything else that has it open, then run this again"
)
COPIES = (".db", ".sqlite", ".sqlite3", ".bak", ".old", ".backup", ".zip", ".gz", ".dump", ".sql")
SOURCES = """
select source, kind
from loads
where error is null and (course_id in (select value from json_each(:courses)) or course_id is null)
    and kind not in ('staff', 'calendar')
order by id
"""


def clear(connection: sqlite3.Connection, name: str) -> str | None:
    """Write a database file anew and empty its log; None when nothing of what was deleted is left, else why not."""
    connection.execute(f"pragma busy_timeout = {PATIENCE_MS}")
    connection.execute("pragma secure_delete = on")
    try:
        connection.execute("vacuum")
        (busy, _, _) = connection.execute("pragma wal_checkpoint(truncate)").fetchone()
    except sqlite3.OperationalError as error:
        if "locked" not in str(error) and "busy" not in str(error):
            raise
        busy = True
    return IN_THE_WAY.format(name=name) if busy else None


def finish(connection: sqlite3.Connection, name: str) -> str | None:
    """Clear moodle.db and note that it is done, so that a deletion that was stopped goes on where it was."""
    if why := clear(connection, name):
        return why
    forgotten.set_tidy(connection)
    connection.execute("pragma wal_checkpoint(truncate)")
    return None


def clear_file(path: Path) -> str | None:
    """The same for a file beside it: notes.db, audit.db."""
    if not path.exists():
        return None
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return clear(connection, path.name)


def copies(database: Path, private: Path) -> Iterator[Path]:
    """Files beside the database, and in the private folder, that may be copies of it, backups or waiting downloads."""
    ours = {database.name, *(f"{database.name}{end}" for end in ("-wal", "-shm", "-journal"))}
    for path in sorted(database.resolve().parent.iterdir()):
        if path.is_file() and path.name not in ours and set(path.suffixes) & set(COPIES):
            yield path
    known = {f"{name}.db" for name in ("audit", "notes", "shares")}
    for path in sorted(private.rglob("*")) if private.is_dir() else ():
        waits = "pull" in path.relative_to(private).parts
        if path.is_file() and (waits or (path.name not in known and set(path.suffixes) & set(COPIES))):
            yield path


def sources(connection: sqlite3.Connection, courses: str) -> list[str]:
    """Names of the downloads that these courses (own keys, JSON) were loaded from: they hold what they held."""
    found = connection.execute(SOURCES, {"courses": courses}).fetchall()
    return list(dict.fromkeys(source for source, _ in found))
