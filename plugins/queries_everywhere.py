"""Questions with the steps that they share; any other database with our tables gets those of `moodle`, its words and
its access rules too. And the teacher's own, one file each in the folder `queries`, as soon as they are saved."""

from __future__ import annotations

from datasette import hookimpl

from loaders import answers, own_questions, steps

SHARED = ("allow", "allow_sql", "tables")


def _model(datasette, database: str) -> dict:
    """What metadata.yml says of `moodle`, for a database that it does not mention; else {}."""
    # Not datasette.metadata(), which would ask get_metadata below again.
    configured = own_questions.configured(datasette)
    known = database in configured or database not in datasette.databases
    return {} if known else configured.get(own_questions.MODEL) or {}


async def _has_courses(datasette, database: str) -> bool:
    """Whether questions about courses can be asked of a database."""
    if database == own_questions.MODEL:
        return bool(datasette.databases[database].path)
    has_model = bool(_model(datasette, database))
    return has_model and set(await datasette.databases[database].table_names()) >= answers.TABLES


@hookimpl
def canned_queries(datasette, database):
    async def inner():
        if not await _has_courses(datasette, database):
            return steps.questions(own_questions.configured(datasette).get(database) or {})
        model = own_questions.configured(datasette).get(own_questions.MODEL) or {}
        return {**steps.questions(model), **own_questions.queries_of(datasette, database)}

    return inner


@hookimpl
def asgi_wrapper():
    def wrap(app):
        async def looking_once(scope, receive, send):
            token = own_questions.of_this_request.set({})
            try:
                await app(scope, receive, send)
            finally:
                own_questions.of_this_request.reset(token)

        return looking_once

    return wrap


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
