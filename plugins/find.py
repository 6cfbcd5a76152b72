"""Find a student: one hit opens the page, several are a short list to choose from."""

from __future__ import annotations

from urllib.parse import urlencode

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Request, Response

from loaders import finding, web

LISTED = 100


async def find(datasette: Datasette, request: Request) -> Response:
    """`/-/find?q=[&db=]`: everybody of the courses here in whom all these words stand."""
    await datasette.ensure_permissions(request.actor, ["view-instance"])
    words, wanted = (request.args.get("q") or "").strip(), request.args.get("db")
    names = await web.databases(datasette, request.actor)
    hits = []
    for name in names:
        if wanted in (None, "", name):
            for row in await web.ask(datasette, name, finding.people, words):
                hits.append({**row, "href": page_of(datasette, name, row)})
    if len({row["person"] for row in hits}) == 1:
        return Response.redirect(hits[0]["href"])  # in several courses: that with the newest data
    context = {"words": words, "hits": hits[:LISTED], "count": len(hits), "db": wanted or ""}
    return await web.page(datasette, request, "coursette_find.html", context)


def page_of(datasette: Datasette, database: str, row: dict) -> str:
    """The student's page in this course."""
    ids = {"course": row["course"]} if row["course"] else {}
    return datasette.urls.path("/-/student?" + urlencode({**ids, "person": row["person"], "db": database}))


@hookimpl
def register_routes():
    return [(r"^/-/find$", find)]
