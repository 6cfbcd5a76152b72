"""What `coursette query check` and `coursette query list` say of a question, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from loaders.question_check import Check
from loaders.question_files import Question
from loaders.question_keys import Parameter

SHOWN = {"student": "a panel of the student page", "activity": "a number beside each activity on Moodle's pages"}


def lines(question: Question, check: Check | None, db: Path, whole: bool = False) -> Iterator[str]:
    """A question and what its check says; None where there is no database to try it on. `whole`: with SQLite's plan."""
    yield f"{question.path.name}: {question.title}"
    yield _row("page", f"/{db.stem}/{question.name}, the same as data: {question.name}.json, {question.name}.csv")
    yield _row("listed under", question.heading)
    yield _row("asks for", "; ".join(_parameter(question, name) for name in question.params) or "nothing")
    if question.show:
        yield _row("shown as", SHOWN[question.show])
    if question.chart:
        yield _row("chart", chart(question))
    if check is None:
        yield _row("not tried", f"there is no {db}: name the database with --db, or --demo for the made-up course")
    elif check.problem:
        yield _row("PROBLEM", str(check.problem))
    else:
        yield _row("answers", answer(check))
        yield from (_row("could be better" if not at else "", remark) for at, remark in enumerate(check.remarks))
        plan = check.plan if whole else (_plan(check),)
        yield from (_row("plan" if not at else "", step) for at, step in enumerate(plan))


def _plan(check: Check) -> str:
    log = "it walks through the whole log" if check.walks_log else "it does not walk through the log"
    return f"{log} (--plan has all of SQLite's {len(check.plan)} steps)"


def answer(check: Check) -> str:
    """'6 rows in 12 ms: fullname, clicks'."""
    rows = f"{'more than ' if check.is_cut else ''}{check.rows:,} row{'s' if check.rows != 1 else ''}"
    return f"{rows} in {max(check.ms, 1):.0f} ms: {', '.join(check.columns)}"


def chart(question: Question) -> str:
    """'bar with x clicks, y fullname'."""
    said = dict(question.chart or {})
    mark, _ = said.pop("mark"), said.pop("words", None)
    return f"{mark} with {', '.join(f'{role} {column}' for role, column in said.items())}"


def _parameter(question: Question, name: str) -> str:
    known = {each.name: each for each in question.parameters}
    each = known.get(name, Parameter(name))
    more = [f"“{each.label}”"] if each.label else []
    lists = [each.choices] if isinstance(each.choices, str) else each.choices
    more += [f"chosen from {', '.join(lists)}"] if each.choices else []
    more += [f"{each.default} where left empty"] if each.default is not None else []
    return f"{name} ({', '.join(more)})" if more else name


def _row(key: str, value: str) -> str:
    return f"  {key:<16}{value}"
