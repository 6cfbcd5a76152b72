"""Files that come and go while Datasette serves: taken in, let go of, opened anew where another took the place.

What is known of Datasette here: each of its threads keeps one connection for each name of a database.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from datasette.app import Datasette

from loaders.course_files import CourseFile
from loaders.veiled_database import VeiledDatabase


def take_in(datasette: Datasette, file: Path, name: str) -> None:
    """Let Datasette serve a file from now on."""
    added = CourseFile(datasette, str(file))
    added.name = added.route = name
    datasette.add_database(VeiledDatabase(added), name=name)


async def put(datasette: Datasette, name: str, file: Path | None) -> None:
    """Serve this file in the place of the one that had the name until now; None: nothing in its place.

    Every connection to the one before ends: what was deleted lies on the disk as long as one is open. Answers that are
    under way are finished first. Threads keep connections by name, so they are changed for new ones.
    """
    databases = dict(datasette.databases)
    before = databases.pop(name)
    if file:
        plain = CourseFile(datasette, str(file))
        plain.name = plain.route = name
        now = VeiledDatabase(plain)
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
