"""What the commands share: which database, which private folder, and errors in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path

import click

from loaders.errors import Unreadable


def database(command: Callable) -> Callable:
    """The option every command takes: which database."""
    return click.option(
        "--db", type=click.Path(dir_okay=False, path_type=Path), default="moodle.db", envvar="COURSETTE_DB",
        show_default=True, show_envvar=True, help="The database file.",
    )(command)  # fmt: skip


def in_a_sentence(command: Callable) -> Callable:
    """Errors a teacher can act on, in one sentence; tracebacks only with --debug."""

    @click.option("--debug", is_flag=True, hidden=True)
    @wraps(command)
    def wrapped(*args, debug: bool, **options):
        import sqlite3

        from loaders import reporting

        try:
            return command(*args, **options)
        except (Unreadable, sqlite3.DatabaseError, OSError) as error:
            if debug or isinstance(error, BrokenPipeError):  # click ends quietly when `| head` has read enough
                raise
            raise click.ClickException(reporting.printable(_sentence(error, options.get("db")))) from None

    return wrapped


def _sentence(error: Exception, db: Path | None) -> str:
    import sqlite3

    if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
        return f"another coursette is writing {db}: let it finish, then try again"
    if isinstance(error, sqlite3.DatabaseError) and "not a database" in str(error):
        return f"{db} cannot be used as a database ({error}): name another with --db"
    return str(error)


def private(command: Callable) -> Callable:
    """The option of everything that needs accounts or keys."""
    return click.option(
        "--private", type=click.Path(file_okay=False, path_type=Path),
        help="Folder of accounts, keys and look-ups [default: private, beside the database].",
    )(command)  # fmt: skip


def queries(command: Callable) -> Callable:
    """The option of everything that reads a teacher's own questions."""
    return click.option(
        "--queries", type=click.Path(file_okay=False, path_type=Path), envvar="COURSETTE_QUERIES", show_envvar=True,
        help="Folder of your own questions [default: queries, beside the database].",
    )(command)  # fmt: skip
