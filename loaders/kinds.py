"""Which reader takes a file: decided by what is in it, never by its name."""

from __future__ import annotations

from itertools import islice
from types import ModuleType

from loaders import (
    activity_completion,
    backup,
    blogs,
    calendar_file,
    course_completion,
    forum_posts,
    grades,
    groups,
    log,
    pages,
    participants,
    pulled_answers,
    web_services,
)
from loaders.errors import Unreadable
from loaders.reading import Reading
from loaders.tables import Answer, Backup, CalendarFile, Content, Page, Sheet
from loaders.times import Clock

# In this order: the more particular shape first.
READERS: tuple[ModuleType, ...] = (
    forum_posts,
    activity_completion,
    course_completion,
    grades,
    groups,
    participants,
    blogs,
)

# Downloads that Moodle offers and Coursette does not use (yet): a word of each header that no other has.
UNUSED = {
    "forum summary report": {"Number of discussions posted", "Number of replies posted"},
    "grade history": {"Original grade", "Revised grade"},
    "quiz results": {"Started", "Duration"},
    "quiz results ": {"Started on", "Time taken"},
    "SCORM report": {"Attempt", "Started on", "Last accessed on"},
    "choice responses": {"Choice"},
}


def is_log(sheet: Sheet) -> bool:
    """Whether this sheet is a course log."""
    return log.recognise(sheet.header, [row for _, row in islice(sheet.rows(), 20)])


def reader(sheet: Sheet) -> ModuleType | None:
    """The module that reads this sheet, or None."""
    return next((module for module in READERS if module.recognise(sheet)), None)


def unused(sheet: Sheet) -> str | None:
    """What a sheet is that is known but not used."""
    words = set(sheet.header)
    for kind, marks in UNUSED.items():
        if marks <= words:
            return kind.strip()
    answers = [cell for cell in sheet.header if cell.startswith("(") and ")" in cell]
    return "feedback responses" if len(answers) >= 1 and "Date" in words else None


def read(content: Content | pulled_answers.Pulled, clock: Clock, kind: str | None = None) -> Reading | None:
    """What a small file says; None if nobody knows it. `kind`: what the teacher said that it is."""
    if kind == blogs.KIND and not isinstance(content, Page):
        if not isinstance(content, Sheet):
            raise Unreadable("this is no list of blogs: it takes a table, an OPML file or a saved page of BIM")
        return blogs.read(content, clock)
    if isinstance(content, pulled_answers.Pulled):
        return pulled_answers.reading(content)
    if isinstance(content, CalendarFile):
        return calendar_file.reading(content)
    if isinstance(content, Backup):
        return backup.read(content, clock)
    if isinstance(content, Page):
        return pages.read(content, clock) if pages.recognise(content) else None
    if isinstance(content, Answer):
        return web_services.read(content, clock) if web_services.recognise(content) else None
    module = reader(content)
    return module.read(content, clock) if module else None


def unused_answer(content: Page | Answer) -> str | None:
    """What a saved page or answer is that is known but not used."""
    return (pages if isinstance(content, Page) else web_services).named_unused(content)
