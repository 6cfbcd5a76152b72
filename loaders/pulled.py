"""Pulled again: of each answer only the newest is kept, and what Moodle no longer has goes.

Every answer of a pull has a key (its function and parameters). A later pull of the same part of a course either
is all there is now, or lists the answers that are still good; whatever else older pulls said is deleted, in
any order of loading.
"""

from __future__ import annotations

import json
import sqlite3

from loaders.places import normal_url
from loaders.unload import take_back

SAME_PART = """
select loads.id, loads.answer_keys
from loads
join loads as new on new.site_id = loads.site_id and new.course_option = loads.course_option
    and new.part = loads.part
where new.id = ? and loads.error is null
order by loads.newest_utc desc, loads.id desc
"""
KNOWN = """
select answers.key, loads.newest_utc, answers.mark
from answers
join loads on loads.id = answers.load_id
join sites on sites.id = loads.site_id
where loads.part = ? and loads.course_option = ? and sites.url = ? and loads.error is null
"""


def note(connection: sqlite3.Connection, load_id: int, head: dict) -> None:
    """Write down which part a load is, and which answers were good then."""
    keys = None if head["keys"] is None else json.dumps(head["keys"])
    connection.execute("update loads set part = ?, answer_keys = ? where id = ?", (head["part"], keys, load_id))


def store(connection: sqlite3.Connection, load_id: int, answers: list[dict]) -> None:
    """Keep the keys of a load's answers, with their marks."""
    connection.executemany(
        "insert or ignore into answers (load_id, key, mark) values (?, ?, ?)",
        [(load_id, one["answer"], json.dumps(one["mark"]) if one["mark"] else None) for one in answers],
    )


def supersede(connection: sqlite3.Connection, load_id: int) -> None:
    """Drop what newer pulls of the same part replace, of this load and of all others; the caller settles."""
    newest, *older = connection.execute(SAME_PART, (load_id,)).fetchall()
    seen = _held(connection, newest[0])
    good = set(json.loads(newest[1])) if newest[1] else seen  # the newest knows which answers there are
    for load, _ in older:
        held = _held(connection, load)
        gone = (held & seen) | (held - good)
        _drop(connection, load, gone)
        seen |= held
        if gone == held:
            take_back(connection, load)
    connection.executemany("update loads set answer_keys = null where id = ?", [(load,) for load, _ in older])


def _held(connection: sqlite3.Connection, load_id: int) -> set[str]:
    return {key for (key,) in connection.execute("select key from answers where load_id = ?", (load_id,))}


def _drop(connection: sqlite3.Connection, load_id: int, keys: set[str]) -> None:
    pairs = [(load_id, key) for key in keys]
    connection.executemany("delete from claims where load_id = ? and answer_key = ?", pairs)
    connection.executemany("delete from answers where load_id = ? and key = ?", pairs)


def known(connection: sqlite3.Connection, site: str, course: int, part: str) -> dict[str, tuple[str, dict | None]]:
    """By key of every answer that is here: when it was fetched (UTC text), and its mark."""
    rows = connection.execute(KNOWN, (part, course, normal_url(site)))
    return {key: (when, json.loads(mark) if mark else None) for key, when, mark in rows}
