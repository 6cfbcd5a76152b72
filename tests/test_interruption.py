"""Killed at any moment, the loader leaves the database as it was after the last whole file; readers go on reading."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from exports import assigned, database, viewed_course, viewed_page, write_log
from exports import load as load_here
from snapshot import differences, snapshot

ALL = 99_124  # lines of `long_log` and `small` together


def start(db: Path, *files: Path) -> subprocess.Popen:
    code = "from loaders.cli import main; main()"
    command = [sys.executable, "-c", code, "load", "--db", str(db), "--timezone", "UTC", *map(str, files)]
    tree = Path(__file__).parents[1]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=tree)


@pytest.fixture(scope="session")
def long_log(tmp_path_factory) -> Path:
    """100,000 lines of the course that `small` has one line of."""
    lines = [
        viewed_page(f"{day}/0{month}/16, {hour:02d}:{minute:02d}:30", user)
        for month in (5, 4, 3)
        for day in range(28, 0, -1)
        for hour in range(23, 3, -1)
        for minute in range(59, 0, -1)
        for user in (5,)
    ]
    return write_log(tmp_path_factory.mktemp("long") / "long.csv", [*lines, viewed_course("14/02/16, 10:00:00", 5)])


@pytest.fixture
def small(tmp_path) -> Path:
    lines = [
        viewed_page("29/02/16, 10:00:00", 5),
        assigned("13/02/16, 10:00:00", 5),
        viewed_course("13/02/16, 09:00:00", 5),
    ]
    connection = database(tmp_path)
    load_here(connection, write_log(tmp_path / "small.csv", lines))
    connection.close()
    return tmp_path / "moodle.db"


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
@pytest.mark.parametrize("wait_s", [0.5, 1, 1.5])
def test_killing_the_loader_leaves_the_last_whole_file(small, long_log, wait_s):
    before = snapshot(sqlite3.connect(small))
    loader = start(small, long_log)
    time.sleep(wait_s)
    loader.send_signal(signal.SIGKILL)
    loader.wait()
    after = snapshot(sqlite3.connect(small))
    if len(after["events"]) != ALL:  # it was quick enough to finish
        assert differences(before, after) == {}
    again = start(small, long_log)
    assert again.wait() == 0, again.stdout.read()
    assert len(snapshot(sqlite3.connect(small))["events"]) == ALL


def test_a_reader_sees_the_old_data_while_a_load_runs_and_the_new_after(small, long_log):
    reader = sqlite3.connect(f"file:{small}?mode=ro", uri=True, timeout=0)
    loader = start(small, long_log)
    seen = set()
    while loader.poll() is None:
        seen.add(reader.execute("select (select count(*) from events), sum(clicks) from usage_person").fetchone())
    assert loader.returncode == 0, loader.stdout.read()
    seen.add(reader.execute("select (select count(*) from events), sum(clicks) from usage_person").fetchone())
    assert seen == {(3, 2), (ALL, ALL - 1)}  # every line but the role is a click; never a half
