"""The record itself: a queue and one writer, nothing lost on an orderly stop, append only, two processes at once."""

from __future__ import annotations

import logging
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from loaders import look_ups
from tests.visit import TREE

ROW = {"time_utc": "2026-03-02T10:00:00Z", "actor": "teacher", "what": "student", "student": "5"}
SEVERAL = """
import sys
from pathlib import Path
from loaders.look_ups import Record
record = Record(lambda: Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    row = {"time_utc": "2026-03-02T10:00:00Z", "actor": sys.argv[2], "what": "student", "student": str(number)}
    assert record.put(row, wait_s=60)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.db"


@pytest.fixture
def quick(monkeypatch):
    """Failures are tried again, and waited for, without much ado."""
    for name in ("RETRY_S", "BUSY_S", "IDLE_S"):
        monkeypatch.setattr(look_ups, name, 0.01)


def kept(path: Path) -> list[str]:
    with sqlite3.connect(path) as db:
        return [student for (student,) in db.execute("select student from look_ups order by id")]


def test_rows_come_in_order_and_all_of_them(path):
    record = look_ups.Record(lambda: path)
    for number in range(1000):
        assert record.put({**ROW, "student": str(number)}, wait_s=60)
    assert record.flush()
    assert kept(path) == [str(number) for number in range(1000)]
    record.close()


def test_put_waits_for_no_disk(path):
    held = threading.Event()
    record = look_ups.Record(lambda: path, lambda rows: held.wait(60) and rows)
    assert all(record.put(ROW) for _ in range(look_ups.MOST_WAITING))
    assert not record.put(ROW), "so much may be lost in a crash, and no more"
    assert not path.exists()
    held.set()
    assert record.put(ROW, wait_s=60), "room soon"
    record.close()
    assert len(kept(path)) == look_ups.MOST_WAITING + 1


def test_closing_writes_what_waits_and_it_opens_again(path):
    record = look_ups.Record(lambda: path)
    record.put(ROW)
    record.close()
    assert kept(path) == ["5"] and record.writer is None
    record.put(ROW)
    record.close()
    assert kept(path) == ["5", "5"]


def test_an_idle_writer_ends_and_the_next_row_starts_another(path, quick):
    record = look_ups.Record(lambda: path)
    for count in range(1, 4):
        record.put(ROW)
        writer = record.writer
        assert record.flush(60)
        if writer:
            writer.join()
        assert record.writer is None and len(kept(path)) == count


def test_what_cannot_be_written_waits_and_is_tried_again(path, quick, caplog):
    path.mkdir()
    record = look_ups.Record(lambda: path)
    assert record.put(ROW) and not record.flush(60) and record.failing
    path.rmdir()
    with record.changed:
        assert record.changed.wait_for(lambda: not record.waiting, 60)
    assert kept(path) == ["5"]
    record.close()
    assert [entry.levelno for entry in caplog.records] == [logging.ERROR, logging.WARNING]


def test_stopping_without_a_disk_says_how_many_are_lost(path, quick, caplog):
    path.mkdir()
    record = look_ups.Record(lambda: path)
    record.put(ROW)
    record.close()
    assert caplog.records[-1].getMessage() == f"1 look-ups are not recorded: {path} cannot be written."


def test_a_file_that_was_taken_away_is_made_anew(path):
    record = look_ups.Record(lambda: path)
    record.put(ROW)
    assert record.flush()
    for file in path.parent.glob("audit.db*"):
        file.unlink()
    record.put({**ROW, "student": "18"})
    record.close()
    assert kept(path) == ["18"]


def test_two_processes_write_one_record(path):
    command = [sys.executable, "-c", SEVERAL, str(path)]
    writers = [subprocess.Popen([*command, name, "600"], cwd=TREE, stderr=subprocess.PIPE) for name in ("anna", "bo")]
    said = [writer.communicate(timeout=120)[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0] and said == [b"", b""]
    with sqlite3.connect(path) as db:
        for name in ("anna", "bo"):
            found = [student for (student,) in db.execute("select student from look_ups where actor = ?", [name])]
            assert found == [str(number) for number in range(600)], "all, in order, though nobody closed the record"


@pytest.mark.parametrize(
    "change",
    [
        "update look_ups set actor = 'nobody'",
        "delete from look_ups",
        "insert or replace into look_ups (id, time_utc, actor, what) values (1, 'x', 'x', 'x')",
        "insert into look_ups (id, time_utc, actor, what) values (1, '', '', '') on conflict do update set actor = ''",
    ],
)
def test_rows_are_added_and_never_changed(path, change):
    db = look_ups.opened(path)
    look_ups.write(db, [ROW])
    with pytest.raises(sqlite3.IntegrityError, match="append only"):
        db.execute(change)
    db.rollback()
    assert kept(path) == ["5"]


def test_a_file_of_an_earlier_version_goes_on(path):
    with sqlite3.connect(path) as db:
        db.execute(
            "create table look_ups (id integer primary key, time_utc text not null, actor text not null, what text not"
            " null, form text, database text, site text, course text, student text, person text, about text)"
        )
        db.execute("insert into look_ups (time_utc, actor, what, student) values ('2025', 'teacher', 'student', '18')")
    path.chmod(0o644)
    for _ in range(2):
        db = look_ups.opened(path)
        look_ups.write(db, [{**ROW, "came_from": "coursette", "unknown": 1}])
        db.close()
    assert kept(path) == ["18", "5", "5"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    fresh = look_ups.opened(path.with_name("fresh.db"))
    shapes = [[row[1] for row in db.execute("pragma table_info(look_ups)")] for db in (fresh, look_ups.opened(path))]
    assert shapes[0] == shapes[1]
