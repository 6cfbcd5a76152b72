"""All that is held of one student, to be handed to them: data for JSON, and one HTML file to read.

The student reads what a teacher could see, where it came from, who looked and when, and what cannot be known.
"""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader

from loaders import claims_of, forget_private, look_ups, notes
from loaders.export_tables import TABLES
from loaders.statements import ask

HERE = Path(__file__).parent
LOADS = """
select source, kind, loaded_utc, newest_utc
from loads
where error is null and (:courses is null or course_id is null or course_id in (select value from json_each(:courses)))
order by loaded_utc, id
"""
COURSES = """
select courses.id, courses.moodle_id, courses.shortname, courses.fullname, courses.timezone, courses.data_up_to_utc,
    courses.keep_until, sites.url as site
from courses
join sites on sites.id = courses.site_id
join enrolments on enrolments.course_id = courses.id
where enrolments.person_id = :person and (:course is null or courses.id = :course)
order by courses.id
"""
LOOKS = """
select time_utc, actor as who, what, form, about, came_from
from look_ups
where ((student = :student and (site is null or :site is null or rtrim(site, '/') = :site))
    or (person = :person and database = :database))
    and (:course is null or course = :course)
order by time_utc desc, id desc
"""
NOT_KNOWN = (
    "Moodle's log says that a page was asked for: not whether it was read, for how long, or by whom at your keyboard.",
    "What you did outside Moodle, in a downloaded file, in the app without a connection, or in another tool is not in"
    " the log.",
    "How a post sounds (sentiment, from -1 to 1) is a guess of a word list that knows English only, sentence by"
    " sentence; irony, quotations and other languages mislead it. Where it says nothing, it cannot be known.",
    "Lists of several students (a course page, a question, a table) are in the record of look-ups without names, so"
    " that you were on one of them cannot be told here.",
    "What your teacher downloaded, printed or wrote down elsewhere, and backups, are not in these files.",
)
LABELS = {"idnumber": "Id number", "moodle_id": "Moodle id", "fullname": "Full name", "feed_url": "Address of the feed"}
UNITS = {"_utc": "", "_pct": " (%)", "_s": " (seconds)"}
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def held(
    connection: sqlite3.Connection, person: int, database: str, private: Path, course: int | None = None,
    with_notes: bool = False, with_looks: bool = True,
) -> dict[str, Any]:  # fmt: skip
    """Everything: `student`, `made_utc`, `courses`, `tables` ({name: rows}), `said` (by files), `loads`, `looks`,
    `notes` (None where they were left out), `not_known`. Keys are own keys; times UTC text."""
    ids = {"person": person, "course": course}
    courses = ask(connection, COURSES, **ids)
    tables = {table.name: ask(connection, table.sql, **ids) for table in TABLES}
    of_courses = json.dumps([one["id"] for one in courses]) if courses else None
    return {
        "student": tables["people"][0],
        "made_utc": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "courses": courses,
        "tables": tables,
        "said": claims_of.person(connection, person, course),
        "loads": ask(connection, LOADS, courses=of_courses),
        "looks": _looks(connection, person, database, private, course) if with_looks else None,
        "notes": _notes(connection, person, private, course) if with_notes else None,
        "not_known": list(NOT_KNOWN),
    }


def _looks(
    connection: sqlite3.Connection, person: int, database: str, private: Path, course: int | None
) -> list[dict] | None:
    """Lines of the record of look-ups; None where there is no record."""
    record = private / f"{look_ups.NAME}.db"
    if not record.exists():
        return None
    moodle_id = None
    if course is not None:
        (moodle_id,) = connection.execute("select moodle_id from courses where id = ?", (course,)).fetchone()
    about = forget_private.looks_of(connection, person, database, moodle_id)
    with closing(sqlite3.connect(f"{record.resolve().as_uri()}?mode=ro", uri=True, timeout=5)) as audit:
        return ask(audit, LOOKS, **about)


def _notes(connection: sqlite3.Connection, person: int, private: Path, course: int | None) -> dict[str, list[dict]]:
    """What the teacher wrote: `notes`, `nudges`, `marks`, each once."""
    found: dict[str, dict[int, dict]] = {"notes": {}, "nudges": {}}
    marks: dict[str, str] = {}
    if notes.file(private).exists():
        for who in forget_private.identities(connection, person, course):
            here = notes.use(notes.file(private), notes.of_student, who)
            for kind, rows in found.items():
                rows |= {row["id"]: row for row in here[kind] if course is None or row["here"]}
            marks |= here["marks"]
    listed = {kind: [_plain(row) for row in rows.values()] for kind, rows in found.items()}
    return {**listed, "marks": [{"about": about, "marked_utc": when} for about, when in marks.items()]}


def _plain(row: dict) -> dict:
    return {key: value for key, value in row.items() if key not in ("id", "here", "course", "has_time")}


# ---- To read ----


def page(found: dict[str, Any]) -> str:
    """One HTML file, whole in itself. Everything from outside is escaped."""
    environment = Environment(loader=FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    zone = found["courses"][0]["timezone"] if found["courses"] else "UTC"
    sections = [_section(table.title, found["tables"][table.name], zone) for table in TABLES]
    context = {
        **found,
        "name": found["student"]["fullname"] or "a student",
        "made": local(found["made_utc"], zone),
        "zones": sorted({one["timezone"] for one in found["courses"]}) or ["UTC"],
        "full": [section for section in sections if section["rows"]],
        "nothing": [section["title"] for section in sections if not section["rows"]],
        "said": _section("What files said", found["said"], zone),
        "loads": _section("Files", found["loads"], zone),
        "looks": None if found["looks"] is None else _section("Who looked", found["looks"], zone),
        "notes": None if found["notes"] is None else [
            _section(kind.capitalize(), rows, zone) for kind, rows in found["notes"].items()
        ],
    }  # fmt: skip
    return environment.get_template("export_student.html").render(context)


def _section(title: str, rows: list[dict], zone: str) -> dict[str, Any]:
    """`title`, `columns` (in words, those with anything in them) and `rows` of texts in course time."""
    columns = [name for name in (rows[0] if rows else ()) if name != "zone" and any(_some(row[name]) for row in rows)]
    shown = [[_text(row[name], row.get("zone") or zone) for name in columns] for row in rows]
    return {"title": title, "columns": [label(name) for name in columns], "rows": shown}


def _some(value: object) -> bool:
    return value not in (None, "")


def label(name: str) -> str:
    """`last_access_utc` is `Last access`, `positive_pct` `Positive (%)`: times are said once to be in course time."""
    if name in LABELS:
        return LABELS[name]
    end = next((end for end in UNITS if name.endswith(end)), "")
    words = name.removesuffix(end) if end else name
    return words.replace("_", " ").capitalize() + UNITS.get(end, "")


def _text(value: object, zone: str) -> str:
    if value is None:
        return ""
    text = str(value)
    return local(text, zone) if _ISO.fullmatch(text) else text


def local(utc: str, zone: str) -> str:
    """`2016-03-01 20:00:00`: a UTC time in a zone."""
    return datetime.fromisoformat(utc).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")


def as_json(found: dict[str, Any]) -> str:
    """The same as data."""
    return json.dumps(found, ensure_ascii=False, indent=1)


def file_name(found: dict[str, Any]) -> str:
    """`student-35`: no name in a file name."""
    return f"student-{found['student']['moodle_id'] or 'without-id'}"
