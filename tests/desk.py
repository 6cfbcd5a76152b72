"""A teacher's desk: a Moodle's pages, a real server with a made-up course, and the bookmark to click.

The course is made_up.small with a few more people: a tutor, a student whose name a spreadsheet would run, and one
without an address. `Desk` may be shared by the tests of a module: each takes a fresh browser context.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx
import pytest
from browser import Site
from playwright.sync_api import Page, Request, Route, expect
from selectolax.lexbor import LexborHTMLParser

from loaders import rollups
from tests import made_up
from tests.visit import served

TUTOR, FORMULA, NO_ADDRESS = 9, 10, made_up.AWAY
FORMULA_NAME = '=HYPERLINK("http://evil.example/","Sum")'
STUDENTS = 7

LEGEND, LIST, USAGE, DETAILS = "#coursette-legend", "#coursette-list", ".coursette-usage", ".coursette-details"
SETTINGS = """<script>M = {{}}; M.cfg = {{"wwwroot": "{site}", "courseId": {course}, "userId": 3}};</script>"""
PAGE = """<!doctype html><html lang="en"><head><title>Course</title></head>
<body id="page-course-view-topics" class="course-{course}">{settings}
<main id="region-main"><h1>Course</h1><ul class="course-content">{activities}</ul>
<ul>{people}</ul></main></body></html>"""
ACTIVITIES = [
    ("/mod/forum/view.php?id=10", "News"),
    ("/mod/quiz/view.php?id=11", "Quiz 1"),
    ("/mod/resource/view.php?id=12", "Reading nobody opens"),
    ("/mod/book/view.php?id=13", "The TPACK book"),
    ("/mod/book/view.php?id=13&amp;chapterid=7", "What is TPACK?"),
    ("/mod/book/view.php?id=13&amp;chapterid=8", "Unread"),
    ("/mod/url/view.php?id=99", "Newer than the data"),
]
PEOPLE = [(5, "Zoë Müller"), (18, "Sam Lee"), (3, "Marguerite Holloway"), (4, "Tim Tutor")]


def course_page(site: str, course: int = 2) -> str:
    """A course page in small: every kind of thing that can be marked."""
    links = [f'<li class="activity"><a href="{site}{path}">{name}</a></li>' for path, name in ACTIVITIES]
    people = [
        f'<li><a href="{site}/user/view.php?id={user}&amp;course={course}">{name}</a></li>' for user, name in PEOPLE
    ]
    settings = SETTINGS.format(site=site, course=course)
    return PAGE.format(course=course, settings=settings, activities="".join(links), people="".join(people))


def database(path: Path, site: str) -> Path:
    """The made-up course on this site."""
    made_up.small(path)
    with sqlite3.connect(path) as db:
        db.execute("update sites set url = ? where id = 1", [site])
        sql = "insert into people (id, site_id, moodle_id, fullname, firstname, lastname, email) values (?,1,?,?,?,?,?)"
        db.execute(sql, [TUTOR, 4, "Tim Tutor", "Tim", "Tutor", "tim@staff.example.edu"])
        db.execute(sql, [FORMULA, 22, FORMULA_NAME, "=1+1", "Formula", "+form@student.example.edu"])
        db.execute("update people set email = null where id = ?", [NO_ADDRESS])
        sql = (
            "insert into enrolments (course_id, person_id, role, role_from, status) values (1, ?, ?, 'page', 'active')"
        )
        db.executemany(sql, [(TUTOR, "teacher"), (FORMULA, "student")])
        rollups.build(db, 1)
    return path


class Desk:
    """What lies on it; `server` is the address of Coursette, `folder` where its files are."""

    def __init__(self, stack: ExitStack, folder: Path, make: Callable[[Path, str], Path] = database):
        self.folder = folder
        self.site = Site()
        stack.callback(self.site.close)
        for course in (2, 3):
            self.site[f"/course/view.php?id={course}"] = course_page(self.site.url, course)
        self.running = stack.enter_context(ExitStack())
        link = urlsplit(self.running.enter_context(served(make(folder / "moodle.db", self.site.url))))
        self.server = f"{link.scheme}://{link.netloc}"
        signed_in = httpx.get(link.geturl())
        cookie = SimpleCookie(signed_in.headers["set-cookie"])
        self.cookies = [
            {"name": name, "value": morsel.coded_value, "url": self.server} for name, morsel in cookie.items()
        ]
        page = httpx.get(f"{self.server}/-/bookmarklet", cookies={each["name"]: each["value"] for each in self.cookies})
        href = LexborHTMLParser(page.text).css_first("#coursette-bookmarklet").attributes["href"]
        self.bookmark = unquote(href.removeprefix("javascript:"))

    @property
    def by_itself(self) -> str:
        """The script as a userscript manager runs it: without a click."""
        start, middle, end = self.bookmark.rpartition("})(")
        settings = json.loads(end.strip().removesuffix(");"))
        return f"{start}{middle}{json.dumps({**settings, 'clicked': False})});"

    def stop(self) -> None:
        """The server is gone; the Moodle stays."""
        self.running.close()

    def sign_in(self, page: Page) -> None:
        """The browser of this page is signed in to Coursette, as a teacher's is."""
        page.context.add_cookies(self.cookies)

    def open(self, page: Page, path: str = "/course/view.php?id=2", script: str = "") -> Page:
        """A page of the Moodle with the bookmark clicked; it need not have its numbers yet."""
        page.goto(self.site.url + path)
        page.evaluate(script or self.bookmark)
        return page

    def ready(self, page: Page, path: str = "/course/view.php?id=2", script: str = "") -> Page:
        """The same, with its numbers."""
        self.open(page, path, script)
        settled(page)
        return page


@contextmanager
def on_a_desk(folder: Path, **options: Callable[[Path, str], Path]) -> Iterator[Desk]:
    """A desk, cleared afterwards."""
    with ExitStack() as stack:
        yield Desk(stack, folder, **options)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One for all tests of a module: they only read."""
    with on_a_desk(tmp_path_factory.mktemp("desk")) as made:
        yield made


def settled(page: Page) -> None:
    """Wait until the legend waits for nothing."""
    expect(page.locator(f"{LEGEND}[aria-busy=false]")).to_be_attached()
    expect(page.locator(f"{LEGEND} .coursette-soft")).not_to_be_empty()


def numbers(page: Page) -> list[str]:
    """The texts of all marks that are seen, in the page's order."""
    return [mark.inner_text() for mark in page.locator(f"{USAGE}:visible").all()]


def number_of(page: Page, name: str):
    """The mark behind the link of this name."""
    return page.locator(f"li:has(> a:text-is('{name}')) > {USAGE}")


def asked(page: Page) -> list[dict[str, str | list[str]]]:
    """A list that grows with what is asked of the server from now on: the path, and the parameters."""
    found: list[dict] = []

    def note(request: Request) -> None:
        address = urlsplit(request.url)
        if address.path.startswith("/-/") and request.method == "GET":
            found.append({"path": address.path, **dict(parse_qsl(address.query))})

    page.on("request", note)
    return found


def hold(page: Page, path: str = "**/-/usage.json*") -> list[Route]:
    """Keep back what is asked of the server: `route.continue_()` lets it go."""
    held: list[Route] = []
    page.route(path, lambda route: held.append(route))
    return held
