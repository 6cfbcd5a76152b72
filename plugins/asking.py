"""The page of a question: a form to choose in, how fresh its data is, and an answer that says how much there is.

What is chosen comes back in the next question (loaders/remembering.py). No script.
"""

from __future__ import annotations

import hashlib
import sqlite3
from typing import Any
from urllib.parse import urlencode

from datasette import hookimpl
from datasette.app import Datasette
from datasette.database import QueryInterrupted
from datasette.utils import tilde_decode
from datasette.utils.asgi import Request, Response
from datasette.views.table import TableView

from loaders import (
    answers,
    asked,
    choices,
    earlier,
    form_fields,
    look_ups,
    own_groups,
    own_questions,
    pack_folder,
    question_data,
    question_links,
    remembering,
    silent_columns,
    web,
)

MOST_ROWS = 1000  # that a page shows: ten times as many take a browser seconds
COUNT_MS = 500


class Question(TableView):
    """A canned query with a form of ours; tables and all other queries are as Datasette has them."""

    async def data(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        pack_folder.of_a_pack.set(await is_of_a_pack(self.ds, request))
        query = await question_of(self.ds, request)
        if query:
            web.ask_instead(request, asked.trimmed(query, request.query_string))
        wrong = asked.wrong(query, values_of(query, request)) if query else {}
        if query and not request.url_vars["format"] and (there := await there_for(self.ds, request, query)):
            there["lists"] |= query.get("lists") or {}  # that the question itself names
            chosen = chosen_by(self.ds, request)
            if address := remembered(self.ds, request, query, there, chosen):
                return Response.redirect(address)
            found = await super().data(request, *args, **kwargs)
            return await with_form(self.ds, request, query, there, chosen, wrong, found)
        if wrong:
            raise web.Refusal(" ".join(wrong.values()), 400)
        return await super().data(request, *args, **kwargs)


async def with_form(
    datasette: Datasette,
    request: Request,
    query: dict,
    there: dict,
    chosen: remembering.Chosen | None,
    wrong: dict[str, str],
    found: tuple,
) -> tuple:
    """What Datasette found for a page, with the form and all that the templates say about the answer."""
    data, extra, templates, status = found
    answered = status == 200 and not data.get("error")
    data["fields"] = form_fields.fields(query, values_of(query, request), there["lists"], wrong, answered)
    data |= {"is_hidden": silent_columns.are_silent, "fresh": there["fresh"]}
    data["about"] = form_fields.halves(query.get("description") or "")
    data["course_page"] = course_page(datasette, query["database"], data["fields"])
    data["meant"] = form_fields.meant(data["fields"], request.query_string)
    data["earlier"] = earlier.said(data["fields"], request.query_string)
    is_answered = answered and not wrong and remembering.is_answer(data.get("columns", []), data.get("rows", []))
    remember(request, query, there, chosen, is_answered)
    data |= {"kept": kept_words(query, there, chosen), "afresh": afresh(datasette, query, request)}
    if data.get("error") and query.get("file"):
        data["error"] = await own_questions.why_not(datasette, request.actor, query) or data["error"]
    if wrong:
        data["rows"].clear()  # Datasette makes the rows of the page of this very list, later on
        return {**data, "columns": [], "error": None, "wrong": wrong}, extra, templates, 400
    return data | await cut(datasette, request, query, data), extra, templates, status


async def question_of(datasette: Datasette, request: Request) -> dict | None:
    """The canned query of this address with a form of ours, if it is one and this visitor may see it."""
    database, name = (tilde_decode(request.url_vars[key]) for key in ("database", "table"))
    if request.method != "GET" or database not in datasette.databases:
        return None
    query = await datasette.get_canned_query(database, name, request.actor)
    if not query or query.get("write") or "course" not in query.get("params", []):
        return None
    rules = [("view-query", (database, name)), ("view-database", database), "view-instance"]
    visible, _ = await datasette.check_visibility(request.actor, permissions=rules)
    return {**query, "database": database} if visible else None


async def is_of_a_pack(datasette: Datasette, request: Request) -> bool:
    """Whether somebody else wrote the question of this address (see loaders/pack_folder.py)."""
    database, name = (tilde_decode(request.url_vars[key]) for key in ("database", "table"))
    known = database in datasette.databases
    query = await datasette.get_canned_query(database, name, request.actor) if known else None
    return bool(query and query.get("pack"))


def values_of(query: dict, request: Request) -> dict[str, str]:
    """What the address gives for each parameter of the question."""
    return {name: request.args.get(name) or "" for name in query["params"]}


async def there_for(datasette: Datasette, request: Request, query: dict) -> dict | None:
    """What can be chosen in this question, the `course` (our key) it is about, how fresh that is (see `offered`).

    The record of look-ups is about all courses here, and offers nothing but these. None where there are no courses.
    """
    database, given = query["database"], values_of(query, request)
    lists = {choices.list_of(name, query.get("choices") or {}) for name in query["params"]}
    if set(await datasette.databases[database].table_names()) >= answers.TABLES:
        people = [("view-table", (database, "people")), ("view-database", database), "view-instance"]
        if not (await datasette.check_visibility(request.actor, permissions=people))[0]:
            lists.discard("student")  # who was given this question alone is told no names before asking
        found = await web.ask(datasette, database, offered, lists, given, query["sql"])
        for _, options in found["lists"].get("group") or ():
            options[:] = [row for row in options if own_groups.is_offered(request.actor, *row)]
        return found
    if database != look_ups.NAME:
        return None
    names = await web.databases(datasette, request.actor)
    each = [await web.ask(datasette, name, choices.of_courses) for name in names]
    every = [[option for lists in each for _, group in lists[place] for option in group] for place in (0, 1)]
    return {"lists": {"course": [("", every[0])], "site": [("", every[1])]}, "course": None, "fresh": None}


def offered(conn: sqlite3.Connection, lists: set[str], given: dict[str, str], sql: str) -> dict:
    """`lists` (see choices.py), our key of the `course`, and `fresh`: how fresh what the SQL reads of it is."""
    courses, sites = choices.of_courses(conn)
    course = answers.course(conn, given["course"], given.get("site", ""))
    found = choices.of_course(conn, course, lists) if course else {}
    fresh = question_data.fresh(conn, course, sql) if course else None
    return {"lists": {"course": courses, "site": sites, **found}, "course": course and course["id"], "fresh": fresh}


def chosen_by(datasette: Datasette, request: Request) -> remembering.Chosen | None:
    """What this session chose before; None for whoever asks without one."""
    cookie = request.cookies.get(web.COOKIE)
    if not cookie or not request.actor:
        return None
    if not hasattr(datasette, "_coursette_memory"):
        datasette._coursette_memory = remembering.Memory()
    return datasette._coursette_memory.of(hashlib.sha256(cookie.encode()).hexdigest())


def remembered(
    datasette: Datasette, request: Request, query: dict, there: dict, chosen: remembering.Chosen | None
) -> str | None:
    """The address of this question with what was chosen before, where it came without a choice."""
    if chosen is None or there["course"] is None:
        return None
    database, course = query["database"], there["course"]
    given = set(request.args)
    if given & (set(query["params"]) - {"course", "site"}):
        return None
    added = earlier.marked(before(query, there, chosen, remembering.carried(query)))
    if not given & {"course", "site"} and chosen.course.get(database, (course,))[0] != course:
        added = dict(zip(("course", "site"), chosen.course[database][1:], strict=True))
    return address_of(datasette, query, request.query_string, urlencode(added, safe=",")) if added else None


def remember(request: Request, query: dict, there: dict, chosen: remembering.Chosen | None, is_answered: bool) -> None:
    """Keep what this question was asked with for the next one, as far as it had an answer."""
    if chosen is None or there["course"] is None:
        return
    database, course = query["database"], there["course"]
    given = {name: request.args[name].strip() for name in request.args}
    if set(given) & set(query["params"]):
        chosen.course[database] = course, given.get("course", ""), given.get("site", "")
    kept = remembering.kept(query)
    chosen.take(database, course, {key: given[name] for name, key in kept.items() if name in given}, is_answered)


def before(query: dict, there: dict, chosen: remembering.Chosen, kept: dict[str, str]) -> dict[str, str]:
    """What was chosen before, as far as this question offers it."""
    values = chosen.of(query["database"], there["course"])
    return {
        name: values[key] for name, key in kept.items() if key in values and is_offered(query, name, values[key], there)
    }


def address_of(datasette: Datasette, query: dict, *parts: str) -> str:
    """This question with these parts of a query string."""
    return f"{datasette.urls.query(query['database'], query['name'])}?{'&'.join(filter(None, parts))}"


def is_offered(query: dict, name: str, value: str, there: dict) -> bool:
    """Whether the question still offers a value; a student may be anything that was typed."""
    listed = choices.list_of(name, query.get("choices") or {})
    return listed == "student" or value in form_fields.values_in(there["lists"].get(listed) or [])


def kept_words(query: dict, there: dict, chosen: remembering.Chosen | None) -> list[str]:
    """What the form calls the parameters that come back in the next question."""
    if chosen is None or there["course"] is None:
        return []
    kept, words = remembering.kept(query), asked.words(query)
    return [words[name] for name in before(query, there, chosen, kept)]


def afresh(datasette: Datasette, query: dict, request: Request) -> str:
    """The address of this question with every field empty, which forgets them, in the same course."""
    same = {name: request.args.get(name) or "" for name in ("course", "site") if name in query["params"]}
    return address_of(datasette, query, urlencode({**dict.fromkeys(query["params"], ""), **same}))


def course_page(datasette: Datasette, database: str, shown: list[dict]) -> dict | None:
    """The page of the course that the form shows (`href`, `words`), to go back to; None where it shows none of ours."""
    ids = {row["name"]: row["value"] for row in shown if row["name"] in ("course", "site")}
    offered = next((row.get("options") or [] for row in shown if row["name"] == "course"), [])
    words = {str(value): said for _, group in offered for value, said in group}
    if database == look_ups.NAME or ids.get("course") not in words:
        return None
    course = {"moodle_id": ids["course"], "site": ids.get("site")}
    return {"href": question_links.course_page(datasette, database, course), "words": words[ids["course"]]}


async def cut(datasette: Datasette, request: Request, query: dict, data: dict) -> dict:
    """`count` of all rows (None where that takes too long), and `rows` whole while the page shows but the first."""
    rows = data["rows"]
    whole, count = list(rows), len(rows)
    if data["truncated"]:
        count = await count_of(datasette, query, request)
    del rows[MOST_ROWS:]  # Datasette makes the rows of the page of this very list, later on
    return {"rows": whole, "count": count}


async def count_of(datasette: Datasette, query: dict, request: Request) -> int | None:
    """How many rows there are in all; None where that takes too long."""
    sql = f"select count(*) from (\n{query['sql'].strip().rstrip(';')}\n)"
    try:
        found = await datasette.execute(query["database"], sql, values_of(query, request), custom_time_limit=COUNT_MS)
    except (QueryInterrupted, sqlite3.Error):
        return None
    return found.rows[0][0]


@hookimpl
def register_routes(datasette):
    page = Question.as_view(datasette)
    return [(r"^/(?P<database>(?!-/)[^\/\.]+)/(?P<table>[^\/\.]+)(\.(?P<format>json))?$", page)]
