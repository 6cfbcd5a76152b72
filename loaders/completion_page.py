"""The saved activity completion page (/report/progress/index.php): the same as its download, with ids.

A cell is an icon, `.../i/completion-auto-y`, whose title ends in a state and a time in the page's language:
`Al & Co, Toolbox book: Completed Tuesday, 1 March 2016, 12:36 AM`. Who may override completion also has a
link with `data-changecompl="UID-CMID-NEWSTATE"`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborNode

from loaders.names import clean
from loaders.reading import Reading
from loaders.saved_page import SavedPage, attribute, link, link_id, own_text
from loaders.times import Clock

KIND = "activity completion"
ICON = re.compile(r"\bcompletion-(?:auto|manual)-(y|n|pass|fail)(-override)?(?![a-z])")
STATES = {"y": "complete", "n": "incomplete", "pass": "complete-pass", "fail": "complete-fail"}
SET_BY = re.compile(r"\(set by (.*)\)")
BRACKETS = re.compile(r"\([^()]*\)")
MODULE = re.compile(r"/mod/([a-z][a-z0-9_]*)/view\.php$")
EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


@dataclass
class Cell:
    """One person's state in one activity; `words` is the icon's text after "PERSON, ACTIVITY:"."""

    state: str
    words: str
    overridden: bool

    @property
    def set_by(self) -> str | None:
        """Who overrode it, where the page says so in English."""
        found = SET_BY.search(self.words) if self.overridden else None
        return clean(found[1]) if found else None

    @property
    def time_text(self) -> str:
        """State and time without what is in brackets: "(set by NAME)", whose name may hold numbers."""
        words, before = self.words, ""
        while words != before:
            words, before = BRACKETS.sub(" ", words), words
        return clean(words)


def read(page: SavedPage, clock: Clock) -> Reading:
    """`columns`, then for each row a `person` (who is tracked) and a `completion` claim."""
    table = page.tree.css_first("table#completion-progress")
    columns = _columns(table) if table is not None else []
    rows = _rows(table) if table is not None else []
    cells = [_cells(row, person, columns) for person, row in rows]
    done = (cell.time_text for row in cells for cell in row if cell and cell.state != "incomplete")
    times = page.times(done, clock)
    claims: list[dict] = [{"noun": "columns", "activities": columns}]
    for line, ((person, _), row) in enumerate(zip(rows, cells, strict=True), 1):
        said = {"line": line, "person": person}
        claims.append({"noun": "person", **said, "in_course": True, "report": "completion"})
        claims.append({"noun": "completion", **said, "cells": [_plain(cell, times) for cell in row]})
    return Reading(
        kind=KIND,
        claims=claims if columns else [],
        course=page.course,
        site=page.site,
        timezone=page.timezone,
        newest_utc=max(times.values(), default=None),
        notes=list(_notes(page, len(rows))),
    )


def _columns(table: LexborNode) -> list[dict]:
    """The activities, in the order of their columns; the link's title is the whole name, its text is not."""
    columns = []
    for anchor in table.css("thead th a[href]"):
        path, parameters = link(attribute(anchor, "href"))
        found = MODULE.search(path)
        if found and parameters.get("id", "").isdigit():
            name = clean(attribute(anchor, "title")) or own_text(anchor)
            columns.append({"name": name, "cmid": int(parameters["id"]), "kind": found[1]})
    return columns


def _rows(table: LexborNode) -> list[tuple[dict, LexborNode]]:
    rows = []
    for row in table.css("tbody tr"):
        profile = row.css_first("th a[href*='/user/view.php'], td a[href*='/user/view.php']")
        moodle_id = link_id(attribute(profile, "href"), "/user/view.php")
        if moodle_id:
            person = {"moodle_id": moodle_id, "fullname": own_text(profile)}
            emails = [text for cell in row.css("td") if EMAIL.fullmatch(text := own_text(cell))]
            rows.append((person | ({"email": emails[0]} if len(emails) == 1 else {}), row))
    return rows


def _cells(row: LexborNode, person: dict, columns: list[dict]) -> list[Cell | None]:
    """One for each column; None where the page shows nothing certain."""
    nodes = row.css("td.completion-progresscell")
    if len(nodes) != len(columns):
        return [None] * len(columns)
    return [_cell(node, person, column) for node, column in zip(nodes, columns, strict=True)]


def _cell(node: LexborNode, person: dict, column: dict) -> Cell | None:
    change = attribute(node.css_first("[data-changecompl]"), "data-changecompl")
    if change and change.split("-")[:2] != [str(person["moodle_id"]), str(column["cmid"])]:
        return None
    icon = node.css_first("img, i.icon, .icon")
    found = ICON.search(f"{attribute(icon, 'src')} {attribute(icon, 'class')}")
    title = clean(attribute(icon, "title") or attribute(icon, "alt") or attribute(icon, "aria-label"))
    start = f"{person['fullname']}, {column['name']}:"
    words = title.removeprefix(start).strip() if title.startswith(start) else ""
    if found:
        return Cell(STATES[found[1]], words, bool(found[2]))
    # Without its icon: a link that would change the state to 0 (incomplete) says that it is complete now.
    return Cell("complete", words, "(" in words) if change.endswith("-0") else None


def _plain(cell: Cell | None, times: dict[str, str]) -> list | None:
    if cell is None:
        return None
    done = times.get(cell.time_text) if cell.state != "incomplete" else None
    return [cell.state, done, cell.set_by]


def _notes(page: SavedPage, shown: int) -> Iterator[str]:
    """What the page leaves out, and how to get the whole."""
    course = page.course.get("moodle_id", "")
    everyone = page.address(f"report/progress/index.php?course={course}&group=0&sifirst=all&silast=all")
    numbers = [attribute(node, "data-page-number") for node in page.tree.css(".pagination [data-page-number]")]
    pages = max((int(number) for number in numbers if number.isdigit()), default=1)
    if pages > 1:
        yield (
            f"This is one of {pages} pages and shows {shown} people: open {everyone}&format=csv "
            "(in Moodle 5.1 &dataformat=csv) for a file with everybody, and load it too."
        )
    active = [
        node for node in page.tree.css(".initialbar li.active") if "initialbarall" not in attribute(node, "class")
    ]
    if active or attribute(page.tree.css_first("#selectgroup option[selected]"), "value") not in ("", "0"):
        yield f"This page shows only people of one group or initial: open {everyone} and save it again."
    if not shown:
        yield "This page lists nobody: nothing is tracked, or a group or initial hides everybody."
