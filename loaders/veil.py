"""A veil between a database and whoever asks it: names as pseudonyms, or only some groups' students, on the connection.

A veiled connection is SQLite's own, in memory. The file is attached to it under a name that nobody can guess, and
before each of its tables stands a temporary view of the same name, which SQLite finds first: so tables, SQL, questions
and our pages see what the view lets through and know nothing of it. What veiled_tables.py does not know is not shown.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import count
from typing import Any

from loaders import guard, tutor_groups, veiled_tables
from loaders.veiled_tables import FEWEST, quoted

KEY = "pseudonyms-key"  # in the private folder
OF_SQLITE = {"sqlite_master", "sqlite_schema", "json_each", "json_tree"}
NOT_FOR_VIEWERS = {"sqlite_temp_master", "sqlite_temp_schema"}
TELLING = {"database_list", "table_list"}  # pragmas that would say under which name the file is there
SECRET = re.compile(r"file_[0-9a-f]{32}")
REFUSED = "That is not shown while names are hidden or only some groups are shown."


@dataclass(frozen=True)
class Veil:
    """`pseudonyms`: nobody by name, no free text. `groups`: only students of these (names or Moodle ids), and staff."""

    pseudonyms: bool = False
    groups: tuple[str, ...] | None = None


# What stands before whoever is being answered; None: nothing.
current: ContextVar[Veil | None] = ContextVar("veil", default=None)


def of(actor: dict | None, pseudonyms: bool) -> Veil | None:
    """The veil for a visitor: tutors see their groups, everybody by name or not."""
    groups = tuple((actor or {}).get("groups") or ()) if (actor or {}).get("role") == "tutor" else None
    return Veil(pseudonyms, groups) if pseudonyms or groups is not None else None


class Veiled:
    """A connection under a veil, `conn`; call `ready` before each question. Not for two threads at once.

    `address` is the file's, as SQLite's uri=True takes it; `key` makes the pseudonyms, `place` sets them apart from
    those of other files; `prepare` is called with the connection before anything else.
    """

    def __init__(self, address: str, veil: Veil, key: str, place: str, prepare: Callable = lambda conn: None):
        self.veil, self.key, self.place = veil, key, place
        self.file = f"file_{secrets.token_hex(16)}"
        self.views: set[str] = set()
        self.state: tuple | None = None
        self.shape: int | None = None
        self.conn = sqlite3.connect(":memory:", uri=True, check_same_thread=False)
        try:
            prepare(self.conn)
            with self._open():
                self.conn.execute(f"attach ? as {self.file}", (address,))
        except BaseException:
            self.conn.close()
            raise

    def ready(self) -> sqlite3.Connection:
        """The connection, with who is shown as the file has it now."""
        state = self._ask(f"pragma {self.file}.schema_version")[0], self._ask(f"pragma {self.file}.data_version")[0]
        if state != self.state:
            with self._open():
                if state[0] != self.shape:
                    self._make_views()
                    self.shape = state[0]
                self._fill()
            self.state = state
        return self.conn

    def ask(self, question: Callable[[sqlite3.Connection], Any]) -> Any:
        """What a function answers that is given the connection; no error of SQLite's names the file's name."""
        try:
            return question(self.ready())
        except sqlite3.Error as error:
            if (sentence := said(error)) != str(error):
                raise sqlite3.OperationalError(sentence) from None
            raise

    def _ask(self, sql: str) -> list[tuple]:
        return [tuple(row) for row in self.conn.execute(sql).fetchall()]

    @contextmanager
    def _open(self):
        """For our own statements alone. To be guarded again ends whatever was prepared unguarded."""
        self.conn.set_authorizer(None)
        try:
            yield
        finally:
            self.conn.set_authorizer(self._verdict)

    def _verdict(self, action: int, first: str | None, second: str | None, database: str | None, source: str | None):
        if (said := guard.verdict(action, first, second, database, source)) != guard.ALLOWED:
            return said
        if action == sqlite3.SQLITE_PRAGMA and first.lower() in TELLING:
            return guard.REFUSED
        if action != sqlite3.SQLITE_READ or database is None:
            return guard.ALLOWED
        # Nobody can write its name; were it known, still nothing would be read but by our views, and no view of ours
        # reads SQLite's own tables: `source` may also be what a `with` is called.
        if database == self.file and first.startswith("sqlite_"):
            return sqlite3.SQLITE_IGNORE
        if database == self.file:
            return guard.ALLOWED if source in self.views else sqlite3.SQLITE_IGNORE
        if database == "temp":
            return guard.REFUSED if first in NOT_FOR_VIEWERS else guard.ALLOWED
        is_known = first in self.views or first in OF_SQLITE or first.startswith("pragma_")
        return guard.ALLOWED if is_known else guard.REFUSED

    # ---- The views ----

    def _make_views(self) -> None:
        for kind, name in self._ask("select type, name from sqlite_temp_master where type in ('view', 'table')"):
            self.conn.execute(f"drop {kind} temp.{quoted(name)}")
        self.views = set()
        self.conn.execute(
            "create temp table veil_people (id integer primary key, fullname text, firstname text, lastname text)"
        )
        self.conn.execute(
            "create temp table veil_values (field text, value text, primary key (field, value)) without rowid"
        )
        self.conn.execute("create temp table veil_sets (course_id integer primary key, students blob)")
        known = f"select type, name, sql from {self.file}.sqlite_master where type in ('table', 'view')"
        for kind, name, sql in self._ask(known):
            if not name.startswith("sqlite_"):
                self._make_view(kind, name, sql)

    def _make_view(self, kind: str, name: str, sql: str) -> None:
        if kind == "view":  # reads from names that stand for our views by now, whatever it was made to read
            statement = f"create temp view {quoted(name)} {_after_name(sql)}"
        else:
            columns = [row[1] for row in self._ask(f"pragma {self.file}.table_xinfo({quoted(name)})") if row[6] != 1]
            groups = self.veil.groups is not None
            statement = veiled_tables.view(name, columns, self.file, self.veil.pseudonyms, groups)
        self.conn.execute(statement)
        self.views.add(name)
        # Whoever looks into sqlite_master sees the tables there are; asked for by `main.`, they are empty.
        self.conn.execute(f"create table if not exists main.{quoted(name)} (id)")

    # ---- Who is shown ----

    def _fill(self) -> None:
        self.conn.execute("begin")
        self.conn.execute("delete from temp.veil_people")
        self.conn.execute("delete from temp.veil_values")
        self.conn.execute("delete from temp.veil_sets")
        if "people" in self.views:
            people = self._ask(_PEOPLE.format(file=self.file))
            shown = self._shown()
            names = pseudonyms(people, self.key, self.place) if self.veil.pseudonyms else {}
            rows = [(id_, *names.get(id_, (None, None, None))) for id_, *_ in people if shown is None or id_ in shown]
            self.conn.executemany("insert into temp.veil_people values (?, ?, ?, ?)", rows)
            self.conn.execute(_VALUES.format(file=self.file, fewest=FEWEST))
            if shown is not None:
                self.conn.execute(_SETS.format(file=self.file))
        self.conn.execute("commit")

    def _shown(self) -> set[int] | None:
        """Our keys of the people in the groups, and of those who only teach; None: all."""
        if self.veil.groups is None:
            return None
        hers = tutor_groups.keys(self.conn, map(str, self.veil.groups), f"{self.file}.")
        given = {"groups": json.dumps(sorted(hers))}
        return {row[0] for row in self.conn.execute(_IN_GROUPS.format(file=self.file), given)}


_PEOPLE = """
select
    id,
    coalesce((select max(role = 'student') from {file}.enrolments where person_id = people.id), 0),
    exists (select 1 from {file}.enrolments where person_id = people.id and role is not null)
from {file}.people
order by id
"""
_VALUES = """
insert into temp.veil_values
select field, value
from {file}.person_details
where value is not null
group by field, value
having count(distinct person_id) >= {fewest}
"""
_SETS = """
insert into temp.veil_sets
select course_id, bit_set(position)
from {file}.usage_person
where person_id in (select id from temp.veil_people)
group by course_id
"""
_IN_GROUPS = """
select person_id
from {file}.group_members
where group_id in (select value from json_each(:groups))
union
select person_id
from {file}.enrolments
group by person_id
having max(role = 'student') is not 1
    and max(role in ('manager', 'coursecreator', 'editingteacher', 'teacher')) = 1
"""


def said(error: Exception) -> str:
    """SQLite's words, unless they tell under which name a file is attached or which of our views found nothing."""
    return REFUSED if SECRET.search(str(error)) or veiled_tables.NOT_SHOWN in str(error) else str(error)


def _after_name(sql: str) -> str:
    """What follows the name in the text of a view: SQLite keeps it as `CREATE VIEW name as select ...`."""
    name = sql[len("CREATE VIEW ") :]
    if name[0] in "\"'`[":
        end = {"[": "]"}.get(name[0], name[0])
        place = 1
        while name[place] != end or name[place : place + 2] == end * 2:
            place += 2 if name[place : place + 2] == end * 2 else 1
        return name[place + 1 :]
    return name[len(name.split()[0].partition("(")[0]) :]


def pseudonyms(people: list[tuple], key: str, place: str) -> dict[int, tuple[str, str, str]]:
    """{our key: ('Student 0427', 'Student', '0427')} of (our key, is a student, has a role), in the order of keys.

    The number comes from a secret: no order and no guess leads from it to a name. Who came first keeps theirs, so that
    it stays when others are added.
    """
    found, taken = {}, set()
    for person, is_student, has_role in people:
        word = "Student" if is_student else "Staff" if has_role else "Person"
        number = next(each for each in _numbers(key, f"{place}:{person}") if each not in taken)
        taken.add(number)
        found[person] = (f"{word} {number}", word, number)
    return found


def _numbers(key: str, whom: str):
    """Numbers for one person, of four digits while there are any left, then of more."""
    for attempt in count():
        digest = hmac.new(key.encode(), f"{whom}:{attempt}".encode(), hashlib.sha256).digest()
        digits = 4 + attempt // 8
        yield f"{int.from_bytes(digest[:8], 'big') % 10**digits:0{digits}}"
