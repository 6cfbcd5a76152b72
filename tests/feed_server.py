"""Students' blogs on this machine: a real HTTP server that answers as WordPress, Blogger and others do.

    with serving({"anna": Blog("wordpress", some_posts(25))}) as server:
        async with quick_client() as client:
            async for page in read_blog(client, Known(server.blog("anna"))): ...

It counts what it is asked, and goes wrong in the ways that real blogs do (`Fault`). Any host name may be used, with
`resolve` to look it up: `server.at("anna.example.org", "/anna/")`.
"""

from __future__ import annotations

import gzip
import hashlib
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from blog_answers import Blog, Post, Reply, answer, some_posts

from loaders.feed_address import networks
from loaders.feed_fetch import Client, Limits
from loaders.feed_worker import Workers

__all__ = ["ALLOWED", "ANY", "QUICK", "Blog", "Fault", "Post", "quick_client", "resolve", "serving", "some_posts"]

ALLOWED = networks(["127.0.0.0/8"])
ANY = range(65536)  # ports: ours are made up anew each time
QUICK = Limits(pause_s=0, wait_initial_s=0.01, wait_most_s=2, silence_s=5, document_s=5, connect_s=2)
MB = 1_000_000


class KeptWorkers(Workers):
    """Workers that all tests use, one after another: starting them takes longer than most tests."""

    async def stop(self) -> None:
        """Not yet: they end with Python."""


WORKERS = KeptWorkers(20)


def quick_client(limits: Limits = QUICK) -> Client:
    """A client that may ask this machine, under any name, and does not wait long."""
    client = Client(ALLOWED, limits, resolve, ports=ANY)
    client.workers = WORKERS
    return client


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
class Fault:
    """What goes wrong, the first `times` times that a path starting with `where` is asked.

    kind: status, busy, redirect, loop, drip, bomb, huge, cut, drop, login, charset, brotli or reply, with its `value`.
    """

    where: str
    kind: str
    value: object = None
    times: int = 10**9
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
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        server = self.server
        with server.lock:
            server.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            server.open += 1
            server.most_open = max(server.most_open, server.open)
        time.sleep(server.slow_s)
        with server.lock:  # before the answer goes out, as the next question may come before we are back here
            server.open -= 1
        with suppress(ConnectionError):
            self._reply()

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
    headers = {"content-encoding": "gzip"} | fault.headers
    return Reply(_packed(int(fault.value or 30), headers["content-encoding"]), "application/rss+xml", 200, headers)


@cache
def _packed(megabytes: int, encoding: str) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS + 16 * (encoding == "gzip"))
    return b"".join(packer.compress(b"<" * MB) for _ in range(megabytes)) + packer.flush()


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
