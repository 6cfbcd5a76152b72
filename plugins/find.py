"""Find anything by a word or two: students, posts, activities, sections, parts and questions, from one box.

A student called so, or found alone, opens at once; all else is a page of short lists, inside what the visitor may see.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from urllib.parse import urlencode

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Request, Response

from loaders import finding, finding_activities, finding_posts, web

FEW, MOST = 10, 100  # of each kind on a page: where there are several kinds, and where there is one
# kind -> the tables it is found in
TABLES = {
    "people": ("people", "enrolments"),
    "activities": ("activities",),
    "posts": ("forum_posts", "blog_posts", "people"),
    "parts": ("parts", "activities"),
    "sections": ("sections",),
}
KINDS = (*TABLES, "questions")
WHO = "never_opened"  # the question that an activity leads to


async def find(datasette: Datasette, request: Request) -> Response:
    """`/-/find?q=[&only=posts][&db=]`: what there is with all these words, in every database or one."""
    await datasette.ensure_permissions(request.actor, ["view-instance"])
    typed, wanted = finding.asked(request.args.get("q") or ""), request.args.get("db")
    only = request.args.get("only") if request.args.get("only") in KINDS else ""
    names = [name for name in await web.databases(datasette, request.actor) if wanted in (None, "", name)]
    found: dict[str, list[dict]] = {kind: [] for kind in KINDS}
    counts, has_posts = dict.fromkeys(KINDS, 0), False
    for name in names if typed else []:
        shelf = await of_database(datasette, request, name, typed, only)
        has_posts |= shelf.pop("has_posts")
        for kind, (rows, count) in shelf.items():
            found[kind] += rows
            counts[kind] += count
    if not only and (student := the_one(found["people"], typed, counts)):
        return Response.redirect(student["href"])  # in several courses: that with the newest data
    context = {
        "words": typed,
        "groups": groups(datasette, request, found, counts),
        "db": wanted or "",
        "only": only,
        "has_posts": has_posts,
        "most": finding.MOST if len(request.args.get("q") or "") > finding.MOST else 0,
        "several": len(names) > 1,
    }
    return await web.page(datasette, request, "coursette_find.html", context)


async def of_database(datasette: Datasette, request: Request, name: str, typed: str, only: str) -> dict:
    """kind -> (rows with `db` and links, how many there are), and `has_posts`, of one database."""
    kinds = [kind for kind in TABLES if only in ("", kind) and await may_see(datasette, request, name, kind)]
    found = await web.ask(datasette, name, everything, typed, kinds)
    queries = await datasette.get_canned_queries(name, request.actor)
    asks_who = found["activities"][0] and WHO in queries and await may_ask(datasette, request, name, WHO)
    for row in found["people"][0]:
        row["href"] = student_page(datasette, name, row)
    for row in found["posts"][0]:
        row["student"] = student_page(datasette, name, row) + "#posts" if row["person"] else None
        row["row"] = datasette.urls.row(name, row["table"], row["id"])
    for row in found["activities"][0] if asks_who else ():
        row["who"] = f"{datasette.urls.query(name, WHO)}?" + urlencode(
            {"course": row["course"] or "", "activity": row["cmid"] or row["name"]}
        )
    if only in ("", "questions"):
        found["questions"] = await questions(datasette, request, name, queries.values(), typed)
    for rows, _ in (found[kind] for kind in KINDS if kind in found):
        rows[:] = [{**row, "db": name} for row in rows]
    return found


def everything(conn: sqlite3.Connection, typed: str, kinds: list[str]) -> dict:
    """What of_database says, without links that are ours."""
    places = {name: getattr(finding_activities, name) for name in ("activities", "sections", "parts")}
    whole = {kind: ask(conn, typed) for kind, ask in {"people": finding.people, **places}.items() if kind in kinds}
    found = {kind: (rows, len(rows)) for kind, rows in whole.items()}
    if "posts" in kinds:
        found["posts"] = finding_posts.posts(conn, typed, MOST)
    has_posts = "posts" in kinds and finding_posts.has_posts(conn)
    return {**{kind: ([], 0) for kind in TABLES}, **found, "has_posts": has_posts}


async def may_see(datasette: Datasette, request: Request, name: str, kind: str) -> bool:
    """Whether this visitor may see the tables that something of this kind is found in."""
    for table in TABLES[kind]:
        rules = [("view-table", (name, table)), ("view-database", name), "view-instance"]
        visible, _ = await datasette.check_visibility(request.actor, permissions=rules)
        if not visible:
            return False
    return True


async def questions(
    datasette: Datasette, request: Request, name: str, queries: Iterable[dict], typed: str
) -> tuple[list[dict], int]:
    """(those of the queries that this visitor may ask here, and whose title has all the words, how many)."""
    found = []
    for query in queries:
        title = query.get("title") or query["name"]
        if not finding.stand_in(finding.words(typed), title, query.get("heading")):
            continue
        if await may_ask(datasette, request, name, query["name"]):
            heading = query.get("heading") or ""
            found.append({"title": title, "heading": heading, "href": datasette.urls.query(name, query["name"])})
    return found, len(found)


async def may_ask(datasette: Datasette, request: Request, name: str, query: str) -> bool:
    """Whether this question is for this visitor."""
    rules = [("view-query", (name, query)), ("view-database", name), "view-instance"]
    visible, _ = await datasette.check_visibility(request.actor, permissions=rules)
    return visible


def the_one(people: list[dict], typed: str, counts: dict[str, int]) -> dict | None:
    """The student that is meant: found alone, or called so."""
    for rows in ([row for row in people if finding.is_named(typed, row)], people if not other(counts) else []):
        if len({(row["db"], row["person"]) for row in rows}) == 1:
            return rows[0]
    return None


def other(counts: dict[str, int]) -> bool:
    """Whether something else than people was found."""
    return any(count for kind, count in counts.items() if kind != "people")


def groups(datasette: Datasette, request: Request, found: dict, counts: dict) -> list[dict]:
    """What the page lists: `kind`, `rows`, how many there are (`count`), and `more`, where the rest is."""
    kinds = [kind for kind in KINDS if found[kind]]
    most = FEW if len(kinds) > 1 else MOST
    asked = {key: value for key in ("q", "db") if (value := request.args.get(key))}
    address = datasette.urls.path(f"/-/find?{urlencode(asked)}&only=")
    return [
        {
            "kind": kind,
            "rows": found[kind][:most],
            "count": counts[kind],
            "more": address + kind if most == FEW and len(found[kind]) > FEW else "",
        }
        for kind in kinds
    ]


def student_page(datasette: Datasette, database: str, row: dict) -> str:
    """The student's page in this course."""
    ids = {"course": row["course"]} if row["course"] else {}
    return datasette.urls.path("/-/student?" + urlencode({**ids, "person": row["person"], "db": database}))


@hookimpl
def register_routes():
    return [(r"^/-/find$", find)]
