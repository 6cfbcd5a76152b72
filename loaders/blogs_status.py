"""`coursette blogs status`: each blog's state, who has none, whose is not known, and what to do next."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from loaders.status import ago

FEEDS = """
select
    people.fullname,
    people.email,
    feeds.url,
    feeds.asked_utc,
    feeds.fetched_utc,
    feeds.error,
    feeds.whole,
    count(blog_posts.id) as posts,
    count(blog_posts.gone_utc) as gone,
    max(blog_posts.published_utc) as newest,
    feeds.registered
from feeds
left join people on people.id = feeds.person_id
left join blog_posts on blog_posts.feed_id = feeds.id
group by feeds.id
order by not feeds.registered, feeds.person_id is null, feeds.error is null, people.lastname, people.fullname, feeds.url
"""
WITHOUT = """
select distinct people.fullname, people.email
from enrolments
join people on people.id = enrolments.person_id
where coalesce(role, 'student') = 'student'
    and people.id not in (select person_id from feeds where registered and person_id is not null)
order by people.lastname, people.fullname
"""
HELD = """
select loads.source, unmatched.line, json_extract(unmatched.raw, '$.url'), unmatched.reason
from unmatched
join loads on loads.id = unmatched.load_id
where loads.kind = 'blogs'
order by loads.id, unmatched.line
"""
NONE = (
    "No blogs are registered. Make a table with each student's email address and blog, then",
    "  coursette blogs add blogs.csv",
    "  coursette blogs fetch",
)


def report(connection: sqlite3.Connection) -> Iterator[str]:
    """The status as lines of text."""
    rows = connection.execute(FEEDS).fetchall()
    if not rows:
        yield from NONE
        return
    feeds = [row[:-1] for row in rows if row[-1]]
    known = [feed for feed in feeds if feed[0] or feed[1]]
    yield f"{len(feeds):,} blogs ({len(known):,} of known students)"
    for feed in feeds:
        yield from _feed(*feed)
    yield from _former([row for row in rows if not row[-1]])
    yield from _without(connection)
    yield from _held(connection)
    yield from _next(feeds)


def _feed(name, email, url, asked, fetched, error, whole, posts, gone, newest) -> Iterator[str]:
    who = name or email or "student not known"
    missing = f", {gone:,} of them gone from the blog" if gone else ""
    newest = f", newest {newest[:10]}" if newest else ""
    older = "" if whole or not fetched else ", older ones still to come"
    state = f"{posts:,} posts{newest}{missing}{older}" if fetched else "not fetched yet"
    yield f"  {who}: {url}"
    yield f"      {state}" + (f"; last answered {ago(fetched)}" if fetched else "")
    if error:
        yield f"      ! {error} ({ago(asked)})"


def _former(rows: list[tuple]) -> Iterator[str]:
    if rows:
        yield f"Registered no more, and not asked; their posts stay until you remove them: {len(rows):,}"
    for name, email, url, *_, posts, _gone, newest, _registered in rows:
        yield f"  {name or email or 'student not known'}: {url}"
        yield f"      {posts:,} posts" + (f", newest {newest[:10]}" if newest else "")


def _without(connection: sqlite3.Connection) -> Iterator[str]:
    students = connection.execute(WITHOUT).fetchall()
    if students:
        yield f"Students without a blog: {len(students):,}"
        for name, email in students:
            yield f"  {name or email}" + (f" ({email})" if name and email else "")


def _held(connection: sqlite3.Connection) -> Iterator[str]:
    rows = connection.execute(HELD).fetchall()
    if rows:
        yield "Rows without a student yet (tried again at every load)"
    for source, line, url, why in rows:
        yield f"  {url} in {source}" + (f", line {line}" if line else "") + f": {why}"


def _next(feeds: list[tuple]) -> Iterator[str]:
    """What to do now."""
    unasked = sum(feed[3] is None for feed in feeds)
    failed = sum(feed[5] is not None for feed in feeds)
    oldest = min((feed[4] for feed in feeds if feed[4]), default=None)
    yield "Next"
    if unasked:
        yield f"  {unasked:,} not fetched yet: coursette blogs fetch --only-new"
    if failed:
        yield f"  {failed:,} with an error: open them in the browser, then ask the student for the right address;"
        yield "    coursette blogs add --student WHO URL puts it in place of the old one"
    if oldest:
        yield f"  the oldest of the others was read {ago(oldest)}: coursette blogs fetch brings what is new"
