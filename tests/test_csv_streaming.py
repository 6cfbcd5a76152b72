"""A CSV of all rows is sent as it is read: in flat memory, with limits, and never short without a sign."""

from __future__ import annotations

import asyncio
import csv
import io
import logging
import tracemalloc
from collections.abc import Callable
from urllib.parse import urlencode

import httpx
import pytest

from loaders import csv_rows, csv_stream
from tests import made_up
from tests.visit import TEACHER, cookies, get, instance, served

NUMBERS = "with recursive n(i) as (select 1 union all select i + 1 from n where i < {rows}) select {what} from n"
LINE = "i, 'Zoë ' || i as name, 'a, \"b\"' as odd, i * 0.5 as half"
FAILS = "i, 'some words to fill a line' as words, iif(i = 50000, abs(-9223372036854775807 - 1), i) as fails"
ENDLESS = "select count(*) from (with recursive n(i) as (select 1 union all select i + 1 from n) select i from n)"
ENDLESS = "/moodle.csv?" + urlencode({"sql": ENDLESS})


def numbers(rows: int, what: str = LINE) -> str:
    """The address of a CSV of so many lines."""
    return "/moodle.csv?" + urlencode({"sql": NUMBERS.format(rows=rows, what=what)})


@pytest.fixture
def datasette(tmp_path):
    return instance(made_up.small(tmp_path / "moodle.db"))


class Client:
    """A client who takes an answer piece by piece: `taken` says of each when, `leave` is a lost connection."""

    def __init__(self, datasette, path: str, taken: Callable | None = None, method: str = "GET"):
        self.datasette, self.taken = datasette, taken
        self.status, self.size, self.start, self.complete = 0, 0, b"", False
        self.left = asyncio.Event()
        path, _, query = path.partition("?")
        cookie = "; ".join(f"{key}={value}" for key, value in cookies(datasette, TEACHER).items())
        self.scope = {
            "type": "http", "http_version": "1.1", "method": method, "scheme": "http", "path": path,
            "raw_path": path.encode(), "query_string": query.encode(), "client": ("127.0.0.1", 1),
            "headers": [(b"host", b"localhost"), (b"cookie", cookie.encode())],
        }  # fmt: skip
        self.messages = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive(self) -> dict:
        if message := next(self.messages, None):
            return message
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        self.size += message["body"].count(b"\n")
        self.start = self.start or message["body"][:200]
        self.complete = not message.get("more_body")
        if self.taken and not self.complete:
            await self.taken(self)

    async def ask(self) -> Client:
        await self.datasette.app()(self.scope, self.receive, self.send)
        return self


async def never(client: Client) -> None:
    await asyncio.sleep(600)


async def leaves(client: Client) -> None:
    client.left.set()
    await asyncio.sleep(600)


def connections(datasette, monkeypatch) -> list:
    """All that are opened from now on for CSVs."""
    opened, connection = [], csv_stream.connection

    def noted(*args):
        opened.append(connection(*args))
        return opened[-1]

    monkeypatch.setattr(csv_stream, "connection", noted)
    return opened


def is_closed(conn) -> bool:
    try:
        conn.execute("select 1")
    except Exception as error:
        return "closed" in str(error)
    return False


async def peak(datasette, rows: int) -> int:
    """Most bytes that Python held at a time for a CSV of so many lines, which came whole."""
    tracemalloc.start()
    client = await Client(datasette, numbers(rows)).ask()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert client.complete and client.size == rows + 1
    return most


async def test_three_hundred_thousand_rows_take_no_more_memory_than_few(datasette):
    await peak(datasette, 10)  # what is made once
    few, many = await peak(datasette, 10_000), await peak(datasette, 300_000)
    assert many < 1.5 * few


async def test_they_come_whole_and_readable(datasette):
    answer = await get(datasette, numbers(30_000))
    rows = list(csv.reader(io.StringIO(answer.text, newline="")))
    assert rows[0] == ["i", "name", "odd", "half"] and rows[-1] == ["30000", "Zoë 30000", 'a, "b"', "15000.0"]
    assert len(rows) == 30_001 and answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["content-disposition"] == 'attachment; filename="query.csv"'


async def test_only_the_head_is_sent_to_who_asks_for_that(datasette):
    client = await Client(datasette, numbers(300_000), method="HEAD").ask()
    assert (client.status, client.size, client.complete) == (200, 0, True)


async def test_who_leaves_frees_the_connection(datasette, monkeypatch):
    opened = connections(datasette, monkeypatch)
    client = await Client(datasette, numbers(300_000), leaves).ask()
    assert client.status == 200 and not client.complete
    assert is_closed(opened[0]) and datasette._coursette_csvs == 0
    assert opened[0] not in datasette.databases["moodle"]._all_file_connections


async def test_who_leaves_stops_a_query_at_work(datasette, monkeypatch):
    opened = connections(datasette, monkeypatch)
    client = Client(datasette, ENDLESS)
    client.left.set()
    await asyncio.wait_for(client.ask(), csv_rows.PIECE_S / 2)
    assert client.status == 0 and all(map(is_closed, opened)) and datasette._coursette_csvs == 0


async def test_an_error_before_the_first_rows_is_a_sentence(datasette):
    answer = await get(datasette, numbers(10, "abs(-9223372036854775807 - i)"))
    assert (answer.status_code, answer.text) == (400, "integer overflow.")


async def test_an_error_later_is_no_end(datasette, caplog):
    caplog.set_level(logging.ERROR, "coursette")
    client = await Client(datasette, numbers(300_000, FAILS)).ask()
    assert client.status == 200 and 10_000 < client.size < 50_001 and not client.complete
    assert caplog.messages == ["A CSV was broken off (OperationalError)."], "no word of what was asked"


def test_a_browser_sees_that_a_download_was_broken_off(tmp_path):
    with served(made_up.small(tmp_path / "moodle.db")) as link, httpx.Client(follow_redirects=True) as client:
        client.get(link)
        address = link.partition("/-/")[0]
        with pytest.raises(httpx.RemoteProtocolError):
            client.get(address + numbers(300_000, FAILS))
        assert client.get(address + numbers(300_000)).text.count("\n") == 300_001


async def test_a_query_that_takes_long_is_a_sentence(datasette, monkeypatch):
    monkeypatch.setattr(csv_rows, "PIECE_S", 0.1)
    answer = await get(datasette, ENDLESS)
    assert (answer.status_code, answer.text) == (400, csv_stream.LATE)


@pytest.mark.parametrize("limit", ["WAIT_S", "LONGEST_S"])
async def test_who_takes_nothing_is_not_waited_for(datasette, monkeypatch, caplog, limit):
    monkeypatch.setattr(csv_stream, limit, 0.5)
    opened = connections(datasette, monkeypatch)
    client = await Client(datasette, numbers(300_000), never).ask()
    assert client.status == 200 and not client.complete and is_closed(opened[0])
    assert "A CSV was broken off" in caplog.text


async def test_slow_ones_hold_up_nobody_and_there_are_not_too_many(datasette):
    slow = [Client(datasette, numbers(300_000), never) for _ in range(csv_stream.MOST)]
    asked = [asyncio.create_task(client.ask()) for client in slow]
    while not all(client.size for client in slow):
        await asyncio.sleep(0.01)
    next_one = await get(datasette, numbers(3))
    assert next_one.status_code == 503 and next_one.text.startswith("4 other CSVs are being downloaded")
    assert (await get(datasette, "/moodle/weeks?course=2")).status_code == 200
    for client in slow:
        client.left.set()
    await asyncio.gather(*asked)
    assert (await get(datasette, numbers(3))).text.count("\n") == 4
