"""Loading everything but logs: what a small file says is stored as claims, to be settled with all others."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field

from loaders import claims, details, kinds, pulled, strangers
from loaders.courses import Evidence, members, things
from loaders.errors import Unreadable
from loaders.places import Options, Places
from loaders.pulled_answers import Pulled
from loaders.reading import Reading
from loaders.retime import UTC_TEXT
from loaders.tables import Answer, Backup, CalendarFile, Content, Sheet
from loaders.times import Clock

ASSUMED = "times were read in {zone}, this computer's zone: if Moodle shows you another, say --timezone"
NO_ROW = {"columns", "fields", "grade_items", "feed list"}


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
    rows_skipped: int = 0
    notes: list[str] = field(default_factory=list)
    error: str | None = None
    unused: bool = False


class NotUsed(Unreadable):
    """A Moodle download that is recognised and not used: reported, no failure."""

    def __init__(self, kind: str):
        super().__init__(f"{kind}: Coursette does not use this download yet")


class SmallFile:
    """One file that is no log, while it is taken."""

    def __init__(self, connection: sqlite3.Connection, options: Options, places: Places, outcome: Outcome):
        self.connection, self.options, self.places, self.outcome = connection, options, places, outcome

    def take(self, content: Content | Pulled) -> None:
        """Store what the file says. Raises NotUsed, or Unreadable where nobody knows it."""
        outcome = self.outcome
        zone, zone_from = self.places.zone(self.places.only_site(), self.places.only_course())
        clock = Clock(zone, self.options.date_order)
        reading = kinds.read(content, clock, self.options.kind)
        if reading is None:
            self._unknown(content)
        if reading.timezone and not self.options.timezone:
            zone, zone_from = reading.timezone, "saved page"
            reading = kinds.read(content, Clock(zone, self.options.date_order), self.options.kind)
        said = list(reading.claims)
        answers = [claim for claim in said if claim["noun"] == "answer"]
        said = [claim for claim in said if claim["noun"] != "answer"]
        if reading.course.get("moodle_id"):
            said += [{"noun": "course", **reading.course}] * (reading.kind != "course")
        outcome.kind = reading.kind
        outcome.notes.extend(reading.notes)
        course = self._course_of_reading(reading)
        site_id = self.places.site(reading.site)
        course_id = self.places.course(site_id, course, reading.timezone) if course else None
        self.places.describe(
            outcome.load_id, kind=outcome.kind, site_id=site_id, course_option=course, course_id=course_id,
            timezone=zone, timezone_from=zone_from, newest_utc=reading.newest_utc,
        )  # fmt: skip
        if outcome.kind == strangers.KIND and not isinstance(content, Pulled):  # a pull leaves them out itself
            said = strangers.withhold(self.connection, site_id, said, outcome.notes)
        count_rows(self.connection, outcome, said)
        claims.store(self.connection, outcome.load_id, said)
        if isinstance(content, Pulled):
            pulled.note(self.connection, outcome.load_id, content.head)
            pulled.store(self.connection, outcome.load_id, answers)
            pulled.supersede(self.connection, outcome.load_id)
        timeless = isinstance(
            content, (Answer, Backup, Pulled, CalendarFile)
        )  # their times are in no zone that is assumed
        if zone_from == "machine" and not timeless and any(UTC_TEXT.search(json.dumps(claim)) for claim in said):
            outcome.notes.append(ASSUMED.format(zone=zone))
        if self.options.course and not reading.course.get("moodle_id"):
            self._doubt_course(outcome.load_id)

    def _doubt_course(self, load_id: int) -> None:
        """Say so if --course names one course and the people are those of another: it may be a slip."""
        loads = claims.read_loads(self.connection)
        mine = next(load for load in loads if load.id == load_id)
        others = [load for load in loads if load.site_id == mine.site_id and load is not mine and load.course_moodle_id]
        found = Evidence(others).place(members(mine), things(mine))
        if found and found != mine.course_id:
            (said,) = self.connection.execute("select moodle_id from courses where id = ?", (found,)).fetchone()
            self.outcome.notes.append(
                f"its people are those of course {said}: if --course {self.options.course} was a slip,"
                f" `coursette unload {load_id}` takes it back"
            )

    def _course_of_reading(self, reading: Reading) -> int | None:
        course = reading.course.get("moodle_id")
        if course and self.options.course and course != self.options.course:
            raise Unreadable(f"this is of course {course}, not of course {self.options.course}: leave --course out")
        return course or self.options.course

    def _unknown(self, content) -> None:
        kind = kinds.unused(content) if isinstance(content, Sheet) else kinds.unused_answer(content)
        self.outcome.unused = True
        if kind:
            self.outcome.kind = kind
            raise NotUsed(kind)
        own = f"; {details.OWN}" if isinstance(content, Sheet) and details.looks_like(content) else ""
        raise Unreadable(
            f"this is no Moodle download that Coursette knows: run `coursette status` for the list of what to take{own}"
        )


def count_rows(connection: sqlite3.Connection, outcome: Outcome, said: list[dict]) -> None:
    """Rows, and how many of them say something new."""
    known = {
        _content(json.loads(text))
        for (text,) in connection.execute(
            "select claim from claims join loads on loads.id = claims.load_id where loads.kind = ?",
            (outcome.kind,),
        )
    }
    rows: dict[object, bool] = {}
    for number, claim in enumerate(said):
        if (
            claim["noun"] not in NO_ROW
            and "withheld" not in claim
            and (claim["noun"] != "course" or outcome.kind == "course")
        ):
            row = claim.get("line", f"claim {number}")
            rows[row] = rows.get(row, False) or _content(claim) not in known
    outcome.rows_read = len(rows)
    outcome.rows_new = sum(rows.values())
    outcome.rows_known = outcome.rows_read - outcome.rows_new


def _content(claim: dict) -> str:
    return json.dumps(
        {k: v for k, v in claim.items() if k not in ("line", "answer")}, ensure_ascii=False, sort_keys=True
    )


def waiting(connection: sqlite3.Connection, load_id: int | None) -> int:
    """How many rows of a load have found no home yet."""
    sql = "select count(distinct coalesce(line, -id)) from unmatched where load_id = ?"
    return connection.execute(sql, (load_id,)).fetchone()[0]


def leave_out(connection: sqlite3.Connection, outcome: Outcome, logs: tuple[str, ...]) -> None:
    """Rows of small files that settling took out again, as their students are not to be stored, are not new."""
    sql = "select rows_skipped from loads where id = ?"
    (outcome.rows_skipped,) = connection.execute(sql, (outcome.load_id,)).fetchone()
    if outcome.rows_skipped and outcome.kind not in logs:
        outcome.rows_new = max(0, outcome.rows_new - outcome.rows_skipped)
        connection.execute("update loads set rows_new = ? where id = ?", (outcome.rows_new, outcome.load_id))
