"""Calls from Moodle's pages: the page script asks with a token, from another origin (CORS), on a few paths only.

Everything else on this server knows the sign-in cookie alone, and other sites get nothing of it.
"""

from __future__ import annotations

from datasette.app import Datasette
from datasette.utils.asgi import Response

from loaders import accounts, tokens, web

REFRESH = "/-/refresh"  # files are handed in here, and nowhere else is anything sent
PATHS = ("/-/usage.json", "/-/access.json", "/-/student.json", "/-/people.json", "/-/refresh.json", REFRESH)
METHODS = ("GET", "HEAD", "OPTIONS")
PREFLIGHT_LASTS_S = 600
NO_RIGHT = (
    "This token only reads: tick “may also refresh the course” on the page “On your Moodle pages”, then take it again."
)
SAID = b"coursette-origin"  # a header that no page can send here: it is in no answer to a preflight


def is_call(scope: dict, path: str) -> bool:
    """Whether this request is the page script's: with a token, or asking whether it may send one."""
    if path not in PATHS:
        return False
    headers = dict(scope["headers"])
    return given(scope) is not None or (
        scope["method"] == "OPTIONS" and b"access-control-request-method" in headers and b"origin" in headers
    )


def given(scope: dict) -> str | None:
    """The token a request carries."""
    values = [value.decode("latin-1").strip() for name, value in scope["headers"] if name == b"authorization"]
    kind, _, token = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    return token.strip() if kind.lower() == "bearer" else None


def origin(scope: dict) -> str | None:
    """The page's origin: as the browser says, and as the script says where an extension or our small window asks.

    "null" where the two do not fit, None where no page asks.
    """
    said = {name: value.decode("latin-1") for name, value in scope["headers"] if name in (b"origin", SAID)}
    by_browser, by_script = said.get(b"origin"), said.get(SAID)
    if by_script is None or by_browser in (None, by_script) or is_ours(scope, by_browser):
        return by_script or by_browser
    return by_script if by_browser.startswith(tokens.EXTENSIONS) else "null"


def is_ours(scope: dict, by_browser: str) -> bool:
    """Whether a page of this very server asks, as our small window does when it hands a file in."""
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
    return by_browser in (f"http://{host}", f"https://{host}")


def refusal(datasette: Datasette, scope: dict) -> tuple[str, int] | None:
    """Why this call is not answered (a sentence and a status), or None and the token's record in its scope."""
    hands_in = web.path_of(datasette, scope) == REFRESH
    if hands_in and scope["method"] != "POST":
        return "Files are handed in here: use POST.", 405
    if not hands_in and scope["method"] not in METHODS:
        return "Only questions are answered here: use GET.", 405
    try:
        record = tokens.check(web.private(datasette), given(scope) or "")
    except tokens.Refused as refused:
        return (
            f"{refused} Make a new one on the page “On your Moodle pages”, and take the script from there again.",
            401,
        )
    if account_of(datasette, record) is None:
        return "The account of this token is gone.", 401
    if hands_in and record["right"] != "refresh":
        return NO_RIGHT, 403
    if not tokens.comes_from(record, origin(scope)):
        return "This token is for pages of another site.", 403
    scope[web.TOKEN] = {**record, "origin": origin(scope)}
    return None


def account_of(datasette: Datasette, record: dict) -> dict | None:
    """The account that a token stands for."""
    return next((row for row in web.known_accounts(datasette) if row["name"] == record["user"]), None)


def actor(datasette: Datasette, scope: dict) -> dict | None:
    """Who asks by a token that was found to count."""
    record = scope.get(web.TOKEN)
    account = record and account_of(datasette, record)
    return accounts.actor(account) if account else None


def preflight(datasette: Datasette, scope: dict) -> Response:
    """The answer to a browser that asks whether a page may send a token: yes to a Moodle with one, else nothing."""
    return Response("", status=204 if allowed_origin(datasette, scope) else 403, content_type="text/plain")


def with_cors(datasette: Datasette, scope: dict, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Headers that let a page of exactly the Moodles with a token read an answer, an error too; and no other page."""
    varies = [value for name, value in headers if name == b"vary"]
    headers = [*(row for row in headers if row[0] != b"vary"), (b"vary", b", ".join([*varies, b"Origin"]))]
    if allowed := allowed_origin(datasette, scope):
        headers.append((b"access-control-allow-origin", allowed.encode("latin-1")))
        if scope["method"] == "OPTIONS":
            headers += [
                (b"access-control-allow-methods", b"POST" if web.path_of(datasette, scope) == REFRESH else b"GET"),
                (b"access-control-allow-headers", b"authorization"),
                (b"access-control-max-age", str(PREFLIGHT_LASTS_S).encode()),
            ]
    return headers


def allowed_origin(datasette: Datasette, scope: dict) -> str | None:
    """The request's origin if any token is bound to it, one that has ended too: its page must read why."""
    asked = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"), None)
    try:
        known = tokens.records(web.private(datasette)) if asked else []
    except tokens.Refused:
        return None
    return asked if any(asked in tokens.origins(record) for record in known) else None
