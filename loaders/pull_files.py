"""What a pull has fetched, on its way into the database: one file a part, kept until it is loaded.

    private/pull/3f2a…-2/completion.part      answers so far, one JSON object a line: a stopped pull goes on from here
    private/pull/3f2a…-2/completion.jsonl     all of them, with a head and an end: what `coursette load` reads too

A head says which part of which course this is, and when; `keys`, where given, lists every answer that is
still good, so that those that did not change need not be asked for again.

    {"coursette_pull": 1, "site": "https://moodle.example.edu", "course": 2, "part": "completion", ...}
    {"function": "core_completion_...", "parameters": {"courseid": 2, "userid": 9}, "answer": {...}}
    {"end": 1}
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

FORMAT = 1
RESUMED_S = 6 * 3600  # how old answers of a stopped pull may be to be taken on


@dataclass(frozen=True)
class Ask:
    """One call of a web service; `mark` is what tells later whether its answer changed."""

    function: str
    parameters: dict[str, str | int]
    mark: dict | None = field(default=None, compare=False)

    @property
    def key(self) -> str:
        """The same for the same question, whatever the order of its parameters."""
        return f"{self.function}?{urlencode(sorted(self.parameters.items()))}"


def utc_text(seconds: float) -> str:
    """ISO-8601 UTC text, to the second."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def folder_of(private: Path, site: str, course: int) -> Path:
    """Where the files of one course wait, made when not there; nobody else may look in."""
    folder = private / "pull" / f"{hashlib.blake2b(site.encode(), digest_size=6).hexdigest()}-{course}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


class PartFile:
    """The answers of one part while they come in."""

    def __init__(self, folder: Path, part: str, site: str, course: int):
        self.part, self.site, self.course = part, site, course
        self.growing, self.path = folder / f"{part}.part", folder / f"{part}.jsonl"
        self.started, self.kept = time.time(), {}
        self._take_on()
        self.stream = _private(self.growing, "a" if self.kept else "w")
        if not self.kept:
            self._write({"started": int(self.started)})

    def _take_on(self) -> None:
        """The answers that a stopped pull left here, where they are not too old."""
        lines = list(_lines(self.growing)) if self.growing.exists() else []
        started = lines[0].get("started") if lines else None
        if isinstance(started, int) and 0 <= time.time() - started < RESUMED_S:
            self.started = started
            self.kept = {Ask(line["function"], line["parameters"]).key: line for line in lines[1:]}
            _cut_after(self.growing, lines)

    def had(self, ask: Ask) -> Any | None:
        """The answer of a stopped pull to the same question, if there is one that says the same of itself."""
        line = self.kept.get(ask.key)
        return line["answer"] if line and line.get("mark") == ask.mark else None

    def add(self, ask: Ask, answer: Any) -> None:
        """One more answer, safe from now on."""
        line = {"function": ask.function, "parameters": ask.parameters, "answer": answer}
        self.kept[ask.key] = line | ({"mark": ask.mark} if ask.mark else {})
        self._write(self.kept[ask.key])

    def finish(self, asked: set[str], keys: list[str] | None = None) -> Path:
        """All that was `asked` is here: the file to load. `keys`: every answer still good, those left out included."""
        self.stream.close()
        head = {
            "coursette_pull": FORMAT, "site": self.site, "course": self.course, "part": self.part,
            "fetched_utc": utc_text(self.started), "keys": keys,
        }  # fmt: skip
        lines = [line for key, line in self.kept.items() if key in asked]
        unready = self.path.with_suffix(".new")
        with _private(unready, "w") as stream:
            for line in (head, *lines, {"end": len(lines)}):
                stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        unready.replace(self.path)
        self.growing.unlink(missing_ok=True)
        return self.path

    def close(self) -> None:
        """Leave what is here for the next time."""
        self.stream.close()

    def _write(self, line: dict) -> None:
        self.stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        self.stream.flush()


def _private(path: Path, mode: str):
    flags = os.O_CREAT | os.O_WRONLY | (os.O_APPEND if mode == "a" else os.O_TRUNC)
    return os.fdopen(os.open(path, flags, 0o600), mode, encoding="utf-8", newline="\n")


def _lines(path: Path) -> Iterator[dict]:
    """The whole lines of a file that may end in the middle of one."""
    with path.open(encoding="utf-8", errors="replace") as stream:
        for text in stream:
            try:
                line = json.loads(text)
            except ValueError:
                return
            if not text.endswith("\n") or not isinstance(line, dict):
                return
            yield line


def _cut_after(path: Path, lines: list[dict]) -> None:
    """Drop half a line at the end, so that the next one starts afresh."""
    with path.open("rb+") as stream:
        for _ in lines:
            stream.readline()
        stream.truncate()


def save_copy(path: Path, folder: Path) -> None:
    """Keep a fetched file for the teacher, readable by her alone; a link that lies there is replaced, not followed."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = folder / f".{secrets.token_hex(8)}"
    try:
        with path.open("rb") as source, os.fdopen(os.open(fresh, _FRESH, 0o600), "wb") as copy:
            shutil.copyfileobj(source, copy)
        fresh.replace(folder / path.name)
    finally:
        fresh.unlink(missing_ok=True)


_FRESH = os.O_CREAT | os.O_WRONLY | os.O_EXCL
