"""The course log: nine columns in a fixed order in every language and version of Moodle.

    22/11/26, 20:24:34 | Marguerite Holloway | - | Course: EDC3100 | Logs | Log report viewed |
    The user with id '3' viewed the log report for the course with id '2'. | web | 127.0.0.1

Names are those of the day of the export; ids stand only in the description. The address (ninth column)
is never stored. Source: Moodle, Reports, Logs, "Download table data as".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from loaders import descriptions
from loaders.directory import Directory
from loaders.errors import Unreadable
from loaders.events import Line, line_digest
from loaders.names import clean, fold

KIND = "course log"
ORIGINS = {"web", "ws", "cli", "restore", ""}
CACHED_LINES = 300_000  # distinct lines kept parsed; about 70 MB

# How languages write "Admin User as Lachlan Robertson" (report_log's eventloggedas).
AS = " as | als | como | en tant que | come | som | jako | под именем | - 代替ログイン: "
LOGIN_AS = re.compile(rf"^(?P<real>.+?)(?:{AS})(?P<shown>.+)$")
TICK = 10_000  # lines between two steps of the progress bar
ROLES = {1: "manager", 2: "coursecreator", 3: "editingteacher", 4: "teacher", 5: "student"}
ROLE_EVENTS = {
    "\\core\\event\\role_assigned": ("role", True),
    "\\core\\event\\role_unassigned": ("role", False),
    "\\core\\event\\user_enrolment_created": ("enrolled", True),
    "\\core\\event\\user_enrolment_deleted": ("enrolled", False),
}
Row = tuple[int, list[str]]
SKIPPED = Line(0, 0, 0, 0, 0, 0, "", None, False)  # stands for lines of students who are not to be stored


def recognise(header: list[str], first_rows: list[list[str]]) -> bool:
    """Nine columns whose eighth is Moodle's origin, or whose seventh talks of "user with id"."""
    if len(header) != 9:
        return False
    if not first_rows:
        return any(word in header[8].lower() for word in ("ip", "address")) and header[0] != ""
    talks = sum("with id" in row[6] or "&#039;" in row[6] for row in first_rows)
    origins = sum(row[7] in ORIGINS for row in first_rows)
    return origins > 0.8 * len(first_rows) and (talks > 0 or all(row[5] and row[4] for row in first_rows))


def shown_names(text: str | None) -> Iterator[str]:
    """The names that a name column may mean: `Admin User as Sam Lee` is three."""
    text = clean(text)
    if text in ("", "-"):
        return
    yield text
    if match := LOGIN_AS.match(text):
        yield from (match["real"], match["shown"])


class CourseVotes:
    """Which course a log is of, by the ids in it: one course, or a sentence why not."""

    def __init__(self):
        self.courses: Counter[int] = Counter()
        self.cmids: set[int] = set()
        self.people: set[int] = set()

    def add(self, line: descriptions.Line) -> None:
        if line.course and line.eventclass not in (
            "\\core\\event\\course_restored",
            "\\core\\event\\course_reset_started",
        ):
            self.courses[line.course] += 1
        if line.cmid:
            self.cmids.add(line.cmid)
        if line.user:
            self.people.add(line.user)
        if line.related:
            self.people.add(line.related)

    def course(self) -> int | None:
        """The course's Moodle id; None when the lines do not say. Raises Unreadable for a site-wide log."""
        if not self.courses:
            return None
        (first, votes), *others = self.courses.most_common(2)
        second = others[0][1] if others else 0
        if first == 1 or (second >= 3 and second > 0.05 * votes):
            raise Unreadable(
                "this is the log of the whole site, not of one course: open the course, then Reports, Logs,"
                " and download the log there"
            )
        return first


def peek(rows: Iterable[Row], limit: int = 1_000) -> CourseVotes:
    """Read up to `limit` lines to learn which course they are of; all of them while none says."""
    votes = CourseVotes()
    for number, (_, row) in enumerate(rows):
        if number >= limit and votes.courses:
            break
        if number < limit or not votes.courses:
            votes.add(descriptions.read(row[4], row[5], row[6]))
    return votes


class LogBook:
    """What a log says besides its events: names, roles, parts; and its lines in own keys."""

    def __init__(self, directory: Directory):
        self.directory = directory
        self.rows_read = self.rows_skipped = 0
        self.cache: dict[int, Line] = {}  # by a 64-bit hash, as lines are in events: the texts would take 200 MB
        self.people: dict[int, dict[str, None]] = {}
        self.activities: dict[int, dict] = {}
        self.parts: dict[tuple[int, str, int], None] = {}
        self.course_name: str | None = None
        self.votes = CourseVotes()
        self.roles: dict[tuple, tuple[int, bool]] = {}
        self.dated: dict[int, tuple] = {}  # digest -> what its time matters for

    def lines(
        self, rows: Iterable[Row], seconds: Callable[[str], int], tick: Callable[[int], None]
    ) -> Iterator[tuple[int, Line]]:
        """(Unix time, line in own keys) of every row; what differs only in time is read once."""
        cache, number, text, at, count = self.cache, 0, None, 0, 0
        try:
            for number, row in rows:  # noqa: B007
                if row[0] != text:
                    text = row[0]
                    at = seconds(text)
                texts = tuple(row[1:8])
                line = cache.get(hash(texts))
                if line is None:
                    line = self._remember(texts)
                count += 1
                if not count % TICK:
                    tick(TICK)
                if line is SKIPPED:
                    self.rows_skipped += 1
                    continue
                if line[8]:
                    self._note_time(line, at)
                yield at, line
            self.rows_read = count
        except Unreadable as error:
            raise Unreadable(str(error), error.line or number) from None

    def _remember(self, texts: tuple[str, ...]) -> Line:
        if len(self.cache) >= CACHED_LINES:
            for old in list(islice(self.cache, CACHED_LINES // 2)):
                del self.cache[old]
        line = self.cache[hash(texts)] = self._read(*texts)
        return line

    def _read(self, user, affected, context, component, name, description, origin) -> Line:
        said = descriptions.read(component, name, description)
        if said.user is None and said.related and not said.nobody and user == affected:
            # "The user with id '17' has started the attempt": the text names only whom it is about, and the
            # two name columns agree that this is also who did it.
            said = said._replace(user=said.related)
        self.votes.add(said)
        to = self.directory
        if to.forgotten and self._is_forgotten(said, user, affected):
            return SKIPPED
        self._note_context(said, context, component)
        names = self._names(said, clean(user), clean(affected))
        text = descriptions.normal(description)
        if said.user is None and not said.nobody:  # then only the name tells two people's lines apart
            text = f"{fold(user)}\n{component}\n{name}\n{text}"
        digest = line_digest(to.course_id, text, origin)
        part = to.part(said.cmid, *said.part) if said.part and said.cmid else None
        if part:
            self.parts[said.cmid, *said.part] = None
        event_type = to.event_type(said.component, said.name, said.eventclass, said.crud, said.edulevel)
        return Line(
            digest,
            to.person(said.user) or 0,
            to.person(said.related) or 0,
            event_type,
            to.activity(said.cmid, said.module) or 0,
            part or 0,
            origin,
            (*names, said.user is not None) if names else None,
            self._is_dated(said, digest),
        )

    def _is_forgotten(self, said, user: str, affected: str) -> bool:
        """Whether a line is by or about somebody who was deleted on request or opted out: by id, else by name."""
        to = self.directory
        if to.is_forgotten(said.user) or to.is_forgotten(said.related):
            return True
        nameless = [text for text, moodle_id in ((user, said.user), (affected, said.related)) if not moodle_id]
        return any(to.forgotten.has_name(name, to.course) for text in nameless for name in shown_names(text))

    def _names(self, said, user: str, affected: str) -> tuple[str | None, str | None] | None:
        """Names kept with the event because no id stands for them; names with an id become claims."""
        person = related = None
        if said.user and user not in ("-", ""):
            if LOGIN_AS.match(user):
                person = user
                self.people.setdefault(said.user, {})
            else:
                self.people.setdefault(said.user, {})[user] = None
        elif user not in ("-", "") and not said.nobody:
            person = user
        if affected not in ("-", ""):
            if said.related:
                self.people.setdefault(said.related, {})[affected] = None
            else:
                related = affected
        for moodle_id in (said.user, said.related):
            if moodle_id:
                self.people.setdefault(moodle_id, {})
        return (person, related) if person or related else None

    def _note_context(self, said, context: str, component: str) -> None:
        """`Page: TPACK framework explained` names the activity; `Course: EDC3100` the course."""
        prefix, colon, name = clean(context).partition(": ")
        if said.cmid:
            known = self.activities.setdefault(said.cmid, {})
            if said.module and "kind" not in known:
                known["kind"] = said.module
            ours = not component or prefix == clean(component)
            if colon and name and ("name" not in known or (ours and not known.get("ours"))):
                known["name"], known["ours"] = name, ours
            if said.eventclass == "\\core\\event\\course_module_deleted":
                known["deleted"] = True
        elif said.course and colon and said.eventclass == "\\core\\event\\course_viewed" and not self.course_name:
            self.course_name = name

    def _is_dated(self, said, digest: int) -> bool:
        event = ROLE_EVENTS.get(said.eventclass or "")
        if event and said.related:
            what, given = event
            role = ROLES.get(said.object or 0) if what == "role" else None
            if what == "enrolled" or role:
                self.dated[digest] = (said.related, what, role, given)
        return digest in self.dated

    def _note_time(self, line: Line, seconds: int) -> None:
        """Remember the latest word on a role or an enrolment."""
        moodle_id, what, role, given = self.dated[line.digest]
        known = self.roles.get((moodle_id, what, role))
        if known is None or (seconds, given) > known:
            self.roles[moodle_id, what, role] = seconds, given

    def claims(self, utc: Callable[[int], str]) -> Iterator[dict]:
        """What the file said of people, roles, activities and parts."""
        if self.course_name:
            yield {"noun": "course", "fullname": self.course_name}
        for moodle_id, names in self.people.items():
            for name in names or [None]:
                ref = {"moodle_id": moodle_id} | ({"fullname": name} if name else {})
                yield {"noun": "person", "person": ref, "in_course": False}
        for (moodle_id, what, role), (seconds, given) in self.roles.items():
            yield {
                "noun": "log role", "moodle_id": moodle_id, "what": what, "role": role,
                "given": given, "time_utc": utc(seconds),
            }  # fmt: skip
        for cmid, known in self.activities.items():
            yield {"noun": "activity", "cmid": cmid} | {k: v for k, v in known.items() if k != "ours"}
        for cmid, kind, moodle_id in self.parts:
            yield {"noun": "part", "cmid": cmid, "kind": kind, "moodle_id": moodle_id}
