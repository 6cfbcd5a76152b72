"""The view `people_wide`: one row per person in a course, with a column for every field of `person_details`.

Fields come out of files: they may hold quotes, be called like a column that is there, or differ in case only.
"""

from __future__ import annotations

import re
import sqlite3

VIEW = "people_wide"
BASE = ("course_id", "person_id", "fullname", "email", "role", "groups")
MOST = 150  # columns: a page of 120 takes 0.1 s for 500 people, one of 450 longer than Datasette waits
# What sorts as a number; a leading zero or a plus means something, and so do more digits than SQLite counts with.
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?")
_SELECT = """create view people_wide as
select
    enrolments.course_id,
    enrolments.person_id,
    people.fullname,
    people.email,
    enrolments.role,
    (
        select group_concat(groups.name, ', ')
        from groups join group_members on group_members.group_id = groups.id
        where groups.course_id = enrolments.course_id and group_members.person_id = people.id and groups.field is null
    ) as groups{columns}
from enrolments
join people on people.id = enrolments.person_id"""
_COLUMN = """,
    (select {value} from person_details where person_id = people.id and field = {field}) as {name}"""


def fields(connection: sqlite3.Connection) -> list[str]:
    """The fields there are, in the order of the files' columns."""
    return [
        field for (field,) in connection.execute("select field from person_details group by field order by min(id)")
    ]


def columns(fields: list[str]) -> dict[str, str]:
    """Name of the view's column -> field; `left_out` tells how many have no column."""
    found: dict[str, str] = {}
    taken = set(BASE)
    for field in _possible(fields)[:MOST]:
        # Datasette writes names between brackets, which SQLite cannot escape; a spreadsheet runs what begins so.
        plain = name = field.translate(str.maketrans("[]", "()")).lstrip("=+-@\t\r\n ") or "field"
        number = 1
        while name.lower() in taken:
            number += 1
            name = f"{plain} ({number})"
        taken.add(name.lower())
        found[name] = field
    return found


def left_out(fields: list[str]) -> int:
    """How many fields are more than the view can have."""
    return max(0, len(_possible(fields)) - MOST)


def _possible(fields: list[str]) -> list[str]:
    return [field for field in fields if "\0" not in field]  # which no statement can hold


def save_view(connection: sqlite3.Connection) -> None:
    """Make the view anew where the fields are not those it has."""
    numbers = _numbers(connection)
    made = "".join(
        _COLUMN.format(
            value="cast(value as numeric)" if field in numbers else "value", field=_text(field), name=_name(name)
        )
        for name, field in columns(fields(connection)).items()
    )
    statement = _SELECT.replace("{columns}", made)
    row = connection.execute("select sql from sqlite_master where name = ?", (VIEW,)).fetchone()
    if row is None or row[0].partition(VIEW)[2] != statement.partition(VIEW)[2]:
        connection.execute(f"drop view if exists {VIEW}")
        connection.execute(statement)


def _numbers(connection: sqlite3.Connection) -> set[str]:
    """Fields of nothing but numbers, which are to sort as such."""
    found: dict[str, bool] = {}
    for field, value in connection.execute("select field, value from person_details"):
        found[field] = found.get(field, True) and _NUMBER.fullmatch(value) is not None
    return {field for field, all_numbers in found.items() if all_numbers}


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _name(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'
