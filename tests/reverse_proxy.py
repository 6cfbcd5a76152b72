"""A small reverse proxy, as nginx or Caddy stand before Coursette."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PREFIX = "/coursette"
DROPPED = {"transfer-encoding", "connection", "content-length"}


class Proxy(ThreadingHTTPServer):
    """Hands on what is asked below PREFIX to `upstream`, a port of this machine; `strips` takes PREFIX off."""

    def __init__(self, strips: bool):
        super().__init__(("127.0.0.1", 0), Handler)
        self.strips, self.upstream, self.asked = strips, 0, []
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """One request, there and back."""

    def hand_on(self) -> None:
        self.server.asked.append(self.path)
        if not (self.path + "/").startswith(PREFIX + "/"):
            self.send_error(404, "outside of the prefix")
            return
        path = self.path.removeprefix(PREFIX) or "/" if self.server.strips else self.path
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {
            **dict(self.headers),
            "X-Forwarded-For": self.client_address[0],
            "X-Forwarded-Proto": "http",
            "X-Forwarded-Host": self.headers["Host"],
            "Host": f"127.0.0.1:{self.server.upstream}",
        }
        link = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=20)
        link.request(self.command, path, body or None, headers)
        answer = link.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in DROPPED:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = hand_on

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def started(strips: bool) -> Iterator[Proxy]:
    """A proxy that runs; say where to with `upstream`."""
    proxy = Proxy(strips)
    threading.Thread(target=proxy.serve_forever, args=[0.05], daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
