"""`coursette query new`: the file of a question to begin with, from a template or from a question there is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from loaders import question_files
from loaders.errors import Unreadable
from loaders.question_files import Question

BEGINNINGS = Path(__file__).parent / "beginnings"
TEMPLATES = {
    "question": "a question with a form and a chart",
    "activity": "a number beside each activity on Moodle's pages",
    "student": "a panel of the student page",
}
WIDE = 110  # characters of a line


def write(folder: Path, name: str, text: str, model: Mapping[str, Any]) -> Path:
    """The file of a new question; raises Unreadable for a name that is none or taken. Never writes over a file."""
    path = folder / f"{name.removesuffix('.sql')}.sql"
    if path.parent != folder:
        raise Unreadable(f"“{name}” is no name of a question: one word, and the file goes into {folder}")
    if problem := question_files.name_problem(path, model):
        raise problem
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError as error:
        raise Unreadable(f"{path} is there already: take another name, or edit that one") from error
    return path


def template(kind: str) -> str:
    """One of TEMPLATES as a file's text."""
    return (BEGINNINGS / f"{kind}.sql").read_text(encoding="utf-8")


def copy_of(name: str, own: list[Question], model: Mapping[str, Any]) -> str:
    """A question there is as a file's text: hers as it stands, one of metadata.yml with a head. Raises Unreadable."""
    for question in own:
        if question.name == name:
            return question.path.read_text(encoding="utf-8-sig")
    query = model.get("queries", {}).get(name)
    if not query:
        like = question_files.near(name, [*model.get("queries", {}), *(question.name for question in own)])
        raise Unreadable(f"there is no question “{name}”{like or ': `coursette query list --all` has all'}")
    query = query if isinstance(query, dict) else {"sql": query}
    return f"{head(query)}\n{query['sql'].strip()}\n"


def head(query: Mapping[str, Any]) -> str:
    """The head of a file that says what metadata.yml says of a query."""
    lines = [_yaml({key: query[key]}) for key in ("title", "description") if query.get(key)]
    if query.get("params"):
        lines.append("parameters:\n" + "\n".join(_parameter(name, query) for name in query["params"]))
    lines += [_yaml({key: query[key]}, flow=True) for key in ("chart", "aggregate", "show") if query.get(key)]
    return "".join(f"-- {line}\n" for line in "\n".join(lines).splitlines())


def _parameter(name: str, query: Mapping[str, Any]) -> str:
    keys = {"label": "words", "choices": "choices", "hint": "hints"}
    said = {key: query[of][name] for key, of in keys.items() if name in (query.get(of) or {})}
    return f"  {name}: {_flow(said)}" if said else f"  {name}:"


def _yaml(said: Mapping[str, Any], flow: bool = False) -> str:
    if flow:
        ((key, value),) = said.items()
        return f"{key}: {_flow(value)}"
    return yaml.safe_dump(dict(said), allow_unicode=True, width=WIDE).strip()


def _flow(value: Any) -> str:
    """On one line; a text alone gets no mark of its end."""
    text = yaml.safe_dump(value, allow_unicode=True, width=10_000, default_flow_style=True, sort_keys=False)
    return text.strip().removesuffix("...").strip()
