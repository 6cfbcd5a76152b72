"""Grades and an older offering laid over the databases of made_up_posts.py.

Small: four of the six students have a course total, one of them without a grade in the quiz; one grade is a letter.
`older(path)` adds what happened in course 3, EDU1000, a year before: two students, weeks 1 and 2, a quiz of the same
name, one that is there only, and two pages of one name.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from loaders import rollups
from tests import made_up_posts
from tests.made_up import BO, OTHER_SAM, SAM, STRANGER, VIEWED, ZOE

# id, activity, name, display, maximum
ITEMS = [
    (1, 2, "Quiz 1", "real", 100),
    (2, 2, "Quiz 1", "percentage", 100),
    (3, 2, "Quiz 1", "feedback", None),
    (4, None, "Handwriting", "letter", None),
    (5, None, "Course total", "real", 200),
]
GRADES = [
    (1, ZOE, 80), (1, SAM, 60), (1, OTHER_SAM, 40), (2, ZOE, 80), (3, ZOE, "Well done"), (4, ZOE, "B"), (4, SAM, "A"),
    (5, ZOE, 160), (5, SAM, 120.5), (5, OTHER_SAM, 80), (5, BO, 20),
]  # fmt: skip
# id, cmid, kind, name
OLDER = [
    (21, 51, "quiz", "Quiz  1 "), (22, 52, "quiz", "Quiz 0"), (23, 53, "page", "Notes"), (24, 54, "page", "Notes"),
    (25, 55, "forum", "Quiz 1"), (26, 56, "label", "A heading"),
]  # fmt: skip
# person, week, activity
OLDER_CLICKS = [(STRANGER, 1, 21), (STRANGER, 1, 21), (STRANGER, 2, 21), (9, 2, 21), (9, 2, 23), (STRANGER, 2, 25)]
OLDER_MONDAYS = {1: "2015-03-02", 2: "2015-03-09"}
OFFERING = """
insert into {table} (id, course_id, {columns})
select id + 100000, 2, {columns} from {table} where course_id = 1
"""


def small(path: Path) -> Path:
    """made_up_posts.small with grades, written to `path`."""
    with sqlite3.connect(made_up_posts.small(path)) as db:
        db.executemany(
            "insert into grade_items (id, course_id, activity_id, name, display, maximum) values (?, 1, ?, ?, ?, ?)",
            ITEMS,
        )
        db.executemany("insert into grades (grade_item_id, person_id, grade) values (?, ?, ?)", GRADES)
    db.close()
    return path


def older(path: Path) -> Path:
    """The same with a log of course 3."""
    with sqlite3.connect(small(path)) as db:
        db.execute("insert into people (id, site_id, moodle_id, fullname) values (9, 1, 98, 'Una Earlier')")
        db.execute("insert into enrolments (course_id, person_id, role) values (2, 9, 'student')")
        db.executemany(
            "insert into activities (id, cmid, course_id, kind, name, tracked) values (?, ?, 2, ?, ?, 0)", OLDER
        )
        db.executemany("insert into weeks (course_id, week, starts_on) values (2, ?, ?)", OLDER_MONDAYS.items())
        db.executemany(
            "insert into events (course_id, person_id, time_utc, time_local, week, event_type_id, activity_id, load_id,"
            " line_key) values (2, ?, ?, ?, ?, ?, ?, 1, ?)",
            [
                (
                    person,
                    f"2015-03-{7 * week - 5:02}T00:00:00Z",
                    f"2015-03-{7 * week - 5:02}T10:00:00",
                    week,
                    VIEWED,
                    key,
                    n,
                )
                for n, (person, week, key) in enumerate(OLDER_CLICKS, 5000)
            ],
        )
        db.execute("update courses set data_up_to_utc = '2015-03-09T00:00:00Z' where id = 2")
        rollups.build(db, 2)
    db.close()
    return path


def large(path: Path, **size: int) -> Path:
    """made_up_posts.large with grades and an offering before it that had a tenth of the clicks."""
    with sqlite3.connect(made_up_posts.large(path, **size)) as db:
        db.execute(
            "insert into grade_items (course_id, activity_id, name, display) values (1, 3, 'Quiz 1', 'real'),"
            " (1, null, 'Course total', 'real')"
        )
        db.execute(
            "insert into grades (grade_item_id, person_id, grade)"
            " select grade_items.id, people.id, people.id * 37 % 101 from grade_items join people"
        )
        _large_offering(db)
    db.close()
    return path


def _large_offering(db: sqlite3.Connection) -> None:
    for table, columns in {
        "activities": "cmid, position, kind, name, tracked",
        "weeks": "week, starts_on, name, is_break",
    }.items():
        db.execute(OFFERING.format(table=table, columns=columns))
    db.execute("insert or ignore into enrolments (course_id, person_id, role) select 2, id, 'student' from people")
    db.execute(
        "insert into events"
        " (course_id, load_id, person_id, time_utc, time_local, week, event_type_id, activity_id, line_key)"
        " select 2, 1, person_id, time_utc, time_local, week, event_type_id, activity_id + 100000, -1 - line_key"
        " from events where course_id = 1 and line_key % 10 = 0"
    )
    db.execute(
        "update courses set data_up_to_utc = (select max(time_utc) from events where course_id = 2) where id = 2"
    )
    rollups.build(db, 2)
