"""What a student, or whoever took over her blog, might send to do harm: a sentence or a bounded result, and in time."""

import asyncio
import json
import sys
import time
from dataclasses import replace

import pytest
from blog_answers import HOME, RSS, WRITERS, Blog, document, some_posts
from feed_server import BOMB, OUTSIDE, QUICK

from loaders.errors import Unreadable
from loaders.feed_fetch import Client
from loaders.feed_parse import MOST_POSTS, parse, read
from loaders.feed_worker import Workers

HIDDEN = [
    BOMB.replace("<!DOCTYPE", "<!-- <rss> --><!DOCTYPE"),
    BOMB.replace("<!DOCTYPE", "<?pi <rss> ?>\n<!DOCTYPE"),
    BOMB.replace("[<", """[<!ENTITY a "]>"><"""),
    BOMB.replace("lolz [", """lolz PUBLIC ">" "[" ["""),
    BOMB.replace("lolz [", "lolz SYSTEM 'x' ["),
    BOMB.replace("[<", "[<!-- ]> --><"),
    BOMB.replace("<!DOCTYPE", "<!doctype"),
]


@pytest.mark.parametrize("body", [BOMB, OUTSIDE, *HIDDEN, BOMB.encode("utf-16"), OUTSIDE.encode("utf-16-le")])
def test_entities_that_grow_or_come_from_elsewhere_are_refused(body: str | bytes):
    with pytest.raises(Unreadable, match="XML entities"):
        read(document(body))


def test_entities_that_name_a_character_are_read():
    entities = '<!DOCTYPE rss [<!ENTITY nbsp "&#160;"><!ENTITY eacute "&#233;">]>'
    assert read(document(f"{entities}{RSS}<item><title>caf&eacute;</title></item>{END}")).posts[0]["title"] == "café"


def test_a_document_type_without_entities_is_read():
    kind = '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/rss-0.91.dtd">'
    assert len(read(document(f"<!-- made by hand -->{kind}{RSS}<item><title>x</title></item>{END}")).posts) == 1


def test_more_posts_than_a_student_writes_are_a_bounded_result():
    started = time.monotonic()
    feed = read(document(RSS + "".join(f"<item><guid>{number}</guid></item>" for number in range(100_000)) + END))
    assert len(feed.posts) <= MOST_POSTS and "more than 5,000" in feed.fault
    items = [{"id": str(number)} for number in range(100_000)]
    feed = read(document(json.dumps({"version": "https://jsonfeed.org/version/1", "items": items})))
    assert len(feed.posts) == MOST_POSTS and "more than 5,000" in feed.fault
    assert time.monotonic() - started < 60


END = "</channel></rss>"
ATTRIBUTES = " ".join(f"a{number}='1'" for number in range(200_000))
NAMESPACES = " ".join(f"xmlns:n{number}='u{number}'" for number in range(50_000))
HOSTILE = {
    "nested tags": RSS + "<a>" * 200_000,
    "nested tags in a post": f"{RSS}<item><description>{'&lt;div&gt;' * 100_000}</description></item>{END}",
    "attributes": f"{RSS}<item {ATTRIBUTES}/>{END}",
    "attributes in a post": f"{RSS}<item><description>&lt;p {'a=1 ' * 300_000}&gt;</description></item>{END}",
    "namespaces": f"<rss {NAMESPACES}>{RSS[5:]}{END}",
    "one long title": f"{RSS}<item><title>{'x' * 9_000_000}</title></item>{END}",
    "open comments": RSS + "<!--" * 300_000,
    "open brackets": "<rss><" * 300_000,
    "ampersands": f"{RSS}<item><title>{'&' * 1_000_000}</title></item>{END}",
    "brackets of JSON": '{"version": "https://jsonfeed.org/version/1", "items": ' + "[" * 1_000_000,
    "half-open links": f"{RSS}<item><description>{'&lt;a href=' * 200_000}</description></item>{END}",
}


@pytest.fixture(scope="module")
def workers():
    some = Workers(2)
    yield some
    asyncio.run(some.stop())


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_documents_end_in_a_sentence_or_a_bounded_result(workers, name: str):
    try:
        feed = await parse(workers, document(HOSTILE[name]))
        assert len(feed.posts) <= MOST_POSTS and sum(len(post["html"]) for post in feed.posts) < 10_000_000
    except Unreadable as error:
        assert "\n" not in str(error)


def forever() -> None:
    while True:
        pass


def much() -> int:
    return len(bytearray(3_000_000_000))


def odd() -> None:
    raise KeyError("of a library")


async def test_whatever_a_library_raises_is_one_sentence(workers):
    with pytest.raises(Unreadable, match="broken in a way") as error:
        await workers.run(odd)
    assert isinstance(error.value.__cause__, KeyError)


async def test_what_takes_too_long_or_too_much_memory_is_ended_and_the_next_feed_is_read():
    workers = Workers(1)
    with pytest.raises(Unreadable, match="takes longer than 1 seconds"):
        await workers.run(forever)
    if sys.platform == "linux":  # elsewhere a process's memory cannot be bounded
        with pytest.raises(Unreadable, match="too much memory"):
            await workers.run(much)
    await workers.stop()
    async with Client(limits=replace(QUICK, parse_s=20)) as client:
        body = WRITERS["json"](Blog("json", some_posts(2)), HOME, {}).body
        assert len((await parse(client.workers, document(body))).posts) == 2
