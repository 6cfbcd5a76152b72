"""Saved pages of a course and of its books and forums: sections, activities in order, chapters, discussions.

Traps: `data-sectionid` is the section's NUMBER, `data-id` its id; names on screen end in words for screen
readers ("Introduce yourself Forum"); the attributes are escaped twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborNode

from loaders.names import clean
from loaders.reading import Reading
from loaders.saved_page import SavedPage, attribute, link_id, own_text, whole_number
from loaders.times import Clock, epoch_utc

KIND = "course structure"
MODULE_CLASS = re.compile(r"modtype_([a-z][a-z0-9_]*)")
SECTION, ACTIVITY = "li.section", "li.activity"
# Shown only where completion is tracked; a course may hide it, so that its absence says nothing.
TRACKED = "[data-region=completionrequirements], [data-region=completion-info] button, [data-toggletype^=manual]"
# Activities whose second date is when they are due; others show other dates.
DATED = ("assign", "quiz", "choice", "feedback", "lesson", "scorm")
DUE = ("due", "closes", "closed")
CHAPTER_NUMBER = re.compile(r"\d+(?:\.\d+)*\.?\s+")


def read_course(page: SavedPage, clock: Clock) -> Reading:
    """`section` and `activity` claims of a course page, or of the page of one section."""
    sections = [node for node in page.tree.css(SECTION) if _section_id(node)]
    activities = [node for node in page.tree.css(ACTIVITY) if _cmid(node)]
    whole = _is_whole(page, sections)
    due = {_cmid(node): text for node in activities if (text := _due_text(node))}
    times = page.times(due.values(), clock)
    claims: list[dict] = [_section(node) for node in sections]
    for position, node in enumerate(activities, 1):
        claim = _activity(node)
        if whole:
            claim["position"] = position
        if time := times.get(due.get(claim["cmid"], "")):
            claim["due_utc"] = time
        claims.append(claim)
    return _reading(page, claims, list(_notes(sections)))


def _reading(page: SavedPage, claims: list[dict], notes: list[str], newest: str | None = None) -> Reading:
    return Reading(
        kind=KIND, claims=claims, course=page.course, site=page.site, timezone=page.timezone,
        newest_utc=newest, notes=notes,
    )  # fmt: skip


def _section_id(node: LexborNode) -> int | None:
    """Moodle's id of the section, not its number."""
    editable = node.css_first(".sectionname [data-itemtype=sectionname]")
    return whole_number(attribute(node, "data-id") or attribute(editable, "data-itemid"))


def _section_number(node: LexborNode) -> int | None:
    found = re.fullmatch(r"section-(\d+)", attribute(node, "id"))
    text = attribute(node, "data-number") or attribute(node, "data-sectionid") or (found[1] if found else "")
    return int(text) if text.isdigit() else None


def _cmid(node: LexborNode) -> int | None:
    return whole_number(attribute(node, "data-id") or attribute(node, "id").removeprefix("module-"))


def _above(node: LexborNode, wanted: str) -> LexborNode | None:
    """The nearest `li` around a node with this class."""
    above = node.parent
    while above is not None and not (above.tag == "li" and wanted in attribute(above, "class").split()):
        above = above.parent
    return above


def _section(node: LexborNode) -> dict:
    """A section; `parent` is the section that a subsection lies in."""
    name = clean(attribute(node, "data-sectionname")) or own_text(node.css_first(".sectionname"))
    claim = {"noun": "section", "moodle_id": _section_id(node), "number": _section_number(node), "name": name}
    outer = _above(node, "section")
    if outer is not None and (parent := _section_id(outer)):
        claim["parent"] = parent
    return {key: value for key, value in claim.items() if value not in (None, "")}


def _activity(node: LexborNode) -> dict:
    """An activity; a label's name is only in an attribute."""
    item = node.css_first(".activity-item[data-activityname]")
    name = clean(attribute(item, "data-activityname")) or own_text(node.css_first(".instancename"))
    claim = {"noun": "activity", "cmid": _cmid(node)}
    if kind := MODULE_CLASS.search(attribute(node, "class")):
        claim["kind"] = kind[1]
    if name:
        claim["name"] = name
    outer = _above(node, "section")
    if outer is not None and (section := _section_id(outer)):
        claim["section"] = section
    if claim.get("kind") != "subsection" and node.css_first(TRACKED):
        claim["tracked"] = 1
    return claim


def _due_text(node: LexborNode) -> str | None:
    """When an activity is due, as the page writes it: by its label, or as the later of its two dates."""
    kind = MODULE_CLASS.search(attribute(node, "class"))
    if not kind or kind[1] not in DATED:
        return None
    dates = []
    for line in node.css("[data-region=activity-dates] > div"):
        label = own_text(line.css_first("strong"))
        dates.append((label, own_text(line).removeprefix(label).strip()))
    for label, text in dates:
        if label.rstrip(":").casefold() in DUE:
            return text
    return dates[1][1] if len(dates) == 2 else None


def _is_whole(page: SavedPage, sections: list[LexborNode]) -> bool:
    """Whether the page shows the whole course, so that the place on the page is the place in the course."""
    if page.body_id.startswith(("page-course-view-section", "page-course-section")):
        return False
    top = [node for node in sections if _above(node, "section") is None]
    return [_section_number(node) for node in top] == list(range(len(top))) and not any(map(_is_summary, top))


def _is_summary(node: LexborNode) -> bool:
    """A section of which the page shows only the summary (a course with one section a page)."""
    return "section-summary" in attribute(node, "class").split()


def _notes(sections: list[LexborNode]) -> Iterator[str]:
    if summaries := sum(map(_is_summary, sections)):
        yield (
            f"This course shows one section a page, and {summaries} are only summaries here: "
            "open each section, save its page too, and load them all."
        )


def read_book(page: SavedPage, clock: Clock) -> Reading:
    """The table of contents of a book: `part` claims of kind chapter."""
    cmid = page.body_number("cmid")
    chapters: dict[int, str] = {}
    for toc in page.tree.css(".book_toc"):
        for node in toc.css("a[href*='chapterid='], strong"):
            chapter = link_id(attribute(node, "href"), "view.php", "chapterid") or (
                _open_chapter(page) if node.tag == "strong" else None
            )
            if chapter:
                chapters.setdefault(chapter, _chapter_name(node, "book_toc_numbered" in attribute(toc, "class")))
    parts = [
        _part(cmid, "chapter", chapter, name) | {"position": position}
        for position, (chapter, name) in enumerate(chapters.items(), 1)
    ]
    return _reading(page, [*_own_activity(page), *parts] if cmid else [], [])


def _open_chapter(page: SavedPage) -> int | None:
    """The chapter on show, which the table of contents does not link: from the link to print it."""
    for node in page.tree.css("a[href*='/mod/book/tool/print/']"):
        if chapter := link_id(attribute(node, "href"), "/mod/book/tool/print/index.php", "chapterid"):
            return chapter
    return None


def _chapter_name(node: LexborNode, numbered: bool) -> str:
    name = clean(attribute(node, "title")) or own_text(node)
    return CHAPTER_NUMBER.sub("", name, count=1) if numbered and not attribute(node, "title") else name


def read_forum(page: SavedPage, clock: Clock) -> Reading:
    """The discussions that a forum's page lists, or the one that a discussion's page shows."""
    cmid = page.body_number("cmid")
    names: dict[int, str] = {}
    for row in page.tree.css("[data-region=discussion-list-item], tr.discussion"):
        for node in row.css("a[href*='/mod/forum/discuss.php']"):
            discussion = link_id(attribute(node, "href"), "/mod/forum/discuss.php", "d")
            if discussion and own_text(node):
                names.setdefault(discussion, own_text(node))
    if page.body_id == "page-mod-forum-discuss" and (own := _open_discussion(page)):
        names.setdefault(own, own_text(page.tree.css_first(".discussionname")))
    stamps = [attribute(node, "data-timestamp") for node in page.tree.css("time[data-timestamp]")]
    newest = max((int(stamp) for stamp in stamps if whole_number(stamp)), default=None)
    return _reading(
        page,
        [
            *_own_activity(page),
            *(_part(cmid, "discussion", key, name) for key, name in names.items() if name),
        ],
        list(_forum_notes(page, len(names))),
        epoch_utc(newest) if newest else None,
    )


def _open_discussion(page: SavedPage) -> int | None:
    """The discussion that this page shows, from its buttons or its reply form."""
    button, form = page.tree.css_first("[data-discussionid]"), page.tree.css_first("input[name=d]")
    return whole_number(attribute(button, "data-discussionid") or attribute(form, "value"))


def _forum_notes(page: SavedPage, shown: int) -> Iterator[str]:
    numbers = [attribute(node, "data-page-number") for node in page.tree.css(".pagination [data-page-number]")]
    pages = max((int(number) for number in numbers if number.isdigit()), default=1)
    if pages > 1:
        yield f"This is one of the forum's {pages} pages and names {shown} discussions: save the others too."


def _part(cmid: int | None, kind: str, moodle_id: int, name: str) -> dict:
    return {"noun": "part", "cmid": cmid, "kind": kind, "moodle_id": moodle_id, "name": name}


def _own_activity(page: SavedPage) -> Iterator[dict]:
    """The activity whose page this is, with its instance id where the page tells it."""
    kind = re.match(r"page-mod-([a-z0-9_]+)-", page.body_id)
    claim = {"noun": "activity", "cmid": page.body_number("cmid"), "kind": kind[1] if kind else None}
    name = own_text(page.tree.css_first("h1"))
    if name and name != page.course.get("fullname"):  # before Moodle 4 the heading is the course's
        claim["name"] = name
    instances = {attribute(node, "data-forumid") for node in page.tree.css("[data-forumid]")} - {""}
    if len(instances) == 1 and (instance := whole_number(instances.pop())):
        claim["instance_id"] = instance
    if claim["cmid"] and claim["kind"]:
        yield claim
