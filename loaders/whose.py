"""Whom a command means: one person, by Moodle's id, e-mail, id number, user name or exact full name."""

from __future__ import annotations

import sqlite3

from loaders import blog_students
from loaders.errors import Unreadable
from loaders.places import Options

NOBODY = (
    "nobody here is “{who}”: give Moodle's id (the number after user/view.php?id=), the e-mail address, the id number"
    " or the exact full name"
)
SEVERAL = "several people are “{who}”: say which by Moodle's id, e-mail or id number: {people}"
NO_COURSE = "there is no course {course} in this database: `coursette status` lists them"
MANY_SITES = "course {course} is on several Moodles here: say which with --site URL"
ROW = "select coalesce(fullname, 'no name known'), moodle_id, email, idnumber from people where id = ?"


def person(connection: sqlite3.Connection, who: str, course: int | None = None, site: str | None = None) -> int:
    """Own key of the person meant, of this course (Moodle's id) if one is said. Raises Unreadable."""
    found = list(blog_students.called(connection, who, Options(course=course, site=site)))
    if not found:
        raise Unreadable(NOBODY.format(who=who))
    if len(found) > 1:
        people = "; ".join(described(connection, key) for key in found)
        raise Unreadable(SEVERAL.format(who=who, people=people))
    return found[0]


def described(connection: sqlite3.Connection, key: int) -> str:
    """`Sam Lee (Moodle id 18, sam@example.edu, 001012826)`."""
    name, moodle_id, email, idnumber = connection.execute(ROW, (key,)).fetchone()
    marks = [f"Moodle id {moodle_id}" if moodle_id else "", email, idnumber]
    return f"{name} ({', '.join(filter(None, marks)) or 'nothing else is known'})"


def course(connection: sqlite3.Connection, moodle_id: int, site: str | None = None) -> int:
    """Own key of a course. Raises Unreadable."""
    sql = (
        "select courses.id from courses join sites on sites.id = site_id"
        " where moodle_id = ?1 and (?2 is null or rtrim(url, '/') = rtrim(?2, '/'))"
    )
    found = connection.execute(sql, (moodle_id, site)).fetchall()
    if len(found) > 1:
        raise Unreadable(MANY_SITES.format(course=moodle_id))
    if not found:
        raise Unreadable(NO_COURSE.format(course=moodle_id))
    return found[0][0]
