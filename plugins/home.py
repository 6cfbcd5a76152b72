"""The home page: the courses, how fresh each is, what is not loaded yet, and the first questions to ask."""

from __future__ import annotations

from urllib.parse import urlencode

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Request, Response

from loaders import accounts, answers, look_ups, noting, web


async def home(datasette: Datasette, request: Request) -> Response:
    """`/`: every course of every database with our tables."""
    await datasette.ensure_permissions(request.actor, ["view-instance"])
    names = await web.databases(datasette, request.actor)
    shelves = [await shelf(datasette, request, name) for name in names]
    files = [name for name, db in datasette.databases.items() if db.path and name not in names]
    others = [name for name in files if await may_see(datasette, request.actor, ("view-database", name))]
    context = {
        "shelves": [row for row in shelves if row["courses"]],
        "databases": names,
        "others": others,
        "record": await record(datasette, request),
        "has_notes": noting.may_note(request),
        "no_password": no_password(datasette, request.actor),
    }
    return await web.page(datasette, request, "index.html", context)


async def shelf(datasette: Datasette, request: Request, name: str) -> dict:
    """One database: its courses, each with the questions that can be asked of it."""
    queries = [row for row in await questions(datasette, request, name) if "course" in row.get("params", [])]
    courses = await web.ask(datasette, name, answers.courses)
    for course in courses:
        course["questions"] = [ask_link(datasette, name, query, course) for query in queries]
    return {"name": name, "courses": courses, "unmatched": await web.ask(datasette, name, answers.unmatched)}


async def questions(datasette: Datasette, request: Request, name: str) -> list[dict]:
    """The canned queries that this visitor may see, in the order of metadata.yml."""
    queries = (await datasette.get_canned_queries(name, request.actor)).values()
    rules = {query["name"]: [("view-query", (name, query["name"])), ("view-database", name)] for query in queries}
    return [query for query in queries if await may_see(datasette, request.actor, *rules[query["name"]])]


async def may_see(datasette: Datasette, actor: dict | None, *rules: tuple) -> bool:
    """Whether this visitor passes the first of these rules that says anything."""
    visible, _ = await datasette.check_visibility(actor, permissions=[*rules, "view-instance"])
    return visible


async def record(datasette: Datasette, request: Request) -> list[dict]:
    """The questions over the record of look-ups, for its owner."""
    if look_ups.NAME not in datasette.databases:
        return []
    nowhere = {"moodle_id": None, "site": None}
    queries = await questions(datasette, request, look_ups.NAME)
    return [ask_link(datasette, look_ups.NAME, query, nowhere) for query in queries]


def ask_link(datasette: Datasette, name: str, query: dict, course: dict) -> dict:
    """A question as a link with the course filled in, and its chart where it has one."""
    filled = {"course": course["moodle_id"] or "", "site": course["site"] or ""}
    fragment = f"#{query['fragment']}" if query.get("fragment") else ""
    address = f"{datasette.urls.query(name, query['name'])}?{urlencode(filled)}{fragment}"
    return {"title": query.get("title") or query["name"], "href": address, "chart": bool(fragment)}


def no_password(datasette: Datasette, actor: dict | None) -> bool:
    """True for an account that has only its sign-in link so far."""
    rows = accounts.accounts(web.private(datasette))
    return any(row["name"] == (actor or {}).get("id") and not row["hash"] for row in rows)


@hookimpl
def register_routes():
    return [(r"^/$", home)]
