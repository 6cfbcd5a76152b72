"""How fast, how much memory, how many bytes: ratios to a floor measured in the same run.

The floor is what any loader must do: csv.reader, and executemany of the nine raw columns into SQLite.
Run with `make bench`; ROWS=100000 makes it quick, XLSX=0 leaves the spreadsheet out.
"""

from __future__ import annotations

import csv
import gzip
import os
import re
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from exports import as_moodle

ROWS = int(os.environ.get("ROWS", 1_000_000))
WITH_XLSX = os.environ.get("XLSX", "1") == "1"
DEMO = Path(__file__).parents[1] / "demo"
USER = re.compile(r"(?<=user with id ')(\d+)(?=')")
PATH = os.pathsep.join([str(DEMO.parent), str(DEMO.parent / "tests")])
STAFF = 4  # ids up to here are the admin, the teacher and the tutor: the same in every copy


def long_log() -> Iterator[list[str]]:
    """The demo's log, each line once for every copy of its 120 students, newest first."""
    source = next(DEMO.glob("*log*.csv.gz"))
    with gzip.open(source, "rt", encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines)
        yield next(rows)
        body = list(rows)  # small: a child's peak memory is never less than its parent's
    copies = -(-ROWS // len(body))
    for row in body:
        for copy in range(copies):
            yield one_copy(row, copy)


def one_copy(row: list[str], copy: int) -> list[str]:
    """A line as the same student of another copy of the class would have left it."""
    if not copy:
        return row

    def shifted(match: re.Match) -> str:
        number = int(match[1])
        return str(number + 1000 * copy if number > STAFF else number)

    text = USER.sub(shifted, row[6])
    names = [f"{name} {copy}" if name != "-" and text != row[6] else name for name in row[1:3]]
    return [row[0], *names, *row[3:6], text, *row[7:]]


def write_csv(path: Path, skip: int = 0) -> int:
    """Write the long log as Moodle writes it, without its `skip` newest lines; returns the rows."""
    rows = long_log()
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        out.write(as_moodle(next(rows)))
        for row in islice(rows, skip, ROWS):
            out.write(as_moodle(row))
            count += 1
    return count


def write_xlsx(source: Path, path: Path) -> None:
    """The same rows as a workbook of text cells."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")
    with source.open(encoding="utf-8-sig", newline="") as lines:
        for row in csv.reader(lines):
            sheet.append(row)
    book.save(path)


def floor(source: Path, db: Path) -> None:
    """The least a loader must do."""
    connection = sqlite3.connect(db)
    connection.execute("create table raw (a, b, c, d, e, f, g, h, i)")
    with source.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines)
        next(rows)
        connection.executemany("insert into raw values (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    connection.commit()


def measured(*command: str) -> tuple[float, float]:
    """Run a command as a process of its own: (seconds, peak MB)."""
    started = time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ | {"PYTHONPATH": PATH})
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    scale = 1024 if sys.platform != "darwin" else 1024 * 1024
    return time.perf_counter() - started, usage.ru_maxrss / scale


def coursette(db: Path, path: Path) -> tuple[float, float]:
    """`coursette load` of one file."""
    code = "from loaders.cli import main; main()"
    return measured(sys.executable, "-c", code, "load", "--db", str(db), "--timezone", "Australia/Brisbane", str(path))


def counts(db: Path) -> tuple[int, int, int]:
    """(events, new rows of the last load, bytes of the database)."""
    connection = sqlite3.connect(db)
    connection.execute("pragma wal_checkpoint(truncate)")
    events = connection.execute("select count(*) from events").fetchone()[0]
    new = connection.execute("select rows_new from loads order by id desc limit 1").fetchone()[0]
    connection.close()
    return events, new, db.stat().st_size


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="coursette-bench-") as name:
        folder = Path(name)
        full, older, again = folder / "full.csv", folder / "older.csv", folder / "again.csv"
        rows = write_csv(full)
        newest = rows // 20
        write_csv(older, skip=newest)
        shutil.copyfile(full, again)
        with again.open("ab") as out:
            out.write(b"\n")  # the same lines in another file
        paths = f"Path({str(full)!r}), Path({str(folder / 'floor.db')!r})"
        code = f"from pathlib import Path; from bench import floor; floor({paths})"
        base, _ = measured(sys.executable, "-c", code)
        print(f"{rows:,} lines, {full.stat().st_size / 1e6:.0f} MB; floor {base:.1f} s = 1.0", flush=True)
        say = Report(base, rows)
        db = folder / "moodle.db"
        say("first load", coursette(db, full), db)
        say("the very same file again", coursette(db, full), db)
        say("the same lines in another file", coursette(db, again), db)
        db = folder / "overlap.db"
        coursette(db, older)
        say(f"a newer export, {newest:,} lines more", coursette(db, full), db)
        if WITH_XLSX:
            book = folder / "full.xlsx"
            write_xlsx(full, book)
            db = folder / "xlsx.db"
            say("first load from xlsx", coursette(db, book), db)


class Report:
    """Prints one line a measurement."""

    def __init__(self, base: float, rows: int):
        self.base, self.rows = base, rows

    def __call__(self, what: str, figures: tuple[float, float], db: Path) -> None:
        seconds, megabytes = figures
        events, new, size = counts(db)
        print(
            f"{what}: {seconds / self.base:.2f} x floor; peak {megabytes:.0f} MB; {events:,} events,"
            f" {new:,} new; {size / events:.0f} bytes an event",
            flush=True,
        )


if __name__ == "__main__":
    main()
