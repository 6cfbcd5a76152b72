"""`coursette sql`: a teacher's own SQL in her own terminal, where her notes are tables to join.

The server never opens private/notes.db for SQL: its connections are shared, and whoever may write SQL there would read
the notes. Here the process is hers alone. Notes are matched to people of this file as on the student's page
(loaders/noted.py) and lie in the memory of this connection only; nothing is written to any file but one line to the
record of look-ups.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from loaders import accounts, answers, functions, issuing, look_ups, noted, notes
from loaders.errors import Unreadable
from loaders.statements import ask

# Table -> what it has besides person_id and course_id, which join it to everything else: columns of private/notes.db.
TABLES = {
    "my_notes": ("notes", ("text", "written_utc", "changed_utc")),
    "my_nudges": ("nudges", ("nudged_utc", "has_time", "how", "about")),
    "my_marks": ("marks", ("about", "marked_utc")),
}
NO_ANSWER = "this is no question: begin with select or with"


@contextmanager
def asked(db: Path, private: Path | None, sql: str) -> Iterator[tuple[list[str], sqlite3.Cursor]]:
    """(columns, rows) of a statement. Raises Unreadable with a sentence, sqlite3.Error where the SQL is wrong."""
    if not db.exists():
        raise Unreadable(f"there is no {db} yet: make it with `coursette load FILES`, or name another with --db")
    folder = accounts.private_folder([db], private)
    with closing(sqlite3.connect(f"{db.resolve().as_uri()}?mode=ro", uri=True)) as conn:
        conn.execute("pragma temp_store = memory")
        functions.register(conn)
        attach(conn, notes.file(folder))
        conn.execute("pragma query_only = on")
        rows = conn.execute(sql)
        if rows.description is None:
            raise Unreadable(NO_ANSWER)
        record(folder, db)
        yield [column[0] for column in rows.description], rows


def attach(conn: sqlite3.Connection, path: Path) -> None:
    """Give this connection the tables of TABLES; empty where nothing is written yet."""
    for table, (_, columns) in TABLES.items():
        conn.execute(f"create temp table {table} (person_id, course_id, {', '.join(columns)})")
    if not path.exists():
        return
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as kept:
        for course in answers.courses(conn):
            for who in noted.everybody(conn, course):
                for row in noted.same(kept, who):
                    _copy(conn, kept, row["id"], who, course["id"])
    conn.commit()


def _copy(conn: sqlite3.Connection, kept: sqlite3.Connection, student: int, who: dict, course: int) -> None:
    """What is written of one student in one course."""
    for table, (source, columns) in TABLES.items():
        found = ask(kept, f"select * from {source} where student_id = :student", student=student)
        values = [[who["person"], course, *map(row.get, columns)] for row in found if noted.in_course(row, who)]
        conn.executemany(f"insert into {table} values ({', '.join('?' * (2 + len(columns)))})", values)


def record(folder: Path, db: Path) -> None:
    """One line, as for SQL in the browser; what cannot be recorded is not shown."""
    row = {
        "time_utc": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "actor": issuing.owner_or(folder, None),
        "what": "SQL",
        "database": db.stem,
        "signed_in_by": "command line",
    }
    try:
        with closing(look_ups.opened(folder / f"{look_ups.NAME}.db")) as conn:
            look_ups.write(conn, [row])
    except (sqlite3.Error, OSError) as error:
        raise Unreadable(f"nothing is shown while look-ups cannot be recorded ({error})") from error
