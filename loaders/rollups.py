"""Roll-ups: small tables made from events at load time, so that no page ever reads the events."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from loaders import bits

FOLDER = Path(__file__).parent / "rollups"
TABLES = (  # in the order of building: the later ones read the earlier ones
    "usage_activity_person_week",
    "usage_part_person_week",
    "usage_person_week",
    "usage_person_day",
    "usage_person_seen",
    "usage_person",
    "usage_week",
    "usage_week_hour",
    "usage_activity_week",
    "usage_part_week",
    "usage_activity",
    "usage_part",
    "usage_activity_person_posts",
)


def build(connection: sqlite3.Connection, course_id: int) -> None:
    """Rebuild every roll-up of one course, inside the caller's transaction."""
    bits.register(connection)
    connection.execute("drop table if exists temp.clicks")
    connection.execute(_sql("clicks"), {"course": course_id})
    for table in TABLES:
        connection.execute(f"delete from {table} where course_id = ?", (course_id,))
        connection.execute(_sql(table), {"course": course_id})
    connection.execute("drop table temp.clicks")


def build_activities(connection: sqlite3.Connection, course_id: int) -> None:
    """Rebuild only what completions and activities change: `usage_activity`, from stored roll-ups."""
    bits.register(connection)
    connection.execute("drop table if exists temp.clicks")
    connection.execute(
        "create temp table clicks as select person_id, activity_id, clicks, last_utc"
        " from usage_activity_person_week where course_id = ?",
        (course_id,),
    )
    connection.execute("delete from usage_activity where course_id = ?", (course_id,))
    connection.execute(_sql("usage_activity"), {"course": course_id})
    connection.execute("drop table temp.clicks")


def build_all(connection: sqlite3.Connection) -> None:
    """Rebuild every roll-up of every course, inside the caller's transaction."""
    for (course_id,) in connection.execute("select id from courses").fetchall():
        build(connection, course_id)


def build_submissions(connection: sqlite3.Connection, course_id: int) -> None:
    """Fill `submissions` and `attempts` of one course from its log lines."""
    for table in ("submissions", "attempts"):
        connection.execute(
            f"delete from {table} where activity_id in (select id from activities where course_id = ?)",
            (course_id,),
        )
        connection.execute(_sql(table), {"course": course_id})


def _sql(name: str) -> str:
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
