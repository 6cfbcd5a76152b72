"""The questions of metadata.yml as links of a page: those that a visitor may ask, with the course filled in.

Plugins cannot import one another under the `datasette` command, so what the home and the course page share is here.
"""

from __future__ import annotations

from urllib.parse import urlencode

from datasette.app import Datasette
from datasette.utils.asgi import Request


async def questions(datasette: Datasette, request: Request, name: str) -> list[dict]:
    """The canned queries of a database that this visitor may see, in the order of metadata.yml."""
    queries = (await datasette.get_canned_queries(name, request.actor)).values()
    rules = {query["name"]: [("view-query", (name, query["name"])), ("view-database", name)] for query in queries}
    return [query for query in queries if await may_see(datasette, request.actor, *rules[query["name"]])]


async def may_see(datasette: Datasette, actor: dict | None, *rules: tuple) -> bool:
    """Whether this visitor passes the first of these rules that says anything."""
    visible, _ = await datasette.check_visibility(actor, permissions=[*rules, "view-instance"])
    return visible


def link(datasette: Datasette, database: str, query: dict, course: dict, **given: str) -> dict:
    """A question as a link with the course and whatever else it takes filled in.

    `name`, `title`, `heading`, `href`, `chart` (whether it has one).
    """
    filled = {"course": course["moodle_id"] or "", "site": course["site"] or ""}
    filled |= {key: value for key, value in given.items() if value and key in query.get("params", ())}
    return {
        "name": query["name"],
        "title": query.get("title") or query["name"],
        "heading": query.get("heading") or "Ask",
        "href": f"{datasette.urls.query(database, query['name'])}?{urlencode(filled)}",
        "chart": bool(query.get("chart")),
    }


def course_page(datasette: Datasette, database: str, course: dict) -> str:
    """The address of the course's own page (plugins/course.py); `course` has `moodle_id` and `site`, or None."""
    ids = {"course": course["moodle_id"] or "", "site": course["site"] or "", "db": database}
    return datasette.urls.path(f"/-/course?{urlencode(ids)}")


def under_headings(links: list[dict]) -> dict[str, list[dict]]:
    """The questions by the `heading` that metadata.yml gives them, both in its order."""
    headed: dict[str, list[dict]] = {}
    for each in links:
        headed.setdefault(each["heading"], []).append(each)
    return headed
