"""Questions with the steps that they share; any other database with our tables gets those of `moodle`, its words and
its access rules too."""

from __future__ import annotations

from datasette import hookimpl

from loaders import answers, steps

MODEL = "moodle"
SHARED = ("allow", "allow_sql", "tables")


def _model(datasette, database: str) -> dict:
    """What metadata.yml says of `moodle`, for a database that it does not mention; else {}."""
    # Not datasette.metadata(), which would ask get_metadata below again.
    configured = _configured(datasette)
    known = database in configured or database not in datasette.databases
    return {} if known else configured.get(MODEL) or {}


def _configured(datasette) -> dict:
    return (datasette._metadata_local or {}).get("databases") or {}


@hookimpl
def canned_queries(datasette, database):
    async def inner():
        model = _model(datasette, database)
        if model and set(await datasette.databases[database].table_names()) >= answers.TABLES:
            return steps.questions(model)
        return steps.questions(_configured(datasette).get(database) or {})

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
