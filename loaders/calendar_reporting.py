"""What `coursette calendar` does and tells."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from loaders import calendar_file, calendar_proposal, calendar_shown, calendar_writing, calendars, downloads, reporting
from loaders.errors import Unreadable
from loaders.load import Loader, Outcome
from loaders.places import Options, normal_url
from loaders.schema import open_database, open_existing, settle_in
from loaders.statements import ask
from loaders.tables import read

COURSES = """
select courses.id, courses.moodle_id, shortname, fullname, timezone, start_date, sites.url as site
from courses join sites on sites.id = courses.site_id
where courses.moodle_id is not null
order by data_up_to_utc desc, courses.id
"""
SENTENCES = "select line, reason from unmatched where load_id = ? order by line"


def propose(db: Path, course: int | None, site: str | None, force: bool) -> Iterator[str]:
    """Write the proposal; yields what was taken from where, and what to do next."""
    with closing(open_existing(db).conn) as connection:
        found = choose(connection, course, site)
        path = calendar_writing.file_name(found)
        if path.exists() and not force:
            raise Unreadable(f"{path} is there already: load it, or let --force write a new proposal over it")
        proposal = calendar_proposal.propose(connection, found)
    path.write_text(calendar_writing.text(proposal, path), encoding="utf-8")
    yield f"{path}: proposed for {reporting.printable(found['fullname'] or found['shortname'] or str(course))}"
    for taken in proposal.took:
        yield f"  {reporting.printable(taken)}"
    yield f"Correct it in an editor, then: coursette calendar {path}"


def show(db: Path, course: int | None, site: str | None, _force: bool) -> Iterator[str]:
    """The weeks of a course as they are now."""
    with closing(open_existing(db).conn) as connection:
        yield from map(reporting.printable, calendar_shown.show(connection, choose(connection, course, site)))


def choose(connection: sqlite3.Connection, course: int | None, site: str | None) -> dict:
    """The one course that is meant; its `site` is given only where several Moodles are loaded.

    Raises Unreadable where none or several are.
    """
    known = ask(connection, COURSES)
    if not known:
        raise Unreadable("no course is loaded yet: `coursette load` takes what you downloaded from Moodle")
    found = [row for row in known if course in (None, row["moodle_id"])]
    found = [row for row in found if site is None or normal_url(site) in (None, row["site"])]
    listed = ", ".join(f"{row['moodle_id']} ({row['shortname'] or row['fullname'] or row['site']})" for row in known)
    if not found:
        raise Unreadable(f"no such course is loaded: there are {listed}")
    if len(found) > 1:
        raise Unreadable(f"several courses are loaded, {listed}: say which with --course ID, and --site URL if need be")
    several = len({row["site"] for row in known}) > 1
    return found[0] | {"site": found[0]["site"] if several else None}


def load(db: Path, file: Path, course: int | None, site: str | None) -> int:
    """Load a calendar; prints what became of it; returns the exit status."""
    (download,) = downloads.find([file])
    content = _content(download)
    if not isinstance(content, calendar_file.CalendarFile):
        raise Unreadable(f"{file} is no calendar: `coursette calendar` writes one to begin with")
    with closing(open_database(db, to_fill=True).conn) as connection:
        _refuse_slip(connection, file, content.said.get("course"))
        outcome = Loader(connection, Options(course=course, site=site)).take(download)
        settle_in(connection)
        reporting.say(outcome)
        if not outcome.error:
            for line in _told(connection, outcome):
                reporting.echo(line)
    return 1 if outcome.error else 0


def _refuse_slip(connection: sqlite3.Connection, file: Path, course: int | None) -> None:
    """A course that nobody knows, where others are loaded, is a slip of the pen."""
    known = {row["moodle_id"]: row["shortname"] for row in ask(connection, COURSES)}
    if known and isinstance(course, int) and course not in known:
        there = ", ".join(f"{moodle_id} ({name})" if name else str(moodle_id) for moodle_id, name in known.items())
        raise Unreadable(f"{file}: no course {course} is loaded: there are {there}")


def _content(download: downloads.Download):
    try:
        return read(download)
    except Unreadable as error:
        where = f"line {error.line}: " if error.line else ""
        raise Unreadable(f"{download.source}: {where}{error}") from error


def _told(connection: sqlite3.Connection, outcome: Outcome) -> Iterator[str]:
    """What else to know: rows without a home, a newer file in force; then the weeks as they are now."""
    for line, reason in connection.execute(SENTENCES, (outcome.load_id,)):
        yield f"  line {line}: {reason}"
    (key,) = connection.execute("select course_id from loads where id = ?", (outcome.load_id,)).fetchone()
    source = calendars.source(connection, key)
    if source[0] != outcome.load_id:
        yield (
            f"  note: {source[1]} (load {source[0]}) is newer, so it stays in force: save {outcome.source} again and"
            f" load it, or `coursette unload {source[0]}`"
        )
    (course,) = (row for row in ask(connection, COURSES) if row["id"] == key)
    yield from calendar_shown.show(connection, course)
