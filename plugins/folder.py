"""A folder that is served: a database that appears in it is served too, one that goes away is not any more.

Whoever asks for a page looks into the folder first, if nobody did so in the last two seconds. Nothing looks while
nobody asks.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from datasette import hookimpl
from datasette.app import Datasette

from loaders import course_files, look_ups, schema, served_folder, web


class Watch:
    """What one Datasette knows of its folders."""

    def __init__(self, datasette: Datasette):
        self.datasette, self.folders = datasette, folders_of(datasette)
        self.until, self.lock, self.said = 0.0, asyncio.Lock(), set()
        self.served: dict[Path, served_folder.Seen] = {}
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
            self.until = time.monotonic() + served_folder.LOOK_S

    async def compare(self, files: list[Path]) -> None:
        """Take out what is gone, open anew what is another file now, take in what is new."""
        for file, known in list(self.served.items()):
            if file not in files:
                await self.take_out(file, f"{file.name} is gone, and is not served any more.")
            elif (now := served_folder.seen(file, known.name)).inode != known.inode:
                aside = served_folder.set_aside(file, known.log)
                await self.take_out(file, f"{file.name} is another file now, and is opened anew.{aside}")
            else:
                self.served[file] = now
        for file in files:
            if file not in self.served and not self.is_given(file):
                await self.take_in(file)

    def is_given(self, file: Path) -> bool:
        """Whether this file was named itself when the server was started."""
        given = web.course_databases(self.datasette).values()
        return any(Path(database.path).resolve() == file.resolve() for database in given)

    async def take_out(self, file: Path, sentence: str) -> None:
        await course_files.let_go(self.datasette, self.served.pop(file).name)
        self.say(sentence, again=True)

    async def take_in(self, file: Path) -> None:
        """Serve this file, brought up to date, or say once why not."""
        name = served_folder.name_of(file, self.folders)
        try:
            about = self.datasette.setting("base_url"), served_folder.SETTLED_S
            sentence = await asyncio.to_thread(served_folder.problem, file, *about)
            if name in self.datasette.databases and not sentence:
                sentence = served_folder.taken(file, name)
            if sentence:
                self.say(sentence)
                return
            await asyncio.to_thread(schema.bring_up_to_date, file)
            self.served[file] = served_folder.seen(file, name)
        except (served_folder.NotYet, FileNotFoundError):
            return
        course_files.take_in(self.datasette, file, name)
        self.say(f"{file.name} is new here, and is served too.", again=True)

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


async def look(datasette: Datasette) -> None:
    """Look into the folders of this instance, one watch for each, however often it makes its app."""
    await datasette.invoke_startup()
    if not hasattr(datasette, "_coursette_watch"):
        datasette._coursette_watch = Watch(datasette)
    await datasette._coursette_watch.look()


@hookimpl(trylast=True)  # outermost: before anything asks which databases there are
def asgi_wrapper(datasette):
    def wrap(app: Callable) -> Callable:
        async def looked(scope, receive, send):
            if scope["type"] == "http":
                await look(datasette)
            await app(scope, receive, send)

        return looked

    return wrap
