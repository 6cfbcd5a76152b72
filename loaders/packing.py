"""What `coursette pack` does: write a pack, show and try one, keep it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from loaders import own_questions, pack_folder, pack_trial, packs
from loaders.errors import Unreadable
from loaders.own_querying import Desk, house_model
from loaders.packs import Pack
from loaders.question_check import Check
from loaders.question_files import Question
from loaders.reporting import printable

Say = Callable[[str], None]


class Shown(NamedTuple):
    """A pack as somebody has seen it: the names of its questions that work, and how many do not."""

    pack: Pack
    good: list[str]
    bad: int


def export(file: Path, names: Sequence[str], head: Mapping, desk: Desk, anyway: bool) -> list[str]:
    """Write own questions into a file; their names. Raises Unreadable where one is bad, missing, or names a student."""
    texts = {question.name: question.path.read_text(encoding="utf-8-sig") for question in _wanted(names, desk)}
    found = pack_trial.named(desk.db, texts) if desk.db.exists() and not anyway else []
    if found:
        name, word = found[0]
        raise Unreadable(
            f"{name}.sql names “{word}”, who is in {desk.db.name}: put a parameter in its place (or say --anyway)"
        )
    text = packs.written(head, texts.items())
    try:
        packs.parse(text)
    except packs.Wrong as wrong:
        raise Unreadable(f"no pack can be made so: {wrong.sentence}") from wrong
    file.write_text(text, encoding="utf-8", newline="\n")
    return list(texts)


def _wanted(names: Sequence[str], desk: Desk) -> list[Question]:
    good, problems = desk.found
    known = {question.name: question for question in good}
    asked = [name.removesuffix(".sql") for name in names] or list(known)
    for name in asked:
        if name not in known:
            problem = next((each for each in problems if each.path.stem == name), None)
            raise Unreadable(str(problem) if problem else f"there is no question {name}.sql in {desk.folder}")
    if not asked:
        raise Unreadable(f"there is no question of yours in {desk.folder}: `coursette query new` begins one")
    return [known[name] for name in asked]


def show(file: Path, say: Say) -> Shown:
    """Say what is in a pack, each question with its SQL and what it did on the made-up course."""
    pack = packs.read(file)
    questions, problems = packs.questions(pack, house_model())
    for line in _about(pack):
        say(line)
    for question in questions:
        say(f"\n{question.name}: {printable(question.title)}")
        for line in pack.texts[question.name][0].rstrip("\n").split("\n"):
            say(f"    {printable(line)}")
    say("")
    good = []
    for question, check in pack_trial.tried(pack_trial.made_up(say), questions) if questions else ():
        say(_did(question, check))
        if check.is_good:
            good.append(question.name)
    for problem in problems:
        say(f"does not work: {printable(str(problem))}")
    return Shown(pack, good, len(pack.texts) - len(good))


def _about(pack: Pack) -> list[str]:
    said = [f"{key}: {pack.said[key]}" for key in ("description", "author", "licence", "made") if pack.said.get(key)]
    return [printable(line) for line in (f"{pack.name}: {pack.title}", *said)]


def _did(question: Question, check: Check) -> str:
    if not check.is_good:
        return f"does not work: {printable(str(check.problem))}"
    rows = f"{check.rows:,} row{'s' if check.rows != 1 else ''}{' and more' if check.is_cut else ''}"
    remarks = "".join(f"; {printable(remark)}" for remark in check.remarks)
    return f"{question.name}: {rows} of {', '.join(map(printable, check.columns))}, in {check.ms:.0f} ms{remarks}"


def keep(shown: Shown, desk: Desk) -> list[str]:
    """Keep the questions of a pack that work, as they were shown; what was done, in sentences."""
    pack, names, _ = shown
    place = pack_folder.put(desk.folder, pack, names)
    _, problems = own_questions.look(desk.folder, desk.model)
    said = f"{pack.name}: {len(names)} kept in {place}, listed under “{printable(pack.title)}”."
    return [said, *(printable(str(problem)) for problem in problems if problem.path.parent == place)]


def listed(desk: Desk) -> list[str]:
    """A line for each pack, one for each of its questions."""
    good, problems = own_questions.look(desk.folder, desk.model)
    lines = []
    for path in pack_folder.folders(desk.folder):
        lines.append(f"{path.name}: {printable(pack_folder.title(path))}")
        lines += [f"  {question.name}: {printable(question.title)}" for question in good if question.pack == path.name]
        lines += [f"  {printable(str(problem))}" for problem in problems if problem.path.parent == path]
    return lines or [f"No pack is kept in {desk.folder / pack_folder.FOLDER}."]
