"""The course page: weeks, who needs a look, activities by section, every question. And the completion grid."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Request, Response

from loaders import (
    class_chart,
    completion_grid,
    course_summary,
    moodle_links,
    needs_a_look,
    own_groups,
    question_links,
    usage,
    web,
)

ON_PAPER = 40  # columns of the grid that a sheet has room for
# Of an activity: what a link is called, the question it leads to, and the count that tells whether there is anybody.
WHO_NOT = (("who_not", "never_opened", "students"), ("who_has_not", "not_completed", "completed"))


async def course_page(datasette: Datasette, request: Request) -> Response:
    """`/-/course?course=[&site=][&db=][&group=]`."""
    database, course, narrowed = await find_course(datasette, request)
    queries = await questions(datasette, request, database)
    found = await web.ask(datasette, database, course_summary.summary, course, narrowed, sql_of(queries))
    group = needs_a_look.group_text(narrowed.groups)
    links = {query["name"]: question_links.link(datasette, database, query, course, group=group) for query in queries}
    lead_on(datasette, database, course, found, group, {query["name"]: query for query in queries})
    context = {
        **found,
        "groups": offered(request, found["groups"]),
        "title": title(course),
        "chart": class_chart.chart(found["weeks"]),
        "notes": notes(found["needs_a_look"]),
        "questions": question_links.under_headings(list(links.values())),
        "fields": fields(course, database),
        **addresses(datasette, database, course, narrowed),
    }
    return await web.page(datasette, request, "coursette_course.html", context)


def lead_on(datasette: Datasette, database: str, course: dict, found: dict, group: str, queries: dict) -> None:
    """Add to what was found where it leads: to the question behind a count, to Moodle, to who has not (WHO_NOT)."""
    for finding in found["needs_a_look"]:
        query, asked = queries[finding["question"]], {"group": group, **finding["given"]}
        finding["href"] = question_links.link(datasette, database, query, course, **asked)["href"]
    for row in (row for section in found["sections"] for row in section["activities"]):
        row["href"] = moodle_links.activity(course, row)
        asked = {"activity": str(row["cmid"] or row["name"] or ""), "group": group}
        for name, key, count in (
            ("who_not", "never_opened", "students"),
            ("who_has_not", "not_completed", "completed"),
        ):
            who = queries.get(key) if may_lack(row, count, found["students"]) else None
            row[name] = who and question_links.link(datasette, database, who, course, **asked)["href"]


def offered(request: Request, groups: list[dict]) -> list[dict]:
    """The groups that this visitor may choose from."""
    return [row for row in groups if own_groups.is_offered(request.actor, row["value"], row["name"])]


def may_lack(row: dict, count: str, students: int) -> bool:
    """Whether there is somebody who has not opened (or completed) an activity, as far as that is known."""
    return row[count] is not None and row[count] < students and not row["is_deleted"]


async def course_json(datasette: Datasette, request: Request) -> Response:
    """`/-/course.json`: what course_summary.summary says."""
    database, course, narrowed = await find_course(datasette, request)
    queries = await questions(datasette, request, database)
    found = await web.ask(datasette, database, course_summary.summary, course, narrowed, sql_of(queries))
    return Response.json({"ok": True, **found}, headers=dict(web.OWN_PAGE))


async def completion_page(datasette: Datasette, request: Request) -> Response:
    """`/-/completion?course=[&group=][&section=][&sort=][&site=][&db=]`."""
    database, course, narrowed, found = await find_grid(datasette, request)
    at = addresses(datasette, database, course, narrowed)
    section = found["section"]
    context = {
        **found,
        **at,
        "title": title(course),
        "groups": offered(request, await web.ask(datasette, database, course_summary.groups, course, narrowed)),
        "headings": [row for row in found["sections"] if section in ("", row["key"])],
        "name_sort": sorting(found, "name", at["grid"], section),
        "done_sort": sorting(found, "done", at["grid"], section),
        "sorts": [sorting(found, row["key"], at["grid"], section) for row in found["activities"]],
        "who_not": await who_not(datasette, request, database, course, narrowed, found),
        "forms": {kind: f"{at[kind]}&{narrowed_to(section, found['sort'])}" for kind in ("json", "csv")},
        "fields": {**fields(course, database), "sort": found["sort"]},
        "on_paper": ON_PAPER,
    }
    return await web.page(datasette, request, "coursette_grid.html", context)


async def who_not(
    datasette: Datasette, request: Request, database: str, course: dict, narrowed: usage.Filters, found: dict
) -> list[str | None]:
    """For each activity of the grid the address of who has not completed it; None where nothing is known of it."""
    asked = {query["name"]: query for query in await questions(datasette, request, database)}
    group, query = needs_a_look.group_text(narrowed.groups), asked.get("not_completed")

    def address(row: dict) -> str:
        activity = str(row["cmid"] or row["name"] or "")
        return question_links.link(datasette, database, query, course, activity=activity, group=group)["href"]

    return [address(row) if query and row["completed"] is not None else None for row in found["activities"]]


async def completion_json(datasette: Datasette, request: Request) -> Response:
    """`/-/completion.json`: what completion_grid.grid says."""
    *_, found = await find_grid(datasette, request)
    return Response.json({"ok": True, **found}, headers=dict(web.OWN_PAGE))


async def completion_csv(datasette: Datasette, request: Request) -> Response:
    """`/-/completion.csv`: a row per student, a column per activity."""
    _, course, _, found = await find_grid(datasette, request)
    if found["why"]:
        raise web.Refusal(found["why"])
    name = f"completion-{course['moodle_id'] or course['id']}"
    return await asyncio.to_thread(lambda: web.csv_response(name, *completion_grid.table(found)))


async def find_course(datasette: Datasette, request: Request) -> tuple[str, dict, usage.Filters]:
    """(database, course, filter) asked for; raises web.Refusal where it has no such group: that is not nobody."""
    narrowed = usage.Filters(groups=[group for group in request.args.getlist("group") if group])
    database, course = await web.find_course(datasette, request)
    await web.ensure_tables(datasette, request, database, "people", "enrolments", "completions")
    if narrowed.groups and (unknown := await web.ask(datasette, database, usage.unknown_groups, course, narrowed)):
        raise web.Refusal(f"{unknown[:1].upper()}{unknown[1:]}.")
    return database, course, narrowed


async def find_grid(datasette: Datasette, request: Request) -> tuple[str, dict, usage.Filters, dict]:
    """The same and the grid; raises web.Refusal where it is to be sorted or narrowed by something unknown."""
    database, course, narrowed = await find_course(datasette, request)
    wanted = {name: request.args.get(name) or "" for name in ("section", "sort")}
    found = await web.ask(datasette, database, completion_grid.grid, course, narrowed, **wanted)
    if found is None:
        raise web.Refusal(
            "section is the number of a section with tracked activities; sort is name, done or the Moodle id of a "
            "tracked activity in it, with - before it for the other way round.",
            400,
        )
    return database, course, narrowed, found


async def questions(datasette: Datasette, request: Request, database: str) -> list[dict]:
    """The questions about a course that this visitor may ask."""
    queries = await question_links.questions(datasette, request, database)
    return [query for query in queries if "course" in query.get("params", [])]


def sql_of(queries: list[dict]) -> dict[str, str]:
    """{name: SQL}."""
    return {query["name"]: query["sql"] for query in queries}


def notes(findings: list[dict]) -> list[str]:
    """Why some of the questions cannot be answered, each reason once, as a sentence."""
    said = dict.fromkeys(finding["note"] for finding in findings if finding["note"])
    return [f"{note[:1].upper()}{note[1:]}." for note in said]


def title(course: dict) -> str:
    """What the course is called."""
    return course["fullname"] or course["shortname"] or f"Course {course['moodle_id'] or ''}".strip()


def fields(course: dict, database: str) -> dict[str, Any]:
    """What a form says again of the course it is about."""
    return {"course": course["moodle_id"] or "", "site": course["site"] or "", "db": database}


def addresses(datasette: Datasette, database: str, course: dict, narrowed: usage.Filters) -> dict[str, str]:
    """Where else the same course is: its page, its grid, a student's page (our key goes behind), and as data."""
    ids = fields(course, database)
    same = urlencode([*ids.items(), *(("group", group) for group in narrowed.groups)])
    student = urlencode({"course": ids["course"], "db": database, "person": ""})
    return {
        "page": datasette.urls.path(f"/-/course?{same}"),
        "page_json": datasette.urls.path(f"/-/course.json?{same}"),
        "grid": datasette.urls.path(f"/-/completion?{same}"),
        "json": datasette.urls.path(f"/-/completion.json?{same}"),
        "csv": datasette.urls.path(f"/-/completion.csv?{same}"),
        "student": datasette.urls.path(f"/-/student?{student}"),
    }


def sorting(found: dict, by: str, address: str, section: str) -> dict:
    """A column's header: where its link leads (the other way round, once sorted by it), and what `aria-sort` says."""
    order = completion_grid.Order.asked(found["sort"])
    is_by, falling = order.by == by, order.by == by and order.falling
    next_one = completion_grid.Order(by, is_by and not falling)
    aria = ("descending" if falling else "ascending") if is_by else None
    return {"href": f"{address}&{narrowed_to(section, str(next_one))}", "aria": aria}


def narrowed_to(section: str, sort: str) -> str:
    """A section, where one is chosen, and an order, as an address says them."""
    return urlencode({**({"section": section} if section else {}), "sort": sort})


@hookimpl
def register_routes():
    return [
        (r"^/-/course$", course_page),
        (r"^/-/course\.json$", course_json),
        (r"^/-/completion$", completion_page),
        (r"^/-/completion\.json$", completion_json),
        (r"^/-/completion\.csv$", completion_csv),
    ]
