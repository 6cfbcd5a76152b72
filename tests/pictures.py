"""Retake the README's pictures (`make pictures`): the demo, in a real browser."""

from __future__ import annotations

import gzip
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote

from playwright.sync_api import Page, sync_playwright

from tests.browser import launch
from tests.catalogue import MOODLE

TREE = Path(__file__).parents[1]
PICTURES = TREE / "demo" / "screenshots"
# What a theme would do: a saved page comes without its style sheets.
THEME = """body { font: 15px/1.5 system-ui, sans-serif; margin: 24px; color: #1d2125 }
#page-content, .table-responsive { display: block } table { border-collapse: collapse; width: 100% }
td, th { padding: 8px 10px; border-top: 1px solid #dee2e6; text-align: left; vertical-align: middle }
.userinitials { display: inline-grid; place-items: center; width: 32px; height: 32px; border-radius: 50%;
background: #e9ecef; margin-right: 8px; font-size: 12px } a { color: #0f6cbf; text-decoration: none }
.accesshide, .sr-only { position: absolute; left: -9999px } i.icon { display: none }"""


def serve() -> tuple[subprocess.Popen, str]:
    """The demo on a free port; returns its process and the sign-in link."""
    code = "from loaders.cli import main; main()"
    private = tempfile.mkdtemp(prefix="coursette-pictures-")
    command = [sys.executable, "-c", code, "demo", "--port", "0", "--private", private]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=TREE)
    return server, server.stdout.readline().removeprefix("Sign in: ").strip()


def fragment(query: str) -> str:
    """What opens a query's chart."""
    return MOODLE["queries"][query]["fragment"]


def picture(page: Page, name: str, width: int, height: int) -> None:
    """Save what a window of this size shows."""
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(400)
    page.screenshot(path=PICTURES / f"{name}.png")


def moodle_page(page: Page, script: str) -> None:
    """The saved participants page with the bookmarklet's marks on it."""
    html = gzip.decompress((TREE / "demo" / "participants_page.html.gz").read_bytes()).decode()
    page.route("**/user/index.php*", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.route("**/theme/**", lambda route: route.abort())
    page.goto("http://127.0.0.1:8045/user/index.php?id=2", wait_until="domcontentloaded")
    page.add_style_tag(content=THEME)
    page.evaluate(script)
    page.evaluate("document.querySelector('.coursette-details').closest('table').scrollIntoView()")


def main() -> None:
    """Take them all."""
    PICTURES.mkdir(exist_ok=True)
    server, link = serve()
    try:
        with sync_playwright() as playwright:
            page = launch(playwright.chromium).new_page()
            page.goto(link)
            home = page.url
            picture(page, "home", 1000, 640)
            page.goto(f"{home}-/student?course=2&user=5")
            picture(page, "student", 620, 760)
            page.goto(f"{home}moodle/resource_usage?course=2&to_week=13#{fragment('resource_usage')}")
            page.wait_for_selector("canvas, .vega-embed svg")
            picture(page, "chart", 1000, 900)
            page.goto(f"{home}moodle/activities?_sort=position")
            picture(page, "table", 1000, 640)
            page.goto(f"{home}-/bookmarklet")
            script = page.locator("a[href^='javascript:']").first.get_attribute("href").removeprefix("javascript:")
            moodle_page(page, unquote(script))
            picture(page, "bookmarklet", 1000, 560)
    finally:
        server.terminate()


if __name__ == "__main__":
    main()
