"""Saved answers of Moodle's web services: people, course contents, courses, groups, activities of one kind.

A saved answer is only the JSON body, so its function is known by its shape. Samples:

    core_enrol_get_enrolled_users     [{"id": 5, "fullname": "Zoë Müller", "roles": [...], "groups": [...]}]
    core_course_get_contents          [{"id": 2, "section": 1, "name": "Week 1", "modules": [{"id": 6}]}]
    core_course_get_courses_by_field  {"courses": [{"id": 2, "shortname": ..., "startdate": 1456668000}]}
    mod_quiz_get_quizzes_by_courses   {"quizzes": [{"id": 1, "coursemodule": 12, "course": 2, ...}]}
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from loaders import web_results
from loaders.errors import Unreadable
from loaders.names import clean
from loaders.reading import Reading
from loaders.tables import Answer
from loaders.times import Clock, epoch_utc
from loaders.web_structure import (
    MODULE_LISTS,
    course_facts,
    is_module,
    only_course,
    read_assignments,
    read_contents,
    read_modules,
)

SITE = re.compile(
    r"^(https?://[^?#]+?)/(?:(?:webservice|token)?/?pluginfile|theme/image|mod/\w+/view|course/view)\.php"
)
DETAILS = {  # called as in the participants download of an English site
    "city": "City/town",
    "country": "Country",
    "department": "Department",
    "institution": "Institution",
    "phone1": "Phone",
    "phone2": "Mobile phone",
    "url": "Web page",
}
IN_COURSE = {"lastcourseaccess", "roles", "groups", "enrolledcourses"}  # said only of somebody in a course
INCOMPLETE = "this web-service answer is incomplete or was edited: ask Moodle for it again"
# Answers that are known and not used: a key that they have -> what they are. The first that fits.
UNUSED = {
    "totalentries": "an empty list of blog entries",
    "usergrades": "grades of the user report",
    "tables": "grades of the user report",
    "statuses": "activity completion of one person",
    "completionstatus": "course completion of one person",
    "events": "calendar events",
    "discussions": "forum discussions",
    "posts": "forum posts",
    "totalattempts": "feedback responses",
    "itemsdata": "feedback analysis",
    "attempts": "attempts of one person",
    "options": "choice results",
    "instances": "course updates",
    "groups": "groups of one person",
    "assignments": "assignment submissions or grades",
    "functions": "site information",
    "cm": "one course module",
    "conversations": "messages",
    "users": "people of the site",
}


def recognise(answer: Answer) -> str | None:
    """The kind of an answer that is used, else None."""
    found = find(answer.data)
    return found[0] if found else None


def read(answer: Answer, clock: Clock) -> Reading:
    """What the answer says; its times are unix seconds, so `clock` is not needed.

    Only answers that `recognise` knows. Raises Unreadable for one that mixes several courses, or was edited.
    """
    kind, reader = find(answer.data)
    try:
        reading = reader(answer.data)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise Unreadable(INCOMPLETE) from error
    reading.kind = kind
    reading.site = next(_sites(answer.data), None)
    return reading


def named_unused(answer: Answer) -> str | None:
    """What an answer is that is recognised and not used, else None."""
    data = answer.data
    if find(data):
        return None
    if isinstance(data, dict):
        found = next((name for key, name in UNUSED.items() if key in data), None)
        return found or ("web-service answer" if "warnings" in data else None)
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        return None
    if not data:
        return "empty web-service answer"
    keys = set().union(*data)
    if "submitted" in keys and "recordid" in keys:
        return "participants of an assignment"
    if {"id", "courseid", "name"} <= keys:
        return "groupings"
    return "people of the site" if {"id", "fullname"} <= keys else None


def find(data: Any) -> tuple[str, Callable[[Any], Reading]] | None:
    """(kind, reader) of an answer's data, where its shape alone says enough."""
    if isinstance(data, dict):
        return _find_in_object(data)
    if not isinstance(data, list) or not data or not all(isinstance(item, dict) for item in data):
        return None
    some, every = set().union(*data), set.intersection(*map(set, data))
    if {"id", "section", "modules"} <= every:
        return "course structure", read_contents
    if {"id", "shortname", "fullname", "startdate"} <= every:
        return "course", _courses
    if {"id", "courseid", "name", "enrolmentkey"} <= every:
        return "groups overview", _groups
    if {"id", "course", "name"} <= every and some & {"cmid", "coursemodule"}:
        return ("course structure", lambda found: read_modules("forum", found)) if "forcesubscribe" in some else None
    if {"id", "fullname"} <= every and some & IN_COURSE and "recordid" not in some:
        return "people", _people
    return None


def _find_in_object(data: dict) -> tuple[str, Callable[[dict], Reading]] | None:
    courses = data.get("courses")
    if isinstance(courses, list) and courses and all(isinstance(course, dict) for course in courses):
        if all("assignments" in course for course in courses):
            return "course structure", lambda found: read_assignments(found["courses"])
        if all({"id", "shortname", "fullname", "startdate"} <= set(course) for course in courses):
            return "course", lambda found: _courses(found["courses"])
    for key, kind in MODULE_LISTS.items():
        items = data.get(key)
        if isinstance(items, list) and items and all(is_module(item) for item in items):
            return "course structure", lambda found, key=key, kind=kind: read_modules(kind, found[key])
    try:
        found = web_results.alone(data)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise Unreadable(INCOMPLETE) from error
    return (found.kind, lambda _: found) if found else None


# -- people


def _people(data: list[dict]) -> Reading:
    """core_enrol_get_enrolled_users, or core_user_get_course_user_profiles."""
    seen = [user[key] for user in data for key in ("lastaccess", "lastcourseaccess", "firstaccess") if user.get(key)]
    grouped = any("groups" in user for user in data)
    return Reading(
        kind="people",
        claims=[_person(number, user, grouped) for number, user in enumerate(data, 1)],
        course=_common_course(data),
        newest_utc=epoch_utc(max(seen)) if seen else None,
    )


def _person(line: int, user: dict, grouped: bool) -> dict:
    """`grouped`: the answer has groups, so that a person without any is in none (Moodle leaves [] out)."""
    person = {"moodle_id": int(user["id"])}
    for key in ("fullname", "firstname", "lastname", "email", "username"):
        if text := clean(user.get(key)):
            person[key] = text
    if idnumber := str(user.get("idnumber") or "").strip():
        person["idnumber"] = idnumber
    claim = {"noun": "person", "line": line, "person": person, "in_course": True}
    if roles := [role["shortname"] for role in user.get("roles", []) if role.get("shortname")]:
        claim["roles"] = roles
    if grouped:
        claim["groups"] = [
            {"name": clean(group["name"]), "moodle_id": int(group["id"])} for group in user.get("groups", [])
        ]
    if user.get("lastcourseaccess"):
        claim["last_access_utc"] = epoch_utc(int(user["lastcourseaccess"]))
    if details := _details(user):
        claim["details"] = details
    return claim


def _details(user: dict) -> dict[str, str]:
    """What a teacher may want to know of a person; never preferences, pictures or what they wrote."""
    details = {name: clean(str(user[key])) for key, name in DETAILS.items() if user.get(key)}
    for field in user.get("customfields") or []:
        value = field.get("displayvalue") or field.get("value")
        if text := plain(str(value or "")):
            details[clean(field.get("name") or field.get("shortname"))] = text
    return details


def plain(text: str) -> str:
    """Text of a piece of HTML, on one line."""
    return clean(html.unescape(re.sub(r"<[a-zA-Z/!][^>]*>", " ", text)))


def _common_course(data: list[dict]) -> dict:
    """The one course that these people share, where that is beyond doubt.

    The list of a suspended person lacks the course, so four in five must have it, and twice as many as have
    any other; fewer than three people prove nothing.
    """
    courses = {course["id"]: course for user in data for course in user.get("enrolledcourses", [])}
    counts = Counter(key for user in data for key in {course["id"] for course in user.get("enrolledcourses", [])})
    ranked = counts.most_common(2)
    if len(data) < 3 or not ranked or ranked[0][1] < 0.8 * len(data):
        return {}
    if len(ranked) > 1 and ranked[0][1] < 2 * ranked[1][1]:
        return {}
    return course_facts(courses[ranked[0][0]])


# -- courses and groups


def _courses(data: list[dict]) -> Reading:
    """core_course_get_courses_by_field, core_enrol_get_users_courses and the like."""
    courses = [course_facts(course) for course in data]
    changed = [course["timemodified"] for course in data if course.get("timemodified")]
    return Reading(
        kind="course",
        claims=[{"noun": "course", **course} for course in courses],
        course=courses[0] if len(courses) == 1 else {},
        newest_utc=epoch_utc(max(changed)) if changed else None,
    )


def _groups(data: list[dict]) -> Reading:
    """core_group_get_course_groups: the groups, without members."""
    groups = [{"name": clean(group["name"]), "moodle_id": int(group["id"])} for group in data]
    claims = [{"noun": "group", "line": line, "group": group} for line, group in enumerate(groups, 1)]
    return Reading(kind="groups overview", claims=claims, course=only_course(data, "courseid"))


def _sites(data: Any) -> Iterator[str]:
    """Addresses of Moodle found in the answer's links (which are not kept)."""
    if isinstance(data, dict):
        for key, value in data.items():
            if isinstance(value, str) and key in (
                "url",
                "viewurl",
                "fileurl",
                "profileimageurl",
                "courseimage",
                "modicon",
            ):
                if found := SITE.match(value):
                    yield found[1]
            elif isinstance(value, (dict, list)):
                yield from _sites(value)
    elif isinstance(data, list):
        for item in data:
            yield from _sites(item)
