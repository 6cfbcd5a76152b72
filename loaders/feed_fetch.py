"""One document of a student's blog, fetched politely and within bounds: of time, of bytes, of redirects.

Only gzip and deflate are asked for, and unpacked here piece by piece, so that a small answer that unpacks into
gigabytes is left at 10 MB.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Container
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urlsplit

import httpx
import stamina

from loaders import __version__
from loaders.errors import Unreadable
from loaders.feed_address import PORTS, Network, PublicBackend, PublicTransport, Resolver, look_up, web_address
from loaders.feed_budget import Budget, Spent
from loaders.feed_document import Document
from loaders.feed_errors import Away, connection_error, status_error
from loaders.feed_turns import Turns, host_of
from loaders.feed_unpack import Unpacker
from loaders.feed_worker import Workers
from loaders.moodle_replies import retry_after

stamina.instrumentation.set_on_retry_hooks(())  # what is tried again is nobody's business on the terminal

MOST_REDIRECTS = 5
NOWHERE = "the blog sends on to an address that is none"
HEADERS = {
    "user-agent": f"Coursette/{__version__} (feed reader)",
    "accept": "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5",
    "accept-encoding": "gzip, deflate",
}


@dataclass(frozen=True)
class Limits:
    """How much is asked and waited for: requests at once, seconds, bytes as unpacked, tries."""

    at_once: int = 16
    at_once_per_site: int = 2
    pause_s: float = 0.2  # between two calls to one site
    document_bytes: int = 10_000_000
    document_s: float = 60
    silence_s: float = 20
    connect_s: float = 10
    tries: int = 3
    wait_initial_s: float = 1
    wait_most_s: float = 60  # what a Retry-After may ask for
    parse_s: float = 20
    pages: int = 200  # of one blog in one run, as are the next three
    blog_s: float = 600
    blog_bytes: int = 30_000_000  # as kept
    blog_posts: int = 2000  # that are new


class Client:
    """Fetches and reads feeds; to be used with `async with`, one for all feeds of a run.

    `allowed`: networks that may be asked though they are not public. `resolve`: looks names up (tests give their own).
    `through`: what stands between us and the network, to keep what comes or to answer from what was kept.
    """

    def __init__(
        self,
        allowed: tuple[Network, ...] = (),
        limits: Limits = Limits(),
        resolve: Resolver = look_up,
        through: Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport] = lambda network: network,
        ports: Container[int] = PORTS,
    ):
        self.limits, self.turns, self.workers = limits, Turns(limits), Workers(limits.parse_s)
        self._backend = PublicBackend(allowed, resolve, ports)
        context = httpx.create_ssl_context()  # takes SSL_CERT_FILE: universities sign certificates of their own
        self.http = httpx.AsyncClient(
            transport=through(PublicTransport(self._backend, context, limits.at_once)),
            headers=HEADERS,
            timeout=httpx.Timeout(limits.silence_s, connect=limits.connect_s, pool=None),
            trust_env=False,  # no proxy (it would look names up itself) and no passwords of this machine
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,  # httpx would read their bodies whole
        )

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.http.aclose()
        await self.workers.stop()

    def name(self, url: str) -> None:
        """Take the port of a registered address, where it names one. Raises Unreadable."""
        self._backend.name(url)

    def budget(self) -> Budget:
        """What one blog may cost in this run."""
        return Budget(self.limits.blog_s, self.limits.blog_bytes, self.limits.blog_posts)


async def fetch(
    client: Client, url: str, etag: str | None = None, last_modified: str | None = None, budget: Budget | None = None
) -> Document:
    """What is at `url`, or that it has not changed (status 304). Raises Unreadable with one sentence.

    Asks again, after a pause, where the line broke or the site was busy; all of it at the cost of the blog's `budget`.
    """
    url, limits, budget = web_address(url), client.limits, budget or client.budget()
    headers = {"if-none-match": etag, "if-modified-since": last_modified}
    asked = {name: value for name, value in headers.items() if value}
    attempts = stamina.retry_context(
        on=lambda error: _worth_waiting(error, limits, budget), attempts=limits.tries, timeout=None,
        wait_initial=limits.wait_initial_s, wait_max=limits.wait_most_s, wait_jitter=limits.wait_initial_s,
    )  # fmt: skip
    paused = time.monotonic()
    async for attempt in attempts:
        budget.seconds -= time.monotonic() - paused
        with attempt:
            try:
                document = await _once(client, url, asked, budget)
            finally:
                paused = time.monotonic()
            if document.not_modified and not asked:
                raise Unreadable("the blog says that nothing has changed, though it was never read")
            return document
    raise AssertionError("stamina gives up by raising")


def _worth_waiting(error: Exception, limits: Limits, budget: Budget) -> bool | float:
    if not isinstance(error, Away):
        return False
    if error.wait_s is None:
        return True
    return error.wait_s if error.wait_s <= min(limits.wait_most_s, budget.seconds) else False


async def _once(client: Client, url: str, asked: dict[str, str], budget: Budget) -> Document:
    async with client.turns.turn(url):
        budget.check()
        began = time.monotonic()
        try:
            async with asyncio.timeout(min(client.limits.document_s, budget.seconds)):
                return await _followed(client, url, asked)
        except TimeoutError:
            if budget.seconds < client.limits.document_s:
                raise Spent(budget.sentence) from None
            raise Unreadable(f"the blog did not answer whole within {client.limits.document_s:.0f} seconds") from None
        except UnicodeError:  # of httpx, which looks at the address of a redirect before we do
            raise Unreadable(NOWHERE) from None
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
            raise connection_error(error, urlsplit(url).hostname or "") from None
        except Away as away:
            client.turns.leave_alone(url, away.wait_s or 0)
            raise
        finally:
            budget.seconds -= time.monotonic() - began


async def _followed(client: Client, url: str, asked: dict[str, str]) -> Document:
    """The document, after as many redirects as are followed; what one host said it is known by is no other's to see."""
    host = host_of(url)
    for _ in range(MOST_REDIRECTS + 1):
        async with client.http.stream("GET", url, headers=asked if host_of(url) == host else {}) as response:
            if not response.has_redirect_location:
                return await _document(response, client.limits)
            url = _target(response)
    raise Unreadable("the blog sends round in circles: open it in a browser, and give the address that shows there")


def _target(response: httpx.Response) -> str:
    try:
        return web_address(str(response.url.join(response.headers["location"])))
    except (httpx.InvalidURL, ValueError):
        raise Unreadable(NOWHERE) from None


async def _document(response: httpx.Response, limits: Limits) -> Document:
    status, headers = response.status_code, response.headers
    if error := status_error(status, retry_after(headers.get("retry-after"))):
        raise error
    body = b"" if status == 304 else await _body(response, limits.document_bytes)
    if status != 304 and not body.strip():
        raise Unreadable("the blog answers with nothing")
    return Document(
        url=str(response.url), status=status, body=body, content_type=headers.get("content-type", ""),
        etag=_sendable(headers.get("etag")), last_modified=_sendable(headers.get("last-modified")),
    )  # fmt: skip


def _sendable(value: str | None) -> str | None:
    """What a server wants to be sent back, where that can be sent."""
    return value if value and value.isascii() and value.isprintable() and len(value) <= 1000 else None


async def _body(response: httpx.Response, most: int) -> bytes:
    """The body, unpacked. Raises Unreadable where it is larger than `most` bytes, Away where it ends in the middle."""
    unpacker = Unpacker(response.headers.get("content-encoding", ""), most)
    async for chunk in response.aiter_raw(65_536):
        unpacker.feed(chunk)
    return unpacker.whole()
