"""The columns of a sheet that say who a row is about."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

from loaders import headings
from loaders.names import clean

if TYPE_CHECKING:
    from loaders.tables import Sheet

EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_SAMPLE_ROWS = 200
NO_ZEROS = (
    "a spreadsheet program has saved this file and may have taken the leading zeros off its id numbers:"
    " they were not used"
)


class Identity:
    """Reads the person out of each row of a sheet.

    `columns` are those that hold identity fields (email, id number, username, phone ...); the email column is
    known by its content, whatever its header. `names` are the columns of first and last name, `full` that of
    the full name. `notes` says what was left out.
    """

    def __init__(
        self,
        sheet: Sheet,
        columns: Iterable[int],
        names: tuple[int, int] | None = None,
        full: int | None = None,
    ):
        self.names, self.full, self.notes = names, full, []
        self.details: dict[int, str] = {}
        self.keys: dict[str, int] = {}
        columns = list(columns)
        sample = [row for _, row in islice(sheet.rows(), _SAMPLE_ROWS)]
        email = email_column(sheet.header, columns, sample)
        for column in columns:
            header = sheet.header[column]
            key = next((key for key in ("idnumber", "username") if headings.says(header, key)), None)
            if column == email:
                self.keys["email"] = column
            elif key and key not in self.keys:
                self.keys[key] = column
            elif name := headings.detail_name(header) or clean(header):
                self.details[column] = name
        if "idnumber" in self.keys and zeros_lost(sheet, self.keys["idnumber"]):
            del self.keys["idnumber"]
            self.notes.append(NO_ZEROS)

    def person(self, row: list[str]) -> dict:
        """The row's `person_ref`: what the file gives, nothing for what is empty."""
        found = {key: clean(row[column]) for key, column in self.keys.items()}
        if self.full is not None:
            found["fullname"] = clean(row[self.full])
        if self.names is not None:
            found["firstname"], found["lastname"] = (clean(row[column]) for column in self.names)
        return {key: value for key, value in found.items() if value}

    def other(self, row: list[str]) -> dict[str, str]:
        """What else the row says of the person, by field name."""
        found = {name: clean(row[column]) for column, name in self.details.items()}
        return {name: value for name, value in found.items() if value}


def email_column(header: list[str], columns: list[int], sample: list[list[str]]) -> int | None:
    """The column of email addresses: by content, else by header."""
    for column in columns:
        filled = [cell for row in sample if (cell := clean(row[column]))]
        if filled and sum(EMAIL.fullmatch(cell) is not None for cell in filled) > 0.8 * len(filled):
            return column
    return next((column for column in columns if headings.says(header[column], "email")), None)


def zeros_lost(sheet: Sheet, column: int) -> bool:
    """Whether a re-saved sheet may have lost leading zeros: id numbers of digits, none with a zero."""
    filled = [cell for _, row in sheet.rows() if (cell := clean(row[column]))]
    if not sheet.resaved:  # which may come out while rows are read
        return False
    numbers = [cell for cell in filled if re.fullmatch(r"\d+|\d[.,]\d+E\+\d+", cell)]
    return bool(numbers) and not any(cell.startswith("0") for cell in numbers)
