"""Our SQL functions in words: how each is called, what it gives, and an example, out of the code's docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable

from loaders import functions

CALLED = re.compile(r"`(\w+\([^`]*\))`")


class _Listener:
    """Takes functions as a connection would, and keeps what they say of themselves."""

    def __init__(self) -> None:
        self.found: dict[str, Callable] = {}

    def create_function(self, name: str, narg: int, function: Callable, **_: bool) -> None:
        self.found[name] = function

    def create_aggregate(self, name: str, narg: int, function: Callable) -> None:
        self.found[name] = function


def listed() -> list[dict]:
    """One row per function: `name`, `call` (with what it takes), `words`, `example` (a select), `over_rows`."""
    listener = _Listener()
    functions.register(listener)
    return [described(name, function) for name, function in sorted(listener.found.items())]


def described(name: str, function: Callable) -> dict:
    """What one docstring says: `name(what it takes)`: words. More words, and an example that begins with select."""
    text = inspect.getdoc(function) or ""
    words, _, example = text.partition("\n\nselect ")
    calls = {call.partition("(")[0]: call for call in CALLED.findall(words)}
    return {
        "name": name,
        "call": calls.get(name, ""),
        "words": _plain(words, calls.get(name, "")),
        "example": f"select {example.strip()}" if example else "",
        "over_rows": inspect.isclass(function),
    }


def _plain(words: str, call: str) -> str:
    """Words for whoever writes SQL and no Python: without how it is called, which stands before them."""
    words = " ".join(words.split()).removeprefix(f"`{call}`").removeprefix(" over rows").removeprefix(": ")
    return re.sub(r"\bNone\b", "null", words)
