"""The record of look-ups, private/audit.db: a queue, and one writer behind it, so that no page waits for the disk.

A row counts as recorded when it is in the queue. The writer takes what is there, resolves it (see whom.py) and
commits it to the disk; what cannot be written stays in the queue, and is tried again. Nothing here knows Datasette.
"""

from __future__ import annotations

import atexit
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from loaders.private_files import owners_only

NAME = "audit"  # of the file and of the database that Datasette shows its owner
SHAPE = Path(__file__).with_name("look_ups.sql")
# Columns that files of earlier versions lack.
ADDED = ("signed_in_by", "token", "token_name", "came_from")
# So much may wait while the disk is slow or full. A crash loses no more than this, and usually nothing.
MOST_WAITING = 200
RETRY_S = 1.0
IDLE_S = 5.0
BUSY_S = 10.0
LOG = logging.getLogger("coursette")


class Record:
    """The open record. `put` queues a row and returns at once; `close` ends when everything is on the disk.

    `path` gives the file, `resolve` what is written of rows that were put; the writer calls it once for each of them.
    """

    def __init__(self, path: Callable[[], Path], resolve: Callable[[list[dict]], list[dict]] = list):
        self.path, self.resolve = path, resolve
        self.waiting: deque[dict] = deque()
        self.changed = threading.Condition()
        self.writer: threading.Thread | None = None
        self.failing = self.closing = False

    def put(self, row: dict, wait_s: float = 0) -> bool:
        """Queue a row for the writer. False: there is no room (after so many seconds), so show nothing of it."""
        with self.changed:
            if wait_s:
                self.changed.wait_for(lambda: self.failing or self._has_room(), wait_s)
            if not self._has_room():
                return False
            self.waiting.append(row)
            if self.writer is None or not self.writer.is_alive():
                self._start()
            self.changed.notify_all()
            return True

    def _has_room(self) -> bool:
        return len(self.waiting) < MOST_WAITING

    def flush(self, wait_s: float = BUSY_S) -> bool:
        """Wait until everything is on the disk; False where it is not in time, or cannot be written."""
        with self.changed:
            self.changed.wait_for(lambda: self.failing or not self.waiting, wait_s)
            return not self.waiting

    def close(self) -> None:
        """Write what waits and end the writer; says how much is lost where the disk does not take it."""
        with self.changed:
            self.closing = True
            self.changed.notify_all()
        while writer := self.writer:
            writer.join()
            with self.changed:
                self.writer = None if self.writer is writer else self.writer
        atexit.unregister(self.close)
        if self.waiting:
            LOG.error("%d look-ups are not recorded: %s cannot be written.", len(self.waiting), self.path())
        self.waiting.clear()
        self.closing = False

    def _start(self) -> None:
        # A daemon, and ended by atexit: a server that is stopped without a word to us still writes what waits.
        atexit.register(self.close)
        self.writer = threading.Thread(target=self._work, name="look-ups", daemon=True)
        self.writer.start()

    def _work(self) -> None:
        db = None
        while batch := self._next():
            rows = self._resolved(batch)
            while rows:
                try:
                    db = self._still(db) or opened(self.path())
                    write(db, rows)
                    rows = self._written(rows)
                except (sqlite3.Error, OSError) as error:
                    db = db.close() if db else None
                    if not self._failed(error):
                        return
        if db:
            db.close()

    def _resolved(self, batch: list[dict]) -> list[dict]:
        """What is written of these rows: as resolved, or as they were put; text that no file takes is mended."""
        try:
            rows = self.resolve(batch)
        except Exception:  # a line that says less is better than none, and a writer that has ended writes no more
            LOG.exception("Look-ups are recorded as they were asked for.")
            rows = batch
        return [{key: writable(value) for key, value in row.items()} for row in rows]

    def _next(self) -> list[dict]:
        """What waits, in order; nothing when it is time to end. It leaves the queue when it is on the disk."""
        with self.changed:
            self.changed.wait_for(lambda: self.waiting or self.closing, IDLE_S)
            if not self.waiting:
                self.writer = None  # under the lock: whoever comes next starts another
                atexit.unregister(self.close)
            return list(self.waiting)

    def _still(self, db: sqlite3.Connection | None) -> sqlite3.Connection | None:
        """The connection, unless its file was taken away: what goes into that is lost."""
        if db and not self.path().exists():
            db.close()
            return None
        return db

    def _written(self, rows: list[dict]) -> list[dict]:
        """Take these from the queue; what is left to write of them: nothing."""
        with self.changed:
            for _ in rows:
                self.waiting.popleft()
            if self.failing:
                LOG.warning("The record of look-ups is written again.")
            self.failing = False
            self.changed.notify_all()
        return []

    def _failed(self, error: Exception) -> bool:
        """Say so once, without a word of the rows, and wait before the next try. False: it is time to end."""
        with self.changed:
            if not self.failing:
                LOG.error("The record of look-ups, %s, cannot be written (%s).", self.path(), error)
            self.failing = True
            self.changed.notify_all()
            return not self.changed.wait_for(lambda: self.closing, RETRY_S)


def writable(value: object) -> object:
    """A value that SQLite takes: no half of a character, nothing but text, numbers and nothing."""
    if value is None or isinstance(value, int | float):
        return value
    return str(value).encode("utf-8", "replace").decode()


def write(db: sqlite3.Connection, rows: list[dict]) -> None:
    """Append look-ups as one transaction; columns they lack stay empty."""
    columns = [name for _, name, *_ in db.execute("pragma table_info(look_ups)") if name != "id"]
    values = [[row.get(column) for column in columns] for row in rows]
    with db:
        db.execute("begin immediate")
        marks = ", ".join("?" * len(columns))
        db.executemany(f"insert into look_ups ({', '.join(columns)}) values ({marks})", values)


def opened(path: Path) -> sqlite3.Connection:
    """The record in this file, made if need be: readable by its owner only, on the disk when committed."""
    owners_only(path)
    db = sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False)
    try:
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = full")
        shape(db)
    except BaseException:
        db.close()
        raise
    return db


def shape(db: sqlite3.Connection) -> None:
    """Add what is missing of the table, its columns and its triggers; two processes may do so at once."""
    db.executescript(f"begin immediate; {SHAPE.read_text(encoding='utf-8')}")
    there = {name for _, name, *_ in db.execute("pragma table_info(look_ups)")}
    for column in ADDED:
        if column not in there:
            db.execute(f"alter table look_ups add column {column} text")
    db.commit()
