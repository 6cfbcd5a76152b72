"""What students did and got, in answers of Moodle's web services. Each reader yields claims; times are Unix seconds.

gradereport_user_get_grade_items  {"usergrades": [{"userid": 9, "gradeitems": [{"cmid": 12, "graderaw": 89.9}]}]}
    mod_forum_get_discussion_posts    {"posts": [{"id": 314, "author": {"id": 32}, "message": "<p>..."}]}
    mod_assign_get_submissions        {"assignments": [{"assignmentid": 1, "submissions": [{"userid": 95, ...}]}]}
    core_completion_get_activities_completion_status  {"statuses": [{"cmid": 3, "state": 1, ...}]}, of one user
"""

from __future__ import annotations

from collections.abc import Iterator

from loaders import strangers
from loaders.html_text import links_of, text_of, word_count
from loaders.names import clean
from loaders.reading import Reading
from loaders.times import epoch_utc

STATES = {0: "incomplete", 1: "complete", 2: "complete-pass", 3: "complete-fail"}
SUBMITTED = {"submitted"}
_MARKDOWN, _PLAIN, _AUTO = 4, 2, 0  # messageformat; 1 is HTML
COURSE_TOTAL = "Course total"


def completion(answer: dict, user: int) -> Iterator[dict]:
    """One `completion` claim of the person asked for; none where their completion is not tracked."""
    states = {}
    for status in answer["statuses"]:
        if status.get("istrackeduser", True) and status.get("state") in STATES and status.get("hascompletion", True):
            when = status.get("timecompleted")
            cell = [STATES[status["state"]], epoch_utc(when) if when else None]
            states[str(int(status["cmid"]))] = cell + ([int(status["overrideby"])] if status.get("overrideby") else [])
    if states:
        yield {"noun": "completion", "line": 1, "person": {"moodle_id": user}, "states": states}


def grades(answer: dict) -> Iterator[dict]:
    """The grade items of the class, then a `grade` claim a person; a cell is text, or None for no grade."""
    items: dict[int, dict] = {}
    for user in answer["usergrades"]:
        for item in user["gradeitems"]:
            items.setdefault(int(item["id"]), item)
    ordered = sorted(items.values(), key=lambda item: (item.get("itemtype") == "course", item.get("cmid") is None))
    yield {"noun": "grade_items", "items": _named([_item(item) for item in ordered])}
    for line, user in enumerate(answer["usergrades"], 1):
        person = {"moodle_id": int(user["userid"]), "fullname": clean(user.get("userfullname"))}
        if number := str(user.get("useridnumber") or "").strip():
            person["idnumber"] = number
        given = {int(item["id"]): item for item in user["gradeitems"]}
        cells = [_grade(given.get(int(item["id"]), {})) for item in ordered]
        yield {"noun": "grade", "line": line, "person": person, "cells": cells}


def _item(item: dict) -> dict:
    name = clean(item.get("itemname")) or (COURSE_TOTAL if item.get("itemtype") == "course" else "Category total")
    found = {"name": name, "display": "real", "activity": None, "maximum": item.get("grademax")}
    if item.get("cmid"):
        found["activity"] = {"cmid": int(item["cmid"]), "kind": item.get("itemmodule"), "name": name}
    return found


def _named(items: list[dict]) -> list[dict]:
    """Items of one name told apart by a number, as in the export's columns."""
    seen: dict[str, int] = {}
    for item in items:
        seen[item["name"]] = seen.get(item["name"], 0) + 1
        if seen[item["name"]] > 1:
            item["name"] = f"{item['name']} ({seen[item['name']]})"
    return items


def _grade(item: dict) -> str | None:
    """The grade as the export rounds it, where that is a number; a scale's word as shown."""
    raw, shown = item.get("graderaw"), clean(item.get("gradeformatted"))
    if raw is None:
        return None
    if item.get("scaleid"):
        return shown or None
    try:
        exact, rounded = float(raw), float(shown)
    except ValueError:
        rounded = exact = float(raw)
    number = rounded if abs(rounded - exact) <= 0.5 else exact  # shown as a percentage or letter: the raw one
    return f"{number:.5f}".rstrip("0").rstrip(".")


def discussions(answer: dict, forum: int | None = None) -> Iterator[dict]:
    """The discussions of a forum, as parts of it. Without `forum`, which a bare answer does not say, none."""
    for one in answer["discussions"] if forum else []:
        yield {
            "noun": "part", "module": "forum", "instance": forum, "kind": "discussion",
            "moodle_id": int(one["discussion"]), "name": clean(one.get("name")),
        }  # fmt: skip


def posts(answer: dict) -> Iterator[dict]:
    """A `post` claim each; deleted ones are left out, a private reply comes without its text."""
    for line, post in enumerate(answer["posts"], 1):
        author = post.get("author") or {}
        if post.get("isdeleted") or not author.get("id"):
            continue
        person = {"moodle_id": int(author["id"]), "fullname": clean(author.get("fullname"))}
        claim = {
            "noun": "post", "line": line, "moodle_id": int(post["id"]), "discussion": int(post["discussionid"]),
            "person": {key: value for key, value in person.items() if value}, "title": clean(post.get("subject")),
        }  # fmt: skip
        if post.get("parentid"):
            claim["parent_id"] = int(post["parentid"])
        if post.get("timecreated"):
            claim["published_utc"] = epoch_utc(int(post["timecreated"]))
        yield claim | ({} if post.get("isprivatereply") else written(post.get("message"), post.get("messageformat")))


def written(message: str | None, format: int | None) -> dict:
    """Text of a message, its words and its links."""
    text = text_of(message or "", plain=format in (_PLAIN, _MARKDOWN), breaks=format == _AUTO)
    links = links_of("" if format == _PLAIN else message or "", text)
    return {"text": text, "word_count": word_count(text), "link_count": len(links), "links": links}


def submissions(answer: dict) -> Iterator[dict]:
    """A `submission` claim each that was handed in."""
    number = 0
    for assignment in answer["assignments"]:
        for one in assignment.get("submissions", []):
            if one.get("status") in SUBMITTED and one.get("userid") and one.get("timemodified"):
                number += 1
                yield {
                    "noun": "submission", "line": number, "person": {"moodle_id": int(one["userid"])},
                    "kind": "assign", "instance": int(assignment["assignmentid"]), "state": "submitted",
                    "time_utc": epoch_utc(int(one["timemodified"])),
                }  # fmt: skip


def attempts(answer: dict) -> Iterator[dict]:
    """Two `attempt` claims each: begun, and how it ended; previews are left out."""
    for line, one in enumerate(answer["attempts"], 1):
        if one.get("preview") or not one.get("userid"):
            continue
        about = {
            "noun": "attempt", "line": line, "person": {"moodle_id": int(one["userid"])}, "kind": "quiz",
            "instance": int(one["quiz"]),
        }  # fmt: skip
        if one.get("timestart"):
            yield about | {"state": "inprogress", "time_utc": epoch_utc(int(one["timestart"]))}
        if one.get("state") in ("finished", "abandoned") and one.get("timefinish"):
            yield about | {"state": one["state"], "time_utc": epoch_utc(int(one["timefinish"]))}


def feedback(answer: dict, instance: int | None = None) -> Iterator[dict]:
    """A `response` claim for each question of each person; answers without a name stay without."""
    for line, attempt in enumerate(answer["attempts"] if instance else [], 1):
        for response in attempt.get("responses", []):
            yield {
                "noun": "response", "line": line, "person": {"moodle_id": int(attempt["userid"])},
                "kind": "feedback", "instance": instance, "question": text_of(response.get("name") or "").strip(),
                "response": text_of(str(response.get("printval") or ""), plain=True).strip(),
                "time_utc": epoch_utc(int(attempt["timemodified"])) if attempt.get("timemodified") else None,
            }  # fmt: skip


def choices(answer: dict, instance: int | None = None) -> Iterator[dict]:
    """A `response` claim for each person whose choice Moodle shows."""
    number = 0
    for option in answer["options"] if instance else []:
        for one in option.get("userresponses", []):
            if one.get("userid"):
                number += 1
                yield {
                    "noun": "response", "line": number, "person": {"moodle_id": int(one["userid"])},
                    "kind": "choice", "instance": instance, "question": "", "response": clean(option.get("text")),
                    "time_utc": epoch_utc(int(one["timemodified"])) if one.get("timemodified") else None,
                }  # fmt: skip


def entries(answer: dict) -> Iterator[dict]:
    """A `blog entry` claim each; its author counts only if other files know them (`author`, not `person`)."""
    for line, entry in enumerate(answer["entries"], 1):
        if entry.get("module", "blog") != "blog" or not entry.get("userid") or entry.get("publishstate") == "draft":
            continue
        yield {
            "noun": "blog entry", "line": line, "moodle_id": int(entry["id"]), "author": int(entry["userid"]),
            "title": clean(entry.get("subject")), "published_utc": epoch_utc(int(entry["created"])),
            **written(entry.get("summary"), entry.get("summaryformat")),
        }  # fmt: skip


def events(answer: dict) -> Iterator[dict]:
    """A `calendar event` claim each of a course's; nobody's own."""
    for line, event in enumerate(answer["events"], 1):
        if not event.get("courseid") or event.get("eventtype") == "user" or not event.get("visible", 1):
            continue
        yield {
            "noun": "calendar event", "line": line, "moodle_id": int(event["id"]), "name": clean(event.get("name")),
            "kind": event.get("modulename") or None, "instance": int(event.get("instance") or 0) or None,
            "event_type": clean(event.get("eventtype")), "starts_utc": epoch_utc(int(event["timestart"])),
            "duration_s": int(event.get("timeduration") or 0), "group": int(event.get("groupid") or 0) or None,
        }  # fmt: skip


# What of these says enough without its question: a key of the answer -> kind, reader. The first that fits.
ALONE = {
    "usergrades": ("grades", grades),
    "posts": ("forum posts", posts),
    "assignments": ("assignment submissions", submissions),
    "attempts": ("quiz attempts", attempts),
    "events": ("calendar events", events),
    "entries": (strangers.KIND, entries),
}


def alone(data: dict) -> Reading | None:
    """What a saved answer says that carries no head of a pull; None where only its question would tell."""
    if "entries" in data and not all({"userid", "publishstate"} <= set(one) for one in data["entries"]):
        return None  # of a glossary
    found = next((pair for key, pair in ALONE.items() if isinstance(data.get(key), list) and data[key]), None)
    if found is None or ("attempts" in data and not all("quiz" in one for one in data["attempts"])):
        return None
    if "assignments" in data and not all("submissions" in one for one in data["assignments"]):
        return None
    kind, reader = found
    claims = list(reader(data))
    inside = (one.get("courseid") for key in ("usergrades", "events") for one in data.get(key, []))
    courses = {data.get("courseid"), *inside} - {None, 0}
    said = [claim.get("published_utc") or claim.get("time_utc") for claim in claims]
    graded = [item.get("gradedategraded") for one in data.get("usergrades", []) for item in one.get("gradeitems", [])]
    said += [epoch_utc(int(at)) for at in graded if at]
    said += [epoch_utc(int(one["lastmodified"])) for one in data.get("entries", []) if one.get("lastmodified")]
    course = {"moodle_id": int(next(iter(courses)))} if len(courses) == 1 else {}
    return Reading(kind=kind, claims=claims, course=course, newest_utc=max(filter(None, said), default=None))
