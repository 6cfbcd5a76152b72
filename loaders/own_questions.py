"""Where a teacher's own questions lie, and what Datasette is told of them: at once when a file is saved.

Datasette asks for all questions for each permission, a hundred times a page; the folder is looked at once a request.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from datasette.app import Datasette

from loaders import pack_folder, question_check, question_files

FOLDER = "queries"
MODEL = "moodle"  # what metadata.yml says of it is said of every database with our tables
VARIABLE = "COURSETTE_QUERIES"
Found = tuple[list[question_files.Question], list[question_files.Problem]]
# {folder: what this request found in it} and {database: its queries}; None outside of requests, where it is looked at
# each time.
of_this_request: ContextVar[dict[Path | str, Any] | None] = ContextVar("of_this_request", default=None)


def place(db: str | Path, given: str | Path | None = None) -> Path:
    """The folder of the questions about a database: the one that is given, else that of COURSETTE_QUERIES, else
    `queries` beside the database."""
    return Path(given or os.environ.get(VARIABLE) or Path(db).parent / FOLDER)


def found(folder: Path, model: Mapping[str, Any]) -> Found:
    """(questions, problems) of a folder, see question_files.folder; within one request always the same."""
    known = of_this_request.get()
    if known is None:
        return look(folder, model)
    if folder not in known:
        known[folder] = look(folder, model)
    return known[folder]


def look(folder: Path, model: Mapping[str, Any]) -> Found:
    """(questions, problems) of a folder and of the packs in it: her own names come first."""
    own, wrong = question_files.folder(folder, model)
    packed, wrong_too = pack_folder.found(folder, model, {question.name for question in own})
    return [*own, *packed], [*wrong, *wrong_too]


def folder_of(datasette: Datasette, database: str) -> Path:
    """Where the own questions about a served database lie."""
    # Not plugin_config(), which puts all metadata together: this is asked for each permission.
    ours = ((datasette._metadata_local or {}).get("plugins") or {}).get("coursette") or {}
    return place(datasette.databases[database].path, ours.get("queries"))


class Kept(dict):
    """Queries of metadata.yml as Datasette may have them: nothing is added to them.

    It takes the very dict of its metadata for all questions of a page and writes into it what plugins add, so that
    there, and in every page just reading it, a question would stay whose file has changed or is gone. From an empty
    one it makes a new dict instead.
    """

    def __bool__(self) -> bool:
        return False


def configured(datasette: Datasette) -> dict[str, dict]:
    """{database: what metadata.yml says of it}."""
    databases = (datasette._metadata_local or {}).get("databases") or {}
    for said in filter(None, databases.values()):
        if type(said.get("queries")) is dict:
            said["queries"] = Kept(said["queries"])
    return databases


def found_of(datasette: Datasette, database: str) -> Found:
    """(questions, problems) of a served database."""
    return found(folder_of(datasette, database), configured(datasette).get(MODEL) or {})


def queries_of(datasette: Datasette, database: str) -> dict[str, dict]:
    """{name: query} of the good questions of a served database, as metadata.yml has them; one dict a request."""
    known = of_this_request.get()
    if known is not None and database in known:
        return known[database]
    queries = {question.name: dict(question.query) for question in found_of(datasette, database)[0]}
    if known is not None:
        known[database] = queries
    return queries


def problems(datasette: Datasette, actor: Mapping[str, Any] | None, databases: Iterable[str]) -> list[str]:
    """What is wrong with own questions about these databases, once each; a teacher is told, nobody else."""
    each = databases if is_teacher(actor) else ()
    return list(dict.fromkeys(str(problem) for name in each for problem in found_of(datasette, name)[1]))


async def why_not(datasette: Datasette, actor: Mapping[str, Any] | None, query: Mapping[str, Any]) -> str | None:
    """Why an own question (of Datasette, with its `database`) gives no answer, with file and line; to a teacher."""
    questions, _ = found_of(datasette, query["database"])
    question = next((each for each in questions if each.name == query["name"]), None)
    if question is None or not is_teacher(actor):
        return None
    file, limit_ms = Path(datasette.databases[query["database"]].path), datasette.setting("sql_time_limit_ms")
    found = await asyncio.to_thread(question_check.check_all, file, [question], limit_ms, limit_ms)
    problem = found[question.name].problem
    return str(problem) if problem else None


def is_teacher(actor: Mapping[str, Any] | None) -> bool:
    """Whether somebody may see the files of questions, whose SQL tells what is asked: accounts without a role are
    teachers'."""
    return bool(actor) and actor.get("role", "teacher") == "teacher"
