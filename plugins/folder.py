"""A folder that is served: a database that appears in it is served too, one that goes away is not any more.

Whoever asks for a page looks into the folder first, if nobody did so in the last two seconds. Nothing looks while
nobody asks.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from datasette import hookimpl
from datasette.app import Datasette

from loaders import exchanging, look_ups, schema, served_folder, web
from loaders.errors import Unreadable

PATIENCE_S = 5.0
JUST_NOW = "A file was taken away or replaced just now: open this page again."


class Watch:
    """What one Datasette knows of its folders."""

    def __init__(self, datasette: Datasette):
        self.datasette, self.folders = datasette, folders_of(datasette)
        self.until, self.lock, self.said = 0.0, asyncio.Lock(), set()
        self.served: dict[Path, served_folder.Seen] = {}
        self.under_way, self.calm, self.changing = 0, asyncio.Event(), asyncio.Lock()
        inside = {folder.resolve() for folder in self.folders}
        for name, database in web.course_databases(datasette).items():
            file = Path(database.path)
            file = file.parent.resolve() / file.name
            if file.parent in inside and file.exists():
                self.served[file] = served_folder.seen(file, name)

    async def look(self) -> None:
        """See what changed. Whoever comes while somebody else looks does not wait."""
        if not self.folders or self.lock.locked() or time.monotonic() < self.until:
            return
        async with self.lock:
            try:
                await self.compare(await asyncio.to_thread(served_folder.listed, self.folders))
            except OSError as error:  # a disk that is away for a while: what was opened may still be read
                self.say(f"The folder cannot be looked at ({error.strerror}).")
            finally:
                self.until = time.monotonic() + served_folder.LOOK_S

    async def compare(self, files: list[Path]) -> None:
        """Take out what is gone, open anew what is another file now, take in what is new."""
        for file, known in list(self.served.items()):
            if file not in files:
                await self.take_out(file, f"{file.name} is gone, and is not served any more.")
            elif (now := served_folder.seen(file, known.name)).inode == known.inode:
                self.served[file] = now
            else:
                await self.open_anew(file, known)
        for file in files:
            if file not in self.served and not self.is_given(file):
                await self.take_in(file)

    def is_given(self, file: Path) -> bool:
        """Whether this file was named itself when the server was started."""
        given = web.course_databases(self.datasette).values()
        return any(Path(database.path).resolve() == file.resolve() for database in given)

    async def take_out(self, file: Path, sentence: str) -> None:
        await self.exchange(self.served.pop(file).name, None)
        self.say(sentence, again=True)

    async def exchange(self, name: str, file: Path | None) -> None:
        """Put a file in another's place between two answers: one that is under way would fail half-way.

        Not for ever: a long CSV has a connection of its own, and goes on.
        """
        async with self.changing:
            self.calm.clear()
            if self.under_way:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.calm.wait(), PATIENCE_S)
            await exchanging.put(self.datasette, name, file)

    @contextlib.asynccontextmanager
    async def asking(self) -> AsyncIterator[None]:
        """While this lasts an answer is under way; who comes while a file is exchanged waits."""
        async with self.changing:
            self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1
            if not self.under_way:
                self.calm.set()

    async def open_anew(self, file: Path, known: served_folder.Seen) -> None:
        """Another file is in the place of one that is served."""
        aside = served_folder.set_aside(file, known.log)
        if not await self.is_fit(file):
            await self.take_out(file, f"{file.name} is another file now, and is not served.{aside}")
            return
        self.served[file] = served_folder.seen(file, known.name)
        await self.exchange(known.name, file)
        self.say(f"{file.name} is another file now, and is opened anew.{aside}", again=True)

    async def take_in(self, file: Path) -> None:
        """Serve a file that is new here."""
        name = served_folder.name_of(file, self.folders)
        if name in self.datasette.databases:
            self.say(served_folder.taken(file, name))
        elif await self.is_fit(file):
            self.served[file] = served_folder.seen(file, name)
            exchanging.take_in(self.datasette, file, name)
            self.say(f"{file.name} is new here, and is served too.", again=True)

    async def is_fit(self, file: Path) -> bool:
        """Whether a file can be served, brought up to date; says once why not, and nothing while it is written."""
        about = self.datasette.setting("base_url"), served_folder.SETTLED_S
        try:
            sentence = await asyncio.to_thread(served_folder.problem, file, *about)
            if not sentence:
                await asyncio.to_thread(schema.bring_up_to_date, file)
        except (served_folder.NotYet, FileNotFoundError):
            return False
        except (sqlite3.Error, OSError, Unreadable) as error:
            sentence = served_folder.NOT_SERVED.format(file=file, why=f"it cannot be brought up to date ({error})")
        if sentence:
            self.say(sentence)
        return not sentence

    def say(self, sentence: str, again: bool = False) -> None:
        """One line on the terminal; the same trouble is told once."""
        if again or sentence not in self.said:
            look_ups.LOG.warning("%s", sentence)
        if not again:
            self.said.add(sentence)


def folders_of(datasette: Datasette) -> list[Path]:
    """The folders given to `coursette serve`, or the one of `datasette FOLDER`."""
    given = [Path(folder) for folder in web.setting(datasette, "folders", ())]
    return given or ([Path(datasette.config_dir)] if datasette.config_dir else [])


async def watch_of(datasette: Datasette) -> Watch:
    """The watch of this instance, one however often it makes its app."""
    await datasette.invoke_startup()
    if not hasattr(datasette, "_coursette_watch"):
        datasette._coursette_watch = Watch(datasette)
    return datasette._coursette_watch


def was_taken_away(datasette: Datasette, exception: Exception) -> bool:
    """Whether an answer failed because a file went away since somebody last looked."""
    watch = datasette.__dict__.get("_coursette_watch")
    could_not = isinstance(exception, sqlite3.OperationalError) and str(exception) == "unable to open database file"
    return could_not and bool(watch and watch.folders)


@hookimpl(tryfirst=True)
def handle_exception(datasette, request, exception):
    return (lambda: web.refuse(datasette, request, JUST_NOW, 503)) if was_taken_away(datasette, exception) else None


@hookimpl(trylast=True)  # outermost: before anything asks which databases there are
def asgi_wrapper(datasette):
    def wrap(app: Callable) -> Callable:
        async def looked(scope, receive, send):
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            watch = await watch_of(datasette)
            await watch.look()
            async with watch.asking():
                await app(scope, receive, send)

        return looked

    return wrap
