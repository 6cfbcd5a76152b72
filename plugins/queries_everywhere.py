"""Any other database with our tables gets the questions, words and access rules that `moodle` has."""

from __future__ import annotations

import copy

from datasette import hookimpl

from loaders import answers

MODEL = "moodle"
SHARED = ("allow", "allow_sql", "tables")


def _model(datasette, database: str) -> dict:
    """What metadata.yml says of `moodle`, for a database that it does not mention; else {}."""
    # Not datasette.metadata(), which would ask get_metadata below again.
    configured = (datasette._metadata_local or {}).get("databases") or {}
    known = database in configured or database not in datasette.databases
    return {} if known else configured.get(MODEL) or {}


@hookimpl
def canned_queries(datasette, database):
    async def inner():
        queries = _model(datasette, database).get("queries")
        if not queries or not set(await datasette.databases[database].table_names()) >= answers.TABLES:
            return {}
        return copy.deepcopy(queries)

    return inner


@hookimpl
def get_metadata(datasette):
    # Words for tables that a database does not have are harmless.
    others = [name for name, db in datasette.databases.items() if db.path]
    models = {name: _model(datasette, name) for name in others}
    return {
        "databases": {
            name: {key: model[key] for key in SHARED if key in model} for name, model in models.items() if model
        }
    }
