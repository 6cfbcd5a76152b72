"""`coursette unload`: take one load back."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from loaders import feeds
from loaders.errors import Unreadable
from loaders.settle import settle

INSIDE = "select e.id from events e join load_events r on e.id between r.first_id and r.last_id where r.load_id"


BLOG_POSTS = "select count(*) from blog_posts where feed_id is not null"


class TakenBack(NamedTuple):
    """The file that was taken back, and how many fetched blog posts went with it."""

    source: str
    posts: int


def unload(connection: sqlite3.Connection, load_id: int) -> TakenBack:
    """Take one load back: what it alone said and brought goes, posts of blogs that nothing else names too.

    Raises Unreadable if there is no such load.
    """
    row = connection.execute("select source from loads where id = ?", (load_id,)).fetchone()
    if row is None:
        raise Unreadable(f"there is no load {load_id}: `coursette status` lists them")
    connection.execute("begin immediate")
    try:
        blogs = feeds.named(connection)
        (posts,) = connection.execute(BLOG_POSTS).fetchone()
        take_back(connection, load_id)
        settle(connection, True, let_go=blogs)
        (left,) = connection.execute(BLOG_POSTS).fetchone()
        connection.execute(
            "delete from sites where id not in (select site_id from loads where site_id is not null)"
            " and id not in (select site_id from forgotten where site_id is not null)"
        )
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")
    return TakenBack(row[0], posts - left)


def take_back(connection: sqlite3.Connection, load_id: int) -> None:
    """Delete what one load alone holds, inside the caller's transaction, which then settles."""
    connection.execute("drop table if exists temp.gone")
    connection.execute(f"create temp table gone as {INSIDE} = ?", (load_id,))
    connection.execute(f"delete from gone where id in ({INSIDE} != ?)", (load_id,))
    connection.execute("delete from event_names where event_id in (select id from gone)")
    connection.execute("delete from events where id in (select id from gone)")
    connection.execute(
        "update events set load_id = (select r.load_id from load_events r where events.id between r.first_id"
        " and r.last_id and r.load_id != ?1 order by r.load_id limit 1) where load_id = ?1",
        (load_id,),
    )
    connection.execute(  # how far the log reaches is not known any more: the next fetch takes all of it
        "delete from pulls where part = 'log' and course_id in"
        " (select course_id from loads where id = ? and kind = 'course log')",
        (load_id,),
    )
    for table in ("load_events", "claims", "unmatched", "answers"):
        connection.execute(f"delete from {table} where load_id = ?", (load_id,))
    connection.execute("delete from loads where id = ?", (load_id,))
    connection.execute("drop table gone")
