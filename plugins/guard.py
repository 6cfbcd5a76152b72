"""Whatever is asked of a database only reads it: see loaders/guard.py."""

from datasette import hookimpl

from loaders import guard

INTERNAL = "_internal"  # what Datasette itself writes: the shapes of all databases, in memory


@hookimpl(trylast=True)  # other plugins may set up a connection before
def prepare_connection(conn, database):
    if database != INTERNAL:
        guard.guard(conn)
