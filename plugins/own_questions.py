"""A teacher's own questions: their files, what each answers, and what is wrong, with file and line."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Forbidden, Request, Response

from loaders import own_questions, question_check, question_report, web
from loaders.question_files import Question

BUDGET_MS = 5000  # for trying all questions of a page


async def page(datasette: Datasette, request: Request) -> Response:
    """`/-/questions`: each folder of questions once, tried on the first of the databases beside it."""
    await datasette.ensure_permissions(request.actor, ["view-instance"])
    if not own_questions.is_teacher(request.actor):
        raise Forbidden("You may not see this.")
    databases: dict[Path, str] = {}
    for name in await web.databases(datasette, request.actor):
        databases.setdefault(own_questions.folder_of(datasette, name), name)
    shelves = [await shelf(datasette, folder, name) for folder, name in databases.items()]
    return await web.page(datasette, request, "coursette_questions.html", {"shelves": shelves})


async def shelf(datasette: Datasette, folder: Path, database: str) -> dict[str, Any]:
    """A folder: its `folder`, `questions` and `problems`."""
    questions, problems = own_questions.found_of(datasette, database)
    file, limit = Path(datasette.databases[database].path), datasette.setting("sql_time_limit_ms")
    checks = await asyncio.to_thread(question_check.check_all, file, questions, limit, BUDGET_MS)
    rows = [question(datasette, database, each, checks.get(each.name)) for each in questions]
    return {"folder": str(folder), "questions": rows, "problems": problems}


def question(datasette: Datasette, database: str, each: Question, check: question_check.Check | None) -> dict[str, Any]:
    """`title`, `file`, `href`, `shown`, `answer` (None where not tried), `problem` and `remarks`."""
    good = check is not None and check.is_good
    return {
        "title": each.title,
        "file": each.path.name,
        "href": datasette.urls.query(database, each.name),
        "shown": question_report.SHOWN.get(each.show, ""),
        "answer": question_report.answer(check) if good else None,
        "problem": check.problem if check else None,
        "remarks": check.remarks if check else (),
    }


@hookimpl
def register_routes():
    return [(r"^/-/questions$", page)]
