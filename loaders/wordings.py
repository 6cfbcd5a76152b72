"""The table of Moodle's log wordings, ready for looking up (data in wordings.txt and event_types.jsonl).

A wording without free text is found by its skeleton: the text with every quoted id replaced by #, as in
`The user with id # viewed the chapter with id # for the book with course module id #`. The others, and ids
that are no numbers, are found by a regular expression over the whole text, tried only where the fixed
beginning agrees.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache, cached_property
from itertools import product
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
PARTS = {"chapter", "discussion", "page", "wikipage", "sco", "entry", "record"}
TEXTS = {"word", "text", "ids", "module", "plugin"}
# Components whose events happen inside an activity of another component.
HOSTS = {
    "assignsubmission": "assign",
    "assignfeedback": "assign",
    "booktool": "book",
    "forumreport": "forum",
    "quiz": "quiz",
    "quizaccess": "quiz",
    "scormreport": "scorm",
}

_SHORT = {
    "@user": "user with id '{related}'",
    "@cm": "with course module id '{cmid}'",
    "@course": "course with id '{course}'",
}
_BRACKET = re.compile(r"\(([^()|]*(?:\|[^()|]*)+)\)")
_SLOT = re.compile(r"('?)\{(\w+)(\*?)\}('?)")
# Slots that are sure to hold a number or nothing; the others may hold a placeholder that was never filled.
_SURE = {"user", "related", "cmid", "course"}


class EventType(NamedTuple):
    """One event class, as in event_types.jsonl."""

    eventclass: str | None
    component: str | None
    name: str | None
    crud: str | None
    edulevel: int | None
    objecttable: str | None = None


class Wording:
    """One fixed wording of one event class. {module}, {plugin} in `eventclass` are taken from the text."""

    def __init__(self, eventclass: str, template: str):
        self.eventclass = eventclass
        self.template = template.rstrip(". ")
        slots = [(found[2], found[3]) for found in _SLOT.finditer(self.template)]
        # What the slots that are ids or names of modules are called, in the order of the regex's groups.
        self.roles = [name for name, _ in slots if name not in ("word", "text", "ids")]
        self.part = next((name for name, _ in slots if name in PARTS), None)
        self.part_is_object = any(star for _, star in slots)
        self.has_text = any(name in TEXTS for name, _ in slots)

    @cached_property
    def weight(self) -> int:
        """How much of the wording is fixed."""
        return len(_SLOT.sub("", self.template))

    @property
    def skeleton(self) -> str | None:
        """The text with # for each id; None where it cannot be looked up that way."""
        skeleton = _SLOT.sub(lambda slot: "#" if slot[1] and slot[4] else slot[0], self.template)
        return None if "{" in skeleton or self.has_text else skeleton

    @property
    def opening(self) -> str:
        """The skeleton as far as it is the same in every text of this wording."""
        opening, end = "", 0
        for slot in _SLOT.finditer(self.template):
            opening += self.template[end : slot.start()]
            if slot[2] not in _SURE or not slot[1]:
                return opening.rstrip()
            opening, end = opening + "#", slot.end()
        return opening + self.template[end:]

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """Matches the whole text. Free text is greedy, so that the outermost fixed wording wins."""
        pattern, end = "", 0
        for slot in _SLOT.finditer(self.template):
            literal, end = self.template[end : slot.start()], slot.end()
            bare = literal.endswith(" ") and not slot[1]  # may be empty, and takes its space with it
            pattern += re.escape(literal[:-1] if bare else literal)
            pattern += f"(?: {_inside(slot)})?" if bare else slot[1] + _inside(slot) + slot[4]
        return re.compile(pattern + re.escape(self.template[end:]), re.DOTALL)


def _inside(slot: re.Match[str]) -> str:
    if slot[2] == "text":
        return ".*"
    if slot[2] == "word":
        return "[^']*"
    if slot[2] == "ids":
        return "'[0-9]+'(?:, '[0-9]+')*"
    if slot[2] in ("module", "plugin"):
        return "([a-z][a-z0-9_]*)"
    return "([^']*)" if slot[1] or slot[2] == "id" else r"(-?\d*)"


def _lines(kind: str) -> Iterator[tuple[str, str]]:
    """The (left, right) halves of the lines of wordings.txt, `kind` being "label" or "wording"."""
    for line in (HERE / "wordings.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#") and line.startswith("label ") == (kind == "label"):
            left, right = line.removeprefix("label ").split(": ", 1)
            yield left, re.sub(r" \[[\d.]+\]$", "", right)


def expand(left: str, right: str) -> Iterator[Wording]:
    """The wordings of one line of wordings.txt, one for each choice of its brackets."""
    if right.startswith("U "):
        right = "The user with id '{user}' " + right[2:]
    right = re.sub("|".join(_SHORT), lambda short: _SHORT[short[0]], right)
    pieces = _BRACKET.split(right)
    component, event = left.split(" ")
    for choices in product(*(piece.split("|") for piece in pieces[1::2])):
        words, spelt = [], []
        for choice in choices:
            word, _, spelling = choice.partition("=")
            words.append(word)
            spelt.append((spelling or word).replace(" ", "_"))
        number = re.compile(r"\{(\d)\}")
        fill = [number.sub(lambda n: spelt[int(n[1]) - 1], text) for text in (component, event)]  # noqa: B023
        template = "".join(a + b for a, b in zip(pieces[::2], [*words, ""], strict=True))
        yield Wording(rf"\{fill[0]}\event\{fill[1]}", template)


@cache
def event_types() -> dict[str, EventType]:
    """Every event class of Moodle 4.1 to 5.1, by class name with its leading backslash."""
    rows = map(json.loads, (HERE / "event_types.jsonl").read_text("utf-8").splitlines())
    return {row["eventclass"]: EventType(**row) for row in rows}


@cache
def labels() -> dict[str, str]:
    """English label of the Component column -> component."""
    return {label: component for component, label in _lines("label")}


@cache
def named() -> dict[tuple[str, str], list[EventType]]:
    """(component, English event name without its full stop) -> event classes."""
    found: dict[tuple[str, str], list[EventType]] = {}
    for kind in event_types().values():
        found.setdefault((kind.component, plain(kind.name)), []).append(kind)
    return found


def plain(name: str | None) -> str:
    """An event name for comparing: no case, no full stop."""
    return (name or "").strip(" .").casefold()


def _wordings() -> Iterator[Wording]:
    """All wordings; those of any module also once for each module Moodle itself has."""
    classes = event_types()
    for line in _lines("wording"):
        for wording in expand(*line):
            generic = re.search(r"\{(module|plugin)\}", wording.eventclass)
            if generic:
                yield wording
                known = re.escape(wording.eventclass).replace(re.escape(generic[0]), "([a-z0-9_]+)")
                for found in filter(None, (re.fullmatch(known, eventclass) for eventclass in classes)):
                    yield Wording(found[0], wording.template.replace(generic[0], found[1]))
            elif wording.eventclass in classes:
                yield wording


class Table(NamedTuple):
    """The wordings by skeleton; and with their fixed beginning, by its first KEY characters or ""."""

    exact: dict[str, tuple[Wording, ...]]
    opening: dict[str, list[tuple[str, Wording]]]


KEY = 26


@cache
def table() -> Table:
    """The whole table of wordings, built once (some 30 ms)."""
    exact: dict[str, tuple[Wording, ...]] = {}
    opening: dict[str, list[tuple[str, Wording]]] = {}
    for wording in _wordings():
        beginning, skeleton = wording.opening, wording.skeleton
        opening.setdefault(beginning[:KEY] if len(beginning) >= KEY else "", []).append((beginning, wording))
        if skeleton is not None:
            exact[skeleton] = (*exact.get(skeleton, ()), wording)
    return Table(exact, opening)


def matching(skeleton: str, text: str) -> list[tuple[Wording, tuple[str, ...]]]:
    """The wordings that the whole text has, with what stands in their slots; the most literal ones only."""
    opening = table().opening
    found = [
        (wording, match.groups(""))
        for beginning, wording in (*opening.get(skeleton[:KEY], ()), *opening[""])
        if skeleton.startswith(beginning) and (match := wording.regex.fullmatch(text))
    ]
    most = max((wording.weight for wording, _ in found), default=0)
    return [pair for pair in found if pair[0].weight == most]
