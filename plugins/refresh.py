"""“Refresh this course”: the page script hands in what Moodle gives the teacher's own session, one file a request.

Its token must have the right `refresh`; what it hands in is loaded for the token's course and for no other.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Request, Response

from loaders import calls, handed_in, pull_log, tokens, web

BODY_LASTS_S = 900
NAME = re.compile(r"[\w .-]{1,60}", re.ASCII)
ONLY_BY_TOKEN = "Files are handed in by the page script, with its token."
LIMITED = "This is more than {most} files in ten minutes: wait a little."
BUSY = "Another file is being loaded into this database: try again when it is done."
CUT_SHORT = "The file came only in part: try again."


def hands_of(datasette: Datasette) -> handed_in.Hands:
    """One for each Datasette."""
    if not hasattr(datasette, "_coursette_hands"):
        datasette._coursette_hands = handed_in.Hands()
    return datasette._coursette_hands


async def refresh_json(datasette: Datasette, request: Request) -> Response:
    """`/-/refresh.json?course=&site=`: how old each part of the course is, and whether this token may renew it.

    `days`: the missing days of the log, newest first, each as the Unix time it begins at; null for all of it.
    """
    database, course = await web.find_course(datasette, request)
    token = request.scope.get(web.TOKEN)
    found = await web.ask(datasette, database, handed_in.age, course)
    found["days"] = pull_log.windows(found.pop("log_up_to_s"), time.time())
    may = tokens.may_refresh(token) and web.is_owner(request.actor)
    return Response.json({"ok": True, "may_refresh": may, **found}, headers=dict(web.OWN_PAGE))


async def refresh(datasette: Datasette, request: Request) -> Response:
    """`POST /-/refresh?course=&site=&timezone=&file=`: take one file in. See handed_in.py for what is taken."""
    token = request.scope.get(web.TOKEN)
    if token is None or request.method != "POST":
        raise web.Refusal(ONLY_BY_TOKEN, 405 if token else 403)
    database, course = await web.find_course(datasette, request)
    if not web.is_owner(request.actor):
        raise web.Refusal("Only the owner of this instance adds data to it.", 403)
    if (
        not (site := course["site"] or request.args.get("site"))
        or course["moodle_id"] is None
        or not tokens.is_site(site)
    ):
        raise web.Refusal("Say which Moodle and course this is of: site=https://… and course=2.", 400)
    hands = hands_of(datasette)
    if not hands.admit(token["id"]):
        raise web.Refusal(LIMITED.format(most=handed_in.MOST_FILES), 429)
    if database in hands.busy:
        raise web.Refusal(BUSY, 409)
    hands.busy.add(database)
    try:
        given = handed_in.options(course["moodle_id"], site, request.args.get("timezone"))
        return await take(datasette, request, datasette.get_database(database).path, given)
    finally:
        hands.busy.discard(database)


async def take(datasette: Datasette, request: Request, path: str, given) -> Response:
    """Keep the body, load it, delete it, answer."""
    name = request.args.get("file") or ""
    name = f"handed in: {name if NAME.fullmatch(name) else 'a file'}"
    try:
        async with asyncio.timeout(BODY_LASTS_S):
            kept = await handed_in.keep(web.private(datasette), body(request), handed_in.MOST_BYTES)
    except handed_in.TooLarge:
        raise web.Refusal(sentence(handed_in.TOO_LARGE.format(most=handed_in.MOST_BYTES // 1_000_000)), 413) from None
    except TimeoutError:
        raise web.Refusal(CUT_SHORT, 408) from None
    try:
        outcome = await handed_in.load(path, kept, name, given)
    finally:
        kept.unlink(missing_ok=True)
    if outcome.error:
        raise web.Refusal(sentence(outcome.error), 503 if outcome.error == handed_in.BUSY else 422)
    counts = {key: getattr(outcome, key) for key in ("kind", "rows_read", "rows_new", "rows_unmatched", "notes")}
    return Response.json({"ok": True, **counts}, headers=dict(web.OWN_PAGE))


async def body(request: Request) -> AsyncIterator[bytes]:
    """The body of a request, piece by piece; raises web.Refusal where it breaks off."""
    while True:
        message = await request.receive()
        if message["type"] != "http.request":
            raise web.Refusal(CUT_SHORT, 400)
        yield message.get("body", b"")
        if not message.get("more_body"):
            return


def sentence(words: str) -> str:
    """An error of a loader as a sentence of its own."""
    return f"{words[:1].upper()}{words[1:]}."


@hookimpl
def startup(datasette):
    folder = web.private(datasette)
    if folder.is_dir():
        handed_in.sweep(folder)


@hookimpl
def register_routes():
    return [(rf"^{re.escape(calls.REFRESH)}$", refresh), (r"^/-/refresh\.json$", refresh_json)]
