"""The forms of the teacher's own notes on a student: they write private/notes.db and lead back to the student's page.

Nothing else on the server reads that file: it is none of Datasette's databases, in no JSON and in no CSV, and no token
opens it. (`coursette sql` joins it in the owner's own terminal.)
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Request, Response

from loaders import answers, look_ups, noted, notes, noting, web

# What a form asks for in `do`, and the fields that go with it.
DOES = {
    "add": (notes.add_note, ("text",)),
    "change": (notes.change_note, ("note", "text")),
    "delete": (notes.delete_note, ("note",)),
    "nudge": (notes.add_nudge, ("how", "about", "day")),
    "unnudge": (notes.delete_nudge, ("nudge",)),
    "mark": (notes.set_mark, ("about",)),
    "unmark": (notes.unset_mark, ("about",)),
}
KEYS = ("note", "nudge")  # fields that are our own keys
KEY = re.compile(r"\d{1,18}", re.ASCII)
PLACE = re.compile(r"[a-z][a-z0-9-]{0,40}")  # on the page, to come back to


async def change(datasette: Datasette, request: Request) -> Response:
    """`POST /-/notes?course=&person=&db=`: what a form of the student's page says, then that page again."""
    if not noting.may_note(request):
        raise web.Refusal("Only the owner of this instance, signed in, has notes here.", 403)
    if request.method != "POST":
        raise web.Refusal("Notes stand on the student's page.", 405)
    database, course, person = await whom(datasette, request)
    form = await request.post_vars()
    question, given = asked(form)
    if question is notes.add_nudge:
        given["zone"] = course["timezone"]
    who = await web.ask(datasette, database, noted.who, course, person)
    await noting.ask(datasette, question, who, **given)
    place = form.get("at") or ""
    back = noting.address(datasette, database, course, person, noting.STUDENT, request.args)
    headers = dict(web.OWN_PAGE)
    return Response.redirect(f"{back}#{place if PLACE.fullmatch(place) else 'details'}", status=303, headers=headers)


async def whom(datasette: Datasette, request: Request) -> tuple[str, dict, dict]:
    """(database, course, person) that the address of a form names; raises web.Refusal."""
    key = request.args.get("person") or ""
    database, course = await web.find_course(datasette, request, person=key)
    person = await web.ask(datasette, database, answers.person, course, person=key)
    if person is None:
        raise web.Refusal("This student is not known any more: find them again, and open their page anew.")
    return database, course, person


def asked(form: dict[str, str]) -> tuple:
    """(function of loaders/notes.py, what it is given) of a form; raises web.Refusal."""
    if (do := form.get("do") or "") not in DOES:
        raise web.Refusal("This form asks for nothing that is known here.", 400)
    question, fields = DOES[do]
    given: dict = {name: form.get(name) or "" for name in fields}
    for name in KEYS:
        if name in given and not KEY.fullmatch(given[name]):
            raise web.Refusal(notes.GONE, 400)
        given |= {name: int(given[name])} if name in given else {}
    return question, given


def on_day(utc: str, zone: str) -> str:
    """'Friday 20 March 2026' in the course's time zone."""
    local = datetime.fromisoformat(utc).astimezone(ZoneInfo(zone))
    return f"{local:%A} {local.day} {local:%B %Y}"


@hookimpl
def startup(datasette):
    # `datasette .`, or somebody's command line, may have found it; a copy of it too.
    for name, db in datasette.databases.items():
        if db.path and notes.is_notes(Path(db.path)):
            datasette.remove_database(name)
            look_ups.LOG.warning("%s holds private notes, and is not served.", db.path)


@hookimpl
def prepare_jinja2_environment(env):
    env.filters.update(on_day=on_day)


@hookimpl
def register_routes():
    return [(r"^/-/notes$", change)]
