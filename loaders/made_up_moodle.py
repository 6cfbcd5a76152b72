"""Pages of the made-up course as its Moodle served them, on a port of their own: to try the page script on.

They are saved pages (demo/moodle/, and the two that the demo loads), without Moodle's scripts and styles; a few lines
of style make up for those. Nobody has to sign in: nothing in them is about a real person.
"""

from __future__ import annotations

import gzip
import re
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from loaders import house

PORT = 8045  # the Moodle called itself http://127.0.0.1:8045, in every link of its pages
HOME = f"http://127.0.0.1:{PORT}/course/view.php?id=2"
PAGES = {
    "/course/view.php": "course_page.html.gz",
    "/user/index.php": "participants_page.html.gz",
    "/mod/forum/view.php": "moodle/forum.html.gz",
    "/mod/forum/discuss.php": "moodle/discussion.html.gz",
    "/mod/book/view.php": "moodle/book.html.gz",
}
WORDS = {
    "/course/view.php?id=2": "the course",
    "/user/index.php?id=2": "participants",
    "/mod/forum/view.php?id=4": "a forum",
    "/mod/forum/discuss.php?d=69": "a discussion",
    "/mod/book/view.php?id=7": "a book",
}
# What the page script fetches to refresh the course; each request may narrow it, the answer is the whole file.
REPORTS = {
    "/report/log/index.php": "log_course2.csv.gz",
    "/report/progress/index.php": "completion_progress.csv",
}
LOADED = re.compile(r"<script\b[^>]*\bsrc=[^>]*>\s*</script>|<link\b[^>]*\brel=\"stylesheet\"[^>]*>", re.I)
STYLE = "moodle/style.css"
SHELF = "".join(f'<a href="{path}">{words}</a> · ' for path, words in WORDS.items()).removesuffix(" · ")
BANNER = f'<p class="made-up">A made-up Moodle to try Coursette on: {SHELF}</p>'


@cache
def page(name: str) -> bytes:
    """A saved page, fit to be looked at without Moodle behind it."""
    html = gzip.decompress((house.root() / "demo" / Path(name)).read_bytes()).decode()
    html = LOADED.sub("", html).replace("</head>", f"{style()}</head>", 1)
    return re.sub(r"(<body\b[^>]*>)", lambda body: body[1] + BANNER, html, count=1).encode()


@cache
def report(name: str) -> bytes:
    """A report's csv, as Moodle sends it."""
    content = (house.root() / "demo" / name).read_bytes()
    return gzip.decompress(content) if name.endswith(".gz") else content


@cache
def style() -> str:
    """What a theme would do, as an element of a page's head."""
    return f"<style>{(house.root() / 'demo' / STYLE).read_text(encoding='utf-8')}</style>"


class Handler(BaseHTTPRequestHandler):
    """Answers with the page of a path, whatever its parameters."""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        name, csv = PAGES.get(path), REPORTS.get(path)
        nothing = f"<!doctype html><title>Made-up Moodle</title>{style()}{BANNER}".encode()
        body = report(csv) if csv else page(name) if name else nothing
        self.send_response(200 if name or csv else 404)
        self.send_header("Content-Type", f"text/{'csv' if csv else 'html'}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def start(port: int = PORT) -> ThreadingHTTPServer | None:
    """Serve the pages on this computer only, until the program ends; None where the port is taken."""
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    except OSError:
        return None
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
