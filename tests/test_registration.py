"""Blogs that newer words replace, remove and bring back: registration follows the words, posts stay until told."""

from __future__ import annotations

import itertools
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from exports import database, load, rows, write, write_participants

from loaders import blog_words
from loaders.cli import cli
from loaders.feed_store import Store
from loaders.places import Options
from loaders.unload import unload

PEOPLE = [("Sam", "Lee", "sam@x.edu", "A"), ("Ann", "O'Brien", "ann@x.edu", "B")]
STATE = "select url, email, registered from feeds left join people on people.id = person_id order by url"
POSTS = (
    "select url, count(*), count(email) from (select feeds.url, email from blog_posts join feeds on feeds.id = feed_id"
    " left join people on people.id = blog_posts.person_id) group by url"
)
OLD, NEW = 1_500_000_000, 1_600_000_000
A, B, C = (f"https://{name}.example.org/" for name in "abc")


@pytest.fixture
def course(tmp_path) -> sqlite3.Connection:
    """A course whose people are known."""
    connection = database(tmp_path)
    load(connection, write_participants(tmp_path / "participants.csv", PEOPLE), course=2)
    return connection


def listed(folder: Path, url: str, name: str = "blogs.csv", when: int = OLD, who: str = "sam@x.edu") -> Path:
    path = write(folder / name, [["Email", "Blog"], [who, url]])
    os.utime(path, (when, when))
    return path


def add(connection: sqlite3.Connection, path: Path, **options):
    (outcome,) = load(connection, path, kind="blogs", **options)
    assert outcome.error is None
    return outcome


def fetched(connection: sqlite3.Connection, posts: int = 2) -> None:
    """As if every registered blog had been read."""
    read = "update feeds set fetched_utc = '2016-03-09T00:00:00Z', error = 'slow' where id = ?"
    for (feed,) in rows(connection, "select id from feeds where registered and fetched_utc is null"):
        connection.execute(read, (feed,))
        for number in range(posts):
            connection.execute(
                "insert into blog_posts (feed_id, guid, person_id) select id, ?, person_id from feeds where id = ?",
                (f"p{number}", feed),
            )


def said(folder: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, [*words, "--db", str(folder / "moodle.db")])
    return result.exit_code, result.output


# ---- Posts stay ----


def test_a_list_read_again_with_other_options_keeps_its_posts_and_what_is_known_of_its_blogs(course, tmp_path):
    path = listed(tmp_path, A)
    add(course, path)
    fetched(course)
    before = rows(course, "select * from feeds")
    course.execute("create temp table settled (n)")
    course.execute("create temp trigger t after delete on feeds begin insert into settled values (1); end")
    outcome = add(course, path, course=2)
    assert "replaces load" in outcome.notes[0]
    assert rows(course, "select * from feeds") == before
    assert rows(course, POSTS) == [(A, 2, 2)]
    add(course, path, date_order="dmy")
    assert rows(course, "select count(*) from settled") == [(0,)]


def test_a_blog_that_was_never_read_is_no_other_after_another_reading(course, tmp_path):
    path = listed(tmp_path, A)
    add(course, path)
    course.execute("update feeds set error = 'no answer', asked_utc = '2016-03-09T00:00:00Z'")
    before = rows(course, "select * from feeds")
    add(course, path, course=2)
    assert rows(course, "select * from feeds") == before


@pytest.mark.parametrize("how", ["hand", "list", "profile"])
def test_a_blog_that_a_newer_word_replaces_stays_with_its_posts_and_is_not_asked(tmp_path, course, how):
    if how == "profile":
        blog_words.follow_field(course, Options(), "My blog")
        for number, url in enumerate((A, B)):
            path = tmp_path / "own.csv"
            path.write_text(f"Email,My blog\nsam@x.edu,{url}\n")
            os.utime(path, (OLD + number, OLD + number))
            assert said(tmp_path, "details", str(path))[0] == 0
            fetched(course) if url == A else None
    else:
        add(course, listed(tmp_path, A))
        fetched(course)
        if how == "hand":
            blog_words.add(course, Options(), "Sam Lee", (B,))
        else:
            add(course, listed(tmp_path, B, "newer.csv", NEW))
    assert rows(course, STATE) == [(A, "sam@x.edu", 0), (B, "sam@x.edu", 1)]
    assert rows(course, POSTS) == [(A, 2, 2)]
    assert [known.url for _, known in Store(tmp_path / "moodle.db").feeds(only_new=False)] == [B]
    code, text = said(tmp_path, "blogs", "status")
    assert code == 0 and "1 blogs (1 of known students)" in text
    assert "Registered no more, and not asked; their posts stay until you remove them: 1" in text
    assert f"  Sam Lee: {A}\n      2 posts" in text and "slow" not in text
    blog_words.add(course, Options(), "Sam Lee", (A,))  # back again
    assert rows(course, STATE) == [(A, "sam@x.edu", 1)]
    assert rows(course, POSTS) == [(A, 2, 2)]


def test_registration_is_the_same_in_any_order_whenever_posts_came(tmp_path):
    people = write_participants(tmp_path / "participants.csv", PEOPLE)
    lists = [
        listed(tmp_path, A), listed(tmp_path, B, "newer.csv", NEW), listed(tmp_path, C, "ann.csv", OLD, "ann@x.edu")
    ]  # fmt: skip
    seen = set()
    for number, order in enumerate(itertools.permutations([people, *lists])):
        folder = tmp_path / str(number)
        folder.mkdir()
        connection = database(folder)
        for path in order:
            load(connection, path, **({"course": 2} if path == people else {"kind": "blogs"}))
            fetched(connection)
        state = rows(connection, STATE)
        seen.add(tuple(row for row in state if row[2]))
        left = [row for row in state if not row[2]]
        assert left in ([], [(A, "sam@x.edu", 0)]), order
        assert {row[:2] for row in rows(connection, POSTS)} == {(row[0], 2) for row in state}
        assert all(count == whose for _, count, whose in rows(connection, POSTS))
        connection.close()
    assert seen == {((B, "sam@x.edu", 1), (C, "ann@x.edu", 1))}


def test_the_key_of_a_student_who_is_gone_is_no_key_to_their_posts(tmp_path):
    connection = database(tmp_path)
    one = [("Sam", "Lee", "sam@x.edu", "A")]
    (outcome,) = load(connection, write_participants(tmp_path / "p.csv", one), course=2)
    first = add(connection, listed(tmp_path, A))
    fetched(connection)
    add(connection, listed(tmp_path, B, "newer.csv", NEW))
    unload(connection, outcome.load_id)
    assert rows(connection, STATE) == [(A, None, 1), (B, None, 1)]  # each may be somebody's
    load(connection, write_participants(tmp_path / "q.csv", [("Ann", "O'Brien", "ann@x.edu", "B")]), course=2)
    assert rows(connection, "select count(person_id), count(*) from blog_posts") == [(0, 2)]
    assert unload(connection, first.load_id) == ("blogs.csv", 2)


# ---- Posts go where that is said ----


def test_unload_says_how_many_posts_go_and_takes_only_what_nothing_else_names(course, tmp_path):
    add(course, listed(tmp_path, A))
    fetched(course)
    again = add(course, write(tmp_path / "both.csv", [["Email", "Blog"], ["sam@x.edu", A], ["ann@x.edu", C]]))
    fetched(course)
    code, text = said(tmp_path, "unload", str(again.load_id))
    assert code == 0 and "(both.csv) is taken back, and 2 posts of blogs that nothing else names." in text
    assert rows(course, POSTS) == [(A, 2, 2)]
    newer = add(course, listed(tmp_path, B, "newer.csv", NEW))
    code, text = said(tmp_path, "unload", str(newer.load_id))
    assert text == f"Load {newer.load_id} (newer.csv) is taken back.\n"
    assert rows(course, STATE) == [(A, "sam@x.edu", 1)]


def test_unloading_a_list_takes_its_replaced_blogs_too(course, tmp_path):
    first = add(course, listed(tmp_path, A))
    fetched(course)
    add(course, listed(tmp_path, B, "newer.csv", NEW))
    assert unload(course, first.load_id) == ("blogs.csv", 2)
    assert rows(course, STATE) == [(B, "sam@x.edu", 1)]


def test_remove_asks_before_posts_go(course, tmp_path):
    add(course, listed(tmp_path, A))
    assert said(tmp_path, "blogs", "remove", A)[0] == 0  # there is nothing to lose
    add(course, listed(tmp_path, A))
    fetched(course)
    code, text = said(tmp_path, "blogs", "remove", A)
    assert code == 1 and f"{A} and 2 posts would be deleted for good: add --yes" in text
    assert rows(course, POSTS) == [(A, 2, 2)]
    code, text = said(tmp_path, "blogs", "remove", A, "--yes")
    assert code == 0 and text == f"Forgotten: {A}\n2 posts went with it.\n"
    assert rows(course, "select (select count(*) from blog_posts), (select count(*) from feeds)") == [(0, 0)]


@pytest.mark.skipif(os.name != "posix", reason="terminals are POSIX's")
@pytest.mark.parametrize(("answer", "left"), [(b"n\n", 1), (b"y\n", 0)])
def test_on_a_terminal_remove_takes_an_answer(course, tmp_path, answer, left):
    add(course, listed(tmp_path, A))
    fetched(course)
    terminal, there = os.openpty()
    os.write(terminal, answer)
    command = [str(Path(sys.executable).parent / "coursette"), "blogs", "remove", A]
    command += ["--db", str(tmp_path / "moodle.db")]
    ended = subprocess.run(command, stdin=there, capture_output=True, text=True, timeout=60)
    for end in (terminal, there):
        os.close(end)
    assert "with 2 posts for good?" in ended.stdout and ended.returncode == left, ended
    assert len(rows(course, STATE)) == left


def test_a_blog_that_is_registered_no_more_can_be_removed(course, tmp_path):
    add(course, listed(tmp_path, A))
    fetched(course)
    add(course, listed(tmp_path, B, "newer.csv", NEW))
    assert said(tmp_path, "blogs", "remove", A, "--yes")[0] == 0
    assert rows(course, STATE) == [(B, "sam@x.edu", 1)]
    assert rows(course, "select count(*) from blog_posts") == [(0,)]


# ---- Back again ----


def test_a_list_that_is_added_again_beats_an_older_remove_and_one_found_by_load_does_not(course, tmp_path):
    path = listed(tmp_path, A)
    add(course, path)
    blog_words.remove(course, Options(), A)
    load(course, path)  # the folder of downloads, once more
    assert rows(course, STATE) == []
    code, text = said(tmp_path, "blogs", "add", str(path))
    assert code == 0 and "1 blogs are registered" in text
    assert rows(course, STATE) == [(A, "sam@x.edu", 1)]
    blog_words.remove(course, Options(), A)
    assert rows(course, STATE) == []


def test_a_list_added_again_beats_what_was_removed_of_a_newer_word(course, tmp_path):
    path = listed(tmp_path, A)
    add(course, path)
    blog_words.add(course, Options(), "Sam Lee", (B,))
    blog_words.remove(course, Options(), B)
    assert rows(course, STATE) == []
    add(course, path)
    assert rows(course, STATE) == [(A, "sam@x.edu", 1)]


def test_a_profile_field_followed_again_beats_an_older_remove(course, tmp_path):
    blog_words.follow_field(course, Options(), "My blog")
    path = tmp_path / "own.csv"
    path.write_text(f"Email,My blog\nsam@x.edu,{A}\n")
    assert said(tmp_path, "details", str(path))[0] == 0
    blog_words.remove(course, Options(), A)
    assert rows(course, STATE) == []
    assert blog_words.follow_field(course, Options(), "My blog")[1] == 1


def test_an_older_list_with_a_newer_date_is_in_force_again_and_without_one_says_why_not(course, tmp_path):
    path = listed(tmp_path, A)
    add(course, path)
    add(course, listed(tmp_path, B, "newer.csv", NEW))
    code, text = said(tmp_path, "blogs", "add", str(path))
    assert code == 0 and "1 of its addresses do not count: a newer list or word names others" in text
    assert rows(course, STATE) == [(B, "sam@x.edu", 1)]
    os.utime(path, (NEW + 1, NEW + 1))
    code, text = said(tmp_path, "blogs", "add", str(path))
    assert code == 0 and "counts as new again" in text and "do not count" not in text
    assert rows(course, STATE) == [(A, "sam@x.edu", 1)]
