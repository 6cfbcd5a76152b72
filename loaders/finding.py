"""Finding people by what a teacher remembers of them."""

from __future__ import annotations

import sqlite3
import unicodedata

from loaders.names import fold
from loaders.statements import FOLDER

SEARCHED = ("fullname", "email", "idnumber", "username")


def people(conn: sqlite3.Connection, words: str) -> list[dict]:
    """Rows of answers/find.sql in which each of the words stands: in name, e-mail, id number or user name.

    Case does not matter. A Moodle id is found only as a whole. No words find nobody.
    """
    wanted = _plain(words).split()
    cursor = conn.execute((FOLDER / "find.sql").read_text(encoding="utf-8"))
    columns = [column[0] for column in cursor.description]
    rows = (dict(zip(columns, row, strict=True)) for row in cursor) if wanted else ()
    return [row for row in rows if _has(row, wanted)]


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


def _plain(text: str) -> str:
    """Folded, and without accents: whoever has no ü on the keyboard finds Zoë Müller too."""
    apart = unicodedata.normalize("NFD", fold(text))
    return "".join(char for char in apart if not unicodedata.combining(char))


def _has(row: dict, wanted: list[str]) -> bool:
    text = " ".join(_plain(row[key]) for key in SEARCHED if row[key])
    return all(word in text for word in wanted) or wanted == [str(row["moodle_id"])]
