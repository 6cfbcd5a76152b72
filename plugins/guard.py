"""Whatever is asked of a database only reads it: see loaders/guard.py."""

from datasette import hookimpl

from loaders import guard

# In memory, and none of ours: the shapes of all databases, and where Datasette tries what SQLite can do.
DATASETTES = ("_internal", "_memory")


@hookimpl(trylast=True)  # other plugins may set up a connection before
def prepare_connection(conn, database):
    if database not in DATASETTES:
        guard.guard(conn)
