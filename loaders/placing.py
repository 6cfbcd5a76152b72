"""A teacher's own questions where she meets their answers: on a student's page, as numbers on a Moodle page.

A question says so by `show`. Plugins cannot import one another under the `datasette` command, so both find them here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from datasette.app import Datasette
from datasette.database import QueryInterrupted
from datasette.utils.sqlite import sqlite3

from loaders import question_links

LOG = logging.getLogger(__name__)
LIMIT_MS = 500  # for each; they run together, and nobody waits for one that is slow
SLOW = f"it took longer than {LIMIT_MS} ms and was stopped: read roll-ups (usage_...) instead of events"


@dataclass(frozen=True)
class Answer:
    """What a question found; `error` says in one sentence why it found nothing, '' where it did."""

    query: Mapping[str, Any]
    columns: list[str] = field(default_factory=list)
    rows: list[tuple] = field(default_factory=list)
    is_cut: bool = False
    error: str = ""


async def questions(datasette: Datasette, actor: dict | None, database: str, where: str) -> list[dict]:
    """The questions with `show: WHERE` that this visitor sees there, by title: a teacher, as they are hers."""
    if not actor or actor.get("role", "teacher") != "teacher":
        return []
    known = (await datasette.get_canned_queries(database, actor)).values()
    found = [query for query in known if query.get("show") == where]
    rules = [[("view-query", (database, query["name"])), ("view-database", database)] for query in found]
    seen = [await question_links.may_see(datasette, actor, *rule) for rule in rules]
    found = [query for query, is_seen in zip(found, seen, strict=True) if is_seen]
    return sorted(found, key=lambda query: title(query).casefold())


def title(query: Mapping[str, Any]) -> str:
    """What a question is called on pages."""
    return query.get("title") or query["name"]


async def answer(datasette: Datasette, database: str, query: Mapping[str, Any], given: Mapping[str, str]) -> Answer:
    """The answer of one question; whatever is wrong with it is a sentence and never an error."""
    params = {**dict.fromkeys(query.get("params") or (), ""), **given}
    try:
        found = await datasette.databases[database].execute(
            query["sql"], params, truncate=True, custom_time_limit=LIMIT_MS, log_sql_errors=False
        )
    except QueryInterrupted:
        return Answer(query, error=sentence(query, SLOW))
    except (sqlite3.Error, sqlite3.Warning, OverflowError, MemoryError, ValueError) as error:
        return Answer(query, error=sentence(query, str(error)))
    except Exception as error:  # it is her question: the page it stands on is shown without it
        LOG.warning("The question %s failed (%s).", query["name"], type(error).__name__)
        return Answer(query, error=sentence(query, "it failed, and the server's window says how"))
    return Answer(query, [name for name, *_ in found.description], [tuple(row) for row in found.rows], found.truncated)


async def answers(datasette: Datasette, database: str, asked: list[tuple[Mapping, Mapping, str]]) -> list[Answer]:
    """The answers of [(question, what it is given, why it cannot be asked or '')], asked together."""

    async def one(query: Mapping, given: Mapping, why: str) -> Answer:
        return Answer(query, error=why) if why else await answer(datasette, database, query, given)

    return list(await asyncio.gather(*(one(*each) for each in asked)))


def note(columns: Sequence[str], rows: Sequence[Sequence]) -> str:
    """The sentence of an answer that is nothing but one: a single row with `note`, as where no log is loaded."""
    said = dict(zip(columns, rows[0], strict=True)).get("note") if len(rows) == 1 else None
    return str(said) if said else ""


def sentence(query: Mapping[str, Any], said: str) -> str:
    """'study_guide.sql, line 7: no such column: clicky.', with the file where the question is in one."""
    return f"{query.get('file') or query['name']}: {said[:300].rstrip('.')}."
