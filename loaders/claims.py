"""What files said, kept as said: stored at load, read back whole at every settling.

Tables about people, activities and results are worked out anew from all claims at the end of each load, so
they come out the same whatever the order of files. (Events are the exception: their ids are certain.)
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

# Of two files that disagree and are equally new, the one whose source knows better wins.
RANK = {
    "details": 7,
    "people": 6,
    "participants page": 5,
    "course structure": 5,
    "course backup": 5,
    "course": 5,
    "participants": 4,
}


@dataclass(eq=False)
class Load:
    """One loaded file, as settling sees it."""

    id: int
    kind: str
    site_id: int
    course_moodle_id: int | None  # certain: given by --course or by the file itself
    course_id: int | None  # certain or found
    newest: tuple[str, str, int]  # content's newest time, file's date, rank: the later tuple wins
    modified_utc: str
    claims: list[dict] = field(default_factory=list)

    def of(self, *nouns: str) -> Iterator[dict]:
        """This load's claims of these nouns."""
        return (claim for claim in self.claims if claim["noun"] in nouns)


def store(connection: sqlite3.Connection, load_id: int, claims: Iterable[dict]) -> int:
    """Keep claims of one load; returns how many."""
    before = connection.total_changes
    connection.executemany(
        "insert into claims (load_id, noun, line, claim, answer_key) values (?, ?, ?, ?, ?)",
        (
            (
                load_id,
                claim["noun"],
                claim.get("line"),
                json.dumps(plain(claim), ensure_ascii=False, sort_keys=True),
                claim.get("answer"),
            )
            for claim in claims
        ),
    )
    return connection.total_changes - before


def plain(claim: dict) -> dict:
    """A claim without the key of the answer it is from."""
    return {key: value for key, value in claim.items() if key != "answer"}


def read_loads(connection: sqlite3.Connection) -> list[Load]:
    """Every load that was taken, with its claims, oldest content first."""
    loads = {
        row[0]: Load(
            id=row[0], kind=row[1], site_id=row[2], course_moodle_id=row[3], course_id=row[4],
            newest=(row[5] or "", row[6] or "", RANK.get(row[1], 0)), modified_utc=row[6] or "",
        )
        for row in connection.execute(
            "select id, kind, site_id, course_option, course_id, newest_utc, modified_utc from loads"
            " where error is null and site_id is not null"
        )
    }  # fmt: skip
    for load_id, claim in connection.execute("select load_id, claim from claims order by id"):
        if load_id in loads:
            loads[load_id].claims.append(json.loads(claim))
    return sorted(loads.values(), key=lambda load: load.newest)


class Newest:
    """Of several words on one thing, the newest; ties go to the better source, then to the text."""

    def __init__(self):
        self.best: dict = {}

    def say(self, key, load: Load, value) -> None:
        if value in (None, ""):
            return
        word = (load.newest, json.dumps(value, ensure_ascii=False, sort_keys=True), value)
        if key not in self.best or word[:2] > self.best[key][:2]:
            self.best[key] = word

    def get(self, key, default=None):
        return self.best[key][2] if key in self.best else default


def sync(connection: sqlite3.Connection, table: str, keys: tuple[str, ...], rows: dict[tuple, dict],
         where: str = "1", values: tuple = ()) -> None:  # fmt: skip
    """Make `table` (its rows `where`) hold exactly `rows`, by natural key; rows that stay keep their id.

    Of several rows with one natural key the oldest stays.
    """
    columns = list(next(iter(rows.values()))) if rows else []
    names = ", ".join(["id", *keys, *columns])
    have, gone = {}, []
    for row in connection.execute(f"select {names} from {table} where {where} order by id", values):
        key = tuple(row[1 : 1 + len(keys)])
        if key in rows and key not in have:
            have[key] = (row[0], tuple(row[1 + len(keys) :]))
        else:
            gone.append((row[0],))
    connection.executemany(f"delete from {table} where id = ?", gone)
    new = [(*key, *row.values()) for key, row in rows.items() if key not in have]
    marks = ", ".join("?" * (len(keys) + len(columns)))
    connection.executemany(f"insert into {table} ({', '.join([*keys, *columns])}) values ({marks})", new)
    changed = [
        (*row.values(), have[key][0])
        for key, row in rows.items()
        if key in have and have[key][1] != tuple(row.values())
    ]
    if changed:
        sets = ", ".join(f"{column} = ?" for column in columns)
        connection.executemany(f"update {table} set {sets} where id = ?", changed)
