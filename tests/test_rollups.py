"""Roll-ups: given rows, expected rows."""

from __future__ import annotations

import sqlite3

import pytest

from loaders import bits, rollups
from loaders.schema import open_database

READ, WROTE = 1, 2
TEACHER, ZOE, SAM, QUIET, ADMIN = 1, 2, 3, 4, 5
BOOK, PAGE = 10, 11
CHAPTER = 100


@pytest.fixture
def course(tmp_path) -> sqlite3.Connection:
    connection = open_database(tmp_path / "moodle.db").conn
    run = connection.executemany
    connection.execute("insert into sites (id) values (1)")
    connection.execute("insert into loads (id, source, loaded_utc) values (1, 'logs.csv', '2016-03-01T00:00:00Z')")
    connection.execute(
        "insert into courses (id, site_id, moodle_id, timezone, timezone_from) values (1, 1, 2, 'UTC', 'first load')"
    )
    run("insert into people (id, site_id, moodle_id) values (?, 1, ?)", [(n, n) for n in range(1, 6)])
    run(
        "insert into enrolments (course_id, person_id, role) values (1, ?, ?)",
        [(TEACHER, "editingteacher"), (ZOE, "student"), (SAM, "student"), (QUIET, "student")],
    )
    run(
        "insert into activities (id, cmid, course_id, kind, tracked) values (?, ?, 1, ?, ?)",
        [(BOOK, 7, "book", 1), (PAGE, 8, "page", None)],
    )
    connection.execute(
        "insert into parts (id, activity_id, kind, moodle_id) values (?, ?, 'chapter', 1)", (CHAPTER, BOOK)
    )
    run(
        "insert into event_types (id, component, name, eventclass, crud) values (?, ?, ?, ?, ?)",
        [
            (READ, "mod_book", "Chapter viewed", "\\mod_book\\event\\chapter_viewed", "r"),
            (WROTE, "mod_assign", "A submission has been submitted.", "\\mod_assign\\event\\assessable_submitted", "u"),
        ],
    )
    events = [
        # who, logged in as them, when, week, type, activity, part
        (ZOE, None, "2016-02-29T01:00:00", 1, READ, BOOK, CHAPTER),
        (ZOE, None, "2016-02-29T01:00:00", 1, READ, BOOK, CHAPTER),  # two clicks in one second are two
        (ZOE, None, "2016-03-07T02:30:00", 2, READ, BOOK, None),
        (ZOE, None, "2016-03-08T02:30:00", 2, READ, None, None),  # the course page: no activity
        (SAM, None, "2016-03-08T02:59:59", 2, READ, PAGE, None),
        (SAM, None, "2016-03-08T03:00:00", 2, WROTE, PAGE, None),  # not reading: no click
        (SAM, ADMIN, "2016-03-09T03:00:00", 2, READ, PAGE, None),  # somebody logged in as Sam: not Sam's
        (TEACHER, None, "2016-03-09T03:00:00", 2, READ, PAGE, None),  # staff do not count
        (None, None, "2016-03-09T03:00:00", 2, READ, PAGE, None),  # cron
    ]
    run(
        "insert into events (course_id, load_id, person_id, real_person_id, time_utc, time_local, week,"
        " event_type_id, activity_id, part_id, line_key) values (1, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (who, real, f"{at}Z", at, week, kind, activity, part, number)
            for number, (who, real, at, week, kind, activity, part) in enumerate(events)
        ],
    )
    run(
        "insert into completions (person_id, activity_id, state) values (?, ?, ?)",
        [(ZOE, BOOK, "complete"), (SAM, BOOK, "complete-fail"), (TEACHER, BOOK, "complete")],
    )
    rollups.build(connection, 1)
    rollups.build_submissions(connection, 1)
    return connection


def rows(connection: sqlite3.Connection, sql: str) -> list[tuple]:
    return connection.execute(sql).fetchall()


def test_clicks_of_an_activity_by_student_and_week(course):
    assert rows(course, "select activity_id, person_id, week, clicks, first_utc, last_utc"
        " from usage_activity_person_week"
                " order by 1, 2, 3") == [
        (BOOK, ZOE, 1, 2, "2016-02-29T01:00:00Z", "2016-02-29T01:00:00Z"),
        (BOOK, ZOE, 2, 1, "2016-03-07T02:30:00Z", "2016-03-07T02:30:00Z"),
        (PAGE, SAM, 2, 1, "2016-03-08T02:59:59Z", "2016-03-08T02:59:59Z"),
    ]  # fmt: skip


def test_clicks_of_a_part(course):
    assert rows(course, "select part_id, person_id, week, clicks, activity_id from usage_part_person_week") == [
        (CHAPTER, ZOE, 1, 2, BOOK)
    ]


def test_clicks_of_a_week_count_the_course_page_too(course):
    assert rows(course, "select person_id, week, clicks, active_days from usage_person_week order by 1, 2") == [
        (ZOE, 1, 2, 1),
        (ZOE, 2, 2, 2),
        (SAM, 2, 1, 1),
    ]


def test_clicks_of_a_day_are_those_of_the_course_page_too(course):
    assert rows(course, "select person_id, day, clicks from usage_person_day order by 1, 2") == [
        (ZOE, "2016-02-29", 2),
        (ZOE, "2016-03-07", 1),
        (ZOE, "2016-03-08", 1),
        (SAM, "2016-03-08", 1),
    ]


def test_every_student_has_a_total_even_without_a_click(course):
    assert rows(course, "select person_id, clicks, first_utc, last_utc from usage_person order by 1") == [
        (ZOE, 4, "2016-02-29T01:00:00Z", "2016-03-08T02:30:00Z"),
        (SAM, 1, "2016-03-08T02:59:59Z", "2016-03-08T02:59:59Z"),
        (QUIET, 0, None, None),
    ]


def test_the_last_thing_a_student_did_is_their_own(course):
    sql = (
        "select usage_person.person_id, events.time_utc from usage_person"
        " left join events on events.id = last_event_id order by 1"
    )
    assert rows(course, sql) == [
        (ZOE, "2016-03-08T02:30:00Z"),
        (SAM, "2016-03-08T03:00:00Z"),
        (QUIET, None),
    ]


def test_busy_hours_run_from_monday_0(course):
    sql = "select week, weekday, hour, clicks, students, planes from usage_week_hour order by 1, 2, 3"
    assert [(*row[:5], bits.count(row[5], 0b111)) for row in rows(course, sql)] == [
        (1, 0, 1, 2, 1, (2, 0b001)),
        (2, 0, 2, 1, 1, (1, 0b001)),
        (2, 1, 2, 2, 2, (2, 0b011)),
    ]


def test_totals_of_activities_count_only_students_and_only_what_is_tracked(course):
    assert rows(course, "select activity_id, clicks, students, last_used_utc, completed from usage_activity") == [
        (BOOK, 3, 1, "2016-03-07T02:30:00Z", 1),
        (PAGE, 1, 1, "2016-03-08T02:59:59Z", None),
    ]


def test_students_have_places_and_sets_and_planes_are_by_these(course):
    assert rows(course, "select person_id, position from usage_person") == [(ZOE, 0), (SAM, 1), (QUIET, 2)]
    sql = "select activity_id, week, clicks, students, planes from usage_activity_week order by week, activity_id"
    found = [(*row[:4], bits.count(row[4], 0b111)) for row in rows(course, sql)]
    assert found == [(BOOK, 1, 2, 1, (2, 0b001)), (BOOK, 2, 1, 1, (1, 0b001)), (PAGE, 2, 1, 1, (1, 0b010))]
    assert rows(course, "select activity_id, planes, completed_by from usage_activity") == [
        (BOOK, b"\x02\x01\x01", b"\x01"),  # 3 clicks are two planes
        (PAGE, b"\x01\x02", None),
    ]


def test_totals_of_parts_and_by_week(course):
    assert rows(course, "select part_id, activity_id, clicks, students, last_used_utc, planes from usage_part") == [
        (CHAPTER, BOOK, 2, 1, "2016-02-29T01:00:00Z", b"\x02\x00\x01")  # nobody in the plane of ones
    ]
    assert rows(course, "select part_id, week, clicks, students from usage_part_week") == [(CHAPTER, 1, 2, 1)]


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (
            "sum(bit_clicks(planes, :two)), bit_union(bit_who(planes, :two))",
            (3, b"\x01"),
        ),  # Zoë's, not Sam's
        ("sum(bit_clicks(planes, x'')), bit_union(bit_who(planes, x''))", (0, b"")),
        ("bit_clicks(null, :two), bit_who(null, :two)", (0, b"")),  # nobody has clicked
        ("sum(bit_clicks(planes, null)), bit_union(bit_who(planes, null))", (0, b"")),  # a group of nobody
        ("bit_both(:two, x'06'), bit_without(:two, x'06')", (b"\x04", b"\x01")),
        ("bit_both(null, :two), bit_without(:two, null)", (b"", b"\x05")),
        ("bit_count(:two), bit_count(null)", (2, 0)),
        ("bit_has(:two, 2), bit_has(:two, 1), bit_has(null, 0), bit_has(:two, 99)", (1, 0, 0, 0)),
    ],
)
def test_any_students_are_counted_in_sql(course, asked, answer):
    (two,) = course.execute(
        "select bit_set(position) from usage_person where person_id in (?, ?)", (ZOE, QUIET)
    ).fetchone()
    assert course.execute(f"select {asked} from usage_activity_week", {"two": two}).fetchone() == answer


def test_no_position_fills_the_memory(course):
    with pytest.raises(sqlite3.OperationalError):
        course.execute("select bit_set(1000000000000)").fetchone()


def test_the_class_in_a_week_and_the_student_in_its_middle(course):
    assert rows(course, "select week, clicks, students, median_clicks from usage_week") == [(1, 2, 1, 0), (2, 3, 2, 1)]


@pytest.mark.parametrize(("clicks", "middle"), [([4], 0), ([4, 6], 2), ([1, 3, 6], 2), ([1, 2, 3, 9], 2.5)])
def test_the_middle_of_four_students(course, clicks, middle):
    course.execute("insert into enrolments (course_id, person_id, role) values (1, ?, 'student')", (ADMIN,))
    course.execute("delete from events")
    students = (ZOE, SAM, QUIET, ADMIN)
    course.executemany(
        "insert into events (course_id, load_id, person_id, time_utc, time_local, week, event_type_id, line_key)"
        " values (1, 1, ?, '2016-03-01T00:00:00Z', '2016-03-01T00:00:00', 1, ?, ?)",
        [(who, READ, 10 * who + n) for who, many in zip(students, clicks, strict=False) for n in range(many)],
    )
    rollups.build(course, 1)
    assert rows(course, "select median_clicks from usage_week") == [(middle,)]


def test_last_seen_is_known_of_staff_too(course):
    assert rows(course, "select person_id, last_utc from usage_person_seen order by 1") == [
        (TEACHER, "2016-03-09T03:00:00Z"),
        (ZOE, "2016-03-08T02:30:00Z"),
        (SAM, "2016-03-08T03:00:00Z"),
    ]


def test_posts_in_the_log_by_forum_and_person(course):
    course.execute("insert into event_types (id, component, name) values (9, 'Forum', 'Post created')")
    course.execute("update events set event_type_id = 9 where event_type_id = ? and activity_id is not null", (READ,))
    rollups.build(course, 1)
    assert rows(course, "select activity_id, person_id, posts from usage_activity_person_posts order by 1, 2") == [
        (BOOK, ZOE, 3),
        (PAGE, TEACHER, 1),
        (PAGE, SAM, 2),  # also what somebody posted as Sam stands under Sam's name in the forum
    ]


def test_totals_can_be_rebuilt_without_reading_the_events(course):
    before = rows(course, "select * from usage_activity")
    course.execute("delete from events")
    rollups.build_activities(course, 1)
    assert rows(course, "select * from usage_activity") == before


def test_submissions_come_from_the_log(course):
    assert rows(course, "select person_id, activity_id, state, time_utc from submissions") == [
        (SAM, PAGE, "submitted", "2016-03-08T03:00:00Z")
    ]


def test_building_twice_changes_nothing(course):
    before = [rows(course, f"select * from {table}") for table in rollups.TABLES]
    rollups.build(course, 1)
    assert [rows(course, f"select * from {table}") for table in rollups.TABLES] == before


@pytest.mark.parametrize("path", sorted(rollups.FOLDER.glob("*.sql")), ids=lambda path: path.stem)
def test_each_file_says_what_its_rows_are(path):
    assert path.read_text(encoding="utf-8").startswith("-- one row per ")
