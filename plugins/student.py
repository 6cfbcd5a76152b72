"""The student page: one person in one course, as a pop-up of 600 pixels, as JSON and as CSV."""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Request, Response

from loaders import answers, finding, web

CHART = {"width": 560, "height": 60, "gap": 4}
HALF_A_YEAR = 26  # weeks
ROLES = {"editingteacher": "teacher", "teacher": "non-editing teacher", "coursecreator": "course creator"}
WEB_PAGE = re.compile(r"https?://[^\s/?#@\\]+([/?#]\S*)?")
ADDRESS = re.compile(r"[\w.+'-]+@[\w-]+(\.[\w-]+)+")
WORDS = {"complete": "done", "complete-pass": "passed", "complete-fail": "done, not passed"}


async def student_page(datasette: Datasette, request: Request) -> Response:
    """`/-/student?course=&user=` (or `person=`, our own key): the three tabs."""
    database, course, person = await find_person(datasette, request)
    found = await web.ask(datasette, database, answers.student, course, person)
    absent = not found["loaded"]["own_completion"]
    for section in found["completion"]:
        section["activities"] = [row for row in section["activities"] if is_shown(row)]
        for row in section["activities"]:
            # Said once for all of them, above.
            row["why"] = "" if absent and row["why"] == "not loaded" else row["why"]
            row["said"] = said(row)
            row["href"] = activity_link(course, row)
    sections = [section for section in found["completion"] if section["activities"]]
    context = {
        **found,
        "completion": sections,
        "latest": latest(sections),
        "chart": chart(found["usage"]["weeks"]),
        "initials": initials(person),
        "role": role_name(person["role"]),
        "personal": personal(person, found["details"], profile_link(course, person)),
        "forum_posts": [{**row, "href": post_link(course, row)} for row in found["posts"] if row["source"] == "forum"],
        "absent_posts": [row for row in found["posted"] if not row["loaded"]],
        "blog_posts": [{**row, "href": safe_link(row["url"])} for row in found["posts"] if row["source"] == "blog"],
        "same_as": {kind: address(datasette, database, course, person, kind) for kind in ("json", "csv")},
    }
    return await web.page(datasette, request, "coursette_student.html", context)


async def student_json(datasette: Datasette, request: Request) -> Response:
    """`/-/student.json`: what answers.student says."""
    database, course, person = await find_person(datasette, request)
    found = await web.ask(datasette, database, answers.student, course, person)
    return Response.json({"ok": True, **found}, headers=dict(web.OWN_PAGE))


async def student_csv(datasette: Datasette, request: Request) -> Response:
    """`/-/student.csv`: a row per activity, with its section."""
    database, course, person = await find_person(datasette, request)
    sections = (await web.ask(datasette, database, answers.student, course, person))["completion"]
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


def personal(person: dict, details: dict, profile: str | None) -> list[dict]:
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
    return row["kind"] not in answers.NOT_LOGGED or row["tracked"] == 1


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


def chart(weeks: list[dict]) -> dict | None:
    """Bars of clicks and steps of the class median in the coordinates of the drawing; None without weeks."""
    weeks, apart = without_lone_week(weeks)
    if not weeks:
        return None
    top = max(1, *(max(week["clicks"], week["class_median"]) for week in weeks))
    step = CHART["width"] / len(weeks)
    every = len(weeks) // 26 + 1

    def height(value: float) -> float:
        return round(CHART["height"] * value / top, 1)

    bars = [
        {
            **week,
            "x": round(index * step + CHART["gap"] / 2, 1),
            "width": round(step - CHART["gap"], 1),
            "height": height(week["clicks"]),
            "y": CHART["height"] - height(week["clicks"]),
            "left": round(index * step, 1),
            "right": round((index + 1) * step, 1),
            "middle": round((index + 0.5) * step, 1),
            "median_y": CHART["height"] - height(week["class_median"]),
            "tick": index % every == 0,
            "gap": index > 0 and week["week"] - weeks[index - 1]["week"] > 1,
        }
        for index, week in enumerate(weeks)
    ]
    return {**CHART, "bars": bars, "none": quiet_weeks(weeks), "apart": apart}


def without_lone_week(weeks: list[dict]) -> tuple[list[dict], list[dict]]:
    """(weeks to draw, those left out): a first or last week more than half a year from all others is left out."""
    apart = []
    if len(weeks) > 2 and weeks[1]["week"] - weeks[0]["week"] > HALF_A_YEAR:
        apart, weeks = [weeks[0]], weeks[1:]
    if len(weeks) > 2 and weeks[-1]["week"] - weeks[-2]["week"] > HALF_A_YEAR:
        apart, weeks = [*apart, weeks[-1]], weeks[:-1]
    return weeks, apart


def quiet_weeks(weeks: list[dict]) -> str:
    """'none in weeks 5, 7 to 9 (break: 5)': the weeks without a click, said in words."""
    none = runs([index for index, week in enumerate(weeks) if not week["clicks"]])
    said = [str(weeks[first]["week"]) + (f" to {weeks[last]['week']}" if last > first else "") for first, last in none]
    breaks = [str(week["week"]) for week in weeks if week["is_break"]]
    many = len(said) > 1 or any(" " in words for words in said)
    text = f"none in week{'s' if many else ''} {', '.join(said)}" if said else ""
    return text + (f" (break: {', '.join(breaks)})" if text and breaks else "")


def runs(indexes: list[int]) -> list[tuple[int, int]]:
    """[(first, last)] of neighbours: [1, 2, 3, 5] -> [(1, 3), (5, 5)]."""
    found: list[tuple[int, int]] = []
    for index in indexes:
        if found and found[-1][1] == index - 1:
            found[-1] = (found[-1][0], index)
        else:
            found.append((index, index))
    return found


def initials(person: dict) -> str:
    """'ZM': the first letters of first and last name, or of the name where those are not known."""
    words = [person["firstname"], person["lastname"]]
    letters = ["".join(filter(str.isalnum, word or ""))[:1] for word in words]
    return ("".join(letters) or "".join(filter(str.isalnum, person["fullname"] or ""))[:1]).upper()


def safe_link(url: str | None) -> str | None:
    """An address that is a web page and nothing else."""
    return url if url and url.startswith(("https://", "http://")) else None


def activity_link(course: dict, row: dict) -> str | None:
    if not (safe_link(course["site"]) and row["cmid"] and row["kind"]):
        return None
    return f"{course['site']}/mod/{row['kind']}/view.php?{urlencode({'id': row['cmid']})}"


def profile_link(course: dict, person: dict) -> str | None:
    if not (safe_link(course["site"]) and person["moodle_id"]):
        return None
    ids = {"id": person["moodle_id"], **({"course": course["moodle_id"]} if course["moodle_id"] else {})}
    return f"{course['site']}/user/view.php?{urlencode(ids)}"


def post_link(course: dict, row: dict) -> str | None:
    if safe_link(row["url"]) or not (safe_link(course["site"]) and row["discussion"]):
        return safe_link(row["url"])
    return f"{course['site']}/mod/forum/discuss.php?d={row['discussion']}" + (
        f"#p{row['moodle_id']}" if row["moodle_id"] else ""
    )


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
