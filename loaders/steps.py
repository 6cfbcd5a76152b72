"""Steps that questions share: whatever a question reads from is written into its SQL, as a `with` before it.

metadata.yml has them under `steps`, as SQL has them, each with its name at the start of a line:

    the_course as (
      select ...
    ),
    chosen as (
      select ... from the_course ...
    )

A question then says `from chosen`, as of a table. One that defines a step of the same name has its own, and other
steps read from that.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache

STEP = re.compile(r"^(\w+) as (?:materialized )?\(\n.*?^\)", re.MULTILINE | re.DOTALL)
DEFINED = re.compile(r"\b(\w+)(?:\s*\([\w\s,]*\))?\s+as\s+(?:(?:not\s+)?materialized\s+)?\(", re.IGNORECASE)
READ = re.compile(r"\b(?:from|join)\s+(\w+)", re.IGNORECASE)
WORDS = re.compile(r"\A.*\n\s*-- (.+)")
WITH = re.compile(r"\s*with\s+(recursive\s+)?", re.IGNORECASE)


def known(text: str) -> dict[str, str]:
    """{name: its SQL} of all steps in a text, in their order: a step reads only from those before it."""
    return {step[1]: step[0] for step in STEP.finditer(text)}


def words(step: str) -> str:
    """What a step says of itself: the comment that is its first line."""
    said = WORDS.search(step)
    return said[1] if said else ""


def whole(sql: str, steps: Mapping[str, str]) -> str:
    """A statement with the steps it reads from, and those they read from; the same statement where there are none."""
    others = steps.keys() - set(DEFINED.findall(sql))
    needed = _read(sql, others)
    for name in reversed(steps):
        if name in needed:
            needed |= _read(steps[name], others - {name})
    if not needed:
        return sql
    before = ",\n".join(steps[name] for name in steps if name in needed)
    start = WITH.match(sql)
    if not start:
        return f"with {before}\n{sql}"
    return f"with {start[1] or ''}{before},\n{sql[start.end() :]}"


def questions(known_of: Mapping) -> dict[str, dict]:
    """{name: query} of what metadata.yml says of a database, each with its whole SQL."""
    steps = known_of.get("steps") or ""
    known_queries = known_of.get("queries")  # which may be false and still have some, see own_questions.Kept
    named = {} if known_queries is None else known_queries
    queries = {name: query if isinstance(query, dict) else {"sql": query} for name, query in named.items()}
    return {name: {**query, "sql": _whole(query["sql"], steps)} for name, query in queries.items()}


@lru_cache(maxsize=1000)
def _whole(sql: str, steps: str) -> str:
    """Worked out once: Datasette asks for all questions many times a page, once for each permission."""
    return whole(sql, _known(steps))


_known = lru_cache(known)


def read(sql: str, names: Collection[str]) -> list[str]:
    """Which of these steps a statement reads from, in its order."""
    return [name for name in dict.fromkeys(READ.findall(sql)) if name in names]


def _read(sql: str, names: Collection[str]) -> set[str]:
    return set(read(sql, names))
