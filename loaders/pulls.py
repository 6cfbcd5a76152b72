"""What came live from Moodle, and when: by `coursette pull`, or handed in by the page script."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

from loaders.places import normal_url
from loaders.pull_files import utc_text

PULLED_LOG = "select fetched_utc from pulls where course_id = ? and part = 'log'"
NEWEST = "select data_up_to_utc from courses where id = ?"


def own_course(connection: sqlite3.Connection, site: str, course: int) -> int | None:
    """Our own key of a course, once something of it is loaded."""
    row = connection.execute(
        "select courses.id from courses join sites on sites.id = site_id where moodle_id = ? and sites.url = ?",
        (course, normal_url(site)),
    ).fetchone()
    return row[0] if row else None


def note(connection: sqlite3.Connection, site: str, course: int, part: str, when: float) -> None:
    """Remember that a part is as it was in Moodle at `when` (Unix seconds)."""
    if key := own_course(connection, site, course):
        connection.execute(
            "insert into pulls (course_id, part, fetched_utc) values (?, ?, ?)"
            " on conflict (course_id, part) do update set fetched_utc = excluded.fetched_utc",
            (key, part, utc_text(when)),
        )


def log_up_to(connection: sqlite3.Connection, course_id: int | None) -> float | None:
    """Unix seconds up to which the log is here for certain: fetched before, and not taken back since."""
    fetched = connection.execute(PULLED_LOG, (course_id,)).fetchone()
    newest = connection.execute(NEWEST, (course_id,)).fetchone()
    return min(seconds(fetched[0]), seconds(newest[0])) if fetched and newest and newest[0] else None


def seconds(utc: str) -> float:
    """Unix seconds of an ISO-8601 UTC text."""
    return datetime.fromisoformat(utc).astimezone(UTC).timestamp()
