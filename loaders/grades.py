"""The grade export: everybody's grades, as text or spreadsheet, without ids of users, items or activities.

    "First name","Last name","ID number",...,"Quiz: Week 2 quiz: ICT basics (Real)","Course total (Real)",
        "Last downloaded from this course"
    Nathaniel,Barker,001014713,...,-,213.20,1795343200

The last column is when the file was made. Before it come the grade items, each with the kind of its activity
in front and the way it is shown behind, once for each way. Source: Moodle, Grades, Export.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from loaders import headings
from loaders.errors import Unreadable
from loaders.gradeitems import Column, columns_of, is_item
from loaders.identity import Identity
from loaders.names import clean, fold
from loaders.reading import Reading
from loaders.times import epoch_utc

if TYPE_CHECKING:
    from loaders.tables import Sheet
    from loaders.times import Clock

KIND = REPORT = "grades"
_DAY_S = 86_400
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:E[+-]?\d+)?", re.IGNORECASE)
_COMMA_NUMBER = re.compile(r"-?\d+,\d+")
# What German or French Excel makes of 12.10: "12. Okt", "oct-12".
_MANGLED = re.compile(r"\d{1,2}[. -]{1,2}[^\W\d]{3,5}\.?|[^\W\d]{3,5}\.?[ -]\d{2,4}")
_COMMAS = "a spreadsheet program has written the grades with decimal commas: 7,5 was read as 7.5"


def recognise(sheet: Sheet) -> bool:
    """The last column is when the file was made, in Unix time; before it, headers that end in brackets."""
    header = sheet.header
    if len(header) < 3 or not is_item(header[-2]):
        return False
    times = [_unix_time(row[-1].strip()) for _, row in islice(sheet.rows(), 50)]
    if not times:
        return fold(header[-1]) == "last downloaded from this course"
    return None not in times and max(times) - min(times) < _DAY_S


def _unix_time(text: str) -> int | None:
    """`1795343200`, and `1795343200.0` out of a spreadsheet."""
    found = re.fullmatch(r"(\d{9,10})(?:\.0+)?", text)
    return int(found[1]) if found else None


def read(sheet: Sheet, clock: Clock) -> Reading:
    """A `grade_items` claim, then a `person` and a `grade` claim per row; a cell is text, or None."""
    columns = columns_of(sheet)
    names = next((at for at in range(columns[0].at) if headings.name_columns(sheet.header, at)), 0)
    name_columns = headings.name_columns(sheet.header, names)
    if name_columns is None and columns[0].at > 1:
        name_columns = (0, 1)
    suspended = next((at for at in range(columns[0].at) if headings.says(sheet.header[at], "suspended")), None)
    fields = [at for at in range(columns[0].at) if at not in (*(name_columns or ()), suspended)]
    identity = Identity(sheet, fields, names=name_columns)
    reading = Reading(KIND, (), notes=list(identity.notes))
    reading.claims = _claims(sheet, columns, identity, suspended, reading)
    return reading


def _claims(
    sheet: Sheet, columns: list[Column], identity: Identity, suspended: int | None, reading: Reading
) -> Iterator[dict]:
    yield {"noun": "grade_items", "items": [column.item() for column in columns]}
    said: Counter[str] = Counter()
    newest = 0
    for line, row in sheet.rows():
        newest = max(newest, _unix_time(row[-1].strip()) or 0)
        reading.newest_utc = epoch_utc(newest) if newest else None
        if not (person := identity.person(row)):
            continue
        claim = {"noun": "person", "line": line, "person": person, "in_course": True, "report": REPORT}
        if suspended is not None:
            claim["inactive"] = bool(row[suspended].strip())
            said["inactive"] += claim["inactive"]
        details = identity.other(row)
        yield claim | ({"details": details} if details else {})
        cells = [_cell(row[column.at], column, line, said) for column in columns]
        yield {"noun": "grade", "line": line, "person": person, "cells": cells}
    reading.notes.extend(_notes(said))


def _notes(said: Counter[str]) -> list[str]:
    notes = [_COMMAS] if said["commas"] else []
    if said["inactive"]:
        notes.append(
            f"{said['inactive']} people are marked as suspended, which Moodle says of ended enrolments too:"
            " the saved participants page tells which is which"
        )
    return notes


def _cell(text: str, column: Column, line: int, said: Counter[str]) -> str | None:
    """A grade as text: numbers with a point and without zeros at the end, percentages without their sign."""
    text = clean(text)
    if text in ("", "-"):
        return None
    if column.display not in ("real", "percentage"):
        return text
    number = text.removesuffix("%").strip() if column.display == "percentage" else text
    if _COMMA_NUMBER.fullmatch(number):
        said["commas"] += 1
        number = number.replace(",", ".")
    if _NUMBER.fullmatch(number):
        return f"{float(number):.5f}".rstrip("0").rstrip(".")
    if column.numeric and _MANGLED.fullmatch(text):
        raise Unreadable(
            f"a spreadsheet program has turned a grade of “{column.name}” into the date “{text}”: download"
            " the grades again and load them unopened",
            line,
        )
    return text
