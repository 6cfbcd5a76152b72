"""Files that the page script hands in, from the teacher's own session in Moodle: kept for a moment, loaded, deleted.

private/handed-in-*   the body of one request (0600), under a name of ours; what a crash leaves goes at the next start
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import secrets
import sqlite3
import time
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from loaders import (
    activity_completion,
    course_page,
    downloads,
    forum_posts,
    grades,
    groups,
    kinds,
    log,
    pulls,
    sentiment,
    tables,
    zones,
)
from loaders import participants_page as people_page
from loaders.errors import Unreadable
from loaders.load import Loader, Outcome
from loaders.places import Options, normal_url
from loaders.saved_page import SavedPage
from loaders.schema import open_existing
from loaders.streams import BUFFER
from loaders.tables import Page, Sheet
from loaders.times import Clock

MOST_BYTES = 500_000_000  # as sent, and once more unpacked MOST_UNPACKED
MOST_UNPACKED = 2_000_000_000
MOST_FILES, WITHIN_S = 120, 600  # of one token
PREFIX = "handed-in-"
KINDS = {each.KIND for each in (log, people_page, activity_completion, course_page, grades, groups, forum_posts)}
PART_OF = {log.KIND: "log", people_page.KIND: "participants", activity_completion.KIND: "completion",
           course_page.KIND: "structure"}  # fmt: skip
TOO_LARGE = "this file is larger than {most} MB: download it from Moodle and use `coursette load`"
NOT_THIS = "this is none of what the page script hands in ({kinds}): nothing was taken"
BUSY = "another coursette is writing: try again in a moment"
DIED = "loading this file ended too early, and nothing of it was taken: try `coursette load` with it"

PARTS = """
select kind, max(loaded_utc) as loaded_utc
from loads
where course_id = ? and error is null and kind is not null
group by kind
order by kind
"""
NEWEST = "select max(newest_utc) from loads where course_id = ? and kind = ? and error is null"


class TooLarge(Exception):
    """A body went over the bound."""


class Hands:
    """What one Datasette is taking in: which databases are busy, and when each token handed something in."""

    def __init__(self) -> None:
        self.busy: set[str] = set()
        self.times: dict[str, deque[float]] = {}

    def admit(self, token: str) -> bool:
        """Whether this token may hand in one more file now."""
        now, times = time.monotonic(), self.times.setdefault(token, deque(maxlen=MOST_FILES))
        if len(times) == MOST_FILES and now - times[0] < WITHIN_S:
            return False
        times.append(now)
        return True


def age(conn: sqlite3.Connection, course: dict) -> dict:
    """How old each part of a course is: {"newest_log_utc": UTC text or None, "parts": {kind: UTC text}, ...}.

    `log_up_to_s`: Unix seconds up to which the log came whole, or None.
    """
    (newest,) = conn.execute(NEWEST, (course["id"], log.KIND)).fetchone()
    parts = {row[0]: row[1] for row in conn.execute(PARTS, (course["id"],))}
    return {"newest_log_utc": newest, "parts": parts, "log_up_to_s": pulls.log_up_to(conn, course["id"])}


def sweep(folder: Path) -> None:
    """Delete what a run that was killed left behind."""
    for path in folder.glob(f"{PREFIX}*"):
        path.unlink(missing_ok=True)


async def keep(folder: Path, chunks: AsyncIterator[bytes], most: int = MOST_BYTES) -> Path:
    """Write a body to a new file that only we can read. Raises TooLarge; then, and on any error, no file is left."""
    path = folder / f"{PREFIX}{secrets.token_hex(8)}"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            size = 0
            async for chunk in chunks:
                size += len(chunk)
                if size > most:
                    raise TooLarge
                await asyncio.to_thread(file.write, chunk)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def options(course: int, site: str, zone: str | None) -> Options:
    """What the loader is told; a zone that Moodle calls by no zone's name is left out."""
    try:
        zone = zones.named(zone).key if zone else None
    except Unreadable:
        zone = None
    return Options(course=course, site=site, timezone=zone)


async def load(database: str, path: Path, source: str, given: Options) -> Outcome:
    """What becomes of a kept file, loaded by a process of its own, so that the server goes on answering."""
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(1, mp_context=spawn)
    try:
        return await asyncio.get_running_loop().run_in_executor(pool, take, database, str(path), source, given)
    except BrokenProcessPool:
        return Outcome(source, error=DIED)
    finally:
        pool.shutdown(wait=False)


def take(database: str, path: str, source: str, given: Options) -> Outcome:
    """Load one kept file, if it is of the course and Moodle that it is handed in for, and of a kind we take."""
    try:
        download = replace(next(iter(downloads.find([path]))), source=source, modified_utc=None)
        check(download, given)
        connection = open_existing(database).conn
    except Unreadable as error:
        return Outcome(source, error=str(error))
    try:
        started = time.time()
        outcome = Loader(connection, given).take(download)
        part = PART_OF.get(outcome.kind)
        if outcome.error is None and part and (part != "log" or reaches_back(connection, outcome.load_id)):
            pulls.note(connection, given.site, given.course, part, started)
        with suppress(sqlite3.OperationalError):  # another coursette is writing; the next to finish scores them
            sentiment.score(connection)
        return outcome
    except sqlite3.OperationalError:
        return Outcome(source, error=BUSY)
    finally:
        connection.close()


def reaches_back(connection: sqlite3.Connection, load_id: int) -> bool:
    """Whether a log goes on where the one before ended, or is the first: a gap must be asked for again."""
    course, oldest = connection.execute("select course_id, oldest_utc from loads where id = ?", (load_id,)).fetchone()
    before = pulls.log_up_to(connection, course)
    if before is None:  # none was fetched yet: then it must be the whole log
        (first,) = connection.execute("select min(time_utc) from events where course_id = ?", (course,)).fetchone()
        return bool(oldest) and oldest <= first
    return bool(oldest) and pulls.seconds(oldest) <= before


def check(download: downloads.Download, given: Options) -> None:
    """Raise Unreadable where a file is too large, no csv or page that we take, or a page of another Moodle."""
    with download.opener() as stream:
        if stream.read(2) == b"PK":
            raise Unreadable(NOT_THIS.format(kinds=", ".join(sorted(KINDS))))
    refuse_large(download)
    content = tables.read(download)
    if kind_of(content) not in KINDS:
        raise Unreadable(NOT_THIS.format(kinds=", ".join(sorted(KINDS))))
    if isinstance(content, Page) and (site := SavedPage(content).site) and normal_url(site) != normal_url(given.site):
        raise Unreadable(f"this is a page of {site}, not of {given.site}: nothing was taken")


def refuse_large(download: downloads.Download) -> None:
    """Raise Unreadable where a file unpacks to more than we take; it is read in pieces and kept nowhere."""
    size = 0
    with download.open() as stream:
        while chunk := stream.read(BUFFER):
            size += len(chunk)
            if size > MOST_UNPACKED:
                raise Unreadable(TOO_LARGE.format(most=MOST_UNPACKED // 1_000_000))


def kind_of(content: object) -> str | None:
    """What a file is, by the same readers that load it."""
    if isinstance(content, Sheet) and kinds.is_log(content):
        return log.KIND
    reading = kinds.read(content, Clock("UTC", None)) if isinstance(content, (Sheet, Page)) else None
    return reading.kind if reading else None
