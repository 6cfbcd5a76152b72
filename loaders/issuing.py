"""`coursette token`: a token for the page script, from the command line."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from loaders import accounts, tokens
from loaders.errors import Unreadable
from loaders.schema import open_existing

COURSES = """
select courses.moodle_id as course, courses.shortname, sites.url as site
from courses
join sites on sites.id = courses.site_id
where courses.moodle_id is not null
order by courses.id
"""


def issue(
    db: Path, private: Path | None, user: str | None, courses: Iterable[int], site: str | None, right: str,
    name: str | None,
) -> tuple[dict, str]:  # fmt: skip
    """(record, text) of a new token. Raises Unreadable with a sentence."""
    connection = open_existing(db).conn
    folder = accounts.private_folder([db], private)
    try:
        wanted = chosen(connection, list(courses), site)
        name = (name or "").strip() or "from the command line"
        if name == tokens.PAGE_SCRIPT:
            raise tokens.Refused(f"“{name}” is what the page makes for your scripts: take another name.")
        record = tokens.make(folder, owner_or(folder, user), wanted, name, right)
    except (tokens.Refused, accounts.Refused) as refused:
        raise Unreadable(str(refused)) from refused
    finally:
        connection.close()
    return record, tokens.text(folder, record)


def chosen(connection: sqlite3.Connection, wanted: list[int], site: str | None) -> list[dict]:
    """The courses a token is for. Raises Unreadable where one is not loaded, or its Moodle is not known for certain."""
    known = [dict(zip(("course", "shortname", "site"), row, strict=True)) for row in connection.execute(COURSES)]
    here = [row for row in known if site is None or row["site"] is None or same(row["site"], site)]
    for course in wanted:
        if not any(row["course"] == course for row in here):
            where = f" of {site}" if site else ""
            raise Unreadable(f"no course with Moodle's id {course}{where} is loaded: `coursette status` says what is")
    found = [row for row in here if not wanted or row["course"] in wanted]
    if known and not found:
        raise Unreadable(f"nothing is loaded of {site}: `coursette status` says what is")
    if not found:
        raise Unreadable("no course is loaded yet: `coursette load` takes what you downloaded from Moodle")
    if wanted and len(found) > len(set(wanted)):
        raise Unreadable("several Moodles have a course of this id: say which with --site URL")
    if not site and any(row["site"] is None for row in found):
        raise Unreadable("no file says yet where your Moodle is: say it with --site URL, or load a page saved from it")
    return [{"course": row["course"], "site": row["site"] or site} for row in found]


def same(one: str, other: str) -> bool:
    """Whether two addresses are of the same Moodle."""
    return one.rstrip("/") == other.rstrip("/")


def owner_or(folder: Path, user: str | None) -> str:
    """The account meant; the first one is made where there is none. Raises Unreadable for an unknown name."""
    known = accounts.accounts(folder)
    if not known:
        return accounts.make_owner(folder, user or accounts.FIRST_NAME)["name"]
    found = next((row["name"] for row in known if row["name"] == user or (user is None and row.get("owner"))), None)
    if found is None:
        names = ", ".join(row["name"] for row in known)
        raise Unreadable(f"there is no account called {user}: the accounts here are {names}")
    return found


def summary(record: dict) -> str:
    """What the token is for, in a sentence that holds nothing secret."""
    courses = ", ".join(f"{row['course']} of {row['site']}" for row in record["courses"])
    ends = datetime.fromtimestamp(record["expires"], UTC)
    return (
        f"This token of {record['user']} may {record['right']} course {courses} until {ends.day} {ends:%B %Y}. "
        "Keep it as you keep a password."
    )
