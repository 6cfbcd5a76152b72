"""Where the server is for others: its public address, and what a reverse proxy says of a request.

A proxy (nginx, Caddy) speaks for visitors by X-Forwarded-For (whose request), -Proto (http or https) and -Host (which
name was asked for). Anybody can write such headers, so they are believed from the proxies that the teacher named, and
taken off everybody else's requests. What a proxy takes off the path (-Prefix) needs no belief: `--base-url` says it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from loaders.errors import CannotServe

App = Callable[[dict, Callable, Callable], Awaitable[None]]

BELIEVED = "coursette_believed"  # in the scope of a request that a believed proxy hands on; no request can say it
SAID = {b"forwarded", b"x-real-ip"}  # besides all that begin with:
SAYS = b"x-forwarded-"
PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*/?")
HEADER = re.compile(r"(?!(host|cookie|authorization|origin)$)[a-z0-9-]{2,64}", re.IGNORECASE)
NAME = re.compile(r"[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]")


class Public(NamedTuple):
    """The address in the browser: `origin` ('https://data.example.edu', '' where not said) and `path` ('/x/')."""

    origin: str = ""
    path: str = "/"

    @property
    def scheme(self) -> str:
        return self.origin.partition("://")[0]

    @property
    def host(self) -> str:
        """As the Host header has it, with its port if it is not the usual one."""
        return self.origin.partition("://")[2]

    @property
    def name(self) -> str:
        """The host alone."""
        return urlsplit(self.origin).hostname or ""


def public_address(base_url: str | None) -> Public:
    """What `--base-url` says: a path, or a whole address. Raises CannotServe with a sentence."""
    given = (base_url or "/").strip()
    try:
        parts = urlsplit(given)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        parts, port = urlsplit("?"), ""
    host = parts.netloc.removesuffix(port) if port else parts.netloc.rstrip(":")
    is_whole = parts.scheme in ("http", "https") and NAME.fullmatch(host)
    is_path = not parts.scheme and not parts.netloc and given.startswith("/")
    if not (is_whole or is_path) or not PATH.fullmatch(parts.path) or parts.query or parts.fragment:
        raise CannotServe(
            f"{given} is no address to serve at: say a path such as /coursette/, or all of it, such as "
            "https://data.example.edu/coursette/."
        )
    usual = {"http": ":80", "https": ":443", "": ""}[parts.scheme]
    origin = f"{parts.scheme}://{host.lower()}{'' if port == usual else port}" if is_whole else ""
    return Public(origin, parts.path.rstrip("/") + "/")


def trusted(proxies: Iterable[str]) -> list[str]:
    """Addresses of proxies to believe, each an IP address or a network of them. Raises CannotServe with a sentence."""
    given = [part.strip() for proxy in proxies for part in proxy.split(",") if part.strip()]
    for proxy in given:
        try:
            everybody = ipaddress.ip_network(proxy).prefixlen == 0
        except ValueError:
            everybody = True
        if everybody:
            raise CannotServe(
                f"{proxy} names no proxy to believe: say the address that it connects from, such as 127.0.0.1, or "
                "its network, such as 172.18.0.0/16."
            )
    return given


class BehindProxy:
    """The app as it is reached: each request as its visitor sent it, at the public address."""

    def __init__(self, app: App, public: Public, proxies: Iterable[str] = (), header: str = ""):
        self.app, self.public, self.header = app, public, header.lower().encode()
        self.forwarded = ProxyHeadersMiddleware(self.at_home, trusted_hosts=list(proxies))

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        believed = (scope.get("client") or ("",))[0] in self.forwarded.trusted_hosts
        scope = {**with_host(scope), BELIEVED: True} if believed else self.of_nobody(scope)
        await self.forwarded(scope, receive, send)  # -For and -Proto

    def of_nobody(self, scope: dict) -> dict:
        """The request without what only a believed proxy may say."""
        scope = without_words_of_proxies(scope)
        return {**scope, "headers": [(name, value) for name, value in scope["headers"] if name != self.header]}

    async def at_home(self, scope: dict, receive: Callable, send: Callable) -> None:
        """On to the app, which hears no proxy any more, with the scheme and the path of the public address."""
        scope = below(without_words_of_proxies(scope), self.public.path)
        hosts = [value.lower() for name, value in scope["headers"] if name == b"host"]
        if self.public.origin and hosts == [self.public.host.encode()]:
            scope = {**scope, "scheme": self.public.scheme}
        await self.app(scope, receive, send)


def with_host(scope: dict) -> dict:
    """The request with the name that the visitor asked for, as a believed proxy says."""
    said = [value for name, value in scope["headers"] if name == b"x-forwarded-host"]
    if not said:
        return scope
    nearest = said[-1].rpartition(b",")[2].strip()  # each proxy adds its word behind the one before
    kept = [(name, value) for name, value in scope["headers"] if name != b"host"]
    return {**scope, "headers": [*kept, (b"host", nearest)]}


def named(scope: dict, header: str) -> str | None:
    """Whom a believed proxy names in this header, once; None for everybody else's word, and where it says two."""
    if not header or not scope.get(BELIEVED):
        return None
    said = [value for name, value in scope["headers"] if name == header.lower().encode()]
    return (said[0].decode("utf-8", "replace").strip() or None) if len(said) == 1 else None


def trusted_header(name: str, proxies: Iterable[str]) -> str:
    """The header that says who signed in elsewhere. Raises CannotServe with a sentence."""
    if name and not HEADER.fullmatch(name):
        raise CannotServe(f"{name} is no header to name a user in: take one such as X-Remote-User.")
    if name and not list(proxies):
        raise CannotServe(
            f"Anybody could send the header {name}: say with --behind-proxy from which proxy it is believed."
        )
    return name


def without_words_of_proxies(scope: dict) -> dict:
    """The request without a proxy's headers."""
    kept = [(name, value) for name, value in scope["headers"] if name not in SAID and not name.startswith(SAYS)]
    return {**scope, "headers": kept}


def below(scope: dict, base: str) -> dict:
    """The request with its path below the base address, also where a proxy took that off."""
    raw = scope.get("raw_path") or scope["path"].encode()
    if raw.startswith(base.encode()) or not raw.startswith(b"/"):
        return scope
    if raw == base[:-1].encode():  # typed without the last slash
        return {**scope, "path": base, "raw_path": base.encode()}
    return {**scope, "path": base + scope["path"][1:], "raw_path": base.encode() + raw[1:]}
