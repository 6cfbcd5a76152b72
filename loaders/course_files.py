"""Files as Datasette's databases: opened under any name, let go of for good, opened anew where another took its place.

What is known of Datasette here: each of its threads keeps one connection for each name of a database.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

from datasette.app import Datasette
from datasette.database import Database
from datasette.utils.sqlite import sqlite3


class CourseFile(Database):
    """A file whose name may hold whatever a name may: Datasette would read what follows ? # or % as something else."""

    def connect(self, write: bool = False) -> sqlite3.Connection:
        mode = "rw" if write else "ro"
        address = f"file:{quote(str(Path(self.path).resolve()))}?mode={mode}"
        conn = sqlite3.connect(address, uri=True, check_same_thread=False)
        self._all_file_connections.append(conn)
        return conn


def take_in(datasette: Datasette, file: Path, name: str) -> Database:
    """Let Datasette serve a file from now on."""
    return datasette.add_database(CourseFile(datasette, str(file)), name=name)


async def let_go(datasette: Datasette, name: str) -> None:
    """Take a file out, with every connection to it: what was deleted lies on the disk as long as one is open.

    Answers that are under way are finished. Threads keep connections by name, so they are changed for new ones.
    """
    gone = datasette.databases[name]
    datasette.remove_database(name)
    for database in datasette.databases.values():
        database._all_file_connections.clear()  # the others' connections end with the threads that have them
    if before := datasette.executor:
        datasette.executor = ThreadPoolExecutor(max_workers=datasette.setting("num_sql_threads"))
        await asyncio.to_thread(before.shutdown)
    gone.close()
