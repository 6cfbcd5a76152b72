"""The saved participants page (/user/index.php): people with their ids, roles, groups and enrolment.

The download of the same list has none of these, so this page is worth more than the file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborNode

from loaders.names import clean
from loaders.reading import Reading
from loaders.saved_page import SavedPage, attribute, link_id, own_text, whole_number
from loaders.times import Clock

KIND = "participants page"
ROLE_IDS = {1: "manager", 2: "coursecreator", 3: "editingteacher", 4: "teacher", 5: "student"}
ROLE_NAMES = {
    "manager": "manager",
    "course creator": "coursecreator",
    "teacher": "editingteacher",
    "non-editing teacher": "teacher",
    "student": "student",
}
STATUSES = {"active": "active", "suspended": "suspended", "not current": "not current"}
# The badge says the same in every language: bg-success (4.5), badge-success (4.1), text-bg-success (5.1).
BADGES = {"success": "active", "warning": "suspended", "secondary": "not current"}
BADGE = re.compile(r"(?:^|[\s-])(success|warning|secondary)\b")
STANDING = ("active", "not current", "suspended")  # of several enrolments, the one that opens most
# Moodle's own columns, by the name in the "hide" link, and what they are to us. Details are called as in
# Moodle's English, as the participants download of an English site calls them.
PERSON_COLUMNS = {"email": "email", "idnumber": "idnumber", "username": "username"}
DETAIL_COLUMNS = {
    "phone1": "Phone",
    "phone2": "Mobile phone",
    "department": "Department",
    "institution": "Institution",
    "city": "City/town",
    "country": "Country",
}
OWN_COLUMNS = {"fullname", "roles", "groups", "lastaccess", "status"}
EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


@dataclass
class Layout:
    """Which column is where; the page's language, for words that only text tells."""

    own: dict[str, int]  # Moodle's own columns: name -> place in the row
    others: dict[int, tuple[str, str]]  # place -> (Moodle's name or '', header text)
    language: str


def read(page: SavedPage, clock: Clock) -> Reading:
    """One `person` claim for each row, all with `in_course` true."""
    table = page.tree.css_first("table#participants")
    rows = [row for row in table.css("tbody tr") if _moodle_id(row)] if table is not None else []
    times = page.times(_enrolled_texts(rows), clock)
    layout = _layout(table, page.language) if rows else None
    return Reading(
        kind=KIND,
        claims=[_person(number, row, layout, times) for number, row in enumerate(rows, 1)],
        course=page.course,
        site=page.site,
        timezone=page.timezone,
        newest_utc=max(times.values(), default=None),
        notes=list(_notes(page, len(rows))),
    )


def _layout(table: LexborNode, language: str) -> Layout:
    """Columns are known by the names in their "hide" and "sort" links, which no language changes."""
    layout = Layout({}, {}, language)
    for place, header in enumerate(table.css("thead th")):
        name = attribute(header.css_first("[data-column]"), "data-column")
        name = name or attribute(header.css_first("[data-sortby]"), "data-sortby")
        if name in OWN_COLUMNS:
            layout.own[name] = place
        elif place and name not in ("firstname", "lastname"):
            layout.others[place] = (name, own_text(header))
    return layout


def _moodle_id(row: LexborNode) -> int | None:
    """The row's person; None for the empty rows that pad the last page."""
    box = attribute(row.css_first("input[name^=user]"), "name").removeprefix("user")
    return whole_number(box) or link_id(attribute(_profile(row), "href"), "/user/view.php")


def _profile(row: LexborNode) -> LexborNode | None:
    return row.css_first("a[href*='/user/view.php']")


def _person(line: int, row: LexborNode, layout: Layout, times: dict[str, str]) -> dict:
    person, details = {"moodle_id": _moodle_id(row)}, {}
    if fullname := own_text(_profile(row)):
        person["fullname"] = fullname
    cells = row.css("td.cell, th.cell")
    for place, cell in enumerate(cells):
        if place in layout.others and not cell.css("[data-itemtype], [data-status]") and (text := own_text(cell)):
            _identity(*layout.others[place], text, person, details)
    words = {name: own_text(cells[place]) for name, place in layout.own.items() if place < len(cells)}
    english = layout.language.startswith("en")
    enrolled = [time for text in _enrolled_texts([row]) if (time := times.get(text))]
    found = {
        "roles": _roles(row, words.get("roles", "") if english else ""),
        "groups": _groups(row, words.get("groups", "") if english else ""),
        "status": _status(row),
        "enrolled_utc": min(enrolled, default=None),
        "details": details or None,
    }
    claim = {"noun": "person", "line": line, "person": person, "in_course": True, "report": "participants"}
    return claim | {key: value for key, value in found.items() if value is not None}


def _identity(name: str, header: str, text: str, person: dict, details: dict) -> None:
    """Put one cell where it belongs: what identifies the person, or a detail."""
    if name in PERSON_COLUMNS:
        person[PERSON_COLUMNS[name]] = text
    elif not name and EMAIL.fullmatch(text):
        person["email"] = text
    elif name or header:
        details[DETAIL_COLUMNS.get(name) or header or name] = text


def _editable(row: LexborNode, kind: str) -> tuple[list[int], dict[int, str]] | None:
    """Chosen ids and the names of those on offer, from a cell the teacher may edit; None if she may not."""
    node = row.css_first(f"[data-itemtype={kind}]")
    if node is None:
        return None
    try:
        chosen = [_id(key) for key in json.loads(attribute(node, "data-value"))]
        offered = json.loads(attribute(node, "data-options")).get("options", [])
        return chosen, {_id(option["key"]): clean(str(option["value"])) for option in offered}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _id(key: int | str) -> int:
    """An id in an answer of Moodle's. Raises ValueError for what is none, such as one that SQLite cannot hold."""
    if (number := whole_number(str(key))) is None:
        raise ValueError(key)
    return number


def _roles(row: LexborNode, text: str) -> list[str] | None:
    """Short names of the roles that are known for certain; [] if the person has none, None if not said.

    `text` is what the cell shows, in English, or ''.
    """
    if editable := _editable(row, "user_roles"):
        chosen, names = editable
        roles = [ROLE_NAMES.get(names.get(key, "").casefold()) or ROLE_IDS.get(key) for key in chosen]
        none = not chosen
    else:
        roles = [ROLE_NAMES.get(name) for name in text.casefold().split(", ")]
        none = text == "No roles"
    known = [role for role in roles if role]
    return known if known or none else None


def _groups(row: LexborNode, text: str) -> list[dict] | None:
    """All groups of the person, with ids where the teacher may edit them; None if the page does not say.

    `text` is what the cell shows, in English, or '': in another language "No groups" would pass for a group.
    """
    if editable := _editable(row, "user_groups"):
        chosen, names = editable
        complete = all(key in names for key in chosen)
        return [{"name": names[key], "moodle_id": key} for key in chosen] if complete else None
    if not text:
        return None
    return [] if text == "No groups" else [{"name": name} for name in text.split(", ")]


def _status(row: LexborNode) -> str | None:
    """The enrolment's status; with several enrolments, the best of them."""
    found = set()
    for node in row.css("[data-status]"):
        badge = BADGE.search(attribute(node.css_first(".badge, .tag, .label"), "class"))
        found.add(STATUSES.get(attribute(node, "data-status").casefold()) or (badge and BADGES[badge[1]]))
    return next((status for status in STANDING if status in found), None) if None not in found else None


def _enrolled_texts(rows: list[LexborNode]) -> list[str]:
    """When each enrolment was made (else from when it counts), as the page writes it."""
    nodes = [node for row in rows for node in row.css("[data-status]")]
    texts = [attribute(node, "data-timeenrolled") or attribute(node, "data-timestart") for node in nodes]
    return [clean(text) for text in texts if text]


def _notes(page: SavedPage, shown: int) -> Iterator[str]:
    """What the page leaves out, and how to get the whole."""
    everyone = page.address(f"user/index.php?id={page.course.get('moodle_id', '')}&perpage=5000")
    table = page.tree.css_first("[data-table-handler=participants]")
    total = whole_number(attribute(table, "data-table-total-rows"))
    if total and total > shown:
        yield (
            f"This page shows {shown} of {total} people: {total - shown} are missing. "
            f"Open {everyone} and save that page."
        )
    if _filtered(table):
        yield f"This page shows only people who match a filter: open {everyone}, clear them, save it again."


def _filtered(table: LexborNode | None) -> bool:
    try:
        filters = json.loads(attribute(table, "data-table-filters") or "{}").get("filters", {})
    except (ValueError, AttributeError, RecursionError):
        filters = {}
    initials = attribute(table, "data-table-first-initial") + attribute(table, "data-table-last-initial")
    return bool(initials) or any(name != "courseid" for name in filters)
