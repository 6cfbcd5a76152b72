"""What one blog may cost in a run: a student's, or that of whoever took it over, never the others' or the disk's."""

import json
import sqlite3
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from blog_answers import HOME, document
from feed_server import QUICK, Blog, Fault, quick_client, serving, some_posts

from loaders.errors import Unreadable
from loaders.feed_parse import read
from loaders.feed_read import Known, Page, read_blog
from loaders.feed_run import Wanted, fetch
from loaders.feed_store import Blog as Registered
from loaders.feed_store import Store

VERSION = "https://jsonfeed.org/version/1.1"
HERE = Wanted(allow=("127.0.0.0/8",))


def json_feed(items: list[dict], **more) -> str:
    return json.dumps({"version": VERSION, "title": "x", "items": items} | more)


async def run_of(known: Known, limits) -> tuple[Known, list[str], str | None]:
    """One run over a blog: (what is known after it, the posts' guids as they came, the sentence it ended with)."""
    came, last, sentence = [], None, None
    async with quick_client(limits) as client:
        try:
            async for last in read_blog(client, known):
                came += [post["guid"] for post in last.posts]
        except Unreadable as error:
            sentence = str(error)
    if last is None:
        return known, came, sentence
    return replace(
        known, feed_url=last.feed_url, etag=last.etag, last_modified=last.last_modified, older_url=last.older_url,
        whole=last.whole, guids=known.guids | set(came),
    ), came, sentence  # fmt: skip


@pytest.mark.parametrize(("kind", "most"), [("json", 12), ("wordpress", 12), ("wordpress", 10), ("atom", 25)])
async def test_a_blog_of_too_many_posts_comes_in_several_runs(kind: str, most: int):
    with serving({"anna": Blog(kind, some_posts(45))}) as server:
        known, sentences = Known(server.blog("anna")), []
        while not known.whole and len(sentences) < 9:
            known, _, sentence = await run_of(known, replace(QUICK, blog_posts=most))
            sentences.append(sentence)
            assert len(known.guids) <= most * len(sentences)
    assert len(known.guids) == 45 and known.whole and sentences[-1] is None
    assert all(f"or {most} posts): what came is kept" in sentence for sentence in sentences[:-1])


async def test_one_document_of_too_many_posts_comes_in_several_runs_though_it_does_not_change():
    with serving() as server:
        items = [{"id": str(number), "content_text": "hi"} for number in range(25)]
        server.faults = [Fault("/", "reply", json_feed(items))]
        known, came, sentence = await run_of(Known(f"{server.url}/"), replace(QUICK, blog_posts=10))
        assert (len(came), known.whole, known.etag) == (10, False, None) and "10 posts" in sentence
        for total in (20, 25):
            known, _, sentence = await run_of(known, replace(QUICK, blog_posts=10))
            assert len(known.guids) == total
        assert known.whole and sentence is None


async def test_bytes_are_counted_as_they_are_kept_and_those_of_known_posts_too():
    with serving({"anna": Blog("wordpress", some_posts(45))}) as server:
        known, came, sentence = await run_of(Known(server.blog("anna")), QUICK)
        assert len(came) == 45 and sentence is None
        known, came, sentence = await run_of(replace(known, whole=False), replace(QUICK, blog_bytes=2000))
        assert 0 < len(came) < 10 and "0 MB" in sentence and known.etag is None


async def test_retry_after_and_slow_answers_cost_time():
    with serving({"anna": Blog("wordpress", some_posts(100))}) as server:
        server.faults = [Fault(f"/anna/feed/?paged={number}", "busy", 1, times=1) for number in range(2, 11)]
        began = time.monotonic()
        known, came, sentence = await run_of(Known(server.blog("anna")), replace(QUICK, blog_s=1.5))
        assert time.monotonic() - began < 4 and "left alone for 1 seconds" in sentence
        assert len(came) == 20 and known.older_url and not known.whole, "the next run goes on there"
        server.faults = [Fault("/anna/feed/", "drip", 0.05)]
        began = time.monotonic()
        assert "read in one run" in (await run_of(known, replace(QUICK, blog_s=0.5)))[2]
        assert time.monotonic() - began < 2


async def test_waiting_for_other_blogs_of_the_site_costs_nothing():
    with serving({"anna": Blog("wordpress", some_posts(30))}, slow_s=0.02) as server:
        _, came, sentence = await run_of(Known(server.blog("anna")), replace(QUICK, blog_s=1, pause_s=0.4))
    assert (len(came), sentence) == (30, None)


def test_one_document_gives_a_bounded_result():
    words = "word " * 50_000
    feed = read(document(json_feed([{"id": str(number), "content_text": words} for number in range(60)])))
    assert 35 < len(feed.posts) < 45 and f"its first {len(feed.posts)} posts" in feed.fault
    items = "".join(f"<item><guid>{number}</guid><description>{words}</description></item>" for number in range(60))
    feed = read(document(f"<rss version='2.0'><channel><title>x</title>{items}</channel></rss>"))
    assert 35 < len(feed.posts) < 45 and f"its first {len(feed.posts)} posts" in feed.fault


def test_links_do_not_grow_by_the_address_they_are_relative_to():
    links = "".join(f"<a href={number}>b</a>" for number in range(3000))
    item = {"id": "1", "url": f"{HOME}{'u' * 900}/", "content_html": links}
    (post,) = read(document(json_feed([item]))).posts
    assert post["links"] == [] and len(post["html"]) <= 300_000
    (post,) = read(document(json_feed([item | {"url": HOME}]))).posts
    assert len(post["links"]) == 200 and post["links"][0] == f"{HOME}0"
    long = f"https://safe.example.org/?url={'x' * 600}"
    (post,) = read(document(json_feed([item | {"content_html": f"<a href='{long}'>a</a>"}]))).posts
    assert post["links"] == ["https://safe.example.org/"] and long in post["html"]


def test_names_of_posts_are_bounded():
    item = {"id": "g" * 5000, "url": f"{HOME}{'u' * 5000}", "title": "t" * 5000, "content_text": "hi"}
    (post,) = read(document(json_feed([item]))).posts
    assert len(post["guid"]) < 100 and post["url"] is None and len(post["title"]) == 500


# ---- One blog's fault is no other's ----


def registered(folder: Path, server, *names: str) -> sqlite3.Connection:
    connection = Store(folder / "moodle.db").connection
    connection.executemany("insert into feeds (url) values (?)", [(server.blog(name),) for name in names])
    return connection


def states(connection: sqlite3.Connection) -> list[tuple]:
    return connection.execute("select fetched_utc is not null, error from feeds order by id").fetchall()


def test_half_characters_are_nowhere_and_end_nothing(tmp_path):
    half = "\ud800"
    item = {"id": half, "title": half, "content_html": f"<a href='/{half}'>{half}</a>", "url": f"/{half}"}
    with serving({"ben": Blog("rss", some_posts(3))}) as server:
        connection = registered(tmp_path, server, "anna", "ben")
        server.faults = [Fault("/anna/", "reply", json_feed([item], next_url=f"/anna/?{half}", title=half))]
        result = fetch(tmp_path / "moodle.db", HERE)
        assert (result.answered, result.new, result.errors) == (2, 4, [])
        assert states(connection) == [(1, None), (1, None)] and "/anna/??" in server.paths()


def test_what_the_database_does_not_take_of_one_blog_is_that_blogs(tmp_path):
    with serving({"anna": Blog("rss", some_posts(3)), "ben": Blog("rss", some_posts(3))}) as server:
        connection = registered(tmp_path, server, "anna", "ben")
        connection.execute(
            "create trigger t before insert on blog_posts when new.feed_id = 1 begin select raise(abort, 'no'); end"
        )
        result = fetch(tmp_path / "moodle.db", HERE)
        assert (result.answered, result.new) == (1, 3)
        ((_, wrong), right) = states(connection)
        assert "could not be read (IntegrityError)" in wrong and right == (1, None)


def test_a_database_that_cannot_be_written_ends_the_run(tmp_path):
    with serving({"anna": Blog("rss", some_posts(3))}) as server:
        registered(tmp_path, server, "anna").execute(
            "create trigger t before insert on blog_posts begin insert into nowhere values (1); end"
        )
        with pytest.raises(sqlite3.OperationalError, match="nowhere"):
            fetch(tmp_path / "moodle.db", HERE)


def test_memory_does_not_grow_with_what_is_kept(tmp_path):
    store, blog = Store(tmp_path / "moodle.db"), Registered(1, HOME)
    store.connection.execute("insert into feeds (id, url) values (1, ?)", (HOME,))

    def page(*numbers: int) -> Page:
        posts = json_feed([{"id": str(number), "content_text": "word " * 20_000} for number in numbers])
        return Page(feed_url=HOME, posts=read(document(posts)).posts)

    for number in range(100):
        store.save_page(blog, page(number))
    tracemalloc.start()
    assert store.save_page(blog, page(7, 100)) == (1, 0)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()
