"""Handing a student their own data from the page: for teachers in a session of theirs, never by a token.

Plugins cannot import one another, so the student page and the download meet here.
"""

from __future__ import annotations

from datasette.app import Datasette
from datasette.utils.asgi import Request

from loaders import noting, web

PATH = "/-/export-student"


def may(request: Request) -> bool:
    """Whether this visitor may take away everything on a student: a teacher, signed in."""
    actor = request.actor or {}
    return bool(actor) and actor.get("role", "teacher") == "teacher" and not request.scope.get(web.TOKEN)


def address(datasette: Datasette, request: Request, database: str, course: dict, person: dict) -> str | None:
    """Where the form of the student page leads; None for a visitor who has none."""
    return noting.address(datasette, database, course, person, PATH) if may(request) else None
