"""A teacher's own questions where she meets their answers: on a student's page, as numbers on a Moodle page.

A question says so by `show`. Plugins cannot import one another under the `datasette` command, so both find them here.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datasette.app import Datasette
from datasette.utils import sqlite_timelimit
from datasette.utils.sqlite import sqlite3

from loaders import own_questions, question_errors
from loaders.question_files import MOST_BYTES, Problem, Question

LOG = logging.getLogger(__name__)
LIMIT_MS = 500  # for each; they run together, and nobody waits for one that is slow
MOST_ROWS = 1000
SLOW = f"it was stopped after {LIMIT_MS} ms, as others wait for it: read a table `usage_...` in place of `events`"
FAILED = "it failed, and the window of the server says how"


Given = Mapping[str, str]  # {parameter: value}; all others are left empty


@dataclass(frozen=True)
class Answer:
    """What a question found, `rows` in the order of `columns`; `error` says in one sentence why nothing, else ''."""

    name: str
    file: str
    title: str
    description: str = ""
    params: Collection[str] = ()
    chart: Mapping[str, Any] | None = None
    columns: Sequence[str] = ()
    rows: Sequence[Sequence] = ()
    is_cut: bool = False
    error: str = ""

    @property
    def note(self) -> str:
        """The sentence of an answer that is nothing but one: a single row with `note`, as where no log is loaded."""
        said = dict(zip(self.columns, self.rows[0], strict=True)).get("note") if len(self.rows) == 1 else None
        return str(said) if said else ""


async def answers(
    datasette: Datasette, actor: dict | None, database: str, where: str, given: Callable[[Collection[str]], Given]
) -> list[Answer]:
    """What the questions with `show: WHERE` answer, by title, all asked together; a teacher's, for a teacher only.

    Those of a pack show nothing there until she has made them her own: a stranger wrote them, and scripts read Moodle's
    pages. `given(params)` says what a question with these parameters is asked. Whatever is wrong with one is the
    sentence of its answer.
    """
    if not own_questions.is_teacher(actor):
        return []
    questions, problems = own_questions.found_of(datasette, database)
    asked = [question for question in questions if question.show == where and not question.pack]
    found = await asyncio.gather(*(answer(datasette, database, each, given(each.params)) for each in asked))
    broken = [unreadable(problem) for problem in problems if is_meant_for(problem, where)]
    return sorted([*found, *broken], key=lambda each: (each.title.casefold(), each.name))


async def answer(datasette: Datasette, database: str, question: Question, given: Given) -> Answer:
    """The answer of one question, or the sentence that says why there is none."""
    params = {**dict.fromkeys(question.params, ""), **given}
    try:
        told = await datasette.databases[database].execute_fn(lambda conn: rows_of(conn, question, params))
    except Problem as problem:
        return Answer(*named(question), error=str(problem))
    except Exception as error:  # it is her question: the page it stands on is shown without it
        LOG.warning("The question %s failed (%s).", question.name, type(error).__name__)
        return Answer(*named(question), error=str(Problem(question.path, FAILED)))
    return Answer(*named(question), *told)


def named(question: Question) -> tuple:
    return question.name, question.path.name, question.title, question.description, question.params, question.chart


def rows_of(conn: sqlite3.Connection, question: Question, params: Given) -> tuple[list[str], list[tuple], bool]:
    """(columns, rows, whether there are more); raises Problem with the line of the file."""
    try:
        with sqlite_timelimit(conn, LIMIT_MS):
            cursor = conn.execute(question.sql, params)
            rows = [tuple(row) for row in cursor.fetchmany(MOST_ROWS + 1)]
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
        if error.args == ("interrupted",):
            raise Problem(question.path, SLOW, question.line) from error
        raise explained(conn, question, error) from error
    return [column[0] for column in cursor.description], rows[:MOST_ROWS], len(rows) > MOST_ROWS


def explained(conn: sqlite3.Connection, question: Question, error: Exception) -> Problem:
    """What SQLite said of a question, with the line of its file."""
    try:
        wrong = question_errors.explained(conn, question, question_errors.Known.of(conn), error, ())
        return Problem(question.path, wrong.sentence, wrong.line)
    except sqlite3.Error:  # this connection does not tell what there is
        return Problem(question.path, f"SQLite says: {error}", question.line)


def unreadable(problem: Problem) -> Answer:
    """A file that is no question, in the place where its answer would stand."""
    name = re.sub(r"\W", "_", problem.path.name.removesuffix(".sql"))
    return Answer(name, problem.path.name, name.replace("_", " ").capitalize(), error=str(problem))


def is_meant_for(problem: Problem, where: str) -> bool:
    """Whether the file of a problem says `show: WHERE`, however broken the rest of it is."""
    try:
        with problem.path.open(encoding="utf-8", errors="replace") as file:
            return bool(re.search(rf"^--\s*show:\s*{where}\b", file.read(MOST_BYTES), re.MULTILINE))
    except OSError:
        return False
