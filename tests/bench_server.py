"""How fast the answers for a Moodle page come, and that it does not depend on how long the log is.

One course of 60 activities, 300 chapters, 400 students and 15 weeks, with a short and a long log. Each answer is
compared with the same from the events in the same run, which here even get an index made for it; then a real server
is asked by 1, 8 and 32 at a time, on the same processors as those who ask. `make bench-server` runs only this;
EVENTS=200000 takes one size, COUNT=20 asks less often.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from itertools import pairwise
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from loaders import answers, rollups, usage
from tests import made_up
from tests.plainly import plainly
from tests.visit import served

SIZES = [int(size) for size in os.environ.get("EVENTS", "200000,2000000").split(",")]
COUNT = int(os.environ.get("COUNT", 100))
STUDENTS, ACTIVITIES, CHAPTERS, WEEKS = 400, 60, 5, 15
CLIENTS = (1, 8, 32)
SOME = {"from_week": 3, "to_week": 10}
USAGE = {  # as asked, and as plain SQL wants it
    "usage, everybody": ("", {}),
    "usage, a group": ("&group=72", {"groups": [2]}),
    "usage, some weeks": ("&from_week=3&to_week=10", SOME),
    "usage, a group in some weeks": ("&group=72&from_week=3&to_week=10", {"groups": [2], **SOME}),
}
PATHS = {
    "nothing, for comparison": "/-/health",
    **{what: f"/-/usage.json?course=2{query}" for what, (query, _) in USAGE.items()},
    "access to an activity": "/-/access.json?course=2&activity=7",
    "access in a group and weeks": "/-/access.json?course=2&activity=7&group=72&from_week=3&to_week=10",
    "people": "/-/people.json?course=2",
    "student page": "/-/student?course=2&user=105",
    "student as JSON": "/-/student.json?course=2&user=105",
    "course page": "/-/course?course=2",
    "course page of a group": "/-/course?course=2&group=72",
    "completion grid": "/-/completion?course=2",
}
# Every fourth line is a post, half of the others open a chapter; primes spread the rest evenly, each in its own way.
FILL = """
with recursive lines (line) as (
    select 1 union all select line + 1 from lines where line < :events
),
spread as (
    select
        line,
        1 + line * 7919 % 999983 % :students as person,
        1 + line * 104729 % 1000003 % :activities as activity,
        iif(line % 8 in (1, 3, 5), 1 + line * 15485863 % 1000033 % :chapters, null) as chapter,
        line * 32452843 % 1000037 % (:weeks * 7) as day,
        line * 49979687 % 1000039 % 86400 as second
    from lines
)
insert into events
    (course_id, load_id, person_id, time_utc, time_local, week, event_type_id, activity_id, part_id, line_key)
select
    1,
    1,
    person,
    strftime('%Y-%m-%dT%H:%M:%SZ', '2016-02-29', day || ' days', (second - 36000) || ' seconds'),
    strftime('%Y-%m-%dT%H:%M:%S', '2016-02-29', day || ' days', second || ' seconds'),
    day / 7 + 1,
    case when line % 4 = 0 then :posted when chapter is null then :viewed else :part_viewed end,
    activity,
    (activity - 1) * :chapters + chapter,
    line
from spread
"""
# 20 blog posts and 15 forum posts a student, scored, and the times of what is complete.
POSTS = """
with recursive numbers (number) as (select 1 union all select number + 1 from numbers where number < :posts)
insert into {table} ({keys}, person_id, title, text, word_count, link_count, sentiment, usual_sentiment, positive_pct,
    negative_pct, most_negative, most_positive, published_utc)
select
    {values},
    people.id,
    'Post ' || number,
    'Some words.',
    300,
    number % 5,
    (number * 37 % 19 - 8) / 10.0,
    0.2,
    40,
    20,
    'It would not start.',
    'What a wonderful tool.',
    strftime('%Y-%m-%dT%H:%M:%SZ', '2016-02-29', (number * 5) || ' days')
from people join numbers
"""
COMPLETED = """
update completions
set completed_utc = strftime('%Y-%m-%dT%H:%M:%SZ', '2016-02-29', ((activity_id * 97 + person_id) % 100) || ' days')
where state = 'complete'
"""
COVERING = """
create index made_for_it
on events(course_id, real_person_id, event_type_id, activity_id, part_id, week, person_id)
"""


def build(path: Path, events: int) -> Path:
    """The course with this many lines in its log."""
    made_up.large(path, students=STUDENTS, activities=ACTIVITIES, events=0, weeks=WEEKS)
    with sqlite3.connect(path) as db:
        db.execute("pragma synchronous = off")
        fill(db, events)
        db.execute(
            "insert into feeds (id, person_id, url) select id, id, 'https://s' || id || '.example.org/' from people"
        )
        db.execute(POSTS.format(table="blog_posts", keys="feed_id, guid", values="people.id, number"), {"posts": 20})
        keys, values = "course_id, moodle_id", "1, people.id * 100 + number"
        db.execute(POSTS.format(table="forum_posts", keys=keys, values=values), {"posts": 15})
        db.execute(COMPLETED)
        db.execute("update courses set data_up_to_utc = (select max(time_utc) from events) where id = 1")
        started = time.perf_counter()
        rollups.build(db, 1)
        print(f"{events:,} events: roll-ups built in {time.perf_counter() - started:.1f} s", flush=True)
    return path


def fill(db: sqlite3.Connection, events: int) -> None:
    """Chapters, and this many lines in the log of course 1."""
    parts = [(n + 1, n // CHAPTERS + 1, n + 1, f"Chapter {n}") for n in range(ACTIVITIES * CHAPTERS)]
    db.executemany("insert into parts (id, activity_id, kind, moodle_id, name) values (?, ?, 'chapter', ?, ?)", parts)
    sizes = {"students": STUDENTS, "activities": ACTIVITIES, "chapters": CHAPTERS, "weeks": WEEKS}
    kinds = {"viewed": made_up.VIEWED, "posted": made_up.POSTED, "part_viewed": made_up.PART_VIEWED}
    db.execute(FILL, {"events": events, **sizes, **kinds})


def compare(path: Path) -> None:
    """Each answer from roll-ups beside the same from events, in one process and without a server."""
    db = sqlite3.connect(path)
    db.execute(COVERING)
    course = answers.course(db, "2")
    for what, (_, plain) in USAGE.items():
        groups = [f"Group {n}" for n in plain.get("groups", [])]
        filters = usage.Filters(**{**plain, "groups": groups})
        slow, expected = timed(lambda plain=plain: plainly(db, **plain), 3)
        quick, found = timed(lambda filters=filters: usage.usage(db, course, filters), 30)
        if found["parts"] != expected["parts"] or found["students"] != expected["students"]:
            raise SystemExit(f"{what}: roll-ups and events do not agree")
        print(
            f"  {what}: {1000 * quick:.1f} ms, from the events {1000 * slow:.0f} ms = {slow / quick:.0f} x", flush=True
        )
    db.execute("drop index made_for_it")
    db.close()


def timed(ask: Callable[[], dict], times: int) -> tuple[float, dict]:
    """(seconds of the quickest, what it says)."""
    took = []
    for _ in range(times):
        started = time.perf_counter()
        found = ask()
        took.append(time.perf_counter() - started)
    return min(took), found


class Visitor:
    """Somebody signed in, with one connection that stays open."""

    def __init__(self, address: str, cookie: str):
        self.connection, self.headers = HTTPConnection(address), {"Cookie": cookie}

    def get(self, path: str) -> float:
        """Milliseconds until the whole answer is here."""
        started = time.perf_counter()
        self.connection.request("GET", path, headers=self.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {body[:200]!r}")
        return 1000 * (time.perf_counter() - started)

    def go(self, path: str, times: int) -> list[float]:
        """The same several times, one after the other, on a new connection: the server ends those that idle for 5 s."""
        self.connection.close()
        return [self.get(path) for _ in range(times)]


def sign_in(link: str) -> tuple[str, str]:
    """(address of the server, cookie) from the one-time link."""
    parts = urlsplit(link)
    connection = HTTPConnection(parts.netloc)
    connection.request("GET", f"{parts.path}?{parts.query}")
    return parts.netloc, connection.getresponse().headers["Set-Cookie"].partition(";")[0]


def ask_server(path: Path) -> dict[str, float]:
    """Print p50/p95 of every path; returns the p50 with one client."""
    alone = {}
    with served(path) as link:
        address, cookie = sign_in(link)
        visitors = [Visitor(address, cookie) for _ in range(max(CLIENTS))]
        for what, asked in PATHS.items():
            visitors[0].go(asked, 5)
            said = []
            for clients in CLIENTS:
                middle, slow = spread(visitors[:clients], asked)
                said.append(f"{middle:.1f}/{slow:.1f}")
                alone.setdefault(what, middle)
            print(f"  {what}: {', '.join(said)} ms", flush=True)
    return alone


def spread(visitors: list[Visitor], path: str) -> tuple[float, float]:
    """(p50, p95) in milliseconds when these visitors ask at the same time."""
    times = max(COUNT // len(visitors), 5)
    with ThreadPoolExecutor(len(visitors)) as pool:
        took = [one for many in pool.map(lambda visitor: visitor.go(path, times), visitors) for one in many]
    cuts = quantiles(took, n=20)
    return cuts[9], cuts[18]


def main() -> None:
    """Measure and print."""
    alone = []
    with tempfile.TemporaryDirectory(prefix="coursette-bench-") as name:
        for size in SIZES:
            folder = Path(name) / str(size)
            folder.mkdir()
            path = build(folder / "moodle.db", size)
            compare(path)
            print(f"  over HTTP, p50/p95 with {', '.join(map(str, CLIENTS))} clients:", flush=True)
            alone.append(ask_server(path))
    for few, many in pairwise(alone):
        ratios = {what: round(many[what] / few[what], 2) for what in PATHS}
        print(f"the longer log with one client takes as often as long: {json.dumps(ratios)}")


if __name__ == "__main__":
    main()
