"""What questions use besides SQLite's own: course time, addresses, choosing by name, students as bits."""

from __future__ import annotations

import json
import sqlite3
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from loaders import bits, choosing, due, medians, near_names, numbering, times
from loaders.errors import Unreadable


def register(conn: sqlite3.Connection) -> None:
    """Give this connection `local_time`, `in_address`, `week_words`, `before_due`, `days_before` and `matching`.

    And the `bit_...` of bits.py, to count any group's clicks at once, and what medians.py and near_names.py have.
    """
    bits.register(conn)
    medians.register(conn)
    near_names.register(conn)
    conn.create_function("local_time", 2, local_time, deterministic=True)
    conn.create_function("in_address", 1, in_address, deterministic=True)
    conn.create_function("week_words", 2, week_words, deterministic=True)
    conn.create_function("before_due", 3, before_due, deterministic=True)
    conn.create_function("days_before", 2, due.days_before, deterministic=True)
    conn.create_aggregate("matching", 5, Matching)


@lru_cache(maxsize=1 << 14)  # one question after the other asks for the same posts' times
def local_time(utc: str | None, zone: str | None) -> str | None:
    """`local_time(utc, zone)`: a time in a time zone, without the zone; None for what is no time.

    select local_time('2016-03-01T10:00:00Z', 'Australia/Brisbane')
    """
    try:
        return times.local_text(utc, zone or "UTC") if utc else None
    except (ValueError, LookupError):
        return None


def in_address(value: Any) -> str:
    """`in_address(value)`: a value as it may stand in the query of an address.

    select '?group=' || in_address('A & B')
    """
    return "" if value is None else quote(str(value), safe="")


def week_words(week: Any, name: str | None) -> str | None:
    """`week_words(week, name)`: 'Week 5: Getting started'; a break without a number by its name; None for no week.

    select week_words(5, 'Getting started')
    """
    return numbering.words(week, name) if isinstance(week, int | float) else None


def before_due(utc: str | None, due_utc: str | None, zone: str | None) -> str | None:
    """`before_due(utc, due_utc, zone)`: '3 days before due', '5 hours after due'; None for what is no time or no zone.

    select before_due('2016-03-01T10:00:00Z', '2016-03-04T13:55:00Z', 'Australia/Brisbane')
    """
    try:
        return due.before_due(utc, due_utc, zone)
    except (Unreadable, OverflowError):
        return None


class Matching:
    """`matching(noun, asked, our key, Moodle's id, name)` over rows: JSON with `ids` that fit, and a `note` if not.

    An empty `asked` fits nothing and needs no note.

    select matching('group', 'Lab', id, moodle_id, name) from groups
    """

    def __init__(self) -> None:
        self.noun, self.asked, self.known = "", "", []

    def step(self, noun: str, asked: str, key: int | None, moodle_id: int | None, name: str | None) -> None:
        self.noun, self.asked = noun, asked
        if asked and key is not None:
            self.known.append((key, moodle_id, name))

    def finalize(self) -> str:
        """JSON of what choosing.choose says."""
        choice = choosing.choose(self.noun, self.asked or "", self.known)
        return json.dumps({"ids": choice.ids, "note": choice.note})
