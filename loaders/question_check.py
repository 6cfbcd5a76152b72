"""What a teacher's own question would do: asked with nothing filled in, on a connection that can only read.

Errors of SQLite get the line in the question's file (question_errors.py), and its plan is looked at: a question that
walks through the whole log keeps everybody waiting.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from loaders import functions, guard, question_errors, question_sql, small_counts
from loaders.question_files import Problem, Question
from loaders.question_header import Wrong

TIME_LIMIT_MS = 1000  # of Datasette, where its settings say nothing else
MOST_ROWS = 10_000  # of settings.json: more are left out on the page
LARGEST_CELL = 10_000_000  # bytes; longer than any post
STEPS = 2000  # of SQLite's machine between looks at the clock
SLOW_MS = 200
LOG = "events"
ROLES = ("x", "y", "value", "series", "from", "to", "weight")
SOMEBODY = "select person_id || '' from enrolments where role = 'student' order by course_id, person_id limit 1"
NEEDED = {"activity": ("cmid", "number"), "student": ()}
DOINGS = {
    sqlite3.SQLITE_ATTACH: "ATTACH",
    sqlite3.SQLITE_DETACH: "DETACH",
    sqlite3.SQLITE_PRAGMA: "PRAGMA",
    sqlite3.SQLITE_INSERT: "INSERT",
    sqlite3.SQLITE_UPDATE: "UPDATE",
    sqlite3.SQLITE_DELETE: "DELETE",
}


@dataclass(frozen=True)
class Check:
    """What a question does: its `columns`, how many `rows` (`is_cut`: there are more), in how many `ms`, its `plan`
    as SQLite says it, `remarks` on what could be better, whether it `walks_log` from end to end; and the `problem`
    that makes it no answer at all.
    """

    columns: tuple[str, ...] = ()
    rows: int = 0
    is_cut: bool = False
    ms: float = 0.0
    plan: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    walks_log: bool = False
    problem: Problem | None = None

    @property
    def is_good(self) -> bool:
        return self.problem is None


@contextmanager
def opened(db: Path) -> Iterator[sqlite3.Connection]:
    """A connection for `check`: it cannot write, and ends with the block."""
    conn = sqlite3.connect(f"file:{quote(str(db))}?mode=ro", uri=True)
    try:
        conn.execute("pragma query_only = on")
        functions.register(conn)
        guard.guard(conn)
        yield conn
    finally:
        conn.close()


def check(conn: sqlite3.Connection, question: Question, time_limit_ms: float = TIME_LIMIT_MS) -> Check:
    """Ask a question with empty parameters. The connection is one of `opened`, and good for further checks."""
    known = question_errors.Known.of(conn)
    refused: list[str] = []
    limit = conn.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_CELL)
    conn.set_authorizer(partial(_verdict, refused))
    try:
        given = _given(conn, question)
        plan = _plan(conn, question, given)
        walked = _walked(conn, question, given, known.roots)
        return replace(_asked(conn, question, given, time_limit_ms, walked), plan=plan)
    except Wrong as wrong:
        return Check(problem=Problem(question.path, wrong.sentence, wrong.line))
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        wrong = question_errors.explained(conn, question, known, error, refused)
        return Check(problem=Problem(question.path, wrong.sentence, wrong.line))
    finally:
        guard.guard(conn)
        conn.set_progress_handler(None, 0)
        conn.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, limit)


def check_all(db: Path, questions: Iterable[Question], limit_ms: float, budget_ms: float) -> dict[str, Check]:
    """{name: check} of as many questions as can be tried in the time."""
    found, end = {}, time.perf_counter() + budget_ms / 1000
    with opened(db) as conn:
        for question in questions:
            left_ms = 1000 * (end - time.perf_counter())
            if left_ms <= limit_ms and found:
                break
            found[question.name] = check(conn, question, limit_ms)
    return found


def _verdict(refused: list[str], *asked: Any) -> int:
    """What guard.py says, and what it refuses as a word of the question."""
    verdict = guard.verdict(*asked)
    if verdict != guard.ALLOWED:
        action, one, other, *_ = asked
        refused.append(DOINGS.get(action) or (other if action == sqlite3.SQLITE_FUNCTION else one) or "this")
    return verdict


def _plan(conn: sqlite3.Connection, question: Question, given: dict) -> tuple[str, ...]:
    """The steps of SQLite's plan, those inside others indented."""
    depth, found = {0: -1}, []
    for key, parent, _, words in conn.execute(f"explain query plan {question.sql}", given):
        depth[key] = depth.get(parent, -1) + 1
        found.append("  " * depth[key] + words)
    return tuple(found)


def _walked(conn: sqlite3.Connection, question: Question, given: dict, roots: dict[int, str]) -> set[str]:
    """The tables that are read from one end to the other: a plan names them only by the words of the question."""
    cursors, found = {}, set()
    for _, code, one, other, third, *_ in conn.execute(f"explain {question.sql}", given):
        if code == "OpenRead" and third == 0:
            cursors[one] = roots.get(other, "")
        elif code in ("Rewind", "Last") and one in cursors:
            found.add(cursors[one])
        elif code in ("OpenEphemeral", "OpenAutoindex", "OpenPseudo", "SorterOpen"):
            cursors.pop(one, None)
    return found


def _asked(conn: sqlite3.Connection, question: Question, given: dict, limit_ms: float, walked: set[str]) -> Check:
    """What comes of it; raises Wrong where that takes too long, or a column is not there that the head names."""
    start = time.perf_counter()
    conn.set_progress_handler(lambda: time.perf_counter() - start > limit_ms / 1000, STEPS)
    try:
        cursor = conn.execute(question.sql, given)
        columns = tuple(column[0] for column in cursor.description)
        rows = sum(1 for _, _ in zip(range(MOST_ROWS + 1), cursor, strict=False))
    except sqlite3.OperationalError as error:
        if str(error) != "interrupted":
            raise
        raise Wrong(_too_slow(limit_ms, walked), question.line) from error
    ms = 1000 * (time.perf_counter() - start)
    _columns_there(question, columns)
    remarks = tuple(_remarks(question, rows, ms, walked))
    return Check(columns, min(rows, MOST_ROWS), rows > MOST_ROWS, ms, remarks=remarks, walks_log=LOG in walked)


def _given(conn: sqlite3.Connection, question: Question) -> dict[str, str]:
    """Nothing filled in; a panel of the student page gets a student."""
    given = dict.fromkeys(question.params, "")
    if question.show == "student" and (somebody := conn.execute(SOMEBODY).fetchone()):
        given["person"] = somebody[0]
    return given


def _too_slow(limit_ms: float, walked: set[str]) -> str:
    remedy = "read from a table `usage_...` in place of `events`" if LOG in walked else "join fewer rows"
    return f"it was stopped after {limit_ms / 1000:g} seconds, as its page would be: {remedy}"


def _columns_there(question: Question, columns: tuple[str, ...]) -> None:
    """Raises Wrong where the head names a column that the answer does not have, or that what it shows needs."""
    at = question.lines
    for role in ROLES:
        column = (question.chart or {}).get(role)
        if column and column not in columns:
            line = at.get(f"chart.{role}", at.get("chart", 1))
            raise Wrong(f"the chart's {role} “{column}” is no column of the answer{_like(column, columns)}", line)
    rule = small_counts.rule(question.aggregate)
    for column in sorted(rule.columns() - set(columns)) if rule else ():
        raise Wrong(f"“{column}” of “aggregate” is no column of the answer{_like(column, columns)}", at["aggregate"])
    for column in NEEDED.get(question.show, ()):
        if column not in columns:
            raise Wrong(f"with “show: {question.show}” the answer needs a column “{column}”", at["show"])


def _like(column: str, columns: tuple[str, ...]) -> str:
    return question_errors.near(column, columns) or f": it has {', '.join(columns)}"


def _remarks(question: Question, rows: int, ms: float, walked: set[str]) -> Iterator[str]:
    if LOG in walked:
        line = question_errors.line_of_word(question, LOG)
        yield f"line {line}: it walks through the whole log (`events`): a table `usage_...` answers at once"
    if ms > SLOW_MS:
        yield f"it takes {ms:.0f} ms, and everybody who asks waits"
    if rows > MOST_ROWS:
        yield f"its page shows the first {MOST_ROWS:,} rows"
    if not rows:
        yield "it finds nothing while nothing is filled in"
    if "course" not in question.params:
        yield "it asks for no course, so it is listed on the first page only: read `from the_course`"
    if rows > 1 and question_sql.is_in_any_order(question.text):
        yield "its rows come in any order: end with `order by`"
