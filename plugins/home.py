"""The home page: the courses, how fresh each is, what is not loaded yet, and the first questions to ask."""

from __future__ import annotations

from urllib.parse import urlencode

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Request, Response

from loaders import accounts, answers, web


async def home(datasette: Datasette, request: Request) -> Response:
    """`/`: every course of every database with our tables."""
    await datasette.ensure_permissions(request.actor, ["view-instance"])
    names = await web.databases(datasette, request.actor)
    shelves = [await shelf(datasette, request, name) for name in names]
    others = [name for name, db in datasette.databases.items() if db.path and name not in names]
    context = {
        "shelves": [row for row in shelves if row["courses"]],
        "databases": names,
        "others": others,
        "no_password": no_password(datasette, request.actor),
    }
    return await web.page(datasette, request, "index.html", context)


async def shelf(datasette: Datasette, request: Request, name: str) -> dict:
    """One database: its courses, each with the questions that can be asked of it."""
    queries = await questions(datasette, request, name)
    courses = await web.ask(datasette, name, answers.courses)
    for course in courses:
        course["questions"] = [ask_link(datasette, name, query, course) for query in queries]
    return {"name": name, "courses": courses, "unmatched": await web.ask(datasette, name, answers.unmatched)}


async def questions(datasette: Datasette, request: Request, name: str) -> list[dict]:
    """The canned queries about a course that this visitor may see, in the order of metadata.yml."""
    found = []
    for query in (await datasette.get_canned_queries(name, request.actor)).values():
        permissions = [("view-query", (name, query["name"])), ("view-database", name), "view-instance"]
        visible, _ = await datasette.check_visibility(request.actor, permissions=permissions)
        if visible and "course" in query.get("params", []):
            found.append(query)
    return found


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
