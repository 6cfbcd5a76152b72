"""Running the statements of answers/, one file each, and short ones that stand in the code."""

from __future__ import annotations

import sqlite3
from functools import lru_cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "answers"


def rows(conn: sqlite3.Connection, name: str, **parameters: Any) -> list[dict]:
    """What the statement in answers/NAME.sql finds, as dicts."""
    return ask(conn, _statement(name), **parameters)


def ask(conn: sqlite3.Connection, sql: str, **parameters: Any) -> list[dict]:
    """What a statement finds, as dicts."""
    cursor = conn.execute(sql, parameters)
    columns = [column[0] for column in cursor.description]
    return [dict(zip(columns, row, strict=True)) for row in cursor]


def first(found: list[dict]) -> dict | None:
    """The first row, or None."""
    return found[0] if found else None


@lru_cache
def _statement(name: str) -> str:
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
