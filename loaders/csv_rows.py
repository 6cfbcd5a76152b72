"""The rows of a statement as CSV text, a piece at a time: never more of them in memory than one piece."""

from __future__ import annotations

import csv
import io
import sqlite3
import time
from collections.abc import Callable, Iterable
from typing import Any

PIECE = 64 * 1024  # characters; a longer row is a piece by itself
PIECE_S = 10.0  # so long a statement may work for one piece


class Rows:
    """A running statement, used by one thread; only `stop` is for any other.

    `connect` gives it a connection of its own, `plain` makes of each value what stands in the cell.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection], plain: Callable[[Any], Any]):
        self.connect, self.plain = connect, plain
        self.conn: sqlite3.Connection | None = None
        self.stopped, self.deadline = False, 0.0

    def begin(self, sql: str, given: dict) -> str:
        """The names of the columns and the first rows. Raises sqlite3.Error or sqlite3.Warning."""
        self.conn = self.connect()
        self.conn.set_progress_handler(self._is_late, 1000)  # SQLite's instructions: about 0.1 ms
        self.deadline = time.perf_counter() + PIECE_S
        self.cursor = self.conn.execute(sql, given)
        return self._written([column[0] for column in self.cursor.description or ()])

    def piece(self) -> str:
        """The next rows; empty after the last. Raises sqlite3.Error, "interrupted" where they take too long."""
        self.deadline = time.perf_counter() + PIECE_S
        return self._written()

    def stop(self) -> None:
        """Let a statement that is at work fail soon."""
        self.stopped = True

    def close(self) -> None:
        """Free the connection."""
        if self.conn:
            self.conn.close()

    def _written(self, *first: Iterable) -> str:
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerows([self.plain(value) for value in row] for row in first)
        for row in self.cursor:
            writer.writerow([self.plain(value) for value in row])
            if out.tell() >= PIECE:
                break
        return out.getvalue()

    def _is_late(self) -> bool:
        return self.stopped or time.perf_counter() >= self.deadline
