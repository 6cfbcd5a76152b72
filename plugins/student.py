"""The student page: one person in one course, as a pop-up of 600 pixels, as JSON and as CSV."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Request, Response

from loaders import (
    answers,
    due,
    finding,
    look_ups,
    moodle_links,
    moods,
    noting,
    people_lists,
    question_links,
    sentiment,
    since,
    student,
    student_completion,
    web,
    week_chart,
)

ROLES = {"editingteacher": "teacher", "teacher": "non-editing teacher", "coursecreator": "course creator"}
WEB_PAGE = re.compile(r"https?://[^\s/?#@\\]+([/?#]\S*)?")
ADDRESS = re.compile(r"[\w.+'-]+@[\w-]+(\.[\w-]+)+")
WORDS = {"complete": "done", "complete-pass": "passed", "complete-fail": "done, not passed"}


async def student_page(datasette: Datasette, request: Request) -> Response:
    """`/-/student?course=&user=` (or `person=`, our own key): the three tabs."""
    database, course, person = await find_person(datasette, request)
    looked = await looks(datasette, request, course, person)
    found = await web.ask(datasette, database, everything, course, person, looked)
    sections = [shown(section) for section in found["completion"]]
    sections = [section for section in sections if section["activities"]]
    own = await noting.of_page(datasette, request, database, course, person)
    marks = (own or {}).get("marks", ())
    fine = [each for each in found["worth_a_look"] if each["about"] in marks]
    say(course, sections, found, fine)
    posts = [{**row, "href": moodle_links.post(course, row), "sound": moods.sound(row)} for row in found["posts"]]
    context = {
        **found,
        "completion": sections,
        "latest": latest(sections),
        "chart": week_chart.chart(found["usage"]["weeks"]),
        "mood_chart": moods.chart([row for row in found["posts"] if row["source"] == "blog"]),
        "initials": initials(person),
        "course_href": question_links.course_page(datasette, database, course),
        "role": role_name(person["role"]),
        "personal": personal(person, found["details"], moodle_links.profile(course, person), found["blogs"]),
        "forum_posts": [row for row in posts if row["source"] == "forum"],
        "absent_posts": [row for row in found["posted"] if not row["loaded"]],
        "blog_posts": [row for row in posts if row["source"] == "blog"],
        "all_posts": all_posts(datasette, database, course, person),
        "looked": looked,
        "turn": people_lists.turn(of_ours(request), datasette.urls.path("/-/student"), course, person, database),
        "own": own,
        "odd": [each for each in found["worth_a_look"] if each not in fine],
        "fine": fine,
        "guess": f"{sentiment.GUESS} {sentiment.CANNOT_SEE}",
        "same_as": {kind: address(datasette, database, course, person, kind) for kind in ("json", "csv")},
    }
    return await web.page(datasette, request, "coursette_student.html", context)


def of_ours(request: Request) -> Mapping:
    """What the address says, if one of our pages led here: another site's link takes nobody through a list."""
    return request.args if request.headers.get("sec-fetch-site") in (None, "same-origin", "none") else {}


async def looks(datasette: Datasette, request: Request, course: dict, person: dict) -> dict | None:
    """What the record says of this visitor's earlier looks at this student; None where it cannot be read."""
    record = web.private(datasette) / f"{look_ups.NAME}.db"
    actor = str((request.actor or {}).get("id"))
    try:
        return await asyncio.to_thread(since.looks, record, actor, course, person, datetime.now(UTC))
    except sqlite3.Error:
        return None


def everything(conn: sqlite3.Connection, course: dict, person: dict, looked: dict | None) -> dict:
    """What student.student says, and `since`: what is new in it since the last look."""
    found = student.student(conn, course, person)
    return {**found, "since": since.changes(conn, course, found, looked and looked["last_utc"])}


def shown(section: dict) -> dict:
    """The section with those activities that are something to look at."""
    return {**section, "activities": [row for row in section["activities"] if is_shown(row)]}


def say(course: dict, sections: list[dict], found: dict, fine: list[dict]) -> None:
    """Add to each activity what is said of it and where it leads; what was found to be fine is said softly."""
    absent = not found["loaded"]["own_completion"]
    forgiven = {(each["kind"], activity["cmid"]) for each in fine for activity in each["activities"]}
    for row in (row for section in sections for row in section["activities"]):
        row["why"] = "" if absent and row["why"] == "not loaded" else row["why"]  # said once for all of them, above
        row["said"] = said(row)
        row["href"] = moodle_links.activity(course, row)
        row["fine_run"], row["fine_unseen"] = (("run", row["cmid"]) in forgiven, ("unseen", row["cmid"]) in forgiven)
        row["before_due"] = due.before_due(row["completed_utc"], row["due_utc"], course["timezone"])


async def student_json(datasette: Datasette, request: Request) -> Response:
    """`/-/student.json`: what student.student says."""
    database, course, person = await find_person(datasette, request)
    found = await web.ask(datasette, database, student.student, course, person)
    return Response.json({"ok": True, **found}, headers=dict(web.OWN_PAGE))


async def student_csv(datasette: Datasette, request: Request) -> Response:
    """`/-/student.csv`: a row per activity, with its section."""
    database, course, person = await find_person(datasette, request)
    sections = (await web.ask(datasette, database, student.student, course, person))["completion"]
    about = ("section", "number", "week")
    rows = [{**{key: s[key] for key in about}, **row} for s in sections for row in s["activities"]]
    columns = list(rows[0]) if rows else []
    return web.csv_response(f"student-{person['moodle_id'] or person['person']}", columns, [r.values() for r in rows])


async def find_person(datasette: Datasette, request: Request) -> tuple[str, dict, dict]:
    """(database, course, person) a request means; raises web.Refusal with a sentence."""
    ids = {
        "user": request.args.get("user") or request.args.get("student") or "",
        "person": request.args.get("person") or "",
    }
    database, course = await web.find_course(datasette, request, **ids)
    await web.ensure_tables(datasette, request, database, "people", "enrolments")
    person = await web.ask(datasette, database, answers.person, course, **ids)
    if person is None and ids["user"] and (name := (request.args.get("name") or "").strip()):
        person = await by_name(datasette, database, course, ids["user"], name)
    if person is None:
        raise web.Refusal(nobody(course, **ids))
    return database, course, person


async def by_name(datasette: Datasette, database: str, course: dict, user: str, name: str) -> dict | None:
    """Somebody whose id no file has told yet, by the name that the Moodle page shows beside that id."""
    key = await web.ask(datasette, database, finding.nameless, course, name)
    found = key and await web.ask(datasette, database, answers.person, course, "", str(key))
    return {**found, "by_name": user} if found else None


def personal(person: dict, details: dict, profile: str | None, blogs: list[dict]) -> list[dict]:
    """What is known of the person, in reading order: `term`, then `text` (with `href`) or a time `utc`."""
    email, role = person["email"], person["role"]
    how = f" (from {person['role_from']})" if role and person["role_from"] else ""
    rows = [
        {"term": "Name", "text": person["fullname"], "href": profile},
        {"term": "E-mail", "text": email, "href": f"mailto:{quote(email, safe='@')}" if email else None},
        {"term": "Id number", "text": person["idnumber"]},
        {"term": "User name", "text": person["username"]},
        {"term": "Moodle id", "text": person["moodle_id"]},
        {"term": "Groups", "text": ", ".join(person["groups"])},
        {"term": "Role", "text": f"{role_name(role)}{how}" if role else None},
        {"term": "Status", "text": person["status"]},
        {"term": "Enrolled", "utc": person["enrolled_utc"]},
        {"term": "Last seen", "utc": person["last_access_utc"]},
        *(
            {
                "term": "Blog" if blog["registered"] else "Former blog",
                "text": blog["url"],
                "href": moodle_links.safe(blog["url"]),
            }
            for blog in blogs
        ),
        *({"term": field, "text": value, "href": detail_link(field, value)} for field, value in details.items()),
    ]
    return [row for row in rows if row.get("text") or row.get("utc")]


def role_name(role: str | None) -> str | None:
    """Moodle's short name of a role in words."""
    return ROLES.get(role or "", role)


def detail_link(field: str, value: str | None) -> str | None:
    """Where a detail leads: to a web page, to write to, or to ring, where it is nothing but that."""
    text = value or ""
    if WEB_PAGE.fullmatch(text):
        return text
    return f"mailto:{quote(text, safe='@')}" if ADDRESS.fullmatch(text) else telephone(field, value)


def telephone(field: str, value: str | None) -> str | None:
    """A link to ring, for a field that is about a telephone and holds nothing but a number."""
    about_it = any(word in field.lower() for word in ("phone", "mobile"))
    number = (value or "").translate(str.maketrans("", "", " ()-./"))
    return f"tel:{number}" if about_it and number.removeprefix("+").isdecimal() else None


def nobody(course: dict, user: str, person: str) -> str:
    """What to tell somebody who asks for a person that is not there."""
    if not user and not person:
        return "Which student? Add user=, the number in the address of their Moodle profile."
    whom = f"the Moodle id {user}" if user else f"the key {person}"
    name = course["shortname"] or course["fullname"] or f"course {course['moodle_id']}"
    return (
        f"Nobody with {whom} is known in {name}. Someone who enrolled after the last download appears with "
        "the next `coursette load`; one whose Moodle id no file has told yet is on the list of all students."
    )


def is_shown(row: dict) -> bool:
    """Headings and the like are no activities to look at, unless somebody tracks them."""
    return row["kind"] not in student_completion.NOT_LOGGED or row["tracked"] == 1


def said(row: dict) -> str:
    """The state of an activity in words, where there is no time to show."""
    if row["done"]:
        return "" if row["completed_utc"] else WORDS[row["state"]]
    opened = {None: "", 0: "never opened"}.get(row["clicks"], f"opened {times(row['clicks'])}")
    if row["state"] == "complete-fail":
        return WORDS["complete-fail"]
    if row["why"] is not None:
        words = f"completion {row['why']}" if row["why"] else ""
        return ", ".join(filter(None, [words.replace("completion not tracked", "not tracked"), opened]))
    return f"{opened}, not completed" if row["clicks"] else opened or "not completed"


def times(count: int | None) -> str:
    """'once', 'twice', '3 times'."""
    return {1: "once", 2: "twice"}.get(count or 0, f"{count} times")


def latest(sections: list[dict]) -> int:
    """Index of the section with the newest completion, which is open at first; -1 for none."""
    newest = [max((row["completed_utc"] or "" for row in s["activities"]), default="") for s in sections]
    return newest.index(max(newest)) if any(newest) else -1


def initials(person: dict) -> str:
    """'ZM': the first letters of first and last name, or of the name where those are not known."""
    words = [person["firstname"], person["lastname"]]
    letters = ["".join(filter(str.isalnum, word or ""))[:1] for word in words]
    return ("".join(letters) or "".join(filter(str.isalnum, person["fullname"] or ""))[:1]).upper()


def all_posts(datasette: Datasette, database: str, course: dict, person: dict) -> dict[str, str]:
    """The tables of the person's posts, of which the page shows the newest."""
    ids = {"person_id": person["person"], "_sort_desc": "published_utc"}
    return {
        "blog": f"{datasette.urls.table(database, 'blog_posts')}?{urlencode(ids)}",
        "forum": f"{datasette.urls.table(database, 'forum_posts')}?{urlencode({**ids, 'course_id': course['id']})}",
    }


def address(datasette: Datasette, database: str, course: dict, person: dict, kind: str) -> str:
    """The same answer in another form."""
    ids = {"course": course["moodle_id"] or "", "person": person["person"], "db": database}
    return datasette.urls.path(f"/-/student.{kind}?{urlencode(ids)}")


@hookimpl
def register_routes():
    return [
        (r"^/-/student$", student_page),
        (r"^/-/student\.json$", student_json),
        (r"^/-/student\.csv$", student_csv),
    ]
