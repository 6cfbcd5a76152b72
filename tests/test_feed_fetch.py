"""One document of a blog: within bounds of time, bytes and politeness, and one sentence for what goes wrong."""

import asyncio
import gzip
import time
import tracemalloc
from dataclasses import replace

import pytest
from feed_server import ALLOWED, ANY, QUICK, Blog, Fault, resolve, serving, some_posts

from loaders.errors import Unreadable
from loaders.feed_errors import Gone, LookUpFailed, status_error
from loaders.feed_fetch import Client, fetch
from loaders.feed_turns import site, tenant
from loaders.feed_unpack import Unpacker

FEED = "/anna/feed/"


@pytest.fixture
def server():
    with serving({"anna": Blog("wordpress", some_posts(3))}) as running:
        yield running


@pytest.fixture
async def client():
    async with Client(ALLOWED, QUICK, resolve, ports=ANY) as one:
        yield one


async def test_a_document_and_that_it_has_not_changed(server, client):
    document = await fetch(client, server.url + FEED)
    assert (document.status, document.url) == (200, server.url + FEED)
    assert document.body.startswith(b"<?xml") and document.content_type.startswith("application/rss+xml")
    again = await fetch(client, server.url + FEED, document.etag, "Mon, 04 Mar 2024 10:00:00 GMT")
    assert again.not_modified and not again.body
    assert server.requests[-1][1]["if-modified-since"] == "Mon, 04 Mar 2024 10:00:00 GMT"


async def test_what_a_document_is_known_by_goes_to_its_own_host_only(server, client):
    with serving({"anna": Blog("wordpress", some_posts(3))}) as other:
        server.faults = [Fault(FEED, "redirect", other.at("other.example", FEED))]
        await fetch(client, server.at("anna.example", FEED), '"mine"', "Mon, 04 Mar 2024 10:00:00 GMT")
        assert server.requests[0][1]["if-none-match"] == '"mine"'
        assert not {"if-none-match", "if-modified-since"} & other.requests[0][1].keys()
        server.faults = [Fault(FEED, "redirect", server.at("anna.example", "/anna/feed/?x"), times=1)]
        await fetch(client, server.at("anna.example", FEED), '"mine"')
        assert server.requests[-1][1]["if-none-match"] == '"mine"'


async def test_that_nothing_changed_is_believed_only_where_it_was_asked(server, client):
    server.faults = [Fault(FEED, "status", 304)]
    with pytest.raises(Unreadable, match="never read"):
        await fetch(client, server.url + FEED)


@pytest.mark.parametrize("tag", ['"größe"', '"' + "x" * 5000 + '"', ""])
async def test_marks_that_cannot_be_sent_back_are_not_kept(server, client, tag: str):
    server.faults = [Fault(FEED, "reply", b"<rss/>", headers={"etag": tag})]
    assert (await fetch(client, server.url + FEED)).etag is None


@pytest.mark.parametrize("wait", ["9" * 400, "Mon, 04 Mar 99999999999999999999 10:00:00 GMT", "soon", "-1", ""])
async def test_odd_wishes_to_be_left_alone(server, client, wait: str):
    server.faults = [Fault(FEED, "busy", wait)]
    with pytest.raises(Unreadable, match="busy"):
        await fetch(client, server.url + FEED)


async def test_packed_answers(server, client):
    plain = await fetch(client, server.url + FEED)
    server.faults = [Fault(FEED, "gzip")]
    assert (await fetch(client, server.url + FEED)).body == plain.body


async def test_redirects_are_followed_five_times(server, client):
    server.faults = [Fault("/old", "redirect", "/older"), Fault("/anna/x", "redirect", FEED, times=5)]
    assert (await fetch(client, server.url + "/anna/x")).url == server.url + FEED
    server.faults = [Fault("/loop", "loop")]
    with pytest.raises(Unreadable, match="round in circles"):
        await fetch(client, server.url + "/loop")
    assert len([path for path in server.paths() if path.startswith("/loop")]) == 6


HALF = gzip.compress(b"x" * 99, mtime=0)[:-9]  # without the time, so that the test has the same name every time


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault(FEED, "status", 404), r"the blog is gone \(404\)"),
        (Fault(FEED, "status", 410), r"the blog is gone \(410\)"),
        (Fault(FEED, "status", 401), "asks for a password"),
        (Fault(FEED, "status", 403), r"does not let Coursette read it \(403\)"),
        (Fault(FEED, "status", 500), r"an error of its own \(500\)"),
        (Fault(FEED, "status", 418), "answers with status 418"),
        (Fault(FEED, "busy", 86400), "wants to be left alone for 86,400 seconds"),
        (Fault(FEED, "reply", b""), "answers with nothing"),
        (Fault(FEED, "brotli"), "packs its answers in a way that was not asked for"),
        (Fault(FEED, "reply", b"no gzip", headers={"content-encoding": "gzip"}), "cannot be unpacked"),
        (Fault(FEED, "drop"), "broke off in the middle"),
        (Fault(FEED, "reply", HALF, headers={"content-encoding": "gzip"}), "ended in the mid"),
        (Fault(FEED, "huge"), "larger than 10 MB"),
        (Fault(FEED, "bomb", 30), "larger than 10 MB"),
        (Fault(FEED, "bomb", 30, headers={"content-encoding": "deflate"}), "larger than 10 MB"),
    ],
    ids=lambda value: f"{value.kind} {value.value!r:.20}" if isinstance(value, Fault) else "",
)
async def test_what_goes_wrong_is_one_sentence(server, client, fault: Fault, sentence: str):
    server.faults = [fault]
    with pytest.raises(Unreadable, match=sentence) as error:
        await fetch(client, server.url + FEED)
    assert "\n" not in str(error.value) and len(str(error.value)) < 250


async def test_nobody_listens(client):
    with serving() as gone:
        url = gone.url
    with pytest.raises(Unreadable, match="cannot be reached"):
        await fetch(client, url)


async def test_no_tls_where_tls_was_asked_for(server, client):
    with pytest.raises(Unreadable, match="speaks no TLS"):
        await fetch(client, server.url.replace("http:", "https:"))


async def test_nothing_is_printed_of_what_is_tried_again(server, client, capfd, caplog):
    server.faults = [Fault(FEED, "drop", times=1)]
    await fetch(client, server.url + FEED)
    assert capfd.readouterr() == ("", "") and not [one for one in caplog.records if "stamina" in one.name]


async def test_a_name_that_cannot_be_looked_up_just_now(server):
    async def failing(host: str, port: int) -> list[str]:
        raise LookUpFailed(host)

    async with Client(ALLOWED, QUICK, failing, ports=ANY) as client:
        with pytest.raises(Unreadable, match=r"the name anna\.example\.org could not be looked up just now"):
            await fetch(client, server.at("anna.example.org"))


@pytest.mark.parametrize("kind", ["bomb", "huge"])
async def test_what_is_too_large_is_left_where_it_is_too_large(server, client, kind: str):
    server.faults = [Fault(FEED, kind, 30 if kind == "bomb" else 1000)]
    with pytest.raises(Unreadable, match="larger than 10 MB"):
        await fetch(client, server.url + FEED)
    assert server.sent < 100_000_000 and len(server.requests) == 1


def test_a_bomb_never_unpacks_more_than_is_allowed():
    packed = gzip.compress(b"\0" * 100_000_000, 1)
    tracemalloc.start()
    with pytest.raises(Unreadable, match="larger than 10 MB"):
        Unpacker("gzip", 10_000_000).feed(packed)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40_000_000


def test_the_limit_counts_what_is_unpacked_in_all_pieces_together():
    unpacker = Unpacker("gzip", 1000)
    unpacker.feed(gzip.compress(b"a" * 600) + gzip.compress(b"b" * 400))
    assert unpacker.whole() == b"a" * 600 + b"b" * 400
    with pytest.raises(Unreadable):
        unpacker.feed(gzip.compress(b"c"))


async def test_the_body_of_a_redirect_is_not_read(server, client):
    server.faults = [Fault("/moved", "redirect", FEED, headers={"content-length": "1000000"})]  # of which 5 come
    assert (await fetch(client, server.url + "/moved")).url == server.url + FEED


async def test_a_slow_drip_ends(server):
    server.faults = [Fault(FEED, "drip", 0.05)]
    async with Client(ALLOWED, replace(QUICK, document_s=0.5), ports=ANY) as client:
        started = time.monotonic()
        with pytest.raises(Unreadable, match="did not answer whole within"):
            await fetch(client, server.url + FEED)
        assert time.monotonic() - started < 3
        assert len(server.requests) == 1, "what drips today will drip again"


async def test_busy_blogs_are_asked_again_when_they_want_it(server, client):
    server.faults = [Fault(FEED, "busy", 1, times=1)]
    started = time.monotonic()
    assert (await fetch(client, server.url + FEED)).status == 200
    assert time.monotonic() - started >= 1 and len(server.requests) == 2


async def test_a_site_that_wants_to_be_left_alone_for_long_is_not_asked_for_its_other_blogs(server, client):
    server.faults = [Fault(FEED, "busy", 3600)]
    for _ in range(3):
        with pytest.raises(Unreadable, match=r"left alone for 3,\d\d\d seconds"):
            await fetch(client, server.url + FEED)
    assert len(server.requests) == 1


async def test_a_dropped_line_is_tried_again_three_times_at_most(server, client):
    server.faults = [Fault(FEED, "drop", times=2)]
    assert (await fetch(client, server.url + FEED)).status == 200
    server.faults = [Fault(FEED, "status", 503)]
    with pytest.raises(Unreadable, match=r"busy \(503\)"):
        await fetch(client, server.url + FEED)
    assert len(server.requests) == 6


async def test_what_is_gone_is_not_asked_again(server, client):
    with pytest.raises(Gone):
        await fetch(client, server.url + "/nobody/feed/")
    assert len(server.requests) == 1


async def test_two_at_once_for_a_site_and_sixteen_altogether():
    with serving({"anna": Blog("wordpress", some_posts(1))}, slow_s=0.05) as server:
        async with Client(ALLOWED, QUICK, resolve, ports=ANY) as client:
            one_site = [server.at(f"blog{number}.wordpress.example", FEED) for number in range(8)]
            await asyncio.gather(*(fetch(client, url) for url in one_site))
            assert server.most_open == 2
            many = [server.at(f"blog.site{number}.example", FEED) for number in range(40)]
            await asyncio.gather(*(fetch(client, url) for url in many))
            assert 2 < server.most_open <= 16


async def test_a_little_pause_between_calls_to_one_site(server):
    async with Client(ALLOWED, replace(QUICK, pause_s=0.2), ports=ANY) as client:
        started = time.monotonic()
        await asyncio.gather(*(fetch(client, server.url + FEED) for _ in range(4)))
        assert time.monotonic() - started >= 0.6


@pytest.mark.parametrize(
    ("host", "site_of", "tenant_of"),
    [
        ("anna.wordpress.com", "wordpress.com", "wordpress.com"),
        ("evil.netlify.app", "netlify.app", "evil.netlify.app"),
        ("a.b.github.io", "github.io", "b.github.io"),
        ("anna.com.au", "anna.com.au", "anna.com.au"),
        ("blogs.usq.edu.au", "usq.edu.au", "usq.edu.au"),
        ("localhost", "localhost", "localhost"),
        ("10.9.0.1", "10.9.0.1", "10.9.0.1"),
        ("2001:db8::1", "2001:db8::1", "2001:db8::1"),
    ],
)
def test_sites_are_told_apart_by_who_has_the_name(host: str, site_of: str, tenant_of: str):
    assert (site(host), tenant(host)) == (site_of, tenant_of)


async def test_who_wants_to_be_left_alone_speaks_for_no_classmate(server, client):
    with serving({"anna": Blog("wordpress", some_posts(1))}) as other:
        other.faults = [Fault(FEED, "busy", 86_400)]
        for evil, good in (("evil.com.au", "anna.com.au"), ("evil.netlify.app", "b.netlify.app"), ("e.b.edu", "b.edu")):
            with pytest.raises(Unreadable, match="left alone"):
                await fetch(client, other.at(evil, FEED))
            assert (await fetch(client, server.at(good, FEED))).status == 200


async def test_a_host_that_holds_the_line_keeps_only_its_own_places_busy(server, client):
    with serving() as slow:
        slow.faults = [Fault("/", "drip", 0.05)]
        asked = [asyncio.create_task(fetch(client, slow.at("evil.netlify.app", f"/{number}"))) for number in range(5)]
        while len(slow.requests) < 2:
            await asyncio.sleep(0.01)
        started = time.monotonic()
        assert (await fetch(client, server.at("anna.netlify.app", FEED))).status == 200
        assert time.monotonic() - started < 1 and len(slow.requests) == 2
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


async def test_who_waits_for_a_host_to_open_holds_no_place_of_its_site(server, client):
    server.faults = [Fault(FEED, "busy", 1, times=3)]
    asked = [asyncio.create_task(fetch(client, server.at("evil.b.edu", FEED))) for _ in range(3)]
    while len(server.requests) < 1:
        await asyncio.sleep(0.01)
    started = time.monotonic()
    with pytest.raises(Gone):
        await fetch(client, server.at("anna.b.edu", "/nobody/"))
    assert time.monotonic() - started < 0.5
    assert [document.status for document in await asyncio.gather(*asked)] == [200] * 3


def test_every_status_that_is_no_document_has_its_sentence():
    for status in (*range(201, 203), *range(204, 304), *range(305, 600)):
        assert str(status_error(status, None))
