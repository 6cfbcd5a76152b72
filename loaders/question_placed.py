"""One of Coursette's own questions put where a teacher looks: on the student page, or as a number on Moodle's pages.

Its SQL stays as it is, with its last select as a step `whole_answer`: from that the rows about one student, or one
number for each activity, are taken.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from textwrap import indent
from typing import Any

from loaders import question_files, question_new, question_sql, steps
from loaders.errors import Unreadable

NEEDED = {"student": "person", "activity": "cmid"}  # a column that says whom or what a row is about
# What the student page says already, and what says it to machines.
LEFT_OUT = {"fullname", "email", "groups", "status", "role", "note", "person", "moodle_id", "course", "cmid", "label"}


def copy_of(conn: sqlite3.Connection, name: str, model: Mapping[str, Any], show: str, number: str | None = None) -> str:
    """The text of a file that shows a question of metadata.yml there; `number` is its column for Moodle's pages.

    Raises Unreadable where the question has no rows about students or activities, or no such column.
    """
    query = steps.questions(model).get(name)
    if not query:
        raise Unreadable(f"“{name}” is no question of Coursette's own: in yours, write `show: {show}` into its head")
    columns = _columns(conn, query)
    if NEEDED[show] not in columns:
        raise Unreadable(f"“{name}” has no rows about {'students' if show == 'student' else 'activities'}")
    sql = answered(model["queries"][name]["sql"])
    if show == "activity":
        return _head(query, show, query["params"]) + _of_activities(sql, _number(number, columns), columns)
    params = [each for each in query["params"] if each != "person"]
    return _head(query, show, [*params[:1], "person", *params[1:]]) + _of_student(sql, columns)


def answered(sql: str) -> str:
    """A statement as `with ... whole_answer as (its last select)`, to select from."""
    sql = sql.strip().rstrip(";").rstrip()
    depth = 0
    for _, text, offset in question_sql.tokens(sql):
        depth += {"(": 1, ")": -1}.get(text, 0)
        if text.lower() == "select" and not depth:
            before = f"{sql[:offset].rstrip()},\n" if offset else "with "
            return f"{before}whole_answer as (\n{indent(sql[offset:], '  ')}\n)\n"
    raise Unreadable("there is no select in it")


def _columns(conn: sqlite3.Connection, query: Mapping[str, Any]) -> list[str]:
    statement = f"select * from ({query['sql'].strip().rstrip(';')}\n) limit 0"
    return [column for column, *_ in conn.execute(statement, dict.fromkeys(query["params"], "")).description]


def _head(query: Mapping[str, Any], show: str, params: Sequence[str]) -> str:
    return question_new.head({**query, "params": params, "show": show, "chart": None, "aggregate": None})


def _of_student(sql: str, columns: Sequence[str]) -> str:
    shown = [name for name in columns if name not in LEFT_OUT and _local(name) not in columns]
    note = ",\n  note" if "note" in columns else ""
    kept = " or note is not null and person is null" if note else ""
    listed = ",\n  ".join(map(_quoted, shown))
    return f"{sql}select\n  {listed}{note}\nfrom whole_answer\nwhere person = cast(:person as integer){kept}\n"


def _quoted(column: str) -> str:
    """In quotes where SQL has a meaning of its own for the word."""
    return f'"{column}"' if column in ("group", "index", "order", "from", "to") else column


def _local(column: str) -> str:
    """The same time in course time, for one in UTC."""
    return column.removesuffix("_utc") + "_local" if column.endswith("_utc") else ""


def _of_activities(sql: str, number: str, columns: Sequence[str]) -> str:
    words = number.replace("_pct", " %").replace("_", " ")
    note = ", note" if "note" in columns else ""
    return f"{sql}select cmid, {_quoted(number)} as number, '{words}' as words{note}\nfrom whole_answer\n"


def _number(number: str | None, columns: Sequence[str]) -> str:
    """The column of the number; raises Unreadable with all there are."""
    offered = [name for name in columns if name not in LEFT_OUT and not name.endswith(("_utc", "_local"))]
    if number in offered:
        return number
    like = question_files.near(number or "", offered)
    raise Unreadable(
        f"say which of its columns is the number, as in --number students{like}; it has {', '.join(offered)}"
    )
