"""Files as Datasette's databases: opened under any name, let go of for good, opened anew where another took its place.

What is known of Datasette here: each of its threads keeps one connection for each name of a database.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from datasette.app import Datasette
from datasette.database import Database
from datasette.utils.sqlite import sqlite3


class CourseFile(Database):
    """A file whose name may hold whatever a name may: Datasette would read what follows ? # or % as something else."""

    def connect(self, write: bool = False) -> sqlite3.Connection:
        how = ("mode=rw" if write else "mode=ro") if self.is_mutable else "immutable=1"
        address = f"{Path(self.path).resolve().as_uri()}?{how}{'&nolock=1' if self.ds.nolock else ''}"
        conn = sqlite3.connect(address, uri=True, check_same_thread=False)
        self._all_file_connections.append(conn)
        return conn


def take_in(datasette: Datasette, file: Path, name: str) -> None:
    """Let Datasette serve a file from now on."""
    datasette.add_database(CourseFile(datasette, str(file)), name=name)


async def put(datasette: Datasette, name: str, file: Path | None) -> None:
    """Serve this file in the place of the one that had the name until now; None: nothing in its place.

    Every connection to the one before ends: what was deleted lies on the disk as long as one is open. Answers that are
    under way are finished first. Threads keep connections by name, so they are changed for new ones.
    """
    databases = dict(datasette.databases)
    before = databases.pop(name)
    if file:
        now = CourseFile(datasette, str(file))
        now.name = now.route = name
        databases = {key: now if key == name else each for key, each in datasette.databases.items()}
    opened = before._all_file_connections[:]
    for each in datasette.databases.values():
        each._all_file_connections.clear()  # those of the others end with the threads that have them
    datasette.databases, threads = databases, datasette.executor
    if threads:
        datasette.executor = ThreadPoolExecutor(max_workers=datasette.setting("num_sql_threads"))
        await asyncio.to_thread(threads.shutdown)
    for conn in opened:
        conn.close()
