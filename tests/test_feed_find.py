"""A plain blog address finds its feed."""

import pytest
from blog_answers import WRITERS
from feed_server import LOGIN_PAGE, Blog, Fault, quick_client, serving, some_posts

from loaders.errors import Unreadable
from loaders.feed_document import Document
from loaders.feed_find import find, named_feeds, usual_places

HOME = "https://anna.example.org/blog/"


def named(head: str, url: str = HOME) -> list[str]:
    """The feeds that a page with this head names."""
    return named_feeds(Document(url, 200, f"<html><head>{head}</head><body></body></html>".encode()))


def link(href: str, kind: str = "application/rss+xml", title: str = "", rel: str = "alternate") -> str:
    return f'<link rel="{rel}" type="{kind}" title="{title}" href="{href}">'


ATOM, RSS, JSON = "application/atom+xml", "application/rss+xml", "application/feed+json"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (link("feed/"), [f"{HOME}feed/"]),
        (link("/atom.xml", ATOM) + link("/rss.xml"), ["https://anna.example.org/atom.xml", "https://anna.example.org/rss.xml"]),
        (link("feed.json", JSON) + link("feed/"), [f"{HOME}feed.json", f"{HOME}feed/"]),
        ('<base href="https://other.example/x/">' + link("feed"), ["https://other.example/x/feed"]),
        (link("//cdn.example/f.xml", RSS, rel="Alternate nofollow"), ["https://cdn.example/f.xml"]),
        (link("comments/feed/") + link("feed/", title="Anna » Feed"), [f"{HOME}feed/"]),
        (link("2024/03/a/feed/", title="Anna » Week 1 Comments Feed"), []),
        (link("feed/", title="Comment is free » Feed"), [f"{HOME}feed/"]),
        (link("wp-json/wp/v2/pages/2", "application/json", "JSON") + link("oembed?format=xml", "text/xml+oembed"), []),
        (link("style.xml", "text/xml", rel="alternate stylesheet") + link("feed/", rel="next"), []),
        (link("javascript:alert(1)") + link("file:///etc/passwd") + link("http://u:p@a.example/feed"), []),
        (link("http://[::1") + link(""), [HOME]),
        (
            link("feeds/posts/default?alt=rss", title="Anna - RSS") + link("feeds/posts/default", ATOM, "Anna - Atom")
            + link("feeds/12/comments/default", ATOM),
            [f"{HOME}feeds/posts/default", f"{HOME}feeds/posts/default?alt=rss"],
        ),
    ],
)  # fmt: skip
def test_feeds_that_a_page_names(head: str, expected: list[str]):
    assert named(head) == expected


def test_the_usual_places_are_below_the_blog_only():
    assert usual_places("https://uni.example/~anna")[0] == "https://uni.example/~anna/feed/"
    assert usual_places("https://uni.example/~anna/index.html")[1] == "https://uni.example/~anna/feed.xml"
    assert usual_places("https://anna.example.org/")[3] == "https://anna.example.org/feeds/posts/default"


@pytest.mark.parametrize("kind", WRITERS)
async def test_a_blogs_own_address_finds_its_feed(kind: str):
    with serving({"anna": Blog(kind, some_posts(2))}) as server:
        async with quick_client() as client:
            found = await find(client, server.blog("anna"))
            assert len(found.feed.posts) == 2 and "comments" not in found.url
            assert len(server.requests) == 2
            again = await find(client, found.url)
            assert (again.url, again.feed.posts) == (found.url, found.feed.posts)
            assert len(server.requests) == 3, "a feed is used as it is"


@pytest.mark.parametrize("kind", ["wordpress", "blogger", "atom", "rss"])
async def test_a_page_that_names_no_feed_has_one_in_the_usual_places(kind: str):
    with serving({"anna": Blog(kind, some_posts(2), named=False)}) as server:
        async with quick_client() as client:
            assert len((await find(client, server.blog("anna").rstrip("/"))).feed.posts) == 2


async def test_a_named_feed_that_is_none_is_passed_over():
    with serving({"anna": Blog("rss", some_posts(2))}) as server:
        page = link("gone.xml") + link("page.html") + link("http://10.0.0.1/feed") + link("rss.xml")
        server.blogs["anna"].page = f"<!DOCTYPE html><html><head>{page}</head></html>"
        server.faults = [Fault("/anna/page.html", "login")]
        async with quick_client() as client:
            assert (await find(client, server.blog("anna"))).url.endswith("/anna/rss.xml")


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        ("<!DOCTYPE html><html><body>My garden</body></html>", "no feed was found"),
        (LOGIN_PAGE, "a page to sign in"),
        (f"<!DOCTYPE html><html><head>{link('http://10.0.0.1/feed')}</head></html>", "private network"),
    ],
)
async def test_a_page_without_a_feed_is_one_sentence(page: str, sentence: str):
    with serving({"anna": Blog("json", page=page)}) as server:
        async with quick_client() as client:
            with pytest.raises(Unreadable, match=sentence):
                await find(client, server.blog("anna"))


async def test_a_blog_that_is_away_has_not_lost_its_feed():
    with serving({"anna": Blog("wordpress", some_posts(2))}) as server:
        server.faults = [Fault("/anna/feed", "status", 503)]
        async with quick_client() as client:
            with pytest.raises(Unreadable, match="busy"):
                await find(client, server.blog("anna"))
