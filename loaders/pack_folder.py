"""Packs that were imported: `queries/packs/NAME/`, one read-only file per question, as the pack had it.

What is in them came from others: they are listed under their pack's title, are never edited in place, and lead nowhere
but to pages of ours.
"""

from __future__ import annotations

import shutil
import stat
import tempfile
from collections.abc import Collection, Mapping
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import Any

from loaders import question_files, question_header
from loaders.errors import Unreadable
from loaders.packs import Pack
from loaders.question_files import Problem, Question

FOLDER = "packs"
HEAD = "pack.yml"  # what the head of the pack said
MOST_PACKS = 50
READ_ONLY = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH
# Whether the page that is being made answers a question of a pack (plugins/links.py).
of_a_pack: ContextVar[bool] = ContextVar("of_a_pack", default=False)


def folders(queries: Path) -> list[Path]:
    """The packs in a folder of questions, by name; a link is none."""
    place = queries / FOLDER
    if not place.is_dir() or place.is_symlink():
        return []
    return [path for path in sorted(place.iterdir()) if is_one(path)][:MOST_PACKS]


def is_one(path: Path) -> bool:
    """Whether this is a pack: no link, and none that is being written."""
    return path.is_dir() and not path.is_symlink() and bool(question_files.NAME.fullmatch(path.name))


def found(queries: Path, model: Mapping[str, Any], taken: Collection[str]) -> tuple[list[Question], list[Problem]]:
    """(questions, problems) of all packs, each under its pack's title; a name that is taken is told and left out."""
    questions: list[Question] = []
    problems: list[Problem] = []
    names = set(taken)
    for folder in folders(queries):
        each, wrong = question_files.folder(folder, model)
        heading = title(folder)
        problems += wrong
        for question in each:
            if question.name in names:
                sentence = f"another question is called so, and this one, of the pack {folder.name}, is left out"
                problems.append(Problem(question.path, sentence))
                continue
            names.add(question.name)
            questions.append(replace(question, heading=heading, pack=folder.name))
    return questions, problems


def title(folder: Path) -> str:
    """What an imported pack is called: by its head, else its name."""
    try:
        said, _ = question_header.read((folder / HEAD).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, question_header.Wrong):
        said = {}
    return Pack(folder.name, {"title": str(said.get("title") or "")}, {}).title


def put(queries: Path, pack: Pack, names: Collection[str]) -> Path:
    """Keep these questions of a pack, in place of what an older copy of it had; all of them or, on any error, none."""
    import yaml

    place = queries / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=place, prefix="."))
    try:
        _write(fresh / HEAD, yaml.safe_dump(dict(pack.said), allow_unicode=True, sort_keys=False))
        for name in names:
            _write(fresh / f"{name}.sql", pack.texts[name][0])
        fresh.chmod(0o755)
        _clear(place / pack.name)
        fresh.rename(place / pack.name)
    except OSError:
        _clear(fresh)
        raise
    return place / pack.name


def remove(queries: Path, name: str) -> int:
    """Take a pack out; how many questions it had. Raises Unreadable where there is none of this name."""
    folder = next((folder for folder in folders(queries) if folder.name == name), None)
    if folder is None:
        known = ", ".join(folder.name for folder in folders(queries)) or "none"
        raise Unreadable(f"there is no pack “{name}” here; there is {known}")
    count = len(list(folder.glob("*.sql")))
    _clear(folder)
    return count


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
    path.chmod(READ_ONLY)


def _clear(folder: Path) -> None:
    """Delete a folder with its read-only files, which Windows keeps otherwise."""
    if folder.is_dir():
        for path in folder.iterdir():
            path.chmod(stat.S_IRUSR | stat.S_IWUSR)
        shutil.rmtree(folder)
