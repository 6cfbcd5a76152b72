"""Where others wrote a student's name or the address of her blog: counted, and replaced if the teacher says so."""

from __future__ import annotations

import html
import json
import re
import sqlite3
from collections import Counter

REMOVED = "[name removed]"
SHORTEST = 5  # letters of an id or a user name that no other word has by chance
_WRITTEN = ("title", "text", "most_positive", "most_negative")
POSTS = {"forum_posts": _WRITTEN, "blog_posts": (*_WRITTEN, "html"), "responses": ("response",)}
# What says the same again, and where a name may stand besides
COPIES = {"claims": ("claim",)}
ELSEWHERE = {
    "unmatched": ("raw", "reason"), "calendar_events": ("name",), "parts": ("name",),
    "person_details": ("value",), "groups": ("name",), "sections": ("name",), "activities": ("name",),
    "grade_items": ("name",), "feeds": ("title",),
}  # fmt: skip
OF_NOTES = {"notes": ("text",), "nudges": ("how", "about")}  # in private/notes.db, on others
OF_LOADS = {"loads": ("source", "note", "error")}


def words(row: dict, urls: tuple[str, ...] = ()) -> re.Pattern[str] | None:
    """What to look for, of a row of people: the full name as written, with its spaces as they come, addresses, ids."""
    names = {row["fullname"], " ".join(filter(None, (row["firstname"], row["lastname"])))} - {None, ""}
    spelt = {form for name in names for form in (name, html.escape(name), html.escape(name, quote=False))}
    patterns = {r"\s+".join(map(re.escape, name.split())) for name in spelt} | {re.escape(url) for url in urls}
    ids = [row.get(key) or "" for key in ("email", "username", "idnumber")]
    patterns |= {re.escape(word) for word in ids if len(word) >= SHORTEST}
    longest_first = sorted(patterns, key=lambda text: (-len(text), text))
    return re.compile(rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)", re.I) if patterns else None


def count(
    connection: sqlite3.Connection, pattern: re.Pattern[str] | None, places: dict[str, tuple] = POSTS
) -> Counter[str]:
    """{table: how many rows of others hold one of the words}."""
    if pattern is None:
        return Counter()
    connection.create_function("mentions", 1, lambda text: pattern.search(str(text or "")) is not None)
    found = Counter()
    for table, columns in places.items():
        where = " or ".join(f"mentions({column})" for column in columns)
        found[table] = connection.execute(f"select count(*) from {table} where {where}").fetchone()[0]
    return +found


def replace(connection: sqlite3.Connection, pattern: re.Pattern[str] | None, where: dict | None = None) -> int:
    """Write REMOVED in their place, everywhere or in these columns; returns how many fields were changed."""
    if pattern is None:
        return 0
    connection.create_function("without", 1, lambda text: text and pattern.sub(REMOVED, text))
    connection.create_function("without_in_json", 1, lambda text: _in_json(pattern, text))
    changed = 0
    for table, columns in (where or {**POSTS, **ELSEWHERE, **COPIES, **OF_LOADS}).items():
        for column in columns:
            function = "without_in_json" if column in ("claim", "raw") else "without"
            new = f"{function}({column})"
            sql = f"update or ignore {table} set {column} = {new} where {new} is not {column}"
            changed += connection.execute(sql).rowcount
    return changed


def _in_json(pattern: re.Pattern[str], text: str) -> str:
    """JSON with the words replaced in its texts; the text itself where there are none."""
    said = json.loads(text)
    new = _walk(pattern, said)
    return text if new == said else json.dumps(new, ensure_ascii=False, sort_keys=True)


def _walk(pattern: re.Pattern[str], value: object) -> object:
    if isinstance(value, str):
        return pattern.sub(REMOVED, value)
    if isinstance(value, list):
        return [_walk(pattern, each) for each in value]
    if isinstance(value, dict):
        return {key: _walk(pattern, each) for key, each in value.items()}
    return value


def of_person(connection: sqlite3.Connection, person: int) -> re.Pattern[str] | None:
    """What to look for of a person (own key): the name, and the addresses of their blogs."""
    names = ("fullname", "firstname", "lastname", "email", "username", "idnumber")
    row = connection.execute(f"select {', '.join(names)} from people where id = ?", (person,)).fetchone()
    urls = connection.execute("select url from feeds where person_id = ?", (person,)).fetchall()
    return words(dict(zip(names, row, strict=True)), tuple(url.rstrip("/") for (url,) in urls))
