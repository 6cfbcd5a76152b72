"""Which student a row of a list of blogs means. Never a guess: what does not fit one person says why."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from loaders.names import clean
from loaders.people import Key, People
from loaders.person_details import ANOTHER, APART, NOBODY, Finder

# What stands between a name and the rest of a blog's title: "Blog for Sam Lee (w1012493)", "Sam Lee's blog"
_BETWEEN = re.compile(r"['’]s\b|\s[-–—|/:]+\s|:\s|[()|]|\b(?:by|of|for|von|de|di|par)\b", re.I)
TITLE = "no student is found in the words of this row: give the blog with `coursette blogs add --student WHO URL`"
NO_WORDS = "nothing in this row says whose blog it is: add the student's email address or id number"
WORDS = {  # Finder's, in those of a list of blogs
    NOBODY: f"{NOBODY}: load the participants, or correct the list",
    ANOTHER: "somebody of this name is known, by another e-mail or id number: correct the row, or give the blog with"
    " `coursette blogs add --student WHO URL`",
}
_SURE = ("moodle_id", "email", "idnumber", "username")
MOST, DIFFERENT = 0.5, 0.9  # shares of a column's cells that are people's, and of those that are different people's


class Students:
    """The people of one site, to be found by what a list of blogs says of them."""

    def __init__(self, people: People, own: dict[Key, int]):
        self.finder = Finder(people, own)

    def find(self, claim: dict, course: int | None, columns: list[str]) -> tuple[int | None, str | None, bool]:
        """(own key, None, whether only without leading zeros) or (None, why not, False): by the row's own columns, else
        by its words.
        """
        ref = claim["student"]
        cells = claim.get("cells", {})
        words = claim.get("candidates") or [cells[column] for column in columns if column in cells]
        if words and not any(ref.get(key) for key in _SURE):
            found = {key for word in words for piece in _pieces(word) if (key := self._by_word(piece, course))}
            if len(found) == 1:
                return found.pop(), None, False
            if not ref:
                return None, APART if found else TITLE, False
        if not ref:
            return None, NO_WORDS, False
        person, why, zeros = self.finder.find(ref, course)
        return person, WORDS.get(why, why), zeros

    def telling_columns(self, rows: list[dict[str, str]]) -> list[str]:
        """The columns, without a heading that is known, most of whose values are those of different known people."""
        values: dict[str, list[str]] = defaultdict(list)
        for row in rows:
            for header, text in row.items():
                values[header].append(text)
        telling = []
        for header, texts in values.items():
            found = [key for text in texts if (key := self._by_word(text, None))]
            if len(found) > MOST * len(texts) and len(set(found)) > DIFFERENT * len(found):
                telling.append(header)
        return telling

    def _by_word(self, word: str, course: int | None) -> int | None:
        """The one person whose email, id number, user name or full name this is; a number is never Moodle's id."""
        return self.finder.find({"idnumber" if word.isdecimal() else "any": word}, course)[0]


def _pieces(text: str) -> Iterator[str]:
    """The whole text, then what stands between the words and signs of a title."""
    yield clean(text)
    yield from (piece for part in _BETWEEN.split(text) if (piece := clean(part)))
