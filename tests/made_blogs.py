"""A small course whose students have blogs, as lists of them are registered and their posts kept."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from exports import database, load, write, write_participants

from loaders.feed_read import Page
from loaders.feed_store import Blog as Registered
from loaders.feed_store import Store

PEOPLE = [
    ("Sam", "Lee", "sam@x.edu", "A"),
    ("Zoë", "Müller", "zoe@x.edu", "A"),
    ("Ann", "O'Brien", "ann@x.edu", "B"),
    ("Al", "& <b>Co</b>", "al@x.edu", "B"),
]
WHOSE = "select url, email from feeds left join people on people.id = person_id order by url"
HELD = "select json_extract(raw, '$.url'), reason from unmatched where kind like 'blogs%' order by 1"


@pytest.fixture
def course(tmp_path) -> sqlite3.Connection:
    """A course whose people are known."""
    connection = database(tmp_path)
    load(connection, write_participants(tmp_path / "participants.csv", PEOPLE), course=2)
    return connection


def add(connection: sqlite3.Connection, path: Path, **options):
    (outcome,) = load(connection, path, kind="blogs", **options)
    return outcome


def listed(folder: Path, *lines: list[str], name: str = "blogs.csv", when: int = 1_500_000_000) -> Path:
    path = write(folder / name, list(lines))
    os.utime(path, (when, when))
    return path


SAM = Registered(1, "https://sam.example.org/")
HERE = ("127.0.0.0/8",)
BLOGGERS = [
    ("Sam", "Lee", "sam@x.edu", "A"),
    ("Zoë", "Müller", "zoe@x.edu", "A"),
    ("Al", "& <b>Co</b>", "al@x.edu", "B"),
]


def registered(folder: Path, **blogs: str) -> Path:
    """A database in which sam, zoe or al have blogs at these addresses."""
    connection = database(folder)
    load(connection, write_participants(folder / "participants.csv", BLOGGERS), course=2)
    lines = [["Email", "Blog"], *([f"{who}@x.edu", url] for who, url in blogs.items())]
    load(connection, write(folder / "blogs.csv", lines), kind="blogs")
    connection.close()
    return folder / "moodle.db"


def post(number: int, **more) -> dict:
    text = f"Post {number}"
    return {
        "guid": f"g{number}", "url": f"https://sam.example.org/{number}", "title": f"Title {number}",
        "html": f"<p>{text}</p>", "text": text, "word_count": 2, "links": [], "image_count": 0,
        "published_utc": f"2016-03-{number:02}T10:00:00Z", "updated_utc": None, "summary_only": False,
    } | more  # fmt: skip


def page(*posts: dict, **more) -> Page:
    return Page(feed_url="https://sam.example.org/feed/", posts=list(posts), kind="rss", whole=True, **more)


@pytest.fixture
def store(tmp_path) -> Store:
    """The blogs of Sam and Zoë, registered and empty."""
    return Store(registered(tmp_path, sam="https://sam.example.org/", zoe="https://sites.google.com/view/zoe"))


def fetching(path: Path) -> subprocess.Popen:
    command = [str(Path(sys.executable).parent / "coursette"), "blogs", "fetch", "--db", str(path)]
    command += ["--allow-network", *HERE]
    heeds = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # which a test run in the background ignores
    how = {"preexec_fn": heeds} if os.name == "posix" else {}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **how)


def count(path: Path) -> int:
    connection = sqlite3.connect(path)
    (found,) = connection.execute("select count(*) from blog_posts").fetchone()
    connection.close()
    return found


def wait_for(true) -> None:
    until = time.monotonic() + 30
    while not true():
        assert time.monotonic() < until, "it did not come to this"
        time.sleep(0.05)
