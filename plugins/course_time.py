"""Course time and choosing by name in SQL: `local_time` and `matching`, see loaders/functions.py."""

from datasette import hookimpl

from loaders import functions


@hookimpl
def prepare_connection(conn):
    functions.register(conn)
