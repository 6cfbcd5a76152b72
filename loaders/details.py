"""The teacher's own spreadsheet: whatever columns it has, about people whom Moodle's files tell of.

    Student no,Name,GPA,Campus
    1012345,"Müller, Zoë",5.5,Toowoomba

A row only joins: it makes no person, no enrolment and no name of anybody.
"""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from loaders import detail_columns
from loaders.detail_columns import Asked, Layout
from loaders.errors import Unreadable
from loaders.names import clean, fold
from loaders.reading import Reading

if TYPE_CHECKING:
    from loaders.tables import Sheet

KIND = "details"
OWN = "if it is your own list of students, `coursette details FILE` takes it"
FORMULAS = (
    "“{}” holds formulas without a result, which were left out ({:,}, the first on line {}): open the file in your"
    " spreadsheet program, save it there, and take it again"
)
EMPTY = "this spreadsheet has no rows: the first line holds the headings, and each line below it a student"
PLACES = 6  # of a number that a program has worked out: 5.099999905 is 5.1
_FLOAT = re.compile(rf"-?\d+\.\d{{{PLACES + 1},}}")
_MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d) 00:00:00")


def read(sheet: Sheet, asked: Asked, known: dict[str, set[str]]) -> Reading:
    """A `fields` claim with the columns in their order, then a `row` claim for each row that says something."""
    found = detail_columns.layout(sheet, asked, known)
    who = " and ".join(f"“{clean(sheet.header[column])}”" for column in sorted(found.keys.values()))
    notes = [f"people are told apart by {who}; taken: {', '.join(found.fields.values())}"]
    reading = Reading(KIND, (), notes=notes)
    reading.claims = _claims(sheet, found, notes)
    return reading


def _claims(sheet: Sheet, found: Layout, notes: list[str]) -> Iterator[dict]:
    """A cell whose formula has no stored result says nothing: what an older spreadsheet said of it stays."""
    yield {"noun": "fields", "fields": list(found.fields.values())}
    formulas: dict[int, list[int]] = defaultdict(list)  # column -> lines
    for line, row in sheet.rows():
        unsolved = {place for place, text in enumerate(row) if unsolved_formula(text, sheet.format)}
        for column in unsolved & {*found.fields, *found.keys.values()}:
            formulas[column].append(line)
        row = ["" if place in unsolved else text for place, text in enumerate(row)]
        about = person(found, row)
        said = {
            name: cell(row[column], sheet.format) for column, name in found.fields.items() if column not in unsolved
        }
        if about or any(said.values()):
            yield {"noun": "row", "line": line, "about": about, "details": said}
    for column, lines in sorted(formulas.items()):
        notes.append(FORMULAS.format(clean(sheet.header[column]), len(lines), lines[0]))


def unsolved_formula(text: str, made_by: str) -> bool:
    """Whether a cell came as its formula, `=D3*2`: the program that wrote the workbook left no result in it."""
    return made_by in ("xlsx", "ods") and text.startswith("=")


def person(found: Layout, row: list[str]) -> dict:
    """Whom a row is about: what it gives, nothing for what is empty."""
    said = {what: clean(row[column]) for what, column in found.keys.items()}
    for what in ("idnumber", "moodle_id", "any"):
        if what in said:  # a program that takes them for numbers writes 1012345.0
            said[what] = re.sub(r"^(\d+)\.0+$", r"\1", said[what])
    moodle_id = said.pop("moodle_id", "")
    if re.fullmatch(r"[1-9]\d{0,17}", moodle_id):
        said["moodle_id"] = int(moodle_id)
    return {what: value for what, value in said.items() if value}


def cell(text: str, made_by: str) -> str:
    """A cell as people write it; workbooks keep numbers with all their places, and days with an hour."""
    text = clean(text)
    if made_by not in ("xlsx", "ods"):
        return text
    if _FLOAT.fullmatch(text):
        return f"{float(text):.{PLACES}f}".rstrip("0").rstrip(".")
    return _MIDNIGHT.sub(r"\1", text) if _MIDNIGHT.fullmatch(text) else text


def known(connection: sqlite3.Connection, site_id: int) -> dict[str, set[str]]:
    """Folded values that stand for somebody on the site, by what they are."""
    columns = ("email", "idnumber", "username", "fullname")
    rows = connection.execute(f"select {', '.join(columns)} from people where site_id = ?", (site_id,)).fetchall()
    there = {what: {fold(row[place]) for row in rows if row[place]} for place, what in enumerate(columns)}
    there["idnumber"] |= {number.lstrip("0") for number in there["idnumber"]} - {""}
    return there


def in_own_words(error: Unreadable) -> Unreadable:
    """What is wrong with the file, with the remedy for one that did not come out of Moodle."""
    what, _, remedy = str(error).partition(": ")
    if "is empty" in what:
        return Unreadable(EMPTY)
    if "where the header has" in what:
        remedy = "every column needs a heading in the first line, with no title above it"
    elif "download" in remedy:
        remedy = "save it again as .xlsx or .csv"
    return Unreadable(f"{what}: {remedy}" if remedy else what, error.line)


def looks_like(sheet: Sheet) -> bool:
    """Whether a table that is no Moodle download may be a list of students: it says who, and something of them."""
    keys = detail_columns.by_heading(sheet.header)
    return bool(keys) and len(sheet.header) > len(keys)
