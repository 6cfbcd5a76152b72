"""What somebody may have meant by a name that is not there: `near_names(asked, name)` in SQL, over rows of names."""

from __future__ import annotations

import sqlite3
from difflib import get_close_matches

from loaders.names import fold

MOST = 3
LONGEST = 300  # characters that are compared


class NearNames:
    """`near_names(asked, name)` over rows: up to three names that are spelt much like the one asked for, or None.

    select near_names('Quizz 1', name) from activities
    """

    def __init__(self) -> None:
        self.asked, self.names = "", {}

    def step(self, asked: str | None, name: str | None) -> None:
        """Take one of the names there are."""
        self.asked = asked or ""
        if name:
            self.names.setdefault(fold(name), name)

    def finalize(self) -> str | None:
        near = get_close_matches(fold(self.asked[:LONGEST]), self.names, MOST)
        return ", ".join(f"“{self.names[folded]}”" for folded in near) or None


def folded(name: str | None) -> str:
    """`folded(name)`: a name in the form to compare: without case, tags, entities and the many kinds of quotes.

    select folded('“Quiz” &amp; Test')
    """
    return fold(name)


def register(conn: sqlite3.Connection) -> None:
    """Give this connection `near_names` and `folded`."""
    conn.create_aggregate("near_names", 2, NearNames)
    conn.create_function("folded", 1, folded, deterministic=True)
