"""The fields of a question's form: how each parameter is asked, what it is chosen from, what empty stands for."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode

from loaders import asked, choices, choosing

# What an empty field stands for, where a question's own `hints` say nothing of it.
HINTS = {
    "course": "the newest",
    "group": "everybody",
    "student": "everybody",
    "from_week": "the first",
    "to_week": "the last",
    "week": "all weeks",
    "section": "all sections",
    "days": "14",
    "pct": "50",
}
EXAMPLES = {"student": "name or Moodle id", "value": "or how it begins"}
NOT_CHOSEN = "not chosen"
SENTENCE_ENDS = re.compile(r"(?<=[.?!])\s+(?=[A-Z“])")
SELDOM = ("site", "person")  # shown only when they decide something


def halves(description: str) -> tuple[str, str]:
    """(the first sentence, all others) of what a question says of itself: the first stands above its form."""
    first, *rest = SENTENCE_ENDS.split(description.strip(), maxsplit=1)
    return first, "".join(rest)


def fields(query: dict, given: dict[str, str], lists: dict, wrong: dict[str, str], answered: bool) -> list[dict]:
    """A dict for each parameter, in their order: `name`, `words`, `value`, `hidden`, `wrong` and what `field` adds.

    `lists` are those of choices.py. Where nothing is `answered`, nothing is recorded, and nobody is named.
    """
    words, numbers = asked.words(query), asked.numbers(query["sql"])
    found = []
    for name in query["params"]:
        listed = choices.list_of(name, query.get("choices") or {})
        options = lists.get(listed) or []
        if listed == "student" and (wrong or not answered):
            options = []
        row = {"name": name, "words": words[name], "value": given[name], "wrong": wrong.get(name)}
        row["hidden"] = is_spared(name, given[name], values_in(options))
        found.append({**row, **field(name, given[name], listed, options, query.get("hints") or {}, numbers.get(name))})
    return found


def field(name: str, value: str, listed: str, options: list, hints: dict, whole: bool | None) -> dict:
    """How to ask: `kind` (select, search, number, text), `options`, `hint` (what empty means), `example`, `said`.

    `whole` is None for what is no number. `said` is the name of a student who was chosen by id.
    """
    hint = hints.get(name) or HINTS.get(name) or HINTS.get(listed) or ""
    if listed == "student":
        said = {str(option): words for _, group in options for option, words in group}.get(value)
        said = said if said != value else None
        return {"kind": "search", "options": options, "hint": hint, "example": EXAMPLES["student"], "said": said}
    if options:
        if value and value not in values_in(options):
            options = [("As asked", [(value, value)]), *options]
        return {"kind": "select", "options": options, "hint": hint or NOT_CHOSEN}
    if whole is not None:
        least, most = asked.limits(name)
        return {"kind": "number", "hint": hint, "least": least, "most": most, "step": "1" if whole else "any"}
    return {"kind": "text", "hint": hint, "example": EXAMPLES.get(name, "")}


def is_spared(name: str, value: str, listed: set[str]) -> bool:
    """Whether a field would ask what there is no choice in."""
    if name == "course":
        return len(listed) < 2 and value in ("", *listed)
    if name == "site":
        return len(listed) < 2
    return name in SELDOM and not value


def values_in(options: list) -> set[str]:
    """All values of a list, as text."""
    return {str(option[0]) for _, group in options for option in group}


def meant(fields: list[dict], query_string: str) -> list[dict]:
    """Where a name fits several students: each of them (`words`, `link`, a query string) to ask again with."""
    field = next((field for field in fields if field["kind"] == "search" and field["value"]), None)
    options = [option for _, group in field["options"] for option in group] if field else []
    known = [(value, value if isinstance(value, int) else None, words) for value, words in options]
    found = choosing.best("student", field["value"], known) if field else []
    others = [pair for pair in parse_qsl(query_string, keep_blank_values=True) if field and pair[0] != field["name"]]
    links = [{"words": words, "link": urlencode([*others, (field["name"], value)])} for value, _, words in found]
    return links[: choosing.LISTED] if len(links) > 1 else []
