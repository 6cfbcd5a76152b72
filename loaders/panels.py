"""A teacher's own questions as panels of the student page: what they are asked, and what of the answer is shown."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from datasette.app import Datasette

from loaders import charts, placing
from loaders.placing import Answer

MOST_ROWS = 200  # that a panel shows; its question has all
MOST_CHARACTERS = 2000  # of a cell
MOST_IN_TAB = 20  # characters of a value
IDS = {"person", "course", "site", "cmid", "moodle_id"}  # for machines: in JSON, and on no page
NO_AMOUNTS = {"week", "year"}


async def asked(datasette: Datasette, actor: dict | None, database: str, course: dict, person: dict) -> list[Answer]:
    """The answers of all questions with `show: student`, for this person; none for whom they are not."""
    return await placing.answers(datasette, actor, database, "student", partial(given, course, person))


def given(course: dict, person: dict, params: Collection[str]) -> placing.Given:
    """What a question with these parameters is asked: about this person, so it has `person`, our key."""
    return {name: value for name, value in _ids(course, person).items() if name in params}


def _ids(course: dict, person: dict) -> dict[str, str]:
    ids = {"course": course["moodle_id"], "site": course["site"]}
    ids |= {"person": person["person"], "student": person["moodle_id"]}
    return {name: "" if value is None else str(value) for name, value in ids.items()}


def panel(found: Answer) -> dict[str, Any]:
    """`name`, `title`, `description`, `columns`, `rows` (dicts), `truncated`, `error` (a sentence or None)."""
    return {
        "name": found.name,
        "title": found.title,
        "description": found.description,
        "columns": list(found.columns),
        "rows": [dict(zip(found.columns, map(_plain, row), strict=True)) for row in found.rows[:MOST_ROWS]],
        "truncated": found.is_cut or len(found.rows) > MOST_ROWS,
        "error": found.error or None,
    }


async def drawn(datasette: Datasette, database: str, course: dict, person: dict, found: Answer) -> dict[str, Any]:
    """A panel as the page shows it: what `panel` says, and

    `note` (its sentence where it has but that), `heads` ({column, kind} of those shown), `cells` (rows of {column,
    kind, value}), `short` (what its tab says), `figure` (its chart or None), `href` (the question itself, asked the
    same, or None).
    """
    shown = panel(found)
    names = seen(shown["columns"], shown["rows"])
    cells = [[_cell(name, row[name]) for name in names] for row in shown["rows"]]
    rows = [list(row.values()) for row in shown["rows"]]

    def address(page: str) -> str:
        return datasette.urls.path(f"{page}&db={quote(database)}")  # of several files, the one that answered

    return {
        **shown,
        "note": found.note,
        "heads": [_head(column) for column in zip(*cells, strict=True)],
        "cells": cells,
        "short": short(shown, names),
        "figure": await charts.figure(found.chart, found.columns, rows, shown["truncated"], address),
        "href": address_of(datasette, database, found, given(course, person, found.params)) if found.params else None,
    }


def address_of(datasette: Datasette, database: str, found: Answer, ids: dict[str, str]) -> str:
    """The page of the question, asked the same."""
    return f"{datasette.urls.query(database, found.name)}?{urlencode(ids)}"


def seen(columns: Sequence[str], rows: Sequence[dict]) -> list[str]:
    """The columns that a reader is shown: those with something in them, and no ids unless there is nothing else."""
    filled = [name for name in dict.fromkeys(columns) if any(row[name] not in (None, "") for row in rows)]
    return [name for name in filled if name not in IDS] or filled


def short(shown: dict[str, Any], names: Sequence[str]) -> str:
    """What a panel's tab says of it: the one value where there is but one, else how many rows."""
    rows = shown["rows"]
    if shown["error"] or not rows:
        return "not answered" if shown["error"] else "nothing"
    if len(rows) == 1 and rows[0].get("note"):
        return "no answer"
    if len(rows) == 1 and len(names) == 1:
        value = _cell(names[0], rows[0][names[0]])
        if value["kind"] != "time" and len(value["value"]) <= MOST_IN_TAB:
            return value["value"]
    return f"{len(rows):,}{'+' if shown['truncated'] else ''} row{'s' if len(rows) != 1 else ''}"


def _plain(value: Any) -> Any:
    """A cell that JSON and a page can hold."""
    if isinstance(value, bytes):
        return f"({len(value):,} bytes)"
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str) and len(value) > MOST_CHARACTERS:
        return value[:MOST_CHARACTERS] + "…"
    return value


def _cell(column: str, value: Any) -> dict[str, Any]:
    """`column`, `kind` (time: in UTC, number, text) and `value`, a text."""
    if isinstance(value, int | float):
        exact = str(value) if column in NO_AMOUNTS else f"{value:,.2f}".rstrip("0").rstrip(".")
        return {"column": column, "kind": "number", "value": exact}
    text = value or ""
    if column.endswith("_utc") and _is_time(text):
        return {"column": column, "kind": "time", "value": text}
    return {"column": column, "kind": "text", "value": text.replace("T", " ") if column.endswith("_local") else text}


def _head(cells: Sequence[dict]) -> dict[str, str]:
    """A column, and of which kind the first of its cells is that has something in it."""
    return next(({"column": cell["column"], "kind": cell["kind"]} for cell in cells if cell["value"]), cells[0])


def _is_time(text: str) -> bool:
    """Whether it is a time that pages can say in words."""
    try:
        return text.endswith("Z") and 1970 <= datetime.fromisoformat(text).year <= 2100
    except ValueError:
        return False
