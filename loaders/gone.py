"""What pages say of students who are not here because they asked: one sentence, and status 410."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from datasette.app import Datasette

from loaders import web
from loaders.errors import Unreadable
from loaders.forgotten import WORDS, Forgotten

SENTENCE = "This student {words}: nothing of them is kept here, and files that you load bring nothing of them in."
GONE = 410


def sentence(conn: sqlite3.Connection, course: dict, user: str, private: Path) -> str | None:
    """What to say of the Moodle id `user` in a course (a row of answers.course); None for anybody else.

    Without the key nobody can tell whom the hashes mean.
    """
    if not (user.isdecimal() and user.isascii() and len(user) <= 18):  # more is no id, and no number for SQLite
        return None
    try:
        hits = Forgotten(conn, course["site_id"], private).match("id", int(user), course["moodle_id"])
    except Unreadable:
        return None
    reasons = sorted({hit.reason for hit in hits}, reverse=True)  # who opted out again after a deletion has opted out
    return SENTENCE.format(words=WORDS[reasons[0]]) if reasons else None


async def refuse(datasette: Datasette, database: str, course: dict, user: str) -> None:
    """Raise web.Refusal, 410, where a request means somebody who was deleted on request or has opted out."""
    if said := await web.ask(datasette, database, sentence, course, user, web.private(datasette)):
        raise web.Refusal(said, GONE)
