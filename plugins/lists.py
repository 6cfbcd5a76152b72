"""For these students: their addresses to copy, a CSV for mail merge, a letter to each, and all of them in turn.

Below every answer with `person` and `email` (templates/coursette_people.html). Nothing is stored and nothing is sent.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Request, Response

from loaders import letters, people_lists, web

SCRIPT = Path(__file__).with_name("coursette_lists.js")
SCRIPTED = {**web.OWN_PAGE, "Content-Security-Policy": f"{web.STRICT}; script-src 'self'"}
COLUMNS = ("fullname", "firstname", "lastname", "email", "idnumber")
DRAFT = "Dear {first name},\n\n"


async def script() -> Response:
    """`/-/coursette_lists.js`: the buttons that copy."""
    headers = {"Cache-Control": "private, max-age=300"}
    return Response(SCRIPT.read_text("utf-8"), headers=headers, content_type="text/javascript; charset=utf-8")


async def letters_page(datasette: Datasette, request: Request) -> Response:
    """`POST /-/letters?db=&course=`: a letter to each of `people`, from `subject` and `letter`."""
    form, people = await asked(datasette, request)
    subject, text = form.get("subject") or "", form.get("letter") or ""
    if len(text) > letters.MOST_CHARACTERS or len(subject) > letters.MOST_OF_SUBJECT:
        raise web.Refusal(f"A letter here has {letters.MOST_CHARACTERS:,} characters at most: this one is longer.", 400)
    reached = [row for row in people if letters.is_address(row["email"])]
    _, left_out = letters.reached(people)
    written = letters.written(reached[: letters.MOST_LETTERS], subject, text)
    context = {
        "letters": written,
        "count": len(reached),
        "left_out": left_out,
        "unknown": letters.unknown(subject, text),
        "list": {
            "ids": people_lists.joined(row["person"] for row in people),
            "address": address(datasette, request.args),
        },
        "draft": {"subject": subject, "letter": text},
        "back": people_lists.local(form.get("back")),
    }
    answer = await web.page(datasette, request, "coursette_letters.html", context)
    answer.headers.update(SCRIPTED)
    return answer


async def as_csv(datasette: Datasette, request: Request) -> Response:
    """`POST /-/list.csv?db=&course=`: the names and addresses of `people`, for mail merge."""
    _, people = await asked(datasette, request)
    answer = web.csv_response("students", list(COLUMNS), [[row[name] for name in COLUMNS] for row in people])
    answer.body = "\ufeff" + answer.body  # or Word would misread every ü
    return answer


async def asked(datasette: Datasette, request: Request) -> tuple[dict, list[dict]]:
    """(what the form says, its people); raises web.Refusal."""
    await datasette.ensure_permissions(request.actor, ["view-instance"])
    if request.method != "POST":
        raise web.Refusal("Lists of students stand below the answer of a question.", 405)
    form, database = await request.post_vars(), request.args.get("db")
    keys = people_lists.keys(form.get("people"))
    if not keys or database not in await web.databases(datasette, request.actor):
        raise web.Refusal("Whom is this about? Open the question again, and start from its list.", 400)
    await web.ensure_tables(datasette, request, database, "people", "enrolments")
    return form, await web.ask(datasette, database, people_lists.people, keys)


def address(datasette: Datasette, ids: dict) -> dict[str, str]:
    """Where the forms of a list lead: `letters`, `csv`."""
    query = urlencode({key: ids.get(key) for key in ("db", "course") if ids.get(key)})
    return {
        kind: datasette.urls.path(f"/-/{page}?{query}") for kind, page in (("letters", "letters"), ("csv", "list.csv"))
    }


@hookimpl
def extra_template_vars(datasette, request, view_name):
    """`lists_of(columns, rows, database)` for templates/coursette_people.html: people_lists.lists with links."""

    async def added():
        if view_name not in ("query", "table") or not request:
            return {}
        open_to = await web.databases(datasette, request.actor)
        back = people_lists.local(request.path + (f"?{request.query_string}" if request.query_string else ""))
        gone = await gone_from(datasette, open_to)
        other = "?" + the_other_way(request)

        def lists_of(columns, rows, database):
            found = people_lists.lists(columns, rows, database, gone, bool(request.args.get(people_lists.WITH_GONE)))
            return [{**linked(datasette, each, back, each["db"] in open_to), "other": other} for each in found]

        return {"lists_of": lists_of, "letter_draft": {"subject": "", "letter": DRAFT}}

    return added


async def gone_from(datasette: Datasette, databases: list[str]) -> people_lists.Gone:
    """Who is no longer active in which course, as far as this visitor may see it."""
    found = {name: await web.ask(datasette, name, people_lists.gone) for name in databases}
    return {(name, course): people for name, courses in found.items() for course, people in courses.items()}


def the_other_way(request: Request) -> str:
    """This address with those who are no longer active in its lists, or without them."""
    asked = parse_qsl(request.query_string, keep_blank_values=True)
    kept = [pair for pair in asked if pair[0] != people_lists.WITH_GONE]
    return urlencode(kept if len(kept) < len(asked) else [*kept, (people_lists.WITH_GONE, "1")])


def linked(datasette: Datasette, found: dict, back: str | None, may_open: bool) -> dict:
    """A list with its links: `address`, `turn` (the first student's page), `back`; shown only where `may_open`."""
    order = [row["person"] for row in found["people"]][: people_lists.MOST_IN_TURN]
    if not order:
        return {**found, "may_open": False}
    kept = people_lists.carried({"turn": people_lists.joined(order), "back": back})
    ids = {"course": found["course"] or "", "person": order[0], "db": found["db"]}
    turn = datasette.urls.path(f"/-/student?{urlencode({**ids, **kept})}")
    return {
        **found,
        "address": address(datasette, found),
        "turn": turn,
        "in_turn": len(order),
        "back": back,
        "may_open": may_open,
    }


@hookimpl
def register_routes():
    return [
        (r"^/-/letters$", letters_page),
        (r"^/-/list\.csv$", as_csv),
        (r"^/-/coursette_lists\.js$", script),
    ]
