"""Which addresses of blogs may be asked: students choose them, so none may lead into the network we stand in.

What counts is the address really connected to: `PublicBackend` looks a name up, checks every answer and connects to
the checked one, at every redirect anew, so that no name can change in between. TLS still sees the name.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Container, Iterable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from loaders.errors import Unreadable
from loaders.feed_errors import LookUpFailed

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolver = Callable[[str, int], Awaitable[list[str]]]
Source = Callable[[Address], Address | None]

PORTS = frozenset((80, 443, 8080, 8443))
MOST_TRIED = 4  # of the addresses of one name
LONGEST = 2000  # characters of an address that is asked
_BESIDE = {4: 24, 6: 64}  # bits that the addresses of one network have in common: as they are mostly given out
# Names may be looked up as slowly as their servers like, and that goes on when nobody waits any more.
_LOOKING_UP = ThreadPoolExecutor(64, "look-up")
NO_ADDRESS = "{} is no address of a blog: give one such as https://anna.example.org/blog"
PRIVATE = "{} leads to {} ({}), and is not asked: if it is your institution's own, allow it with --allow-network"
_NAT64 = ip_network("64:ff9b::/96")  # how a network with IPv6 alone writes IPv4 addresses
_UNICAST = ip_network("2000::/3")  # all that is given out of IPv6
_NOT_PUBLIC = tuple(
    ip_network(block)
    for block in (
        "192.88.99.0/24",  # 6to4 relays
        "2002::/16",  # 6to4: holds an IPv4 address
        "2001::/23",  # Teredo (holds one too), ORCHID, benchmarks
        "3fff::/20",  # documentation
    )
)


class Refused(Unreadable):
    """An address that is not asked, however it was come by."""


class NameUnknown(Unreadable):
    """No host has that name."""


def web_address(url: str) -> str:
    """The address, as it can be asked; `anna.example.org` is completed. Raises Unreadable.

    Where it leads is checked on connecting, not here.
    """
    if len(url) > LONGEST:  # it takes long to see what is wrong with a long name
        raise Unreadable(NO_ADDRESS.format(shown(url[:LONGEST])))
    text = re.sub(r"^feed:(?=https?:)", "", url.strip(), flags=re.IGNORECASE)
    text = re.sub(r"^feed:(?=//)", "http:", text, flags=re.IGNORECASE)  # how feed readers were once called up
    try:
        text = text if re.match(r"[a-z][a-z0-9+.-]*:(?!\d)", text, re.IGNORECASE) else f"https://{text}"
        parts = urlsplit(text.partition("#")[0])
        parts.port  # noqa: B018 - a port that is none shows only when asked for
        httpx.URL(parts.geturl()).host  # noqa: B018 - as does a name that is none
    except (ValueError, httpx.InvalidURL):
        raise Unreadable(NO_ADDRESS.format(shown(url))) from None
    if parts.scheme not in ("http", "https"):
        raise Refused(f"{parts.scheme[:20]}: addresses are not asked, only http: and https:")
    if "@" in parts.netloc:
        raise Refused("this address holds a user name or password, and is not asked: give it without")
    if not parts.hostname or re.search(r"[\s\x00-\x1f\\%]", parts.netloc):
        raise Unreadable(NO_ADDRESS.format(shown(url)))
    return parts.geturl()


def shown(url: str) -> str:
    """An address as it may be shown in a sentence: short, and without what may be secret in it."""
    return re.sub(r"\s+", " ", url).partition("?")[0].rpartition("@")[2].strip()[:200] or "this"


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks as a teacher writes them (10.20.0.0/16). Raises Unreadable."""
    found = []
    for text in texts:
        try:
            found.append(ip_network(text.strip(), strict=False))
        except ValueError:
            raise Unreadable(f"{text} is no network: give one such as 10.20.0.0/16") from None
    return tuple(found)


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet, whatever it is wrapped in."""
    address = unwrapped(address)
    if any(address in block for block in _NOT_PUBLIC if block.version == address.version):
        return False
    if address.version == 6 and address not in _UNICAST:
        return False
    odd = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback
    return address.is_global and not (odd or address.is_link_local or address.is_private)


def unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for (::ffff:127.0.0.1, 64:ff9b::7f00:1), else itself."""
    if address.version == 6 and address.ipv4_mapped:
        return address.ipv4_mapped
    if address.version == 6 and address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def is_allowed(address: Address, allowed: tuple[Network, ...]) -> bool:
    """Whether a teacher named the network of this address."""
    return any(one.version == net.version and one in net for net in allowed for one in (address, unwrapped(address)))


def source_of(address: Address) -> Address | None:
    """The address that this computer would ask another one from, None where it has no way there. Nothing is sent."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as question:
            question.connect((str(address), 443))
            return ip_address(question.getsockname()[0].partition("%")[0])
    except OSError:
        return None


def is_beside(address: Address, source: Address | None) -> bool:
    """Whether an address is this computer's own or of the network it stands in: these may be public ones too."""
    if source is None or source.version != address.version:
        return False
    return address in ip_network((source, _BESIDE[source.version]), strict=False)


async def look_up(host: str, port: int) -> list[str]:
    """The addresses of a host, as this machine's resolver knows them; 2130706433 and 0x7f.1 are 127.0.0.1 to it."""
    try:
        found = await asyncio.get_running_loop().run_in_executor(
            _LOOKING_UP, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise LookUpFailed(f"the name {host} could not be looked up just now") from None
        raise NameUnknown(f"there is no host named {shown(host)}: check the address") from None
    except UnicodeError:
        raise Unreadable(NO_ADDRESS.format(shown(host))) from None
    return list(dict.fromkeys(str(row[4][0]) for row in found))


class PublicBackend(httpcore.AsyncNetworkBackend):
    """Connects to public addresses that are not our own network's, and to those of `allowed` networks, only.

    `ports`: the only ones that are asked. `name` adds one for a host in an allowed network. `source`: where we stand.
    """

    def __init__(
        self,
        allowed: tuple[Network, ...] = (),
        resolve: Resolver = look_up,
        ports: Container[int] = PORTS,
        source: Source = source_of,
    ):
        self._allowed, self._resolve, self._ports, self._source = allowed, resolve, ports, source
        self._named: set[tuple[str, int]] = set()
        self._below = httpcore.AnyIOBackend()

    def name(self, url: str) -> None:
        """Take the port that a registered address names: in a network that the teacher allowed it may be asked."""
        address = httpx.URL(web_address(url))
        if address.port:
            self._named.add((address.raw_host.decode("ascii"), address.port))

    async def connect_tcp(self, host: str, port: int, timeout: float | None = None, **more: Any) -> Any:
        """A connection to a checked address of `host`. Raises Refused, NameUnknown, httpcore's ConnectError."""
        try:
            async with asyncio.timeout(timeout):
                addresses = await self.addresses(host, port)
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"looking up {host}") from None
        except LookUpFailed as error:
            raise httpcore.ConnectError(str(error)) from error
        failed: Exception = httpcore.ConnectError(host)
        share = timeout and timeout / len(addresses)
        for address in addresses:
            try:
                return await self._below.connect_tcp(str(address), port, timeout=share, **more)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed

    async def addresses(self, host: str, port: int) -> list[Address]:
        """The addresses of a host; if one of them may not be asked, none is. Raises Refused."""
        try:
            found = [ip_address(text) for text in await self._resolve(host, port)]
        except ValueError:
            raise Unreadable(NO_ADDRESS.format(shown(host))) from None
        if not found:
            raise NameUnknown(f"there is no host named {shown(host)}: check the address")
        for address in found:
            self._check(host, address, port)
        return found[:MOST_TRIED]

    def _check(self, host: str, address: Address, port: int) -> None:
        allowed = is_allowed(address, self._allowed)
        if not allowed and not is_public(address):
            raise Refused(PRIVATE.format(shown(host), "a private network", address))
        if not allowed and any(is_beside(one, self._source(one)) for one in {address, unwrapped(address)}):
            raise Refused(PRIVATE.format(shown(host), "this computer or the network it stands in", address))
        if port not in self._ports and not (allowed and (host, port) in self._named):
            raise Refused(f"port {port} is not asked: blogs are at 80, 443, 8080 or 8443")

    async def connect_unix_socket(self, *_: Any, **__: Any) -> Any:
        """Never: a blog is not on this machine."""
        raise Refused("a blog is not asked through a file of this machine")

    async def sleep(self, seconds: float) -> None:
        """Wait, as httpcore asks."""
        await asyncio.sleep(seconds)


class PublicTransport(httpx.AsyncHTTPTransport):
    """httpx's transport over a PublicBackend; the address of every request, redirects too, is checked here."""

    def __init__(self, backend: PublicBackend, context: Any, connections: int):
        super().__init__(verify=context, trust_env=False)
        # httpx has no argument for httpcore's backend, so its pool is made here, with nothing but what is needed.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context, max_connections=connections, keepalive_expiry=5, network_backend=backend
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Ask, if this address may be asked. Raises Unreadable."""
        web_address(str(request.url))
        if request.url.userinfo or "authorization" in request.headers:
            raise Refused("this address holds a user name or password, and is not asked: give it without")
        return await super().handle_async_request(request)
