"""Links back into the Moodle: to an activity, a part of one, a section, a person's profile, a post.

Every function takes plain dicts, `course` with `site` and `moodle_id`, and gives None where no file told enough.
"""

from __future__ import annotations

from urllib.parse import urlencode

# kind of a part -> page of Moodle, parameter of the part, parameter of the activity
PARTS = {
    "chapter": ("/mod/book/view.php", "chapterid", "id"),
    "discussion": ("/mod/forum/discuss.php", "d", None),
    "page": ("/mod/lesson/view.php", "pageid", "id"),
    "wikipage": ("/mod/wiki/view.php", "pageid", None),
    "entry": ("/mod/glossary/showentry.php", "eid", None),
}


def safe(url: str | None) -> str | None:
    """An address that is a web page and nothing else."""
    return url if url and url.startswith(("https://", "http://")) else None


def activity(course: dict, row: dict) -> str | None:
    """`row` has `cmid` and `kind`."""
    if not (safe(course["site"]) and row["cmid"] and row["kind"]):
        return None
    return f"{course['site']}/mod/{row['kind']}/view.php?{urlencode({'id': row['cmid']})}"


def part(course: dict, row: dict) -> str | None:
    """`row` has `kind` and `moodle_id` of the part, and the `cmid` of its activity."""
    page, own, of_activity = PARTS.get(row["kind"], (None, "", None))
    if not (safe(course["site"]) and page and (row["cmid"] or not of_activity)):
        return None
    ids = {of_activity: row["cmid"]} if of_activity else {}
    return f"{course['site']}{page}?{urlencode({**ids, own: row['moodle_id']})}"


def section(course: dict, number: int | None) -> str | None:
    """A section by its number on the course page."""
    if not (safe(course["site"]) and course["moodle_id"] and number is not None):
        return None
    return f"{course['site']}/course/view.php?{urlencode({'id': course['moodle_id']})}#section-{number}"


def profile(course: dict, person: dict) -> str | None:
    """A person, in the course."""
    if not (safe(course["site"]) and person["moodle_id"]):
        return None
    ids = {"id": person["moodle_id"], **({"course": course["moodle_id"]} if course["moodle_id"] else {})}
    return f"{course['site']}/user/view.php?{urlencode(ids)}"


def post(course: dict, row: dict) -> str | None:
    """`row` has `source` (forum or blog), `moodle_id`, `discussion` (Moodle's id) and `url`."""
    if row["source"] == "blog" and row["moodle_id"] and safe(course["site"]):
        return f"{course['site']}/blog/index.php?entryid={row['moodle_id']}"
    if safe(row["url"]) or not (safe(course["site"]) and row["discussion"]):
        return safe(row["url"])
    return f"{course['site']}/mod/forum/discuss.php?d={row['discussion']}" + (
        f"#p{row['moodle_id']}" if row["moodle_id"] else ""
    )
