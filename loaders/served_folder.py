"""The database files of a folder that is served: what each is called, and why one of them is not served.

No Datasette here: plugins/folder.py takes files in and out while the server runs.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from loaders import look_ups, notes, shares

ENDINGS = {".db", ".sqlite", ".sqlite3"}
# Names in addresses that mean something else already.
OURS = {
    look_ups.NAME: "the record of look-ups",
    notes.NAME: "your notes",
    "shares": "what you share",
    "-": "the pages of Coursette itself",
}
LOOK_S = 2.0  # so long what was seen in the folder is taken for true
SETTLED_S = 5.0  # a file that changed within this time may still be on its way here
NOT_SERVED = "{file} is not served: {why}."


class NotYet(Exception):
    """The file is being written: look again later."""


def listed(folders: Iterable[Path]) -> list[Path]:
    """The files in these folders that may be databases, in the order of their names. A folder that went away is empty.

    Links keep their own name, hidden files are somebody else's.
    """
    found: dict[Path, Path] = {}
    for folder in dict.fromkeys(folder.resolve() for folder in folders):
        inside = sorted(folder.iterdir()) if folder.is_dir() else []
        for file in inside:
            if file.suffix in ENDINGS and not file.name.startswith(".") and file.is_file():
                found.setdefault(file.resolve(), file)
    return list(found.values())


def name_of(file: Path, folders: Iterable[Path]) -> str:
    """What a file is called in addresses: by its own name, and by its folder too where several are served.

    So a name never depends on which files are there, or which came first: accounts are let in by it.
    """
    several = {folder.resolve() for folder in folders}
    return f"{file.parent.name}-{file.stem}" if len(several) > 1 and file.parent in several else file.stem


class Seen(NamedTuple):
    """A file as it was seen: its name in addresses, its inode and that of its log (None: there was none)."""

    name: str
    inode: tuple[int, int]
    log: tuple[int, int] | None


def seen(file: Path, name: str) -> Seen:
    """A file as it is now."""
    log = log_of(file)
    return Seen(name, inode(file), inode(log) if log.exists() else None)


def inode(file: Path) -> tuple[int, int]:
    """What tells a file from another one put in its place."""
    stat = file.stat()
    return stat.st_dev, stat.st_ino


def problem(file: Path, base: str = "/", patience_s: float = 0) -> str | None:
    """Why this file cannot be served, as a sentence; None where it can. Raises NotYet while it is being written.

    `base` is the path of the server's address, which must not begin like that of a file. A file that changed within
    `patience_s` may still be on its way here.
    """
    try:
        # Written, so that SQLite may repair what a crash left; never made where it just went away.
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=rw", uri=True)) as conn:
            conn.execute("select count(*) from sqlite_master")
    except sqlite3.Error as error:
        if "locked" in str(error) or time.time() - file.stat().st_mtime < patience_s:
            raise NotYet from error
        return NOT_SERVED.format(file=file, why=f"it cannot be read as a database ({error})")
    if is_being_filled(file):
        raise NotYet
    if why := _name_problem(file.stem, base):
        return NOT_SERVED.format(file=file, why=f"{why}; rename it")
    kept = next((what for what, is_one in PRIVATE.items() if is_one(file)), None)
    return NOT_SERVED.format(file=file, why=f"it holds {kept}") if kept else None


def is_record(file: Path) -> bool:
    """Whether this is the record of look-ups, or a copy of it, by any name."""
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as conn:
        return bool(conn.execute("select 1 from sqlite_master where name = 'look_ups'").fetchone())


PRIVATE = {
    "private notes": notes.is_notes,
    "what is shared with whom": shares.is_shares,
    "the record of look-ups": is_record,
}


def _name_problem(name: str, base: str) -> str:
    if name in OURS:
        return f"{name} is the name of {OURS[name]}"
    return f"the server's own address begins with {base}" if base.split("/")[1:2] == [name] else ""


def taken(file: Path, name: str) -> str:
    """The sentence for a file whose name another one has: which of the two came first must not decide."""
    return NOT_SERVED.format(file=file, why=f"another file is called {name}; rename it")


def is_being_filled(file: Path) -> bool:
    """Whether a loader makes this file just now: until it is done, readers would wait for it and fail."""
    journal = Path(f"{file.resolve()}-journal")
    try:
        stat = journal.stat()
    except OSError:
        return False
    return stat.st_size > 0 and time.time() - stat.st_mtime < 60


def log_of(file: Path) -> Path:
    """SQLite's log of what is not written back into a file yet; it belongs to the name, not to the file."""
    return Path(f"{file.resolve()}-wal")


def set_aside(file: Path, log_before: tuple[int, int] | None) -> str:
    """Keep SQLite from taking the log of a file that was replaced for that of the new one: it would show the old data.

    `log_before` is the inode of the log as it was seen last. Says what became of it; empty where there was nothing.
    """
    log = log_of(file)
    if not log.exists() or (log_before and inode(log) != log_before):
        return ""
    log.with_name(f"{file.resolve().name}-shm").unlink(missing_ok=True)
    if log.stat().st_size == 0:
        log.unlink()
        return ""
    kept = log.with_name(f"{log.name}.old")
    log.replace(kept)
    return f" The last changes to the one before are in {kept.name}, which you may delete."
