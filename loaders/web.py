"""What every page of ours shares, and most of what we know of Datasette: the course asked for, the answer.

Plugins cannot import one another under the `datasette` command, so they meet here.
"""

from __future__ import annotations

import asyncio
import csv
import io
import os
import time
from collections.abc import Callable, Iterable
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import quote

from datasette.actor_auth_cookie import BadSignature
from datasette.app import Datasette
from datasette.database import Database
from datasette.plugins import pm
from datasette.utils import await_me_maybe, baseconv
from datasette.utils.asgi import Base400, Request, Response
from datasette.utils.sqlite import sqlite3
from jinja2 import Environment, Template

from loaders import accounts, answers, csv_cells, look_ups, tokens, veil
from loaders.roles import is_owner as is_owner  # everything that asks it has this module already

# Our own pages have no script and no inline style; Datasette's have both (see plugins/content_policy.py for theirs).
STRICT = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
OWN_PAGE = {"Content-Security-Policy": STRICT, "Cache-Control": "private, no-store"}
COOKIE = "ds_actor"
TOKEN = "coursette_token"  # in the scope of a call whose token counts: its record, with the page's `origin`
OLDER = "An older Coursette made {file}: run `coursette status --db {file}` once, which brings it up to date."
CSV = "text/csv; charset=utf-8"


class Refusal(Base400):
    """A request cannot be answered; the message is a sentence for the visitor."""

    def __init__(self, sentence: str, status: int = 404):
        super().__init__(sentence)
        self.status = status


def setting(datasette: Datasette, name: str, default: Any = None) -> Any:
    """One of our own settings: under `plugins: coursette:` in the metadata, which `coursette serve` fills."""
    return (datasette.plugin_config("coursette") or {}).get(name, default)


def private(datasette: Datasette) -> Path:
    """The private folder of this instance (see loaders/accounts.py)."""
    files = [Path(db.path) for db in course_databases(datasette).values()]
    if datasette.config_dir:
        files.insert(0, Path(datasette.config_dir) / "moodle.db")
    return accounts.private_folder(files, setting(datasette, "private"))


def known_accounts(datasette: Datasette) -> list[dict]:
    """Accounts made here and those in datasette-auth-passwords' settings (see loaders/accounts.py)."""
    elsewhere = accounts.configured(datasette.plugin_config("datasette-auth-passwords"))
    return [*accounts.accounts(private(datasette)), *elsewhere]


def path_of(datasette: Datasette, scope: dict) -> str:
    """The path as Datasette's router sees it: not decoded, without the base address."""
    path = scope["raw_path"].decode("ascii", "replace") if scope.get("raw_path") else scope["path"]
    path = path.partition("?")[0]
    base = datasette.setting("base_url")
    return "/" + path[len(base) :] if base != "/" and path.startswith(base) else path


def ask_instead(request: Request, query_string: str) -> None:
    """Go on as if the address had said this behind its question mark."""
    request.scope["query_string"] = query_string.encode("latin-1")


async def ensure_tables(datasette: Datasette, request: Request, database: str, *tables: str) -> None:
    """Raise Forbidden for whom a rule keeps from one of these tables: pages of ours tell what is in them."""
    for table in tables:
        rules = [("view-table", (database, table)), ("view-database", database), "view-instance"]
        await datasette.ensure_permissions(request.actor, rules)


def visitors_address(scope: dict) -> str:
    """Which computer asks. `coursette serve` has checked what a proxy says; where that is not so, as with
    `datasette .`, all who claim to come from somewhere else count as one, or each claim would be a new visitor."""
    if any(name == b"x-forwarded-for" for name, _ in scope["headers"]):
        return "forwarded"
    return (scope.get("client") or ("",))[0]


def session(datasette: Datasette, scope: dict) -> dict:
    """What the sign-in cookie says while it counts, else {}.

    `a` is Datasette's actor and `e` its end; ours adds `account` (name), `epoch` (see accounts.epoch), `link` (1:
    came by the one-time link) and `confirmed` (time of typing the password once more, before changing it).
    """
    value = Request(scope, None).cookies.get(COOKIE)
    if not value or has_token(scope):
        return {}
    try:
        found = datasette.unsign(value, "actor")
    except BadSignature:
        return {}
    if not isinstance(found, dict) or not isinstance(found.get("a"), dict):
        return {}
    if found.get("e") and time.time() > baseconv.base62.decode(found["e"]):
        return {}
    return found if accounts.still_open(found, known_accounts(datasette)) else {}


def has_token(scope: dict) -> bool:
    """Whether a request brings a token: the check against forged forms is off then (asgi-csrf), so that nothing which
    a browser adds by itself may stand for anybody."""
    given = [value.strip().lower() for name, value in scope["headers"] if name == b"authorization"]
    return any(value.startswith(b"bearer") for value in given)


def with_session_that_counts(datasette: Datasette, scope: dict) -> dict:
    """The request without its sign-in cookie, if that no longer counts (see session)."""
    cookies = SimpleCookie(Request(scope, None).headers.get("cookie", ""))
    return scope if COOKIE not in cookies or session(datasette, scope) else without_session(scope)


def without_session(scope: dict) -> dict:
    """The request without its sign-in cookie."""
    cookies = SimpleCookie(Request(scope, None).headers.get("cookie", ""))
    kept = "; ".join(f"{name}={morsel.coded_value}" for name, morsel in cookies.items() if name != COOKIE)
    headers = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
    return {**scope, "headers": [*headers, *([(b"cookie", kept.encode("latin-1"))] if kept else [])]}


async def actor_of(datasette: Datasette, scope: dict) -> dict | None:
    """Who asks, by any way of signing in that is installed."""
    scope = with_session_that_counts(datasette, scope)
    for found in pm.hook.actor_from_request(datasette=datasette, request=Request(scope, None)):
        if actor := await await_me_maybe(found):
            return actor
    return None


def course_databases(datasette: Datasette) -> dict[str, Database]:
    """The files that may hold courses: all but the record of look-ups."""
    return {name: db for name, db in datasette.databases.items() if db.path and name != look_ups.NAME}


async def databases(datasette: Datasette, actor: dict | None) -> list[str]:
    """Names of the databases that have our tables and that this visitor may see."""
    open_to = await _open_to(datasette, actor)
    return [name for name in open_to if set(await datasette.databases[name].table_names()) >= answers.TABLES]


async def _open_to(datasette: Datasette, actor: dict | None) -> list[str]:
    """Names of the databases in files that this visitor may see, with our tables or not."""
    found = []
    # The record of look-ups has no courses, and where its file is broken the courses are still there.
    for name in course_databases(datasette):
        visible, _ = await datasette.check_visibility(actor, permissions=[("view-database", name), "view-instance"])
        if visible:
            found.append(name)
    return found


async def ask(datasette: Datasette, database: str, question: Callable, *args: Any, **kwargs: Any) -> Any:
    """What a function of loaders/answers.py finds in this database, without holding up other requests.

    Raises Refusal for a database that lacks what a newer Coursette adds: only a loader may add it.
    """
    db = datasette.databases[database]

    def asked(conn: sqlite3.Connection) -> Any:
        conn.execute("begin")  # one state of the file for all its statements, whatever a loader commits meanwhile
        try:
            return question(conn, *args, **kwargs)
        finally:
            conn.rollback()

    try:
        return await db.execute_fn(asked)
    except sqlite3.OperationalError as error:
        if str(error) == veil.REFUSED:
            raise Refusal(veil.REFUSED, 403) from error
        if not str(error).startswith("no such "):
            raise
        raise Refusal(OLDER.format(file=Path(db.path).name), 503) from error


async def find_course(datasette: Datasette, request: Request, **person: str) -> tuple[str, dict]:
    """(database, course) a request means by `course`, `site` and `db`; raises Refusal with a sentence."""
    await datasette.ensure_permissions(request.actor, ["view-instance"])
    course, site = request.args.get("course") or "", request.args.get("site") or ""
    wanted = request.args.get("db")
    found = []
    for name in await _open_to(datasette, request.actor):
        if wanted in (None, "", name) and (row := await ask(datasette, name, _course, course, site, **person)):
            found.append((name, row))
    if not found and any(person.values()) and not course:
        return await find_course(datasette, request)
    if not found:
        raise Refusal(_no_course(course, site, await databases(datasette, request.actor)))
    if not (found := [pair for pair in found if is_for(request.scope.get(TOKEN), pair[1])]):
        raise Refusal("This token is not for this course: the page “On your Moodle pages” can let it read it.", 403)
    return max(found, key=lambda pair: pair[1]["data_up_to_utc"] or "")


def is_for(token: dict | None, course: dict) -> bool:
    """Whether a request may ask for this course: by its token (see loaders/calls.py), or for any without one."""
    return token is None or tokens.covers(token, token["origin"], course["site"], course["moodle_id"])


def _course(conn: sqlite3.Connection, *args: str, **kwargs: str) -> dict | None:
    """answers.course, or None where our tables are not there: in one visit to the database's thread, as each costs."""
    tables = {name for (name,) in conn.execute("select name from sqlite_master where type = 'table'")}
    return answers.course(conn, *args, **kwargs) if tables >= answers.TABLES else None


def _no_course(course: str, site: str, names: list[str]) -> str:
    if not names or not course:
        return "No course is loaded yet: `coursette load` takes what you downloaded from Moodle."
    where = f" of {site}" if site else ""
    return f"No course with Moodle's id {course}{where} is loaded here: `coursette status` says what is."


class Plain(Template):
    """A template that awaits nothing: ours call no function that has to be awaited, and are so twice as quick."""

    async def render_async(self, *args: Any, **kwargs: Any) -> str:
        return await asyncio.to_thread(self.render, *args, **kwargs)  # a long page keeps nobody else waiting


def templates(datasette: Datasette) -> Environment:
    """Datasette's templates, filters and extensions, for pages of our own."""
    if not hasattr(datasette, "_coursette_templates"):
        plain = datasette.jinja_env.overlay(enable_async=False, cache_size=100)
        plain.template_class = Plain
        datasette._coursette_templates = plain
    return datasette._coursette_templates


async def page(
    datasette: Datasette, request: Request, template: Any, context: dict | None = None, status: int = 200
) -> Response:
    """One of our own pages, by its name or as Jinja's template: no script, nothing inline, never kept."""
    if isinstance(template, str):
        template = templates(datasette).get_template(template)
    body = await datasette.render_template(template, context or {}, request=request)
    return Response.html(body, status=status, headers=dict(OWN_PAGE))


async def refuse(datasette: Datasette, request: Request, sentence: str, status: int) -> Response:
    """A sentence in the form that was asked for: the contract's JSON, plain text for CSV, else a page."""
    path = path_of(datasette, request.scope)
    if path.endswith(".json") or path == "/-/refresh":
        return Response.json({"ok": False, "error": sentence, "status": status}, status=status, headers=dict(OWN_PAGE))
    if path.endswith(".csv"):
        return Response.text(sentence, status=status, headers=dict(OWN_PAGE))
    context = {
        "sentence": sentence,
        "status": status,
        "signed_in": bool(request.actor),
        "can_sign_in": any(row["hash"] for row in known_accounts(datasette)),
        "back_to": request.path + (f"?{request.query_string}" if request.query_string else ""),
    }
    return await page(datasette, request, "coursette_refusal.html", context, status)


def csv_response(name: str, columns: list[str], rows: Iterable[Iterable]) -> Response:
    """Rows as a CSV download; text that a spreadsheet would run as a formula gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(map(csv_cells.plain, columns))
    writer.writerows([csv_cells.plain(value) for value in row] for row in rows)
    return Response(out.getvalue(), headers=csv_headers(name), content_type=CSV)


def csv_headers(name: str) -> dict[str, str]:
    """The headers of a CSV download, besides its type."""
    return {**OWN_PAGE, "Content-Disposition": f'attachment; filename="{quote(name)}.csv"'}


def allowed_hosts(datasette: Datasette) -> set[str]:
    """Names this server answers to, besides 127.0.0.1, localhost and ::1."""
    extra = [
        *setting(datasette, "allowed_hosts", []),
        *os.environ.get("COURSETTE_ALLOWED_HOSTS", "").split(","),
    ]
    return {"127.0.0.1", "localhost", "::1"} | {name.strip().lower() for name in extra if name.strip()}
