"""Rows as people read them: columns in words, sorted by any of them without a script, long text folded."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

from datasette import hookimpl
from datasette.utils.asgi import Request
from markupsafe import Markup

# Column -> what stands above it; others are their names without underscores, with the units that their ends tell.
WORDS = {
    "fullname": "name",
    "email": "e-mail",
    "idnumber": "id number",
    "moodle_id": "Moodle id",
    "cmid": "activity's id",
    "person": "our key",
    "week_name": "week",
    "url": "address",
}
ENDS = {"_pct": " %", "_utc": " (UTC)", "_local": "", "_s": " (seconds)"}
LONG = 160  # letters of a cell that are shown before it is folded
UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ?")
NO_COUNTS = {"person", "moodle_id", "cmid", "course", "week", "year"}  # whole numbers that are no amounts
SORTED_BY = "_by"  # in the address: a column, with a minus before it for the highest first


def in_words(column: str) -> str:
    """'students %' for students_pct."""
    if column in WORDS:
        return WORDS[column]
    name, end = next(
        ((column.removesuffix(end), said) for end, said in ENDS.items() if column.endswith(end)), (column, "")
    )
    return name.replace("_", " ") + end


def folded(value: Any) -> Any:
    """A cell's text; a long one by its beginning, which opens. What is a link or empty stays as it is."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    if UTC.fullmatch(value):
        return value.replace("T", " ").removesuffix("Z")
    if len(value) <= LONG:
        return value
    beginning = value[:LONG].rsplit(None, 1)[0]
    return Markup('<details class="long"><summary><span>{}…</span></summary>{}</details>').format(beginning, value)


def answer(columns: list[str], shown: list[list], raw: list, hidden: list[bool], request: Request) -> dict:
    """An answer without its hidden columns, in the order that the address asks for (`_by`).

    `heads`: {name, words, is_number, sorted ('ascending', 'descending' or ''), href (to sort by it)};
    `rows`: lists of {name, words, is_number, is_name, pct (number or None), value}, as `heads`; what a row is about is
    its name: the first column, unless that is a number.
    """
    by = request.args.get(SORTED_BY) or ""
    kept = [index for index, is_hidden in enumerate(hidden) if not is_hidden]
    heads = {index: _head(columns[index], [row[index] for row in raw], by, request) for index in kept}
    pairs = list(zip(shown, raw, strict=True))
    for index, head in heads.items():
        head["is_name"] = index == kept[0] and not head["is_number"]
        if head["sorted"]:
            pairs = _in_order(pairs, index, head["sorted"] == "descending")
    rows = [
        [{**heads[index], **_cell(columns[index], said[index], row[index])} for index in kept] for said, row in pairs
    ]
    return {"heads": list(heads.values()), "rows": rows}


def _head(column: str, values: list, by: str, request: Request) -> dict:
    is_number = any(_is_number(value) for value in values) and all(
        _is_number(value) or value is None for value in values
    )
    sorted_ = {column: "ascending", "-" + column: "descending"}.get(by, "")
    down = sorted_ == "ascending" or (is_number and sorted_ != "descending")
    asked = [pair for pair in parse_qsl(request.query_string, keep_blank_values=True) if pair[0] != SORTED_BY]
    href = "?" + urlencode([*asked, (SORTED_BY, "-" * down + column)]) + "#answer"
    return {"name": column, "words": in_words(column), "is_number": is_number, "sorted": sorted_, "href": href}


def _cell(column: str, said: Any, value: Any) -> dict:
    is_share = column.endswith("_pct") and _is_number(value)
    is_count = isinstance(value, int) and str(said) == str(value) and column not in NO_COUNTS
    return {"value": f"{value:,}" if is_count else folded(said), "pct": value if is_share else None}


def _in_order(pairs: list[tuple], index: int, descending: bool) -> list[tuple]:
    """Numbers before texts, as SQLite has it; what is empty comes last either way."""

    def key(pair: tuple) -> tuple:
        value = pair[1][index]
        return (0, value, "") if _is_number(value) else (1, 0, str(value).casefold())

    empty = [pair for pair in pairs if pair[1][index] in (None, "")]
    filled = [pair for pair in pairs if pair[1][index] not in (None, "")]
    return sorted(filled, key=key, reverse=descending) + empty


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


@hookimpl
def prepare_jinja2_environment(env):
    env.filters.update(column_words=in_words, folded=folded)
    env.globals["answer_of"] = answer
