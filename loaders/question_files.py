"""A teacher's own questions: one `.sql` file each in her folder `queries`, a head (question_header.py) and a select.

`read` takes one, `folder` all of a folder; both need the `model`: what metadata.yml says of `moodle`, with its steps,
which these questions may read from too, and the names that are taken.
"""

from __future__ import annotations

import difflib
import os
import re
import stat
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from loaders import question_header, question_keys, question_sql, steps
from loaders.errors import Unreadable
from loaders.question_header import Wrong

MOST_BYTES = 100_000
MOST_FILES = 500
TOLD_APART_NS = 50_000_000  # two savings of a file as far apart have different times on all systems but FAT
NAME = re.compile(r"[a-z][a-z0-9_]{0,60}")
HEADING = "My questions"


class Problem(Unreadable):
    """A file that is no question: `path`, `line` (None for the whole file), `sentence`; as text all three."""

    def __init__(self, path: Path, sentence: str, line: int | None = None):
        at = f", line {line}" if line else ""
        sentence += "" if sentence.endswith("?") else "."
        super().__init__(f"{path.name}{at}: {sentence}", line)
        self.path, self.sentence = path, f"{sentence[:1].upper()}{sentence[1:]}"


@dataclass(frozen=True)
class Question:
    """A question of hers. `text` is the select as in the file, from its line `line` on; `sql` what is run: with the
    steps it reads from and the defaults written in. `show`: '' or what it adds to (`student`, `activity`).
    """

    name: str
    path: Path
    title: str
    description: str
    heading: str
    parameters: tuple[question_keys.Parameter, ...]
    chart: Mapping[str, Any] | None
    aggregate: str | Mapping[str, Any]
    show: str
    text: str
    line: int
    sql: str
    params: tuple[str, ...]
    lines: Mapping[str, int] = field(default_factory=dict)  # {key of the head: its line}, as question_header.read
    pack: str = ""  # of whose questions it is one, where somebody else wrote it

    @cached_property
    def query(self) -> dict[str, Any]:
        """As metadata.yml has a query, for Datasette and our pages; `file` says that it is hers."""
        asked = {parameter.name: parameter for parameter in self.parameters}
        said = {
            "words": {name: each.label for name, each in asked.items() if each.label},
            "hints": {name: each.said for name, each in asked.items() if each.said},
            "choices": {name: _list_of(each) for name, each in asked.items() if each.choices},
            "lists": {_list_of(each): _listed(each) for each in self.parameters if isinstance(each.choices, tuple)},
            "chart": self.chart,
            "description": self.description,
            "aggregate": self.aggregate,
            "show": self.show,
            "pack": self.pack,
        }
        query = {"title": self.title, "heading": self.heading, "hide_sql": True, "params": list(self.params)}
        return {
            **query,
            **{key: value for key, value in said.items() if value},
            "sql": self.sql,
            "file": self.path.name,
        }


def _list_of(parameter: question_keys.Parameter) -> str:
    """The name of the list that a form has for it: one of choices.py, or one of the question's own `lists`."""
    return parameter.choices if isinstance(parameter.choices, str) else f"its own {parameter.name}"


def _listed(parameter: question_keys.Parameter) -> list[tuple[str, list[tuple[str, str]]]]:
    """As choices.py has lists."""
    return [("", [(value, value) for value in parameter.choices])]


def read(path: Path, model: Mapping[str, Any]) -> Question:
    """The question of a file. Raises Problem, which is Unreadable, in one sentence."""
    try:
        text = _text(path)
        return parse(text, path, model)
    except Wrong as wrong:
        raise Problem(path, wrong.sentence, wrong.line or None) from wrong


def name_problem(path: Path, model: Mapping[str, Any]) -> Problem | None:
    """Why no question can be called as this file is; None where it can."""
    try:
        _name(path, model)
    except Wrong as wrong:
        return Problem(path, wrong.sentence)
    return None


def parse(text: str, path: Path, model: Mapping[str, Any]) -> Question:
    """The question that a text is, as if it stood in the file `path`. Raises Wrong."""
    name = _name(path, model)
    lines = text.split("\n")
    yaml, end = question_header.split(lines)
    said, at = question_header.read(yaml)
    keys = question_keys.checked(said, at)
    select, line = question_sql.one("\n".join(lines[end:]), min(end + 1, len(lines)))
    whole = steps.whole(select, _steps(model.get("steps") or ""))
    params = _params(keys, at, question_sql.parameters(select, line), question_sql.parameters(whole, 1))
    defaults = {each.name: each.default for each in keys.parameters if each.default is not None}
    return Question(
        name=name,
        path=path,
        title=keys.title or name.replace("_", " ").capitalize(),
        description=keys.description,
        heading=keys.heading or HEADING,
        parameters=keys.parameters,
        chart=keys.chart,
        aggregate=keys.aggregate,
        show=keys.show,
        text=select,
        line=line,
        sql=question_sql.with_defaults(whole, defaults),
        params=params,
        lines=at,
    )


def folder(path: Path, model: Mapping[str, Any]) -> tuple[list[Question], list[Problem]]:
    """(questions, problems) of the `.sql` files in a folder, by name; none where there is no such folder.

    A file that has not changed is not read again.
    """
    questions: list[Question] = []
    problems: list[Problem] = []
    try:
        files = _files(path)
    except OSError as error:
        return [], [Problem(path, f"the folder cannot be opened ({error.strerror}): see who may read it")]
    for file in files:
        found = _kept(file, model)
        (problems if isinstance(found, Problem) else questions).append(found)
    return questions, problems


def _files(path: Path) -> list[str]:
    """Those of an editor's own (`.x.sql.swp`, `#x.sql#`) are none. As text: making Paths takes as long again."""
    try:
        names = os.listdir(path)  # noqa: PTH208
    except (FileNotFoundError, NotADirectoryError):
        return []
    wanted = sorted(name for name in names if name.endswith(".sql") and name[0] not in ".#~")
    return [f"{path}{os.sep}{name}" for name in wanted[:MOST_FILES]]


_known: dict[str, tuple[tuple, Question | Problem]] = {}


def _kept(file: str, model: Mapping[str, Any]) -> Question | Problem:
    """As it was read before, unless the file has changed since, or so shortly before that its time may not tell."""
    now = time.time_ns()
    try:
        state = os.stat(file)  # noqa: PTH116
    except OSError:
        return _tried(Path(file), model)
    mark = (state.st_mtime_ns, state.st_size, state.st_ino, id(model))
    known = _known.get(file)
    if known and known[0] == mark:
        return known[1]
    found = _tried(Path(file), model)
    if now - state.st_mtime_ns > TOLD_APART_NS:
        _known[file] = (mark, found)
    return found


def _tried(path: Path, model: Mapping[str, Any]) -> Question | Problem:
    try:
        return read(path, model)
    except Problem as problem:
        return problem


def _text(path: Path) -> str:
    """What a file holds; raises Wrong, with line 0 for what is no line's."""
    try:
        inside = path.resolve().is_relative_to(path.parent.resolve())
        state = path.stat()
        if not inside or not stat.S_ISREG(state.st_mode):
            raise Wrong("this is no file of this folder but leads elsewhere: copy the file itself", 0)
        if state.st_size > MOST_BYTES:
            raise Wrong(f"the file is larger than {MOST_BYTES // 1000} KB: a question is a short text", 0)
        data = path.read_bytes()
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or error
        raise Wrong(f"the file cannot be opened ({why}): see who may read it", 0) from error
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Wrong("this line is not UTF-8: save the file again with the encoding UTF-8", line) from error
    if (nul := text.find("\0")) >= 0:
        raise Wrong("there is a NUL character: save the file as plain text (UTF-8)", text.count("\n", 0, nul) + 1)
    return text


def _name(path: Path, model: Mapping[str, Any]) -> str:
    """The question's name, which is its file's; raises Wrong where it is none, or taken."""
    name = path.name.removesuffix(".sql")
    if not NAME.fullmatch(name):
        raise Wrong("rename the file with lower-case letters, digits and _ only, as in study_guide.sql", 0)
    if name in model.get("queries", ()):
        raise Wrong(f"there is a question “{name}” of Coursette's own: rename the file, as in my_{name}.sql", 0)
    if name in model.get("tables", ()):
        raise Wrong(f"“{name}” is a table: rename the file, as in my_{name}.sql", 0)
    return name


def _params(
    keys: question_keys.Keys, at: Mapping[str, int], own: Mapping[str, int], needed: Collection[str]
) -> tuple[str, ...]:
    """The parameters in the order of the head, then those that only steps ask for. Raises Wrong."""
    declared = [each.name for each in keys.parameters]
    for name, line in own.items():
        if "parameters" in at and name not in declared and name != "site":
            raise Wrong(f":{name} is not among the parameters of the head{near(name, declared)}", line)
    for name in declared:
        if name not in needed:
            raise Wrong(f"the SQL has no :{name}{near(name, needed)}", at.get(f"parameters.{name}", 1))
    for name in question_keys.SHOWN.get(keys.show, ()):
        if name not in needed:
            raise Wrong(f"with “show: {keys.show}” the SQL has to ask for :{name}", at["show"])
    return tuple(dict.fromkeys([*declared, *own, *sorted(needed, key=lambda name: name == "site")]))


def near(word: str, words: Collection[str]) -> str:
    """`: did you mean “...”?` where one of the words is like it; else ''."""
    found = difflib.get_close_matches(word, list(words), 1, 0.6)
    return f": did you mean “{found[0]}”?" if found else ""


_steps = lru_cache(maxsize=20)(steps.known)
