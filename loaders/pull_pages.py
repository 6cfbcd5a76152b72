"""What a browser's session gives where Moodle's web services are off: pages and downloads, as a teacher takes them.

    /user/index.php?id=2&perpage=5000       who is in the course (Moodle notes that the list was looked at)
    /course/view.php?id=2                   sections and activities (Moodle notes the visit)
    /report/progress/index.php?course=2...  who has completed what
    /mod/forum/export.php                   the posts of a forum

Filters that stick in Moodle's session are undone by saying every one in full.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser

from loaders.moodle_errors import MoodleError, NotAllowed, WrongFormat

if TYPE_CHECKING:
    from loaders.pull_course import CoursePull

ALL = {"group": 0, "sifirst": "all", "silast": "all"}


async def participants(pull: CoursePull) -> None:
    """The participants page, with all people on it."""
    await _page(pull, "participants", "/user/index.php", {"id": pull.course, "perpage": 5000} | ALL)


async def structure(pull: CoursePull) -> None:
    """The course page."""
    try:
        await _page(pull, "structure", "/course/view.php", {"id": pull.course})
    finally:
        pull.known_modules.set()


async def completion(pull: CoursePull) -> None:
    """The completion report: `format=` as Moodle 4 has it, `dataformat=` as Moodle 5 does."""
    for word in ("format", "dataformat"):
        asked = {"course": pull.course, word: "csv"} | ALL
        try:
            await _page(pull, "completion", "/report/progress/index.php", asked, "csv")
            return
        except WrongFormat:
            continue
    pull.errors.append("completion: Moodle gave a page in place of the report: completion may be off in this course")


async def forums(pull: CoursePull) -> None:
    """The posts of each forum, by its export; which asks for the forum's own id, not that of the course module."""
    await pull.after(pull.log_read, pull.known_modules)
    for cmid, known in await pull.in_reader(pull.store.forums):
        forum = known or await _instance(pull, cmid)
        if forum:
            form = {"id": forum, "sesskey": pull.viewer.sesskey, "format": "csv", "_qf__mod_forum_form_export_form": 1}
            await _page(pull, f"forum-{forum}", "/mod/forum/export.php", form, "csv", post=True)


async def _instance(pull: CoursePull, cmid: int) -> int | None:
    """A forum's own id, from the form that edits its settings (opened and left alone): no page lists it."""
    try:
        html = await pull.moodle.page("/course/modedit.php", {"update": cmid})
    except NotAllowed:
        pull.refused["forums"] = "forums: only who may edit the course can have them exported by Coursette"
        return None
    except MoodleError as error:
        pull.errors.append(f"forum {cmid}: {error}")
        return None
    field = LexborHTMLParser(html).css_first('input[name="instance"]')
    value = (field.attributes.get("value") or "") if field is not None else ""
    return int(value) if value.isdecimal() else None


async def _page(pull: CoursePull, name: str, path: str, asked: dict, expect: str = "html", post: bool = False) -> None:
    target = pull.folder / f"{name}.{expect}"
    pull.planned(1)
    try:
        await pull.moodle.download(path, asked, target, expect=expect, post=post)
        await pull.take(target, name)
    except WrongFormat:
        raise
    except NotAllowed as error:
        pull.refused[name] = f"{name}: {error}"
    except MoodleError as error:
        pull.errors.append(f"{name}: {error}")
    finally:
        pull.done(1)


PAGES = (participants, structure, completion, forums)
