"""`coursette load`: files in any order into moodle.db, one transaction a file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from loaders import claims, downloads, headings, kinds, log, tables
from loaders.errors import Unreadable
from loaders.load_log import LogLoad, all_zones, find_course, first_column, hold, now_utc, retry_held
from loaders.places import Options, Places
from loaders.reading import Reading
from loaders.settle import settle
from loaders.times import Clock, epoch_utc

NO_ROW = {"columns", "grade_items"}


@dataclass
class Outcome:
    """What became of one file."""

    source: str
    kind: str | None = None
    load_id: int | None = None
    rows_read: int = 0
    rows_new: int = 0
    rows_known: int = 0
    rows_unmatched: int = 0
    notes: list[str] = field(default_factory=list)
    error: str | None = None
    unused: bool = False


class Loader:
    """Takes files, one by one, into one database."""

    def __init__(self, connection: sqlite3.Connection, options: Options, tick: Callable[[int], None] | None = None):
        self.connection, self.options = connection, options
        self.places = Places(connection, options)
        self.tick = tick or (lambda rows: None)

    def load(self, paths: list[str | Path]) -> Iterator[Outcome]:
        """Load every file found in `paths`; yields what became of each, as it is done."""
        if self.options.check:
            self.connection.execute("begin immediate")
        if self.options.staff:
            self._note_staff()
        for path in paths:
            try:
                for download in downloads.find([path]):
                    yield self.take(download)
            except Unreadable as error:
                yield Outcome(str(path), error=str(error))
        if self.options.check:
            self.connection.execute("rollback")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """One file is one transaction; with --check a savepoint in one that is rolled back at the end."""
        begin, end, undo = ("begin immediate", "commit", "rollback")
        if self.options.check:
            begin, end, undo = ("savepoint file", "release file", "rollback to file")
        self.connection.execute(begin)
        try:
            yield
        except BaseException:
            self.connection.execute(undo)
            raise
        self.connection.execute(end)

    def take(self, download: downloads.Download) -> Outcome:
        """Load one file, whole or not at all."""
        outcome = Outcome(download.source)
        try:
            with self._transaction():
                self._take(download, outcome)
        except NotUsed as error:
            outcome.load_id, outcome.notes = None, [str(error)]
        except Unreadable as error:
            where = f"line {error.line}: " if error.line else ""
            outcome.error = f"{where}{error}"
            outcome.rows_new = outcome.rows_known = 0
            outcome.load_id = None
        if outcome.error and outcome.unused and not download.named:
            outcome.notes, outcome.error = [outcome.error], None
        if outcome.error:
            self._note_refused(download, outcome)
        return outcome

    def _take(self, download: downloads.Download, outcome: Outcome) -> None:
        key = downloads.fingerprint(download)
        if self._known(key, outcome):
            return
        try:
            content = tables.read(download)
        except Unreadable:
            outcome.unused = not download.named
            raise
        outcome.load_id = self.connection.execute(
            "insert into loads (source, content_key, modified_utc, course_option, loaded_utc) values (?, ?, ?, ?, ?)",
            (download.source, key, download.modified_utc, self.options.course, now_utc()),
        ).lastrowid
        if isinstance(content, tables.Sheet) and kinds.is_log(content):
            self._take_log(content, outcome)
        else:
            self._take_claims(content, outcome, download.named)
        self._settle(outcome)

    def _known(self, key: str, outcome: Outcome) -> bool:
        """Whether this very file is loaded already, with the same options."""
        row = self.connection.execute(
            "select id, kind, rows_read, loaded_utc from loads where content_key = ? and error is null"
            " and kind is not null and (?2 is null or course_option is null or course_option = ?2)"
            " and (?3 is null or timezone is null or timezone = ?3)",
            (key, self.options.course, self.options.timezone),
        ).fetchone()
        if row is None:
            return False
        outcome.load_id, outcome.kind, outcome.rows_read, when = row
        outcome.rows_known = outcome.rows_read
        outcome.notes.append(f"this very file is here already, as load {row[0]} of {when[:10]}")
        return True

    def _settle(self, outcome: Outcome) -> None:
        new_events = outcome.kind == log.KIND and outcome.rows_new > 0
        settle(self.connection, new_events)
        while retry_held(self.connection):
            settle(self.connection, True)
        self.connection.execute(
            "update loads set kind = ?, rows_read = ?, rows_new = ?, rows_known = ?, note = ? where id = ?",
            (outcome.kind, outcome.rows_read, outcome.rows_new, outcome.rows_known,
             "\n".join(outcome.notes) or None, outcome.load_id),
        )  # fmt: skip
        outcome.rows_unmatched = self.connection.execute(
            "select count(distinct coalesce(line, -id)) from unmatched where load_id = ?", (outcome.load_id,)
        ).fetchone()[0]

    # -- logs

    def _take_log(self, sheet: tables.Sheet, outcome: Outcome) -> None:
        outcome.kind = log.KIND
        votes = log.peek(sheet.rows())
        course = self._course_of_log(votes)
        site_id = self.places.site(None)
        course_id = (
            self.places.course(site_id, course, None) if course else find_course(self.connection, site_id, votes)
        )
        zone, zone_from = self.places.zone(course_id, None)
        self._set_load(outcome, site_id, course, course_id, zone, zone_from)
        clock = Clock(zone, self.options.date_order)
        clock.settle(first_column(sheet), newest_first=True, year_first=headings.year_first(sheet.header))
        if zone_from == "machine":
            outcome.notes.append(
                f"times were read in {zone}, this computer's zone: if Moodle shows you another, say --timezone"
            )
        if course_id is None:
            outcome.rows_read = hold(self.connection, outcome.load_id, sheet, clock.stream())
            return
        self._write_log(sheet, clock, outcome, site_id, course_id, course)
        if sheet.resaved:
            outcome.notes.append(
                "a spreadsheet program re-saved this file; all of its lines could still be read for certain"
            )

    def _course_of_log(self, votes: log.CourseVotes) -> int | None:
        course = votes.course()
        if course and self.options.course and course != self.options.course:
            raise Unreadable(
                f"this is the log of course {course}, not of course {self.options.course}: leave --course out"
            )
        return course or self.options.course

    def _write_log(self, sheet, clock: Clock, outcome: Outcome, site_id: int, course_id: int, course) -> None:
        newest = next((clock.utc(text) for text in first_column(sheet)), now_utc())
        args = (self.connection, outcome.load_id, site_id, course_id, newest)
        loading = LogLoad.from_sheet(sheet, clock, self.tick, *args)
        if (said := loading.book.votes.course()) and course and said != course:
            raise Unreadable(f"its lines are of several courses ({course} and {said}): download one course's log")
        loading.refuse_wrong_zone(clock.zone, all_zones(self.connection))
        outcome.rows_read = loading.book.rows_read
        outcome.rows_new, outcome.rows_known = loading.writer.rows_new, loading.writer.rows_known
        if loading.writer.newest is not None:
            self.connection.execute(
                "update loads set oldest_utc = ?, newest_utc = ? where id = ?",
                (epoch_utc(loading.writer.oldest), epoch_utc(loading.writer.newest), outcome.load_id),
            )

    # -- everything else

    def _take_claims(self, content, outcome: Outcome, named: bool) -> None:
        zone, zone_from = self.places.zone(self.places.only_course(), None)
        clock = Clock(zone, self.options.date_order)
        reading = kinds.read(content, clock)
        if reading is None:
            self._unknown(content, outcome, named)
        if reading.timezone and not self.options.timezone and reading.timezone != zone:
            clock = Clock(reading.timezone, self.options.date_order)
            zone, zone_from, reading = reading.timezone, "saved page", kinds.read(content, clock)
        said = list(reading.claims)
        if reading.course.get("moodle_id"):
            said += [{"noun": "course", **reading.course}] * (reading.kind != "course")
        outcome.kind, outcome.notes = reading.kind, list(reading.notes)
        course = self._course_of_reading(reading)
        site_id = self.places.site(reading.site)
        course_id = self.places.course(site_id, course, reading.timezone) if course else None
        self._set_load(outcome, site_id, course, course_id, zone, zone_from, reading)
        self._count(said, outcome)
        claims.store(self.connection, outcome.load_id, said)

    def _course_of_reading(self, reading: Reading) -> int | None:
        course = reading.course.get("moodle_id")
        if course and self.options.course and course != self.options.course:
            raise Unreadable(f"this is of course {course}, not of course {self.options.course}: leave --course out")
        return course or self.options.course

    def _unknown(self, content, outcome: Outcome, named: bool) -> None:
        kind = kinds.unused(content) if isinstance(content, tables.Sheet) else kinds.unused_answer(content)
        outcome.unused = True
        if kind:
            outcome.kind = kind
            raise NotUsed(kind)
        raise Unreadable(
            "this is no Moodle download that Coursette knows: run `coursette status` for the list of what to take"
        )

    def _count(self, said: list[dict], outcome: Outcome) -> None:
        """Rows, and how many of them say something new."""
        known = {
            _content(json.loads(text))
            for (text,) in self.connection.execute(
                "select claim from claims join loads on loads.id = claims.load_id where loads.kind = ?",
                (outcome.kind,),
            )
        }
        rows: dict[object, bool] = {}
        for number, claim in enumerate(said):
            if claim["noun"] not in NO_ROW and (claim["noun"] != "course" or outcome.kind == "course"):
                row = claim.get("line", f"claim {number}")
                rows[row] = rows.get(row, False) or _content(claim) not in known
        outcome.rows_read = len(rows)
        outcome.rows_new = sum(rows.values())
        outcome.rows_known = outcome.rows_read - outcome.rows_new

    def _set_load(self, outcome, site_id, course, course_id, zone, zone_from, reading: Reading | None = None) -> None:
        self.connection.execute(
            "update loads set kind = ?, site_id = ?, course_option = ?, course_id = ?, timezone = ?,"
            " timezone_from = ?, newest_utc = ? where id = ?",
            (outcome.kind, site_id, course, course_id, zone, zone_from,
             reading.newest_utc if reading else None, outcome.load_id),
        )  # fmt: skip

    def _note_staff(self) -> None:
        """Remember --staff as a load of its own, so that it can be taken back."""
        with self._transaction():
            load_id = self.connection.execute(
                "insert into loads (source, kind, site_id, rows_read, rows_new, loaded_utc) values (?, ?, ?, ?, ?, ?)",
                (
                    "--staff",
                    "staff",
                    self.places.site(None),
                    len(self.options.staff),
                    len(self.options.staff),
                    now_utc(),
                ),
            ).lastrowid
            claims.store(self.connection, load_id, ({"noun": "staff", "email": email} for email in self.options.staff))
            settle(self.connection, False)

    def _note_refused(self, download: downloads.Download, outcome: Outcome) -> None:
        with self._transaction():
            self.connection.execute(
                "insert into loads (source, kind, loaded_utc, error) values (?, ?, ?, ?)",
                (download.source, outcome.kind, now_utc(), outcome.error),
            )


class NotUsed(Unreadable):
    """A Moodle download that is recognised and not used: reported, no failure."""

    def __init__(self, kind: str):
        super().__init__(f"{kind}: Coursette does not use this download yet")


def _content(claim: dict) -> str:
    return json.dumps({k: v for k, v in claim.items() if k != "line"}, ensure_ascii=False, sort_keys=True)
