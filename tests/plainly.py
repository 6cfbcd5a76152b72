"""Use of activities and parts counted from the log itself: slowly, but there is nothing in it to get wrong.

For a database with one course, in which Moodle's ids are our keys (100 more for people), and all parts are chapters.
"""

from __future__ import annotations

import sqlite3

CLICKS = """
    from events
    where course_id = 1
        and real_person_id is null
        and event_type_id in (select id from event_types where crud = 'r')
        and person_id in (select value from json_each(:people))
        and (:from_week is null or week >= :from_week)
        and (:to_week is null or week <= :to_week)
"""
STUDENTS = """
select json_group_array(person_id)
from enrolments
where course_id = 1
    and role = 'student'
    and (:student is null or person_id = :student - 100)
    and (:groups = '[]' or (
        select count(distinct group_id)
        from group_members
        where person_id = enrolments.person_id and group_id in (select value from json_each(:groups))
    ) >= :needed)
"""
DONE = """
select cmid, iif(tracked = 1 and count(state), count(*) filter (
    where state in ('complete', 'complete-pass') and person_id in (select value from json_each(:people))), null)
from activities left join completions on completions.activity_id = activities.id
group by cmid
"""


def plainly(db: sqlite3.Connection, groups=(), together="any", from_week=None, to_week=None, student=None) -> dict:
    """What usage.usage says, from the tables that files fill."""
    needed = len(groups) if together == "all" else 1
    asked = {"from_week": from_week, "to_week": to_week, "student": student, "needed": needed}
    (people,) = db.execute(STUDENTS, {**asked, "groups": str(list(groups))}).fetchone()
    counted = "count(*), count(distinct person_id)"
    run = lambda sql: db.execute(sql, {**asked, "people": people}).fetchall()  # noqa: E731
    used = {cmid: row for cmid, *row in run(f"select activity_id, {counted} {CLICKS} group by 1")}
    parts = {part: row for part, *row in run(f"select part_id, {counted} {CLICKS} and part_id group by 1")}
    return {
        "activities": {str(cmid): (*used.get(cmid, (0, 0)), done) for cmid, done in run(DONE)},
        "parts": {
            f"chapter:{part}": dict(zip(("clicks", "students"), parts.get(part, (0, 0)), strict=True))
            for (part,) in run("select id from parts")
        },
        "students": people.count(",") + (people != "[]"),
    }
