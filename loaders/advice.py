"""What is missing, and where a teacher gets it: the links of the next downloads, and why each helps.

Addresses as measured on Moodle 4.5 and 5.1; parameters undo filters that stick in Moodle's session.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Download:
    """One thing to take from Moodle."""

    kind: str
    path: str
    how: str
    why: str


DOWNLOADS = (
    Download("course log", "/report/log/index.php?chooselog=1&id={course}&download=csv",
             "downloads the file", "who used what, and when: nearly every answer needs it"),
    Download("participants page", "/user/index.php?id={course}&perpage=5000",
             "when all are shown, save the page (Ctrl+S)", "ids, roles, emails and groups: tells students from staff"),
    Download("course structure", "/course/view.php?id={course}",
             "save the page (Ctrl+S)", "sections and the order of activities, for weeks and modules"),
    Download("activity completion", "/report/progress/index.php?course={course}&format=csv&dataformat=csv"
             "&group=0&sifirst=all&silast=all", "downloads the file", "who has completed what"),
    Download("grades", "/grade/export/txt/index.php?id={course}",
             "choose Download", "grades, and id numbers for everybody"),
    Download("groups overview", "/group/overview.php?id={course}&dataformat=csv",
             "downloads the file", "groups, for comparing and filtering"),
    Download("forum posts", "/mod/forum/index.php?id={course}",
             "in each forum: Export, and untick both date boxes", "what students wrote in forums"),
)  # fmt: skip

# Kinds that make another download needless.
INSTEAD = {
    "course structure": ("course backup",),
    "participants page": ("people",),
    "groups overview": ("people", "participants page", "participants"),
}

# What a course backup holds (claims' noun) -> the download that is needless then.
IN_BACKUP = {
    "activity": "course structure",
    "group": "groups overview",
    "completion": "activity completion",
    "grade": "grades",
    "post": "forum posts",
}

# Posts that the log knows of, in forums that no forum export covers.
FORUMS = """
select activities.cmid, activities.name, sum(written.posts) as posts
from usage_activity_person_posts as written
join activities on activities.id = written.activity_id
where written.course_id = ? and activities.cmid is not null and not activities.deleted
    and activities.id not in (
        select parts.activity_id from forum_posts join parts on parts.id = forum_posts.part_id
    )
group by activities.id
order by posts desc, activities.cmid
"""
ADDRESS = re.compile(r"https?://[\w.:/~%+\[\]-]+")
NO_ADDRESS = "https://YOUR-MOODLE"


@dataclass(frozen=True)
class Gap:
    """A download that would help a course."""

    course: str
    download: Download
    url: str


def gaps(connection: sqlite3.Connection, only: int | None = None) -> Iterator[Gap]:
    """What to download next, course by course (or for one, by our key), the most useful first."""
    courses = connection.execute(
        "select courses.id, moodle_id, coalesce(shortname, fullname, 'course ' || moodle_id), sites.url"
        " from courses join sites on sites.id = site_id"
        " where ? in (0, courses.id)"
        " order by data_up_to_utc desc",
        (only or 0,),
    ).fetchall()
    for course_id, moodle_id, name, url in courses:
        for download in _wanted(connection, course_id):
            path = download.path.format(course=moodle_id if moodle_id is not None else "ID")
            yield Gap(name, download, _site(url) + path)


def _wanted(connection: sqlite3.Connection, course_id: int) -> Iterator[Download]:
    """The downloads that a course lacks; forums by name where the log knows which have posts."""
    have = {kind for (kind,) in connection.execute(
        "select distinct kind from loads where course_id = ? and error is null", (course_id,))}  # fmt: skip
    have |= _in_backups(connection, course_id) if "course backup" in have else set()
    wanted = [one for one in DOWNLOADS if not have & {one.kind, *INSTEAD.get(one.kind, ())}]
    yield from (one for one in wanted if one.kind != "forum posts")
    yield from _forums(connection, course_id) or (one for one in wanted if one.kind == "forum posts")


def _in_backups(connection: sqlite3.Connection, course_id: int) -> set[str]:
    """The kinds of downloads that the course's backups stand for: they hold what Moodle let their maker include."""
    nouns = {noun for (noun,) in connection.execute(
        "select distinct noun from claims join loads on loads.id = load_id"
        " where loads.course_id = ? and loads.kind = 'course backup'", (course_id,))}  # fmt: skip
    sql = (
        "select 1 from load_events join loads on loads.id = load_id where loads.course_id = ?"
        " and kind = 'course backup' limit 1"
    )
    logged = connection.execute(sql, (course_id,)).fetchone()
    people = "course backup" in {kind for (kind,) in connection.execute(
        "select kind from loads join claims on claims.load_id = loads.id where loads.course_id = ?"
        " and noun = 'person' and json_extract(claim, '$.in_course') group by kind", (course_id,))}  # fmt: skip
    found = {kind for noun, kind in IN_BACKUP.items() if noun in nouns}
    return found | ({"course log"} if logged else set()) | ({"people"} if people else set())


def _forums(connection: sqlite3.Connection, course_id: int) -> list[Download]:
    """The export of each forum whose posts the log has and no file does, most posts first."""
    found = []
    for cmid, name, posts in connection.execute(FORUMS, (course_id,)):
        what = f"forum posts of {name or f'forum {cmid}'} ({posts:,} post{'s' if posts != 1 else ''} in the log)"
        how, why = "Export, untick both date boxes", "what students wrote in this forum"
        found.append(Download(what, f"/mod/forum/view.php?id={cmid}", how, why))
    return found


def _site(url: str | None) -> str:
    """A site's address to put before a path; a placeholder where it is not known, or is no web address."""
    return url if url and ADDRESS.fullmatch(url) else NO_ADDRESS


SHORT = """
select loads.id, loads.source, loads.kind, count(distinct claims.line), students.n, courses.moodle_id, sites.url,
    loads.part
from loads
join claims on claims.load_id = loads.id and claims.noun in ('completion', 'grade')
join courses on courses.id = loads.course_id
join sites on sites.id = courses.site_id
join (
    select course_id, count(*) as n from enrolments where role = 'student' group by course_id
) as students on students.course_id = loads.course_id
where loads.kind in ('activity completion', 'grades') and loads.error is null
group by loads.id
having count(distinct claims.line) < students.n
"""


def short_files(connection: sqlite3.Connection) -> dict[int, str]:
    """By load: a sentence for each completion or grade file with fewer people than the course has students."""
    sentences = {}
    for load_id, source, kind, people, students, course, url, part in connection.execute(SHORT):
        if part:  # a pull asks for everybody: those left out are not active, and nothing is to be done about it
            continue
        if kind == "activity completion":
            link = _site(url) + DOWNLOADS[3].path.format(course=course)
            remedy = f"the whole report is at {link}"
        else:
            remedy = "choose “All participants” under Separate or Visible groups before exporting"
        sentences[load_id] = (
            f"{source} has {people} people, the course has {students} students: Moodle leaves out those suspended or"
            f" not current, and a group or initials filter sticks from page to page; {remedy}"
        )
    return sentences


def roles(connection: sqlite3.Connection, course_id: int) -> list[tuple[str, str, int]]:
    """How students and staff were told apart: (role, how, people)."""
    return connection.execute(
        "select coalesce(role, 'unknown'), coalesce(role_from, 'no file says'), count(*) from enrolments"
        " where course_id = ? group by 1, 2 order by 3 desc",
        (course_id,),
    ).fetchall()


def missing_roles(connection: sqlite3.Connection) -> list[str]:
    """A sentence for each course whose roles no file gives."""
    sentences = []
    for course_id, name in connection.execute("select id, coalesce(shortname, fullname, moodle_id) from courses"):
        ways = [(role, how) for role, how, _ in roles(connection, course_id)]
        if ways and not any(how.startswith("roles ") for _, how in ways):
            known = "; ".join(sorted({f"{role} {how}" for role, how in ways if role != "unknown"})) or "not at all"
            sentences.append(
                f"{name}: no file gives roles: students and staff were recognised by: {known}; check `coursette status`"
            )
    return sentences
