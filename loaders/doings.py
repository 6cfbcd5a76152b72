"""What Moodle's own lists say that students did: submissions, attempts, responses, blog entries; and the calendar."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from loaders import strangers
from loaders.claims import Newest, sync

if TYPE_CHECKING:
    from loaders.feeds import Site
    from loaders.results import Course

STEPS = {"submission": "submissions", "attempt": "attempts"}
SAME = ("person_id", "activity_id", "state")
SAME_STEP_DAYS = 1 / 24  # Moodle's list and its log may tell of one submission at times some minutes apart


def _activity(course: Course, claim: dict) -> int | None:
    """Own key of the activity that a claim names by kind and instance."""
    return course.instances.get((claim.get("kind"), claim.get("instance")))


def save_steps(connection: sqlite3.Connection, course: Course) -> None:
    """Write those submissions and attempts that the log does not have: its times are nearer to what happened."""
    for noun, table in STEPS.items():
        here = "activity_id in (select id from activities where course_id = ?)"
        connection.execute(f"delete from {table} where not from_log and {here}", (course.id,))
        rows = {
            (course.own.get(course.people.find(claim["person"], course.id)[0]), _activity(course, claim),
             claim["state"], claim["time_utc"])
            for load in course.loads
            for claim in load.of(noun)
        }  # fmt: skip
        same = " and ".join(f"{column} = ?{place}" for place, column in enumerate(SAME, 1))
        connection.executemany(
            f"insert or ignore into {table} (person_id, activity_id, state, time_utc, from_log)"
            f" select ?1, ?2, ?3, ?4, 0 where not exists (select 1 from {table} where {same} and from_log"
            f" and abs(julianday(time_utc) - julianday(?4)) < {SAME_STEP_DAYS})",
            sorted(row for row in rows if None not in row),
        )


def save_responses(connection: sqlite3.Connection, course: Course) -> None:
    """Write `responses`: what each person answered, as the newest answer has it."""
    rows: dict[tuple, dict] = {}
    for load in course.loads:
        for claim in load.of("response"):
            person, activity = course.person(load, claim), _activity(course, claim)
            if person and activity:
                rows[person, activity, claim["question"], claim["response"], claim["time_utc"]] = {}
    keys = ("person_id", "activity_id", "question", "response", "time_utc")
    where = "activity_id in (select id from activities where course_id = ?)"
    sync(connection, "responses", keys, rows, where, (course.id,))


def save_calendar(connection: sqlite3.Connection, course: Course) -> None:
    """Write `calendar_events` of the course."""
    said = Newest()
    for load in course.loads:
        for claim in load.of("calendar event"):
            said.say(claim["moodle_id"], load, {key: value for key, value in claim.items() if key != "line"})
    groups = dict(connection.execute("select moodle_id, id from groups where course_id = ?", (course.id,)).fetchall())
    rows = {
        (course.id, key): {
            "activity_id": _activity(course, claim), "name": claim["name"], "event_type": claim["event_type"],
            "group_id": groups.get(claim["group"]), "starts_utc": claim["starts_utc"],
            "duration_s": claim["duration_s"],
        }
        for key, (*_, claim) in said.best.items()
    }  # fmt: skip
    sync(connection, "calendar_events", ("course_id", "moodle_id"), rows, "course_id = ?", (course.id,))


def save_entries(connection: sqlite3.Connection, sites: list[Site]) -> None:
    """Write Moodle's own blog entries into `blog_posts`, of people whom other files know; with their links."""
    said = Newest()
    for site in sites:
        for load in site.loads:
            for claim in load.of(strangers.NOUN):
                if "withheld" not in claim and (person := strangers.author(site, claim)):
                    said.say((person, claim["moodle_id"]), load, claim)
    columns = ("title", "text", "word_count", "link_count", "published_utc")
    entries = {key: word[2] for key, word in said.best.items()}
    rows = {key: {column: claim.get(column) for column in columns} for key, claim in entries.items()}
    sync(connection, "blog_posts", ("person_id", "moodle_id"), rows, "moodle_id is not null")
    own = {(p, m): key for key, p, m in connection.execute("select id, person_id, moodle_id from blog_posts"
                                                           " where moodle_id is not null")}  # fmt: skip
    connection.execute(
        "delete from post_links where blog_post_id in (select id from blog_posts where moodle_id is not null)"
    )
    connection.executemany(
        "insert into post_links (blog_post_id, url) values (?, ?)",
        [(own[key], url) for key in sorted(entries) for url in entries[key].get("links", [])],
    )


def instances(connection: sqlite3.Connection, course_id: int) -> dict[tuple[str, int], int]:
    """Own keys of a course's activities by kind and Moodle's instance."""
    rows = connection.execute(
        "select kind, instance_id, id from activities where course_id = ? and instance_id is not null", (course_id,)
    )
    return {(kind, instance): key for kind, instance, key in rows}
