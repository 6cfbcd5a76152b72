"""Files come in any order, a log in any pieces, and the database is the same."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from snapshot import differences, snapshot

from loaders.demo import OWN
from loaders.detail_columns import Asked
from loaders.load import Loader
from loaders.places import Options
from loaders.schema import open_database

LINES = 1500  # of the demo's log, spread over the semester
WHEN = (1_479_772_800, 1_479_772_800)  # the files' own date, the same for all


def read(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


@pytest.fixture(scope="session")
def pieces(tree, tmp_path_factory) -> tuple[Path, list[Path], list[str]]:
    """(folder, all files but the log, the log's lines with the header first), cut down from the demo."""
    folder = tmp_path_factory.mktemp("pieces")
    demo = tree / "demo"
    rows = read(demo / "log_course2.csv.gz").decode("utf-8-sig").splitlines()
    header, body = rows[0], rows[1:]
    rare = [line for line in body if "Role assigned" in line or "enrolled the user" in line]
    step = max(1, len(body) // LINES)
    keep = set(body[::step]) | set(rare)
    log = [header, *(line for line in body if line in keep)]
    others = []
    for path in sorted(demo.iterdir()):
        if path.suffix in (".csv", ".json", ".gz", ".toml") and "log_" not in path.name:
            shutil.copy(path, folder / path.name)
            os.utime(folder / path.name, WHEN)
            others.append(folder / path.name)
    return folder, others, log


def load_all(paths: list[Path]) -> dict:
    with tempfile.TemporaryDirectory() as name:
        connection = open_database(Path(name) / "moodle.db").conn
        options = Options(timezone="Australia/Brisbane", date_order="dmy")  # a small piece may not tell
        own = Options(details=Asked())
        for path in paths:
            for outcome in Loader(connection, own if path.name == OWN else options).load([path]):
                assert outcome.error is None, (outcome.source, outcome.error)
        found = snapshot(connection)
        connection.close()
        return found


def write_log(folder: Path, name: str, lines: list[str]) -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    os.utime(path, WHEN)
    return path


@pytest.fixture(scope="session")
def whole(pieces):
    folder, others, log = pieces
    return load_all([write_log(folder, "whole.csv", log), *others])


def second(line: str) -> str:
    return next(csv.reader(io.StringIO(line)))[0]


# No shrinking: an example takes two seconds, and the one found is readable as it is.
@settings(max_examples=10, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(data=st.data())
def test_any_permutation_and_any_split_gives_the_same_tables(pieces, whole, data):
    folder, others, log = pieces
    cuts = sorted(data.draw(st.sets(st.integers(2, len(log) - 1), max_size=3), label="cuts"))
    parts, start = [], 1
    for cut in [*cuts, len(log)]:
        while cut < len(log) and second(log[cut]) == second(log[cut - 1]):
            cut += 1  # only between seconds: within one, which line came first is not known
        if cut > start:
            parts.append(write_log(folder, f"part{len(parts)}.csv", [log[0], *log[start:cut]]))
            start = cut
    files = data.draw(st.permutations([*parts, *others]), label="order")
    assert differences(whole, load_all(files)) == {}


def test_overlapping_logs_count_once(pieces, whole):
    folder, others, log = pieces
    half = len(log) // 2
    early = write_log(folder, "early.csv", [log[0], *log[half - 300 :]])
    late = write_log(folder, "late.csv", [log[0], *log[1 : half + 300]])
    assert differences(whole, load_all([early, *others, late])) == {}


def test_loading_twice_changes_nothing(pieces, whole):
    folder, others, log = pieces
    one, two = write_log(folder, "one.csv", log), write_log(folder, "two.csv", [*log, ""])
    assert differences(whole, load_all([one, *others, two, *others])) == {}


def test_the_files_of_this_test_say_something(pieces, whole):
    assert len(whole["events"]) == len(pieces[2]) - 1
    assert len(whole["people"]) >= 120
    assert any(json.dumps(row) for row in whole["completions"])
    assert "Specialisation" in {row[1] for row in whole["person_details"]}
    assert (12, "2016-05-16", "Sharing and evaluation", 0) in whole["weeks"], "the calendar's names"
    assert "Mode: Online" in {row[2] for row in whole["groups"]}
