"""Which groups are a tutor's: as her account names them, `[SITE ][COURSE:]GROUP`, such as `8`, `Online`, `2:Online`.

COURSE is Moodle's id. A GROUP of digits is Moodle's id of it, wherever a file has told that; else it is the exact name.
A group of no known id that is called by digits alone is meant only where the course is said: in another course, or
another Moodle, the same number is another group.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable

ENTRY = re.compile(r"(?:(?P<site>https?://\S+) )?(?:(?P<course>\d{1,18}):)?(?P<group>.+)", re.DOTALL)
_GROUPS = """
select groups.id, sites.url, courses.moodle_id, groups.moodle_id, groups.name
from {schema}groups as groups
join {schema}courses as courses on courses.id = groups.course_id
join {schema}sites as sites on sites.id = courses.site_id
"""


def word(entry: str) -> str:
    """The group of an entry, without site and course."""
    return ENTRY.fullmatch(entry)["group"].strip() if entry.strip() else ""


def is_one(entry: str, site: str | None, course: int | None, group: int | None, name: str | None) -> bool:
    """Whether an entry means this group: its Moodle's address, Moodle's ids of course and group, and its name."""
    said = ENTRY.fullmatch(entry)
    if not said or (said["site"] and said["site"].rstrip("/") != (site or "").rstrip("/")):
        return False
    if said["course"] and said["course"] != str(course):
        return False
    wanted = said["group"].strip()
    if wanted.isascii() and wanted.isdecimal():
        return wanted == str(group) if group is not None else bool(said["course"]) and wanted == (name or "").strip()
    return wanted == (name or "").strip()


def keys(conn: sqlite3.Connection, entries: Iterable[str], schema: str = "") -> set[int]:
    """Our keys of the groups that are meant, of a file; `schema` is what stands before its tables, with its dot."""
    hers = list(entries)
    found = conn.execute(_GROUPS.format(schema=schema)).fetchall()
    return {key for key, *about in found if any(is_one(entry, *about) for entry in hers)}
