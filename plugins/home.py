"""The home page: the courses, how fresh each is, what is not loaded yet, the first questions to ask, and one's own."""

from __future__ import annotations

from pathlib import Path

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Request, Response

from loaders import accounts, answers, look_ups, noting, own_groups, own_questions, question_links, retention, veil, web

# What the page offers of each course; all of them are on the course's own page.
FIRST = (
    "student_profile",
    "never_opened",
    "not_completed",
    "away",
    "never_entered",
    "behind",
    "resource_usage",
    "weeks",
    "stopped_posting",
    "unanswered_posts",
)

MANY = 4  # courses: with more of them the questions are folded away


async def home(datasette: Datasette, request: Request) -> Response:
    """`/`: every course of every database with our tables."""
    await datasette.ensure_permissions(request.actor, ["view-instance"])
    names = await web.databases(datasette, request.actor)
    shelves = [await shelf(datasette, request, name) for name in names]
    files = [name for name, db in datasette.databases.items() if db.path and name not in names]
    others = [name for name in files if await question_links.may_see(datasette, request.actor, ("view-database", name))]
    context = {
        "shelves": [row for row in shelves if row["courses"]],
        "empty": [row["name"] for row in shelves if not row["courses"]],
        "is_long": sum(len(row["courses"]) for row in shelves) > MANY,
        "databases": names,
        "others": others,
        "record": await record(datasette, request),
        "is_teacher": own_questions.is_teacher(request.actor),
        "own_problems": own_questions.problems(datasette, request.actor, names),
        "has_notes": noting.may_note(request),
        "no_password": no_password(datasette, request.actor),
    }
    return await web.page(datasette, request, "index.html", context)


async def shelf(datasette: Datasette, request: Request, name: str) -> dict:
    """One database: its courses, each with its page and a few of the questions that can be asked of it."""
    every = await question_links.questions(datasette, request, name)
    own = [row for row in every if row.get("file") and not row.get("pack")]
    queries = [row for row in every if "course" in row.get("params", [])]
    first = [row for row in queries if row["name"] in FIRST] or queries[: len(FIRST)]
    courses = await web.ask(datasette, name, answers.courses)
    courses = await own_groups.with_hers(datasette, request.actor, name, courses)
    for course in courses:
        course["questions"] = [question_links.link(datasette, name, query, course) for query in first]
        course["own"] = [question_links.link(datasette, name, query, course) for query in own]
        course["more"] = len(queries) - len(first)
        course["missing"] = [] if veil.current.get() else course["missing"]  # what is hidden is not missing
        course["href"] = question_links.course_page(datasette, name, course)
    return {
        "name": name,
        "file": Path(datasette.databases[name].path).name,
        "courses": courses,
        "unmatched": await web.ask(datasette, name, answers.unmatched),
        "due": await web.ask(datasette, name, retention.due),
    }


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
