"""A course backup: structure, people, completion, grades and posts, each with Moodle's own ids.

A teacher's backup is without people (Moodle keeps those to managers) and still gives every activity's cmid.
Source: Moodle, Course reuse, Backup. Log lines are in loaders/backup_log.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from loaders.backup_archive import LOGS, Backup, elements, number, text, whole
from loaders.backup_people import People
from loaders.errors import Unreadable
from loaders.html_text import links_of, text_of, word_count
from loaders.names import clean
from loaders.reading import Reading
from loaders.times import epoch_utc

KIND = "course backup"
STATES = {0: "incomplete", 1: "complete", 2: "complete-pass", 3: "complete-fail"}
DUE = ("duedate", "timeclose", "deadline")
PARTS = {"chapters": "chapter", "discussions": "discussion", "entries": "entry", "records": "record", "scoes": "sco"}
NO_BLOGS = "a backup holds no blog posts, and not where a click came from (web or app): pull or load those besides"
NO_PEOPLE = "this backup holds no people: structure was taken; the log, participants and completion come by themselves"
ANONYMOUS = "this backup is anonymised: people were taken by their ids alone, without names and addresses"
EDITED = "this backup's moodle_backup.xml does not say which course it is of: make the backup again in Moodle"


@dataclass
class Content:
    """What a backup said, in the order of its files."""

    course: dict = field(default_factory=dict)
    site: str | None = None
    made: int | None = None
    sections: dict[int, dict] = field(default_factory=dict)
    sequences: dict[int, list[int]] = field(default_factory=dict)  # section -> cmids, in order
    inside: dict[int, int] = field(default_factory=dict)  # subsection instance -> section
    activities: dict[int, dict] = field(default_factory=dict)
    others: list[dict] = field(default_factory=list)
    people: People = field(default_factory=People)


def read(backup: Backup, clock=None) -> Reading:
    """Everything but log lines, as claims. Raises Unreadable for an archive that cannot be right."""
    content = read_content(backup)
    notes = [NO_BLOGS]
    if not content.people.users:
        notes.append(NO_PEOPLE)
    elif content.people.anonymous:
        notes.append(ANONYMOUS)
    return Reading(
        kind=KIND,
        claims=list(_numbered(content)),
        course=content.course,
        site=content.site,
        newest_utc=epoch_utc(content.made) if content.made else None,
        notes=notes,
    )


def read_content(backup: Backup) -> Content:
    """One pass over the archive without its logs."""
    content = Content()
    for path, stream in backup.files(lambda path: not path.endswith(LOGS)):
        folder, _, name = path.rpartition("/")
        if path == "moodle_backup.xml":
            _information(stream, content)
        elif folder.startswith("sections/"):
            _section(whole(folder.rpartition("_")[2]), stream, content)
        elif folder.startswith("activities/"):
            _activity_file(folder, name, stream, content)
        elif path == "gradebook.xml":
            content.others.extend(_grades(stream, None))
        else:
            content.people.read(path, stream)
    if not content.course.get("moodle_id") or content.course["moodle_id"] < 2:
        raise Unreadable(EDITED)
    return content


def _information(stream, content: Content) -> None:
    for element in elements(stream, 1):
        if element.tag != "information":
            continue
        start, end = number(element, "original_course_startdate"), number(element, "original_course_enddate")
        facts = {
            "moodle_id": number(element, "original_course_id"),
            "shortname": clean(text(element, "original_course_shortname")),
            "fullname": clean(text(element, "original_course_fullname")),
            "start_utc": _utc(start),
            "end_utc": _utc(end),
        }
        content.course = {key: value for key, value in facts.items() if value}
        root = text(element, "original_wwwroot") or ""
        content.site = root if root.startswith(("http://", "https://")) else None
        content.made = number(element, "backup_date")
        content.people.made = content.made


def _utc(seconds: int | None) -> str | None:
    return epoch_utc(seconds) if seconds and 0 < seconds < 253_402_300_800 else None


def _section(key: int, stream, content: Content) -> None:
    facts = {element.tag: element.text or "" for element in elements(stream, 1)}
    facts = {tag: "" if said == "$@NULL@$" else said for tag, said in facts.items()}
    claim = {"noun": "section", "moodle_id": key, "number": whole(facts.get("number"))}
    content.sections[key] = claim | ({"name": name} if (name := clean(facts.get("name"))) else {})
    content.sequences[key] = [cmid for item in facts.get("sequence", "").split(",") if (cmid := whole(item))]
    if facts.get("component") == "mod_subsection" and (instance := whole(facts.get("itemid"))):
        content.inside[instance] = key


def _activity_file(folder: str, name: str, stream, content: Content) -> None:
    kind, _, cmid = folder.removeprefix("activities/").rpartition("_")
    cmid = int(cmid)
    activity = content.activities.setdefault(cmid, {"noun": "activity", "cmid": cmid, "kind": kind})
    if name == "module.xml":
        for element in elements(stream, 1):
            said = whole(element.text)
            if element.tag == "sectionid" and said:
                activity["section"] = said
            elif element.tag == "completion" and said is not None:
                activity["tracked"] = int(said > 0)
    elif name == "completion.xml":
        content.others.extend(_completions(stream, cmid))
    elif name == "grades.xml":
        content.others.extend(_grades(stream, cmid))
    else:
        _module(stream, activity, content)


def _module(stream, activity: dict, content: Content) -> None:
    """<kind>.xml: name, instance and dates are children of <kind>; chapters, discussions lie in a list there."""
    cmid = activity["cmid"]
    for element in elements(stream, 2, 3):
        above = element.getparent()
        if above.getparent().getparent() is None:
            _head(element, above.getparent(), activity)
        elif above.tag in PARTS and (key := whole(element.get("id"))):
            name = clean(text(element, "title") or text(element, "name") or text(element, "concept"))
            part = {"noun": "part", "cmid": cmid, "kind": PARTS[above.tag], "moodle_id": key}
            facts = {"name": name, "position": number(element, "pagenum")}  # the place of a chapter in its book
            content.others.append(part | {fact: value for fact, value in facts.items() if value})
            if above.tag == "discussions":
                content.others.extend(_posts(element, key))


def _head(element: etree._Element, root: etree._Element, activity: dict) -> None:
    """One child of <kind>; the ids are the root's."""
    if instance := whole(root.get("id")):
        activity["instance_id"] = instance
    if element.tag == "name" and (name := clean(element.text)):
        activity["name"] = name
    elif element.tag in DUE and (due := _utc(whole(element.text))):
        activity["due_utc"] = due


def _posts(discussion: etree._Element, key: int) -> Iterator[dict]:
    for post in discussion.iterfind("posts/post"):
        author, own = number(post, "userid"), whole(post.get("id"))
        if not author or not own or (number(post, "deleted") or 0):
            continue
        claim = {
            "noun": "post", "moodle_id": own, "discussion": key, "person": {"moodle_id": author},
            "title": clean(text(post, "subject")),
        }  # fmt: skip
        if parent := number(post, "parent"):
            claim["parent_id"] = parent
        if published := _utc(number(post, "created")):
            claim["published_utc"] = published
        if not number(post, "privatereplyto"):
            claim |= _message(text(post, "message") or "", text(post, "messageformat") or "1")
        yield claim


def _message(message: str, written: str) -> dict:
    """`written`: Moodle's messageformat, 0 automatic, 1 HTML, 2 plain, 4 Markdown."""
    plain = text_of(message, plain=written in ("2", "4"), breaks=written == "0")
    links = links_of("" if written == "2" else message, plain)
    return {"text": plain, "word_count": word_count(plain), "link_count": len(links), "links": links}


def _completions(stream, cmid: int) -> Iterator[dict]:
    first = True
    for element in elements(stream, 1):
        user, state = number(element, "userid"), STATES.get(number(element, "completionstate"))
        if element.tag != "completion" or not user or not state:
            continue
        if first:
            yield {"noun": "columns", "activities": [{"cmid": cmid}]}
            first = False
        done = _utc(number(element, "timemodified")) if state != "incomplete" else None
        yield {"noun": "completion", "person": {"moodle_id": user}, "cells": [[state, done, None]]}


def _grades(stream, cmid: int | None) -> Iterator[dict]:
    """The items of numbers (not of scales), each with its grades."""
    for item in elements(stream, 2):
        if item.tag != "grade_item" or text(item, "gradetype") != "1":
            continue
        name = clean(text(item, "itemname"))
        name = name or ("Course total" if text(item, "itemtype") == "course" else None)
        if not name:
            continue
        maximum = _decimal(text(item, "grademax"))
        activity = {"cmid": cmid} if cmid else None
        column = {"name": name, "display": "real", "activity": activity}
        yield {"noun": "grade_items", "items": [column | ({"maximum": maximum} if maximum is not None else {})]}
        for grade in item.iterfind("grade_grades/grade_grade"):
            if user := number(grade, "userid"):
                value = _decimal(text(grade, "finalgrade"))
                cell = None if value is None else f"{value:.2f}".rstrip("0").rstrip(".")
                yield {"noun": "grade", "person": {"moodle_id": user}, "cells": [cell]}


def _decimal(said: str | None) -> float | None:
    try:
        value = float(said) if said else None
    except ValueError:
        return None
    return value if value is None or abs(value) < 1e12 else None


def _numbered(content: Content) -> Iterator[dict]:
    """All claims; each that is a row of its own with its number."""
    for line, claim in enumerate(_claims(content), 1):
        yield claim if claim["noun"] in ("columns", "grade_items") else claim | {"line": line}


def _claims(content: Content) -> Iterator[dict]:
    parents = {
        content.inside[instance]: activity["section"]
        for activity in content.activities.values()
        if activity["kind"] == "subsection" and (instance := activity.get("instance_id")) in content.inside
        and "section" in activity
    }  # fmt: skip
    for key, section in content.sections.items():
        yield section | ({"parent": parents[key]} if key in parents else {})
    places = {cmid: place for place, cmid in enumerate(_order(content, parents), 1)}
    for cmid, activity in content.activities.items():
        yield activity | ({"position": places[cmid]} if cmid in places else {})
    yield from content.people.claims()
    yield from content.others


def _order(content: Content, parents: dict[int, int]) -> Iterator[int]:
    """cmids as the course page shows them, a subsection's right after it."""
    numbers = {key: section["number"] or 0 for key, section in content.sections.items()}
    for key in sorted(content.sections, key=numbers.get):
        if key in parents:
            continue
        for cmid in content.sequences[key]:
            yield cmid
            inner = content.inside.get(content.activities.get(cmid, {}).get("instance_id"))
            if inner and content.activities[cmid]["kind"] == "subsection":
                yield from content.sequences[inner]


def read_contexts(backup: Backup) -> dict[int, tuple[int, str]]:
    """(cmid, kind) by the context of each activity, which is all that a log line says of its place."""
    contexts = {}
    for path, stream in backup.files(lambda path: path.startswith("activities/") and not path.endswith(LOGS)):
        folder, _, name = path.rpartition("/")
        if name.removesuffix(".xml") == (kind := folder.removeprefix("activities/").rpartition("_")[0]):
            for element in elements(stream, 2):
                root = element.getroottree().getroot()
                contexts[whole(root.get("contextid"))] = int(folder.rpartition("_")[2]), kind
                break
    return contexts
