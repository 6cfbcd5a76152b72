"""`coursette query`: what becomes of the teacher's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from loaders import house, own_questions, question_check, question_files, question_new, question_report
from loaders.errors import Unreadable
from loaders.question_check import Check
from loaders.question_files import Problem, Question


@dataclass(frozen=True)
class Desk:
    """The folder of questions, and the database they are about."""

    folder: Path
    db: Path

    @classmethod
    def of(cls, db: Path, queries: Path | None, demo: bool) -> Desk:
        """As the command line names them."""
        if demo:
            from loaders import demo as made_up

            db = made_up.place()
        return cls(own_questions.place(db, queries), db)

    @cached_property
    def model(self) -> Mapping[str, Any]:
        return house_model()

    @cached_property
    def found(self) -> own_questions.Found:
        return question_files.folder(self.folder, self.model)


def house_model() -> Mapping[str, Any]:
    """What metadata.yml says of a database with courses."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = (house.root() / "metadata.yml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=loader)["databases"][own_questions.MODEL]


def begin(desk: Desk, name: str, source: str | None, template: str) -> Iterator[str]:
    """Write a new question; says where it is and what comes next."""
    text = question_new.copy_of(source, desk.found[0], desk.model) if source else question_new.template(template)
    path = question_new.write(desk.folder, name, text, desk.model)
    question = question_files.read(path, desk.model)
    yield f"{path}: {question.title}"
    yield f"Change it in any editor; its page /{desk.db.stem}/{question.name} has each change as soon as it is saved."
    yield f"`coursette query check {question.name}` says what it does."


def checked(desk: Desk, names: Sequence[str], plan: bool = False) -> tuple[list[str], bool]:
    """(what is said of these questions, or of all, whether all are good). Raises Unreadable for one there is not."""
    questions, problems = desk.found
    wanted = [name.removesuffix(".sql") for name in names] or [*map(_name, questions), *map(_name, problems)]
    known = {_name(each): each for each in (*questions, *problems)}
    if missing := next((name for name in wanted if name not in known), None):
        raise Unreadable(f"there is no {desk.folder / missing}.sql{question_files.near(missing, known)}")
    if not wanted:
        return [f"No questions of your own in {desk.folder} yet: `coursette query new NAME` begins one."], True
    each = _tried(desk, [known[name] for name in wanted])
    said = [_said(one, check, desk.db, plan) for one, check in each]
    return said, not any(isinstance(one, Problem) or (check and check.problem) for one, check in each)


def _tried(desk: Desk, wanted: Sequence[Question | Problem]) -> list[tuple[Question | Problem, Check | None]]:
    """Each with its check; None for what is no question, or where there is no database yet."""
    if not desk.db.exists():
        return [(one, None) for one in wanted]
    with question_check.opened(desk.db) as conn:
        return [(one, question_check.check(conn, one) if isinstance(one, Question) else None) for one in wanted]


def _said(one: Question | Problem, check: Check | None, db: Path, plan: bool) -> str:
    return str(one) if isinstance(one, Problem) else "\n".join(question_report.lines(one, check, db, plan))


def listed(desk: Desk, whole: bool) -> Iterator[str]:
    """A line for each question, then those that cannot be asked; with `whole` those of Coursette."""
    questions, problems = desk.found
    if not questions and not problems:
        yield f"No questions of your own in {desk.folder} yet: `coursette query new NAME` begins one."
    rows = [(each.name, each.title) for each in questions]
    if whole:
        known = desk.model["queries"].items()
        rows += [(name, said.get("title", "") if isinstance(said, dict) else "") for name, said in known]
    width = max((len(name) for name, _ in rows), default=0) + 2
    yield from (f"{name:<{width}}{title}" for name, title in rows)
    yield from (f"PROBLEM {problem}" for problem in problems)


def _name(each: Question | Problem) -> str:
    return each.path.name.removesuffix(".sql")
