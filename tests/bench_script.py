"""How long the page script keeps a page busy, and whether the page jumps when the marks come.

Pages of 500 and 5,000 links, half of them to people and half to activities; the server's answer is there at once.
Each figure stands beside the least that anybody would need in the same page: reading the address and the text of
every link once; for the jumps, a plain number as text behind every link. `make bench-server` runs this too; COUNT=20
says how often each page is opened.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from browser import Site, driver, launch
from playwright.sync_api import Browser, Page
from test_overlay_pages import ANSWER, activity, put, script

COUNT = max(int(os.environ.get("COUNT", 20)), 2)
LINKS = (500, 5000)
ROW = (
    '<tr><td><a href="view.php?id={at}">Forum {at}</a></td><td><a href="/user/view.php?id={at}">Some Body</a></td></tr>'
)
BASELINE = """() => {
    const begun = performance.now();
    let read = 0;
    for (const link of document.links) read += link.href.length + link.textContent.length;
    return [performance.now() - begun, read][0];
}"""
# All that the script does is done in its own run, when the answer comes, and in timers: each is timed here. Where the
# time of a run ends, marks are in the page, but nothing is laid out yet.
WATCH = """answer => {
    window.spent = 0;
    window.jumped = 0;
    const body = JSON.stringify(answer);
    const later = window.setTimeout;
    window.setTimeout = (does, ...more) => later(() => {
        const begun = performance.now();
        does();
        window.spent += performance.now() - begun;
    }, ...more);
    // From here on, what follows is one chain of microtasks: timed to its end, which a longer chain marks.
    const toTheEnd = async (begun) => {
        for (let hop = 0; hop < 100; hop++) await null;
        window.spent += performance.now() - begun;
        window.answered = true;
    };
    window.fetch = async () => ({ status: 200, text: async () => { toTheEnd(performance.now()); return body; } });
    new PerformanceObserver((list) => list.getEntries().forEach(({ value }) => { window.jumped += value; }))
        .observe({ type: "layout-shift", buffered: false });
}"""
RUN = """text => {
    const begun = performance.now();
    (0, eval)(text);
    window.spent += performance.now() - begun;
}"""
REPLACE = """() => {
    window.spent = 0;
    const table = document.querySelector("tbody").closest("table"), copy = table.cloneNode(true);
    copy.querySelectorAll(".coursette-usage, .coursette-details").forEach((mark) => mark.remove());
    table.replaceWith(copy);
}"""
PLAIN = "() => [...document.links].forEach((link) => link.after(' 12'))"
REST = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
MARKED = "want => document.querySelectorAll('.coursette-usage, td .coursette-details').length >= want"


def serve(site: Site, links: int) -> str:
    """A page of so many links; answers its address."""
    rows = "".join(ROW.format(at=1000 + at) for at in range(links // 2))
    address = put(site, "usage_forum_index")
    path = address.removeprefix(site.url)
    start, _, rest = site.pages[path].partition("<tbody>")
    site[path] = f"{start}<tbody>{rows}</tbody>{rest.partition('</tbody>')[2]}"
    return address


def visit(browser: Browser, site: Site, links: int) -> dict[str, float]:
    """What one visit to a page of so many links costs."""
    context = browser.new_context()
    page = context.new_page()
    answer = {**ANSWER, "activities": {str(1000 + at): activity(at, at % 20) for at in range(links // 2)}}
    address = serve(site, links)
    found = {}
    found["plain jumps"] = jumps(page, address, lambda: page.evaluate(PLAIN))
    page.goto(address)
    page.evaluate(REST)
    found["reading"] = page.evaluate(BASELINE)
    page.evaluate(WATCH, answer)
    page.evaluate(RUN, script(site))
    page.wait_for_function("window.answered")
    page.wait_for_function(MARKED, arg=links)
    found["first run"] = page.evaluate("spent")
    page.evaluate(REST)
    page.wait_for_timeout(200)
    found["jumps"] = page.evaluate("jumped")
    page.evaluate(REPLACE)
    page.wait_for_function(MARKED, arg=links)
    page.wait_for_timeout(100)
    found["after a table is replaced"] = page.evaluate("spent")
    context.close()
    return found


def jumps(page: Page, address: str, does) -> float:
    """How far the page jumps by something (Cumulative Layout Shift, without the pardon for what follows a click)."""
    page.goto(address)
    page.evaluate(REST)
    page.evaluate(WATCH, {})
    does()
    page.evaluate(REST)
    page.wait_for_timeout(200)
    return page.evaluate("jumped")


def figures(values: list[float], digits: int) -> str:
    """p50/p95."""
    return "/".join(f"{value:.{digits}f}" for value in (median(values), quantiles(values, n=20)[18]))


def main() -> None:
    """Measure and print."""
    site = Site()
    with driver() as playwright:
        browser = launch(playwright.chromium)
        visit(browser, site, LINKS[0])  # warm
        for links in LINKS:
            visits = [visit(browser, site, links) for _ in range(COUNT)]
            many = {what: [each[what] for each in visits] for what in visits[0]}
            base = median(many["reading"])
            print(f"the page script on a page of {links:,} links, p50/p95 of {COUNT} visits:", flush=True)
            print(f"  reading every link once: {figures(many['reading'], 2)} ms")
            for what in ("first run", "after a table is replaced"):
                ratio = median(many[what]) / base
                print(f"  {what}: {figures(many[what], 1)} ms = {ratio:.0f} x reading every link", flush=True)
            plain = median(many["plain jumps"])
            ratio = f" = {median(many['jumps']) / plain:.1f} x" if plain else ","
            print(
                f"  layout shift: {figures(many['jumps'], 4)}{ratio} plain numbers behind the links ({plain:.4f})",
                flush=True,
            )
        browser.close()
    site.close()


if __name__ == "__main__":
    main()
