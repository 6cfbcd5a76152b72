"""All of a blog, page by page: the first time, later, and after an interruption."""

from dataclasses import replace
from datetime import timedelta

import pytest
from blog_answers import WRITERS
from feed_server import QUICK, Blog, Fault, quick_client, serving, some_posts

from loaders.errors import Unreadable
from loaders.feed_pages import may_follow, value_of, with_values
from loaders.feed_read import Known, Page, read_blog

PAGED = ["wordpress", "blogger", "atom", "archive", "json"]


@pytest.fixture(scope="module")
def server():
    with serving() as running:
        yield running


@pytest.fixture
async def read(server):
    """Read a blog whole; give the pages, and the sentence where it ends with one."""
    server.faults = []
    async with quick_client() as client:

        async def reading(known: Known, pages: int = 10**6, limits=QUICK) -> tuple[list[Page], str | None]:
            server.requests.clear()
            client.limits = limits
            came: list[Page] = []
            try:
                async for page in read_blog(client, known):
                    came.append(page)
                    if len(came) == pages:
                        break
            except Unreadable as error:
                return came, str(error)
            return came, None

        yield reading


def known_after(known: Known, pages: list[Page]) -> Known:
    """What is known of a blog after these pages, as a caller keeps it."""
    guids = known.guids | {post["guid"] for page in pages for post in page.posts}
    last = pages[-1]
    return replace(known, feed_url=last.feed_url, etag=last.etag, last_modified=last.last_modified,
                   older_url=last.older_url, whole=last.whole, guids=guids)  # fmt: skip


def titles(pages: list[Page]) -> list[int]:
    """The numbers of the posts of some pages, in order."""
    return [int(post["title"].split()[1].rstrip(":")) for page in pages for post in page.posts]


@pytest.mark.parametrize("kind", PAGED)
async def test_a_whole_semester_arrives_the_first_time(server, read, kind: str):
    server.blogs["anna"] = Blog(kind, some_posts(25))
    pages, error = await read(Known(server.blog("anna")))
    assert error is None and titles(pages) == list(range(25, 0, -1))
    assert [page.whole for page in pages] == [False] * (len(pages) - 1) + [True]
    assert pages[-1].older_url is None and pages[-1].covers_from_utc == ""
    assert {(page.title, page.etag) for page in pages} == {("Anna’s learning blog", pages[0].etag)}
    assert pages[0].covers_from_utc == pages[0].posts[-1]["published_utc"]


@pytest.mark.parametrize("kind", WRITERS)
async def test_later_only_what_is_new_is_read(server, read, kind: str):
    server.blogs["anna"] = Blog(kind, some_posts(25))
    known = Known(server.blog("anna"))
    known = known_after(known, (await read(known))[0])
    assert known.whole
    pages, _ = await read(known)
    assert [(page.not_modified, page.posts, page.whole) for page in pages] == [(True, [], True)]
    assert len(server.requests) == 1
    server.blogs["anna"].posts = some_posts(27)
    pages, _ = await read(known)
    assert titles(pages)[:2] == [27, 26] and len(pages) == len(server.requests) == 1
    assert pages[0].whole and pages[0].older_url is None
    assert pages[0].covers_from_utc == pages[0].posts[-1]["published_utc"]


async def test_more_new_posts_than_a_page_holds(server, read):
    server.blogs["anna"] = Blog("wordpress", some_posts(25))
    known = Known(server.blog("anna"))
    known = known_after(known, (await read(known))[0])
    server.blogs["anna"].posts = some_posts(48)
    pages, _ = await read(known)
    assert set(range(26, 49)) <= set(titles(pages)) and len(pages) == 3
    assert [page.whole for page in pages] == [False, False, True]


@pytest.mark.parametrize("kind", PAGED)
@pytest.mark.parametrize("stop", [1, 2, 3])
async def test_after_an_interruption_reading_goes_on_where_it_was(server, read, kind: str, stop: int):
    server.blogs["anna"] = Blog(kind, some_posts(45))
    known = Known(server.blog("anna"))
    known = known_after(known, (await read(known, pages=stop))[0])
    assert not known.whole and known.older_url
    server.blogs["anna"].posts = some_posts(47)
    pages, _ = await read(known)
    later = known_after(known, pages)
    assert later.whole and len(later.guids) == 47
    assert len(server.requests) < 8 - stop, "pages that are known are not asked for again"
    if stop > 1:
        assert pages[-1].covers_from_utc == pages[0].posts[-1]["published_utc"], "not beyond the gap"


async def test_an_unchanged_blog_goes_on_with_its_older_pages(server, read):
    server.blogs["anna"] = Blog("atom", some_posts(25))
    known = Known(server.blog("anna"))
    known = known_after(known, (await read(known, pages=1))[0])
    pages, _ = await read(known)
    assert [page.not_modified for page in pages] == [True, False, False]
    assert titles(pages) == list(range(15, 0, -1)) and pages[-1].whole and pages[-1].covers_from_utc is None


async def test_what_failed_in_the_middle_keeps_what_came(server, read):
    server.blogs["anna"] = Blog("wordpress", some_posts(25))
    server.faults = [Fault("/anna/feed/?paged=2", "status", 500)]
    known = Known(server.blog("anna"))
    pages, error = await read(known)
    assert titles(pages) == list(range(25, 15, -1)) and "error of its own (500)" in error
    server.faults = []
    pages, error = await read(known_after(known, pages))
    assert titles(pages) == list(range(15, 0, -1)) and error is None and pages[-1].whole


async def test_half_a_feed_keeps_what_came_and_says_so(server, read):
    server.blogs["anna"] = Blog("wordpress", some_posts(10))
    server.faults = [Fault("/anna/feed/", "cut")]
    known = Known(server.blog("anna"))
    pages, error = await read(known)
    assert 3 < len(titles(pages)) < 8 and "ends in the middle" in error and not pages[-1].whole
    server.faults = []
    pages, error = await read(known_after(known, pages))
    assert titles(pages) == list(range(10, 0, -1)) and error is None and pages[-1].whole


async def test_nothing_older_than_needed_is_read(server, read):
    server.blogs["anna"] = Blog("wordpress", some_posts(45))
    since = server.blogs["anna"].posts[15].published.strftime("%Y-%m-%dT%H:%M:%SZ")
    pages, _ = await read(Known(server.blog("anna"), since_utc=since))
    assert [len(page.posts) for page in pages] == [10, 10, 10] and pages[-1].whole
    assert pages[-1].covers_from_utc == pages[-1].posts[-1]["published_utc"]


async def test_what_is_gone_cannot_be_told_where_posts_come_in_another_order(server, read):
    posts = some_posts(25)
    posts[3], posts[4] = posts[4], posts[3]
    server.blogs["anna"] = Blog("rss", posts)
    pages, _ = await read(Known(server.blog("anna")))
    assert pages[-1].covers_from_utc is None and pages[-1].whole
    server.blogs["anna"] = Blog("atom", posts)
    pages, _ = await read(Known(server.blog("anna")))
    assert [page.covers_from_utc for page in pages] == [None, None, ""], "but where everything was read it can"


async def test_a_post_without_a_date_does_not_hide_what_is_gone(server, read):
    posts = some_posts(8)
    server.blogs["anna"] = Blog("rss", posts)
    body = WRITERS["rss"](server.blogs["anna"], server.blog("anna"), {}).body.decode()
    pinned = body.replace("<item>", "<item><title>Pinned 0: hello</title><guid>pinned</guid></item><item>", 1)
    server.faults = [Fault("/anna/", "reply", pinned)]
    pages, _ = await read(Known(server.blog("anna")))
    assert len(pages[0].posts) == 9 and pages[0].posts[0]["published_utc"] is None
    assert pages[-1].covers_from_utc == pages[-1].posts[-1]["published_utc"]


async def test_a_feed_of_the_newest_posts_covers_those_only(server, read):
    server.blogs["anna"] = Blog("rss", some_posts(25))
    pages, _ = await read(Known(server.blog("anna")))
    assert titles(pages) == list(range(25, 15, -1)) and pages[-1].whole
    assert pages[-1].covers_from_utc == pages[-1].posts[-1]["published_utc"]


async def test_edited_posts_come_again(server, read):
    server.blogs["anna"] = Blog("blogger", some_posts(5))
    known = Known(server.blog("anna"))
    known = known_after(known, (await read(known))[0])
    edited = server.blogs["anna"].posts[2]
    edited.html, edited.updated = "<p>Better now</p>", edited.published + timedelta(days=3)
    pages, _ = await read(known)
    post = pages[0].posts[2]
    assert post["guid"] in known.guids and post["text"] == "Better now"
    assert post["updated_utc"] > post["published_utc"]


# ---- servers that would keep us reading ----


async def test_a_server_that_gives_the_same_page_again_ends(server, read):
    server.blogs["anna"] = Blog("wordpress", some_posts(10))
    body = WRITERS["wordpress"](server.blogs["anna"], server.blog("anna"), {}).body
    server.faults = [Fault("/anna/feed/", "reply", body)]
    pages, error = await read(Known(server.blog("anna")))
    assert error is None and len(titles(pages)) == 10 and pages[-1].whole and len(server.requests) == 3
    assert pages[-1].covers_from_utc != "", "older posts may well be there"


@pytest.mark.parametrize(
    "where",
    ["atom.xml", "/anna/atom.xml?page=1", "https://other.example/atom.xml", "file:///etc/passwd", "http://[::1",
     "http://u:p@127.0.0.1/x", "http://127.0.0.1:1/x"],
)  # fmt: skip
async def test_older_pages_of_another_site_or_in_a_circle_are_not_followed(server, read, where: str):
    server.blogs["anna"] = Blog("atom", some_posts(10))
    body = WRITERS["atom"](server.blogs["anna"], server.blog("anna"), {}).body.decode()
    server.faults = [
        Fault("/anna/atom.xml", "reply", body.replace("<entry>", f"<link rel='next' href='{where}'/><entry>", 1))
    ]
    pages, error = await read(Known(server.blog("anna")))
    assert error is None and len(titles(pages)) == 10 and pages[-1].whole and len(server.requests) <= 3


async def test_no_more_pages_than_agreed_and_the_next_run_goes_on(server, read):
    server.blogs["anna"] = Blog("json", some_posts(30), per_page=3)
    known = Known(server.blog("anna"))
    pages, _ = await read(known, limits=replace(QUICK, pages=4))
    assert len(pages) == 4 and not pages[-1].whole and pages[-1].older_url
    pages, _ = await read(known_after(known, pages))
    assert pages[-1].whole and titles(pages)[-1] == 1


async def test_a_feed_that_moved_is_found_again(server, read):
    server.blogs["anna"] = Blog("rss", some_posts(3))
    known = Known(server.blog("anna"))
    known = known_after(known, (await read(known))[0])
    server.blogs["anna"] = Blog("atom", some_posts(3))
    pages, error = await read(known)
    assert error is None and pages[0].feed_url.endswith("/anna/atom.xml") and len(titles(pages)) == 3
    del server.blogs["anna"]
    assert await read(known) == ([], "the blog is gone (404): ask for its new address")


@pytest.mark.parametrize(
    ("older", "base", "expected"),
    [
        ("https://anna.example.org/feed?page=2", "http://www.anna.example.org/feed", True),
        ("http://www.blogger.com/feeds/7/posts/default", "https://anna.blogspot.com/feeds/posts/default", True),
        ("http://www.blogger.com/feeds/7/posts/default", "https://anna.example.org/feed", False),
        ("https://ben.blogspot.com/feeds/posts/default", "https://anna.blogspot.com/feeds/posts/default", False),
        ("https://anna.example.org:8443/feed", "https://anna.example.org/feed", False),
        ("ftp://anna.example.org/feed", "https://anna.example.org/feed", False),
        ("https://u:p@anna.example.org/feed", "https://anna.example.org/feed", False),
        ("http://[::1", "https://anna.example.org/feed", False),
        (None, "https://anna.example.org/feed", False),
    ],
)
def test_which_older_pages_are_of_the_same_blog(older: str | None, base: str, expected: bool):
    assert may_follow(older, [base]) is expected


def test_values_in_an_address():
    assert (
        with_values("https://a.example/feed?alt=rss&paged=2#x", paged="3") == "https://a.example/feed?alt=rss&paged=3"
    )
    assert value_of("https://a.example/feed?paged=2", "paged") == "2"


async def test_bloggers_rss_is_paged_by_its_counts(server, read):
    server.blogs["anna"] = Blog("blogger", some_posts(25))
    pages, _ = await read(Known(f"{server.blog('anna')}feeds/posts/default?alt=rss"))
    assert titles(pages) == list(range(25, 0, -1)) and pages[0].kind == "rss" and pages[-1].covers_from_utc == ""
