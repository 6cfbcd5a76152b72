"""Saved answers with Moodle's own blog: what students wrote is a post, what strangers wrote is not kept."""

from __future__ import annotations

import gzip
import itertools
import json
from pathlib import Path

import pytest
from exports import database, load, rows, viewed_course, write_log
from snapshot import differences, snapshot

from loaders.load import Loader
from loaders.places import Options
from loaders.strangers import AGAIN
from loaders.unload import unload

REAL = Path(__file__).parent / "fixtures" / "moodle" / "blog_entries_perpage500.json.gz"
PEOPLE = Path(__file__).parent / "fixtures" / "moodle" / "enrolled_users_all.json.gz"
POSTS = "select moodle_id, title from blog_posts order by 1"


def entry(key: int, author: int, words: str, **more) -> dict:
    """As core_blog_get_entries answers."""
    return {
        "id": key, "module": "blog", "userid": author, "courseid": 0, "subject": f"Entry {key}", "summaryformat": 1,
        "summary": f"<p>{words}</p>", "publishstate": "site", "created": 1456700000, "lastmodified": 1456700000 + key,
    } | more  # fmt: skip


@pytest.fixture
def blog(tmp_path) -> Path:
    path = tmp_path / "blog.json"
    entries = [
        entry(1, 5, "Ours, with a <a href='https://x.example.org/'>link</a> and five more words"),
        entry(2, 99, "Secret of a stranger"),
        entry(3, 18, "Of Sam"),
        entry(4, 5, "Not yet", publishstate="draft"),
    ]
    path.write_text(json.dumps({"entries": entries, "totalentries": 4, "warnings": []}))
    return path


def log(folder: Path, *users: int) -> Path:
    lines = [viewed_course("29/02/16, 10:30:00", user) for user in users]
    return write_log(folder / f"log{'-'.join(map(str, users))}.csv", lines)


def kept(db) -> str:
    """Everything that the database holds as text."""
    return "\n".join(db.iterdump())


def test_entries_of_students_are_posts_and_strangers_leave_no_word(tmp_path, blog):
    db = database(tmp_path)
    _, outcome = load(db, log(tmp_path, 5, 18), blog)
    assert (outcome.kind, outcome.rows_read, outcome.rows_new, outcome.rows_unmatched) == ("blog entries", 2, 2, 0)
    assert outcome.notes[0].startswith("entries of people whom no file knows by Moodle's id were left out (1)")
    assert rows(db, POSTS) == [(1, "Entry 1"), (3, "Entry 3")]
    assert rows(db, "select url from post_links") == [("https://x.example.org/",)]
    assert rows(db, "select person_id from blog_posts where person_id is null") == []
    assert "Ours" in kept(db) and "Secret" not in kept(db)
    assert rows(db, "select count(*) from people where moodle_id = 99") == [(0,)]


def test_a_file_that_came_too_early_is_asked_for_again(tmp_path, blog):
    db = database(tmp_path)
    (outcome,) = load(db, blog)
    assert (outcome.error, outcome.rows_new, outcome.rows_unmatched) == (None, 0, 0)
    assert rows(db, POSTS) == [] and "Entry" not in kept(db)
    load(db, log(tmp_path, 5, 18))
    assert rows(db, "select line, reason from unmatched") == [(1, AGAIN), (3, AGAIN)]
    (again,) = load(db, blog)
    assert (again.rows_new, again.rows_unmatched) == (2, 0)
    assert len(rows(db, POSTS)) == 2 and "Secret" not in kept(db)
    assert rows(db, "select count(*) from loads where kind = 'blog entries'") == [(1,)], "replaced, not twice"
    (third,) = load(db, blog)
    assert "this very file is here already" in third.notes[-1]


def test_in_one_go_the_order_is_nothing(tmp_path, blog):
    seen = []
    for place, files in enumerate(itertools.permutations([log(tmp_path, 5), log(tmp_path, 18), blog])):
        (tmp_path / str(place)).mkdir()
        db = database(tmp_path / str(place))
        outcomes = load(db, *files)
        told = next(one for one in outcomes if one.kind == "blog entries")
        assert (told.rows_new, told.rows_unmatched) == (2, 0)
        seen.append((snapshot(db), rows(db, POSTS)))
        assert not differences(seen[0][0], seen[-1][0]) and seen[0][1] == seen[-1][1], files
    assert len(seen[0][1]) == 2


def test_a_trial_run_takes_again_too_and_writes_nothing(tmp_path, blog):
    db = database(tmp_path)
    outcomes = list(Loader(db, Options(check=True)).load([blog, log(tmp_path, 5, 18)]))
    assert outcomes[0].rows_new == 2
    assert rows(db, "select (select count(*) from loads) + (select count(*) from claims)") == [(0,)]


def test_another_file_with_the_entry_will_do(tmp_path, blog):
    db = database(tmp_path)
    load(db, blog)
    load(db, log(tmp_path, 5, 18))
    page = tmp_path / "page0.json"
    page.write_text(json.dumps({"entries": [entry(1, 5, "Ours again"), entry(3, 18, "Of Sam")], "totalentries": 2}))
    (outcome,) = load(db, page)
    assert rows(db, "select count(*) from unmatched") == [(0,)] and len(rows(db, POSTS)) == 2
    unload(db, outcome.load_id)
    assert rows(db, POSTS) == [] and rows(db, "select count(*) from unmatched") == [(2,)]


def test_a_real_answer(tmp_path):
    db = database(tmp_path)
    _, outcome = load(db, PEOPLE, REAL, course=2)
    answer = json.loads(gzip.decompress(REAL.read_bytes()))["entries"]
    people = {one["id"] for one in json.loads(gzip.decompress(PEOPLE.read_bytes()))}
    ours = {one["id"] for one in answer if one["userid"] in people}
    assert outcome.error is None and len(ours) > 0
    assert {key for key, _ in rows(db, POSTS)} == ours


def test_a_glossary_is_no_blog(tmp_path):
    path = tmp_path / "glossary.json"
    path.write_text(json.dumps({"count": 1, "entries": [{"id": 1, "userid": 5, "concept": "TPACK"}], "warnings": []}))
    (outcome,) = load(database(tmp_path), path)
    assert outcome.load_id is None and outcome.kind != "blog entries"
