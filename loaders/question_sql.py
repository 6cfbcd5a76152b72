"""The statement of a question's file: that it is one, which parameters it asks for, and their defaults written in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from loaders.question_header import Wrong

TOKEN = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<text>'[^']*(?:''[^']*)*'|"[^"]*(?:""[^"]*)*"|`[^`]*`|\[[^\]\n]*\])
    |(?P<parameter>[:@$\#]\w+|\?\d*)
    |(?P<end>;)
    |(?P<word>\w+)
    |(?P<sign>\S)""",
    re.DOTALL | re.VERBOSE,
)
STARTS = ("select", "with", "values")
# What SQLite keeps for itself; tables may be named by any kind of quotes.
INTERNAL = re.compile(r"""["'`\[]?((?:sqlite|pragma)_\w+|load_extension)["'`\]]?""", re.IGNORECASE)
PARAMETER = re.compile(r":[a-z][a-z0-9_]{0,40}")


def tokens(sql: str) -> Iterator[tuple[str, str, int]]:
    """(kind, text, offset) of what a statement is made of, comments left out."""
    for found in TOKEN.finditer(sql):
        if found.lastgroup != "comment":
            yield found.lastgroup or "", found[0], found.start()


def line_of(sql: str, offset: int, first: int = 1) -> int:
    """The line of an offset, where the text begins on the line `first`."""
    return first + sql.count("\n", 0, offset)


def one(sql: str, first: int) -> tuple[str, int]:
    """(the one statement from its first word to its semicolon, its line); raises Wrong where it is none, or more."""
    found = list(tokens(sql))
    if not found:
        raise Wrong("there is no SQL below the head: write a select", first)
    _, text, start = found[0]
    line = line_of(sql, start, first)
    if text.lower() not in STARTS:
        raise Wrong(f"a question starts with select or with, not “{text[:20]}”: it only reads", line)
    for _, word, offset in found:
        if internal := INTERNAL.fullmatch(word):
            sentence = f"{internal[1]} is SQLite's own: a question reads the tables of the course"
            raise Wrong(sentence, line_of(sql, offset, first))
    ends = [at for at, (kind, *_) in enumerate(found) if kind == "end"]
    if ends and (after := [token for token in found[ends[0] :] if token[0] != "end"]):
        raise Wrong("one statement a file: leave out what follows the semicolon", line_of(sql, after[0][2], first))
    _, text, last = found[ends[0] - 1] if ends else found[-1]
    return sql[start : last + len(text)], line


def parameters(sql: str, first: int) -> dict[str, int]:
    """{parameter: the first line with it}, in their order; raises Wrong for what a question cannot ask for."""
    found: dict[str, int] = {}
    for kind, text, offset in tokens(sql):
        if kind == "parameter":
            line = line_of(sql, offset, first)
            if not PARAMETER.fullmatch(text):
                raise Wrong(f"“{text[:40]}” is no parameter: write a colon and a lower-case word as :activity", line)
            found.setdefault(text[1:], line)
    return found


def with_defaults(sql: str, defaults: Mapping[str, int | float | str]) -> str:
    """The statement with the default of a parameter wherever that is left empty; numbers are cast. Lines stay."""
    parts, done = [], 0
    for kind, text, offset in tokens(sql):
        if kind == "parameter" and (default := defaults.get(text[1:])) is not None:
            parts += [sql[done:offset], _filled(text, default)]
            done = offset + len(text)
    return "".join([*parts, sql[done:]])


def is_in_any_order(sql: str) -> bool:
    """Whether there is no `order by`, not even in a part of the statement."""
    return not any(kind == "word" and text.lower() == "order" for kind, text, _ in tokens(sql))


def _filled(parameter: str, default: int | float | str) -> str:
    if isinstance(default, str):
        return "coalesce(nullif({}, ''), '{}')".format(parameter, default.replace("'", "''"))
    kind = "integer" if isinstance(default, int) else "real"
    return f"cast(coalesce(nullif({parameter}, ''), {default!r}) as {kind})"
