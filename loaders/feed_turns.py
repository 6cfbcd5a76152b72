"""When a blog may be asked: how much at once, how soon after the last call, and whether its host is to be left alone.

Students share sites, and one who means harm must not speak for the others: a pause is kept with all of usq.edu.au,
netlify.app or wordpress.com, but only the host that says so is left alone, and where anybody may have a name
(evil.netlify.app) each keeps only its own places busy.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from publicsuffixlist import PublicSuffixList

from loaders.feed_errors import LEFT_ALONE, Away

if TYPE_CHECKING:
    from loaders.feed_fetch import Limits

MOST_LEFT_ALONE_S = 86_400


class Turns:
    """Hands out turns to all tasks of one run. Times are of time.monotonic."""

    def __init__(self, limits: Limits):
        self._limits = limits
        self._altogether = asyncio.Semaphore(limits.at_once)
        self._at_once = defaultdict(lambda: asyncio.Semaphore(limits.at_once_per_site))
        self._next_at: dict[str, float] = defaultdict(float)
        self._closed_until: dict[str, float] = defaultdict(float)

    @asynccontextmanager
    async def turn(self, url: str) -> AsyncIterator[None]:
        """Wait until it is our turn: first at this site, then altogether. Raises Away where that takes too long."""
        host = host_of(url)
        while True:
            await self._opened(host)
            async with self._at_once[tenant(host)]:
                if self._closed_until[host] > time.monotonic():
                    continue  # it has been closed while we waited: not in here, where others of the site wait
                await self._paused(site(host))
                async with self._altogether:
                    yield
                return

    def leave_alone(self, url: str, seconds: float) -> None:
        """Ask this host nothing for so long, as it wishes."""
        until = time.monotonic() + min(seconds, MOST_LEFT_ALONE_S)
        host = host_of(url)
        self._closed_until[host] = max(self._closed_until[host], until)

    async def _opened(self, host: str) -> None:
        while (wait := self._closed_until[host] - time.monotonic()) > 0:
            if wait > self._limits.wait_most_s:
                raise Away(LEFT_ALONE.format(wait), wait)
            await asyncio.sleep(wait)

    async def _paused(self, name: str) -> None:
        while (wait := self._next_at[name] - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        self._next_at[name] = time.monotonic() + self._limits.pause_s


def host_of(url: str) -> str:
    """The host of an address, in one form."""
    return (urlsplit(url).hostname or "").rstrip(".")


def site(host: str) -> str:
    """Whose servers a host is on: usq.edu.au, wordpress.com, netlify.app."""
    return _registered(host, by_companies=False)


def tenant(host: str) -> str:
    """Who answers there: usq.edu.au or wordpress.com, but evil.netlify.app, where each does what she likes."""
    return _registered(host, by_companies=True)


def _registered(host: str, by_companies: bool) -> str:
    numeric = ":" in host or host.rpartition(".")[2].isdecimal()
    return host if numeric else _suffixes(by_companies).privatesuffix(host) or host


@cache
def _suffixes(by_companies: bool) -> PublicSuffixList:
    """Under what names anybody may have one of their own; `by_companies`: those too that companies give names under."""
    return PublicSuffixList(only_icann=not by_companies)
