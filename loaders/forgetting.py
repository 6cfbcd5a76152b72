"""`coursette forget`, `opt-out` and `opt-in`: the steps in their order, and what is said of them."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from loaders import forget, forget_bytes, forget_course, forget_private, forgotten, look_ups, mentions, notes, whose
from loaders.errors import Unreadable
from loaders.reporting import echo
from loaders.schema import open_existing

BROUGHT_TO_END = "A deletion that was not finished is finished now: nothing of it is left in the files."
STILL_THERE = (
    "These files hold data of before, and Coursette does not touch them. Delete them, or take the student out of them:"
)
DOWNLOADS = "The downloads that were loaded, wherever you keep them: {}"
MENTIONED = (
    "The name, address or id stands in what others wrote, or you about others ({}), and stays there. `--mentions` says"
    " “{}” in its place; a newer download brings it back."
)
REPLACED = "The name, address or id stood in what others wrote, or you about others ({}): it is “{}” now."
AUDIT = {
    "keep": "The record of look-ups is as it was (--audit keep).",
    "blank": "The record of look-ups keeps {:,} lines without whom they were about (--audit blank).",
    "delete": "{:,} lines of the record of look-ups are deleted (--audit delete).",
}
AGAIN = "Deleted already, {} ({}): nothing more is here of this student."


class Files:
    """The database that is open, and what lies in the private folder."""

    def __init__(self, db: Path, private: Path | None):
        self.db = db
        self.connection = open_existing(db).conn
        self.private = forgotten.folder_of(self.connection, private)
        self.notes, self.record = notes.file(self.private), self.private / f"{look_ups.NAME}.db"


def student(db: Path, private: Path | None, who: str, reason: str, **options: object) -> int:
    """Delete a student, or what is of her in one course; prints what went; returns the exit status.

    `options`: course (Moodle's id) or None, site, audit (see forget_private.POLICIES), mentions, sure (a function that
    is asked with a sentence).
    """
    files = Files(db, private)
    try:
        person = whose.person(files.connection, who, options.get("course"), options.get("site"))
    except Unreadable:
        if not (hits := forgotten.find(files.connection, who, files.private)):
            return _ahead(files, who, reason, options)
        for hit in hits:
            echo(AGAIN.format(hit.forgotten_utc[:10], hit.reason))
        return _finish(files)
    course = whose.course(files.connection, options["course"], options.get("site")) if options.get("course") else None
    if not options["sure"](f"Delete everything that is here of {whose.described(files.connection, person)}?"):
        return 1
    return _student(files, person, course, reason, options)


def _student(files: Files, person: int, course: int | None, reason: str, options: dict) -> int:
    connection = files.connection
    about = forget_private.looks_of(connection, person, files.db.stem, options.get("course"))
    who = forget_private.identities(connection, person, course)
    downloads = forget_bytes.sources(connection, _courses(connection, person, course))
    pattern = mentions.of_person(connection, person)
    forgotten.secret(connection, files.private, make=True)  # before anything is deleted: without a key nothing is
    looks = forget_private.forget_looks(files.record, about, options["audit"])
    gone = forget_private.forget_notes(files.notes, who, course is not None)
    gone += forget.student(connection, person, reason, course, files.private)
    _say_deleted(gone)
    echo(AUDIT[options["audit"]].format(looks))
    _mentions(files, pattern, bool(options["mentions"]))
    _say_left(files, downloads, pattern)
    return _finish(files)


def _courses(connection: sqlite3.Connection, person: int, course: int | None) -> str:
    rows = connection.execute(forget.COURSES, {"person": person}).fetchall()
    return json.dumps([key for key, _ in rows if course in (None, key)])


def _ahead(files: Files, who: str, reason: str, options: dict) -> int:
    """Somebody who is not here yet can opt out before a file brings them: by a sure mark."""
    if reason != forgotten.OPTED_OUT:
        whose.person(files.connection, who, options.get("course"), options.get("site"))  # says why not
    if not (who.isdecimal() or "@" in who):
        raise Unreadable(f"{whose.NOBODY.format(who=who)}; who is not here yet can opt out by Moodle's id or e-mail")
    connection = files.connection
    sites = connection.execute("select id from sites").fetchall()
    marks = {("email", who)} if "@" in who else {("id", int(who))}
    connection.execute("begin immediate")
    forgotten.remember(connection, sites[0][0] if len(sites) == 1 else None, marks, reason, options.get("course"),
                       files.private)  # fmt: skip
    connection.execute("commit")
    echo("Nothing is here of this student, and no file will bring anything in.")
    return 0


def course(db: Path, private: Path | None, moodle_id: int, **options: object) -> int:
    """Delete a course; prints what went; returns the exit status."""
    files = Files(db, private)
    connection = files.connection
    try:
        key = whose.course(connection, moodle_id, options.get("site"))
    except Unreadable:
        if forgotten.is_untidy(connection):
            return _finish(files)
        raise
    (row,) = [one for one in forget_private.courses(connection) if one["id"] == key]
    name = row["fullname"] or row["shortname"] or f"course {moodle_id}"
    if not options["sure"](f"Delete the course {name} and everybody who is in no other?"):
        return 1
    downloads = forget_bytes.sources(connection, json.dumps([key]))
    about = {"course": str(moodle_id), "site": row["site"]}
    looks = forget_private.forget_looks(files.record, about, options["audit"])
    gone = forget_private.forget_course_notes(files.notes, row)
    gone += forget_course.course(connection, key)
    _say_deleted(gone)
    echo(AUDIT[options["audit"]].format(looks))
    _say_left(files, downloads)
    return _finish(files)


def _say_deleted(gone: Counter[str]) -> None:
    echo("Deleted: " + (", ".join(f"{table} {count:,}" for table, count in sorted(gone.items())) or "nothing"))


def _mentions(files: Files, pattern: re.Pattern[str] | None, replace: bool) -> None:
    """What others wrote about her, and the teacher about others: counted, or replaced."""
    connection, there = files.connection, files.notes.exists()
    found = mentions.count(connection, pattern, {**mentions.POSTS, **mentions.ELSEWHERE})
    found += notes.use(files.notes, mentions.count, pattern, mentions.OF_NOTES) if there else Counter()
    if not found:
        return
    where = ", ".join(f"{table} {count:,}" for table, count in sorted(found.items()))
    if not replace:
        echo(MENTIONED.format(where, mentions.REMOVED))
        return
    connection.execute("begin immediate")
    mentions.replace(connection, pattern)
    forget.reindex(connection)
    connection.execute("commit")
    if there:
        notes.use(files.notes, mentions.replace, pattern, mentions.OF_NOTES)
    echo(REPLACED.format(where, mentions.REMOVED))


def _say_left(files: Files, downloads: list[str], pattern: re.Pattern[str] | None = None) -> None:
    copies = list(forget_bytes.copies(files.db, files.private))
    copies += forget_private.naming(files.db, files.private, pattern) if pattern else []
    if not copies and not downloads:
        return
    echo(STILL_THERE)
    for path in copies:
        echo(f"  {path}")
    if downloads:
        echo(f"  {DOWNLOADS.format(', '.join(downloads))}")
    echo("  and every backup of this computer")


def _finish(files: Files) -> int:
    """Clear the files' old pages; says whether that could be done."""
    untidy = forgotten.is_untidy(files.connection)
    others = [forget_bytes.clear_file(path) for path in (files.notes, files.record)]
    why = [one for one in (forget_bytes.finish(files.connection, files.db.name), *others) if one]
    for sentence in dict.fromkeys(why):
        echo(sentence[0].upper() + sentence[1:] + ".", err=True)
    if untidy and not why:
        echo("Nothing of what was deleted is left in the bytes of the files.")
    return 1 if why else 0


def opt_in(db: Path, private: Path | None, who: str) -> None:
    """Let files bring a student again."""
    files = Files(db, private)
    hits = forgotten.find(files.connection, who, files.private)
    if not hits:
        raise Unreadable(f"nobody who opted out or was deleted is known by “{who}”")
    files.connection.execute("begin immediate")
    sources = forgotten.undo(files.connection, {hit.student for hit in hits})
    files.connection.execute("commit")
    echo("Files may bring this student again.")
    if sources:
        echo(f"Load these again for what they hold: {', '.join(dict.fromkeys(sources))}")


def listed(db: Path) -> Iterator[str]:
    """How many are kept out and since when; never who."""
    rows = forgotten.counts(open_existing(db).conn)
    if not rows:
        yield "Nobody was deleted on request, and nobody has opted out."
    for reason, count, first, last in rows:
        students = f"{count:,} student{'s' * (count != 1)}"
        when = first[:10] if first[:10] == last[:10] else f"{first[:10]} to {last[:10]}"
        deleted = f"{'was' if count == 1 else 'were'} deleted on request"
        yield f"{students} {deleted if reason == forgotten.FORGOTTEN else 'opted out'} ({when})"
