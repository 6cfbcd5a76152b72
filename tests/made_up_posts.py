"""Blogs, forum posts and links laid over the databases of made_up.py, again small to know by heart and large to time.

Small: week 1 starts on 2016-02-29, week 4 is a break, and the newest post is of 2016-04-04, three weeks after the
log ends. Zoë blogs every week; the first Sam Lee did until 15 March; the second wrote twice on one day; Bo's blog
cannot be read; Nia has no blog and opened a discussion that nobody read; Al never did anything.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path

from loaders import rollups, schema
from tests import made_up
from tests.made_up import BO, NEW, OTHER_SAM, SAM, TEACHER, ZOE, event_at

NEWEST = "2016-04-04T02:00:00Z"
DISCUSSION_VIEWED = 5
BLOGS = {person: f"https://blogs.example.org/{person}" for person in (ZOE, SAM, OTHER_SAM, BO)}
# person, published, sentiment, usual, most negative sentence; the keys are 1, 2, 3 ...
BLOG_POSTS = [
    (ZOE, "2016-01-10T00:00:00Z", None, None, None),  # long before the course
    (ZOE, "2016-02-27T20:00:00Z", 0.3, None, "It rained."),  # Sunday morning in course time: week 0
    (ZOE, "2016-03-06T20:00:00Z", 0.2, None, "It rained."),  # Monday morning: week 2
    (ZOE, "2016-03-14T02:00:00Z", 0.4, None, "It rained."),
    (ZOE, "2016-03-21T02:00:00Z", 0.25, 0.3, "It rained."),  # in the break
    (ZOE, NEWEST, -0.4, 0.29, "I hate this <b>task</b>."),  # week 6, which the calendar does not have
    (SAM, "2016-03-01T00:00:00Z", 0.1, None, None),
    (SAM, "2016-03-08T00:00:00Z", 0.2, None, None),
    (SAM, "2016-03-15T00:00:00Z", 0.3, None, None),
    (OTHER_SAM, "2016-03-02T00:00:00Z", -0.5, None, "I am lost."),
]
EARLY, ZOE_2, ZOE_3, ZOE_BREAK, ZOE_NEWEST, SAM_1, LOST = 1, 3, 4, 5, 6, 7, 10
# id and Moodle's id, parent, discussion (parts.id), person, published
FORUM_POSTS = [
    (1, None, 3, ZOE, "2016-03-01T11:00:00Z"),
    (2, 1, 3, TEACHER, "2016-03-01T12:00:00Z"),
    (3, 1, 3, OTHER_SAM, "2016-03-02T11:00:00Z"),
    (4, None, 4, NEW, "2016-03-02T01:00:00Z"),
    (5, None, 5, SAM, "2016-03-03T01:00:00Z"),
]
# blog post, forum post, whose blog
LINKS = [
    (EARLY, None, BO),
    (ZOE_2, None, SAM),
    (ZOE_3, None, SAM),
    (ZOE_3, None, ZOE),
    (ZOE_BREAK, None, None),
    (SAM_1, None, ZOE),
    (None, 3, ZOE),
    (None, 2, SAM),
]
READINGS = [
    event_at("2016-03-01", 21, ZOE, DISCUSSION_VIEWED, 1, 3),
    event_at("2016-03-01", 22, SAM, DISCUSSION_VIEWED, 1, 3),
    event_at("2016-03-02", 20, OTHER_SAM, DISCUSSION_VIEWED, 1, 3),
    event_at("2016-03-03", 10, BO, DISCUSSION_VIEWED, 1, 3),  # the only one after the second Sam's answer
    event_at("2016-03-02", 12, NEW, DISCUSSION_VIEWED, 1, 4),
    event_at("2016-03-02", 13, TEACHER, DISCUSSION_VIEWED, 1, 4),
]
EVENT_COLUMNS = ("course_id", "person_id", "time_utc", "time_local", "week", "event_type_id", "activity_id", "part_id")


def small(path: Path) -> Path:
    """made_up.small with posts, written to `path`."""
    db = schema.open_database(made_up.small(path))
    with db.atomic():
        for table in ("post_links", "blog_posts", "forum_posts", "feeds"):
            db[table].delete_where()
        _forums(db)
        _feeds(db)
        for key, (person, published, sentiment, usual, sentence) in enumerate(BLOG_POSTS, 1):
            db["blog_posts"].insert(
                {
                    "id": key, "feed_id": person, "guid": str(key), "person_id": person,
                    "title": f"Post {key} & <i>more</i>", "word_count": 100, "link_count": 1, "sentiment": sentiment,
                    "usual_sentiment": usual, "most_negative": sentence, "published_utc": published,
                    "first_fetched_utc": "2016-04-05T00:00:00Z", "url": f"{BLOGS[person]}/{key}",
                    "gone_utc": "2016-04-05T00:00:00Z" if key == ZOE_3 else None,
                }
            )  # fmt: skip
        for blog_post, forum_post, person in LINKS:
            row = {"blog_post_id": blog_post, "forum_post_id": forum_post, "person_id": person}
            db["post_links"].insert(row | {"url": BLOGS.get(person, "https://elsewhere.example.org/")})
        rollups.build(db.conn, 1)
    db.conn.close()
    return path


def _forums(db) -> None:
    """Two forums; Moodle logs who opens the discussions of the first."""
    db["activities"].insert(
        {"id": 7, "cmid": 16, "course_id": 1, "section_id": 1, "kind": "forum", "name": "All on one page"}
    )
    db["activities"].update(2, {"due_utc": "2016-03-16T13:59:00Z"})
    db["activities"].update(3, {"due_utc": "2016-03-17T13:59:00Z"})
    for part, activity, moodle_id in ((3, 1, 1), (4, 1, 2), (5, 7, 3)):
        row = {"id": part, "activity_id": activity, "kind": "discussion", "moodle_id": moodle_id}
        db["parts"].upsert(row | {"name": f"Discussion {moodle_id}"}, pk="id")
    db["forum_posts"].insert_all(
        {
            "id": key, "moodle_id": key, "parent_id": parent, "part_id": part, "course_id": 1, "person_id": person,
            "title": f"Hello {key} <script>alert(2)</script>", "word_count": 3, "link_count": 0,
            "published_utc": published, "no_sentiment": "too short",
        }
        for key, parent, part, person, published in FORUM_POSTS
    )  # fmt: skip
    viewed = {"component": "Forum", "name": "Discussion viewed", "crud": "r", "edulevel": 2}
    db["event_types"].insert({"id": DISCUSSION_VIEWED, **viewed, "eventclass": r"\mod_forum\event\discussion_viewed"})
    db["events"].insert_all(
        {**dict(zip(EVENT_COLUMNS, row, strict=True)), "load_id": 1, "line_key": 1000 + key}
        for key, row in enumerate(READINGS)
    )


def _feeds(db) -> None:
    """A blog each for four; that of Bo has never answered."""
    for person, url in BLOGS.items():
        read = {"fetched_utc": "2016-04-05T00:00:00Z", "error": None}
        failed = {"fetched_utc": None, "error": "404 Not Found"}
        db["feeds"].insert({"id": person, "person_id": person, "url": url, **(failed if person == BO else read)})


def large(path: Path, students: int = 120, posts: int = 20, weeks: int = 15, **size: int) -> Path:
    """made_up.large with `posts` blog posts of 300 words and three links a student, and a quarter as many in forums."""
    chance = random.Random(6)
    db = schema.open_database(made_up.large(path, students=students, weeks=weeks, **size))
    people = range(1, students + 1)
    with db.atomic():
        db["feeds"].insert_all(
            {"id": n, "person_id": n, "url": f"https://blogs.example.org/{n}", "fetched_utc": NEWEST} for n in people
        )
        db["blog_posts"].insert_all(
            {"id": n * posts + k, "feed_id": n, "guid": str(k), "html": "<p>word</p> " * 300, **_post(chance, n, weeks)}
            for n in people
            for k in range(posts)
        )
        db["post_links"].insert_all(
            {"blog_post_id": key, "url": "x", "person_id": (person + friend) % students + 1 if friend < 6 else None}
            for key, person in db.execute("select id, person_id from blog_posts").fetchall()
            for friend in chance.sample(range(12), 3)
        )
        _large_forum(db, chance, students, max(posts // 4, 1), weeks)
        db.execute("update activities set due_utc = '2016-04-' || printf('%02d', 1 + id % 28) || 'T13:59:00Z'")
    db.execute("analyze")
    db.conn.close()
    return path


def _post(chance: random.Random, person: int, weeks: int) -> dict:
    published = datetime(2016, 2, 29) + timedelta(minutes=chance.randrange(weeks * 7 * 24 * 60))
    return {
        "person_id": person, "title": "A post", "text": "word " * 300, "word_count": 300, "link_count": 3,
        "sentiment": chance.gauss(0.2, 0.12), "usual_sentiment": 0.2, "most_negative": "word " * 10,
        "published_utc": published.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }  # fmt: skip


def _large_forum(db, chance: random.Random, students: int, posts: int, weeks: int) -> None:
    """One discussion a student, opened by them and read by a fifth of the class; everybody answers everywhere."""
    people = range(1, students + 1)
    db["activities"].update(1, {"kind": "forum"})
    db["parts"].insert_all(
        {"id": 1000 + n, "activity_id": 1, "kind": "discussion", "moodle_id": n, "name": "Hello"} for n in people
    )
    db["forum_posts"].insert_all(
        {
            **_post(chance, n, weeks), "moodle_id": n + students * k, "course_id": 1,
            "parent_id": chance.randrange(students) + 1 if k else None,
            "part_id": 1000 + (chance.randrange(students) + 1 if k else n),
        }
        for k in range(posts)
        for n in people
    )  # fmt: skip
    read = [(1000 + n, reader) for n in people for reader in chance.sample(people, students // 5)]
    db["usage_part_person_week"].insert_all(
        {
            "part_id": part, "person_id": reader, "week": 2, "clicks": 1, "first_utc": "2016-03-08T00:00:00Z",
            "last_utc": "2016-03-08T00:00:00Z", "activity_id": 1, "course_id": 1,
        }
        for part, reader in read
    )  # fmt: skip
    db["usage_part"].insert_all(
        {
            "part_id": 1000 + n, "activity_id": 1, "course_id": 1, "clicks": students // 5,
            "students": students // 5, "last_used_utc": "2016-03-08T00:00:00Z", "planes": b"",
        }
        for n in people
    )  # fmt: skip
