"""Two made-up databases for tests of queries and pages: a small one to know by heart, a large one to time.

`small(path)` has two courses. In course 2 (EDC3100, data up to week 3): six students, two called Sam Lee, one
whose name is markup, one whose Moodle id nobody knows yet, one suspended who never came, and a teacher.
"""

from __future__ import annotations

import random
import sqlite3
import tempfile
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from loaders import rollups, schema

SITE = "https://moodle.example.edu"
MARKUP = '<b>Bo</b> "Tables" <script>alert(1)</script>'
ZOE, SAM, OTHER_SAM, BO, NEW, AWAY, TEACHER, STRANGER = range(1, 9)
OFFSET = timedelta(hours=10)  # Australia/Brisbane has no daylight saving

VIEWED, COURSE_VIEWED, POSTED, PART_VIEWED = 1, 2, 3, 4
EVENT_TYPES = [
    (VIEWED, "Forum", "Course module viewed", r"\mod_forum\event\course_module_viewed", "r", 2),
    (COURSE_VIEWED, "System", "Course viewed", r"\core\event\course_viewed", "r", 2),
    (POSTED, "Forum", "Post created", r"\mod_forum\event\post_created", "c", 2),
    (PART_VIEWED, "Book", "Chapter viewed", r"\mod_book\event\chapter_viewed", "r", 2),
]

PEOPLE = [
    (ZOE, 1, 5, "Zoë Müller", "Zoë", "Müller", "zoe@student.example.edu", "001012345"),
    (SAM, 1, 18, "Sam Lee", "Sam", "Lee", "sam1@student.example.edu", "001012826"),
    (OTHER_SAM, 1, 19, "Sam Lee", "Sam", "Lee", "sam2@student.example.edu", "001012863"),
    (BO, 1, 20, MARKUP, "Bo", "Tables", "bo@student.example.edu", "001012900"),
    (NEW, 1, None, "Nia New", "Nia", "New", "nia@student.example.edu", "001012999"),
    (AWAY, 1, 21, "Al Away", "Al", "Away", "al@student.example.edu", None),
    (TEACHER, 1, 3, "Marguerite Holloway", "Marguerite", "Holloway", "teacher@staff.example.edu", "S900001"),
    (STRANGER, 1, 99, "Olaf Other", "Olaf", "Other", "olaf@student.example.edu", None),
]
# cmid, section, position, kind, name, tracked, deleted
ACTIVITIES = [
    (1, 10, 1, 1, "forum", "News & <i>chat</i>", 1, 0),
    (2, 11, 2, 2, "quiz", "Quiz 1", 1, 0),
    (3, 12, 2, 3, "resource", "Reading nobody opens", 1, 0),
    (4, 13, 3, 4, "book", "The TPACK book", 0, 0),
    (5, 14, 3, 5, "label", "A heading", 0, 0),
    (6, 15, 3, 6, "url", "Old link", 0, 1),
]


def event_at(day: str, hour: int, person: int, kind: int, activity: int | None = None, part: int | None = None):
    """One row for `events`: `day` and `hour` in course time; week 1 starts on 2016-02-29."""
    local = datetime.fromisoformat(day) + timedelta(hours=hour)
    week = (local.date() - datetime(2016, 2, 29).date()).days // 7 + 1
    utc = (local - OFFSET).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (1, person, utc, local.strftime("%Y-%m-%dT%H:%M:%S"), week, kind, activity, part)


SMALL_EVENTS = [
    event_at("2016-02-29", 9, ZOE, COURSE_VIEWED),
    event_at("2016-02-29", 9, ZOE, VIEWED, 1),
    event_at("2016-03-01", 20, ZOE, VIEWED, 1),
    event_at("2016-03-08", 20, ZOE, VIEWED, 2),
    event_at("2016-03-15", 20, ZOE, PART_VIEWED, 4, 1),
    event_at("2016-03-15", 21, ZOE, POSTED, 1, 3),
    event_at("2016-03-01", 7, SAM, VIEWED, 1),
    event_at("2016-03-02", 8, SAM, VIEWED, 2),
    event_at("2016-03-09", 8, OTHER_SAM, VIEWED, 2),
    event_at("2016-03-01", 23, BO, VIEWED, 1),
    event_at("2016-03-02", 10, NEW, COURSE_VIEWED),
    event_at("2016-03-16", 10, TEACHER, VIEWED, 1),
]
COMPLETIONS = [
    (ZOE, 1, "complete", "2016-03-01T10:00:00Z"),
    (ZOE, 2, "complete-fail", "2016-03-08T10:30:00Z"),
    (ZOE, 3, "incomplete", None),
    (SAM, 1, "complete", "2016-03-01T10:00:00Z"),
    (SAM, 2, "complete-pass", "2016-03-02T10:00:00Z"),
    (SAM, 3, "incomplete", None),
    (OTHER_SAM, 1, "incomplete", None),
    (OTHER_SAM, 2, "incomplete", None),
    (OTHER_SAM, 3, "incomplete", None),
    (BO, 1, "incomplete", None),
    (BO, 2, "incomplete", None),
    (BO, 3, "incomplete", None),
    (TEACHER, 1, "complete", "2016-03-01T10:00:07Z"),
]


def small(path: Path) -> Path:
    """The database to know by heart, written to `path`: a copy of one that is made once a process."""
    path.touch(mode=0o600)  # as a loader makes it
    path.write_bytes(_made())
    return path


@cache
def _made() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return _small(Path(folder) / "moodle.db").read_bytes()


def _small(path: Path) -> Path:
    db = schema.open_database(path).conn
    with db:
        db.execute("begin")
        _ground(db)
        _many(db, "people", "id, site_id, moodle_id, fullname, firstname, lastname, email, idnumber", PEOPLE)
        _enrol(db)
        _many(
            db,
            "activities",
            "id, cmid, section_id, position, kind, name, tracked, deleted",
            [
                (id_, cmid, min(sec, 3), pos, kind, name, tr, dl)
                for id_, cmid, sec, pos, kind, name, tr, dl in ACTIVITIES
            ],
        )
        db.execute("update activities set course_id = 1, instance_id = id + 100")
        db.execute("update activities set due_utc = '2016-03-10T13:59:00Z' where kind = 'quiz'")
        _many(
            db,
            "parts",
            "id, activity_id, kind, moodle_id, name",
            [
                (1, 4, "chapter", 7, "What is <TPACK>?"),
                (2, 4, "chapter", 8, "Unread"),
                (3, 1, "discussion", 1, "Hello"),
            ],
        )
        _many(db, "completions", "person_id, activity_id, state, completed_utc", COMPLETIONS)
        _events(db, SMALL_EVENTS)
        _extras(db)
    return _finish(db, path)


def _ground(db: sqlite3.Connection) -> None:
    db.execute("insert into sites (id, url) values (1, ?)", (SITE,))
    _many(
        db,
        "courses",
        "id, site_id, moodle_id, shortname, fullname, timezone, timezone_from, start_date, data_up_to_utc",
        [
            (
                1,
                1,
                2,
                "EDC3100",
                'ICT & Pedagogy "2016"',
                "Australia/Brisbane",
                "option",
                "2016-02-29",
                "2016-03-16T00:00:00Z",
            ),
            (2, 1, 3, "EDU1000", "An older course", "Australia/Brisbane", "option", None, None),
        ],
    )
    _many(
        db,
        "loads",
        "id, source, kind, course_id, loaded_utc, rows_read, newest_utc",
        [
            (1, "log.csv", "log", 1, "2016-03-16T01:00:00Z", 12, "2016-03-16T00:00:00Z"),
            (2, "progress.csv", "activity completion", 1, "2016-03-16T01:00:00Z", 4, None),
            (3, "participants.csv", "participants", 2, "2016-01-01T01:00:00Z", 1, None),
        ],
    )
    _many(db, "event_types", "id, component, name, eventclass, crud, edulevel", EVENT_TYPES)
    _many(
        db,
        "sections",
        "id, course_id, moodle_id, number, name, week",
        [(1, 1, 31, 0, "General", None), (2, 1, 32, 1, "Week 1: start", 1), (3, 1, 33, 2, "Week 2: go on", 2)],
    )
    _many(
        db,
        "weeks",
        "course_id, week, starts_on, name, is_break",
        [
            (1, 1, "2016-02-29", "Week 1", 0),
            (1, 2, "2016-03-07", "Week 2", 0),
            (1, 3, "2016-03-14", "Week 3", 0),
            (1, 4, "2016-03-21", "Easter", 1),
            (1, 5, "2016-03-28", "Week 4", 0),
        ],
    )


def _enrol(db: sqlite3.Connection) -> None:
    students = [(1, person, "student", "participants", "active") for person in (ZOE, SAM, OTHER_SAM, BO, NEW)]
    _many(
        db,
        "enrolments",
        "course_id, person_id, role, role_from, status",
        [
            *students,
            (1, AWAY, "student", "participants", "suspended"),
            (1, TEACHER, "editingteacher", "participants", "active"),
            (2, STRANGER, "student", "participants", "active"),
        ],
    )
    db.execute("update enrolments set enrolled_utc = '2016-02-20T00:00:00Z'")
    _many(
        db,
        "groups",
        "id, course_id, moodle_id, name",
        [(1, 1, 7, "Online"), (2, 1, 8, "Toowoomba"), (3, 1, None, 'A "quoted" & <i>group</i>')],
    )
    _many(db, "group_members", "group_id, person_id", [(1, ZOE), (1, SAM), (2, SAM), (2, BO), (3, OTHER_SAM)])


def _extras(db: sqlite3.Connection) -> None:
    _many(db, "person_details", "person_id, field, value", [(ZOE, "Phone", "<i>07</i> 1234"), (ZOE, "GPA", "5.5")])
    _many(
        db,
        "forum_posts",
        "id, moodle_id, part_id, course_id, person_id, title, text, word_count, link_count, published_utc",
        [(1, 1, 3, 1, ZOE, "Hello <script>alert(2)</script>", "I am Zoë.", 3, 0, "2016-03-15T11:00:00Z")],
    )


def _events(db: sqlite3.Connection, rows: list[tuple]) -> None:
    _many(
        db,
        "events",
        "course_id, person_id, time_utc, time_local, week, event_type_id, activity_id, part_id, load_id, line_key",
        [(*row, 1, key) for key, row in enumerate(rows)],
    )


def large(path: Path, students: int = 120, activities: int = 60, events: int = 60_000, weeks: int = 15) -> Path:
    """One course of any size, written to `path`; the same numbers give the same database."""
    chance = random.Random(2)
    db = schema.open_database(path).conn
    with db:
        db.execute("begin")
        _ground(db)
        db.execute("delete from sections")
        db.execute("delete from weeks")
        people = range(1, students + 1)
        _many(
            db,
            "people",
            "id, site_id, moodle_id, fullname, lastname, email",
            [(n, 1, 100 + n, f"Student {n}", f"N{n % 26}", f"s{n}@student.example.edu") for n in people],
        )
        _many(db, "enrolments", "course_id, person_id, role, status", [(1, n, "student", "active") for n in people])
        _many(db, "groups", "id, course_id, moodle_id, name", [(n, 1, 70 + n, f"Group {n}") for n in range(1, 5)])
        _many(db, "group_members", "group_id, person_id", [(n % 4 + 1, n) for n in people])
        details = [(n, "GPA", f"{n % 30 / 10 + 4}") for n in people] + [(n, "Campus", "ABC"[n % 3]) for n in people]
        _many(db, "person_details", "person_id, field, value", details)
        _many(
            db,
            "sections",
            "id, course_id, moodle_id, number, name, week",
            [(n, 1, 30 + n, n, f"Week {n}", n) for n in range(1, weeks + 1)],
        )
        _many(
            db,
            "activities",
            "id, cmid, course_id, section_id, position, kind, name, tracked",
            [(n, n, 1, n % weeks + 1, n, "page", f"Activity {n}", 1) for n in range(1, activities + 1)],
        )
        start = datetime(2016, 2, 29)
        _many(
            db,
            "weeks",
            "course_id, week, starts_on",
            [(1, n + 1, (start + timedelta(weeks=n)).date().isoformat()) for n in range(weeks)],
        )
        _many(
            db,
            "completions",
            "person_id, activity_id, state",
            [(p, a, chance.choice(["complete", "incomplete"])) for p in people for a in range(1, activities + 1)],
        )
        days = [(start + timedelta(days=n)).date().isoformat() for n in range(weeks * 7)]
        _events(
            db,
            [
                event_at(
                    chance.choice(days),
                    chance.randrange(24),
                    chance.randrange(students) + 1,
                    chance.choice([VIEWED, POSTED]),
                    chance.randrange(activities) + 1,
                )
                for _ in range(events)
            ],
        )
        db.execute("update activities set due_utc = '2016-05-13T13:59:00Z' where id % 7 = 0")
        db.execute("update courses set data_up_to_utc = (select max(time_utc) from events) where id = 1")
    return _finish(db, path)


def _many(db: sqlite3.Connection, table: str, columns: str, rows: list[tuple]) -> None:
    marks = ", ".join("?" * len(columns.split(",")))
    db.executemany(f"insert into {table} ({columns}) values ({marks})", rows)


def _finish(db: sqlite3.Connection, path: Path) -> Path:
    with db:
        for (course,) in db.execute("select id from courses").fetchall():
            rollups.build(db, course)
    db.execute("pragma optimize")
    db.close()
    return path
