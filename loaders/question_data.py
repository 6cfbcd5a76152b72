"""What data a question reads, by the tables in its SQL: how fresh each kind is, and what is not loaded yet."""

from __future__ import annotations

import re
import sqlite3
from functools import lru_cache

from loaders import freshness

# Kinds of data as freshness.py names them: what a teacher calls each, and by which tables a question shows its need.
WORDS = {
    "course log": "course log",
    "activity completion": "completion report",
    "forum posts": "forum posts",
    "blogs": "students’ blogs",
    "grades": "grades",
}
TABLES = {
    "course log": r"usage_\w+|events|submissions|attempts",
    "activity completion": "completions",
    "forum posts": "forum_posts",
    "blogs": "blog_posts|feeds",
    "grades": "grades|grade_items",
}
EITHER = {"forum posts", "blogs"}  # a course may well have only one of them


@lru_cache
def needed(sql: str) -> tuple[str, ...]:
    """The kinds of data that a statement reads, of WORDS and in their order."""
    read = set(re.findall(r"\b(?:from|join)\s+(\w+)", sql))
    return tuple(kind for kind, tables in TABLES.items() if any(re.fullmatch(tables, name) for name in read))


def fresh(conn: sqlite3.Connection, course: dict, sql: str) -> dict:
    """Of what a statement reads of a course: `up_to`, [(words, UTC)] where known; `missing`, words of what is not."""
    found = {row["kind"]: row for row in freshness.freshness(conn, course)}
    kinds = needed(sql)
    here = {kind for kind in kinds if found[kind]["is_loaded"]}
    absent = [kind for kind in kinds if kind not in here]
    if here & EITHER and set(kinds) >= EITHER:
        absent = [kind for kind in absent if kind not in EITHER]
    up_to = [(WORDS[kind], found[kind]["up_to_utc"]) for kind in kinds if kind in here and found[kind]["up_to_utc"]]
    return {"up_to": up_to, "missing": [WORDS[kind] for kind in absent], "timezone": course["timezone"]}
