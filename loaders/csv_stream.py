"""A CSV of all rows of a statement, sent as it is read, however many there are and however slowly they are taken.

Each has a read-only connection and a thread of its own, so that nobody's download holds up Datasette's pages.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

from datasette.app import Datasette
from datasette.utils.asgi import Request

from loaders import csv_cells, look_ups, veil, web
from loaders.csv_rows import Rows

MOST = 4  # at a time
WAIT_S = 60.0  # so long a client may leave a piece untaken
LONGEST_S = 1800.0  # while it reads, what a loader writes cannot be tidied up in the file
BUSY = "{most} other CSVs are being downloaded just now: try again when one of them has ended."
LATE = "This took too long: narrow it down."


class Stream:
    """One answer: `rows` read in their own thread, and sent as the client takes them."""

    def __init__(self, rows: Rows, send: Callable):
        self.rows, self.send, self.started = rows, send, False
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="csv")

    async def run(self, name: str, is_head: bool, *statement: Any) -> None:
        """Send it all. Raises sqlite3.Error or sqlite3.Warning, and TimeoutError for a client that takes nothing."""
        piece = await self._in_thread(self.rows.begin, *statement)
        headers = {**web.csv_headers(name), "Content-Type": web.CSV}
        pairs = [(key.lower().encode(), value.encode()) for key, value in headers.items()]
        await self.send({"type": "http.response.start", "status": 200, "headers": pairs})
        self.started = True
        while piece and not is_head:
            message = {"type": "http.response.body", "body": piece.encode(), "more_body": True}
            await asyncio.wait_for(self.send(message), WAIT_S)
            piece = await self._in_thread(self.rows.piece)
        await self.send({"type": "http.response.body", "body": b""})

    async def close(self) -> None:
        """Free the connection, once the statement has stopped."""
        self.rows.stop()
        closed = self.thread.submit(self.rows.close)
        self.thread.shutdown(wait=False)
        await asyncio.wrap_future(closed)

    async def _in_thread(self, work: Callable, *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.thread, work, *args)


async def send_rows(
    datasette: Datasette, request: Request, send: Callable, database: str, name: str, sql: str, given: dict
) -> None:
    """Answer with all rows of a statement as `name`.csv. What fails before the first of them is a web.Refusal.

    Later no status can say it: then the answer never ends, the server breaks the connection off, and no browser
    takes the file for whole.
    """
    with place(datasette):
        stream = Stream(Rows(partial(connection, datasette, database, veil.current.get()), csv_cells.plain), send)
        work = asyncio.ensure_future(stream.run(name, request.method == "HEAD", sql, given))
        leaving = asyncio.ensure_future(left(request.receive))
        try:
            await asyncio.wait({work, leaving}, timeout=LONGEST_S, return_when=asyncio.FIRST_COMPLETED)
            has_left = leaving.done()
        finally:
            work.cancel()
            leaving.cancel()
            await stream.close()
        outcome, _ = await asyncio.gather(work, leaving, return_exceptions=True)
        if isinstance(outcome, BaseException) and not has_left:
            fail(outcome, stream.started)


def fail(error: BaseException, started: bool) -> None:
    """Say what went wrong: to the visitor while there is a way to, else to the log."""
    if started:
        look_ups.LOG.error("A CSV was broken off (%s).", type(error).__name__)
    elif isinstance(error, sqlite3.Error | sqlite3.Warning):  # a second statement is a Warning in Python 3.11
        sentence = LATE if "interrupted" in str(error) else f"{veil.said(error).removesuffix('.')}."
        raise web.Refusal(sentence, 400) from error
    else:
        raise error


@contextmanager
def place(datasette: Datasette) -> Iterator[None]:
    """Room for one more. Raises web.Refusal where there is none."""
    under_way = getattr(datasette, "_coursette_csvs", 0)
    if under_way >= MOST:
        raise web.Refusal(BUSY.format(most=MOST), 503)
    datasette._coursette_csvs = under_way + 1
    try:
        yield
    finally:
        datasette._coursette_csvs -= 1


def connection(datasette: Datasette, database: str, chosen: veil.Veil | None) -> sqlite3.Connection:
    """A new connection to read with, as Datasette makes and prepares its own, but not kept by it."""
    db = datasette.databases[database]
    if chosen:
        return db.veiled(chosen).ready()
    conn = db.connect()
    if conn in db._all_file_connections:
        db._all_file_connections.remove(conn)
    try:
        datasette._prepare_connection(conn, database)
    except BaseException:
        conn.close()
        raise
    return conn


async def left(receive: Callable) -> None:
    """Ends when the client is gone, or has its answer."""
    while (await receive())["type"] != "http.disconnect":
        await asyncio.sleep(0)
