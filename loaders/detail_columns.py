"""Which columns of a teacher's own spreadsheet say who a row is about, and which say something of them.

Words in headers come first (`Student no`, `Surname, First name`, Moodle's own in many languages), then what is in
the columns: the one most of whose values are e-mail addresses, id numbers or names that are known.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from loaders import headings
from loaders.errors import Unreadable
from loaders.names import clean, fold

if TYPE_CHECKING:
    from loaders.tables import Sheet

SAMPLE_ROWS = 2_000
LONGEST_NAME = 200  # letters of a field's name
STRONG = frozenset(("moodle_id", "email", "idnumber", "username"))
# What institutions call them, beside Moodle's own words in headings.py; compared without spaces and punctuation.
_WORDS = {
    "moodle_id": "Moodle id|Moodle user id|User id",
    "idnumber": "Student number|Student no|Student nr|Student num|Student ID|Student ID number|SID|University ID"
    "|Institution ID|Candidate number|Registration number|Enrolment number|Roll number|Roll no|Matriculation number"
    "|Matrikelnummer|Matrikelnr|Matr.-Nr.|Matricola|Numéro étudiant|Numéro d'étudiant|Studentnummer|Studienummer"
    "|Studentnr|Número de estudiante|Número de aluno|Opiskelijanumero|学籍番号",
    "email": "Mail|Mail address|E-mail address|Student email|University email|Institutional email|Student mail",
    "username": "User name|Login|Login name|Login id|Network id",
    "firstname": "Given name|Given names|First names|Forename|Forenames|First",
    "lastname": "Family name|Last names|Surnames|Last",
    "fullname": "Name|Full name|Student name|Name of student|User full name|Display name|Surname, First name"
    "|Last name, First name|Surname, Given name|Family name, Given name|Surname First name|First name Last name"
    "|Name, Vorname|Nachname, Vorname|Nom, Prénom|Nom et prénom|Nom complet|Nombre completo|Nome completo"
    "|Vollständiger Name|Volledige naam|Naam|Fullt navn|Fullständigt namn|Имя и фамилия|氏名|姓名",
    # It may hold names, numbers or addresses: each row is found by what is in it.
    "any": "Student|Learner|Pupil|Student*in|Studierende|Étudiant|Étudiante|Étudiant·e|Estudiante|Alumno|Studente|Aluno"
    "|Студент|学生",
}


def _squeezed(header: str) -> str:
    return re.sub(r"[\W_]+", "", fold(header))


_SQUEEZED = {what: frozenset(map(_squeezed, words.split("|"))) for what, words in _WORDS.items()}


@dataclass(frozen=True)
class Asked:
    """What the teacher said of the columns: headers, or several in one text with commas."""

    key: str | None = None
    only: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()

    def reading(self) -> dict:
        """As JSON that tells one way of reading a file from another."""
        return {"key": self.key or "", "only": list(self.only), "leave_out": list(self.leave_out)}


@dataclass
class Layout:
    """`keys`: what identifies (`email`, `fullname` ..., `any` where only values can tell) -> column; `fields`."""

    keys: dict[str, int] = field(default_factory=dict)
    fields: dict[int, str] = field(default_factory=dict)


def layout(sheet: Sheet, asked: Asked, known: dict[str, set[str]]) -> Layout:
    """The columns of this sheet. `known`: folded values of the people there are, by what they identify.

    Raises Unreadable where no column tells who is who, or a column that was named is not there.
    """
    sample = [row for _, row in islice(sheet.rows(), SAMPLE_ROWS)]
    if asked.key:
        column = named(sheet.header, asked.key)
        what = _said(sheet.header[column]) or "any"
        keys = {"fullname" if what in ("firstname", "lastname") else what: column}
    else:
        keys = by_heading(sheet.header) or by_content(sheet.header, sample, known)
    if not keys:
        raise Unreadable(
            "no column tells who each row is about: name the one with e-mail addresses, id numbers or names with"
            f" --key; the headings in the first line are {_listed(sheet.header)}"
        )
    return Layout(keys, fields(sheet.header, sample, set(keys.values()), asked))


def _said(header: str) -> str | None:
    """What a header says its column identifies people by."""
    for what in ("moodle_id", "email", "idnumber", "username", "firstname", "lastname", "fullname", "any"):
        moodles = what in headings.WORDS and headings.says(header, what)
        if moodles or _squeezed(header) in _SQUEEZED[what]:
            return what
    return None


def by_heading(header: list[str]) -> dict[str, int]:
    """The columns that identify, by their headers: of several of one kind the first; both names or neither."""
    found: dict[str, int] = {}
    for column, text in enumerate(header):
        if what := _said(text) if clean(text) else None:
            found.setdefault(what, column)
    if "firstname" in found and "lastname" not in found:
        _settle_names(header, found)
    both = {"firstname", "lastname"}
    return found if both <= found.keys() else {what: column for what, column in found.items() if what not in both}


def _settle_names(header: list[str], found: dict[str, int]) -> None:
    """Some languages have a word that is a first name here and a last name there: Nom | Prénom, Vorname | Name."""
    one = found["firstname"]
    others = [column for column, text in enumerate(header) if column != one and headings.says(text, "firstname")]
    if others and headings.says(header[one], "lastname"):
        found["firstname"], found["lastname"] = others[0], one
    elif others and headings.says(header[others[0]], "lastname"):
        found["lastname"] = others[0]
    elif "fullname" in found:
        found["lastname"] = found.pop("fullname")


def by_content(header: list[str], sample: list[list[str]], known: dict[str, set[str]]) -> dict[str, int]:
    """The one column most of whose values are known to stand for somebody."""
    best: tuple[float, str, int] = (0.5, "", -1)
    for column in range(len(header)):
        values = [fold(row[column]) for row in sample if clean(row[column])]
        for what, there in known.items():
            share = sum(value in there for value in values) / max(1, len(values))
            if share > best[0]:
                best = (share, what, column)
    return {best[1]: best[2]} if best[1] else {}


def fields(header: list[str], sample: list[list[str]], keys: set[int], asked: Asked) -> dict[int, str]:
    """Column -> name of its field: all but those that identify, or those that were chosen."""
    chosen = all_named(header, asked.only) or [
        column
        for column, text in enumerate(header)
        if column not in keys and (clean(text) or any(clean(row[column]) for row in sample))
    ]
    left_out = set(all_named(header, asked.leave_out))
    times: Counter[str] = Counter()
    found = {}
    for column in sorted(set(chosen) - left_out):
        name = _printable(clean(header[column]))[:LONGEST_NAME] or f"Column {_letters(column)}"
        times[name] += 1
        found[column] = name if times[name] == 1 else f"{name} ({times[name]})"
    if not found:
        raise Unreadable(f"no column is left that says something of people: the columns are {_listed(header)}")
    return found


def all_named(header: list[str], given: tuple[str, ...]) -> list[int]:
    """The columns of several texts: `Campus,Mode` is two of them unless a header reads so."""
    there = {fold(text) for text in header}
    names = [name for text in given for name in ([text] if fold(text) in there else text.split(","))]
    return [named(header, name) for name in names if name.strip()]


def named(header: list[str], name: str) -> int:
    """The column with this header."""
    found = [column for column, text in enumerate(header) if fold(text) == fold(name)]
    if not found:
        raise Unreadable(f"there is no column “{name}”: the columns are {_listed(header)}")
    return found[0]


def _listed(header: list[str]) -> str:
    names = [clean(text) for text in header if clean(text)]
    more = f" and {len(names) - 30} more" if len(names) > 30 else ""
    return ", ".join(names[:30]) + more


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())


def _letters(column: int) -> str:
    """0 -> A, 26 -> AA: as spreadsheets name their columns."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
