"""`coursette blogs fetch`: good and bad blogs at once, stopped and gone on with, and what is said of it."""

from __future__ import annotations

import gzip
import os
import re
import signal
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from exports import database, load, rows, write
from feed_server import Blog, Fault, serving, some_posts
from made_blogs import HERE, count, fetching, registered, wait_for

from loaders import feed_archive
from loaders.cli import cli
from loaders.errors import Unreadable
from loaders.feed_run import Wanted, fetch

# ---- Fetching ----


def test_a_run_over_good_and_bad_blogs(tmp_path):
    blogs = {"sam": Blog("wordpress", some_posts(25)), "zoe": Blog("json", some_posts(3))}
    with serving(blogs) as server:
        path = registered(tmp_path, sam=server.blog("sam"), zoe=server.blog("zoe"), al=server.blog("nowhere"))
        ticks: list = []
        result = fetch(path, Wanted(allow=HERE, save=tmp_path / "kept"), lambda done, of: ticks.append((done, of)))
        assert (result.asked, result.answered, result.new) == (3, 2, 28)
        assert result.errors == [(server.blog("nowhere"), "the blog is gone (404): ask for its new address")]
        assert (ticks[0], ticks[-1]) == ((0, 3), (3, 3))
        blogs["sam"].posts.pop(2)
        blogs["sam"].posts[0] = replace(blogs["sam"].posts[0], html="<p>I wrote this anew.</p>")
        result = fetch(path, Wanted(allow=HERE))
        assert (result.new, result.changed, result.gone) == (0, 1, 1)
        assert fetch(path, Wanted(allow=HERE, only_new=True)).asked == 1
    connection = sqlite3.connect(path)
    assert rows(
        connection, "select url like '%nowhere%', fetched_utc is null, error is null from feeds order by 1"
    ) == [
        (0, 0, 1),
        (0, 0, 1),
        (1, 1, 0),
    ]
    everything = rows(connection, "select count(*), count(gone_utc) from blog_posts")
    assert everything == [(28, 1)]
    copy_is_read_without_the_network(tmp_path, server, path)


def copy_is_read_without_the_network(folder: Path, server, path: Path) -> None:
    """What --save kept is the same blog, for whoever has the file."""
    (kept,) = (folder / "kept").iterdir()
    if os.name == "posix":
        assert kept.stat().st_mode & 0o077 == 0
    (folder / "again").mkdir()
    again = registered(folder / "again", sam=server.blog("sam"), zoe=server.blog("zoe"), al="https://not.saved.org/")
    result = fetch(again, Wanted(source=folder / "kept"))
    assert (result.asked, result.answered, result.new, result.errors) == (2, 2, 28, [])
    kept.write_bytes(kept.read_bytes()[:-30])  # as after a power cut
    assert len(feed_archive.saved(kept)) >= 4


def test_a_folder_without_saved_blogs_is_said(tmp_path):
    with pytest.raises(Unreadable, match="no saved blogs"):
        feed_archive.saved(tmp_path)
    (tmp_path / "x.jsonl.gz").write_bytes(gzip.compress(b'{"other": 1}\n[1]\n"x"\n'))
    with pytest.raises(Unreadable, match="no saved blogs"):
        feed_archive.saved(tmp_path)


def test_a_document_that_was_not_saved_is_said(tmp_path):
    path = registered(tmp_path, sam="https://sam.example.org/")
    archive = feed_archive.Archive(tmp_path / "kept")
    page = '<html><head><link rel="alternate" type="application/rss+xml" href="/feed/"></head></html>'
    archive.keep("https://sam.example.org/", 200, {"content-type": "text/html"}, page.encode())
    archive.close()
    result = fetch(path, Wanted(source=tmp_path / "kept"))
    assert result.errors[0][1] == (
        "https://sam.example.org/feed/ is not among the saved documents: fetch it without --from"
    )


def test_saved_blogs_are_no_moodle_download(tmp_path):
    archive = feed_archive.Archive(tmp_path / "kept")
    archive.close()
    (outcome,) = load(database(tmp_path), archive.path)
    assert "coursette blogs fetch --from" in outcome.error


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_what_was_interrupted_goes_on(tmp_path, how):
    with serving({"sam": Blog("wordpress", some_posts(40), per_page=10)}) as server:
        path = registered(tmp_path, sam=server.blog("sam"))
        server.faults.append(Fault("/sam/feed/?paged=3", "drip", times=1))
        running = fetching(path)
        wait_for(lambda: count(path) == 20 and any("paged=3" in where for where in server.paths()))
        running.send_signal(how)
        said, _ = running.communicate(timeout=30)
        assert "Traceback" not in said
        assert how == signal.SIGKILL or "goes on from there" in said
        asked = len(server.paths())
        assert fetch(path, Wanted(allow=HERE)).new == 20
        assert not [where for where in server.paths()[asked:] if "paged=2" in where]
    assert count(path) == 40


def test_two_runs_at_once_bring_each_post_once(tmp_path):
    with serving({"sam": Blog("wordpress", some_posts(20)), "zoe": Blog("atom", some_posts(9))}) as server:
        path = registered(tmp_path, sam=server.blog("sam"), zoe=server.blog("zoe"))
        other = fetching(path)
        fetch(path, Wanted(allow=HERE))
        said, _ = other.communicate(timeout=30)
        assert other.returncode == 0, said
    connection = sqlite3.connect(path)
    assert rows(connection, "select count(*), count(distinct guid || feed_id), count(gone_utc) from blog_posts") == [
        (29, 29, 0)
    ]


# ---- The made-up course ----


def test_the_made_up_course_has_blogs(tmp_path, demo_files):
    documents = feed_archive.saved(demo_files / "blogs")
    reserved = re.compile(r"https://([a-z0-9.]+\.)?example\.(org|net|com|edu)/")
    assert all(reserved.match(url) for url in documents)
    connection = database(tmp_path)
    load(connection, demo_files / "enrolled_users_all.json", demo_files / "blogs.csv", course=2)
    connection.close()
    result = fetch(tmp_path / "moodle.db", Wanted(source=demo_files / "blogs"))
    assert (result.asked, result.answered, result.new, len(result.errors)) == (103, 102, 760, 1)
    assert "760 posts in 102 blogs" in (demo_files / "README.md").read_text("utf-8")
    connection = sqlite3.connect(tmp_path / "moodle.db")
    kinds = "select count(*) > 100, sum(summary_only) > 0, sum(text like '%Technik%') > 0, sum(word_count < 5) > 0"
    assert rows(connection, f"{kinds} from blog_posts") == [(1, 1, 1, 1)]
    assert rows(
        connection, "select count(*) from blog_posts where html like '%<script%' or html like '%javascript:%'"
    ) == [(0,)]
    assert rows(connection, "select count(person_id) > 100, count(*) > count(person_id) from post_links") == [(1, 1)]
    assert rows(
        connection, "select min(n) >= 3, max(n) <= 14 from (select count(*) n from blog_posts group by feed_id)"
    ) == [(1, 1)]
    assert rows(connection, "select sum(word_count) > 0 from blog_posts where person_id is null") == [(1,)]


# ---- What is said ----


def said(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["blogs", *words])
    return result.exit_code, result.output


def test_the_words_of_every_step(tmp_path):
    path = registered(tmp_path)
    assert said("fetch", "--db", str(path))[0] == 0
    assert "No blogs are registered" in said("status", "--db", str(path))[1]
    with serving({"sam": Blog("rss", some_posts(4))}) as server:
        lines = [["Email", "Blog"], ["sam@x.edu", server.blog("sam")], ["new@x.edu", "https://new.example.org/"]]
        code, text = said("add", str(write(tmp_path / "list.csv", lines)), "--db", str(path))
        assert code == 0 and "2 blogs are registered" in text and "not matched to a student yet: 1;" in text
        code, text = said("fetch", "--db", str(path), "--allow-network", "127.0.0.0/8")
        assert code == 0 and "1 of 2 blogs answered: 4 new posts" in text, text
        assert said("fetch", "--db", str(path))[0] == 1  # nobody answered
    code, text = said("status", "--db", str(path))
    assert code == 0
    for words in (
        "2 blogs (1 of known students)", "4 posts, newest 2024-03-12", "student not known: https://new.example.org/",
        "Students without a blog", "Rows without a student yet", "nobody is known yet", "Next",
    ):  # fmt: skip
        assert words in text, text
    assert "4 posts went with it" in said("remove", "sam@x.edu", "--yes", "--db", str(path))[1]
    assert said("remove", "sam@x.edu", "--db", str(path))[0] == 1


def test_wrong_usage_is_said(tmp_path):
    assert said("add")[0] == 2
    assert said("add", "--student", "Sam Lee")[0] == 2
    assert said("fetch", "--db", str(tmp_path / "none.db"))[0] == 1
    code, text = said("add", str(tmp_path / "nowhere.csv"), "--db", str(tmp_path / "moodle.db"))
    assert code == 1 and "no such file" in text
    path = registered(tmp_path, sam="https://sam.example.org/")
    code, text = said("fetch", "--db", str(path), "--allow-network", "home")
    assert code == 1 and "home is no network" in text
