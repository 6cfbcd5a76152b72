"""Answers for a Moodle page: every activity's use at once, who has and has not opened one, who is in the course.

With the use go the numbers of the teacher's own questions that are shown beside activities.
"""

from __future__ import annotations

import asyncio
import re
from functools import partial

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Request, Response

from loaders import access, activity_numbers, answers, gone, placing, usage, web

BREAK = re.compile(r"-?\d{1,6}\.\d{1,4}")


async def usage_json(datasette: Datasette, request: Request) -> Response:
    """`/-/usage.json`: what usage.usage says, narrowed by group, week and student, and `numbers`."""
    narrowed = filters(request)
    database, course = await find_course(datasette, request, narrowed)
    found, own = await asyncio.gather(
        web.ask(datasette, database, usage.usage, course, narrowed),
        numbers(datasette, request, database, course, narrowed),
    )
    return Response.json({**found, "numbers": own}, headers=dict(web.OWN_PAGE))


async def numbers(
    datasette: Datasette, request: Request, database: str, course: dict, narrowed: usage.Filters
) -> list[dict]:
    """The answers of questions with `show: activity`: `name`, `title`, `honoured` and `ignored` (filters in force that
    each does and does not follow), `activities` ({cmid: {number, words}}), `error` (why not, or not all; else None).
    """
    person = None
    if narrowed.student or narrowed.person:
        ids = {"user": narrowed.student, "person": narrowed.person}
        person = await web.ask(datasette, database, answers.person, course, **ids)
    given = partial(activity_numbers.given, course, narrowed, person)
    found = await placing.answers(datasette, request.actor, database, "activity", given)
    return [
        {
            "name": answer.name,
            "title": answer.title,
            **activity_numbers.followed(answer.params, narrowed, person),
            **await number(datasette, database, course, answer),
        }
        for answer in found
    ]


async def number(datasette: Datasette, database: str, course: dict, answer: placing.Answer) -> dict:
    """`activities` and `error` of one of them."""
    try:
        activities = activity_numbers.by_activity(answer)
    except activity_numbers.Odd as odd:
        return {"activities": {}, "error": str(odd)}
    kept = await web.ask(datasette, database, activity_numbers.without_names, course, activities)
    return {
        "activities": kept,
        "error": None if kept == activities else f"{answer.file}: {activity_numbers.NAMES_WITHHELD}.",
    }


async def access_json(datasette: Datasette, request: Request) -> Response:
    """`/-/access.json`: who has and who has not, narrowed likewise."""
    narrowed = filters(request)
    database, course = await find_course(datasette, request, narrowed)
    await web.ensure_tables(datasette, request, database, "people", "enrolments")
    of = {name: request.args.get(name) or "" for name in ("activity", "part")}
    found = await web.ask(datasette, database, access.access, course, narrowed, **of)
    if found is None:
        raise web.Refusal("This activity is not known here: name it with activity=42 or part=chapter:7.")
    return Response.json(found, headers=dict(web.OWN_PAGE))


async def people_json(datasette: Datasette, request: Request) -> Response:
    """`/-/people.json`: who is in the course."""
    database, course = await web.find_course(datasette, request)
    await web.ensure_tables(datasette, request, database, "people", "enrolments")
    found = await web.ask(datasette, database, access.people, course)
    return Response.json(found, headers=dict(web.OWN_PAGE))


async def find_course(datasette: Datasette, request: Request, narrowed: usage.Filters) -> tuple[str, dict]:
    """(database, course) asked for; raises web.Refusal where it has no such group or student: that is not nobody."""
    database, course = await web.find_course(datasette, request)
    if await web.ask(datasette, database, usage.is_unknown, course, narrowed):
        await gone.refuse(datasette, database, course, narrowed.student)
        raise web.Refusal("No such student is enrolled in this course: student is Moodle's id, person our own key.")
    if narrowed.groups and (unknown := await web.ask(datasette, database, usage.unknown_groups, course, narrowed)):
        raise web.Refusal(f"{unknown[:1].upper()}{unknown[1:]}.")
    return database, course


def filters(request: Request) -> usage.Filters:
    """What the address narrows the numbers to; raises web.Refusal where it is no number or no known word."""
    together = request.args.get("together") or "any"
    if together not in ("any", "all"):
        raise web.Refusal("together is any or all.", 400)
    return usage.Filters(
        groups=[group for group in request.args.getlist("group") if group],
        together=together,
        from_week=week(request, "from_week"),
        to_week=week(request, "to_week"),
        student=request.args.get("user") or request.args.get("student") or "",
        person=request.args.get("person") or "",
    )


def week(request: Request, name: str) -> float | None:
    """A teaching week from the address (4.5 for a break without a number of its own), or None."""
    text = request.args.get(name) or ""
    try:
        return (float if BREAK.fullmatch(text) else int)(text) if text else None
    except ValueError:
        raise web.Refusal(f"{name} is the number of a teaching week.", 400) from None


@hookimpl
def register_routes():
    return [
        (r"^/-/usage\.json$", usage_json),
        (r"^/-/access\.json$", access_json),
        (r"^/-/people\.json$", people_json),
    ]
