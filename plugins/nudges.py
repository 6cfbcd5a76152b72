"""Whom did I nudge, and did they come back? One row per nudge, for the owner only, as a page and as CSV."""

from __future__ import annotations

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Request, Response

from loaders import notes, noting, nudged, web

LISTED = 100
NOWHERE = {
    **nudged.UNKNOWN,
    "why": "in no course that is loaded",
    "so_far": 0,
    "timezone": "UTC",
    "data_up_to_utc": None,
}
COLUMNS = (
    "student", "moodle_id", "course", "course_name", "nudged_utc", "how", "about", "clicks_7_days_before",
    "clicks_that_day", "clicks_7_days_after", "back_on", "last_seen_utc", "notes", "remark",
)  # fmt: skip


async def page(datasette: Datasette, request: Request) -> Response:
    """`/-/nudges`: the newest of them."""
    rows, more = await listed(datasette, request, LISTED)
    context = {"rows": rows, "more": more, "days": nudged.DAYS, "csv": datasette.urls.path("/-/nudges.csv")}
    return await web.page(datasette, request, "coursette_nudges.html", context)


async def as_csv(datasette: Datasette, request: Request) -> Response:
    """`/-/nudges.csv`: all of them."""
    rows, _ = await listed(datasette, request)
    return web.csv_response("nudges", list(COLUMNS), [csv_row(row) for row in rows])


async def listed(datasette: Datasette, request: Request, most: int | None = None) -> tuple[list[dict], int]:
    """(nudges, newest first, with what the courses' databases say around each; how many older ones there are)."""
    await datasette.ensure_permissions(request.actor, ["view-instance"])
    if not noting.may_note(request):
        raise web.Refusal("Only the owner of this instance, signed in, has notes here.", 403)
    every = await noting.ask(datasette, notes.nudges)
    rows = every[:most]
    known: dict[int, dict] = {}
    for name in await web.databases(datasette, request.actor) if rows else []:
        for key, found in (await web.ask(datasette, name, nudged.beside, rows)).items():
            if key not in known or (known[key]["data_up_to_utc"] or "") < (found["data_up_to_utc"] or ""):
                known[key] = {**found, "href": student_page(datasette, name, found)}
    return [{**said(row), **known.get(row["id"], {})} for row in rows], len(every) - len(rows)


def said(row: dict) -> dict:
    """A nudge with what was known of the student when it was written."""
    student, course = row["student"], {"course": row["in_course"], "course_name": row["in_course_name"]}
    return {**NOWHERE, **row, **course, "fullname": student["fullname"], "moodle_id": student["moodle_id"]}


def student_page(datasette: Datasette, name: str, found: dict) -> str:
    course = {"moodle_id": found["course"]}
    return noting.address(datasette, name, course, found, noting.STUDENT) + "#details"


def csv_row(row: dict) -> list:
    """The values of COLUMNS."""
    remark = row["why"] or ("so far: the log ends within these days" if row["so_far"] else "")
    return [
        row["fullname"], row["moodle_id"], row["course"], row["course_name"], row["nudged_utc"], row["how"],
        row["about"], *(row[name] for name in nudged.CLICKS), row["last_seen_utc"], row["notes"], remark,
    ]  # fmt: skip


@hookimpl
def register_routes():
    return [(r"^/-/nudges$", page), (r"^/-/nudges\.csv$", as_csv)]
