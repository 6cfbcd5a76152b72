"""`coursette serve`: Datasette with our pages, private from the start, on this machine unless told else."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sqlite3
import tempfile
import threading
import webbrowser
from collections.abc import Iterable, Iterator
from pathlib import Path

import uvicorn
from datasette.app import Datasette
from datasette.url_builder import Urls
from datasette.utils import PrefixedUrlString, parse_metadata

from loaders import accounts, house, look_ups, proxy, schema
from loaders.errors import CannotServe

ENDINGS = {".db", ".sqlite", ".sqlite3"}
OPENED_S = 60  # a slow browser has started by then
EVERYWHERE = ("0.0.0.0", "::", "")


class UrlsOnce(Urls):
    """Addresses below the base address, once: Datasette puts it also before paths of requests, which have it."""

    def path(self, path: str, format: str | None = None) -> str:
        base = self.ds.setting("base_url")
        has_it = base != "/" and path.startswith(base)
        return super().path(PrefixedUrlString(path) if has_it else path, format)


class Served(Datasette):
    """Datasette whose links work below a base address."""

    @property
    def urls(self) -> Urls:
        return UrlsOnce(self)


def serve(
    databases: Iterable[str | Path],
    host: str = "127.0.0.1",
    port: int = 8001,
    allowed_hosts: Iterable[str] = (),
    private: str | Path | None = None,
    queries: str | Path | None = None,
    open_browser: bool = False,
    also: str = "",
    base_url: str | None = None,
    proxies: Iterable[str] = (),
) -> None:
    """Serve databases (files, or folders of them) until interrupted. Port 0 takes any free one.

    `base_url` is the address in the browser (see proxy.public_address), `proxies` are believed (see proxy.trusted).
    Prints first, alone on its line, `Sign in: URL` (a link that works once), then what is served, then `also`.
    Raises CannotServe with a sentence.
    """
    public, believed = proxy.public_address(base_url), proxy.trusted(proxies)
    files = find_databases(databases)
    for file in files:
        if public.path.split("/")[1] == file.stem:
            raise CannotServe(f"--base-url {public.path} begins like the address of {file.name}: take another path.")
    folder = accounts.private_folder(files, private)
    datasette = build(files, folder, allowed_hosts, base_url=base_url, queries=queries)
    listening = listen(host, port)
    port = listening.getsockname()[1]
    home = f"{public.origin or address(host, port)}{public.path}"
    link = f"{home}-/sign-in?token={accounts.make_link(folder)}"
    print(f"Sign in: {link}", flush=True)  # noqa: T201
    print(f"Serving {', '.join(file.name for file in files)} at {home} (Ctrl-C stops it).", flush=True)  # noqa: T201
    if also:
        print(also, flush=True)  # noqa: T201
    # No log of requests: their addresses hold students' ids.
    # Uvicorn would believe any X-Forwarded-For from this machine; whom to believe is said to BehindProxy.
    app = proxy.BehindProxy(datasette.app(), public, believed)
    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="on", proxy_headers=False)
    with opened(link, folder) if open_browser else contextlib.nullcontext():
        uvicorn.Server(config).run(sockets=[listening])


@contextlib.contextmanager
def opened(link: str, folder: Path) -> Iterator[None]:
    """Open a link in the browser by a file that leads to it, gone soon after.

    The link itself would stand in the list of processes, which everybody on this computer can read.
    """
    handle, name = tempfile.mkstemp(dir=folder, prefix="open-", suffix=".html")  # mode 0600
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={link}">')
    file = Path(name)
    removal = threading.Timer(OPENED_S, file.unlink, kwargs={"missing_ok": True})
    removal.daemon = True
    removal.start()
    try:
        webbrowser.open(file.resolve().as_uri())
        yield
    finally:
        removal.cancel()
        file.unlink(missing_ok=True)


def build(
    files: list[Path],
    private: Path,
    allowed_hosts: Iterable[str] = (),
    root: Path | None = None,
    base_url: str | None = None,
    queries: str | Path | None = None,
) -> Datasette:
    """Datasette with our metadata, plugins, templates and settings, and a signing key that outlives it.

    Raises CannotServe where that key is damaged.
    """
    root, public = root or house.root(), proxy.public_address(base_url)
    metadata = parse_metadata((root / "metadata.yml").read_text(encoding="utf-8"))
    ours = {"private": str(private), "allowed_hosts": [*allowed_hosts, public.name]}
    ours |= {"queries": str(queries)} if queries else {}
    try:
        secret = accounts.signing_key(private)
    except accounts.Refused as refused:
        raise CannotServe(str(refused)) from refused
    metadata.setdefault("plugins", {}).setdefault("coursette", {}).update(ours)
    return Served(
        [str(file) for file in files],
        metadata=metadata,
        template_dir=str(root / "templates"),
        plugins_dir=str(root / "plugins"),
        settings={**json.loads((root / "settings.json").read_text(encoding="utf-8")), "base_url": public.path},
        secret=secret,
    )


def find_databases(given: Iterable[str | Path]) -> list[Path]:
    """The database files meant, those in folders too. One that is not there is made, with empty tables."""
    files: dict[Path, Path] = {}
    for path in map(Path, given):
        inside = sorted(file for file in path.iterdir() if file.suffix in ENDINGS) if path.is_dir() else [path]
        if not inside:
            raise CannotServe(f"There is no database in the folder {path}: `coursette load` makes one.")
        files.update({file.resolve(): file for file in inside})
    for file in files:
        if not file.exists():
            schema.open_database(file).conn.close()
        _look_into(file)
        schema.bring_up_to_date(file)
    return list(files)


def _look_into(file: Path) -> None:
    if file.stem == look_ups.NAME:
        raise CannotServe(f"{file}: {look_ups.NAME} is the name of the record of look-ups; rename yours.")
    try:
        with contextlib.closing(sqlite3.connect(file)) as db:
            db.execute("select count(*) from sqlite_master")
    except sqlite3.DatabaseError as error:
        raise CannotServe(f"{file} cannot be read as a database ({error}).") from error


def listen(host: str, port: int) -> socket.socket:
    """A socket that is really ours before anything is printed. Raises CannotServe when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small answers at once only where the protocol is named; else each waits 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name == "posix":  # elsewhere it would let two servers share a port
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise CannotServe(
            f"Cannot listen on {host} port {port} ({error.strerror}): is another server running there? "
            "--port 0 takes a free port."
        ) from error
    listening.listen(128)
    return listening


def address(host: str, port: int) -> str:
    """Where a browser on this machine finds the server."""
    name = "127.0.0.1" if host in EVERYWHERE else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}"
