"""Retake the README's pictures (`make pictures`): the demo, in a real browser."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote

from playwright.sync_api import Page, sync_playwright

from loaders import house
from tests.browser import launch

TREE = Path(__file__).parents[1]
PICTURES = TREE / "demo" / "screenshots"
MOODLE_PAGES = "http://127.0.0.1:8045"


def serve(queries: Path) -> tuple[subprocess.Popen, str]:
    """The demo on a free port with this folder of own questions; returns its process and the sign-in link."""
    code = "from loaders.cli import main; main()"
    private = tempfile.mkdtemp(prefix="coursette-pictures-")
    command = [sys.executable, "-c", code, "demo", "--moodle", "--port", "0", "--private", private]
    command += ["--queries", str(queries)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=TREE)
    return server, server.stdout.readline().removeprefix("Sign in: ").strip()


def picture(page: Page, name: str, width: int, height: int) -> None:
    """Save what a window of this size shows."""
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(400)
    page.screenshot(path=PICTURES / f"{name}.png")


def moodle_page(page: Page, path: str, script: str) -> None:
    """A page of the made-up Moodle with the bookmarklet's marks on it."""
    page.goto(f"{MOODLE_PAGES}{path}", wait_until="domcontentloaded")
    page.evaluate(script)
    page.wait_for_selector(".coursette-usage")


def own_question(page: Page, home: str, script: str, queries: Path) -> None:
    """A question as `coursette query new --template activity` begins it: its page, and its numbers."""
    queries.mkdir(exist_ok=True)
    shutil.copy(house.root() / "loaders" / "beginnings" / "activity.sql", queries / "came_back.sql")
    page.goto(f"{home}moodle/came_back?course=2")
    picture(page, "own-question", 1000, 640)
    moodle_page(page, "/course/view.php?id=2", script)
    page.reload(wait_until="domcontentloaded")  # which asks anew for what the tab keeps for five minutes
    page.evaluate(script)
    page.wait_for_selector(".coursette-number")
    picture(page, "own-number", 1000, 560)


def main() -> None:
    """Take them all."""
    PICTURES.mkdir(exist_ok=True)
    queries = Path(tempfile.mkdtemp(prefix="coursette-queries-"))
    server, link = serve(queries)
    try:
        with sync_playwright() as playwright:
            page = launch(playwright.chromium).new_page()
            page.goto(link)
            home = page.url
            picture(page, "home", 1000, 640)
            page.goto(f"{home}-/course?course=2")
            picture(page, "course", 1000, 1180)
            page.goto(f"{home}-/completion?course=2")
            picture(page, "grid", 1280, 760)
            for tab in ("details", "completion", "posts"):
                page.goto(f"{home}-/student?course=2&user=56#{tab}")
                if tab == "details":
                    page.get_by_label("A note").fill("Asked for help with the placement school; I wrote to the school.")
                    page.get_by_role("button", name="Add a note").click()
                picture(page, f"student-{tab}", 620, 1130 if tab == "details" else 760)
            page.goto(f"{home}moodle/busiest?course=2")
            picture(page, "chart", 1000, 640)
            page.goto(f"{home}moodle/activities?_sort=position")
            picture(page, "table", 1000, 640)
            page.goto(f"{home}-/bookmarklet")
            script = page.locator("a[href^='javascript:']").first.get_attribute("href").removeprefix("javascript:")
            moodle_page(page, "/course/view.php?id=2", unquote(script))
            page.get_by_label("to week").select_option("13")
            picture(page, "overlay", 1000, 760)
            page.locator("[data-activity='12']").first.click()
            page.wait_for_selector("#coursette-list tbody tr")
            picture(page, "list", 1000, 560)
            moodle_page(page, "/mod/forum/discuss.php?d=69", unquote(script))
            page.locator(".coursette-details").first.evaluate("mark => scrollTo(0, mark.offsetTop - 120)")
            picture(page, "details", 1000, 560)
            own_question(page, home, unquote(script), queries)
    finally:
        server.terminate()


if __name__ == "__main__":
    main()
