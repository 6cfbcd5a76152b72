"""What is new of a student since somebody last opened the page: the record of look-ups beside the data's own times.

A completion is new when it is later than all that was loaded at the time of that look: what was downloaded last week
and loaded today is new today, however old it is.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from loaders.statements import ask, rows

SAME_VISIT = timedelta(minutes=30)  # coming back so soon is still the same look

# Looks that follow one another within half an hour are one visit.
_LOOKS = """
with looks as (
    select
        time_utc,
        julianday(time_utc) - julianday(lag(time_utc) over (order by time_utc)) as gap_days
    from look_ups
    where actor = :actor and what = 'student' and form is null
        and student = :student and site is :site and course is :course
        and time_utc < :before
)
select
    count(*) filter (where gap_days is null or gap_days * 1440 > :minutes) as visits,
    max(time_utc) as last_utc
from looks
"""


def looks(record: Path, actor: str, course: dict, person: dict, now: datetime) -> dict | None:
    """How often this person visited this student's page before, and when last (UTC); None where nothing tells.

    `record` is private/audit.db. Somebody without a Moodle id has no lasting name in it.
    """
    if not record.exists() or person["moodle_id"] is None:
        return None
    before = (now - SAME_VISIT).strftime("%Y-%m-%dT%H:%M:%SZ")
    where = {"site": course["site"], "course": str(course["moodle_id"]) if course["moodle_id"] else None}
    whom = {
        "actor": actor,
        "student": str(person["moodle_id"]),
        "before": before,
        "minutes": SAME_VISIT.seconds // 60,
        **where,
    }
    with closing(sqlite3.connect(f"{record.resolve().as_uri()}?mode=ro", uri=True, timeout=1)) as conn:
        return ask(conn, _LOOKS, **whom)[0]


def changes(conn: sqlite3.Connection, course: dict, found: dict, last_utc: str | None) -> dict | None:
    """What is new since `last_utc` in what student.student found.

    `clicks` (how many), and rows of `completed`, `handed_in`, `blog` and `forum`.
    """
    if not last_utc:
        return None
    reached = rows(conn, "horizon", course=course["id"], look=last_utc)[0]
    reached = {kind: when or last_utc for kind, when in reached.items()}
    activities = [row for section in found["completion"] for row in section["activities"]]
    posts = {source: [row for row in found["posts"] if row["source"] == source] for source in ("blog", "forum")}
    ids = {"course": course["id"], "person": found["person"]["person"]}
    return {
        "last_utc": last_utc,
        "completed": [row for row in activities if row["done"] and _after(row["completed_utc"], reached["completion"])],
        "clicks": rows(conn, "clicks_since", since=reached["log"], **ids)[0]["clicks"] if _is_counted(found) else 0,
        "handed_in": rows(conn, "handed_in", since=reached["log"], **ids),
        "blog": [row for row in posts["blog"] if _is_new_entry(row, last_utc, reached["blog"])],
        "forum": [row for row in posts["forum"] if _after(row["published_utc"], reached["forum"])],
    }


def _is_counted(found: dict) -> bool:
    return found["usage"]["clicks"] is not None


def _is_new_entry(post: dict, last_utc: str, reached: str) -> bool:
    """Whether a blog post came in after that look: by when its feed first had it, or else by when it was written."""
    if post["first_fetched_utc"]:
        return post["first_fetched_utc"] > last_utc
    return _after(post["published_utc"], reached)


def _after(utc: str | None, reached: str) -> bool:
    return (utc or "") > reached
