"""A real browser and pages to show it: what every browser test takes from here.

`python tests/browser.py` finds Chromium or Chrome, installs one where there is none, or says in one sentence
what to do; the fixtures do the same, so that no browser test is ever skipped in silence.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from mimetypes import guess_type
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserType, Error, Page, Playwright, sync_playwright

NAMES = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
]
PLACES = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
]
# A test talks to this machine only: the browser looks nothing up of its own, nor for a saved page.
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
ADVICE = (
    "The browser tests need Chromium, Chrome or Edge: install one (on Debian: apt install chromium), "
    "or name yours in COURSETTE_BROWSER."
)


class NoBrowser(Exception):
    """No browser could be found, installed or started; the message says what to do."""


def candidates(own: str) -> Iterator[str]:
    """Programs that may be a browser we can drive, Playwright's own first (`own` is where it would lie)."""
    if named := os.environ.get("COURSETTE_BROWSER"):
        yield named  # somebody chose: nothing else will do
        return
    found = [own, *map(shutil.which, NAMES), *PLACES]
    yield from (path for path in found if path and Path(path).exists())


def install_own() -> None:
    """Ask Playwright for its Chromium: it needs the network, so not for long."""
    print("No browser yet: asking Playwright for its Chromium ...", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    _run(command, seconds=240, PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT="10000")


def install_debian() -> None:
    """Take Debian's Chromium (and what Playwright's driver needs), where we are root on Debian."""
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        print("No browser yet: asking Debian for its Chromium ...", file=sys.stderr, flush=True)
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "libatomic1"]
        _run(["apt-get", "update", "-qq"], seconds=120)
        _run(install, seconds=420, DEBIAN_FRONTEND="noninteractive")


def _run(command: list[str], seconds: int, **environment: str) -> int:
    """Exit status of a quiet command, 1 where it could not run or took too long."""
    env = {**os.environ, **environment}
    try:
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.run(command, timeout=seconds, env=env, **quiet).returncode
    except (OSError, subprocess.TimeoutExpired):
        return 1


@contextmanager
def driver() -> Iterator[Playwright]:
    """Playwright, after a look whether its program runs here at all (a bare Debian lacks a library)."""
    command = [sys.executable, "-m", "playwright", "--version"]
    if _run(command, seconds=60):
        install_debian()
        if _run(command, seconds=60):
            raise NoBrowser("Playwright's driver does not start here: on Debian, apt install libatomic1 chromium.")
    with sync_playwright() as playwright:
        yield playwright


def launch(chromium: BrowserType, **options: object) -> Browser:
    """Start a headless browser, installing one if need be.

    `options` go to Playwright's `launch`, `args` besides ours; a test that needs a browser with flags of its
    own says `launch(browser.browser_type, args=[...])`. Raises NoBrowser.
    """
    options = {"headless": True, **options, "args": ARGS + list(options.get("args", []))}
    tried: dict[str, str] = {}
    for prepare in (None, install_own, install_debian):
        if prepare and not os.environ.get("COURSETTE_BROWSER"):
            prepare()
        for path in candidates(chromium.executable_path):
            if path not in tried:
                try:
                    return chromium.launch(executable_path=path, **options)
                except Error as problem:
                    tried[path] = problem.message.strip().splitlines()[0]
    raise NoBrowser(" ".join([ADVICE, *(f"({path} did not start: {why})" for path, why in tried.items())]))


@contextmanager
def no_loop() -> Iterator[None]:
    """While this lasts, no event loop counts as running in this thread: Playwright's rests between its calls."""
    resting = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(None if resting and resting.is_closed() else resting)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium or Chrome, one for all tests of a process."""
    with ExitStack() as stack:
        try:
            started = launch(stack.enter_context(driver()).chromium)
        except NoBrowser as problem:
            pytest.fail(str(problem), pytrace=False)
        loop = asyncio.get_running_loop()  # Playwright's
        yield started
        asyncio._set_running_loop(loop)  # the last test may be none of the browser's (see conftest.py)
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page, signed in nowhere, of a teacher in Brisbane; `page.context` makes more of them."""
    context = browser.new_context(locale="en-AU", timezone_id="Australia/Brisbane")
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


class Site:
    """A small web server on a free port of 127.0.0.1, to put pages on.

    `site["/user/view.php?id=5"] = "<a>..."` puts a page there (str, bytes or a Path to read); a path without
    its query answers any query. `site.headers` go with every answer (a Content-Security-Policy, say);
    `site.asked` lists what was asked for, the browser's own favicon aside.
    """

    def __init__(self) -> None:
        self.pages: dict[str, str | bytes | Path] = {}
        self.headers: dict[str, str] = {}
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()

    def __setitem__(self, path: str, body: str | bytes | Path) -> None:
        self.pages[path] = body

    def folder(self, folder: Path) -> str:
        """Serve all files of a folder; answers the address of the site."""
        for file in folder.rglob("*"):
            if file.is_file():
                self["/" + file.relative_to(folder).as_posix()] = file
        return self.url

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, asked: str) -> tuple[int, str, bytes]:
        """Status, media type and body for a path with its query."""
        path = unquote(urlsplit(asked).path)
        body = self.pages.get(asked, self.pages.get(path))
        if body is None:
            return 404, "text/plain", b"not here"
        kind = guess_type(body if isinstance(body, Path) else path)[0] or "text/html"
        if path.endswith(".php"):  # Moodle's pages, whatever Python takes .php for
            kind = "text/html"
        if isinstance(body, Path):
            body = body.read_bytes()
        return 200, f"{kind}; charset=utf-8", body.encode() if isinstance(body, str) else body

    def _handler(site) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path != "/favicon.ico":
                    site.asked.append(self.path)
                status, kind, body = site.answer(self.path)
                self.send_response(status)
                headers = {"Content-Type": kind, "Content-Length": str(len(body)), **site.headers}
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture
def site() -> Iterator[Site]:
    """A place to put pages on (see Site); gone after the test."""
    started = Site()
    yield started
    started.close()


if __name__ == "__main__":
    try:
        with driver() as playwright:
            launch(playwright.chromium).close()
    except NoBrowser as problem:
        sys.exit(str(problem))
