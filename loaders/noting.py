"""The teacher's notes for our pages: only for the owner, in a session of hers, and off the event loop.

Plugins cannot import one another, so the student page and the forms that write meet here.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from datasette.app import Datasette
from datasette.utils.asgi import Request

from loaders import noted, notes, people_lists, veil, web

FORMS, STUDENT = "/-/notes", "/-/student"
BROKEN = "Your notes cannot be read or written: is private/notes.db damaged, or the disk full?"


def may_note(request: Request) -> bool:
    """Whether this visitor has notes here: the owner, signed in; never by a token, nobody else, and
    not while names are hidden."""
    return web.is_owner(request.actor) and not request.scope.get(web.TOKEN) and veil.current.get() is None


async def ask(datasette: Datasette, question: Callable, *args: Any, **kwargs: Any) -> Any:
    """What a function of loaders/notes.py answers. Raises web.Refusal with its sentence."""
    path = notes.file(web.private(datasette))
    try:
        return await asyncio.to_thread(notes.use, path, question, *args, **kwargs)
    except notes.Refused as refused:
        raise web.Refusal(str(refused), 400) from refused
    except (sqlite3.Error, OSError) as error:
        raise web.Refusal(BROKEN, 503) from error


async def of_page(datasette: Datasette, request: Request, database: str, course: dict, person: dict) -> dict | None:
    """What templates/coursette_notes.html and coursette_mark.html show; None for a visitor who has no notes.

    notes.of_student, `action`, where the forms go, and `sentence`: why they cannot be read (the page is still whole).
    """
    if not may_note(request):
        return None
    nothing = {"notes": [], "nudges": [], "marks": {}, "sentence": ""}
    found = {**nothing, "action": address(datasette, database, course, person, FORMS, request.args)}
    try:
        who = await web.ask(datasette, database, noted.who, course, person)
        return {**found, **await ask(datasette, notes.of_student, who)}
    except web.Refusal as refused:
        return {**found, "sentence": refused.args[0]}


def address(
    datasette: Datasette, database: str, course: dict, person: dict, path: str, asked: Mapping | None = None
) -> str:
    """The address of a page of ours about this person in this course; in the turn of `asked`, if there is one."""
    ids = {"course": course["moodle_id"], "person": person["person"], "db": database}
    ids |= people_lists.carried(asked or {})
    return datasette.urls.path(f"{path}?{urlencode({key: value for key, value in ids.items() if value is not None})}")
