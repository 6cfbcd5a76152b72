"""Every look-up of a student is recorded: who, whom, when. It is in private/audit.db, which nobody serves.

Tables full of students and somebody's own SQL get a line too, which says no more than that.
"""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils import MultiParams, tilde_decode
from datasette.utils.asgi import Request

from loaders import web

# What counts as a look-up: the student page, lists of names, and in any database the profile query and a person's row.
LOOK_UPS = re.compile(
    r"/(-/(?P<page>student|access|people|find)|(?P<database>[^/]+)/((?P<query>student_profile)|(?P<table>people)/(?P<key>[^/.]+)))"
    r"(\.(?P<form>json|csv))?"
)
# Tables that say something of single students (and what searches them), whole, as one row, or by SQL.
TABLES = re.compile(
    r"/(?P<database>[^/.]+)/(?P<table>(people|forum_posts)(_fts\w*)?|enrolments|completions|grades|events)"
    r"(/(?P<key>[^/.]+))?(\.(?P<form>json|csv))?"
)
DATABASE = re.compile(r"/(?P<database>[^/.]+)(\.(?P<form>json|csv))?")
SHAPE = """
-- one row per look-up that was answered; student is empty for a list of everybody
create table if not exists look_ups (
    id integer primary key,
    time_utc text not null,
    actor text not null,      -- who looked
    what text not null,       -- student (page), student_profile (query), people (row; without a key the list of
                              -- names), access (list of names), SQL,
                              -- table people (or another: its rows, in whatever selection)
    form text,                -- json or csv; null: a page
    database text,
    site text,
    course text,              -- Moodle's id, as asked
    student text,             -- Moodle's id, as asked
    person text,              -- our own key, as asked
    about text                -- activity or part of a list, words of a search; key of a row elsewhere
)
"""


def look_up(datasette: Datasette, scope: dict) -> dict | None:
    """What this request would tell of whom, or None if it is about no student."""
    path, asked = web.path_of(datasette, scope), Request(scope, None).args
    if "~" in path:  # Datasette reads /moodle/~70eople as /moodle/people
        path = "/".join(map(tilde_decode, path.split("/")))
    match = LOOK_UPS.fullmatch(path)
    return about_one(match, asked) if match else about_many(path, asked)


def about_many(path: str, asked: MultiParams) -> dict | None:
    """The line for a table that tells of students, or for somebody's own SQL."""
    if match := TABLES.fullmatch(path):
        return line(f"table {match['table']}", match, about=match["key"])
    match = DATABASE.fullmatch(path)
    return line("SQL", match) if match and asked.get("sql") else None


def line(what: str, match: re.Match, **more: str | None) -> dict:
    """What every line has."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"time_utc": now, "what": what, "form": match["form"], "database": match["database"], **more}


def about_one(match: re.Match, asked: MultiParams) -> dict:
    """The line for a page, an answer or a row about one student, or for a list of names."""
    return {
        **line(match["page"] or match["query"] or match["table"], match),
        "database": match["database"] or asked.get("db"),
        "site": asked.get("site") or None,
        "course": asked.get("course") or None,
        "student": asked.get("user") or asked.get("student") or None,
        "person": match["key"] or asked.get("person") or None,
        "about": asked.get("activity") or asked.get("part") or asked.get("q") or None,
    }


class Record:
    """The open record; opening it for every look-up would cost more than the page."""

    def __init__(self, path: Callable[[], Path]):
        self.path = path
        self.lock = threading.Lock()
        self.db: sqlite3.Connection | None = None

    def add(self, row: dict) -> None:
        """Write one look-up; the file is made with the first, readable by its owner only."""
        names = ", ".join(row)
        values = ", ".join(f":{name}" for name in row)
        with self.lock:
            self.db = self.db or opened(self.path())
            with self.db:
                self.db.execute(f"insert into look_ups ({names}) values ({values})", row)


def opened(path: Path) -> sqlite3.Connection:
    """The record of look-ups in this file, made if need be."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    db = sqlite3.connect(path, timeout=10, check_same_thread=False)
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = normal")
    db.execute(SHAPE)
    return db


@hookimpl
def asgi_wrapper(datasette):
    record = Record(lambda: web.private(datasette) / "audit.db")

    def wrap(app):
        async def recorded(scope, receive, send):
            row = look_up(datasette, scope) if scope["type"] == "http" else None
            if row is None:
                await app(scope, receive, send)
                return

            async def send_after_recording(message):
                # Before the first byte of the answer: nothing is shown that is not on record.
                if message["type"] == "http.response.start" and message["status"] == 200:
                    actor = await web.actor_of(datasette, scope)
                    row["actor"] = str((actor or {}).get("id"))
                    await asyncio.to_thread(record.add, row)
                await send(message)

            await app(scope, receive, send_after_recording)

        return recorded

    return wrap
