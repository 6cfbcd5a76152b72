"""Who is who: by Moodle id, then email, then id number, then a full name unique in the course.

Never a guess: what stays ambiguous is held, and tried again when the next file tells more.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable
from functools import cache

from loaders.claims import Load, Newest
from loaders.courses import folded_names, person_keys

Key = tuple[str, object]
ATTRIBUTES = ("fullname", "firstname", "lastname", "email", "idnumber", "username")
SURE = 3  # seconds that two records of completion must share
STRONG = ("id", "email", "idnumber", "username")  # in the order in which they are believed


class People:
    """The people of one site, made out of all claims. `find` gives a claim's person, or the reason why not."""

    def __init__(self, loads: list[Load], seen: Callable[[int, int], set[str]] = lambda course, moodle_id: set()):
        self.seen = seen  # (course, Moodle id) -> when the log says that they completed something
        self.parent: dict[Key, Key] = {}
        self.ids: dict[Key, int] = {}  # root -> Moodle id
        self.shared: set[Key] = set()  # an email or id number that files give to two Moodle ids
        self.held: dict[Key, str] = {}
        self.names: dict[int, dict[str, set[Key]]] = defaultdict(lambda: defaultdict(set))
        self.listed: dict[Key, set[int]] = defaultdict(set)  # root -> loads that list it as a row of its own
        self.completed: dict[Key, set[str]] = defaultdict(set)
        self.refs = [
            (load, claim, claim["person"])
            for load in loads
            if load.course_id
            for claim in load.claims
            if claim.get("person")
        ]
        self._link()
        self._note_names()
        self._join_by_name()

    def find(self, ref: dict, course_id: int) -> tuple[Key | None, str | None]:
        """(root, None), or (None, why not)."""
        for key in self._strong(ref):
            root = self.root(key)
            return (None, self.held[root]) if root in self.held else (root, None)
        roots = {self.root(root) for name in folded_names(ref) for root in self.names[course_id][name]}
        if len(roots) == 1 and not (roots & self.held.keys()):
            return roots.pop(), None
        if roots:
            return None, "several people of the course have this name, and the row says no email or id number"
        return None, "nobody of this name is known in the course yet"

    def _strong(self, ref: dict) -> list[Key]:
        keys = [key for key in person_keys(ref) if key[0] in STRONG and key not in self.shared]
        return sorted(keys, key=lambda key: STRONG.index(key[0]))

    def root(self, key: Key) -> Key:
        """The key that stands for everything joined with `key`."""
        while (above := self.parent.setdefault(key, key)) != key:
            key = above
        return key

    def _link(self) -> None:
        """Join the keys of each row, unless that would make one person of two Moodle ids."""
        owners = defaultdict(set)
        for _, _, ref in self.refs:
            if ref.get("moodle_id"):
                for key in person_keys(ref):
                    owners[key].add(ref["moodle_id"])
        self.shared = {key for key, ids in owners.items() if len(ids) > 1 and key[0] != "name"}
        rows = {tuple(self._strong(ref)) for _, _, ref in self.refs}
        for keys in sorted(rows, key=lambda keys: [(STRONG.index(kind), str(value)) for kind, value in keys]):
            for key in keys:
                self._union(keys[0], key)

    def _union(self, one: Key, other: Key) -> bool:
        one, other = self.root(one), self.root(other)
        for root in (one, other):
            if root[0] == "id":
                self.ids[root] = root[1]
        if one == other:
            return True
        if one in self.ids and other in self.ids:
            return False
        if other in self.ids or (one not in self.ids and str(other) < str(one)):
            one, other = other, one
        self.parent[other] = one
        return True

    def _note_names(self) -> None:
        for load, claim, ref in self.refs:
            if keys := self._strong(ref):
                root = self.root(keys[0])
                if load.kind != "course log":
                    self.listed[root].add(load.id)
                for name in folded_names(ref):
                    self.names[load.course_id][name].add(root)
                if claim["noun"] == "completion":
                    self.completed[root].update(cell[1] for cell in claim.get("cells", ()) if cell and cell[1])

    def _join_by_name(self) -> None:
        """People known by email only become the one Moodle id of their name in the course, or are held."""
        kinds: dict[Key, set[str]] = defaultdict(set)
        for key in list(self.parent):
            kinds[self.root(key)].add(key[0])
        verdicts: dict[Key, set] = defaultdict(set)
        for course_id, by_name in self.names.items():
            for roots in by_name.values():
                known = {root for root in roots if root in self.ids}
                for root in roots - known:
                    verdict = self._verdict(root, known, len(roots - known), kinds)
                    if verdict == "held":
                        verdict = self._by_completions(root, known, course_id) or verdict
                    verdicts[root].add(verdict)
        for root, found in sorted(verdicts.items(), key=str):
            homes = found - {"own", "held"}
            if len(homes) == 1:
                self._union(homes.pop(), root)
            elif homes or "held" in found:
                self.held[root] = "several people of the course have this name, and no file ties this one to an id"

    def _verdict(self, root: Key, known: set[Key], alike: int, kinds: dict[Key, set[str]]) -> Key | str:
        apart = all(self.listed[root] & self.listed[other] for other in known)
        if not known or apart:
            return "own"
        if len(known) == 1 and alike == 1:
            home = next(iter(known))
            return "held" if kinds[root] & kinds[home] & {"email", "idnumber"} else home
        return "held"

    def _by_completions(self, root: Key, known: set[Key], course_id: int) -> Key | None:
        """Of several people of one name, the one whose completions the log has at the very same seconds."""
        times = self.completed.get(root, set())
        if len(times) < SURE:
            return None
        shared = {other: len(times & self.seen(course_id, self.ids[other])) for other in known}
        home = max(shared, key=lambda other: (shared[other], str(other)), default=None)
        alone = all(count == 0 for other, count in shared.items() if other != home)
        return home if home and alone and shared[home] >= SURE and shared[home] > len(times) / 2 else None


def completion_times(connection: sqlite3.Connection) -> Callable[[int, int], set[str]]:
    """A look-up of when, by the log, a person (Moodle id) completed something in a course (own key)."""
    sql = (
        "select people.moodle_id, time_utc from events join people on people.id = related_person_id"
        " where course_id = ? and event_type_id in (select id from event_types"
        " where eventclass = '\\core\\event\\course_module_completion_updated')"
    )

    @cache
    def of_course(course_id: int) -> dict[int, set[str]]:
        times: dict[int, set[str]] = defaultdict(set)
        for moodle_id, time_utc in connection.execute(sql, (course_id,)):
            times[moodle_id].add(time_utc)
        return times

    return lambda course_id, moodle_id: of_course(course_id).get(moodle_id, set())


def save_people(connection: sqlite3.Connection, site_id: int, people: People) -> dict[Key, int]:
    """Write the `people` of a site; returns own keys by root. Rows that stay keep theirs."""
    said, spoilt = Newest(), Newest()
    roots: dict[Key, None] = {}
    for load, _, ref in people.refs:
        root, _ = people.find(ref, load.course_id)
        if root is None:
            continue
        roots[root] = None
        for attribute in ATTRIBUTES:
            # The completion csv of Moodle before 5 turns double quotes in names into single ones.
            (spoilt if load.kind == "activity completion" else said).say((root, attribute), load, ref.get(attribute))
    said.best = spoilt.best | said.best
    own = _own_keys(connection, site_id, people, list(roots), said)
    for root, key in own.items():
        row = {attribute: said.get((root, attribute)) for attribute in ATTRIBUTES}
        row["fullname"] = row["fullname"] or " ".join(filter(None, (row["firstname"], row["lastname"]))) or None
        connection.execute(
            "update people set fullname = ?, firstname = ?, lastname = ?, email = ?, idnumber = ?, username = ?"
            " where id = ? and (fullname, firstname, lastname, email, idnumber, username) is not (?, ?, ?, ?, ?, ?)",
            (*row.values(), key, *row.values()),
        )
    return own


def _own_keys(connection, site_id, people: People, roots: list[Key], said: Newest) -> dict[Key, int]:
    """Own key of each root: the row it had, also before its Moodle id was known; or a new one."""
    columns = ("email", "idnumber", "username")
    had: dict[tuple[str, object], int] = {}
    rows = connection.execute(
        "select id, moodle_id, email, idnumber, username from people where site_id = ?", (site_id,)
    )
    for key, moodle_id, *words in rows.fetchall():
        marks = zip(columns, words, strict=True) if moodle_id is None else [("moodle_id", moodle_id)]
        had |= {(column, str(word).casefold()): key for column, word in marks if word}
    own, taken = {}, set()
    for root in roots:
        moodle_id = people.ids.get(root)
        marks = [("moodle_id", moodle_id), *((column, said.get((root, column))) for column in columns)]
        found = (had.get((column, str(word).casefold())) for column, word in marks if word)
        key = next((key for key in found if key and key not in taken), None)
        if key is None:
            sql = "insert into people (site_id, moodle_id) values (?, ?)"
            key = connection.execute(sql, (site_id, moodle_id)).lastrowid
        elif moodle_id:
            connection.execute("update people set moodle_id = ?1 where id = ?2 and moodle_id is null", (moodle_id, key))
        own[root] = key
        taken.add(key)
    return own
