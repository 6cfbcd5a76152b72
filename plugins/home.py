"""The home page: the courses, how fresh each is, what is not loaded yet, and the first questions to ask."""

from __future__ import annotations

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Request, Response

from loaders import accounts, answers, look_ups, noting, question_links, web

# What the page offers of each course; all of them are on the course's own page.
FIRST = (
    "student_profile",
    "never_opened",
    "not_completed",
    "opened_not_completed",
    "away",
    "never_entered",
    "behind",
    "resource_usage",
    "weeks",
    "stopped_posting",
    "unanswered_posts",
)


async def home(datasette: Datasette, request: Request) -> Response:
    """`/`: every course of every database with our tables."""
    await datasette.ensure_permissions(request.actor, ["view-instance"])
    names = await web.databases(datasette, request.actor)
    shelves = [await shelf(datasette, request, name) for name in names]
    files = [name for name, db in datasette.databases.items() if db.path and name not in names]
    others = [name for name in files if await question_links.may_see(datasette, request.actor, ("view-database", name))]
    context = {
        "shelves": [row for row in shelves if row["courses"]],
        "databases": names,
        "others": others,
        "record": await record(datasette, request),
        "has_notes": noting.may_note(request),
        "no_password": no_password(datasette, request.actor),
    }
    return await web.page(datasette, request, "index.html", context)


async def shelf(datasette: Datasette, request: Request, name: str) -> dict:
    """One database: its courses, each with its page and a few of the questions that can be asked of it."""
    queries = await question_links.questions(datasette, request, name)
    queries = [row for row in queries if "course" in row.get("params", [])]
    first = [row for row in queries if row["name"] in FIRST] or queries[: len(FIRST)]
    courses = await web.ask(datasette, name, answers.courses)
    for course in courses:
        course["questions"] = [question_links.link(datasette, name, query, course) for query in first]
        course["more"] = len(queries) - len(first)
        course["href"] = question_links.course_page(datasette, name, course)
    return {"name": name, "courses": courses, "unmatched": await web.ask(datasette, name, answers.unmatched)}


async def record(datasette: Datasette, request: Request) -> list[dict]:
    """The questions over the record of look-ups, for its owner."""
    if look_ups.NAME not in datasette.databases:
        return []
    nowhere = {"moodle_id": None, "site": None}
    queries = await question_links.questions(datasette, request, look_ups.NAME)
    return [question_links.link(datasette, look_ups.NAME, query, nowhere) for query in queries]


def no_password(datasette: Datasette, actor: dict | None) -> bool:
    """True for an account that has only its sign-in link so far."""
    rows = accounts.accounts(web.private(datasette))
    return any(row["name"] == (actor or {}).get("id") and not row["hash"] for row in rows)


@hookimpl
def register_routes():
    return [(r"^/$", home)]
