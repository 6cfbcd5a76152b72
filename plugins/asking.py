"""The form above an answer: courses, groups and activities to choose from, words for the rest; no script."""

from __future__ import annotations

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Request

from loaders import answers, look_ups, web

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
    "field": "Field",
    "value": "Value",
    "at_least": "At least",
    "at_most": "At most",
}
HINTS = {"student": "name or Moodle id", "days": "14", "pct": "50", "value": "or how it begins", "at_least": "number"}
SELDOM = ("site", "person")  # shown only when they decide something


@hookimpl
def extra_template_vars(template, database, view_name, request, datasette):
    """`fields` for templates/query.html: a row per parameter of the question asked."""

    async def added():
        path = request.url_vars.get("table") if request else None
        if view_name not in ("query", "table") or not path or not database:
            return {}
        query = await datasette.get_canned_query(database, path, request.actor)
        if not query or "course" not in query.get("params", []):
            return {}
        choices = await choices_in(datasette, request, database)
        if choices is None:
            return {}
        for name, other in (query.get("choices") or {}).items():
            choices[name] = choices.get(other) or choices.get(name)  # all of them, where the shorter list is empty
        own = query.get("words") or {}, query.get("hints") or {}
        chosen = [field(name, request.args.get(name) or "", choices, *own) for name in query["params"]]
        return {"fields": chosen, "is_hidden": is_hidden}

    return added


async def choices_in(datasette: Datasette, request: Request, database: str) -> dict | None:
    """What can be chosen in questions to this database (answers.choices); the record is about all courses here."""
    has_courses = set(await datasette.databases[database].table_names()) >= answers.TABLES
    if not has_courses and database != look_ups.NAME:
        return None
    names = [database] if has_courses else await web.databases(datasette, request.actor)
    asked = request.args.get("course") or "", request.args.get("site") or ""
    each = [await web.ask(datasette, name, answers.choices, *asked) for name in names]
    if has_courses:
        return each[0]
    options = [option for row in each for _, group in row["course"] for option in group]
    return {"course": [("", options)] if options else [], "sites": max((row["sites"] for row in each), default=0)}


def field(name: str, value: str, choices: dict, words: dict, hints: dict) -> dict:
    """One parameter of a form: `name`, `words`, `value`, `hint`, `hidden`, `options` ([heading, [(value, words)]]).

    `words` and `hints` are the question's own, by parameter, as metadata.yml gives them.
    """
    options = choices.get(name) or []
    listed = {str(option[0]) for _, group in options for option in group}
    if options and value and value not in listed:
        options = [("As asked", [(value, value)]), *options]
    seldom = name in SELDOM and (not value or name == "site") and not (name == "site" and choices["sites"] > 1)
    hidden = seldom or (name == "course" and len(listed) < 2 and value in ("", *listed))
    return {
        "name": name,
        "words": words.get(name) or WORDS.get(name, name),
        "value": value,
        "hint": hints.get(name) or HINTS.get(name, ""),
        "hidden": hidden,
        "options": options,
    }


def is_hidden(columns: list[str], rows: list[list]) -> list[bool]:
    """Which columns say nothing to a reader: empty, for charts only, UTC beside course time, a week that has words."""

    def silent(index: int, name: str) -> bool:
        twin = name.removesuffix("_utc") + "_local"
        spare = name == "label" or (name.endswith("_utc") and twin in columns)
        spare |= name == "week" and "week_name" in columns
        return spare or all(str(row[index]).strip() in ("", "&nbsp;") for row in rows)

    return [silent(index, name) for index, name in enumerate(columns)]
