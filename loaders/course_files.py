"""A file as Datasette's database, opened under any name."""

from __future__ import annotations

from pathlib import Path

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
