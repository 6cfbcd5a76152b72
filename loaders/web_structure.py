"""Course structure in saved web-service answers: sections, activities in order, chapters, instance ids.

core_course_get_contents gives sections with their modules; mod_*_get_*_by_courses gives all activities of one
kind, with instance id and course module id side by side.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from loaders.errors import Unreadable
from loaders.names import clean
from loaders.reading import Reading
from loaders.times import epoch_utc

DUE = ("duedate", "timeclose", "deadline")
MODULE_LISTS = {
    "assignments": "assign", "bigbluebuttonbns": "bigbluebuttonbn", "books": "book", "chats": "chat",
    "choices": "choice", "databases": "data", "feedbacks": "feedback", "folders": "folder", "forums": "forum",
    "glossaries": "glossary", "h5pactivities": "h5pactivity", "imscps": "imscp", "labels": "label",
    "lessons": "lesson", "ltis": "lti", "pages": "page", "quizzes": "quiz", "resources": "resource",
    "scorms": "scorm", "surveys": "survey", "urls": "url", "wikis": "wiki", "workshops": "workshop",
}  # fmt: skip


def is_module(item: Any) -> bool:
    return (
        isinstance(item, dict) and {"id", "course", "name"} <= set(item) and bool({"cmid", "coursemodule"} & set(item))
    )


def read_contents(data: list[dict]) -> Reading:
    """core_course_get_contents: sections and activities; chapters of books if contents were asked for."""
    modules = [module for section in data for module in section["modules"]]
    changed = [
        item["timemodified"] for module in modules for item in module.get("contents", []) if item.get("timemodified")
    ]
    return Reading(
        kind="course structure",
        claims=list(_structure(data)),
        newest_utc=epoch_utc(max(changed)) if changed else None,
    )


def _structure(data: list[dict]) -> Iterator[dict]:
    """Sections first, then activities as the course page shows them: a subsection's right after it."""
    inside = {(s["component"], s["itemid"]): s for s in data if s.get("component")}
    parents = {
        inner["id"]: section["id"]
        for section in data
        for module in section["modules"]
        if (inner := inside.get((f"mod_{module['modname']}", module.get("instance"))))
    }
    for section in data:
        claim = {"noun": "section", "moodle_id": section["id"], "number": section["section"]}
        name = {"name": clean(section.get("name"))} if clean(section.get("name")) else {}
        yield claim | name | ({"parent": parents[section["id"]]} if section["id"] in parents else {})
    top = (section for section in data if section["id"] not in parents)
    ordered = (found for section in top for found in _in_order(section, inside))
    for position, (section, module) in enumerate(ordered, 1):
        yield _activity(module) | {"section": section["id"], "position": position}
        yield from _chapters(module)


def _in_order(section: dict, inside: dict) -> Iterator[tuple[dict, dict]]:
    for module in section["modules"]:
        yield section, module
        if inner := inside.get((f"mod_{module['modname']}", module.get("instance"))):
            yield from _in_order(inner, inside)


def _activity(module: dict) -> dict:
    claim = {
        "noun": "activity",
        "cmid": int(module["id"]),
        "kind": module["modname"],
        "name": clean(module["name"]),
    }
    if module.get("instance"):
        claim["instance_id"] = int(module["instance"])
    if module.get("completion") is not None:
        claim["tracked"] = int(module["completion"] > 0)
    for date in module.get("dates") or []:
        if date.get("dataid") in DUE and date.get("timestamp"):
            claim["due_utc"] = epoch_utc(date["timestamp"])
    return claim


def _chapters(module: dict) -> Iterator[dict]:
    """The chapters of a book, from the list among its contents: [{"title": ..., "href": "3/index.html"}]."""
    if module["modname"] != "book":
        return
    for content in module.get("contents", []):
        if content.get("filename") == "structure" and content.get("content"):
            try:
                chapters = json.loads(content["content"])
            except ValueError:
                continue
            part = {"noun": "part", "cmid": int(module["id"]), "kind": "chapter"}
            for position, (number, name) in enumerate(_as_read(chapters), 1):
                yield {**part, "moodle_id": number, "name": name, "position": position}


def _as_read(chapters: list[dict]) -> Iterator[tuple[int, str | None]]:
    """(id, title) of chapters and of those below them, as one reads."""
    for chapter in chapters:
        number = str(chapter.get("href", "")).split("/")[0]
        if number.isdigit():
            yield int(number), clean(chapter.get("title"))
        yield from _as_read(chapter.get("subitems") or [])


def read_assignments(courses: list[dict]) -> Reading:
    """mod_assign_get_assignments: its list lies inside its course."""
    only_course(courses, "id")
    reading = read_modules("assign", courses[0]["assignments"])
    return Reading(reading.kind, reading.claims, course_facts(courses[0]), newest_utc=reading.newest_utc)


def read_modules(kind: str, items: list[dict]) -> Reading:
    """mod_*_get_*_by_courses: which instance is which course module."""
    changed = [item["timemodified"] for item in items if item.get("timemodified")]
    return Reading(
        kind="course structure",
        claims=[_module(kind, item) for item in items],
        course=only_course(items, "course") if items else {},
        newest_utc=epoch_utc(max(changed)) if changed else None,
    )


def _module(kind: str, item: dict) -> dict:
    cmid, name = item.get("coursemodule") or item.get("cmid"), clean(item["name"])
    claim = {
        "noun": "activity",
        "cmid": int(cmid),
        "kind": kind,
        "name": name,
        "instance_id": int(item["id"]),
    }
    due = next((item[key] for key in DUE if item.get(key)), None)
    return claim | ({"due_utc": epoch_utc(due)} if due else {})


def course_facts(course: dict) -> dict:
    found = {
        "moodle_id": int(course["id"]),
        "shortname": clean(course.get("shortname")),
        "fullname": clean(course.get("fullname")),
        "start_utc": epoch_utc(course["startdate"]) if course.get("startdate") else None,
        "end_utc": epoch_utc(course["enddate"]) if course.get("enddate") else None,
    }
    return {key: value for key, value in found.items() if value}


def only_course(items: list[dict], key: str) -> dict:
    courses = {int(item[key]) for item in items}
    if len(courses) > 1:
        raise Unreadable(
            f"this answer mixes {len(courses)} courses: ask Moodle for one course at a time "
            "(courseids[0]=...) and save each answer in a file of its own"
        )
    return {"moodle_id": courses.pop()}
