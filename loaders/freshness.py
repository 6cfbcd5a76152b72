"""How fresh each kind of data of a course is, and what to download next.

As in answers.py: no Datasette here, nothing of Moodle's files, plain dicts.
"""

from __future__ import annotations

import sqlite3

from loaders import advice
from loaders.statements import rows

ABSENT = {"blogs": "none registered"}  # what "not loaded yet" is called where nothing is downloaded


def freshness(conn: sqlite3.Connection, course: dict) -> list[dict]:
    """One row per kind of data: `is_loaded`, `up_to_utc` (None: nothing tells), `loaded_utc`, `said` where it is not.

    `blogs` and `failed` count the registered blogs, and those with an error the last time they were asked.
    """
    found = rows(conn, "freshness", course=course["id"])
    for row in found:
        row["is_loaded"] = bool(row["is_loaded"])
        row["said"] = None if row["is_loaded"] else _absent(row)
    return found


def _absent(row: dict) -> str:
    if row["blogs"]:
        return f"{row['blogs']:,} registered, none read yet"
    return ABSENT.get(row["kind"], "not loaded yet")


def next_download(conn: sqlite3.Connection, course: dict) -> dict | None:
    """What would help most: `kind`, `why`, `how` to take it, `href` (None where the site is not known)."""
    gap = next(advice.gaps(conn, course["id"]), None)
    if gap is None:
        return None
    known = advice.ADDRESS.fullmatch(course["site"] or "") and course["moodle_id"] is not None
    return {
        "kind": gap.download.kind,
        "why": gap.download.why,
        "how": gap.download.how,
        "href": gap.url if known else None,
    }
