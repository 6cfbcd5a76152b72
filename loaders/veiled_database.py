"""Datasette's database, asked under a veil while one is set (see veil.py), by tables, SQL, questions and our pages."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from datasette.app import Datasette
from datasette.database import Database
from datasette.utils.sqlite import sqlite3

from loaders import accounts, look_ups, veil, web
from loaders.course_files import CourseFile

MOST = 8  # veiled connections that a thread keeps
# What Datasette asks about the shape of tables, which is the same under every veil.
SHAPE = (
    "attached_databases", "table_exists", "table_names", "table_columns", "table_column_details", "primary_keys",
    "label_column_for_table", "foreign_keys_for_table", "hidden_table_names", "view_names", "get_all_foreign_keys",
    "get_table_definition", "get_view_definition",
)  # fmt: skip


class VeiledDatabase(CourseFile):
    """The same file as `plain`, whose place it takes."""

    def __init__(self, plain: Database):
        super().__init__(plain.ds, plain.path, plain.is_mutable)
        self.name, self.route = plain.name, plain.route
        self.kept = threading.local()

    async def execute_fn(self, fn: Callable) -> Any:
        chosen = veil.current.get()
        if chosen is None:
            return await super().execute_fn(fn)
        if self.ds.executor is None:
            return self.ask_veiled(chosen, fn)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.ds.executor, self.ask_veiled, chosen, fn)

    async def fts_table(self, table: str) -> str | None:
        """No search under a veil: it would find by the words that are hidden."""
        return None if veil.current.get() else await super().fts_table(table)

    @property
    def cached_table_counts(self) -> dict | None:
        """Counts that Datasette keeps of a file that never changes: of all rows, so not for whoever sees some."""
        return None if veil.current.get() else super().cached_table_counts

    async def table_counts(self, limit: int = 10) -> dict:
        kept = self._cached_table_counts
        try:
            return await super().table_counts(limit)
        finally:
            if veil.current.get():
                self._cached_table_counts = kept

    def ask_veiled(self, chosen: veil.Veil, fn: Callable) -> Any:
        """What a function answers on this thread's connection under this veil."""
        kept = self.kept.__dict__.setdefault("connections", OrderedDict())
        if chosen not in kept:
            kept[chosen] = self.veiled(chosen)
            self._all_file_connections.append(kept[chosen].conn)
        kept.move_to_end(chosen)
        while len(kept) > MOST:
            _, oldest = kept.popitem(last=False)
            self._all_file_connections.remove(oldest.conn)
            oldest.conn.close()
        return kept[chosen].ask(fn)

    def veiled(self, chosen: veil.Veil) -> veil.Veiled:
        """A new connection under a veil, prepared as Datasette prepares its own."""
        if self.name == look_ups.NAME:
            raise sqlite3.OperationalError(veil.REFUSED)
        if self.is_mutable:
            how = "mode=ro&nolock=1" if self.ds.nolock else "mode=ro"
        else:
            how = "immutable=1"
        key = accounts.key(web.private(self.ds), veil.KEY)
        address = f"{Path(self.path).resolve().as_uri()}?{how}"
        return veil.Veiled(address, chosen, key, self.name, lambda conn: self.ds._prepare_connection(conn, self.name))


def _past_the_veil(plain: Callable) -> Callable:
    @wraps(plain)
    async def asked(*args: Any, **kwargs: Any) -> Any:
        token = veil.current.set(None)
        try:
            return await plain(*args, **kwargs)
        finally:
            veil.current.reset(token)

    return asked


for _name in SHAPE:
    setattr(VeiledDatabase, _name, _past_the_veil(getattr(Database, _name)))


def install(datasette: Datasette) -> None:
    """Put a veiled one in the place of every database in a file. Again, for those that were added later."""
    plain = {name: db for name, db in datasette.databases.items() if db.path and not isinstance(db, VeiledDatabase)}
    if "refresh_schemas" not in datasette.__dict__:  # Datasette's own list of what tables there are
        datasette.refresh_schemas = _past_the_veil(datasette.refresh_schemas)
    if plain:
        veiled = {name: VeiledDatabase(db) for name, db in plain.items()}
        datasette.databases = {name: veiled.get(name, db) for name, db in datasette.databases.items()}
