"""Questions over the record of look-ups, at /audit: for the owner only, in a session of hers.

metadata.yml has the questions. Nobody else sees the database or anything in it, whatever metadata.yml allows, and no
other connection reaches it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

from datasette import hookimpl
from datasette.database import Database

from loaders import look_ups, looked_at, web


@hookimpl
def startup(datasette):
    async def show_the_record():
        # With --crossdb whoever may write SQL would reach it; a database of the same name is the teacher's own.
        if datasette.crossdb or look_ups.NAME in datasette.databases:
            return
        path = web.private(datasette) / f"{look_ups.NAME}.db"
        try:
            (await asyncio.to_thread(look_ups.opened, path)).close()
        except (sqlite3.Error, OSError) as error:
            look_ups.LOG.error("The record of look-ups, %s, cannot be opened (%s).", path, error)
            return
        datasette.add_database(Database(datasette, path=str(path)), name=look_ups.NAME)

    return show_the_record


@hookimpl
def prepare_connection(conn, database, datasette):
    if database == look_ups.NAME:
        looked_at.register(conn, lambda: {key: Path(db.path) for key, db in web.course_databases(datasette).items()})


@hookimpl
def permission_allowed(actor, resource):
    # A rule of the whole instance, or one for a colleague in metadata.yml, may not open it.
    database = resource[0] if isinstance(resource, tuple) else resource
    return False if database == look_ups.NAME and not web.is_owner(actor) else None
