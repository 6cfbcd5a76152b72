"""The data dictionary, for whoever writes SQL: what there is in a file, in words, with queries to begin from.

It shows tables, columns, steps and functions, and names nobody; whoever may not write SQL here has no use for it.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from urllib.parse import urlencode

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Request, Response

from loaders import dictionary, own_sql, veil, web

MODEL = "moodle"  # what metadata.yml says of it holds for every file (plugins/queries_everywhere.py)


async def page(datasette: Datasette, request: Request) -> Response:
    """`/-/dictionary[?db=]`: the tables of one file, and what else SQL can use here."""
    name, names, found = await asked(datasette, request)

    def sql_page(sql: str) -> str:
        return f"{datasette.urls.database(name)}?{urlencode({'sql': sql})}"

    context = {
        **found,
        "database": name,
        "names": names,
        "file": shlex.quote(Path(datasette.databases[name].path).name),
        "notes": own_sql.TABLES,
        "sql_page": sql_page,
        "json": datasette.urls.path(f"/-/dictionary.json?{urlencode({'db': name})}"),
    }
    return await web.page(datasette, request, "coursette_dictionary.html", context)


async def as_json(datasette: Datasette, request: Request) -> Response:
    """`/-/dictionary.json`: what dictionary.whole says."""
    name, _, found = await asked(datasette, request)
    return Response.json({"ok": True, "database": name, **found}, headers=dict(web.OWN_PAGE))


async def asked(datasette: Datasette, request: Request) -> tuple[str, list[str], dict]:
    """(file, all files to choose from, its dictionary); raises web.Refusal."""
    await datasette.ensure_permissions(request.actor, ["view-instance"])
    names = await web.databases(datasette, request.actor)
    if not names:
        raise web.Refusal("No file with Coursette's tables is here yet: `coursette load` makes one.")
    name = request.args.get("db") or names[0]
    if name not in names:
        raise web.Refusal("There is no such file here.")
    await datasette.ensure_permissions(request.actor, [("execute-sql", name), ("view-database", name), "view-instance"])
    configured = (datasette._metadata_local or {}).get("databases") or {}
    known = configured.get(name) or configured.get(MODEL) or {}
    token = veil.current.set(None)  # while names are hidden too: it shows the shape of tables, and nobody
    try:
        return name, names, await web.ask(datasette, name, dictionary.whole, known)
    finally:
        veil.current.reset(token)


@hookimpl
def register_routes():
    return [(r"^/-/dictionary$", page), (r"^/-/dictionary\.json$", as_json)]


@hookimpl
def menu_links(datasette, actor):
    return [{"href": datasette.urls.path("/-/dictionary"), "label": "Data dictionary"}] if actor else []
