"""The weeks of a course as they are now, in lines of text."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date, datetime

from loaders import calendars, times
from loaders.numbering import words

WEEKS = "select week, starts_on, name, is_break from weeks where course_id = ? order by starts_on"
DUE = """
select cmid, name, due_utc from activities
where course_id = ? and due_utc is not null and deleted = 0
order by due_utc, position, id
"""


def show(connection: sqlite3.Connection, course: dict) -> Iterator[str]:
    """Where the weeks are from, each week with the day it begins, and what is due when."""
    name = course["fullname"] or course["shortname"] or f"Course {course['moodle_id']}"
    source = calendars.source(connection, course["id"])
    yield f"{name}: weeks " + (f"of {source[1]} (load {source[0]})" if source else "as the course's start tells them")
    rows = connection.execute(WEEKS, (course["id"],)).fetchall()
    if not rows:
        yield "  none yet: nothing tells when this course began"
    for week, starts_on, named, is_break in rows:
        pause = " (a break)" if is_break and not week % 1 else ""
        yield f"  {date.fromisoformat(starts_on):%a %d %b %Y}  {words(week, named)}{pause}"
    due = connection.execute(DUE, (course["id"],)).fetchall()
    yield "Due" if due else "Nothing is known to be due."
    for cmid, named, utc in due:
        local = datetime.fromisoformat(times.local_text(utc, course["timezone"]))
        yield f"  {local:%a %d %b %Y, %H:%M}  {named} (activity {cmid if cmid is not None else 'without a known id'})"
