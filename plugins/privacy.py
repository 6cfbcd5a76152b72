"""Nothing answers a stranger: who may ask at all, by which name, and what every answer carries."""

from __future__ import annotations

import logging
import re

import datasette.handle_exception as datasette_errors
from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Request, Response

from loaders import web

# With rich installed Datasette prints a failed request with all variables: students' data on the terminal.
datasette_errors.rich = None

# What a stranger may see: signing in, how it looks, whether the server is up. New routes start closed.
OPEN = re.compile(
    r"/(favicon\.ico|-/(health|login|sign-in|auth-token|(coursette|datasette)\.css|static/.*|static-plugins/.*))"
)
# The works: for the owner only, colleagues have no use for them (and metadata shows every query).
OWNERS = re.compile(
    r"/-/(metadata|settings|config|plugins|versions|databases|threads|permissions|allow-debug|password-tool|messages"
    r"|patterns)(\.json)?"
)
COOKIE_LASTS_S = 14 * 24 * 3600
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",  # addresses of ours hold students' ids
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Datasette's pages have inline scripts and styles, and its charts compile functions.
DATASETTES_CSP = "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


async def health() -> Response:
    """`/-/health`: the server is up; says nothing else."""
    return Response.text("ok")


def host_is_allowed(datasette: Datasette, scope: dict) -> bool:
    """False for any name but our own: a page that rebinds its name to this address gets nothing."""
    hosts = [value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"host"]
    if len(hosts) != 1:
        return False
    name = re.sub(r":\d+$", "", hosts[0]) if not hosts[0].endswith("]") else hosts[0]
    return bool({hosts[0], name, name.strip("[]")} & web.allowed_hosts(datasette))


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
    path = web.path_of(datasette, scope)
    if OPEN.fullmatch(path):
        return None
    actor = await web.actor_of(datasette, scope)
    if actor is None:
        return await web.refuse(datasette, request, "Please sign in first.", 403)
    if OWNERS.fullmatch(path) and not web.is_owner(actor):
        request.scope["actor"] = actor
        return await web.refuse(datasette, request, "Only the owner of this instance may see this.", 403)
    return None


def harden(headers: list, scheme: str) -> list:
    """The headers of an answer with ours, and cookies that no script can read or another site send."""
    ours = {name.lower().encode(): value.encode() for name, value in HEADERS.items()}
    kept = [(name.lower(), value) for name, value in headers if name.lower() not in ours]
    hardened = [(name, cookie(value, scheme) if name == b"set-cookie" else value) for name, value in kept]
    names = {name for name, _ in kept}
    if b"content-security-policy" not in names:
        hardened.append((b"content-security-policy", DATASETTES_CSP.encode()))
    if b"cache-control" not in names:
        hardened.append((b"cache-control", b"private, no-store"))
    return [*hardened, *ours.items()]


def cookie(value: bytes, scheme: str) -> bytes:
    """One Set-Cookie value with HttpOnly, SameSite, Secure on https, and an end for the sign-in cookie."""
    lower = value.lower()
    value += b"" if b"httponly" in lower else b"; HttpOnly"
    value += b"" if b"samesite" in lower else b"; SameSite=Lax"
    value += b"; Secure" if scheme == "https" and b"; secure" not in lower else b""
    if lower.startswith(b"ds_actor=") and b"max-age" not in lower:
        value += f"; Max-Age={COOKIE_LASTS_S}".encode()
    return value


def without_query(record: logging.LogRecord) -> bool:
    """Uvicorn's log of requests keeps the path and loses the students' ids behind the question mark."""
    if isinstance(record.args, tuple) and len(record.args) >= 3:
        record.args = (*record.args[:2], str(record.args[2]).partition("?")[0], *record.args[3:])
    return True


@hookimpl
def startup(datasette):
    log = logging.getLogger("uvicorn.access")
    if without_query not in log.filters:
        log.addFilter(without_query)


@hookimpl
def asgi_wrapper(datasette):
    def wrap(app):
        async def guarded(scope, receive, send):
            if scope["type"] == "websocket":
                return  # we have none
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            scope = without_basic(scope)

            async def send_hardened(message):
                if message["type"] == "http.response.start":
                    headers = harden(list(message.get("headers", [])), scope.get("scheme", "http"))
                    message = {**message, "headers": headers}
                await send(message)

            if (response := await refusal(datasette, scope)) is not None:
                await response.asgi_send(send_hardened)
            else:
                await app(scope, receive, send_hardened)

        return guarded

    return wrap


@hookimpl
def permission_allowed(actor, action):
    # None leaves everything else to metadata.yml; a True here would override every rule there.
    return False if action == "view-database-download" and not web.is_owner(actor) else None


@hookimpl
def forbidden(datasette, request, message):
    return lambda: web.refuse(datasette, request, "You may not see this.", 403)


@hookimpl
def handle_exception(datasette, request, exception):
    if isinstance(exception, web.Refusal):
        return lambda: web.refuse(datasette, request, exception.args[0], exception.status)
    return None


@hookimpl
def register_routes():
    return [(r"^/-/health$", health)]
