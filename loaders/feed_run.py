"""`coursette blogs fetch`: all blogs at once, as politely as each site wants it; one bad feed never stops the rest."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from loaders import feed_doubles
from loaders.blog_address import same
from loaders.errors import Unreadable
from loaders.feed_address import networks
from loaders.feed_archive import Archive, Replay, Saving, saved
from loaders.feed_document import bindable
from loaders.feed_fetch import Client, Limits
from loaders.feed_read import Known, Page, read_blog
from loaders.feed_store import Blog, Store
from loaders.post_links import save_link_people
from loaders.settle import settle

AT_ONCE = 32  # blogs begun and not ended: what is interrupted is then mostly whole
OFFLINE = Limits(pause_s=0, at_once_per_site=16, tries=1)  # nobody is asked, so nobody need be spared
UNKNOWN = "this feed could not be read ({}): please report it with the blog's address"


@dataclass
class Result:
    """What came of a run."""

    asked: int = 0
    answered: int = 0
    new: int = 0
    changed: int = 0
    gone: int = 0
    errors: list[tuple[str, str]] = field(default_factory=list)  # (address, sentence)


@dataclass
class Wanted:
    """What the teacher asked for."""

    only_new: bool = False
    allow: tuple[str, ...] = ()
    save: Path | None = None
    source: Path | None = None  # saved documents, in place of the network


def fetch(path: Path, wanted: Wanted, tick: Callable[[int, int], None] = lambda done, of: None) -> Result:
    """Read every registered blog into the database at `path`. `tick` is told how many are done, of how many.

    Raises Unreadable for what concerns all of them; what went wrong with one is in the result and in `feeds`.
    """
    documents = saved(wanted.source) if wanted.source else None
    allowed = tuple(networks(wanted.allow))
    archive = Archive(wanted.save) if wanted.save else None

    def through(network: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        network = Replay(documents) if documents is not None else network
        return Saving(network, archive) if archive else network

    # SQLite in a thread of its own: while another program writes, the others' answers go on coming in.
    with ThreadPoolExecutor(1) as writer:
        store = writer.submit(Store, path).result()
        try:
            feeds = writer.submit(store.feeds, wanted.only_new).result()
            if documents is not None:
                feeds = _among(feeds, documents)
            run = Run(store, writer, tick, len(feeds))
            client = Client(allowed, OFFLINE if documents is not None else Limits(), through=through)
            asyncio.run(run.all(client, feeds))
            return run.result
        finally:
            writer.submit(_end, store).result()
            if archive:
                archive.close()


def _among(feeds: list[tuple[Blog, Known]], documents: dict[str, dict]) -> list[tuple[Blog, Known]]:
    """The feeds of which anything was saved."""
    there = {same(url) for url in documents}
    return [(blog, known) for blog, known in feeds if {same(url) for url in (known.url, known.feed_url) if url} & there]


def _end(store: Store) -> None:
    """What is worked out from all posts together, also where the run was stopped."""
    try:
        with store.transaction():
            if feed_doubles.between_people(store.connection):
                settle(store.connection, events_changed=False)
            else:
                save_link_people(store.connection)
    finally:
        store.connection.close()


class Run:
    """One fetching of many blogs."""

    def __init__(self, store: Store, writer: ThreadPoolExecutor, tick: Callable[[int, int], None], total: int):
        self.store, self.writer, self.tick, self.total = store, writer, tick, total
        self.result, self.slots = Result(asked=total), asyncio.Semaphore(AT_ONCE)
        self.done = 0
        self.failed: BaseException | None = None

    async def all(self, client: Client, feeds: list[tuple[Blog, Known]]) -> None:
        """Read all of them."""
        self.tick(0, self.total)
        async with client:
            try:
                async with asyncio.TaskGroup() as group:
                    for blog, known in feeds:
                        group.create_task(self.one(client, blog, known))
            except ExceptionGroup as errors:
                raise errors.exceptions[0] from None

    async def one(self, client: Client, blog: Blog, known: Known) -> None:
        """Read one blog to its end, or as far as it goes."""
        async with self.slots:
            try:
                await self._read(client, blog, known)
                self.result.answered += 1
            except Exception as error:  # a blog must not end the run, whatever it is made of
                if self.failed is not None:
                    raise self.failed from None  # the database did, not the blog
                sentence = str(error) if isinstance(error, Unreadable) else UNKNOWN.format(type(error).__name__)
                self.result.errors.append((known.url, sentence))
                await self._write(self.store.save_error, blog, bindable(sentence))
        self.done += 1
        self.tick(self.done, self.total)

    async def _read(self, client: Client, blog: Blog, known: Known) -> None:
        seen: set[str] = set()
        page: Page | None = None
        async with aclosing(read_blog(client, known)) as pages:
            async for page in pages:
                seen.update(post["guid"] for post in page.posts)
                new, changed = await self._write(self.store.save_page, blog, page)
                self.result.new += new
                self.result.changed += changed
        if page is not None:
            self.result.gone += await self._write(self.store.mark_gone, blog, page.covers_from_utc, known.guids - seen)

    async def _write(self, function: Callable, *values: object):
        try:
            return await asyncio.get_running_loop().run_in_executor(self.writer, function, *values)
        except Exception as error:
            if _is_of_database(error):
                self.failed = error
            raise


def _is_of_database(error: Exception) -> bool:
    """Whether the file is locked, full or damaged; else what was to be written is at fault, and that is one blog's."""
    return isinstance(error, (sqlite3.OperationalError, OSError)) or type(error) is sqlite3.DatabaseError
