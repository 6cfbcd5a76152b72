"""Whom the rows of a teacher's spreadsheets are about, and what `person_details` holds of everybody.

Sure marks go first: Moodle's id, e-mail, id number, user name; then a name that only one person has. A row is held
where its marks are of different people, or where its name is of somebody whose e-mail or id number is another.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict

from loaders.claims import Load, Newest
from loaders.courses import Evidence, folded_names
from loaders.details import KIND
from loaders.names import fold
from loaders.people import Key, People

NOBODY = "nobody is known yet by what this row says"
NOTHING = "this row does not say whom it is about"
SEVERAL = "several people have this name, and the row gives no e-mail or id number that is known"
SHARED = "several people have this e-mail address, id number or user name"
APART = "the columns of this row are about different people"
ANOTHER = (
    "somebody of this name is known, by another e-mail or id number: if it is the same person, load the file with"
    " --key and the column of names"
)
TWICE = "line {line} is about the same person and says otherwise"
NO_COURSE = "course {course} is not known yet"
ZEROS = "id numbers had lost their leading zeros and were matched without them"
_MARKS = {"moodle_id": "id", "email": "email", "idnumber": "idnumber", "username": "username"}


def apart(loads: list[Load]) -> tuple[list[Load], list[Load]]:
    """(Moodle's own files, spreadsheets): of spreadsheets only the files' own date tells how new they are."""
    sheets = [load for load in loads if load.kind == KIND]
    for load in sheets:
        load.newest = (load.modified_utc, load.modified_utc, load.newest[2])
    return [load for load in loads if load.kind != KIND], sorted(sheets, key=lambda load: load.newest, reverse=True)


def marks(about: dict) -> list[Key]:
    """What a row gives to know somebody by for sure, in the forms that People knows."""
    found: list[Key] = [
        (kind, value.casefold() if kind in ("email", "username") else value)
        for what, kind in _MARKS.items()
        if (value := about.get(what))
    ]
    if number := about.get("idnumber"):  # many Moodles have it as user name only
        found.append(("username", number.casefold()))
    if value := about.get("any"):
        found += [("email", value.casefold()), ("idnumber", value), ("username", value.casefold())]
    return found


def names(about: dict) -> set[str]:
    """The folded names that a row may mean: `Lee, Sam` is Sam Lee too."""
    full = about.get("fullname") or about.get("any") or ""
    last, comma, first = full.partition(",")
    swapped = {fold(f"{first} {last}")} if comma else set()
    return (folded_names({**about, "fullname": full}) | swapped) - {""}


def keys(about: dict) -> set[Key]:
    """All that a row may be known by, names too, in the forms that Evidence knows."""
    return {*marks(about), *(("name", name) for name in names(about))}


class Finder:
    """Finds the people of one site by what rows of spreadsheets say."""

    def __init__(self, people: People, own: dict[Key, int]):
        self.people, self.own = people, own
        self.there = own.keys() | people.held.keys()
        self.marks: dict[Key, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))  # root -> kind -> values
        self.bare: dict[str, set[Key]] = defaultdict(set)  # id number without its leading zeros -> roots
        for key in list(people.parent):
            if (root := people.root(key)) in self.there:
                self.marks[root][key[0]].add(key[1])
                if key[0] == "idnumber":
                    self.bare[key[1].lstrip("0")].add(root)

    def find(self, about: dict, course_id: int | None) -> tuple[int | None, str | None, bool]:
        """(own key, None, whether only without leading zeros) or (None, why not, False)."""
        if not about:
            return None, NOTHING, False
        sure = marks(about)
        roots = {root for key in sure if (root := self._root(key))}
        zeros = False
        if not roots and (roots := self._without_zeros(about)):
            zeros = True
        if len(roots) > 1:
            return None, APART, False
        if not roots and any(key in self.people.shared for key in sure):
            return None, SHARED, False
        if not roots:
            roots, why = self._by_name(about, course_id)
            if why:
                return None, why, False
        root = roots.pop()
        if root in self.people.held:
            return None, self.people.held[root], False
        return self.own[root], None, zeros

    def _root(self, key: Key) -> Key | None:
        root = self.people.root(key) if key in self.people.parent else None
        return root if root in self.there else None

    def _without_zeros(self, about: dict) -> set[Key]:
        number = about.get("idnumber") or about.get("any") or ""
        return set(self.bare.get(number.lstrip("0"), ())) if number.isdecimal() else set()

    def _by_name(self, about: dict, course_id: int | None) -> tuple[set[Key], str | None]:
        people = self.people
        courses = [course_id] if course_id else list(people.names)
        wanted = names(about)
        there = (people.names.get(course, {}) for course in courses)
        roots = {people.root(root) for named in there for name in wanted for root in named.get(name, ())}
        if not roots and (value := about.get("any", "")).isdecimal():
            roots = {root for root in [self._root(("id", int(value)))] if root}
        if not roots:
            return set(), NOBODY
        if len(roots) > 1:
            return set(), SEVERAL
        (root,) = roots
        other = any(self.marks[root][kind] for kind in ("email", "idnumber") if about.get(kind))
        return (set(), ANOTHER) if other else (roots, None)


def save_details(
    connection: sqlite3.Connection, site_id: int, loads: list[Load], sheets: list[Load], people: People,
    own: dict[Key, int], unmatched: list[tuple],
) -> None:  # fmt: skip
    """Write `person_details` of a site: of Moodle's files and the spreadsheets the newest word on each field.

    Of spreadsheets an empty cell is a word too, that takes away what an older one said.
    """
    said, own_words = Newest(), Newest()
    for load, claim, ref in people.refs:
        if claim.get("details") and (person := own.get(people.find(ref, load.course_id)[0])):
            for field, value in claim["details"].items():
                said.say((person, field), load, [value])
    finder = Finder(people, own) if sheets else None
    for load in sheets:
        _place(connection, load, loads)
        _read(connection, load, finder, own_words, unmatched)
    for key, word in own_words.best.items():
        if word[2][0] and (key not in said.best or word[:2] > said.best[key][:2]):
            said.best[key] = word
    _write(connection, site_id, said, order(sheets))


def _place(connection: sqlite3.Connection, load: Load, loads: list[Load]) -> None:
    """The course that a spreadsheet is of, where --course or its people tell; there names are looked for."""
    load.course_id = None
    if load.course_moodle_id:
        row = connection.execute(
            "select id from courses where site_id = ? and moodle_id = ?", (load.site_id, load.course_moodle_id)
        ).fetchone()
        load.course_id = row[0] if row else None
    elif len({one.course_id for one in loads if one.course_id}) > 1:
        load.course_id = Evidence(loads).place([keys(claim["about"]) for claim in load.of("row")], set())
    connection.execute("update loads set course_id = ? where id = ?", (load.course_id, load.id))


def _read(connection, load: Load, finder: Finder, words: Newest, unmatched: list[tuple]) -> None:
    unknown = load.course_moodle_id and not load.course_id
    taken: dict[int, dict] = {}
    spoilt = 0
    for claim in load.of("row"):
        person, why, zeros = finder.find(claim["about"], load.course_id)
        if unknown and (person is None or not marks(claim["about"])):
            person, why = None, NO_COURSE.format(course=load.course_moodle_id)
        if person and taken.setdefault(person, claim)["details"] != claim["details"]:
            person, why = None, TWICE.format(line=taken[person]["line"])
        if person is None:
            unmatched.append((load, claim, why))
            continue
        spoilt += zeros
        for field, value in claim["details"].items():
            words.say((person, field), load, [value])
    note_zeros(connection, load.id, spoilt)


def note_zeros(connection: sqlite3.Connection, load_id: int, spoilt: int) -> None:
    """Keep with a load how many of its id numbers had lost their zeros."""
    (note,) = connection.execute("select note from loads where id = ?", (load_id,)).fetchone()
    lines = [line for line in (note or "").splitlines() if not line.endswith(ZEROS)]
    lines += [f"{spoilt:,} {ZEROS}"] * bool(spoilt)
    connection.execute("update loads set note = ? where id = ?", ("\n".join(lines) or None, load_id))


def order(sheets: list[Load]) -> dict[str, int]:
    """Place of each field of the spreadsheets: the columns of the newest first, in its order."""
    found: dict[str, int] = {}
    for load in sheets:
        for claim in load.of("fields"):
            for field in claim["fields"]:
                found.setdefault(field, len(found))
    return found


def _write(connection: sqlite3.Connection, site_id: int, said: Newest, places: dict[str, int]) -> None:
    """By field, Moodle's own first, so that ids keep the order of the columns."""
    connection.execute(
        "delete from person_details where person_id in (select id from people where site_id = ?)"
        " or person_id not in (select id from people)",
        (site_id,),
    )
    connection.executemany(
        "insert into person_details (person_id, field, value) values (?, ?, ?)",
        sorted(
            ((person, field, word[2][0]) for (person, field), word in said.best.items()),
            key=lambda row: (places.get(row[1], -1), row[1], row[0]),
        ),
    )
