"""Until when a course is to be kept: said by the teacher, and called to mind when the day is near."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from loaders.errors import Unreadable
from loaders.statements import ask

SOON = timedelta(days=30)
COURSES = """
select moodle_id, coalesce(fullname, shortname, 'Course ' || moodle_id) as name, timezone, keep_until
from courses
where keep_until is not null
order by keep_until, moodle_id
"""


def set_day(connection: sqlite3.Connection, course: int, day: str) -> date | None:
    """Keep a course (own key) until a day, YYYY-MM-DD, or `none`; returns the day. Raises Unreadable."""
    until = None if day.strip().casefold() == "none" else _day(day)
    connection.execute("update courses set keep_until = ? where id = ?", (until and until.isoformat(), course))
    return until


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Unreadable(f"“{text}” is no day: write it as 2027-06-30, or none for no limit") from None


def due(connection: sqlite3.Connection, now: datetime | None = None) -> list[dict]:
    """Courses whose day is past or within 30 days, in course time: `moodle_id`, `name`, `keep_until`, `words`."""
    found = []
    for row in ask(connection, COURSES):
        today = (now or datetime.now(UTC)).astimezone(ZoneInfo(row["timezone"])).date()
        until = date.fromisoformat(row["keep_until"])
        if until - today <= SOON:
            found.append({**row, "words": _words(row, (until - today).days)})
    return found


def _words(row: dict, days: int) -> str:
    if days < 0:
        return f"{row['name']} was to be kept until {row['keep_until']}, which is past"
    when = {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")
    return f"{row['name']} is to be kept until {row['keep_until']}, {when}"


def sentence(row: dict) -> str:
    """The words, and the command."""
    return f"{row['words']}: `coursette forget course {row['moodle_id']}` deletes it"
