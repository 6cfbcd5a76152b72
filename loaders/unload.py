"""`coursette unload`: take one load back."""

from __future__ import annotations

import sqlite3

from loaders.errors import Unreadable
from loaders.settle import settle


def unload(connection: sqlite3.Connection, load_id: int) -> None:
    """Take one load back: what it alone said and brought goes. Raises Unreadable if there is no such load."""
    if not connection.execute("select 1 from loads where id = ?", (load_id,)).fetchone():
        raise Unreadable(f"there is no load {load_id}: `coursette status` lists them")
    connection.execute("begin immediate")
    try:
        events = "select e.id from events e join load_events r on e.id between r.first_id and r.last_id where r.load_id"
        connection.execute("create temp table gone as " + events + " = ?", (load_id,))
        connection.execute("delete from gone where id in (" + events + " != ?)", (load_id,))
        for sql in (
            "delete from event_names where event_id in (select id from gone)",
            "delete from events where id in (select id from gone)",
            "update events set load_id = (select r.load_id from load_events r where events.id between r.first_id"
            " and r.last_id and r.load_id != ?1 order by r.load_id limit 1) where load_id = ?1",
            "delete from load_events where load_id = ?1",
            "delete from claims where load_id = ?1",
            "delete from unmatched where load_id = ?1",
            "delete from loads where id = ?1",
        ):
            connection.execute(sql, (load_id,) if "?1" in sql else ())
        connection.execute("drop table gone")
        settle(connection, True)
        connection.execute("delete from sites where id not in (select site_id from loads where site_id is not null)")
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")
