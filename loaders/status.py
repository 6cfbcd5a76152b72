"""`coursette status`: what is loaded, how fresh, what did not match and why, and what to download next."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime

from babel.dates import format_timedelta

from loaders import advice, calendars, due, forgotten, retention, times

COURSES = """
select
    courses.id,
    coalesce(courses.fullname, courses.shortname, 'Course ' || courses.moodle_id) as name,
    courses.moodle_id,
    courses.timezone,
    courses.timezone_from,
    courses.data_up_to_utc,
    (select count(*) from events where events.course_id = courses.id) as events,
    (select count(*) from activities where activities.course_id = courses.id) as activities
from courses
order by courses.data_up_to_utc desc
"""
PULLED = "select part, fetched_utc from pulls where course_id = ? order by fetched_utc desc, part"
BLOGS = (
    "select count(*), count(error), (select count(*) from blog_posts where feed_id is not null),"
    " min(fetched_utc) from feeds where registered"
)
RECENT = 5  # refused files that are still listed
UNMATCHED = """
select loads.source, unmatched.kind, unmatched.reason, count(*) as rows, min(unmatched.raw)
from unmatched
join loads on loads.id = unmatched.load_id
group by loads.id, unmatched.kind, unmatched.reason
order by rows desc
"""


def ago(utc: str | None) -> str:
    """ "3 days ago", or "never"."""
    if not utc:
        return "never"
    age = datetime.now(UTC) - datetime.fromisoformat(utc)
    return format_timedelta(-age, add_direction=True, locale="en")


def report(connection: sqlite3.Connection) -> Iterator[str]:
    """The status as lines of text."""
    courses = connection.execute(COURSES).fetchall()
    if not connection.execute("select 1 from loads where error is null limit 1").fetchone():
        yield "Nothing is loaded yet. Start with a course log:"
        yield "  open your course in Moodle, then Reports, Logs, Get these logs, Download (csv); then"
        yield "  coursette load logs.csv"
    for course in courses:
        yield from _course(connection, *course)
    if courses:
        yield from _blogs(connection)
    yield from _rights(connection)
    yield from _loads(connection)
    yield from _unmatched(connection)
    yield from _next(connection)


def _course(connection, course_id, name, moodle_id, zone, zone_from, newest, events, activities) -> Iterator[str]:
    yield f"{name} (course {moodle_id})"
    yield f"  data up to {newest or 'no log yet'}" + (f" ({ago(newest)})" if newest else "")
    yield f"  {events:,} log lines, {activities} activities; times in {zone} (from: {zone_from})"
    if ages := connection.execute(PULLED, (course_id,)).fetchall():
        yield "  pulled: " + ", ".join(f"{part} {ago(when)}" for part, when in ages)
    yield from _weeks(connection, course_id, zone)
    for role, how, people in advice.roles(connection, course_id):
        yield f"  {people:,} {role}: {how}"
    yield ""


def _weeks(connection: sqlite3.Connection, course_id: int, zone: str) -> Iterator[str]:
    """Whose calendar counts the weeks, and where its due dates go before others that Moodle has."""
    calendar, source = calendars.of(connection, course_id), calendars.source(connection, course_id)
    if not calendar:
        yield "  weeks from the course's start; `coursette calendar` lets you say breaks, names and due dates"
        return
    breaks = f"{len(calendar.breaks)} break{'s' * (len(calendar.breaks) != 1)}"
    yield f"  weeks from {source[1]} (load {source[0]}): 1 to {calendar.last_week}, {breaks}"
    for name, utc, moodle in due.against_moodle(connection, course_id, zone):
        here, there = (f"{times.local_text(time, zone).replace('T', ' ')[:16]}" for time in (utc, moodle))
        yield f"  ! {name} is due {here} by your calendar, which counts; Moodle says {there}"


def _blogs(connection: sqlite3.Connection) -> Iterator[str]:
    feeds, failed, posts, oldest = connection.execute(BLOGS).fetchone()
    if feeds:
        wrong = f", {failed:,} with an error" if failed else ""
        read = f"read {ago(oldest)} or later" if oldest else "not fetched yet"
        yield f"{feeds:,} students' blogs, {posts:,} posts{wrong}; {read}: see `coursette blogs status`"
    else:
        yield "No blogs are registered; if your students write some: `coursette blogs add --help`"
    yield ""


def _rights(connection: sqlite3.Connection) -> Iterator[str]:
    """Courses that are due to be deleted; how many students are kept out; a deletion that is not at its end."""
    before = [f"! {retention.sentence(row)}" for row in retention.due(connection)]
    if kept_out := sum(count for _, count, *_ in forgotten.counts(connection)):
        (rows,) = connection.execute("select coalesce(sum(rows_skipped), 0) from loads").fetchone()
        before.append(
            f"{kept_out:,} student{'s' * (kept_out != 1)} deleted on request or opted out; {rows:,} rows of theirs in"
            " files were skipped or deleted: see `coursette forget list`"
        )
    if forgotten.is_untidy(connection):
        before.append("! a deletion is not finished: stop the server, then run the same `coursette forget` again")
    yield from [*before, ""] if before else []


def _loads(connection: sqlite3.Connection) -> Iterator[str]:
    rows = connection.execute(
        "select id, source, coalesce(kind, 'refused'), rows_read, rows_new, rows_unmatched, rows_skipped, loaded_utc,"
        " error"
        " from loads order by id"
    ).fetchall()
    if rows:
        yield "Loads (take one back with `coursette unload NUMBER`)"
    refused = [row[0] for row in rows if row[8]]
    for load_id, source, kind, read, new, unmatched, skipped, when, error in rows:
        if error and load_id not in refused[-RECENT:]:
            continue
        what = f"refused: {error}" if error else f"{read:,} rows, {new:,} new, {unmatched:,} not matched"
        what += f", {skipped:,} skipped" if skipped and not error else ""
        yield f"  {load_id:>3}  {when[:10]}  {kind}: {source}: {what}"
    for sentence in advice.short_files(connection).values():
        yield f"  ! {sentence}"
    if rows:
        yield ""


def _unmatched(connection: sqlite3.Connection) -> Iterator[str]:
    rows = connection.execute(UNMATCHED).fetchall()
    if rows:
        yield "Rows without a home yet (tried again at every load; all are in the table `unmatched`)"
    for source, kind, reason, count, _ in rows:
        yield f"  {count:,} × {kind} in {source}: {reason}"
    if rows:
        yield ""


def _next(connection: sqlite3.Connection) -> Iterator[str]:
    before = None
    for gap in advice.gaps(connection):
        if gap.course != before:
            yield f"What to download next for {gap.course}"
            before = gap.course
        yield f"  {gap.download.kind}: {gap.download.why}"
        yield f"    {gap.url}"
        yield f"    ({gap.download.how})"
