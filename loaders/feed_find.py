"""The feed of a blog, from the blog's own address: the one its page names, else the usual places."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from loaders.errors import Unreadable
from loaders.feed_address import web_address
from loaders.feed_budget import Budget, Spent
from loaders.feed_document import Document, Feed
from loaders.feed_errors import LOGIN, Away, Gone, NotAFeed
from loaders.feed_fetch import Client, fetch
from loaders.feed_parse import parse

NONE = "no feed was found at this address: ask for the address of the blog's feed (often the blog's address and /feed/)"
USUAL = ("feed/", "feed.xml", "rss", "feeds/posts/default", "rss.xml", "atom.xml", "index.xml")
MOST_NAMED = 5  # feeds that a page names and that are tried
KINDS = {
    "application/atom+xml": "atom",
    "application/rss+xml": "rss",
    "application/rdf+xml": "rss",
    "application/feed+json": "json",
    "text/xml": "rss",
    "application/xml": "rss",
    "application/json": "json",
}
_VAGUE = ("text/xml", "application/xml", "application/json")  # WordPress's REST interface is one such, and no feed
_COMMENTS = re.compile(r"comment|kommentar|comentario|comentário|commentaire|commenti|reacties", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """A feed that was read on the way to it: its address, the document and the feed in it."""

    url: str
    document: Document
    feed: Feed


async def find(client: Client, url: str, budget: Budget | None = None) -> Found:
    """The feed of a blog. Raises Unreadable."""
    budget = budget or client.budget()
    document = await fetch(client, url, budget=budget)
    try:
        return Found(web_address(url), document, await parse(client.workers, document))
    except NotAFeed as error:
        no_feed = error
    named = await client.workers.run(named_feeds, document)
    failed: Unreadable | None = None
    for candidate in [*named[:MOST_NAMED], *usual_places(document.url)]:
        try:
            document = await fetch(client, candidate, budget=budget)
            return Found(candidate, document, await parse(client.workers, document))
        except (Gone, NotAFeed):
            continue
        except (Away, Spent):
            raise
        except Unreadable as error:
            failed = failed or error
    raise failed or Unreadable(str(no_feed) if str(no_feed) == LOGIN else NONE)


def usual_places(url: str) -> list[str]:
    """Where blogs have their feeds. Only below the blog's own folder: above may be somebody else's."""
    parts = urlsplit(url)
    folder = parts.path if parts.path.endswith("/") else parts.path.rpartition("/")[0] + "/"
    last = parts.path.rpartition("/")[2]
    if last and "." not in last:  # /~anna is a folder too
        folder = f"{parts.path}/"
    return [f"{parts.scheme}://{parts.netloc}{folder}{place}" for place in USUAL]


def named_feeds(document: Document) -> list[str]:
    """The feeds that a page names, the likeliest first; comments' feeds are none.

    <link rel="alternate" type="application/rss+xml" title="Anna's blog » Feed" href="https://…/feed/">
    """
    tree = LexborHTMLParser(document.text())
    base = _base(tree, document.url)
    links = [(_kind(node), _address(node, base)) for node in tree.css("link[rel][href]") if _names_a_feed(node)]
    rows = [(kind, url) for kind, url in links if url and not _COMMENTS.search(urlsplit(url).path)]
    if any("/feeds/posts/" in url for _, url in rows):  # Blogger: its Atom tells most, its RSS less
        rows.sort(key=lambda row: ("atom", "rss", "json").index(row[0]))
    return list(dict.fromkeys(url for _, url in rows))


def _base(tree: LexborHTMLParser, url: str) -> str:
    node = tree.css_first("base[href]")
    try:
        return urljoin(url, (node.attributes.get("href") or "").strip()) if node is not None else url
    except ValueError:
        return url


def _kind(node: LexborNode) -> str:
    return KINDS.get(_type(node), "rss")


def _type(node: LexborNode) -> str:
    return (node.attributes.get("type") or "").partition(";")[0].strip().lower()


def _address(node: LexborNode, base: str) -> str | None:
    try:
        return web_address(urljoin(base, (node.attributes.get("href") or "").strip()))
    except (Unreadable, ValueError):
        return None


def _names_a_feed(node: LexborNode) -> bool:
    """Whether a link names a feed, and not one of comments by its title ("Anna » Week 1 Comments Feed")."""
    relations = (node.attributes.get("rel") or "").lower().split()
    if "alternate" not in relations or "stylesheet" in relations or _type(node) not in KINDS:
        return False
    if _COMMENTS.search(re.split(r"»| - |\|", node.attributes.get("title") or "")[-1]):
        return False
    href = node.attributes.get("href") or ""
    return _type(node) not in _VAGUE or bool(re.search(r"feed|rss|atom|\.xml", href, re.IGNORECASE))
