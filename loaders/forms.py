"""Forms that are sent here: read whole and within bounds, before Datasette's check against forged ones reads them."""

from __future__ import annotations

from collections.abc import Callable

from datasette.app import Datasette

from loaders import calls, web

MOST_BYTES = 1_000_000
LARGER = {"/-/learn": 20_000_000}  # a page with a class of 5,000 has 8 MB, and half as much again inside a form
HEARD_OUT = 5  # times as much is read and forgotten, or the browser would lose our answer with the connection
TOO_LARGE = "This form is too large for Coursette."
TOO_LARGE_PAGE = "This page is too large for the form: save it, and load the file with `coursette load`."
UNREADABLE = "This form cannot be read."


async def bounded(datasette: Datasette, scope: dict, receive: Callable) -> Callable:
    """`receive` with the body read already. Raises web.Refusal for one that is too large or broken off."""
    if scope["method"] in ("GET", "HEAD", "OPTIONS", "TRACE"):
        return receive
    if scope.get(web.TOKEN) and web.path_of(datasette, scope) == calls.REFRESH:
        return receive  # no form but a file, bounded where it is written to the disk (plugins/refresh.py)
    most, sentence = await bound(datasette, scope)
    messages, size = [], 0
    while not messages or messages[-1].get("more_body"):
        message = await receive()
        if message["type"] != "http.request":
            raise web.Refusal(UNREADABLE, 400)
        size += len(message.get("body", b""))
        messages = [*messages, message] if size <= most else [{**message, "body": b""}]
        if size > HEARD_OUT * most:
            break
    if size > most:
        raise web.Refusal(sentence, 413)
    return again(messages, receive)


async def bound(datasette: Datasette, scope: dict) -> tuple[int, str]:
    """(how many bytes a form may have here, what is said of a larger one). Large ones are the owner's only."""
    larger = LARGER.get(web.path_of(datasette, scope))
    if larger and web.is_owner(await web.actor_of(datasette, scope)):
        return larger, TOO_LARGE_PAGE
    return MOST_BYTES, TOO_LARGE


def again(messages: list[dict], receive: Callable) -> Callable:
    """What was received, given out once more, then whatever comes after it."""
    waiting = iter(messages)

    async def receive_again() -> dict:
        return next(waiting, None) or await receive()

    return receive_again
