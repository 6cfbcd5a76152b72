"""Which student a row of a list of blogs means. Never a guess: what does not fit one person says why."""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator

from loaders.courses import folded_names
from loaders.names import clean, fold
from loaders.people import STRONG, Key, People

# What stands between a name and the rest of a blog's title: "Blog for Sam Lee (w1012493)", "Sam Lee's blog"
_BETWEEN = re.compile(r"['’]s\b|\s[-–—|/:]+\s|:\s|[()|,]|\b(?:by|of|for|von|de|di|par)\b", re.I)
UNKNOWN = "nobody with this {what} is known yet: load the participants, or correct the list"
SEVERAL = "several people of the course have this name, and the row says no email or id number"
CLASH = "its {what} are those of different people: correct the row"
OTHER = "somebody of this name is known here with another {what}: correct it, or name the student by id or email"
TITLE = "no student is found in the words of this row: give the blog with `coursette blogs add --student WHO URL`"
NO_WORDS = "nothing in this row says whose blog it is: add the student's email address or id number"
_WORDS = {"id": "Moodle id", "email": "email address", "idnumber": "id number", "username": "username"}


class Students:
    """The people of one site, to be found by what a list of blogs says of them."""

    def __init__(self, connection: sqlite3.Connection, people: People, own: dict[Key, int]):
        self.people, self.own = people, own
        self.known = {
            key: {"email": email, "idnumber": idnumber}
            for key, email, idnumber in connection.execute("select id, email, idnumber from people")
        }

    def find(self, claim: dict, course: int | None, columns: list[str]) -> tuple[int | None, str | None]:
        """(own key, None), or (None, why not): by the row's own columns, else by its words."""
        ref = claim["student"]
        if any(ref.get(key) for key in ("moodle_id", "email", "idnumber", "username")):
            return self._by_row(ref, course)
        cells = claim.get("cells", {})
        words = claim.get("candidates") or [cells[column] for column in columns if column in cells]
        found = {key for word in words for piece in _pieces(word) if (key := self._by_word(piece, course))}
        if len(found) == 1:
            return found.pop(), None
        if folded_names(ref):
            return self._by_row(ref, course)
        if not words:
            return None, NO_WORDS
        return None, CLASH.format(what="words") if found else TITLE

    def telling_columns(self, rows: list[dict[str, str]]) -> list[str]:
        """The columns, without a heading that is known, most of whose values are those of different known people."""
        values: dict[str, list[str]] = defaultdict(list)
        for row in rows:
            for header, text in row.items():
                values[header].append(text)
        telling = []
        for header, texts in values.items():
            found = [key for text in texts if (key := self._by_word(text, None))]
            if len(found) > 0.5 * len(texts) and len(set(found)) > 0.9 * len(found):
                telling.append(header)
        return telling

    def _by_row(self, ref: dict, course: int | None) -> tuple[int | None, str | None]:
        found, said = {}, []
        for kind in STRONG:
            value = ref.get("moodle_id" if kind == "id" else kind)
            if value:
                said.append(_WORDS[kind])
                found |= {key: kind for key in [self._strong(kind, value)] if key}
        if len(found) > 1:
            return None, CLASH.format(what=" and ".join(_WORDS[kind] for kind in found.values()))
        if found:
            return next(iter(found)), None
        named = self._by_name(folded_names(ref), course)
        if len(named) > 1:
            return None, SEVERAL
        if not named:
            return None, UNKNOWN.format(what=" or ".join([*said, *["name"] * bool(folded_names(ref))]))
        (key,) = named
        for kind in ("email", "idnumber"):
            if ref.get(kind) and self.known[key][kind]:
                return None, OTHER.format(what=_WORDS[kind])
        return key, None

    def _strong(self, kind: str, value: str | int) -> int | None:
        """Own key of the one person with this id, email, id number or username."""
        key = (kind, value.casefold() if kind in ("email", "username") else value)
        if key in self.people.shared or key not in self.people.parent:
            return None
        root = self.people.root(key)
        return None if root in self.people.held else self.own.get(root)

    def _by_name(self, names: set[str], course: int | None) -> set[int]:
        courses = [course] if course in self.people.names else list(self.people.names)
        roots = {self.people.root(r) for c in courses for name in names for r in self.people.names[c].get(name, ())}
        return {self.own[root] for root in roots if root in self.own}

    def _by_word(self, word: str, course: int | None) -> int | None:
        """The one person whose email, id number, username or full name this is."""
        for kind in ("email", "idnumber", "username"):
            if key := self._strong(kind, word):
                return key
        named = self._by_name({fold(word)}, course)
        return named.pop() if len(named) == 1 else None


def _pieces(text: str) -> Iterator[str]:
    """The whole text, then what stands between the words and signs of a title."""
    yield clean(text)
    yield from (clean(piece) for piece in _BETWEEN.split(text) if clean(piece))
