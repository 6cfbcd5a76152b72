"""What students' blogs answer: as WordPress 6, Blogger, static sites with Atom (RFC 5005) and JSON Feed write it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape
from urllib.parse import parse_qs, urlsplit

from loaders.feed_document import Document

HOME = "https://anna.example.org/anna/"
RSS = (
    '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Anna</title>'
)
FIRST_DAY = datetime(2024, 3, 4, 10, 0, tzinfo=UTC)


def document(body: str | bytes, content_type: str = "application/xml") -> Document:
    """A document as if it had been fetched."""
    return Document(f"{HOME}feed/", 200, body if isinstance(body, bytes) else body.encode(), content_type)


@dataclass
class Post:
    """A post of a student; `html` is what she wrote."""

    number: int
    title: str
    html: str
    published: datetime
    updated: datetime | None = None


def some_posts(count: int, first: int = 1, words: int = 40) -> list[Post]:
    """Posts, the newest first, one every two days."""
    return [
        Post(
            number=number,
            title=f"Week {number}: what I learnt & what’s next",
            html=f"<p>Post {number}. {'I tried the exercise and it worked. ' * (words // 7)}</p>"
            f'<p>See <a href="https://classmate.example.org/{number}">this post</a>.</p>',
            published=FIRST_DAY + timedelta(days=2 * number),
        )
        for number in range(first + count - 1, first - 1, -1)
    ]


@dataclass
class Blog:
    """A blog, as `kind` writes it: wordpress, blogger, atom (RFC 5005 paged), archive (RFC 5005), json or rss."""

    kind: str
    posts: list[Post] = field(default_factory=list)  # the newest first
    title: str = "Anna’s learning blog"
    per_page: int = 10
    excerpts: bool = False  # the feed has summaries only
    page: str | None = None  # the blog's own page in place of the usual one
    named: bool = True  # whether that page names its feed


@dataclass
class Reply:
    """One answer."""

    body: bytes
    kind: str = "text/html; charset=utf-8"
    status: int = 200
    headers: dict = field(default_factory=dict)


def answer(blogs: dict[str, Blog], path: str, site: str) -> Reply:
    """What a blog says at a path: /anna/ is its page, below it is its feed."""
    parts = urlsplit(path)
    name, _, rest = parts.path.lstrip("/").partition("/")
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    blog = blogs.get(name)
    missing = Reply(b"<!DOCTYPE html><html><title>Not found</title></html>", status=404)
    if blog is None:
        return missing
    home = f"{site}/{name}/"
    if rest == "":
        return Reply((blog.page or _page(blog, home)).encode())
    writes = WRITERS[blog.kind]
    return (writes(blog, home, query) if rest == FEEDS[blog.kind] else None) or missing


FEEDS = {
    "wordpress": "feed/",
    "blogger": "feeds/posts/default",
    "atom": "atom.xml",
    "archive": "atom.xml",
    "json": "feed.json",
    "rss": "rss.xml",
}
TYPES = {"json": "application/feed+json", "wordpress": "application/rss+xml", "rss": "application/rss+xml"}


def _page(blog: Blog, home: str) -> str:
    """A blog's page, with the links that such blogs name: comments' feeds among them."""
    kind = TYPES.get(blog.kind, "application/atom+xml")
    links = f'<link rel="alternate" type="{kind}" title="{escape(blog.title)} » Feed" href="{FEEDS[blog.kind]}">'
    if blog.kind == "wordpress":
        title = f"{escape(blog.title)} » Comments Feed"
        links += f'<link rel="alternate" type="{kind}" title="{title}" href="comments/feed/">'
        links += f'<link rel="alternate" title="JSON" type="application/json" href="{home}wp-json/wp/v2/pages/2">'
    if blog.kind == "blogger":
        rss = '<link rel="alternate" type="application/rss+xml" title="{0} - RSS" href="{1}?alt=rss">'
        links = rss.format(escape(blog.title), FEEDS["blogger"]) + links
    head = f"<head><title>{escape(blog.title)}</title>{links if blog.named else ''}</head>"
    return f"<!DOCTYPE html><html>{head}<body><h1>Blog</h1></body></html>"


def _numbered(blog: Blog, query: dict, name: str) -> tuple[list[Post], int, bool]:
    """(posts of a page, its number, whether there are older ones)."""
    page = int(query.get(name, 1))
    start = (page - 1) * blog.per_page
    return blog.posts[start : start + blog.per_page], page, start + blog.per_page < len(blog.posts)


def _excerpt(post: Post) -> str:
    return f"Post {post.number} and what I &#8230; [&#8230;]"


RSS_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    ' xmlns:wfw="http://wellformedweb.org/CommentAPI/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:atom="http://www.w3.org/2005/Atom" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"'
    ' xmlns:slash="http://purl.org/rss/1.0/modules/slash/">\n'
)


def wordpress(blog: Blog, home: str, query: dict) -> Reply | None:
    """As WordPress 6 writes it: content:encoded, ?paged=N, and 404 past the end."""
    posts, page, _ = _numbered(blog, query, "paged")
    if page > 1 and not posts:
        return None
    items = "".join(
        f"<item>\n<title>{escape(post.title).replace('’', '&#8217;')}</title>"
        f"<link>{home}{post.published:%Y/%m/%d}/p{post.number}/</link>"
        f"<comments>{home}{post.number}/#respond</comments><dc:creator><![CDATA[anna]]></dc:creator>"
        f"<pubDate>{post.published:%a, %d %b %Y %H:%M:%S} +0000</pubDate><category><![CDATA[Uncategorized]]></category>"
        f'<guid isPermaLink="false">{home}?p={post.number}</guid>'
        f"<description><![CDATA[<p>{_excerpt(post)}</p>]]></description>"
        + ("" if blog.excerpts else f"<content:encoded><![CDATA[{post.html}]]></content:encoded>")
        + f"<wfw:commentRss>{home}{post.number}/feed/</wfw:commentRss><slash:comments>0</slash:comments></item>\n"
        for post in posts
    )
    text = (
        f'{RSS_HEAD}<channel><title>{escape(blog.title)}</title><atom:link href="{home}feed/" rel="self"'
        f' type="application/rss+xml" /><link>{home}</link><sy:updatePeriod>hourly</sy:updatePeriod>'
        f"<generator>https://wordpress.org/?v=6.4.3</generator>\n{items}</channel></rss>\n"
    )
    return Reply(text.encode(), "application/rss+xml; charset=UTF-8")


def rss(blog: Blog, home: str, query: dict) -> Reply:
    """Plain RSS 2.0 of the newest posts, without a way to older ones."""
    items = "".join(
        f"<item><title>{escape(post.title)}</title><link>{home}{post.number}.html</link>"
        f"<guid>{home}{post.number}.html</guid><pubDate>{post.published:%a, %d %b %Y %H:%M:%S} GMT</pubDate>"
        f"<description>{escape(post.html)}</description></item>"
        for post in blog.posts[: blog.per_page]
    )
    text = f'<rss version="2.0"><channel><title>{escape(blog.title)}</title><link>{home}</link>{items}</channel></rss>'
    return Reply(text.encode(), "application/rss+xml")


def _stamp(post: Post) -> str:
    return (post.updated or post.published).strftime("%Y-%m-%dT%H:%M:%SZ")


def _atom_entry(post: Post, home: str, excerpts: bool) -> str:
    body = f'<summary type="text">Post {post.number} and so on</summary>' if excerpts else (
        f'<content type="html">{escape(post.html)}</content>'
    )  # fmt: skip
    return (
        f"<entry><id>tag:blogger.com,1999:blog-77.post-{post.number}</id><published>{post.published:%Y-%m-%dT%H:%M:%S}Z"
        f"</published><updated>{_stamp(post)}</updated><title type='text'>{escape(post.title)}</title>{body}"
        f"<link rel='replies' type='application/atom+xml' href='{home}feeds/{post.number}/comments/default'/>"
        f"<link rel='alternate' type='text/html' href='{home}{post.number}.html'/></entry>"
    )


def _atom(blog: Blog, posts: list[Post], home: str, head: str) -> Reply:
    entries = "".join(_atom_entry(post, home, blog.excerpts) for post in posts)
    text = (
        "<?xml version='1.0' encoding='UTF-8'?><feed xmlns='http://www.w3.org/2005/Atom'"
        " xmlns:openSearch='http://a9.com/-/spec/opensearchrss/1.0/' xmlns:fh='http://purl.org/syndication/history/1.0'>"
        f"<id>tag:blogger.com,1999:blog-77</id><title type='text'>{escape(blog.title)}</title>{head}{entries}</feed>"
    )
    return Reply(text.encode(), "application/atom+xml; charset=UTF-8")


def blogger(blog: Blog, home: str, query: dict) -> Reply:
    """As Blogger writes it: Atom with a next link, RSS with OpenSearch's counts."""
    start, size = int(query.get("start-index", 1)), int(query.get("max-results", blog.per_page))
    posts, total = blog.posts[start - 1 : start - 1 + size], len(blog.posts)
    more = start + size <= total
    counts = (
        f"<openSearch:totalResults>{total}</openSearch:totalResults><openSearch:startIndex>{start}</openSearch:startIndex>"
        f"<openSearch:itemsPerPage>{size}</openSearch:itemsPerPage>"
    )
    if query.get("alt") == "rss":
        reply = rss(Blog("rss", posts, blog.title, size), home, query)
        head = '<rss xmlns:openSearch="http://a9.com/-/spec/opensearchrss/1.0/" version="2.0">'
        text = reply.body.decode().replace('<rss version="2.0">', head).replace("</link>", f"</link>{counts}", 1)
        return Reply(text.encode(), "application/rss+xml")
    next_page = f"{home}feeds/posts/default?start-index={start + size}&amp;max-results={size}"
    link = f"<link rel='next' type='application/atom+xml' href='{next_page}'/>"
    generator = "<generator version='7.00' uri='http://www.blogger.com'>Blogger</generator>"
    return _atom(blog, posts, home, f"{link if more else ''}{generator}{counts}")


def atom(blog: Blog, home: str, query: dict) -> Reply:
    """Atom, paged by RFC 5005: rel=next."""
    posts, page, more = _numbered(blog, query, "page")
    return _atom(blog, posts, home, f"<link rel='next' href='atom.xml?page={page + 1}'/>" if more else "")


def archive(blog: Blog, home: str, query: dict) -> Reply:
    """Atom with archives by RFC 5005: rel=prev-archive."""
    posts, page, more = _numbered(blog, query, "archive")
    head = "<fh:archive/>" if page > 1 else ""
    return _atom(blog, posts, home, head + (f"<link rel='prev-archive' href='atom.xml?archive={page + 1}'/>" * more))


def json_feed(blog: Blog, home: str, query: dict) -> Reply:
    """JSON Feed 1.1 with next_url."""
    posts, page, more = _numbered(blog, query, "page")
    found: dict = {"version": "https://jsonfeed.org/version/1.1", "title": blog.title, "home_page_url": home}
    if more:
        found["next_url"] = f"{home}feed.json?page={page + 1}"
    found["items"] = [
        {"id": str(post.number), "url": f"{home}{post.number}", "title": post.title, "date_modified": _stamp(post),
         "date_published": post.published.isoformat(), **({"summary": "In short"} if blog.excerpts else
         {"content_html": post.html})}
        for post in posts
    ]  # fmt: skip
    return Reply(json.dumps(found).encode(), "application/feed+json")


WRITERS = {
    "wordpress": wordpress,
    "blogger": blogger,
    "atom": atom,
    "archive": archive,
    "json": json_feed,
    "rss": rss,
}
