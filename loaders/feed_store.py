"""Keeping what blogs answer: one transaction a page, so that nothing that came is lost when the rest does not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from loaders.blog_address import same
from loaders.feed_read import Known, Page
from loaders.load_log import now_utc
from loaders.schema import open_database

SINCE = """
select min(since) || 'T00:00:00Z'
from blog_starts
where ?1 is null or course_id in (select course_id from enrolments where person_id = ?1)
"""
# What sentiment says of a post: to be said anew when the post has changed.
SCORED = (
    "sentiment", "no_sentiment", "positive_pct", "negative_pct", "most_positive", "most_negative", "usual_sentiment",
    "scored_key",
)  # fmt: skip
CONTENT = (
    "title", "html", "text", "word_count", "link_count", "image_count", "published_utc", "updated_utc",
    "summary_only", "url",
)  # fmt: skip
KINDS = {"rss": "RSS", "atom": "Atom", "json": "JSON Feed"}
# Of the blogs that were read whole: from when on and until when any post of theirs was seen, and when that was.
READ_BEFORE = """
select id, coalesce(since_utc, ' '), strftime('%Y-%m-%dT%H:%M:%SZ', fetched_utc, '-2 days'), fetched_utc
from feeds
where whole and fetched_utc is not null
"""
HAVE = f"select guid, id, gone_utc, summary_only, {', '.join(CONTENT)} from blog_posts where feed_id = ? and guid = ?"
PLACE = "select guid from blog_posts where feed_id = ? and url = ? and published_utc = ? limit 2"


class Blog(NamedTuple):
    """Which blog is meant, for as long as a run takes: SQLite gives the key of one that is removed to another.

    `since_utc`: how far back it has been read once this run has read all of it, None for all the way.
    """

    key: int
    url: str
    since_utc: str | None = None


class Store:
    """The database, as one run of fetching writes it. To be used from one thread."""

    def __init__(self, path: str | Path):
        self.connection = open_database(path).conn
        self.started = now_utc()
        self.read_before = {key: row for key, *row in self.connection.execute(READ_BEFORE)}

    def feeds(self, only_new: bool) -> list[tuple[Blog, Known]]:
        """(which, what is known) of every blog to ask, the one asked longest ago first."""
        rows = self.connection.execute(
            "select id, person_id, url, feed_url, etag, last_modified, older_url, whole, since_utc from feeds where"
            f" registered {'and fetched_utc is null' if only_new else ''} order by asked_utc is not null, asked_utc, id"
        ).fetchall()
        limits = {person: self._since(person) for _, person, *_ in rows}
        found = []
        for key, person, url, *rest, whole, read_from in rows:
            since = limits[person]
            # A course that was loaded since then may have begun earlier: then there is more to read.
            whole = bool(whole) and (read_from is None or (since is not None and read_from <= since))
            known = Known(url, *rest, whole, self._guids(key), since)
            found.append((Blog(key, url, read_from if whole else since), known))
        return found

    def _since(self, person: int | None) -> str | None:
        """Four weeks before the student's earliest course began; of an unknown student, before any."""
        return self.connection.execute(SINCE, (person,)).fetchone()[0]

    def _guids(self, feed: int) -> frozenset[str]:
        sql = "select guid from blog_posts where feed_id = ? and guid is not null"
        return frozenset(guid for (guid,) in self.connection.execute(sql, (feed,)))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        self.connection.execute("begin immediate")
        try:
            yield
        except BaseException:
            self.connection.execute("rollback")
            raise
        self.connection.execute("commit")

    def _still(self, blog: Blog) -> bool:
        """Whether the blog is still registered, or was taken back while it was read; inside a transaction."""
        row = self.connection.execute("select url from feeds where id = ?", (blog.key,)).fetchone()
        return row is not None and same(row[0]) == same(blog.url)

    def save_page(self, blog: Blog, page: Page) -> tuple[int, int]:
        """Keep one page of a blog; returns (posts that are new, posts that changed)."""
        with self.transaction():
            if not self._still(blog):
                return 0, 0
            new, changed = self._save_posts(blog.key, page.posts)
            self.connection.execute(
                "update feeds set feed_url = ?, served_url = coalesce(?, served_url), title = coalesce(?, title),"
                " kind = coalesce(?, kind), etag = ?,"
                " last_modified = ?, older_url = ?, whole = ?, since_utc = ?, asked_utc = ?, fetched_utc = ?,"
                " error = null where id = ?",
                (page.feed_url, page.served_url, page.title, KINDS.get(page.kind), page.etag, page.last_modified,
                 page.older_url, page.whole, blog.since_utc, self.started, now_utc(), blog.key),
            )  # fmt: skip
        return new, changed

    def save_error(self, blog: Blog, sentence: str) -> None:
        """Note why a blog could not be read; what is known of it stays."""
        with self.transaction():
            if self._still(blog):
                self.connection.execute(
                    "update feeds set asked_utc = ?, error = ? where id = ?", (self.started, sentence, blog.key)
                )

    def mark_gone(self, blog: Blog, covers_from_utc: str | None, missing: frozenset[str]) -> int:
        """Mark those of the `missing` that should have been on the pages read; returns how many.

        `missing` were known when the run began and were on no page of it: what another run has found meanwhile is
        none of them.
        """
        if covers_from_utc is None:
            return 0
        sql = (
            "select id, guid from blog_posts where feed_id = ?1 and gone_utc is null"
            " and (?2 = '' or published_utc > ?2)"
        )
        with self.transaction():
            rows = self.connection.execute(sql, (blog.key, covers_from_utc)).fetchall() if self._still(blog) else []
            gone = [(self.started, key) for key, guid in rows if guid in missing]
            self.connection.executemany("update blog_posts set gone_utc = ? where id = ?", gone)
        return len(gone)

    def _save_posts(self, feed: int, posts: list[dict]) -> tuple[int, int]:
        (person,) = self.connection.execute("select person_id from feeds where id = ?", (feed,)).fetchone()
        here = {post["guid"] for post in posts}
        new = changed = 0
        for post in posts:
            before = self._kept(feed, post["guid"]) or self._kept_otherwise(feed, post, here)
            values = post | {"link_count": len(post["links"]), "summary_only": int(post["summary_only"])}
            if before is None:
                self._insert(feed, person, values)
                new += 1
            else:
                changed += self._update(before, values)
        return new, changed

    def _kept(self, feed: int, guid: str) -> tuple | None:
        """A post as it is kept: one at a time, as a blog may hold many and long ones."""
        return self.connection.execute(HAVE, (feed, guid)).fetchone()

    def _kept_otherwise(self, feed: int, post: dict, here: set[str]) -> tuple | None:
        """The same post, as another feed of the blog calls it, where address and time tell it for certain."""
        found = self.connection.execute(PLACE, (feed, post["url"], post["published_utc"])).fetchall()
        return self._kept(feed, found[0][0]) if len(found) == 1 and found[0][0] not in here else None

    def _insert(self, feed: int, person: int | None, post: dict) -> None:
        columns = ("feed_id", "person_id", "guid", "first_fetched_utc", "missed_utc", *CONTENT)
        own = (feed, person, post["guid"], now_utc(), self._missed(feed, post))
        values = (*own, *(post[column] for column in CONTENT))
        marks = ", ".join("?" * len(columns))
        key = self.connection.execute(
            f"insert into blog_posts ({', '.join(columns)}) values ({marks})", values
        ).lastrowid
        self._save_links(key, post["links"])

    def _missed(self, feed: int, post: dict) -> str | None:
        """When the whole blog was last read, where a post that is new now is dated well before: it was not there."""
        since, until, read = self.read_before.get(feed, ("", "", None))
        return read if since <= (post["published_utc"] or "") < until else None

    def _update(self, before: tuple, post: dict) -> bool:
        """Bring a post up to date; returns whether it reads otherwise than before."""
        guid, key, gone, summary, *content = before
        if post["summary_only"] and not summary:
            return self._is_back(key, gone)  # the feed has been shortened: the whole post is kept
        values = [post[column] for column in CONTENT]
        edited = (post["title"], post["text"]) != (content[0], content[2])
        if (guid, *values) != (post["guid"], *content):
            sets = [f"{column} = ?" for column in ("guid", *CONTENT)]
            rescored = SCORED if post["text"] != content[2] else ()
            sets += [f"{column} = null" for column in (*rescored, "gone_utc")]
            self.connection.execute(
                f"update blog_posts set {', '.join(sets)} where id = ?", (post["guid"], *values, key)
            )
            self._save_links(key, post["links"])
        return self._is_back(key, gone) or edited

    def _is_back(self, key: int, gone: str | None) -> bool:
        if gone:
            self.connection.execute("update blog_posts set gone_utc = null where id = ?", (key,))
        return bool(gone)

    def _save_links(self, post: int, links: list[str]) -> None:
        self.connection.execute("delete from post_links where blog_post_id = ?", (post,))
        self.connection.executemany(
            "insert into post_links (blog_post_id, url) values (?, ?)", [(post, url) for url in links]
        )
