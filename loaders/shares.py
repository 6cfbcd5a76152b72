"""Questions that a teacher shares with colleagues: private/shares.db. Who may open which, with what, and until when.

A file of its own, readable by its owner only and never served. It holds no answers: those are worked out anew each time
(sharing.py), and hidden where they are about few (small_counts.py). Times are UTC text. Nothing here knows Datasette.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from loaders.private_files import owners_only
from loaders.statements import ask

NAME = "shares"
SHAPE = Path(__file__).with_name("shares.sql")
VERSION = 2  # of the shape
OURS = 0x53484152  # "SHAR", in the file's head (application_id): known by any name, and as a copy
BUSY_S = 10.0
KEY_BYTES = 20
# What a reader may choose herself; weeks are chosen one at a time (see sharing.py).
FREE = ("course", "group", "section", "from_week", "to_week")
WEEKS = {"from_week", "to_week"}
TWICE = (
    "{who} can open this question already: two answers that differ a little can be subtracted from each other. Revoke "
    "that one first."
)


class Refused(Exception):
    """This cannot be shared so; the message is a sentence for the teacher."""


# ---- The file ----


def file(folder: Path) -> Path:
    """Where the shares are, in the private folder."""
    return folder / f"{NAME}.db"


def use(path: Path, question: Callable, *args: Any, **kwargs: Any) -> Any:
    """What a function of this module answers, as one transaction on a connection of its own. Not on an event loop."""
    with closing(opened(path)) as conn:
        conn.execute("begin immediate")
        try:
            answer = question(conn, *args, **kwargs)
        except BaseException:
            conn.execute("rollback")
            raise
        conn.execute("commit")
        return answer


def opened(path: Path) -> sqlite3.Connection:
    """The shares in this file, made if need be: readable by its owner only."""
    owners_only(path)
    conn = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    try:
        if conn.execute("pragma user_version").fetchone()[0] < VERSION:
            conn.execute("pragma journal_mode = wal")
            conn.executescript(f"begin immediate; {SHAPE.read_text(encoding='utf-8')}")
            if "fingerprint" not in {name for _, name, *_ in conn.execute("pragma table_info(shares)")}:
                conn.execute("alter table shares add column fingerprint text not null default ''")
            conn.execute(f"pragma application_id = {OURS}")
            conn.execute(f"pragma user_version = {VERSION}")
            conn.execute("commit")
    except BaseException:
        conn.close()
        raise
    return conn


def is_shares(path: Path) -> bool:
    """Whether a file holds such shares, whatever it is called."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as conn:
            return conn.execute("pragma application_id").fetchone()[0] == OURS
    except sqlite3.Error:
        return False


# ---- Reading ----


def made_by(conn: sqlite3.Connection, maker: str | None, now: datetime | None = None) -> list[dict]:
    """What this account shares (None: what anybody does), newest first: its columns, `counts` (whether it can still be
    opened), and `readers`, rows of account, opened, opened_utc."""
    rows = ask(conn, "select * from shares where :maker is null or maker = :maker order by id desc", maker=maker)
    return [{**_share(row, now), "readers": _readers(conn, row["id"])} for row in rows]


def shared_with(conn: sqlite3.Connection, account: str, now: datetime | None = None) -> list[dict]:
    """What this account may open now, newest first; its columns."""
    sql = "select shares.* from readers join shares on shares.id = share_id where account = :account order by id desc"
    rows = [_share(row, now) for row in ask(conn, sql, account=account)]
    return [row for row in rows if row["counts"]]


def find(conn: sqlite3.Connection, key: str, account: str, now: datetime | None = None) -> dict | None:
    """The share with this key, if this account may open it now, or made it: None is all that others learn."""
    rows = [_share(row, now) for row in ask(conn, "select * from shares where key = :key", key=key)]
    for row in rows:
        mine = account in [reader["account"] for reader in _readers(conn, row["id"])]
        if row["counts"] and (mine or row["maker"] == account):
            return row
    return None


def _share(row: dict, now: datetime | None) -> dict:
    today = (now or datetime.now(UTC)).astimezone(UTC).date().isoformat()
    counts = row["revoked_utc"] is None and (row["until"] is None or today <= row["until"])
    return {**row, "parameters": json.loads(row["parameters"]), "free": json.loads(row["free"]), "counts": counts}


def _readers(conn: sqlite3.Connection, share: int) -> list[dict]:
    return ask(conn, "select account, opened, opened_utc from readers where share_id = :id order by account", id=share)


# ---- Writing ----


def add(
    conn: sqlite3.Connection,
    maker: str,
    question: Mapping[str, str],
    parameters: Mapping[str, str],
    free: Sequence[str],
    readers: Sequence[str],
    until: str = "",
    now: datetime | None = None,
) -> str:
    """Share a `question` (database, query, title, fingerprint); the key of the share. Raises Refused with a sentence.

    Who has one answer to a question may not have another with other parameters: see TWICE.
    """
    if not readers:
        raise Refused("Say who may see it.")
    last = _last_day(until, now)
    for account in readers:
        if any(_can_subtract(row, question, parameters, free) for row in shared_with(conn, account, now)):
            raise Refused(TWICE.format(who=account))
    row = {
        **{name: question.get(name, "") for name in ("database", "query", "title", "fingerprint")},
        "key": secrets.token_hex(KEY_BYTES),
        "parameters": json.dumps(dict(parameters)),
        "free": json.dumps([name for name in free if name in FREE]),
        "maker": maker,
        "made_utc": _utc(now),
        "until": last,
    }
    sql = f"insert into shares ({', '.join(row)}) values ({', '.join('?' * len(row))})"
    share = conn.execute(sql, list(row.values())).lastrowid
    conn.executemany("insert into readers (share_id, account) values (?, ?)", [(share, name) for name in set(readers)])
    return row["key"]


def revoke(conn: sqlite3.Connection, key: str, maker: str | None, now: datetime | None = None) -> None:
    """End a share of this account (None: of anybody) at once. One that is not theirs stays as it is."""
    sql = "update shares set revoked_utc = ?1 where key = ?2 and revoked_utc is null and (?3 is null or maker = ?3)"
    conn.execute(sql, (_utc(now), key, maker))


def forget_account(folder: Path, name: str) -> None:
    """End what this account shares, and let it open nothing: one of the same name may be somebody else's."""
    if file(folder).exists():
        use(file(folder), _forget_account, name)


def _forget_account(conn: sqlite3.Connection, name: str) -> None:
    conn.execute("update shares set revoked_utc = ? where maker = ? and revoked_utc is null", (_utc(None), name))
    conn.execute("delete from readers where account = ?", (name,))


def count(conn: sqlite3.Connection, share: int, account: str, now: datetime | None = None) -> None:
    """Add an opening by this account; by the maker none counts."""
    sql = "update readers set opened = opened + 1, opened_utc = ? where share_id = ? and account = ?"
    conn.execute(sql, (_utc(now), share, account))


def _can_subtract(row: Mapping, question: Mapping, parameters: Mapping, free: Sequence[str]) -> bool:
    """Whether a share answers the same question of the same course."""
    if (row["database"], row["query"]) != (question["database"], question["query"]):
        return False
    courses = {row["parameters"].get("course"), parameters.get("course")}
    return "course" in {*free, *row["free"]} or len(courses - {None, ""}) < 2


def _last_day(text: str, now: datetime | None) -> str | None:
    """The day as text, or None for none. Raises Refused."""
    if not text.strip():
        return None
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise Refused("That is no day: write it as 2026-03-31.") from None
    if day < (now or datetime.now(UTC)).astimezone(UTC).date():
        raise Refused("That day is over: nobody could open it.")
    return day.isoformat()


def _utc(moment: datetime | None) -> str:
    return (moment or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
