"""Every look-up of a student is recorded: who, whom, when, from where. It is in private/audit.db, for its owner only.

Lists, tables full of students and somebody's own SQL get a line too, which says no more than that.
The line is in the queue before the first byte of the answer, and on the disk soon after (loaders/look_ups.py).
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from datasette import hookimpl
from datasette.app import Datasette
from datasette.database import Database
from datasette.utils import MultiParams, sqlite_timelimit, tilde_decode
from datasette.utils.asgi import Request

from loaders import look_ups, visitor, web, whom

FORMS = ("json", "csv", "blob")
LAST = re.compile(r"(?P<name>.+?)(\.(?P<form>\w+))?")  # as Datasette's router splits the end of an address
PAGES = ("student", "access", "find", "people", "nudges", "notes", "letters", "list", "course", "completion",
         "export-student")  # fmt: skip
# A column of a table or of an answer that says it is about people.
PERSONAL = {"claim", "person", "person_id", "related_person_id", "real_person_id", "email", "raw"}
# A parameter of a question that is about one person, offers all to choose from, or tells of details and grades.
ABOUT_PEOPLE = {"student", "person", "field", "grade"}
SEARCH = re.compile(r".+_fts(_\w+)?", re.IGNORECASE)  # SQLite's search tables hold the words without the people
PART = re.compile(r"(chapter|discussion|page|wikipage|sco|entry|record):\d{1,18}|\d{1,18}|[^\d:][^:]{0,80}")
BY_SQL = ("_where", "_through")  # what narrows a table by more than its own columns
MOODLE = re.compile(r"https?://[a-z0-9.-]{1,200}(:\d{1,5})?")
SHOWN = (200, 303)  # the latter where a form about a student was taken (plugins/notes.py)
PATIENCE_S = 5.0
SENTENCE = (
    "Nothing about students is shown while look-ups cannot be recorded: is the disk full, or private/audit.db not "
    "writable? The server says why in its window, and goes on by itself."
)


def look_up(datasette: Datasette, scope: dict) -> dict | None:
    """What this request would tell of whom, or None if it is about no student; `open`: see Recorder.completed."""
    names, form = names_of(web.path_of(datasette, scope))
    asked = Request(scope, None).args
    if names[0] == "-":
        return of_page(names[-1], form, asked) if len(names) == 2 else None
    row = {"database": names[0], "form": form}
    if len(names) == 1:
        return {**row, "what": "SQL"} if names[0] and asked.get("sql") else None
    if len(names) == 2:
        return {**row, "what": names[1], "open": names[1], "sql": any(map(asked.get, BY_SQL)), **of_question(asked)}
    if len(names) > 3:
        return None
    row = {**row, "table": names[1], "key": names[2]}
    if names[1].lower() == "people":
        return {**row, "what": "people", "person": names[2]}
    return {**row, "what": f"table {names[1]}", "open": names[1], "about": names[2]}


def names_of(path: str) -> tuple[list[str], str | None]:
    """The parts of a path as Datasette reads them (/moodle/~70eople is /moodle/people), and the form asked for."""
    *folders, last = path.removeprefix("/").split("/")
    if match := LAST.fullmatch(last):
        last = match["name"]
    form = match["form"] if match and match["form"] in FORMS else None
    return [tilde_decode(name) for name in (*folders, last)], form


def of_page(name: str, form: str | None, asked: MultiParams) -> dict | None:
    """The line for a page of ours. Sums of use are about nobody, unless narrowed to one student."""
    row = {**of_address(asked), "what": name, "form": form, "database": asked.get("db") or None}
    if name == "refresh" and form is None:
        return {**row, "what": "handed in"}  # which kind is in `loads`: this record keeps ids and no words
    return row if name in PAGES or (name == "usage" and (row["student"] or row["person"])) else None


def of_address(asked: MultiParams) -> dict:
    """Whom and what an address names, in its own words."""
    return {
        "site": asked.get("site") or None,
        "course": asked.get("course") or None,
        "student": asked.get("user") or asked.get("student") or None,
        "person": asked.get("person") or None,
        "about": next(filter(PART.fullmatch, filter(None, (asked.get("part"), asked.get("activity")))), None),
    }


def of_question(asked: MultiParams) -> dict:
    """The same for a canned query, which reads `student` alone."""
    return {**of_address(asked), "student": asked.get("student") or None}


class Recorder:
    """What one Datasette records."""

    def __init__(self, datasette: Datasette):
        self.datasette = datasette
        self.record = look_ups.Record(lambda: self.path, lambda rows: whom.resolved(rows, self.files()))
        self.columns: dict[tuple[str, str], set[str]] = {}

    @cached_property
    def path(self) -> Path:
        """The file; not asked for before Datasette is whole."""
        return web.private(self.datasette) / f"{look_ups.NAME}.db"

    def files(self) -> dict[str, Path]:
        """The databases that a look-up may be answered from."""
        return {name: Path(db.path) for name, db in web.course_databases(self.datasette).items()}

    async def recorded(self, row: dict, scope: dict) -> bool:
        """Queue the line, if it is one. False: there is no room for it, so the answer must not be shown."""
        actor = await web.actor_of(self.datasette, scope)
        row = await self.completed(row, actor)
        if row is None:
            return True
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        row = {"time_utc": now, **row, **who(self.datasette, scope, actor), "came_from": came_from(scope)}
        return self.record.put(row) or await asyncio.to_thread(self.record.put, row, PATIENCE_S)

    async def completed(self, row: dict, actor: dict | None) -> dict | None:
        """The line, where a table or a question tells of people; None where it does not."""
        if not (name := row.get("open")):
            return row
        db = self.datasette.databases[row["database"]]
        query = None if "key" in row else await self.datasette.get_canned_query(db.name, name, actor)
        if query:
            names = ABOUT_PEOPLE & set(query.get("params") or ())
            return row if names or await self.answer_columns(db, query["sql"]) & {*PERSONAL, "fullname"} else None
        row = {**row, "what": f"table {name}", "table": name}
        if "key" not in row:
            row.update(dict.fromkeys(whom.IDS))  # a table does not read them
        if SEARCH.fullmatch(name) or PERSONAL & set(await db.table_columns(name)):
            return row
        return {**row, "what": "SQL"} if row.get("sql") else None

    async def answer_columns(self, db: Database, sql: str) -> set[str]:
        """The columns of a question's answer, looked up once."""
        if (db.name, sql) not in self.columns:
            self.columns[db.name, sql] = await db.execute_fn(lambda conn: columns_of(conn, sql))
        return self.columns[db.name, sql]


def columns_of(conn: sqlite3.Connection, sql: str) -> set[str]:
    """The columns of an answer, without its rows. What cannot be told counts as telling of people."""
    given = dict.fromkeys(re.findall(r":(\w+)", sql), "")
    try:
        with sqlite_timelimit(conn, 1000):
            cursor = conn.execute(f"select * from ({sql.strip().rstrip(';')}\n) limit 0", given)
    except (sqlite3.Error, sqlite3.Warning):
        return {"person"}
    return {column[0] for column in cursor.description}


def who(datasette: Datasette, scope: dict, actor: dict | None) -> dict:
    """Who asks and by what: a token that was verified before us, or a session."""
    if token := scope.get(web.TOKEN):
        known = {"token": str(token["id"]), "token_name": str(token["name"])}
        return {"actor": str(token["user"]), "signed_in_by": "token", **known}
    session = web.session(datasette, scope)
    by_header = visitor.by_header(datasette, scope)
    how = "header" if by_header else "link" if session.get("link") else "session" if session else "other"
    return {"actor": str((actor or {}).get("id")), "signed_in_by": how}


def came_from(scope: dict) -> str | None:
    """Where the browser says it was led from: ourselves, the address bar, or a site, of which no page is kept."""
    headers = {name: value.decode("latin-1").lower() for name, value in scope["headers"]}
    said = headers.get(b"sec-fetch-site")
    if said in ("same-origin", "none"):
        return "coursette" if said == "same-origin" else "address bar"
    site = re.match(r"[a-z]+://[^/?#]+", headers.get(b"origin") or headers.get(b"referer") or "")
    if site and MOODLE.fullmatch(site[0]):
        return "coursette" if site[0].partition("://")[2] == headers.get(b"host") else site[0]
    return "another site" if said or b"origin" in headers else None


def recorder_of(datasette: Datasette) -> Recorder:
    """One for each Datasette, however often it makes its app."""
    if not hasattr(datasette, "_coursette_recorder"):
        datasette._coursette_recorder = Recorder(datasette)
    return datasette._coursette_recorder


async def refuse(datasette: Datasette, scope: dict, send: Callable, sentence: str, status: int) -> None:
    request = Request({**scope, "csrftoken": lambda: ""}, None)
    request.scope["actor"] = await web.actor_of(datasette, scope)
    await (await web.refuse(datasette, request, sentence, status)).asgi_send(send)


def recording(datasette: Datasette, row: dict, scope: dict, send: Callable) -> Callable:
    """`send`, before whose first byte the look-up is on record: what is not, is not shown."""
    refused = False

    async def send_after_recording(message: dict) -> None:
        nonlocal refused
        shown = message["type"] == "http.response.start" and is_shown(row, message["status"])
        if shown and not await recorder_of(datasette).recorded(row, scope):
            refused = True
            await refuse(datasette, scope, send, SENTENCE, 503)
        if not refused:
            await send(message)

    return send_after_recording


def is_shown(row: dict, status: int) -> bool:
    """Whether an answer tells something: to find somebody is to be led to their page."""
    return status in SHOWN or (row["what"] == "find" and status == 302)


def closing(datasette: Datasette, receive: Callable) -> Callable:
    """`receive`, that writes what waits when the server stops; by then every answer is out."""

    async def receive_and_close() -> dict:
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            await asyncio.to_thread(recorder_of(datasette).record.close)
        return message

    return receive_and_close


async def is_let_in(datasette: Datasette, scope: dict, send: Callable) -> bool:
    """To the record itself: nobody by a token; others find what was shown before them already written."""
    if names_of(web.path_of(datasette, scope))[0][0] != look_ups.NAME:
        return True
    if scope.get(web.TOKEN):
        await refuse(datasette, scope, send, "The record of look-ups is for its owner, signed in.", 403)
        return False
    await asyncio.to_thread(recorder_of(datasette).record.flush, PATIENCE_S)
    return True


@hookimpl(tryfirst=True)  # next to Datasette itself, so that whatever verified a token or a session came before
def asgi_wrapper(datasette):
    recorder_of(datasette)

    def wrap(app):
        async def recorded(scope, receive, send):
            if scope["type"] == "lifespan":
                receive = closing(datasette, receive)
            elif scope["type"] == "http":
                if not await is_let_in(datasette, scope, send):
                    return
                if row := look_up(datasette, scope):
                    send = recording(datasette, row, scope, send)
            await app(scope, receive, send)

        return recorded

    return wrap
