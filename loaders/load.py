"""`coursette load`: files in any order into moodle.db, one transaction a file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from loaders import (
    backup_log,
    blogs,
    calendar_file,
    claims,
    details,
    downloads,
    headings,
    kinds,
    load_details,
    log,
    strangers,
    tables,
)
from loaders.backup_zone import refuse_wrong_zone
from loaders.errors import Unreadable
from loaders.load_claims import ASSUMED, NotUsed, Outcome, SmallFile, leave_out, waiting
from loaders.load_log import Place, find_course, first_column, hold, now_utc, retry_held, write_log
from loaders.places import Options, Places
from loaders.retime import follow_pages, page_zone
from loaders.settle import settle
from loaders.times import Clock
from loaders.unload import take_back
from loaders.weeks import move_zone

AGAIN = "its date is newer than it was: what it says counts as new again"


class Loader:
    """Takes files, one by one, into one database."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        options: Options,
        tick: Callable[[int], None] | None = None,
        at_end: Callable[[], None] | None = None,
    ):
        self.connection, self.options = connection, options
        self.places = Places(connection, options)
        self.tick = tick or (lambda rows: None)
        self.at_end = at_end or (lambda: None)

    def load(self, paths: list[str | Path]) -> Iterator[Outcome]:
        """Load every file found in `paths`; yields what became of each, as it is done.

        `at_end` is called when all are done, with --check before everything is taken back.
        """
        if self.options.check:
            self.connection.execute("begin immediate")
        if self.options.staff:
            self._note_staff()
        entries: list[tuple[downloads.Download, Outcome]] = []
        for path in paths:
            try:
                for download in downloads.find([path]):
                    outcome = self.take(download)
                    entries += [(download, outcome)] * (outcome.kind == strangers.KIND)
                    yield outcome
            except Unreadable as error:
                yield Outcome(str(path), error=str(error))
        self._take_again(entries)
        self.at_end()
        if self.options.check:
            self.connection.execute("rollback")

    def _take_again(self, entries: list[tuple[downloads.Download, Outcome]]) -> None:
        """Files of Moodle's blog whose authors only a later file made known."""
        for download, outcome in entries:
            if strangers.needed_again(self.connection, downloads.fingerprint(download)):
                vars(outcome).update(vars(self.take(download)))

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
        if outcome.error and download.there:
            self._note_refused(download, outcome)
        return outcome

    def _take(self, download: downloads.Download, outcome: Outcome) -> None:
        key = downloads.fingerprint(download)
        if again := strangers.needed_again(self.connection, key):
            take_back(self.connection, again)
        if self._known(key, outcome):
            moved = self._apply_course_timezone(outcome.load_id)
            if moved | self._is_newer(download, outcome) | self._said_again(outcome):
                settle(self.connection, moved)
            return
        try:
            content = tables.read(download)
        except Unreadable as error:
            outcome.unused = not download.named
            if self.options.details:
                raise details.in_own_words(error) from error
            raise
        outcome.load_id = self.connection.execute(
            "insert into loads (source, content_key, modified_utc, course_option, options, loaded_utc)"
            " values (?, ?, ?, ?, ?, ?)",
            (download.source, key, download.modified_utc, self.options.course, self.options.reading(), now_utc()),
        ).lastrowid
        if self.options.details:
            self._take_details(content, outcome)
        elif isinstance(content, tables.Sheet) and not self.options.kind and kinds.is_log(content):
            self._take_log(content, outcome)
        else:
            SmallFile(self.connection, self.options, self.places, outcome).take(content)
        self._said_again(outcome)
        if isinstance(content, tables.Backup):
            self._take_logs_of_backup(content, outcome)
        if outcome.kind in (log.KIND, backup_log.KIND) and outcome.rows_new:
            refuse_wrong_zone(self.connection, outcome.load_id, outcome.kind == backup_log.KIND)
        outcome.notes.extend(getattr(content, "notes", ()))
        self._settle(outcome)

    def _known(self, key: str, outcome: Outcome) -> bool:
        """Whether this very file is loaded already. Loaded with other options, that load is taken back."""
        row = self.connection.execute(
            "select loads.id, kind, rows_read, loaded_utc, json_patch(json_object('course', course_option, 'site', url,"
            " 'timezone', timezone), options) from loads left join sites on sites.id = site_id"
            " where content_key = ? and error is null and kind is not null and (kind = ?) = ?"
            " and kind = coalesce(?, kind)"
            " order by loads.id desc limit 1",
            (key, details.KIND, self.options.details is not None, self.options.kind),
        ).fetchone()
        if row is None:
            return False
        if not self.options.agree(row[4]):
            has_events = "select 1 from load_events where load_id = ? limit 1"
            settled = self.connection.execute(has_events, (row[0],)).fetchone() is None
            take_back(self.connection, row[0])
            if not settled:
                settle(self.connection, True)  # its events are gone, whatever the new reading brings
            outcome.notes.append(f"replaces load {row[0]}, which read this very file with other options")
            return False
        outcome.load_id, outcome.kind, outcome.rows_read, when, _ = row
        outcome.rows_known = outcome.rows_read
        outcome.notes.append(f"this very file is here already, as load {row[0]} of {when[:10]}")
        return True

    def _is_newer(self, download: downloads.Download, outcome: Outcome) -> bool:
        """A teacher's own file that was changed back is in force again, though its words are known: by its date."""
        if outcome.kind not in (calendar_file.KIND, details.KIND, blogs.KIND):
            return False
        sql = "update loads set modified_utc = ?1 where id = ?2 and coalesce(modified_utc, '') < ?1"
        newer = self.connection.execute(sql, (download.modified_utc, outcome.load_id)).rowcount > 0
        outcome.notes.extend([AGAIN] * newer)
        return newer

    def _said_again(self, outcome: Outcome) -> bool:
        """A list that the teacher registers on purpose is a newer word than what was removed of it before."""
        if self.options.kind != blogs.KIND:
            return False
        blogs.say_now(self.connection, outcome.load_id)
        return True

    def _settle(self, outcome: Outcome) -> None:
        connection = self.connection
        connection.execute(
            "update loads set kind = ?, rows_read = ?, rows_new = ?, rows_known = ? where id = ?",
            (outcome.kind, outcome.rows_read, outcome.rows_new, outcome.rows_known, outcome.load_id),
        )
        self._follow_pages(outcome)
        note = "\n".join(outcome.notes) or None
        connection.execute("update loads set note = ? where id = ?", (note, outcome.load_id))
        settle(connection, outcome.kind in (log.KIND, backup_log.KIND) and outcome.rows_new > 0)
        leave_out(connection, outcome, logs=(log.KIND, backup_log.KIND))
        if self._apply_course_timezone(outcome.load_id):
            settle(connection, True)
        while retry_held(connection):
            settle(connection, True)
        if backup_log.join(connection):
            settle(connection, True)
        note, outcome.rows_skipped = connection.execute(
            "select note, rows_skipped from loads where id = ?", (outcome.load_id,)
        ).fetchone()
        outcome.notes = (note or "").splitlines()  # settling may have more to say
        outcome.rows_unmatched = waiting(connection, outcome.load_id)

    def _follow_pages(self, outcome: Outcome) -> None:
        """A saved page tells the zone that earlier files were only assumed to be in."""
        (site_id,) = self.connection.execute("select site_id from loads where id = ?", (outcome.load_id,)).fetchone()
        if moved := follow_pages(self.connection, site_id):
            zone = page_zone(self.connection, site_id)
            outcome.notes.append(
                f"times were put right to {zone}, as this Moodle shows them to you: {', '.join(moved)}"
            )
            settle(self.connection, True)

    def _apply_course_timezone(self, load_id: int | None) -> bool:
        """--course-timezone, on the course that the file settled in."""
        zone = self.options.course_timezone
        row = self.connection.execute("select course_id from loads where id = ?", (load_id,)).fetchone()
        if not zone or not row or not row[0]:
            return False
        move_zone(self.connection, row[0], zone, "option")
        return True

    def _take_details(self, content: tables.Sheet | tables.Page, outcome: Outcome) -> None:
        if not isinstance(content, tables.Sheet):
            raise Unreadable("this is no table: save your spreadsheet as .csv or .xlsx")
        load_details.take(self.connection, self.options, self.places, outcome, content)

    # -- logs

    def _take_log(self, sheet: tables.Sheet, outcome: Outcome) -> None:
        outcome.kind = log.KIND
        votes = log.peek(sheet.rows())
        course = self._course_of_log(votes)
        site_id = self.places.site(None)
        course_id = (
            self.places.course(site_id, course, None) if course else find_course(self.connection, site_id, votes)
        )
        zone, zone_from = self.places.zone(site_id, course_id)
        self.places.describe(
            outcome.load_id, kind=outcome.kind, site_id=site_id, course_option=course, course_id=course_id,
            timezone=zone, timezone_from=zone_from,
        )  # fmt: skip
        clock = Clock(zone, self.options.date_order)
        clock.settle(first_column(sheet), newest_first=True, year_first=headings.year_first(sheet.header))
        if zone_from == "machine":
            outcome.notes.append(ASSUMED.format(zone=zone))
        if course_id is None:
            outcome.rows_read = hold(self.connection, outcome.load_id, sheet)
            return
        place = Place(outcome.load_id, site_id, course_id)
        loading = write_log(self.connection, sheet, clock, place, self.tick)
        if (said := loading.book.votes.course()) and course and said != course:
            raise Unreadable(f"its lines are of several courses ({course} and {said}): download one course's log")
        outcome.rows_read = loading.book.rows_read
        outcome.rows_new, outcome.rows_known = loading.writer.rows_new, loading.writer.rows_known
        if sheet.resaved:
            outcome.notes.append(
                "a spreadsheet program re-saved this file; all of its lines could still be read for certain"
            )

    def _take_logs_of_backup(self, content: tables.Backup, outcome: Outcome) -> None:
        place = Place(outcome.load_id, *self.connection.execute(
            "select site_id, course_id from loads where id = ?", (outcome.load_id,)
        ).fetchone())  # fmt: skip
        read, new, known = backup_log.write(self.connection, content, place, self.tick)
        outcome.rows_read, outcome.rows_new = outcome.rows_read + read, outcome.rows_new + new
        outcome.rows_known += known

    def _course_of_log(self, votes: log.CourseVotes) -> int | None:
        course, asked = votes.course(), self.options.course
        if course and asked and course != asked:
            raise Unreadable(f"this is the log of course {course}, not of course {asked}: leave --course out")
        return course or asked

    def _note_staff(self) -> None:
        """Remember --staff as a load of its own, so that it can be taken back."""
        with self._transaction():
            load_id = self.connection.execute(
                "insert into loads (source, kind, site_id, rows_read, rows_new, loaded_utc) values (?, ?, ?, ?, ?, ?)",
                ("--staff", "staff", self.places.site(None), *[len(self.options.staff)] * 2, now_utc()),
            ).lastrowid
            claims.store(self.connection, load_id, ({"noun": "staff", "email": email} for email in self.options.staff))
            settle(self.connection, False)

    def _note_refused(self, download: downloads.Download, outcome: Outcome) -> None:
        with self._transaction():
            self.connection.execute(
                "insert into loads (source, kind, loaded_utc, error) values (?, ?, ?, ?)",
                (download.source, outcome.kind, now_utc(), outcome.error),
            )
