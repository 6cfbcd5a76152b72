"""The course log, by the report's own download: no web service gives it.

    /report/log/index.php?chooselog=1&id=2&download=csv&date=1795305600     24 hours from that moment on

The first time all of it; later only the days since the newest line that is here, joined into one file,
newest first as Moodle gives them.
"""

from __future__ import annotations

import codecs
import time
from pathlib import Path
from typing import TYPE_CHECKING

from loaders.moodle_errors import MoodleError, NotAllowed

if TYPE_CHECKING:
    from loaders.pull_course import CoursePull

DAY_S = 86_400
MOST_DAYS = 14  # of single days; what is older is had quicker with the whole log
OVERLAP_S = 3600  # lines may be written some time after what they tell of


def windows(newest: float | None, now: float) -> list[int] | None:
    """Start of each 24 hours to ask for, newest first; None for the whole log."""
    if newest is None:
        return None
    start = int((newest - OVERLAP_S) // DAY_S * DAY_S)
    days = list(range(start, int(now) + 1, DAY_S))
    return days[::-1] if 0 < len(days) <= MOST_DAYS else None


async def log(pull: CoursePull) -> None:
    """Fetch and load what is new of the log; the parts that wait for it go on however this ends."""
    try:
        newest = None if pull.whole else await pull.in_reader(pull.store.log_newest)
        if newest is None:
            pull.log_is_in.set()  # nothing is stored that could have changed: nobody needs to wait
        await _fetch(pull, windows(newest, time.time()))
    except NotAllowed as error:
        pull.refused["log"] = f"log: {error}"
    except MoodleError as error:
        pull.errors.append(f"log: {error}")
    finally:
        await pull.in_reader(pull.store.read_log)
        pull.log_is_in.set()
        pull.log_read.set()


async def _fetch(pull: CoursePull, days: list[int] | None) -> None:
    started, path = time.time(), pull.folder / "log.csv"
    asked: dict[str, str | int] = {"chooselog": 1, "id": pull.course, "download": "csv"}
    pull.planned(len(days or [0]))
    if days is None:
        await pull.moodle.download("/report/log/index.php", asked, path, expect="csv")
        pull.done(1)
    else:
        files = []
        for day in days:
            files.append(pull.folder / f"log-{day}.csv")
            await pull.moodle.download("/report/log/index.php", asked | {"date": day}, files[-1], expect="csv")
            pull.done(1)
        join(files, path)
    if has_lines(path):
        await pull.take(path, "log")
    else:
        path.unlink()
    await pull.in_reader(pull.store.note_pulled, "log", started)


def join(files: list[Path], path: Path) -> None:
    """One log from several that follow one another: the head of the first, the lines of all."""
    with path.open("wb") as joined:
        path.chmod(0o600)
        head = False
        for file in files:
            with file.open("rb") as stream:
                first = stream.readline()
                if first == codecs.BOM_UTF8:  # Moodle's csv of a day without a line has not even a head
                    first = b""
                joined.write(b"" if head else first)
                head = head or bool(first)
                last = first
                while chunk := stream.read(1 << 20):
                    joined.write(chunk)
                    last = chunk
                joined.write(b"" if last.endswith(b"\n") or not last else b"\n")
            file.unlink()


def has_lines(path: Path) -> bool:
    """Whether a log has more than its head."""
    with path.open("rb") as stream:
        stream.readline()
        return bool(stream.readline().strip())


async def without(pull: CoursePull) -> None:
    """No session, no log: those who wait for it go by the log that is here."""
    await pull.in_reader(pull.store.read_log)
    pull.log_is_in.set()
    pull.log_read.set()
