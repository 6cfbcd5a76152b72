"""All of one blog, page by page, so that a caller can keep each page before the next is asked for.

The newest page first. The first time every older page follows; later only as far as what is known already, and where
older pages are still missing, reading goes on there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from loaders.errors import Unreadable
from loaders.feed_budget import Budget
from loaders.feed_document import Document, Feed
from loaders.feed_errors import Gone, NotAFeed
from loaders.feed_fetch import Client, fetch
from loaders.feed_find import Found, find
from loaders.feed_pages import may_follow
from loaders.feed_parse import parse


@dataclass(frozen=True)
class Known:
    """What is known of a blog before it is read: all of it comes from `Page`s of an earlier run.

    `url`: as it was registered. `older_url`: where reading of older pages was interrupted. `whole`: every older page
    has been read once. `guids`: of its posts. `since_utc`: older posts are not needed.
    """

    url: str
    feed_url: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    older_url: str | None = None
    whole: bool = False
    guids: frozenset[str] = frozenset()
    since_utc: str | None = None


@dataclass(frozen=True)
class Page:
    """One document of a blog. What is to be kept with the feed is here after every page.

    `served_url`: where the newest came from, after redirects. `older_url`: what comes next, None at the end. `whole`:
    nothing older is left to read. `not_modified`: nothing new since the last time. `covers_from_utc`: posts published
    after this that were on no page of this run are gone; "" where everything was read, None where it cannot be told.
    """

    feed_url: str
    served_url: str | None = None
    posts: list[dict] = field(default_factory=list, repr=False)
    title: str | None = None
    kind: str | None = None  # atom, rss or json
    etag: str | None = None
    last_modified: str | None = None
    older_url: str | None = None
    whole: bool = False
    not_modified: bool = False
    covers_from_utc: str | None = None


async def read_blog(client: Client, known: Known) -> AsyncIterator[Page]:
    """The pages of one blog, and an empty one where the end shows only by asking for more.

    Raises Unreadable; the pages that came before it count. Posts older than `since_utc` come too, where they are on a
    page with newer ones.
    """
    client.name(known.url)
    budget = client.budget()
    found = await _first(client, known, budget)
    run = Run(known, found, budget)
    page = run.page(found.document, found.feed)
    yield page
    while page.older_url and not page.whole and run.pages < client.limits.pages and not run.fault:
        run.asked.add(page.older_url)
        try:
            document = await fetch(client, page.older_url, budget=budget)
            page = run.page(document, await parse(client.workers, document))
        except (Gone, NotAFeed) as error:  # WordPress says by 404 that there are no more
            page = run.end(proper=isinstance(error, Gone))
        yield page
    if run.fault:
        raise Unreadable(run.fault)


async def _first(client: Client, known: Known, budget: Budget) -> Found:
    """The newest page, or that it has not changed; the feed is looked for again where it is no longer where it was."""
    if not known.feed_url:
        return await find(client, known.url, budget)
    resumable = known.whole or known.older_url  # else its page is needed to know where older posts are
    asked = (known.etag, known.last_modified) if resumable else (None, None)
    try:
        document = await fetch(client, known.feed_url, *asked, budget)
        feed = None if document.not_modified else await parse(client.workers, document)
        return Found(known.feed_url, document, feed)
    except (Gone, NotAFeed):
        if known.feed_url == known.url:
            raise
        return await find(client, known.url, budget)


class Run:
    """One reading of one blog: what was asked and what came, to tell what comes next and what is gone."""

    def __init__(self, known: Known, found: Found, budget: Budget):
        self.known, self.budget, self.pages, self.fault = known, budget, 0, None
        self.sites = (known.url, found.url, found.document.url)
        self.asked, self._seen = {found.url, found.document.url}, set()
        self._kept = {
            "feed_url": found.url, "served_url": found.document.url, "title": None, "kind": None,
            "etag": found.document.etag, "last_modified": found.document.last_modified,
        }  # fmt: skip
        self._joined = True  # no gap between the newest page and this one
        self._falling, self._oldest = True, None  # of the posts on pages without a gap

    def page(self, document: Document, feed: Feed | None) -> Page:
        """What a document brings. `feed` None: it has not changed."""
        self.pages += 1
        if feed is None:
            return self._unchanged()
        self._kept |= {"title": feed.title or self._kept["title"], "kind": feed.kind}
        self.fault = feed.fault
        posts = [post for post in feed.posts if post["guid"] not in self._seen]
        if not posts and self.pages > 1:
            return self.end(proper=False)  # a server that gives the same page again, whatever it is asked for
        self.budget.seconds -= feed.seconds
        taken = self.budget.take(posts, self.known.guids)
        self._note(taken)
        if len(taken) < len(posts):
            return self._cut(document, taken)
        older_url, whole, at_end = self._after(document, feed, posts)
        covers = self._covers(at_end)
        self._joined = self._joined and older_url in (feed.older, None)
        return Page(posts=posts, older_url=older_url, whole=whole, covers_from_utc=covers, **self._kept)

    def _cut(self, document: Document, posts: list[dict]) -> Page:
        """A part of a page, where the budget ends in it: the next run reads the page again, and takes the rest."""
        self.fault = self.budget.sentence
        if self.pages == 1:
            self._kept |= {"etag": None, "last_modified": None}
        older_url = self.known.older_url if self.pages == 1 else document.url
        return Page(posts=posts, older_url=older_url, covers_from_utc=self._covers(False), **self._kept)

    def end(self, proper: bool) -> Page:
        """That there are no more. `proper`: the blog says so."""
        return Page(whole=True, covers_from_utc=self._covers(proper), **self._kept)

    def _unchanged(self) -> Page:
        known, self._joined = self.known, False
        for name in ("etag", "last_modified"):
            self._kept[name] = self._kept[name] or getattr(known, name)
        older_url = known.older_url if not known.whole and may_follow(known.older_url, self.sites) else None
        return Page(older_url=older_url, whole=known.whole, not_modified=True, **self._kept)

    def _note(self, posts: list[dict]) -> None:
        """Remember posts, and whether they come in falling order of publication; those without a date say nothing."""
        for post in posts:
            self._seen.add(post["guid"])
            if self._joined and self._falling and (published := post["published_utc"]):
                self._falling = self._oldest is None or published <= self._oldest
                self._oldest = published

    def _covers(self, at_end: bool) -> str | None:
        """See Page.covers_from_utc. A feed of one page may well have had posts that went off its end."""
        if at_end and self._joined and self.pages > 1:
            return ""
        return self._oldest if self._falling else None

    def _after(self, document: Document, feed: Feed, posts: list[dict]) -> tuple[str | None, bool, bool]:
        """(what comes next, whether nothing is left to read, whether the feed says that this is its end)."""
        known = self.known
        meets = any(post["guid"] in known.guids for post in posts)
        if feed.fault:
            return known.older_url, known.whole and meets, False
        if (known.whole and meets) or self._not_needed(posts):
            return None, True, False
        if meets and self._joined and self._may_ask(known.older_url):
            return known.older_url, False, False
        if self._may_ask(feed.older):
            return feed.older, False, False
        return None, True, feed.older is None

    def _may_ask(self, url: str | None) -> bool:
        return url not in self.asked and may_follow(url, self.sites)

    def _not_needed(self, posts: list[dict]) -> bool:
        """Whether all of a page is older than what is needed."""
        since = self.known.since_utc
        times = [max(post["published_utc"] or "", post["updated_utc"] or "") for post in posts]
        return bool(since and times) and all("" < time < since for time in times)
