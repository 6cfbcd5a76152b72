"""The server's terminal and its logs hold nothing about students: what went wrong, and where, but not with whom.

A message of Python's or SQLite's may quote what was asked for, so only places in the code are printed.
"""

from __future__ import annotations

import io
import logging
import sys
import traceback

import datasette.database
import datasette.handle_exception
import datasette.views.base
from datasette import hookimpl
from datasette.utils.asgi import Base400, Forbidden
from datasette.utils.sqlite import sqlite3
from datasette.views.base import DatasetteError

from loaders import web

LOG = logging.getLogger("coursette")
WENT_WRONG = "Something went wrong inside the server; its window says where. Other pages should work."


class Nowhere(io.TextIOBase):
    """Takes what is written and keeps none of it."""

    def write(self, text: str) -> int:
        return len(text)


class WithoutStderr:
    """Python's `sys` for a module that would print questions with their parameters, which are students' ids."""

    stderr = Nowhere()

    def __getattr__(self, name: str):
        return getattr(sys, name)


def where(error: BaseException) -> str:
    """The places in the code that an error came through, and its kind; not its words."""
    return "".join([*traceback.format_tb(error.__traceback__), type(error).__name__])


class Traceback:
    """Python's `traceback` for the one call that Datasette makes of it."""

    @staticmethod
    def print_exc() -> None:
        LOG.error("%s", where(sys.exc_info()[1]))


# What Datasette 0.65 prints by itself; a visitor sees a failed question's error on the page.
datasette.database.sys = datasette.views.base.sys = WithoutStderr()
datasette.handle_exception.traceback = Traceback
sqlite3.enable_callback_tracebacks(False)  # which would print the words of what fails inside SQL functions
datasette.handle_exception.rich = None  # with rich installed it would print all variables of a failed request


def without_query(record: logging.LogRecord) -> bool:
    """Uvicorn's log of requests keeps the path and loses the students' ids behind the question mark."""
    if isinstance(record.args, tuple) and len(record.args) >= 3:
        record.args = (*record.args[:2], str(record.args[2]).partition("?")[0], *record.args[3:])
    return True


def without_words(record: logging.LogRecord) -> bool:
    """Uvicorn's log of errors says where, as `where` does."""
    if record.exc_info and record.exc_info[1]:
        record.exc_info, record.exc_text = None, where(record.exc_info[1])
    return True


@hookimpl
def startup(datasette):
    for name, only in (("uvicorn.access", without_query), ("uvicorn.error", without_words)):
        log = logging.getLogger(name)
        if only not in log.filters:
            log.addFilter(only)


@hookimpl
def handle_exception(datasette, request, exception):
    if isinstance(exception, (Base400, DatasetteError, Forbidden)):
        return None  # Datasette or plugins/privacy.py has a sentence for the visitor
    return lambda: web.refuse(datasette, request, WENT_WRONG, 500)
