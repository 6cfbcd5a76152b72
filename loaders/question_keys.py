"""The keys of a question's head: which there are, of which kind, and what each may say."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from loaders import small_counts
from loaders.question_header import Wrong

TEXTS = {"title": 200, "description": 2000, "question": 2000, "heading": 60, "show": 20}
KEYS = (*TEXTS, "parameters", "chart", "aggregate")
OF_PARAMETER = {"label": 60, "choices": 20, "hint": 100, "default": 100}
MOST_CHOICES = 100  # of a list that stands in the head
# The lists of loaders/choices.py.
LISTS = (
    "course",
    "group",
    "student",
    "section",
    "week",
    "activity",
    "due",
    "book",
    "forum",
    "parted",
    "graded",
    "grade",
    "field",
)
SHOWN = {"student": ("course", "person"), "activity": ("course",)}
ROLES = ("x", "y", "value", "series", "from", "to", "weight")
MARKS = {"bar": "xy", "line": "xy", "dot": "xy", "heat": ("x", "y", "value"), "network": ("from", "to")}
PARAMETER = re.compile(r"[a-z][a-z0-9_]{0,40}")


@dataclass(frozen=True)
class Parameter:
    """One that the form asks for: what it is called, what it is when left empty, and from which list it is chosen: one
    of LISTS, or the values themselves.
    """

    name: str
    label: str = ""
    choices: str | tuple[str, ...] = ""
    hint: str = ""
    default: int | float | str | None = None

    @property
    def said(self) -> str:
        """What the form says that empty stands for; '' for nothing."""
        return self.hint or ("" if self.default is None else str(self.default))


@dataclass(frozen=True)
class Keys:
    """What a head says."""

    title: str = ""
    description: str = ""
    heading: str = ""
    aggregate: str | Mapping[str, Any] = ""
    show: str = ""
    parameters: tuple[Parameter, ...] = ()
    chart: Mapping[str, Any] | None = None


def checked(said: Mapping[str, Any], at: Mapping[str, int]) -> Keys:
    """The keys of a head as question_header.read gives it; raises Wrong with the line."""
    _known(said, KEYS, at)
    texts = {key: _text(said[key], key, at[key], most) for key, most in TEXTS.items() if key in said}
    if "question" in texts and "description" in texts:
        raise Wrong("“question” is another word for “description”: keep one of them", at["question"])
    parameters = _parameters(said.get("parameters"), at)
    show = texts.get("show", "")
    if show and show not in SHOWN:
        raise Wrong(f"“show” takes {' or '.join(SHOWN)}, not “{show}”", at["show"])
    return Keys(
        title=texts.get("title", ""),
        description=texts.get("description", "") or texts.get("question", ""),
        heading=texts.get("heading", ""),
        aggregate=_aggregate(said["aggregate"], at["aggregate"]) if "aggregate" in said else "",
        show=show,
        parameters=parameters,
        chart=_chart(said["chart"], at) if "chart" in said else None,
    )


def _parameters(said: Any, at: Mapping[str, int]) -> tuple[Parameter, ...]:
    if isinstance(said, list) and all(isinstance(name, str) for name in said):
        said = dict.fromkeys(said)
    if not isinstance(said, dict | None):
        raise Wrong("“parameters” has one line for each, indented, as in `  course:`", at["parameters"])
    return tuple(_parameter(name, of, at) for name, of in (said or {}).items())


def _parameter(name: Any, of: Any, at: Mapping[str, int]) -> Parameter:
    before = f"parameters.{name}"
    line = at.get(before) or at["parameters"]
    if not isinstance(name, str) or not PARAMETER.fullmatch(name):
        raise Wrong(f"a parameter is called by lower-case letters, digits and _, not “{name}”", line)
    if isinstance(of, int | float | str):
        of = {"default": of}
    if not isinstance(of, dict | None):
        raise Wrong(f"“{name}” takes {{label: ..., choices: ..., default: ..., hint: ...}}", line)
    _known(of or {}, OF_PARAMETER, at, f"{before}.")
    of = {key: value for key, value in (of or {}).items() if value is not None}
    lines = {key: at.get(f"{before}.{key}", line) for key in of}
    texts = {key: _text(of[key], key, lines[key], OF_PARAMETER[key]) for key in of if key in ("label", "hint")}
    choices = _choices(of["choices"], lines["choices"]) if "choices" in of else ""
    return Parameter(name, choices=choices, default=_default(of.get("default"), lines.get("default", line)), **texts)


def _choices(value: Any, line: int) -> str | tuple[str, ...]:
    if isinstance(value, str) and value in LISTS:
        return value
    is_list = isinstance(value, list) and 0 < len(value) <= MOST_CHOICES
    if not is_list or not all(isinstance(each, str | int | float) and len(str(each)) <= 100 for each in value):
        raise Wrong(f"“choices” is one of {', '.join(LISTS)}, or a list of values as in [low, high]", line)
    return tuple(map(str, value))


def _default(value: Any, line: int) -> int | float | str | None:
    if value is None or (isinstance(value, str) and len(value) <= OF_PARAMETER["default"] and "\n" not in value):
        return value or None
    if not isinstance(value, int | float) or not math.isfinite(value) or not 0 <= value < 1e15:
        raise Wrong("a default is a number from 0, or a short text", line)
    return value


def _chart(said: Any, at: Mapping[str, int]) -> dict[str, Any]:
    line = at["chart"]
    if not isinstance(said, dict):
        raise Wrong("“chart” takes {mark: bar, x: COLUMN, y: COLUMN}", line)
    _known(said, ("mark", "words", *ROLES), at, "chart.")
    mark, words = said.get("mark"), said.get("words") or {}
    if mark not in MARKS:
        raise Wrong(f"the mark of a chart is one of {', '.join(MARKS)}", at.get("chart.mark", line))
    if missing := [role for role in MARKS[mark] if role not in said]:
        raise Wrong(f"a chart with the mark {mark} needs a column for {' and '.join(missing)}", line)
    for role in said.keys() & set(ROLES):
        _text(said[role], role, at.get(f"chart.{role}", line), 60)
    if not isinstance(words, dict) or not all(isinstance(one, str) for pair in words.items() for one in pair):
        raise Wrong("the words of a chart are {COLUMN: what a reader calls it}", at.get("chart.words", line))
    return dict(said)


def _aggregate(said: Any, line: int) -> str | Mapping[str, Any]:
    """The column that counts students, or what small_counts.Rule says."""
    if small_counts.rule(said) is None:
        keys = ", ".join(each.name for each in fields(small_counts.Rule))
        raise Wrong(f"“aggregate” takes the column that counts students, or {{students: COLUMN, ...}} of {keys}", line)
    return said


def _known(said: Mapping, keys: Any, at: Mapping[str, int], before: str = "") -> None:
    """Raises Wrong for the first key that there is not."""
    for key in said:
        if key not in keys:
            like = difflib.get_close_matches(str(key), list(keys), 1, 0.6)
            meant = f"did you mean “{like[0]}”?" if like else f"there are {', '.join(keys)}"
            raise Wrong(f"there is no key “{str(key)[:40]}” here: {meant}", at.get(f"{before}{key}", 1))


def _text(value: Any, key: str, line: int, most: int) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Wrong(f"“{key}” takes a text: write one, in quotes where it is a number", line)
    if len(value) > most:
        raise Wrong(f"“{key}” takes up to {most} characters, not {len(value)}", line)
    return value.strip()
