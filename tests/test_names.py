"""By which name the server is asked, byte by byte: no trick with names (DNS rebinding) gets an answer."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest

from tests import made_up
from tests.visit import served

GOOD = [
    "GET /-/health HTTP/1.1\r\nHost: 127.0.0.1:{port}",
    "GET /-/health HTTP/1.1\r\nhost: LOCALHOST",
    "GET /-/health HTTP/1.1\r\nHost: LocalHost:{port}",
    "GET /-/health HTTP/1.1\r\nHost: [::1]:{port}",
    "GET /-/health HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Host: evil.example\r\nForwarded: host=evil.example",
]
BAD = [
    "GET /-/health HTTP/1.1\r\nHost: evil.example",
    "GET /-/health HTTP/1.1\r\nHost: EVIL.example:{port}",
    "GET /-/health HTTP/1.1\r\nHost: localhost.",
    "GET /-/health HTTP/1.1\r\nHost: 127.0.0.1.:{port}",
    "GET /-/health HTTP/1.1\r\nHost: localhost:{port}.evil.example",
    "GET /-/health HTTP/1.1\r\nHost: 127.1",
    "GET /-/health HTTP/1.1\r\nHost: 2130706433",
    "GET /-/health HTTP/1.1\r\nHost: 0.0.0.0:{port}",
    "GET /-/health HTTP/1.1\r\nHost: [::]:{port}",
    "GET /-/health HTTP/1.1\r\nHost: [::ffff:127.0.0.1]",
    "GET /-/health HTTP/1.1\r\nHost: [::1%25lo]",
    "GET /-/health HTTP/1.1\r\nHost: me@localhost",
    "GET /-/health HTTP/1.1\r\nHost: localhost/evil.example",
    "GET /-/health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example",
    "GET /-/health HTTP/1.1\r\nHost: evil.example\r\nHost: localhost",
    "GET /-/health HTTP/1.1\r\nHost: localhost\r\n evil.example",
    "GET /-/health HTTP/1.1\r\nHost: local\xe9host",
    "GET /-/health HTTP/1.1\r\nHost:",
    "GET /-/health HTTP/1.1",
    "GET /-/health HTTP/1.0",
    "GET /-/health HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: localhost\r\nX-Forwarded-For: 127.0.0.1",
    "GET http://evil.example/-/health HTTP/1.1\r\nHost: localhost",
    "GET http://localhost/-/health HTTP/1.1\r\nHost: evil.example",
    "GET evil.example/-/health HTTP/1.1\r\nHost: localhost",
    "OPTIONS * HTTP/1.1\r\nHost: localhost",
    "CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost",
]


@pytest.fixture(scope="module")
def port(tmp_path_factory) -> int:
    """Where `coursette serve` listens."""
    path = made_up.small(tmp_path_factory.mktemp("served") / "moodle.db")
    with served(path) as link:
        yield urlsplit(link).port


def ask(port: int, request: str) -> bytes:
    """The whole answer to a request as it is written here."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        closing = request.format(port=port) + "\r\nConnection: close\r\n\r\n"
        connection.sendall(closing.encode("latin-1"))
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("request_", GOOD)
def test_our_own_names(port, request_):
    assert ask(port, request_).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("request_", BAD)
def test_all_other_names(port, request_):
    assert ask(port, request_).startswith(b"HTTP/1.1 400 ")
