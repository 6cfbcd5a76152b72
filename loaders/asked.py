"""What somebody asked of a question: what its parameters are called, which are numbers, and what is wrong with them.

Parameters arrive as text, and SQLite casts text that is no number to 0: a silently wrong answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import parse_qsl, urlencode

CAST = re.compile(r"\bas\s+(integer|real|numeric)\s*\)", re.IGNORECASE)
PARAMETER = re.compile(r":([a-z]\w*)")
# As SQLite casts them: other scripts' digits would be a 0.
WHOLE, ANY = re.compile(r"[+-]?\d{1,15}", re.ASCII), re.compile(r"[+-]?(\d{1,15}(\.\d*)?|\.\d+)", re.ASCII)
# Lowest and highest; of all others that count something the lowest is 0.
RANGES = {"pct": (0, 100), **dict.fromkeys(("at_least", "at_most", "week", "from_week", "to_week"), (None, None))}
WORDS = {
    "person": "Our own key of a person",
    "days": "Days away",
    "pct": "Less than per cent",
    "group_a": "Group",
    "group_b": "And group",
    "grade": "Grade item",
}
LONGEST = 40  # of what was given, as far as it is said again


@lru_cache
def numbers(sql: str) -> dict[str, bool]:
    """{parameter: whether it has to be whole} of the parameters that a statement casts to numbers."""
    found: dict[str, bool] = {}
    for cast in CAST.finditer(sql):
        inside = _inside(sql, cast.start())
        if "select" not in inside:
            for name in PARAMETER.findall(inside):
                found[name] = found.get(name, True) and cast[1].lower() == "integer"
    return found


def limits(name: str) -> tuple[int | None, int | None]:
    """The lowest and the highest that this number may be; None for no limit."""
    return RANGES.get(name, (0, None))


def words(query: Mapping) -> dict[str, str]:
    """What a form calls each parameter of a question: by its own `words`, by ours, else by its name."""
    own = query.get("words") or {}
    names = query.get("params") or []
    return {name: own.get(name) or WORDS.get(name) or name.replace("_", " ").capitalize() for name in names}


def wrong(query: Mapping, given: Mapping[str, str]) -> dict[str, str]:
    """{parameter: a sentence} for each number of a question that is none as it is given; weeks in the wrong order."""
    called, whole = words(query), numbers(query["sql"])
    asked = {name: value for name in whole if (value := given.get(name) or "")}
    said = {name: _sentence(name, value, whole[name]) for name, value in asked.items()}
    found = {name: f"“{called.get(name, name)}” takes {sentence}." for name, sentence in said.items() if sentence}
    return found or _backwards(called, asked)


def trimmed(query: Mapping, query_string: str) -> str:
    """A query string whose values for this question have no blanks around them, which SQL takes for letters."""
    pairs = parse_qsl(query_string, keep_blank_values=True)
    names = set(query.get("params") or ())
    changed = [(name, value.strip() if name in names else value) for name, value in pairs]
    return query_string if changed == pairs else urlencode(changed)


def _sentence(name: str, value: str, whole: bool) -> str:
    """What else it takes; empty where the value will do."""
    least, most = limits(name)
    kind = "a whole number" if whole else "a number"
    is_one = (WHOLE if whole else ANY).fullmatch(value)
    if is_one and (least is None or float(value) >= least) and (most is None or float(value) <= most):
        return ""
    span = f" from {least} to {most}" if most is not None else f" from {least}" if is_one else ""
    shown = value[:LONGEST] + "…" * (len(value) > LONGEST)
    return f"{kind}{span}, not “{shown}”; leave it empty if you do not mind"


def _backwards(called: Mapping[str, str], asked: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with weeks that end before they begin: no row would fit, which is not nobody."""
    first, last = asked.get("from_week"), asked.get("to_week")
    if not first or not last or float(first) <= float(last):
        return {}
    words = [called.get(name, name) for name in ("from_week", "to_week")]
    return {"to_week": f"“{words[1]}” is before “{words[0]}”: choose {first} or later, or leave one of them empty."}


def _inside(sql: str, end: int) -> str:
    """What stands in the brackets that close behind `end`."""
    depth = 0
    for place in range(end - 1, -1, -1):
        depth += (sql[place] == ")") - (sql[place] == "(")
        if depth < 0:
            return sql[place + 1 : end]
    return ""
