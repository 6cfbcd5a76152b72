"""Finding what a teacher remembers a word or two of: in what is found, all the words stand.

Case and accents do not matter, and the beginning of a word is enough. This module knows the words and the people;
posts are in finding_posts.py, what stands on the course page in finding_activities.py.
"""

from __future__ import annotations

import sqlite3
import unicodedata
from functools import lru_cache

from loaders.names import fold
from loaders.statements import FOLDER

SEARCHED = ("fullname", "email", "idnumber", "username")
MOST, MOST_WORDS = 200, 12  # characters and words that are looked for
BRACKETS = {ord(char): " " for char in "<>"}  # what is between them is a word too, and no tag to leave out


def asked(text: str) -> str:
    """What was typed, without what no keyboard types, and no longer than anybody remembers."""
    return "".join(char for char in text[: 10 * MOST] if char.isprintable() or char.isspace()).strip()[:MOST]


def words(text: str) -> list[str]:
    """The words to look for, as `stand_in` compares them."""
    return list(dict.fromkeys(plain(asked(text)).split()))[:MOST_WORDS]


def stand_in(wanted: list[str], *texts: str | None) -> bool:
    """Whether each word is somewhere in these texts."""
    text = " ".join(plain(text) for text in texts if text)
    return bool(wanted) and all(word in text for word in wanted)


def people(conn: sqlite3.Connection, typed: str) -> list[dict]:
    """Rows of answers/find.sql in which each of the words stands: in name, e-mail, id number or user name.

    A Moodle id is found only as a whole. No words find nobody.
    """
    wanted = words(typed)
    cursor = conn.execute((FOLDER / "find.sql").read_text(encoding="utf-8"))
    columns = [column[0] for column in cursor.description]
    rows = (dict(zip(columns, row, strict=True)) for row in cursor) if wanted else ()
    return [row for row in rows if _has(row, wanted)]


def is_named(typed: str, row: dict) -> bool:
    """Whether this person is called so: by two words of the name, or by all of an address or id."""
    wanted = words(typed)
    names = plain(row["fullname"] or "").split()
    whole = [plain(str(row[key])) for key in ("email", "idnumber", "username", "moodle_id") if row[key]]
    return (len(set(wanted)) > 1 and set(wanted) <= set(names)) or " ".join(wanted) in [*whole, " ".join(names)]


def nameless(conn: sqlite3.Connection, course: dict, name: str) -> int | None:
    """Our key of the one person of a course with this name whose Moodle id no file has told; None for several."""
    rows = conn.execute(_WITHOUT_ID, (course["id"],)).fetchall()
    found = [key for key, fullname in rows if fullname and fold(fullname) == fold(name)]
    return found[0] if len(found) == 1 else None


_WITHOUT_ID = """
select people.id, people.fullname
from enrolments
join people on people.id = enrolments.person_id
where enrolments.course_id = ? and people.moodle_id is null
"""


@lru_cache(maxsize=50_000)
def plain(text: str) -> str:
    """Folded, and without accents: whoever has no ü on the keyboard finds Zoë Müller too."""
    apart = unicodedata.normalize("NFD", fold(text.translate(BRACKETS)))
    return "".join(char for char in apart if not unicodedata.combining(char))


def _has(row: dict, wanted: list[str]) -> bool:
    return stand_in(wanted, *(row[key] for key in SEARCHED)) or wanted == [str(row["moodle_id"])]
