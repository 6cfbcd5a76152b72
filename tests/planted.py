"""A made-up database in which every text about a person says whether they are in the group Online or outside it.

Staff and those in the group are `inside`; all others, and whatever is not one person's, are `outside`. What is no text
about anybody stands in SAFE, so a new column of text is planted until somebody says that it may be shown.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from loaders import rollups, schema, veiled_tables, wide
from tests import made_up, made_up_grades
from tests.made_up import AWAY, BO, NEW, SAM, STRANGER, TEACHER, ZOE

GROUP = "Online"
IN, OUT = "Innerly", "Outerly"  # the words
INSIDE = (ZOE, SAM, TEACHER)
# Neither names nor anybody's words: states, kinds, times, settings, and what the course page shows.
SAFE = {
    "state", "role", "role_from", "status", "timezone", "timezone_from", "kind", "crud", "display", "no_sentiment",
    "origin", "event_type", "start_date", "starts_on", "day", "field", "part", "noun", "component", "eventclass",
    "question",
}  # fmt: skip
OF_THE_COURSE = {
    "sites", "courses", "groups", "sections", "activities", "parts", "event_types", "weeks", "calendar_events",
    "grade_items",
}  # fmt: skip
ROWS = {
    "event_names": "(event_id, person, related, has_id) values (1, '', '', 0)",
    "submissions": "(person_id, activity_id, state, time_utc) values (?, 1, 'submitted', '2016-03-02T00:00:00Z')",
    "attempts": "(person_id, activity_id, state, time_utc) values (?, 2, 'finished', '2016-03-02T00:00:00Z')",
    "responses": "(person_id, activity_id, question, response, time_utc) values (?, 2, '', '', '2016-03-02T00:00:00Z')",
    "unmatched": "(load_id, kind, line, raw, reason) values (1, 'log', 1, '', '')",
    "claims": "(load_id, noun, line, claim, answer_key) values (1, 'person', 1, '', '')",
    "answers": "(load_id, key, mark) values (1, '', '')",
    "load_events": "(load_id, first_id, last_id) values (1, 1, 2)",
    "pulls": "(course_id, part, fetched_utc) values (2, 'log', '2016-03-02T00:00:00Z')",
    "calendar_events": "(course_id, moodle_id, name, event_type, starts_utc) "
    "values (1, 1, 'Outerly mine', 'user', '2016-03-02T00:00:00Z')",
}


def tables() -> dict[str, list[str]]:
    """Every table of the schema -> its columns of text."""
    conn = sqlite3.connect(":memory:")
    for statement in schema.statements():
        conn.execute(statement)
    names = [row[0] for row in conn.execute("select name from sqlite_master where type = 'table'")]
    columns = {name: conn.execute(f"pragma table_info({name})").fetchall() for name in names}
    conn.close()
    return {name: [row[1] for row in rows if row[2].lower() in ("text", "")] for name, rows in columns.items()}


def database(path: Path) -> Path:
    """The database, written to `path`: made_up_grades.small, with something in every table."""
    made_up_grades.small(path)
    with sqlite3.connect(path) as db:
        for table, row in ROWS.items():
            people = (ZOE, BO, STRANGER) if "?" in row else (None,)
            for person in people:
                db.execute(f"insert into {table} {row}", (person,) if "?" in row else ())
        db.executemany(
            "insert into person_details (person_id, field, value) values (?, 'Phone', '')", [(BO,), (STRANGER,)]
        )
        db.execute(
            "update events set real_person_id = ?, related_person_id = ? where person_id = ?", (BO, STRANGER, ZOE)
        )
        for table, columns in tables().items():
            if table not in OF_THE_COURSE and not table.startswith("usage_"):
                _plant(
                    db, table, [name for name in columns if name not in SAFE and not name.endswith(("_utc", "_local"))]
                )
        db.execute(f"update parts set name = '{IN} talk ' || id where kind = 'discussion'")
        # Shared by five, so that it is shown under pseudonyms too; by fewer, it is not.
        shared = [(person, "Campus", "Springfield") for person in (ZOE, SAM, BO, NEW, AWAY)]
        db.executemany("insert into person_details (person_id, field, value) values (?, ?, ?)", shared)
        wide.save_view(db)
        for (course,) in db.execute("select id from courses").fetchall():
            rollups.build(db, course)
        for table in schema.SEARCHED:
            db.execute(f"insert into {table}_fts ({table}_fts) values ('rebuild')")
    db.close()
    return path


def _plant(db: sqlite3.Connection, table: str, columns: list[str]) -> None:
    whose = veiled_tables.OF_A_PERSON.get(table)
    inside = f"{whose} in {INSIDE}" if whose else "0"
    if table == "post_links":
        inside = f"coalesce(blog_post_id in (select id from blog_posts where person_id in {INSIDE}), 0)"
        inside += f" or coalesce(forum_post_id in (select id from forum_posts where person_id in {INSIDE}), 0)"
    for column in columns:
        word = f"'{table}_{column}_'" if column != "email" else "'mail@'"
        db.execute(f"update {table} set {column} = iif({inside}, '{IN}', '{OUT}') || {word} || rowid")


SITE = made_up.SITE
