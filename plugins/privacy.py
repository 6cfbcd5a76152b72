"""Nothing answers a stranger: who may ask at all, by which name, and what every answer carries."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Forbidden, Request, Response

from loaders import calls, forms, own_groups, roles, tokens, visitor, web

# What a stranger may see: signing in, how it looks, whether the server is up. New routes start closed.
OPEN = re.compile(
    r"/(favicon\.ico|-/(health|login|sign-in|auth-token|window|coursette_(window|learn)\.js|(coursette|datasette)\.css"
    r"|static/.*|static-plugins/.*))"
)
# What a link, a form or a window of another site may lead a browser to. Everything else would let a hostile page
# open any address with the teacher's cookie (SameSite=Lax travels with such navigations) and time the answer.
LED_TO = re.compile(
    r"/|/favicon\.ico|/-/(student|window|learn|sign-in|login|bookmarklet|health|(coursette|datasette)\.css|static/.*"
    r"|static-plugins/.*)"
)
SHARED = re.compile(r"/-/shared(/\w{1,64})?")  # by a mail with its address, which nobody else can guess
USERSCRIPT = "/-/coursette.user.js"  # managers of userscripts fetch it, or open it in a tab
# Their windows are opened, and used again by name, from a Moodle page; all others are cut off from their openers.
# Forms of the student page lead through /-/notes, which must not cut that window off either.
OPENED_FROM_MOODLE = ("/-/student", "/-/notes", "/-/window", "/-/learn")
COOKIE_LASTS_S = 14 * 24 * 3600
HTTPS_LASTS_S = 365 * 24 * 3600
HOST = re.compile(r"(\[(?P<six>[0-9a-f.]*:[0-9a-f:.]*)\]|(?P<name>[^:\[\]]+))(:\d{1,5})?")
# Told to stay on https, a browser would do so for every other server on this computer too.
LOCAL = re.compile(r"(localhost|127\.|\[::1\])", re.IGNORECASE)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",  # addresses of ours hold students' ids
    "Cross-Origin-Resource-Policy": "same-origin",
}


async def health() -> Response:
    """`/-/health`: the server is up; says nothing else."""
    return Response.text("ok")


def host_is_allowed(datasette: Datasette, scope: dict) -> bool:
    """False for any name but our own: a page that rebinds its name to this address gets nothing.

    Nor do two names, or one in the request line (`GET http://name/ HTTP/1.1`), which would count instead.
    """
    hosts = [value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"host"]
    if len(hosts) != 1 or not scope["path"].startswith("/"):
        return False
    given = HOST.fullmatch(hosts[0])
    allowed = web.allowed_hosts(datasette)
    return bool(given) and (hosts[0] in allowed or (given["six"] or given["name"]) in allowed)


def sent_by_another_site(scope: dict) -> bool:
    """True if the browser says so. Old browsers, curl and a typed address say nothing, or `none`."""
    said = {value.decode("latin-1") for name, value in scope["headers"] if name == b"sec-fetch-site"}
    return not said <= {"same-origin", "none"}


def is_a_foreign_form(datasette: Datasette, scope: dict) -> bool:
    """True for a form that no page of ours sent, as far as its headers tell.

    asgi-csrf lets forms without any cookie through, as nobody is signed in by none; with a site's own sign-in in front
    (proxy.trusted_header) somebody is.
    """
    if scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return False
    headers = dict(scope["headers"])
    if b"sec-fetch-site" in headers:
        return False  # then sent_by_another_site knows
    origin = headers.get(b"origin", b"null").decode("latin-1").lower()
    if origin != "null":  # as our own pages say too, which send no referrer
        return not (calls.is_ours(scope, origin) or urlsplit(origin).hostname in web.allowed_hosts(datasette))
    return b"cookie" not in headers and visitor.by_header(datasette, scope) is not None


def may_lead_here(scope: dict, path: str) -> bool:
    """Whether another site may bring a browser to this path: by moving a whole window, to a few pages only."""
    headers = dict(scope["headers"])
    mode, dest = headers.get(b"sec-fetch-mode"), headers.get(b"sec-fetch-dest")
    if scope["method"] not in ("GET", "HEAD"):
        return False
    if path == USERSCRIPT:
        return dest in (b"document", b"empty")
    return mode == b"navigate" and dest == b"document" and bool(LED_TO.fullmatch(path) or SHARED.fullmatch(path))


def without_basic(scope: dict) -> dict:
    """datasette-auth-passwords would check a password on every request that has one, and fail on odd ones."""
    kept = [
        (name, value)
        for name, value in scope["headers"]
        if name != b"authorization" or not value.lower().startswith(b"basic")
    ]
    return {**scope, "headers": kept}


async def refusal(datasette: Datasette, scope: dict) -> Response | None:
    """Why this request is not let through, or None."""
    await datasette.invoke_startup()  # does nothing the second time; before it no page can be made
    # Our pages ask for the token of a form; there is none on this side of Datasette, nor a form in a refusal.
    request = Request({**scope, "csrftoken": lambda: ""}, None)
    if not host_is_allowed(datasette, scope):
        sentence = "This server does not answer to this name; `coursette serve --allowed-host NAME` adds one."
        return Response.text(sentence, status=400)
    if not (scope.get("raw_path") or b"").isascii():  # uvicorn lets none through, Datasette would fail
        return Response.text("This is no address.", status=400)
    path = web.path_of(datasette, scope)
    if calls.is_call(scope, path):
        return await refusal_of_call(datasette, scope, request)
    if is_a_foreign_form(datasette, scope) or (sent_by_another_site(scope) and not may_lead_here(scope, path)):
        sentence = "Another site led here: open this page from Coursette itself."
        if path.endswith((".json", ".csv")):
            return await web.refuse(datasette, request, sentence, 403)
        return Response.text(sentence, status=403)
    if OPEN.fullmatch(path):
        return None
    actor = await web.actor_of(datasette, scope)
    if actor is None:
        return await web.refuse(datasette, request, "Please sign in first.", 403)
    return await refusal_of_role(datasette, scope, request, actor)


async def refusal_of_role(datasette: Datasette, scope: dict, request: Request, actor: dict) -> Response | None:
    """What stands in the way of somebody signed in, or None; then a tutor's address names her own groups only."""
    path, role = web.path_of(datasette, scope), roles.role(actor)
    request.scope["actor"] = actor
    if role == roles.COLLEAGUE and path == "/":
        return Response.redirect(datasette.urls.path("/-/shared"))
    may = roles.may_open(actor, path, scope["method"])
    if not may and not own_groups.may_ask(datasette, scope, path, actor):
        return await web.refuse(datasette, request, roles.refusal(actor), 403)
    try:
        if role == roles.TUTOR:
            await own_groups.force(datasette, scope, path, actor)
    except web.Refusal as refused:
        return await web.refuse(datasette, request, refused.args[0], refused.status)
    except Forbidden:
        return await web.refuse(datasette, request, roles.refusal(actor), 403)
    return None


async def refusal_of_call(datasette: Datasette, scope: dict, request: Request) -> Response | None:
    """The answer to the page script where its token does not count, or where it only asks whether it may come."""
    if scope["method"] == "OPTIONS":
        return calls.preflight(datasette, scope)
    if refused := calls.refusal(datasette, scope):
        return await web.refuse(datasette, request, *refused)
    return await refusal_of_role(datasette, scope, request, calls.actor(datasette, scope))


def harden(datasette: Datasette, headers: list, scope: dict) -> list:
    """The headers of an answer with ours, and cookies that no script can read or another site send."""
    ours = {name.lower().encode(): value.encode() for name, value in HEADERS.items()}
    if web.path_of(datasette, scope) not in OPENED_FROM_MOODLE:
        ours[b"cross-origin-opener-policy"] = b"same-origin"
    is_secure = scope.get("scheme") == "https" or datasette.setting("force_https_urls")
    if is_secure and not LOCAL.match(Request(scope, None).headers.get("host", "")):
        ours[b"strict-transport-security"] = f"max-age={HTTPS_LASTS_S}".encode()
    kept = [(name.lower(), value) for name, value in headers if name.lower() not in ours]
    base = datasette.setting("base_url").rstrip("/") or "/"  # a path without its last slash holds for both
    kept = [(name, cookie(value, is_secure, base) if name == b"set-cookie" else value) for name, value in kept]
    if b"cache-control" not in {name for name, _ in kept}:
        kept.append((b"cache-control", b"private, no-store"))
    return [*kept, *ours.items()]


def cookie(value: bytes, is_secure: bool, base: str) -> bytes:
    """One Set-Cookie value with HttpOnly, SameSite, Secure on https, an end for the sign-in cookie, and our path:
    what else is served under the same name has no business with it."""
    value = re.sub(rb"(?i); *path=/(?=;|$)", b"; Path=" + base.encode(), value)
    lower = value.lower()
    value += b"" if b"httponly" in lower else b"; HttpOnly"
    value += b"" if b"samesite" in lower else b"; SameSite=Lax"
    value += b"; Secure" if is_secure and b"; secure" not in lower else b""
    if lower.startswith(b"ds_actor=") and b"max-age" not in lower:
        value += f"; Max-Age={COOKIE_LASTS_S}".encode()
    return value


async def answer(datasette: Datasette, app: Callable, scope: dict, receive: Callable, send: Callable) -> None:
    """Datasette's answer, to a form only if it can be read: its check against forged ones fails on odd bytes."""
    try:
        await app(scope, await forms.bounded(datasette, scope, receive), send)
    except web.Refusal as refused:
        sentence, status = refused.args[0], refused.status
    except (AssertionError, IndexError, TypeError, UnicodeError):
        if scope["method"] in ("GET", "HEAD"):
            raise
        sentence, status = forms.UNREADABLE, 400
    else:
        return
    request = Request({**scope, "csrftoken": lambda: ""}, None)
    await (await web.refuse(datasette, request, sentence, status)).asgi_send(send)


@hookimpl
def asgi_wrapper(datasette):
    def wrap(app):
        async def guarded(scope, receive, send):
            if scope["type"] == "websocket":
                return  # we have none
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            asked, scope = scope, web.with_session_that_counts(datasette, without_basic(scope))
            scope = visitor.alone(datasette, scope)

            async def send_hardened(message):
                if message["type"] == "http.response.start":
                    headers = harden(datasette, list(message.get("headers", [])), scope)
                    if web.path_of(datasette, scope) in calls.PATHS:
                        headers = calls.with_cors(datasette, scope, headers)
                    message = {**message, "headers": headers}
                await send(message)

            if (response := await refusal(datasette, scope)) is not None:
                await response.asgi_send(send_hardened)
            else:
                asked[web.TOKEN] = scope.get(web.TOKEN)  # for whoever wraps this, such as the record of look-ups
                await answer(datasette, app, scope, receive, send_hardened)

        return guarded

    return wrap


@hookimpl(tryfirst=True)  # before Datasette reads from the cookie what the account was when it signed in
def actor_from_request(datasette, request):
    return visitor.actor(datasette, request.scope)


@hookimpl(trylast=True)  # the last that has an opinion decides
def permission_allowed(datasette, actor, action, resource):
    # None leaves everything else to metadata.yml; a True here would override every rule there.
    if action == "view-database-download" and not web.is_owner(actor):
        return False
    asks = action == "view-query" and own_groups.question(datasette, *resource) is not None
    return False if roles.is_denied(actor, action, resource, asks) else None


@hookimpl
def extra_template_vars(datasette, request):
    """`may_open(address)`: whether a page may lead this visitor there."""
    actor = request and request.scope.get("actor")

    def may_open(address: str) -> bool:
        path = web.path_of(datasette, {"path": address})
        return bool(actor) and (roles.may_open(actor, path) or own_groups.may_ask(datasette, {}, path, actor))

    return {"may_open": may_open}


@hookimpl
def forbidden(datasette, request, message):
    return lambda: web.refuse(datasette, request, "You may not see this.", 403)


@hookimpl(tryfirst=True)
def handle_exception(datasette, request, exception):
    if isinstance(exception, web.Refusal):
        return lambda: web.refuse(datasette, request, exception.args[0], exception.status)
    if isinstance(exception, tokens.Refused):  # nobody caught it: the file of the tokens is broken
        return lambda: web.refuse(datasette, request, str(exception), 503)
    return None


@hookimpl
def register_routes():
    return [(r"^/-/health$", health)]
