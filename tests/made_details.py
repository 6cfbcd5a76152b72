"""A small course, and a teacher's own spreadsheet of its students."""

from __future__ import annotations

import json
import os
from pathlib import Path

import openpyxl
import pytest
from exports import (
    assigned,
    load,
    rows,
    viewed_course,
    viewed_page,
    write,
    write_log,
)  # fmt: skip

from loaders.detail_columns import Asked

LOG = [
    viewed_page("29/02/16, 10:30:00", 5),
    *(assigned(f"13/02/16, 09:00:0{place}", user) for place, user in enumerate((5, 18, 19, 20))),
    viewed_course("13/02/16, 07:00:00", 3),
]
ROSTER = [
    (5, "Zoë", "Müller", "zoe@x.example", "001012345"),
    (18, "Sam", "Lee", "sam1@x.example", "001012826"),
    (19, "Sam", "Lee", "sam2@x.example", "001012863"),
    (20, "Al", "& Co", "al@x.example", "001012900"),
]


def roster(folder: Path) -> Path:
    """As core_enrol_get_enrolled_users answers."""
    columns = ("id", "firstname", "lastname", "fullname", "email", "idnumber")
    people = [
        {**dict(zip(columns, (*row[:3], f"{row[1]} {row[2]}", *row[3:]), strict=True)), "groups": [],
         "roles": [{"roleid": 5, "shortname": "student"}], "enrolledcourses": [{"id": 2, "fullname": "ICT"}]}
        for row in ROSTER
    ]  # fmt: skip
    path = folder / "people.json"
    path.write_text(json.dumps(people), encoding="utf-8")
    os.utime(path, (1_500_000_000, 1_500_000_000))
    return path


@pytest.fixture
def course(tmp_path) -> list[Path]:
    return [write_log(tmp_path / "logs.csv", LOG), roster(tmp_path)]


def sheet(path: Path, *lines: list[str], day: int = 1) -> Path:
    write(path, list(lines), encoding="utf-8", delimiter=",")
    os.utime(path, (1_500_000_000 + 86_400 * day,) * 2)
    return path


def take(db, *paths: Path, **options):
    found = load(db, *paths, details=options.pop("asked", Asked()), **options)
    assert [one.error for one in found] == [None] * len(paths)
    return found


def said(db) -> dict[tuple[str, str], str]:
    """(e-mail, field) -> value."""
    sql = "select email, field, value from person_details d join people p on p.id = d.person_id order by d.id"
    return {(email.partition("@")[0], field): value for email, field, value in rows(db, sql)}


def waiting(db) -> list[tuple[int, str]]:
    return rows(db, "select line, reason from unmatched where kind = 'details: row' order by line")


def workbook(path: Path, *lines: list) -> Path:
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append(line)
    book.save(path)
    return path
