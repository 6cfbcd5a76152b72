"""Deleting a whole course from moodle.db, with everybody who is in no other; nobody is kept out for it."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter

from loaders import forget, forgotten, rollups, wide
from loaders.courses import person_keys
from loaders.forgotten import STRONG
from loaders.person_details import keys as words_keys
from loaders.statements import ask

_LOADS = "load_id in (select id from loads where course_id = :course)"
# Children before their parents; each with which of its rows are of the course
OF_COURSE = {
    "event_names": "event_id in (select id from events where course_id = :course)",
    "events": "course_id = :course",
    "post_links": "forum_post_id in (select id from forum_posts where course_id = :course)",
    **forget.IN_COURSE,
    "calendar_events": "course_id = :course",
    "grade_items": "course_id = :course",
    "parts": "activity_id in (select id from activities where course_id = :course)",
    "activities": "course_id = :course",
    "sections": "course_id = :course",
    "groups": "course_id = :course",
    "weeks": "course_id = :course",
    "pulls": "course_id = :course",
    "claims": _LOADS,
    "answers": _LOADS,
    "unmatched": _LOADS,
    "load_events": _LOADS,
    "loads": "course_id = :course",
    "courses": "id = :course",
}  # fmt: skip
LEFT = """
select id, site_id, moodle_id, email, idnumber, username, fullname, firstname, lastname
from people
where id in (select value from json_each(:people)) and not exists (
    select 1 from enrolments where person_id = people.id
    union all select 1 from events where person_id = people.id
    union all select 1 from events where related_person_id = people.id
    union all select 1 from events where real_person_id = people.id
)
"""
THERE = """
select person_id from enrolments where course_id = :course
union select person_id from events where course_id = :course and person_id is not null
union select related_person_id from events where course_id = :course and related_person_id is not null
union select real_person_id from events where course_id = :course and real_person_id is not null
"""
SITEWIDE = """
select claims.id, load_id, claim
from claims
join loads on loads.id = load_id
where loads.course_id is null and loads.site_id = ?
"""


def course(connection: sqlite3.Connection, key: int) -> Counter[str]:
    """Delete a course (own key); returns {table: rows deleted}. A file of it that is loaded again brings it back."""
    connection.execute("pragma secure_delete = on")
    connection.execute("begin immediate")
    try:
        gone = _course(connection, key)
        forgotten.set_untidy(connection)
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")
    return gone


def _course(connection: sqlite3.Connection, key: int) -> Counter[str]:
    ids = {"course": key}
    (site_id,) = connection.execute("select site_id from courses where id = ?", (key,)).fetchone()
    people = json.dumps([person for (person,) in connection.execute(THERE, ids)])
    gone: Counter[str] = Counter()
    for table in rollups.TABLES:
        connection.execute(f"delete from {table} where course_id = :course", ids)
    for table, where in OF_COURSE.items():
        gone[table] += connection.execute(f"delete from {table} where {where}", ids).rowcount
    left = ask(connection, LEFT, people=people)
    gone["claims"] += _unsay(connection, site_id, left)
    for row in left:
        gone += forget.delete_person(connection, {"person": row["id"], "course": None})
    connection.execute(
        "delete from sites where id not in (select site_id from loads where site_id is not null)"
        " and id not in (select site_id from forgotten where site_id is not null)"
        " and id not in (select site_id from courses) and id not in (select site_id from people)"
    )
    forget.trim_ranges(connection)
    wide.save_view(connection)
    forget.reindex(connection)
    return +gone


def _unsay(connection: sqlite3.Connection, site_id: int, left: list[dict]) -> int:
    """Rows about these people in spreadsheets, lists of blogs and Moodle's blog, which are of no course."""
    marks = {key for row in left for key in person_keys(row) if key[0] in STRONG}
    rows = connection.execute(SITEWIDE, (site_id,)).fetchall() if marks else []
    gone = [(key, load_id) for key, load_id, text in rows if _marks(json.loads(text)) & marks]
    connection.executemany("delete from claims where id = ?", [(key,) for key, _ in gone])
    connection.executemany("update loads set content_key = null where id = ?", {(load_id,) for _, load_id in gone})
    return len(gone)


def _marks(claim: dict) -> set[tuple]:
    keys = person_keys(claim.get("person") or {}) | words_keys(claim.get("about") or {})
    keys |= words_keys(claim.get("student") or {})
    return keys | ({("id", claim["author"])} if "author" in claim else set())
