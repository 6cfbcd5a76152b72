"""The switch for screens that others see: everybody by a pseudonym, on every page, until names are shown again.

It is a cookie of any value, so what cannot be read hides. Here too a request gets its veil (loaders/veil.py), by who
asks: a tutor sees her groups only.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from urllib.parse import parse_qs

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils import MultiParams
from datasette.utils.asgi import Request, Response

from loaders import look_ups, veil, veiled_database, web

COOKIE = "coursette_pseudonyms"
LASTS_S = 14 * 24 * 3600  # as long as signing in, or a browser started anew would show names
PAGE = "/-/pseudonyms"
MOODLE_ID = re.compile(r"\s*\d+\s*")
BY_ID = "While names are hidden, nobody is looked up by their Moodle id: go by a list of students, or show names again."
# About students in the teacher's own words, and who looked at whom.
CLOSED = re.compile(rf"/(-/(notes|nudges|nudges\.csv|letters)|{look_ups.NAME}([/.].*)?)")
OWN = "Notes, nudges, letters and the record of look-ups name students: they are shown when names are."
ELSEWHERE = re.compile(r"/(?![/\\])[^\\\x00-\x20]*")  # an address of ours, to go back to


def is_on(request: Request) -> bool:
    """Whether this visitor has hidden the names."""
    return COOKIE in request.cookies


async def switch(datasette: Datasette, request: Request) -> Response:
    """`POST /-/pseudonyms`: hides names (`on=1`) or shows them again, then the page `back` came from."""
    if request.method != "POST":
        raise web.Refusal("Names are hidden by the button in the head of a page.", 405)
    form = await request.post_vars()
    on, back = form.get("on") != "0", form.get("back") or "/"
    path, _, query = back.partition("?")
    if not ELSEWHERE.fullmatch(back) or (on and refused(path, MultiParams(parse_qs(query)))):
        back = "/"
    forget(datasette, request)
    answer = Response.redirect(datasette.urls.path(back), status=303, headers=dict(web.OWN_PAGE))
    answer.set_cookie(COOKIE, "on" if on else "", max_age=LASTS_S if on else 0, httponly=True, samesite="lax")
    return answer


def forget(datasette: Datasette, request: Request) -> None:
    """What this session chose before may be somebody's name (see asking.py)."""
    memory = getattr(datasette, "_coursette_memory", None)
    if memory and (cookie := request.cookies.get(web.COOKIE)):
        memory.forget(hashlib.sha256(cookie.encode()).hexdigest())


def refused(path: str, asked: MultiParams) -> str | None:
    """Why this is not answered while names are hidden, or None."""
    if CLOSED.fullmatch(path):
        return OWN
    by_id = path.startswith("/-/") and any(MOODLE_ID.fullmatch(asked.get(name) or "") for name in ("user", "student"))
    return BY_ID if by_id else None


def never_kept(send: Callable) -> Callable:
    """`send`, without Datasette's leave to keep tables for some seconds: a browser would show the names once more."""

    async def send_it(message: dict) -> None:
        if message["type"] == "http.response.start":
            kept = [(name, value) for name, value in message.get("headers", []) if not is_leave(name, value)]
            message = {**message, "headers": kept}  # plugins/privacy.py forbids it where nothing is said
        await send(message)

    return send_it


def is_leave(name: bytes, value: bytes) -> bool:
    return name.lower() == b"cache-control" and value.startswith((b"max-age", b"no-cache"))


@hookimpl(tryfirst=True)  # inside plugins/privacy.py, which knows by then whose token counts
def asgi_wrapper(datasette):
    def wrap(app):
        async def under_veil(scope, receive, send):
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            request = Request({**scope, "csrftoken": lambda: ""}, None)
            actor = await web.actor_of(datasette, scope)
            chosen = veil.of(actor, is_on(request))
            if chosen:
                veiled_database.install(datasette)  # whatever was added since
            token = veil.current.set(chosen)
            send = never_kept(send)
            try:
                sentence = chosen and chosen.pseudonyms and refused(web.path_of(datasette, scope), request.args)
                if sentence:
                    request.scope["actor"] = actor
                    await (await web.refuse(datasette, request, sentence, 403)).asgi_send(send)
                else:
                    await app(scope, receive, send)
            finally:
                veil.current.reset(token)

        return under_veil

    return wrap


@hookimpl(trylast=True)
def startup(datasette):
    veiled_database.install(datasette)


@hookimpl
def permission_allowed(action, resource):
    hidden = action == "view-database-download" or (action == "view-database" and resource == look_ups.NAME)
    return False if hidden and veil.current.get() else None


@hookimpl
def extra_template_vars(datasette, request):
    if request is None:
        return {}
    path = web.path_of(datasette, request.scope) if request.method == "GET" else "/"
    query = f"?{request.query_string}" if request.query_string and request.method == "GET" else ""
    return {"pseudonyms": is_on(request), "back_here": path + query}


@hookimpl
def register_routes():
    return [(rf"^{PAGE}$", switch)]
