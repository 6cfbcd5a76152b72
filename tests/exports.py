"""Small made-up Moodle exports, in the shapes that Moodle writes."""

from __future__ import annotations

import csv
import os
import re
import sqlite3
from pathlib import Path

from loaders.load import Loader, Outcome
from loaders.places import Options
from loaders.schema import open_database

LOG_HEADER = [
    "Time", "User full name", "Affected user", "Event context", "Component", "Event name", "Description",
    "Origin", "IP address",
]  # fmt: skip
COURSE = "Course: ICT and Pedagogy"
NAMES = {2: "Admin User", 3: "Marguerite Holloway", 5: "Zoë Müller", 18: "Sam Lee", 19: "Sam Lee", 20: "Al & Co"}


def name(user: int) -> str:
    return NAMES.get(user, f"Person {user}")


def viewed_course(time: str, user: int, course: int = 2, origin: str = "web") -> list[str]:
    text = f"The user with id '{user}' viewed the course with id '{course}'."
    return [time, name(user), "-", COURSE, "System", "Course viewed", text, origin, "10.0.0.1"]


def viewed_page(time: str, user: int, cmid: int = 7, title: str = "TPACK explained", shown: str | None = None):
    text = f"The user with id '{user}' viewed the 'page' activity with course module id '{cmid}'."
    return [time, shown or name(user), "-", f"Page: {title}", "Page", "Course module viewed", text, "web", "::1"]


def assigned(time: str, user: int, role: int = 5) -> list[str]:
    text = f"The user with id '2' assigned the role with id '{role}' to the user with id '{user}'."
    return [time, "Admin User", name(user), COURSE, "System", "Role assigned", text, "cli", ""]


def as_moodle(row: list[str]) -> str:
    """A line with the quotes PHP's fputcsv sets: also around cells with a space."""
    quoted = (f'"{cell.replace(chr(34), chr(34) * 2)}"' if re.search(r'[\s,"]', cell) else cell for cell in row)
    return ",".join(quoted) + "\n"


def write(path: Path, rows: list[list[str]], encoding: str = "utf-8-sig", **dialect) -> Path:
    with path.open("w", encoding=encoding, newline="") as out:
        if dialect:
            csv.writer(out, **{"lineterminator": "\n"} | dialect).writerows(rows)
        else:
            out.writelines(as_moodle(row) for row in rows)
    os.utime(path, (1_500_000_000, 1_500_000_000))
    return path


def write_log(path: Path, lines: list[list[str]]) -> Path:
    """A log, newest line first as given."""
    return write(path, [LOG_HEADER, *lines])


def write_participants(path: Path, people: list[tuple[str, str, str, str]]) -> Path:
    return write(path, [["First name", "Last name", "Email address", "Groups"], *map(list, people)])


def database(path: Path) -> sqlite3.Connection:
    return open_database(path / "moodle.db").conn


def load(connection: sqlite3.Connection, *paths: Path, **options) -> list[Outcome]:
    return list(Loader(connection, Options(**{"timezone": "UTC"} | options)).load(list(paths)))


def rows(connection: sqlite3.Connection, sql: str, *values) -> list[tuple]:
    return connection.execute(sql, values).fetchall()
