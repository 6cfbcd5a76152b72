"""How loaders and the server say that something is wrong."""

from __future__ import annotations


class Unreadable(Exception):
    """A file cannot be taken. The message is one sentence a teacher can act on, with the remedy.

    `line` is the line (or row) of the file where it went wrong, if there is one.
    """

    def __init__(self, message: str, line: int | None = None):
        super().__init__(message)
        self.line = line


class CannotServe(Exception):
    """The server cannot start; the message is one sentence a teacher can act on."""
