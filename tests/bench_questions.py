"""How long each question takes at a long log, filled in and left empty.

400 students, 60 activities, 15 weeks, grades, 8,000 blog posts and 2,000 forum posts in 400 discussions, and an older
offering of the course. Each question is asked as Datasette would, of the file and without a server, and compared with
the plain count of clicks by activity from the events, in the same run. `EVENTS=200000` takes a shorter log.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from loaders import rollups
from tests import bench_server, made_up, made_up_posts
from tests.test_queries import FILLED, QUERIES, opened

EVENTS = int(os.environ.get("EVENTS", 2_000_000))
STUDENTS, TIMES = 400, 7
PLAIN = "select activity_id, count(*), count(distinct person_id) from events where activity_id > 0 group by 1"
READ_DISCUSSIONS = "update events set part_id = 1001 + line_key % :students where activity_id = 1 and part_id > 0"
GRADES = """
insert into grades (grade_item_id, person_id, grade)
select grade_items.id, people.id, (people.id * 37 + grade_items.id * 11) % 101
from grade_items join people
"""
ITEMS = "insert into grade_items (course_id, activity_id, name, display, maximum) values (1, ?, ?, 'real', 100)"
NEWEST = "update courses set data_up_to_utc = (select max(time_utc) from events where course_id = courses.id)"
# Five of a student's completions 8 seconds apart, half of what is handed in a draft first, and some never opened.
COMPLETED = """
update completions
set completed_utc = strftime(
    '%Y-%m-%dT%H:%M:%SZ', '2016-03-01', '+' || (id / 5 * 7919 % 7000000 + id % 5 * 8) || ' seconds'
)
where state = 'complete'
"""
HANDED_IN = """
insert into submissions (person_id, activity_id, state, time_utc)
select person_id, activity_id, iif(person_id % 2, 'submitted', 'draft'), completed_utc
from completions
where state = 'complete' and activity_id % 5 = 1
"""
UNSEEN = "delete from usage_activity_person_week where activity_id % 10 = 3 and person_id % 4 = 0"
OLDER_EVENTS = """
insert into events
    (course_id, load_id, person_id, time_utc, time_local, week, event_type_id, activity_id, line_key)
select 2, 1, person_id, time_utc, time_local, week, event_type_id, activity_id + 100000, -line_key
from events
where course_id = 1 and line_key % 10 = 0
"""
OFFERING = """
insert into {table} (id, course_id, {columns})
select id + 100000, 2, {columns} from {table} where course_id = 1
"""


def build(path: Path) -> Path:
    """The course with EVENTS lines in its log."""
    made_up_posts.large(path, students=STUDENTS, activities=bench_server.ACTIVITIES, events=0, weeks=bench_server.WEEKS)
    with sqlite3.connect(path) as db:
        db.execute("pragma synchronous = off")
        bench_server.fill(db, EVENTS)
        db.execute(READ_DISCUSSIONS, {"students": STUDENTS})
        db.execute("update activities set kind = 'forum' where id = 1")
        db.execute("update activities set kind = 'book' where id % 10 = 2")
        db.executemany(ITEMS, [(n, f"Activity {n}") for n in range(3, 60, 10)] + [(None, "Course total")])
        db.execute(GRADES)
        db.execute(COMPLETED)
        older_offering(db)
        db.execute(
            "update courses set data_up_to_utc = (select max(time_utc) from events where course_id = courses.id)"
        )
        for course in (1, 2):
            rollups.build(db, course)
        db.execute(HANDED_IN)
        db.execute(UNSEEN)
        db.execute("analyze")
    return path


def older_offering(db: sqlite3.Connection) -> None:
    """Course 2 with the same students, activities and weeks, and a tenth of the log."""
    for table, columns in {
        "activities": "cmid, position, kind, name, tracked",
        "weeks": "week, starts_on, name, is_break",
    }.items():
        db.execute(OFFERING.format(table=table, columns=columns))
    db.execute(
        "insert into enrolments (course_id, person_id, role) select 2, person_id, role from enrolments"
        " where course_id = 1 and person_id not in (select person_id from enrolments where course_id = 2)"
    )
    db.execute(OLDER_EVENTS)


def took(db: sqlite3.Connection, sql: str, parameters: dict) -> tuple[float, int]:
    """(milliseconds, the middle of several times; rows)."""
    times = []
    for _ in range(TIMES):
        started = time.perf_counter()
        rows = db.execute(sql, parameters).fetchall()
        times.append(1000 * (time.perf_counter() - started))
    return median(times), len(rows)


def measure(db: sqlite3.Connection) -> None:
    """Print a line for each question: left empty but for the course, which is not the newest, and filled in."""
    plain, _ = took(db, PLAIN, {})
    print(f"{EVENTS:,} events; the plain count of clicks by activity: {plain:.0f} ms")
    for name, query in QUERIES.items():
        said = []
        for given in ({"course": "2"}, {**FILLED, "section": "Week 2", "site": made_up.SITE}):
            parameters = {key: given.get(key, "") for key in query["params"]}
            ms, rows = took(db, query["sql"], parameters)
            said.append(f"{ms:6.1f} ms ({ms / plain:.3f} x, {rows:,} rows)")
        print(f"  {name:24} {said[0]:34} filled in {said[1]}", flush=True)


def main() -> None:
    """Build and measure."""
    with tempfile.TemporaryDirectory(prefix="coursette-bench-") as name:
        measure(opened(build(Path(name) / "moodle.db")))


if __name__ == "__main__":
    main()
