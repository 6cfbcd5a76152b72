"""Which student a row of a list of blogs means. Never a guess: what does not fit one person says why."""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator

from loaders.names import clean, fold
from loaders.people import Key, People
from loaders.person_details import ANOTHER, APART, NOBODY, SEVERAL, Finder, names
from loaders.places import Options, normal_url

# What stands between a name and the rest of a blog's title: "Blog for Sam Lee (w1012493)", "Sam Lee's blog"
_BETWEEN = re.compile(r"['’]s\b|\s[-–—|/:]+\s|:\s|[()|]|\b(?:by|of|for|von|de|di|par)\b", re.I)
TITLE = "no student is found in the words of this row: give the blog with `coursette blogs add --student WHO URL`"
NO_WORDS = "nothing in this row says whose blog it is: add the student's email address or id number"
WORDS = {  # Finder's, in those of a list of blogs
    NOBODY: f"{NOBODY}: load the participants, or correct the list",
    ANOTHER: "somebody of this name is known, by another e-mail or id number: correct the row, or give the blog with"
    " `coursette blogs add --student WHO URL`",
}
BY_HAND = {  # Finder's, of what the teacher typed
    NOBODY: "nobody is called “{who}” yet, nor is it anybody's e-mail address, id number or user name",
    SEVERAL: "several people are called “{who}”: take this back, and give the e-mail address of one of them",
}
_SURE = ("moodle_id", "email", "idnumber", "username")
PEOPLE = """
select id, moodle_id, email, idnumber, username, fullname
from people
where (?1 is null or site_id in (select id from sites where url = ?1))
    and (?2 is null or id in (
        select person_id from enrolments join courses on courses.id = course_id where courses.moodle_id = ?2
    ))
order by email, idnumber, moodle_id
"""
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
            if not ref and claim.get("by_hand"):
                return None, self._why_not(words[0], course), False
            if not ref:
                return None, APART if found else TITLE, False
        if not ref:
            return None, NO_WORDS, False
        person, why, zeros = self.finder.find(ref, course)
        return person, WORDS.get(why, why), zeros

    def _why_not(self, who: str, course: int | None) -> str:
        """Why what the teacher typed is nobody."""
        why = self.finder.find({"any": who}, course)[1]
        return BY_HAND.get(why, why or APART).format(who=who)

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


def called(connection: sqlite3.Connection, who: str, options: Options) -> dict[int, str]:
    """Own key -> what to name them by, of everybody whom the teacher may mean: by sure marks, else by name."""
    rows = connection.execute(PEOPLE, (normal_url(options.site) if options.site else None, options.course)).fetchall()
    wanted = {fold(who)}
    sure = [row for row in rows if wanted & {fold(str(mark)) for mark in row[1:5] if mark}]
    found = sure or [row for row in rows if fold(row[5]) in names({"fullname": clean(who)})]
    return {row[0]: next((str(mark) for mark in (*row[2:5], row[1]) if mark), "no e-mail known") for row in found}


def _pieces(text: str) -> Iterator[str]:
    """The whole text, then what stands between the words and signs of a title."""
    yield clean(text)
    yield from (piece for part in _BETWEEN.split(text) if (piece := clean(part)))
