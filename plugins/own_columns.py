"""Words and facets for the columns that your spreadsheets add to the view `people_wide`: no file can list them."""

from __future__ import annotations

import sqlite3

from datasette import hookimpl
from datasette.app import Datasette
from datasette.database import Database

from loaders import web, wide

FACETS = ("course_id", "role")  # and every column that became groups
ABOUT = "One row per person in a course, with a column for each of the first fields that files say of people."
GROUPED = "select distinct field from groups where field is not null"


class Words:
    """What is said of one database's view, looked up again when the file has changed."""

    def __init__(self, database: Database):
        self.database, self.connection = database, database.connect()
        self.version, self.known = None, {}

    def now(self) -> dict:
        """`columns` and `facets` as metadata has them; Datasette asks several times a page."""
        version = self.connection.execute("pragma data_version").fetchone()
        if version != self.version:
            self.known, self.version = words(self.connection), version
        return self.known


def words(connection: sqlite3.Connection) -> dict:
    """What can be said of the view in this database."""
    fields = wide.fields(connection)
    columns, more = wide.columns(fields), wide.left_out(fields)
    grouped = {field for (field,) in connection.execute(GROUPED)}
    left_out = {"description": f"{ABOUT} {more} more fields are in the table person_details alone."} if more else {}
    return left_out | {
        "columns": {name: f"What files say of them as “{field}”." for name, field in columns.items()},
        "facets": [*FACETS, *(name for name, field in columns.items() if field in grouped)],
    }


def words_of(datasette: Datasette, database: Database) -> dict:
    """The same, kept with the instance; nothing where the database has no such tables."""
    kept = datasette.__dict__.setdefault("_coursette_own_columns", {})
    try:
        if database.name not in kept:
            kept[database.name] = Words(database)
        return kept[database.name].now()
    except sqlite3.Error:
        return {}


def let_go(datasette: Datasette) -> None:
    """Close what was opened of files that are gone, or replaced by others (plugins/folder.py)."""
    kept = datasette.__dict__.get("_coursette_own_columns", {})
    for name in [name for name, each in kept.items() if datasette.databases.get(name) is not each.database]:
        kept.pop(name).connection.close()


@hookimpl
def get_metadata(datasette):
    let_go(datasette)
    found = {name: words_of(datasette, database) for name, database in web.course_databases(datasette).items()}
    return {"databases": {name: {"tables": {wide.VIEW: said}} for name, said in found.items() if said}}
