"""“Share this” on a question's page: who may see its answer, with what and until when; and the page that they see.

The pages under /-/shared are all that a colleague gets: sums without small counts, no SQL, no names, no link further.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Request, Response

from loaders import asked, charts, look_ups, shares, sharing, small_counts, web

MINE, THEIRS = "/-/shares", "/-/shared"
SIGN_IN, NO_TEACHER = "Please sign in first.", "Only a teacher, signed in, can share a question."
NO_LIST = {"label"}  # columns for charts only
UNRECORDED = "Nothing is shown while openings cannot be recorded: the server says why in its window."
# What a form may let the reader choose: its name, the parameters, words.
FREE = {
    "course": ({"course"}, "the course"),
    "group": ({"group"}, "one group, of those that have no student in common"),
    "section": ({"section"}, "the section"),
    "week": (shares.WEEKS, "one week at a time"),
}


# ---- The teacher's side ----


async def list_page(datasette: Datasette, request: Request) -> Response:
    """`/-/shares`: what this teacher shares; with `db` and `query`, a form to share that question first."""
    if not sharing.may_share(datasette, request):
        raise web.Refusal(NO_TEACHER, 403)
    await datasette.ensure_permissions(request.actor, ["view-instance"])
    if request.method == "POST":
        return await change(datasette, request)
    rows = await sharing.ask(datasette, shares.made_by, whose(request))
    context = {
        "rows": [{**row, "href": address(datasette, row["key"]), "choices": choices_of(row)} for row in rows],
        "absolute": lambda path: datasette.absolute_url(request, path),
        "is_owner": web.is_owner(request.actor),
        "new": await form(datasette, request) if request.args.get("query") else None,
        "action": datasette.urls.path(MINE),
    }
    return await web.page(datasette, request, "coursette_shares.html", context)


def whose(request: Request) -> str | None:
    """Whose shares somebody sees and may revoke: her own, and the owner those of all (None)."""
    return None if web.is_owner(request.actor) else request.actor["id"]


def choices_of(row: dict) -> list[str]:
    """What the reader of a share may choose, in words."""
    return [words for needed, words in FREE.values() if needed <= set(row["free"])]


def address(datasette: Datasette, key: str, form: str = "") -> str:
    return datasette.urls.path(f"{THEIRS}/{key}{form}")


async def form(datasette: Datasette, request: Request) -> dict:
    """What the form to share the question of this address shows; `why` where it cannot be."""
    query = await asked_for(datasette, request, request.args)
    given = sharing.parameters(query, request.args)
    words = asked.words(query)
    fixed = [(words[name], value) for name, value in given.items() if name != "site"]
    free = [(name, said) for name, (needed, said) in FREE.items() if needed <= set(query["params"])]
    return {
        "title": query.get("title") or query["name"],
        "back": f"{datasette.urls.query(query['database'], query['name'])}?{urlencode(given)}",
        "why": await sharing.why_not(datasette, query),
        "readers": sharing.readers(datasette),
        "hidden": {
            "db": query["database"],
            "query": query["name"],
            **{f"p_{key}": value for key, value in given.items()},
        },
        "fixed": fixed,
        "free": free,
    }


async def asked_for(datasette: Datasette, request: Request, named: Mapping[str, str]) -> dict:
    """The question that `db` and `query` name; raises web.Refusal."""
    query = await sharing.question(datasette, named.get("db") or "", named.get("query") or "", request.actor)
    if query is None:
        raise web.Refusal("There is no such question here: start from its page.")
    return query


async def change(datasette: Datasette, request: Request) -> Response:
    """`POST /-/shares`: `do` is `add` or `revoke`; then the list again."""
    said = await request.post_vars()
    if said.get("do") == "revoke":
        await sharing.ask(datasette, shares.revoke, said.get("key") or "", whose(request))
        key = said.get("key") or ""
    elif said.get("do") == "add":
        key = await add(datasette, request, said)
    else:
        raise web.Refusal("This form asks for nothing that is known here.", 400)
    place = f"#share-{key}" if key.isalnum() else ""
    return Response.redirect(datasette.urls.path(MINE) + place, status=303, headers=dict(web.OWN_PAGE))


async def add(datasette: Datasette, request: Request, said: Mapping[str, str]) -> str:
    """Share what the form says; the key."""
    query = await asked_for(datasette, request, said)
    if why := await sharing.why_not(datasette, query):
        raise web.Refusal(why, 400)
    free = {name for part, (needed, _) in FREE.items() if said.get(f"free_{part}") for name in needed}
    free &= set(query["params"])
    given = sharing.parameters(query, {name[2:]: value for name, value in said.items() if name.startswith("p_")})
    fixed = await sharing.settled(datasette, query, given)
    kept = {name: value for name, value in fixed.items() if name not in free}
    readers = [name for name in sharing.readers(datasette) if said.get(f"to_{name}")]
    named = {"database": query["database"], "query": query["name"], "title": query.get("title") or query["name"]}
    named["fingerprint"] = sharing.fingerprint(query)
    maker, until = request.actor["id"], said.get("until") or ""
    return await sharing.ask(datasette, shares.add, maker, named, kept, sorted(free), readers, until)


# ---- The reader's side ----


async def shared_list(datasette: Datasette, request: Request) -> Response:
    """`/-/shared`: what is shared with whoever asks."""
    rows = await sharing.ask(datasette, shares.shared_with, account(request))
    context = {"rows": [{**row, "href": address(datasette, row["key"])} for row in rows]}
    return await web.page(datasette, request, "coursette_shared_list.html", context)


def account(request: Request) -> str:
    """Who asks, in a session; raises web.Refusal."""
    if not request.actor or not request.actor.get("id") or request.scope.get(web.TOKEN):
        raise web.Refusal(SIGN_IN, 403)
    return str(request.actor["id"])


async def shared(datasette: Datasette, request: Request) -> Response:
    """`/-/shared/KEY`, `.json` and `.csv`: the answer; each opening is counted and recorded."""
    name = account(request)
    share = await sharing.ask(datasette, shares.find, request.url_vars["key"], name)
    if share is None:
        raise web.Refusal(sharing.NOT_HERE)
    kind = request.url_vars["format"]
    found = await sharing.answer(datasette, share, request.args)
    await record(datasette, request, share, found, kind)
    await sharing.ask(datasette, shares.count, share["id"], name)
    if kind == "json":
        return Response.json(as_json(found), headers=dict(web.OWN_PAGE))
    if kind == "csv":
        return web.csv_response(share["query"], found["columns"], found["rows"])
    return await answer_page(datasette, request, share, found)


async def record(datasette: Datasette, request: Request, share: dict, found: dict, kind: str | None) -> None:
    """A line in the record of look-ups, before anything is shown; raises web.Refusal where there is no room for it."""
    row = {"what": f"shared {share['query']}", "database": share["database"], "form": kind, **found["course"]}
    if not await datasette._coursette_recorder.recorded(row, request.scope):
        raise web.Refusal(UNRECORDED, 503)


def as_json(found: dict) -> dict:
    """The answer as data; a number that is hidden is the word `hidden`."""
    names = ("title", "course_name", "columns", "note")
    rows = [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]]
    up_to = dict(found["fresh"]["up_to"])
    chosen = {field["name"]: field["value"] for field in found["fields"]}
    said = {name: found[name] for name in names}
    return {"ok": True, **said, "rows": rows, "hidden_rows": found["hidden"], "chosen": chosen, "data_up_to_utc": up_to}


async def answer_page(datasette: Datasette, request: Request, share: dict, found: dict) -> Response:
    """The page: a form for what may be chosen, a chart, a table."""
    columns, rows = found["columns"], found["rows"]
    numbers = [[None if cell == small_counts.HIDDEN else cell for cell in row] for row in rows]
    query = urlencode({field["name"]: field["value"] for field in found["fields"]})
    forms = {kind: f"{address(datasette, share['key'], f'.{kind}')}?{query}" for kind in ("csv", "json")}
    drawn = await charts.figure(found["chart"], columns, numbers, False)
    context = {
        **found,
        "share": share,
        "action": address(datasette, share["key"]),
        "is_mine": share["maker"] == account(request),
        "rows": numbers,
        "display_rows": rows,
        "count": len(rows),
        "empty": unseen(columns, rows),
        "drawn": drawn if drawn and drawn.svg else None,
        "forms": forms,
        "request": request,
        "list": datasette.urls.path(THEIRS),
    }
    return await web.page(datasette, request, "coursette_shared.html", context)


def unseen(columns: list[str], rows: list[list[Any]]) -> list[bool]:
    """Which columns say nothing to a reader."""
    twins = {"week"} if "week_name" in columns else set()
    return [
        name in NO_LIST | twins or all(row[place] in (None, "") for row in rows) for place, name in enumerate(columns)
    ]


@hookimpl
def extra_template_vars(datasette, request, view_name):
    """`share_this(database, query, fields)` for templates/query.html: where its form is; None for whoever may not."""
    if view_name not in ("query", "table") or not request or not sharing.may_share(datasette, request):
        return {}

    def share_this(database: str, query: str, chosen: list[dict]) -> str | None:
        if database not in web.course_databases(datasette):
            return None
        given = {field["name"]: field["value"] for field in chosen if field["value"] and not field["wrong"]}
        return datasette.urls.path(f"{MINE}?{urlencode({'db': database, 'query': query, **given})}")

    return {"share_this": share_this}


@hookimpl
def startup(datasette):
    # `datasette .`, or somebody's command line, may have found it; a copy of it too.
    for name, db in list(datasette.databases.items()):
        if db.path and shares.is_shares(Path(db.path)):
            datasette.remove_database(name)
            look_ups.LOG.warning("%s holds what is shared with whom, and is not served.", db.path)


@hookimpl
def register_routes():
    return [
        (r"^/-/shares$", list_page),
        (r"^/-/shared$", shared_list),
        (r"^/-/shared/(?P<key>\w{1,64})(\.(?P<format>json|csv))?$", shared),
    ]
