"""A question as a colleague gets it: asked on the server with the teacher's rights, then without what is about few.

No SQL, no link and no name leaves here. Plugins cannot import one another, so their pages meet here.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from datasette.app import Datasette
from datasette.database import QueryInterrupted
from datasette.utils.asgi import Request

from loaders import (
    accounts,
    answers,
    asked,
    choices,
    question_data,
    roles,
    share_choices,
    shares,
    small_counts,
    steps,
    veil,
    web,
)
from loaders.names import fold

READERS = (roles.COLLEAGUE, roles.TUTOR)  # of accounts that a question can be shared with
NOT_HERE = "Nothing is shared with you at this address: it was withdrawn, has ended, or never was."
BROKEN = "What is shared cannot be read or written: is private/shares.db damaged, or the disk full?"
TOO_SLOW = "This takes too long to work out: whoever shared it can narrow it down."
FAILED = "This cannot be worked out any more: tell whoever shared it."
TOO_MANY = "There are too many rows: whoever shared it can narrow it down."
NAMED = "A person's name, address or number stands in this answer, so that it is not shown."
FEW_OTHERS = "All but under 5 students are in this group, so that what these few did could be worked out."
ADVICE = " Next: "  # begins, in a description, what the teacher may do with her students
OF_A_PACK = (
    "Somebody else wrote this question: make it your own first (`coursette query new mine --from ...`), and look at"
    " what it shows."
)
CHANGED = "This question was changed after it was shared: whoever shared it can look at it and share it again."
LONG = 6  # letters or digits of an id or a name that no other word has by chance
MODEL = "moodle"


# ---- Who ----


def may_share(datasette: Datasette, request: Request) -> bool:
    """Whether this visitor is a teacher in a session of hers: never by a token."""
    name = (request.actor or {}).get("id")
    return bool(name) and role(datasette, request.actor) == roles.TEACHER and not request.scope.get(web.TOKEN)


def role(datasette: Datasette, actor: dict) -> str:
    """The role that the account has now; of who has none here, what is said of them."""
    account = next((row for row in web.known_accounts(datasette) if row["name"] == actor["id"]), None)
    return roles.role(accounts.actor(account) if account else actor)


def readers(datasette: Datasette) -> list[str]:
    """The accounts that a question can be shared with."""
    return [row["name"] for row in web.known_accounts(datasette) if roles.role(accounts.actor(row)) in READERS]


async def ask(datasette: Datasette, question: Callable, *args: Any, **kwargs: Any) -> Any:
    """What a function of shares.py answers, off the event loop. Raises web.Refusal with its sentence."""
    path = shares.file(web.private(datasette))
    try:
        return await asyncio.to_thread(shares.use, path, question, *args, **kwargs)
    except shares.Refused as refused:
        raise web.Refusal(str(refused), 400) from refused
    except (sqlite3.Error, OSError) as error:
        raise web.Refusal(BROKEN, 503) from error


# ---- Which question ----


async def question(datasette: Datasette, database: str, name: str, actor: dict) -> dict | None:
    """The canned query of this name with its `database`, where this teacher may see it; else None."""
    if database not in web.course_databases(datasette):
        return None
    query = await datasette.get_canned_query(database, name, actor)
    rules = [("view-query", (database, name)), ("view-database", database), "view-instance"]
    if not query or query.get("write") or not (await datasette.check_visibility(actor, permissions=rules))[0]:
        return None
    return {"params": [], **query, "database": database}


async def why_not(datasette: Datasette, query: dict) -> str:
    """Why this question cannot be shared; empty where it can."""
    if query.get("pack"):
        return OF_A_PACK
    columns = await web.ask(datasette, query["database"], _columns, query["sql"])
    return small_counts.why_not(query.get("aggregate"), columns, query["params"])


def fingerprint(query: dict) -> str:
    """What an own question asks and counts, as a hash: whatever is in its file tomorrow is not what was shared."""
    if not query.get("file"):
        return ""  # Coursette's own change with Coursette
    return hashlib.sha256(json.dumps([query["sql"], query.get("aggregate")], sort_keys=True).encode()).hexdigest()


def _columns(conn: sqlite3.Connection, sql: str) -> list[str]:
    given = dict.fromkeys(re.findall(r":(\w+)", sql), "")
    try:
        found = conn.execute(f"select * from (\n{sql.strip().rstrip(';')}\n) limit 0", given)
    except sqlite3.Error:
        return []
    return [column[0] for column in found.description]


def parameters(query: dict, given: Mapping[str, str]) -> dict[str, str]:
    """What was chosen of a question's parameters; raises web.Refusal for what is no number but has to be."""
    found = {name: (given.get(name) or "").strip() for name in query["params"]}
    if wrong := asked.wrong(query, found):
        raise web.Refusal(" ".join(wrong.values()), 400)
    return {name: value for name, value in found.items() if value}


async def settled(datasette: Datasette, query: dict, chosen: dict[str, str]) -> dict[str, str]:
    """The same with the course that is meant now: when another is loaded, the share is still about this one."""
    course = await web.ask(
        datasette, query["database"], answers.course, chosen.get("course", ""), chosen.get("site", "")
    )
    if course is None:
        raise web.Refusal("No course is loaded yet: there is nothing to share.", 400)
    said = {"course": course["moodle_id"], "site": course["site"]}
    return chosen | {name: str(value) for name, value in said.items() if value and name in query["params"]}


# ---- Its answer ----


async def answer(datasette: Datasette, share: dict, given: Mapping[str, str]) -> dict:
    """What a reader of this share sees (see _answer), whoever it is: a tutor's groups are not all students, and behind
    pseudonyms no name is found."""
    before = veil.current.set(None)
    try:
        return await _answer(datasette, share, given)
    finally:
        veil.current.reset(before)


async def _answer(datasette: Datasette, share: dict, given: Mapping[str, str]) -> dict:
    """What a reader of this share sees. Raises web.Refusal with a sentence.

    `columns` and `rows` (lists; small_counts.HIDDEN stands for what is about few), `note` (a sentence instead of rows),
    `title`, `description`, `chart`, `course` (ids, for the record), `chosen` ([(words, value)]), `fields` (of the form;
    see share_choices.py), `fresh`, `hidden` (how many rows).
    """
    query = await _of_maker(datasette, share)
    try:
        found = await web.ask(datasette, share["database"], _place, share, query, given, _steps(datasette, share))
    except share_choices.Refused as refused:
        raise web.Refusal(str(refused), 400) from refused
    columns, rows, note = await _asked(datasette, query, found["given"])
    if not note:
        columns, rows = _without_few(columns, rows, query, found)
    words = [
        *(str(cell) for row in rows for cell in row if _may_name(cell)),
        note or "",
        *dict(found["chosen"]).values(),
    ]
    if await web.ask(datasette, share["database"], names_somebody, words):
        raise web.Refusal(NAMED, 403)
    number = sum(small_counts.HIDDEN in row for row in rows)
    said = {"description": (query.get("description") or "").partition(ADVICE)[0], "chart": query.get("chart")}
    return {**found, **said, "title": share["title"], "columns": columns, "rows": rows, "note": note, "hidden": number}


async def _of_maker(datasette: Datasette, share: dict) -> dict:
    """The question, as long as whoever shared it has an account that may ask it, and it may be shared."""
    maker = next((row for row in web.known_accounts(datasette) if row["name"] == share["maker"]), None)
    actor = accounts.actor(maker) if maker else {"id": accounts.ROOT} if share["maker"] == accounts.ROOT else {}
    query = None
    if actor and role(datasette, actor) == roles.TEACHER:
        query = await question(datasette, share["database"], share["query"], actor)
    if query is None:
        raise web.Refusal(NOT_HERE)
    if why := await why_not(datasette, query):
        raise web.Refusal(why, 403)
    if fingerprint(query) != share["fingerprint"]:
        raise web.Refusal(CHANGED, 403)
    return query


def _steps(datasette: Datasette, share: dict) -> str:
    known = (datasette._metadata_local or {}).get("databases") or {}
    return (known.get(share["database"]) or known.get(MODEL) or {}).get("steps") or ""


def _place(conn: sqlite3.Connection, share: dict, query: dict, given: Mapping[str, str], known: str) -> dict:
    """What is asked for, how many students it is about, and how fresh it is."""
    free = [name for name in share["free"] if name in query["params"]]
    found, fields = share_choices.chosen(conn, free, share["parameters"], given)
    whole = {**dict.fromkeys(query["params"], ""), **{name: found.get(name, "") for name in query["params"]}}
    course = answers.course(conn, whole.get("course", ""), whole.get("site", ""))
    return {
        "given": whole,
        "students": _students(conn, whole, known),
        "class": _students(conn, {**whole, "group": ""}, known),
        "course": {"course": course["moodle_id"], "site": course["site"]},
        "course_name": course["fullname"] or course["shortname"] or f"Course {course['moodle_id']}",
        "chosen": _chosen(conn, query, course, {name: whole[name] for name in share["parameters"] if name not in free}),
        "fields": fields,
        "fresh": question_data.fresh(conn, course, query["sql"]),
    }


def _chosen(conn: sqlite3.Connection, query: dict, course: dict, fixed: Mapping[str, str]) -> list[tuple[str, str]]:
    """(what it is called, its value in words) of what the teacher chose, besides the course."""
    words, found = asked.words(query), []
    for name, value in fixed.items():
        if name not in ("course", "site"):
            listed = choices.list_of(name, query.get("choices") or {})
            options = choices.of_course(conn, course, {listed}).get(listed) or []
            names = {str(key): said for _, group in options for key, said in group}
            found.append((words[name], names.get(value, value)))
    return found


def _students(conn: sqlite3.Connection, given: Mapping[str, str], known: str) -> int:
    """How many students the course has, in the group asked for."""
    sql = steps.whole("select coalesce(students, 0) from class", steps.known(known))
    named = {name: given.get(name, "") for name in ("course", "site", "group")}
    return conn.execute(sql, named).fetchone()[0]


async def _asked(datasette: Datasette, query: dict, given: dict[str, str]) -> tuple[list[str], list[list], str | None]:
    """(columns, rows, None), or no rows and a sentence why there are none; under Datasette's own time limit."""
    try:
        found = await datasette.execute(query["database"], query["sql"], given, truncate=True)
    except QueryInterrupted as error:
        raise web.Refusal(TOO_SLOW, 503) from error
    except sqlite3.Error as error:
        raise web.Refusal(FAILED, 503) from error
    if found.truncated:
        raise web.Refusal(TOO_MANY, 400)
    rows = [list(row) for row in found.rows]
    place = found.columns.index("note") if "note" in found.columns else -1
    if len(rows) == 1 and place >= 0 and rows[0][place]:
        return list(found.columns), [], str(rows[0][place])
    return list(found.columns), rows, None


def _without_few(columns: list[str], rows: list[list], query: dict, found: dict) -> tuple[list[str], list[list]]:
    if 0 < found["class"] - found["students"] < small_counts.LEAST:
        raise web.Refusal(FEW_OTHERS, 403)
    try:
        return small_counts.hidden(columns, rows, small_counts.rule(query["aggregate"]), found["students"])
    except small_counts.Refused as refused:
        raise web.Refusal(str(refused), 403) from refused


def _may_name(cell: Any) -> bool:
    """Text, and whole numbers long enough for an id number."""
    return isinstance(cell, str) or (isinstance(cell, int) and len(str(cell)) >= LONG)


def names_somebody(conn: sqlite3.Connection, texts: Iterable[str]) -> bool:
    """Whether a text is a name, email address, id number or user name of anybody in this file, or has one of a
    student's in it."""
    every = "\n".join(["", *dict.fromkeys(map(fold, texts)), ""])
    for *words, is_student in conn.execute(_PEOPLE):
        for word in {fold(word) for word in words if word and word.strip()}:
            if word not in every:
                continue
            within = is_student and len(word) >= LONG
            if f"\n{word}\n" in every or (within and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", every)):
                return True
    return False


_PEOPLE = """
select
    fullname,
    firstname || ' ' || lastname,
    email,
    idnumber,
    username,
    id in (select person_id from enrolments where role = 'student')
from people
"""
