"""Saved Moodle pages: which are used, and who reads them.

A page is known by the id that Moodle gives its body, which is the same in every language.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from loaders import bim_page, completion_page, course_page, participants_page
from loaders.reading import Reading
from loaders.saved_page import SavedPage, body_id, utf8
from loaders.tables import Page
from loaders.times import Clock

Reader = Callable[[SavedPage, Clock], Reading]
# (kind, start of the body's id, what else the page must have, reader)
PAGES: tuple[tuple[str, str, re.Pattern[bytes], Reader], ...] = (
    (
        participants_page.KIND,
        r"page-(?:course-view-|user-index)",
        re.compile(rb"""\bid\s*=\s*["']?participants["'\s>]"""),
        participants_page.read,
    ),
    (
        completion_page.KIND,
        r"page-report-progress-index$",
        re.compile(rb"completion-progress"),
        completion_page.read,
    ),
    (
        course_page.KIND,
        r"page-course-(?:view|section)",
        re.compile(rb"""\bid\s*=\s*["']?(?:module|section)-\d"""),  # the course index has other ids
        course_page.read_course,
    ),
    (course_page.KIND, r"page-mod-book-view$", re.compile(rb"book_toc"), course_page.read_book),
    (bim_page.KIND, r"page-mod-bim-view$", re.compile(rb"<table"), bim_page.read),
    (course_page.KIND, r"page-mod-forum-(?:view|discuss)$", re.compile(rb"discuss"), course_page.read_forum),
)


def recognise(page: Page) -> str | None:
    """The kind of a page that is used, else None. Does not parse it."""
    found = _find(page)
    return found[0] if found else None


def read(page: Page, clock: Clock) -> Reading:
    """What the page says. `clock` is used only where the page does not say its own time zone.

    Only pages that `recognise` knows.
    """
    _, reader = _find(page)
    return reader(SavedPage(page), clock)


def named_unused(page: Page) -> str | None:
    """What a genuine Moodle page is that is not used: "Moodle page (grade report grader)"; else None."""
    name = body_id(utf8(page.html))
    if not name.startswith("page-") or recognise(page):
        return None
    words = name.removeprefix("page-").removesuffix("-index").replace("-", " ").replace("_", " ")
    return f"Moodle page ({words})"


def _find(page: Page) -> tuple[str, Reader] | None:
    html = utf8(page.html)
    name = body_id(html)
    for kind, start, mark, reader in PAGES:
        if re.match(start, name) and mark.search(html):
            return kind, reader
    return None
