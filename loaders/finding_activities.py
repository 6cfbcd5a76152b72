"""Finding what stands on a course page: activities, sections, and the parts of activities."""

from __future__ import annotations

import sqlite3
from functools import partial

from loaders import finding, moodle_links
from loaders.statements import rows

# What teachers call what Moodle calls otherwise.
KINDS = {"assign": "assignment", "resource": "file", "url": "link", "quiz": "quiz test", "data": "database"}


def activities(conn: sqlite3.Connection, typed: str) -> list[dict]:
    """Activities by name, kind and section; those with all words in the name come first. `href` leads to Moodle."""
    wanted = finding.words(typed)
    found = [row for row in rows(conn, "find_activities") if finding.stand_in(wanted, *_said(row))]
    found.sort(key=lambda row: not finding.stand_in(wanted, row["name"]))
    return [{**row, "href": None if row["deleted"] else moodle_links.activity(row, row)} for row in found]


def sections(conn: sqlite3.Connection, typed: str) -> list[dict]:
    """Sections of the course page by name."""
    wanted = finding.words(typed)
    found = [row for row in rows(conn, "find_sections") if finding.stand_in(wanted, row["name"])]
    return [{**row, "href": moodle_links.section(row, row["number"])} for row in found]


def parts(conn: sqlite3.Connection, typed: str) -> list[dict]:
    """Chapters, discussions and pages by name, kind and activity; at least one word is in the name."""
    wanted = finding.words(typed)
    has = partial(finding.stand_in, wanted)
    found = [row for row in rows(conn, "find_parts") if has(row["name"], row["kind"], row["activity"])]
    found = [row for row in found if any(finding.stand_in([word], row["name"]) for word in wanted)]
    return [{**row, "href": moodle_links.part(row, row)} for row in found]


def _said(row: dict) -> tuple:
    return row["name"], row["kind"], KINDS.get(row["kind"] or ""), row["section"]
