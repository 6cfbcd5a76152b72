"""Finding forum and blog posts by their words, in SQLite's full-text search (loaders/schema.py: SEARCHED)."""

from __future__ import annotations

import re
import sqlite3

from markupsafe import Markup, escape

from loaders import finding, moodle_links
from loaders.statements import FOLDER, ask

# Around each hit in what SQLite gives back: characters that no post holds, as none that is typed does either.
ON, OFF = "\x02", "\x03"
# source -> table, Moodle's id of the discussion, our key of the course: the newest of those the person is in
SOURCES = {
    "forum": (
        "forum_posts",
        "(select moodle_id from parts where parts.id = forum_posts.part_id)",
        "forum_posts.course_id",
    ),
    "blog": (
        "blog_posts",
        "null",
        "(select course_id from enrolments join courses as any on any.id = course_id"
        " where enrolments.person_id = blog_posts.person_id order by data_up_to_utc desc, any.id desc limit 1)",
    ),
}


def posts(conn: sqlite3.Connection, typed: str, most: int) -> tuple[list[dict], int]:
    """(the best posts, how many there are) with all these words, or their beginnings, in title or text.

    `title` and `words` are Markup with <mark> around each hit, `href` is where it was posted. Empty where no posts can
    be searched.
    """
    if not (match := expression(typed)) or not has_posts(conn):
        return [], 0
    found, count = [], 0
    for source, (table, discussion, course) in SOURCES.items():
        statement = (FOLDER / "find_posts.sql").read_text(encoding="utf-8")
        statement = statement.format(table=table, discussion=discussion, course=course)
        rows = ask(conn, statement, match=match, on=ON, off=OFF, most=most)
        found += [{**row, "source": source, "table": table} for row in rows]
        counted = f"select count(*) as posts from {table}_fts where {table}_fts match :match"
        count += ask(conn, counted, match=match)[0]["posts"]
    best = sorted(found, key=lambda row: row["rank"])[:most]
    return [shown(row) for row in best], count


def shown(row: dict) -> dict:
    """A post with its hits marked and its link."""
    marks = {"title": marked(row["title"]), "words": marked(row["words"])}
    return {**row, **marks, "href": moodle_links.post(row, row)}


def has_posts(conn: sqlite3.Connection) -> bool:
    """Whether there are any to search; a database of somebody's own may lack the tables."""
    tables = {name for (name,) in conn.execute("select name from sqlite_master where type = 'table'")}
    there = [table for table, *_ in SOURCES.values() if {table, f"{table}_fts"} <= tables]
    return len(there) == len(SOURCES) and any(
        conn.execute(f"select exists (select 1 from {table})").fetchone()[0] for table in there
    )


def expression(typed: str) -> str:
    """What full-text search is asked: each word quoted, so that none is an operator, as the beginning of one."""
    quoted = ['"{}"*'.format(word.replace('"', '""')) for word in dict.fromkeys(finding.asked(typed).split())]
    return " ".join([word for word in quoted if any(map(str.isalnum, word))][: finding.MOST_WORDS])


def marked(text: str | None) -> Markup:
    """Escaped, with <mark> around each hit; a mark without its other half is none."""
    pieces = re.split(f"{ON}([^{ON}{OFF}]*){OFF}", text or "")
    hits = [Markup("<mark>{}</mark>").format(piece) if at % 2 else escape(piece) for at, piece in enumerate(pieces)]
    return Markup("").join(hits).translate({ord(ON): None, ord(OFF): None})
