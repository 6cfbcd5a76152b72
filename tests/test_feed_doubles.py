"""Whose blog it is, where students say so themselves: one blog under two names, and posts that claim others' places."""

from pathlib import Path

import pytest
from exports import database, load, rows, write, write_participants
from feed_server import Blog, Fault, serving, some_posts

from loaders import blog_words, blogs_status
from loaders.blog_address import home, same
from loaders.feed_read import Page
from loaders.feed_run import Wanted, fetch
from loaders.feed_store import Blog as Registered
from loaders.feed_store import Store
from loaders.places import Options
from loaders.post_links import save_link_people
from loaders.settle import settle

HERE = Wanted(allow=("127.0.0.0/8",))
PEOPLE = [("Bea", "B", "bea@x.edu", "A"), ("Al", "A", "al@x.edu", "A"), ("Cem", "C", "cem@x.edu", "A")]
WHOSE = "select url, email, error from feeds left join people on people.id = person_id order by url"
POSTS = (
    "select feeds.url, count(*), count(blog_posts.person_id) from blog_posts join feeds on feeds.id = feed_id"
    " group by feeds.url order by feeds.url"
)


def registered(folder: Path, **blogs: str):
    """A database in which bea, al and cem have blogs at these addresses."""
    connection = database(folder)
    load(connection, write_participants(folder / "participants.csv", PEOPLE), course=2)
    lines = [["Email", "Blog"], *([f"{who}@x.edu", url] for who, url in blogs.items())]
    load(connection, write(folder / "blogs.csv", lines), kind="blogs")
    return connection


def save_posts(folder: Path, url: str, *places: str, **more) -> None:
    """As if the blog at `url` had answered with posts at these places."""
    store = Store(folder / "moodle.db")
    (key,) = store.connection.execute("select id from feeds where url = ?", (url,)).fetchone()
    posts = [
        {"guid": place, "url": place, "title": "x", "html": "x", "text": "x", "word_count": 1, "links": [],
         "image_count": 0, "published_utc": "2016-03-01T10:00:00Z", "updated_utc": None, "summary_only": False}
        for place in places
    ]  # fmt: skip
    store.save_page(Registered(key, url), Page(**({"feed_url": url, "posts": posts, "whole": True} | more)))
    store.connection.close()


def settled(connection) -> list[tuple]:
    connection.execute("begin")
    settle(connection, events_changed=False)
    connection.execute("commit")
    return [(url, email, bool(error)) for url, email, error in rows(connection, WHOSE)]


@pytest.mark.parametrize("url", ["https://bea.wordpress.com.", "http://www.bea.wordpress.com:80/",
                                 "https://bea.wordpress.com:443", "https://BEA.wordpress.com.:443/"])  # fmt: skip
def test_one_blog_however_its_host_is_written(url):
    assert same(url) == home(url) == "bea.wordpress.com"
    assert same("https://bea.wordpress.com:8443/") != same(url)


@pytest.mark.parametrize("other", ["feed/", "?a"])
def test_one_blog_of_two_students_is_nobodys_until_the_teacher_says_whose(tmp_path, other):
    with serving({"bea": Blog("wordpress", some_posts(3))}) as server:
        bea, al = server.blog("bea"), server.blog("bea") + other
        connection = registered(tmp_path, bea=bea, al=al)
        for _ in range(2):
            result = fetch(tmp_path / "moodle.db", HERE)
            assert result.answered == 2
            assert [(email, "shows the same blog" in error) for _, email, error in rows(connection, WHOSE)] == [
                (None, True)
            ] * 2
            assert rows(connection, POSTS) == [(bea, 3, 0), (al, 3, 0)]
        said = "\n".join(blogs_status.report(connection))
        assert f"! this shows the same blog as {bea}, which another student gave" in said
        assert f"{al} in blogs.csv, line 3: this shows the same blog" in said
        blog_words.add(connection, Options(), "bea@x.edu", (bea,))
        fetch(tmp_path / "moodle.db", HERE)
        assert rows(connection, POSTS) == [(bea, 3, 3), (al, 3, 0)]
        assert [(email, bool(error)) for _, email, error in rows(connection, WHOSE)] == [
            ("bea@x.edu", False),
            (None, True),
        ]
        connection.close()


def test_a_redirect_to_a_classmates_blog_takes_nothing_from_her(tmp_path):
    with serving({"bea": Blog("wordpress", some_posts(3))}) as server:
        bea, al = server.blog("bea"), f"http://localhost:{server.server_address[1]}/al/"
        connection = registered(tmp_path, bea=bea, al=al)
        server.faults = [Fault("/al/", "redirect", f"{bea}feed/")]
        fetch(tmp_path / "moodle.db", Wanted(allow=("127.0.0.0/8", "::1")))
        assert rows(connection, "select served_url from feeds where url = ?".replace("?", f"'{al}'")) == [
            (f"{bea}feed/",)
        ]
        assert rows(connection, POSTS) == [(bea, 3, 3), (al, 3, 0)]
        connection.close()


def test_a_copy_of_a_classmates_posts_is_held_and_hers_are_not(tmp_path):
    bea, al = "https://bea.example.org/", "https://al.example.org/"
    connection = registered(tmp_path, bea=bea, al=al)
    save_posts(tmp_path, bea, *(f"{bea}{number}" for number in range(10)))
    save_posts(tmp_path, al, f"{bea}1", f"{bea}2", f"{al}3")
    assert settled(connection) == [(al, None, True), (bea, "bea@x.edu", False)]
    blog_words.add(connection, Options(), "al@x.edu", (al,))
    assert settled(connection) == [(al, "al@x.edu", False), (bea, "bea@x.edu", False)]


def test_posts_about_the_same_thing_are_no_double(tmp_path):
    bea, al = "https://bea.example.org/", "https://al.example.org/"
    connection = registered(tmp_path, bea=bea, al=al)
    for url in (bea, al):
        save_posts(tmp_path, url, "https://youtube.com/1", "https://youtube.com/2", *(f"{url}{n}" for n in range(3)))
    assert settled(connection) == [(al, "al@x.edu", False), (bea, "bea@x.edu", False)]


def test_what_a_list_says_outranks_a_profile(tmp_path):
    bea, al = "https://bea.example.org/", "https://bea.example.org/feed/"
    connection = registered(tmp_path, bea=bea)
    blog_words.follow_field(connection, Options(), "My blog")
    users = tmp_path / "users.json"
    users.write_text(
        '[{"id": 6, "fullname": "Al A", "email": "al@x.edu", "roles": [{"shortname": "student"}],'
        f' "customfields": [{{"type": "text", "name": "My blog", "value": "{al}"}}]}}]'
    )
    load(connection, users, course=2)
    assert [email for _, email, _ in rows(connection, WHOSE)] == ["bea@x.edu", "al@x.edu"]
    for url in (bea, al):
        save_posts(tmp_path, url, f"{bea}1")
    assert settled(connection) == [(bea, "bea@x.edu", False), (al, None, True)]


def whose_links(connection, folder: Path, *links: str) -> list[str | None]:
    connection.execute("delete from post_links")
    connection.executemany("insert into post_links (url) values (?)", [(link,) for link in links])
    save_link_people(connection)
    found = "select email from post_links left join people on people.id = person_id order by post_links.id"
    return [email for (email,) in rows(connection, found)]


def test_posts_claim_no_place_that_their_feed_does_not_come_from(tmp_path):
    bea, al, cem = "https://bea.wordpress.com/", "https://al.example.org/", "https://cem.wordpress.com/"
    connection = registered(tmp_path, bea=bea, al=al, cem=cem)
    links = (
        "https://www.youtube.com/watch?v=1",
        f"{bea}1",
        "https://cem.example.net/1",
        "https://bea.wordpress.com.:443/1",
    )
    save_posts(tmp_path, al, *(f"https://www.youtube.com/m{n}" for n in range(3)))
    save_posts(tmp_path, cem, "https://cem.example.net/1", served_url="https://cem.example.net/feed/")
    assert whose_links(connection, tmp_path, *links) == [None, "bea@x.edu", "cem@x.edu", "bea@x.edu"]
    connection.execute("delete from blog_posts where url like '%youtube%'")
    save_posts(tmp_path, al, *(f"{bea}m{n}" for n in range(3)), served_url=f"{bea}feed/")
    assert whose_links(connection, tmp_path, *links) == [None, "bea@x.edu", "cem@x.edu", "bea@x.edu"]
