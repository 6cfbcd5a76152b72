"""The form above an answer: courses, groups and activities to choose from, words for the rest; no script."""

from __future__ import annotations

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Request

from loaders import answers

WORDS = {
    "course": "Course",
    "group": "Group",
    "activity": "Activity",
    "student": "Student",
    "person": "Our own key of a person",
    "site": "Site",
    "from_week": "From week",
    "to_week": "To week",
    "days": "Days away",
    "pct": "Less than per cent",
}
HINTS = {"student": "name or Moodle id", "days": "14", "pct": "50"}
SELDOM = ("site", "person")  # shown only when they decide something


@hookimpl
def extra_template_vars(template, database, view_name, request, datasette):
    """`fields` for templates/query.html: a row per parameter of the question asked."""

    async def added():
        path = request.url_vars.get("table") if request else None
        if view_name not in ("query", "table") or not path or not database:
            return {}
        query = await datasette.get_canned_query(database, path, request.actor)
        known = query and "course" in query.get("params", []) and database in datasette.databases
        if not known or not set(await datasette.databases[database].table_names()) >= answers.TABLES:
            return {}
        return {"fields": await fields(datasette, request, database, query["params"]), "is_hidden": is_hidden}

    return added


async def fields(datasette: Datasette, request: Request, database: str, names: list[str]) -> list[dict]:
    """Each parameter: `name`, `words`, `value`, `hint`, `hidden`, and `options` ([heading, [(value, words)]])."""
    db = datasette.databases[database]
    course, site = request.args.get("course") or "", request.args.get("site") or ""
    choices = await db.execute_fn(lambda conn: answers.choices(conn, course, site))
    return [field(name, request.args.get(name) or "", choices) for name in names]


def field(name: str, value: str, choices: dict) -> dict:
    """One parameter of the form."""
    options = choices.get(name) or []
    listed = {str(option[0]) for _, group in options for option in group}
    if options and value and value not in listed:
        options = [("As asked", [(value, value)]), *options]
    seldom = name in SELDOM and (not value or name == "site") and not (name == "site" and choices["sites"] > 1)
    hidden = seldom or (name == "course" and len(listed) < 2 and value in ("", *listed))
    hint = HINTS.get(name, "")
    return {
        "name": name,
        "words": WORDS.get(name, name),
        "value": value,
        "hint": hint,
        "hidden": hidden,
        "options": options,
    }


def is_hidden(columns: list[str], rows: list[list]) -> list[bool]:
    """Which columns say nothing to a reader: empty in every row, for charts only, UTC beside course time."""

    def silent(index: int, name: str) -> bool:
        twin = name.removesuffix("_utc") + "_local"
        spare = name == "label" or (name.endswith("_utc") and twin in columns)
        return spare or all(str(row[index]).strip() in ("", "&nbsp;") for row in rows)

    return [silent(index, name) for index, name in enumerate(columns)]
