"""What a pull asks of the database, and how it puts fetched files into it: with the loader that takes downloads."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from loaders import pulled, pulls
from loaders.downloads import Download
from loaders.forgotten import Forgotten
from loaders.load import Loader
from loaders.load_claims import Outcome
from loaders.places import Options, normal_url
from loaders.pull_files import save_copy, utc_text

# Newest log line by which each person acted, or had something done to them.
TOUCHED = """
with lately as (
    select person_id as person, time_utc from events where course_id = :course and person_id is not null
    union all
    select related_person_id, time_utc from events where course_id = :course and related_person_id is not null
)
select people.moodle_id, cast(strftime('%s', max(time_utc)) as integer)
from lately
join people on people.id = lately.person
where people.moodle_id is not null
group by people.moodle_id
"""
WRITTEN = """
select parts.moodle_id, cast(strftime('%s', max(events.time_utc)) as integer)
from events
join event_types on event_types.id = events.event_type_id and event_types.crud in ('c', 'u', 'd')
join parts on parts.id = events.part_id and parts.kind = 'discussion'
where events.course_id = :course
group by parts.moodle_id
"""
TRIED = """
select distinct activities.cmid, people.moodle_id
from attempts
join activities on activities.id = attempts.activity_id
join people on people.id = attempts.person_id
where activities.course_id = :course and people.moodle_id is not null
"""


@dataclass
class Store:
    """The database of one pull of one course; used from one thread only."""

    connect: Callable[[], sqlite3.Connection]
    site: str
    course: int
    timezone: str | None = None
    save: Path | None = None
    tick: Callable[[int], None] | None = None
    last_event: dict[int, int] = field(default_factory=dict)
    last_written: dict[int, int] = field(default_factory=dict)
    tried: dict[int, set[int]] = field(default_factory=dict)
    _connection: sqlite3.Connection | None = None

    @property
    def connection(self) -> sqlite3.Connection:
        """Opened on the thread that first asks."""
        if self._connection is None:
            self._connection = self.connect()
        return self._connection

    def close(self) -> None:
        """Give the database back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def take(self, path: Path, source: str) -> Outcome:
        """Load one fetched file, keep a copy where one is wanted, and drop it if it is in."""
        if self.save:
            save_copy(path, self.save)
        facts = path.stat()
        options = Options(course=self.course, site=self.site, timezone=self.timezone)
        loader = Loader(self.connection, options, self.tick)
        download = Download(source, True, facts.st_size, utc_text(facts.st_mtime), lambda: path.open("rb", buffering=0))
        outcome = loader.take(download)
        path.unlink(missing_ok=True)
        return outcome

    def known(self, part: str) -> dict[str, tuple[float, dict | None]]:
        """By answer: when it was fetched (Unix seconds), and the mark it had."""
        found = pulled.known(self.connection, self.site, self.course, part)
        return {key: (pulls.seconds(when), mark) for key, (when, mark) in found.items()}

    def kept_out(self, users: list[int]) -> set[int]:
        """Of these Moodle ids, those of students who were deleted on request or opted out: nothing is asked of them."""
        row = self.connection.execute("select id from sites where url = ?", (normal_url(self.site),)).fetchone()
        forgotten = Forgotten(self.connection, row[0] if row else None)
        return {user for user in users if forgotten.has_id(user, self.course)}

    def own_course(self) -> int | None:
        """Our own key of the course, once something of it is loaded."""
        return pulls.own_course(self.connection, self.site, self.course)

    def read_log(self) -> None:
        """Note who did what when, as far as the log is here."""
        if (course := self.own_course()) is None:
            return
        at = {"course": course}
        self.last_event = dict(self.connection.execute(TOUCHED, at).fetchall())
        self.last_written = dict(self.connection.execute(WRITTEN, at).fetchall())
        self.tried = {}
        for cmid, user in self.connection.execute(TRIED, at):
            self.tried.setdefault(cmid, set()).add(user)

    def forums(self) -> list[tuple[int, int | None]]:
        """(course module id, the forum's own id where that is known) of each forum of the course."""
        sql = "select cmid, instance_id from activities where course_id = ? and kind = 'forum' and cmid is not null"
        return self.connection.execute(sql + " and not deleted order by 1", (self.own_course(),)).fetchall()

    def log_newest(self) -> float | None:
        """Unix seconds up to which the log is here for certain."""
        return pulls.log_up_to(self.connection, self.own_course())

    def note_pulled(self, part: str, when: float) -> None:
        """Remember that a part is as it was in Moodle at `when` (Unix seconds)."""
        pulls.note(self.connection, self.site, self.course, part, when)
