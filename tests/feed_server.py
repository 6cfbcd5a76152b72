"""Students' blogs on this machine: a real HTTP server that answers as WordPress, Blogger and others do.

    with serving({"anna": Blog("wordpress", some_posts(25))}) as server:
        client = Client(allowed=ALLOWED, limits=QUICK)
        async for page in read_blog(client, Known(server.blog("anna"))): ...

It counts what it is asked, and goes wrong in the ways that real blogs do (`Fault`). Any host name may be used, with
`resolve` to look it up: `server.at("anna.example.org", "/anna/")`.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from loaders.feed_address import networks
from loaders.feed_fetch import Limits

ALLOWED = networks(["127.0.0.0/8"])
QUICK = Limits(pause_s=0, wait_initial_s=0.01, wait_most_s=2, silence_s=5, document_s=5, connect_s=2)
FIRST_DAY = datetime(2024, 3, 4, 10, 0, tzinfo=UTC)
MB = 1_000_000
LOGIN_PAGE = (
    '<!DOCTYPE html><html><head><title>Private blog: log in</title></head><body><form action="/login" method="post">'
    '<input name="log"><input type="password" name="pwd"></form></body></html>'
)
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">'
    + "".join(f'<!ENTITY lol{n} "{f"&lol{n - 1};" * 10}">' for n in range(1, 10)).replace("&lol0;", "&lol;")
    + ']><rss version="2.0"><channel><title>&lol9;</title><item><title>&lol9;</title></item></channel></rss>'
)
OUTSIDE = (
    '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY secret SYSTEM "file:///etc/passwd">]>'
    '<rss version="2.0"><channel><title>&secret;</title><item><title>&secret;</title></item></channel></rss>'
)


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
class Fault:
    """What goes wrong, the first `times` times that a path starting with `where` is asked.

    kind: status, busy, redirect, loop, drip, bomb, huge, cut, drop, login, charset, brotli or reply, with its `value`.
    """

    where: str
    kind: str
    value: object = None
    times: int = 10**9
    headers: dict = field(default_factory=dict)


@dataclass
class Reply:
    """One answer."""

    body: bytes
    kind: str = "text/html; charset=utf-8"
    status: int = 200
    headers: dict = field(default_factory=dict)


class Server(ThreadingHTTPServer):
    """`requests` are (path, headers) in order; `most_open` how many were open at once; `sent` bytes of bodies."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, blogs: dict[str, Blog], slow_s: float = 0):
        super().__init__(("127.0.0.1", 0), Handler)
        self.blogs, self.faults, self.requests = blogs, [], []
        self.slow_s, self.open, self.most_open, self.sent = slow_s, 0, 0, 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """The server's own address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def blog(self, name: str) -> str:
        """The address of a blog's page."""
        return f"{self.url}/{name}/"

    def at(self, host: str, path: str = "/") -> str:
        """An address of this server under another name (give the client `resolve`)."""
        return f"http://{host}:{self.server_address[1]}{path}"

    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [path for path, _ in self.requests]

    def fault(self, path: str) -> Fault | None:
        """What goes wrong now."""
        with self.lock:
            for fault in self.faults:
                if path.startswith(fault.where) and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are what half of the tests are about."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        server = self.server
        with server.lock:
            server.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            server.open += 1
            server.most_open = max(server.most_open, server.open)
        try:
            time.sleep(server.slow_s)
            with suppress(ConnectionError):
                self._reply()
        finally:
            with server.lock:
                server.open -= 1

    def _reply(self) -> None:
        host = self.headers.get("host", "")
        reply = answer(self.server.blogs, self.path, f"http://{host}")
        fault = self.server.fault(self.path)
        if fault:
            reply = FAULTS[fault.kind](self, fault, reply)
        if reply:
            self.send(reply)

    def send(self, reply: Reply, length: int | None = None) -> None:
        """An answer, or that it has not changed."""
        tag = f'"{hashlib.md5(reply.body).hexdigest()}"'
        if reply.status == 200 and self.headers.get("if-none-match") == tag:
            reply = Reply(b"", reply.kind, 304)
        self.send_response(reply.status)
        headers = {"content-type": reply.kind, "content-length": str(len(reply.body) if length is None else length)}
        if reply.status in (200, 304):
            headers |= {"etag": tag, "set-cookie": "visitor=1; path=/"}
        for name, value in (headers | reply.headers).items():
            self.send_header(name, value)
        self.end_headers()
        with self.server.lock:
            self.server.sent += len(reply.body)
        self.wfile.write(reply.body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def serving(blogs: dict[str, Blog] | None = None, slow_s: float = 0) -> Iterator[Server]:
    """A server with these blogs, for as long as it is used."""
    with Server(blogs if blogs is not None else {}, slow_s) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()


async def resolve(host: str, port: int) -> list[str]:
    """Every name is this machine; addresses are themselves."""
    return [host] if host.replace(".", "").isdigit() else ["127.0.0.1"]


# ---- What goes wrong ----


def _drip(handler: Handler, fault: Fault, reply: Reply) -> None:
    """A byte now and then, without an end."""
    handler.send_response(200)
    handler.send_header("content-type", "application/rss+xml")
    handler.send_header("content-length", "1000000")
    handler.end_headers()
    for _ in range(1000):
        handler.wfile.write(b"<")
        time.sleep(fault.value or 0.05)


def _bomb(handler: Handler, fault: Fault, reply: Reply) -> Reply:
    """A small answer that unpacks into `value` megabytes (gzip, or deflate where the headers say so)."""
    size, deflate = int(fault.value or 1000), fault.headers.get("content-encoding") == "deflate"
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS if deflate else 16 + zlib.MAX_WBITS)
    packed = b"".join(packer.compress(b"<" * MB) for _ in range(size)) + packer.flush()
    return Reply(packed, "application/rss+xml", 200, {"content-encoding": "gzip"} | fault.headers)


def _huge(handler: Handler, fault: Fault, reply: Reply) -> None:
    """Megabytes without an end, in pieces."""
    handler.send_response(200)
    handler.send_header("content-type", "application/rss+xml")
    handler.send_header("transfer-encoding", "chunked")
    handler.end_headers()
    piece = b"%x\r\n%s\r\n" % (MB, b"x" * MB)
    for _ in range(int(fault.value or 200)):
        handler.wfile.write(piece)
        with handler.server.lock:
            handler.server.sent += MB


def _drop(handler: Handler, fault: Fault, reply: Reply) -> None:
    """Half of the answer, then the line is cut."""
    handler.send(Reply(reply.body[: len(reply.body) // 2], reply.kind), length=len(reply.body))
    handler.close_connection = True


def _redirect(handler: Handler, fault: Fault, reply: Reply) -> Reply:
    return Reply(b"moved", status=302, headers={"location": str(fault.value)} | fault.headers)


def _loop(handler: Handler, fault: Fault, reply: Reply) -> Reply:
    return Reply(b"", status=302, headers={"location": handler.path + "x"})


def _busy(handler: Handler, fault: Fault, reply: Reply) -> Reply:
    return Reply(b"busy", status=503, headers={"retry-after": str(fault.value)})


def _said(handler: Handler, fault: Fault, reply: Reply) -> Reply:
    body = fault.value if isinstance(fault.value, bytes) else str(fault.value).encode()
    return Reply(body, fault.headers.get("content-type", "application/rss+xml"), 200, fault.headers)


FAULTS: dict[str, Callable[[Handler, Fault, Reply], Reply | None]] = {
    "status": lambda handler, fault, reply: Reply(b"no", status=int(fault.value), headers=fault.headers),
    "busy": _busy,
    "redirect": _redirect,
    "loop": _loop,
    "drip": _drip,
    "bomb": _bomb,
    "huge": _huge,
    "drop": _drop,
    "cut": lambda handler, fault, reply: Reply(reply.body[: int(len(reply.body) * 0.6)], reply.kind),
    "login": lambda handler, fault, reply: Reply(LOGIN_PAGE.encode()),
    "charset": lambda handler, fault, reply: Reply(reply.body, f"text/xml; charset={fault.value}"),
    "brotli": lambda handler, fault, reply: Reply(b"\x0b\x02\x80", reply.kind, 200, {"content-encoding": "br"}),
    "gzip": lambda handler, fault, reply: Reply(
        gzip.compress(reply.body), reply.kind, 200, {"content-encoding": "gzip"}
    ),
    "reply": _said,
}


# ---- What blogs answer ----


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
        links += f'<link rel="alternate" type="{kind}" title="{escape(blog.title)} » Comments Feed" href="comments/feed/">'
        links += f'<link rel="alternate" title="JSON" type="application/json" href="{home}wp-json/wp/v2/pages/2">'
    if blog.kind == "blogger":
        rss = '<link rel="alternate" type="application/rss+xml" title="{0} - RSS" href="{1}?alt=rss">'
        links = rss.format(escape(blog.title), FEEDS["blogger"]) + links
    said = links if blog.named else ""
    return f"<!DOCTYPE html><html><head><title>{escape(blog.title)}</title>{said}</head><body><h1>Blog</h1></body></html>"


def _numbered(blog: Blog, query: dict, name: str) -> tuple[list[Post], int, bool]:
    """(posts of a page, its number, whether there are older ones)."""
    page = int(query.get(name, 1))
    start = (page - 1) * blog.per_page
    return blog.posts[start : start + blog.per_page], page, start + blog.per_page < len(blog.posts)


def _excerpt(post: Post) -> str:
    return "Post {} and what I &#8230; [&#8230;]".format(post.number)


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
        f"<item>\n<title>{escape(post.title).replace('’', '&#8217;')}</title><link>{home}{post.published:%Y/%m/%d}/p{post.number}/</link>"
        f"<comments>{home}{post.number}/#respond</comments><dc:creator><![CDATA[anna]]></dc:creator>"
        f"<pubDate>{post.published:%a, %d %b %Y %H:%M:%S} +0000</pubDate><category><![CDATA[Uncategorized]]></category>"
        f'<guid isPermaLink="false">{home}?p={post.number}</guid><description><![CDATA[<p>{_excerpt(post)}</p>]]></description>'
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
        f"<item><title>{escape(post.title)}</title><link>{home}{post.number}.html</link><guid>{home}{post.number}.html</guid>"
        f"<pubDate>{post.published:%a, %d %b %Y %H:%M:%S} GMT</pubDate><description>{escape(post.html)}</description></item>"
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
    feed = f"{home}feeds/posts/default"
    link = f"<link rel='next' type='application/atom+xml' href='{feed}?start-index={start + size}&amp;max-results={size}'/>"
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
