"""A pack of questions: one text file for colleagues, with what is asked and nothing of what was answered.

    -- pack: reading
    -- title: Who reads what
    -- author: Ann O'Brien
    -- licence: CC0
    -- question file: who_reads.sql
    -- title: Who has opened the study guide?
    select ...
    -- question file: chapters_left.sql
    ...

Behind its head each line `-- question file: NAME.sql` begins a question, as question_files.py reads one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loaders import question_files, question_header
from loaders.errors import Unreadable
from loaders.question_files import NAME, Problem, Question
from loaders.question_header import Wrong

HEAD = {"pack": 61, "title": 100, "description": 2000, "author": 200, "licence": 100, "made": 20}
BEGINS = re.compile(r"-- question file: *(?P<name>\S+) *")
MOST_BYTES, MOST_QUESTIONS = 1_000_000, 100


@dataclass(frozen=True)
class Pack:
    """A pack as it was read: its `name`, what its head says, and `texts` ({question's name: (its text, the line of the
    pack before it)}).
    """

    name: str
    said: Mapping[str, str]
    texts: Mapping[str, tuple[str, int]]

    @property
    def title(self) -> str:
        return self.said.get("title") or self.name.replace("_", " ").capitalize()


def read(path: Path) -> Pack:
    """The pack in a file. Raises Unreadable, with file, line and remedy."""
    try:
        data = path.read_bytes()
        if len(data) > MOST_BYTES:
            raise Wrong(f"a pack has {MOST_BYTES // 1_000_000} MB at most: this is something else", 0)
        return parse(data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n"))
    except OSError as error:
        raise Unreadable(f"{path.name}: it cannot be opened ({error.strerror})") from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unreadable(f"{path.name}, line {line}: this is not UTF-8, so it is no pack", line) from error
    except Wrong as wrong:
        at = f", line {wrong.line}" if wrong.line else ""
        raise Unreadable(f"{path.name}{at}: {wrong.sentence}", wrong.line or None) from wrong


def parse(text: str) -> Pack:
    """The pack that a text is. Raises Wrong, with the line of the text."""
    lines = text.split("\n")
    begins = [at for at, line in enumerate(lines) if BEGINS.fullmatch(line)]
    if not begins:
        raise Wrong("there is no line `-- question file: NAME.sql`: this is no pack", 1)
    if len(begins) > MOST_QUESTIONS:
        raise Wrong(f"a pack has {MOST_QUESTIONS} questions at most", begins[MOST_QUESTIONS] + 1)
    said = _head(lines[: begins[0]])
    texts: dict[str, tuple[str, int]] = {}
    for at, end in zip(begins, [*begins[1:], len(lines)], strict=True):
        name = BEGINS.fullmatch(lines[at])["name"].removesuffix(".sql")
        if not NAME.fullmatch(name) or name in texts:
            raise Wrong("each question has a name of its own, with lower-case letters, digits and _ only", at + 1)
        texts[name] = "\n".join(lines[at + 1 : end]).strip("\n") + "\n", at + 1
    return Pack(said["pack"], said, texts)


def _head(lines: list[str]) -> dict[str, str]:
    yaml, _ = question_header.split(lines)
    said, at = question_header.read(yaml)
    for key, value in said.items():
        if key not in HEAD:
            raise Wrong(f"“{key}” is no word of a pack's head: it has {', '.join(HEAD)}", at[key])
        if len(str(value)) > HEAD[key]:
            raise Wrong(f"“{key}” is longer than {HEAD[key]} characters", at[key])
    name = str(said.get("pack") or "")
    if not NAME.fullmatch(name):
        raise Wrong("it begins with `-- pack: name`, with lower-case letters, digits and _ only", at.get("pack", 1))
    return {key: str(value) for key, value in said.items()}


def questions(pack: Pack, model: Mapping[str, Any]) -> tuple[list[Question], list[Problem]]:
    """(its questions, what is wrong with others): a bad one does not keep the others away."""
    found: list[Question] = []
    problems: list[Problem] = []
    for name, (text, before) in pack.texts.items():
        path = Path(f"{name}.sql")
        try:
            found.append(question_files.parse(text, path, model))
        except Wrong as wrong:
            problems.append(Problem(path, wrong.sentence, before + wrong.line if wrong.line else None))
    return found, problems


def written(head: Mapping[str, str], texts: Iterable[tuple[str, str]]) -> str:
    """The text of a pack, from its head and (name, text) of its questions."""
    import yaml  # only who exports writes any

    kept = {key: head[key] for key in HEAD if head.get(key)}
    said = yaml.safe_dump(kept, allow_unicode=True, sort_keys=False, width=100)
    parts = ["".join(f"-- {line}\n" for line in said.splitlines())]
    parts += [f"-- question file: {name}.sql\n{text.strip()}\n" for name, text in texts]
    return "\n".join(parts)
