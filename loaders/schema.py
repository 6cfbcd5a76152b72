"""Opening moodle.db, and its shape. The tables themselves are in schema.sql."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import sqlite_utils

from loaders import rollups, wide
from loaders.errors import Unreadable
from loaders.private_files import owners_only

HERE = Path(__file__).parent

VERSION = 9  # of the tables; raise it with every change to schema.sql

# Full-text search: table -> columns, kept up to date by triggers.
SEARCHED = {
    "people": ["fullname", "email", "idnumber"],
    "forum_posts": ["title", "text"],
    "blog_posts": ["title", "text"],
}

OBSOLETE = ("blog_posts_person", "events_person")  # indexes that earlier versions had, or had otherwise

# Secondary indexes of events: dropped and built anew when a first, large log comes in (sorted building is
# several times faster than 1,000,000 random insertions, and the result is smaller).
EVENT_INDEXES = ("events_line_key", "events_person", "events_activity", "events_time")


def open_database(path: str | Path, to_fill: bool = False) -> sqlite_utils.Database:
    """Open `path` for writing, with every table there. Raises sqlite3.DatabaseError if it is no database.

    `to_fill`: for a loader, which calls `settle_in` when it is done.
    """
    new = not Path(path).exists()
    if new:
        if not Path(path).parent.exists():
            raise Unreadable(f"there is no folder {Path(path).parent}: make it first, or name another file with --db")
        owners_only(Path(path))
    connection = sqlite3.connect(path, timeout=60, isolation_level=None)
    # A file that nobody can be reading yet needs no write-ahead log: its first, large load is written once
    # instead of twice. `settle_in` makes the switch; from then on readers never meet a locked database.
    connection.execute(f"pragma journal_mode = {'truncate' if new and to_fill else 'wal'}")
    connection.execute("pragma synchronous = normal")
    connection.execute("pragma cache_size = -64000")
    connection.execute("pragma temp_store = file")
    db = sqlite_utils.Database(connection)
    ensure_shape(db)
    return db


def settle_in(connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging, so that Datasette reads while a loader writes."""
    connection.execute("pragma journal_mode = wal")


def open_existing(path: str | Path) -> sqlite_utils.Database:
    """Open a database that must be there. Raises Unreadable with the remedy if it is not."""
    if not Path(path).exists():
        raise Unreadable(f"there is no {path} yet: make it with `coursette load FILES`, or name another with --db")
    return open_database(path)


def bring_up_to_date(path: Path) -> None:
    """Give a file that an earlier Coursette made what it lacks, if we may write it; anybody else's is left alone."""
    with closing(sqlite3.connect(path)) as connection:
        (version,) = connection.execute("pragma user_version").fetchone()
    if 0 < version < VERSION and os.access(path, os.W_OK):
        with suppress(sqlite3.OperationalError):  # a loader is at work: it does the same
            open_database(path).conn.close()


def ensure_shape(db: sqlite_utils.Database) -> None:
    """Make what is missing of tables, columns, indexes and full-text search. Safe to run twice.

    Raises Unreadable for a database that a newer Coursette made.
    """
    version = db.conn.execute("pragma user_version").fetchone()[0]
    if version > VERSION:
        raise Unreadable("a newer Coursette made this database: install that version, or name another with --db")
    if version == VERSION:
        return
    with db.atomic():
        for index in OBSOLETE:
            db.conn.execute(f"drop index if exists {index}")
        for table in rollups.TABLES:  # made from the others, so made anew rather than changed
            db.conn.execute(f"drop table if exists {table}")
        _add_columns(db)
        for statement in statements():
            db.conn.execute(statement)
        for table, columns in SEARCHED.items():
            db[table].enable_fts(columns, create_triggers=True, replace=True)
            _index_only_words(db, table, columns)
        wide.save_view(db.conn)
        rollups.build_all(db.conn)
        db.conn.execute(f"pragma user_version = {VERSION}")


def _index_only_words(db: sqlite_utils.Database, table: str, columns: list[str]) -> None:
    """Let an update that touches none of the searched columns leave the index alone: 40 times faster for posts."""
    name = f"{table}_au"
    (trigger,) = db.conn.execute(
        "select sql from sqlite_master where type = 'trigger' and name = ?", (name,)
    ).fetchone()
    db.conn.execute(f"drop trigger {name}")
    db.conn.execute(trigger.replace("AFTER UPDATE ON", f"AFTER UPDATE OF {', '.join(columns)} ON"))


def _add_columns(db: sqlite_utils.Database) -> None:
    """Add the columns that tables of an older version lack."""
    wanted = sqlite_utils.Database(memory=True)
    for statement in statements():
        wanted.conn.execute(statement)
    for table in wanted.table_names():
        if db[table].exists():
            have = db[table].columns_dict
            for column in wanted[table].columns:
                if column.name not in have:
                    definition = " ".join(filter(None, (column.name, column.type, _default(column))))
                    db.conn.execute(f"alter table {table} add column {definition}")


def _default(column) -> str:
    return f"not null default {column.default_value}" if column.notnull and column.default_value else ""


def statements() -> list[str]:
    """The statements of schema.sql, without its comments."""
    text = (HERE / "schema.sql").read_text(encoding="utf-8")
    plain = "\n".join(line.partition("--")[0].rstrip() for line in text.splitlines())
    return [statement.strip() for statement in plain.split(";") if statement.strip()]


def index_statements() -> dict[str, str]:
    """The `create index` statement of every index of events, by name, as schema.sql has them."""
    return {name: s for s in statements() for name in EVENT_INDEXES if f" {name} on events" in s}
