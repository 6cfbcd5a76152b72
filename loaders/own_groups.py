"""A tutor asks about her own groups only: every address of hers says so before anything reads it.

What she may ask by group is decided by the address: pages take `group` repeatedly, questions one JSON list. Groups that
are not hers are refused, hers are written in where none is named. Who is in them is not decided here: a tutor's rows
are filtered on the connection itself.
"""

from __future__ import annotations

import json
import sqlite3
from urllib.parse import parse_qsl, urlencode

from datasette.app import Datasette
from datasette.utils import tilde_decode
from datasette.utils.asgi import Request

from loaders import answers, choosing, look_ups, roles, tutor_groups, web

MODEL = "moodle"  # its questions are asked of other files too, see plugins/queries_everywhere.py
NOT_HERS = "This group is not one of yours."
NONE_HERE = "None of your groups is in this course."


def question(datasette: Datasette, database: str, name: str) -> dict | None:
    """A question of metadata.yml that narrows by group. Those of a teacher's own folder are not looked through here,
    so no tutor asks them."""
    configured = (datasette._metadata_local or {}).get("databases") or {}
    if database not in datasette.databases or database == look_ups.NAME:
        return None
    queries = (configured.get(database) or configured.get(MODEL) or {}).get("queries")
    query = None if queries is None else queries.get(name)  # which may be false and still have some (Kept)
    return query if isinstance(query, dict) and "group" in (query.get("params") or ()) else None


def question_of(datasette: Datasette, path: str) -> tuple[str, dict] | None:
    """(database, question) of an address, where a tutor may ask it."""
    found = roles.QUESTION.fullmatch(path)
    if not found or path.startswith("/-/"):
        return None
    database, name = tilde_decode(found["database"]), tilde_decode(found["name"])
    query = question(datasette, database, name)
    return (database, query) if query else None


def may_ask(datasette: Datasette, scope: dict, path: str, actor: dict) -> bool:
    """Whether a request is for a question, by GET, that this tutor may ask."""
    if roles.role(actor) != roles.TUTOR or scope.get("method", "GET") not in ("GET", "HEAD"):
        return False
    found = question_of(datasette, path)
    return bool(found) and not roles.is_denied(actor, "view-query", (found[0], None), asks_by_group=True)


async def force(datasette: Datasette, scope: dict, path: str, actor: dict) -> None:
    """Write a tutor's own groups into the address, where it asks by group. Raises web.Refusal for any others."""
    asked = question_of(datasette, path)
    if not asked and not roles.BY_GROUP.fullmatch(path):
        return
    request = Request({**scope, "actor": actor}, None)
    if asked:
        database = asked[0]
        ids = [(request.args.get(key) or "") for key in ("course", "site")]
        course = await web.ask(datasette, database, answers.course, *ids)
    else:
        database, course = await web.find_course(datasette, request)
    hers = await web.ask(datasette, database, groups, course, actor.get("groups") or ()) if course else []
    if course and not hers:
        raise web.Refusal(NONE_HERE, 403)
    wanted = chosen(request.args.getlist("group"), hers)
    as_list = asked and (len(wanted) > 1 or wanted[0].startswith("["))
    values = [json.dumps(wanted)] if as_list else wanted
    rest = parse_qsl(request.query_string, keep_blank_values=True)
    pairs = [*((name, value) for name, value in rest if name != "group"), *(("group", value) for value in values)]
    scope["query_string"] = urlencode(pairs).encode("ascii")


async def with_hers(datasette: Datasette, actor: dict, database: str, courses: list[dict]) -> list[dict]:
    """The courses that a tutor has a group in; all of them for everybody else."""
    if roles.role(actor) != roles.TUTOR:
        return courses

    def each(conn: sqlite3.Connection) -> list[dict]:
        return [course for course in courses if groups(conn, course, actor.get("groups") or ())]

    return await web.ask(datasette, database, each)


def is_offered(actor: dict | None, value: object, name: str) -> bool:
    """Whether a form offers this group to this visitor: a tutor chooses from her own."""
    return (
        not actor
        or roles.role(actor) != roles.TUTOR
        or bool({str(value), name} & set(map(tutor_groups.word, actor.get("groups") or ())))
    )


def chosen(asked: list[str], hers: list[tuple]) -> list[str]:
    """Those of her groups that are asked for, all where none is. Raises web.Refusal for one that is not hers."""
    names = [name for each in asked for name in choosing.names(each)]
    for name in names:
        if not any(name in _names(group) for group in hers):
            raise web.Refusal(NOT_HERS, 403)
    return [_names(group)[0] for group in hers if not names or set(names) & set(_names(group))]


def groups(conn: sqlite3.Connection, course: dict, hers: list[str]) -> list[tuple]:
    """(our key, Moodle's id, name) of the groups of this course that are hers."""
    about = course["site"], course["moodle_id"]
    return [
        group
        for group in answers.groups(conn, course)
        if any(tutor_groups.is_one(one, *about, *group[1:]) for one in hers)
    ]


def _names(group: tuple) -> list[str]:
    """How a group is named for certain: Moodle's id, where it is known, and the exact name."""
    _, moodle_id, name = group
    return ([str(moodle_id)] if moodle_id is not None else []) + [(name or "").strip()]
