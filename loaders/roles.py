"""Who may open what: closed by default for everybody but teachers. No Datasette here.

An actor (accounts.actor) has a `role`; one without is a teacher's, as all accounts were before there were roles. What
a role may open stands in PATHS, and nothing else opens; `plugins/privacy.py` asks before every answer, for sessions,
tokens and a site's own sign-in alike. Whom a tutor sees in what she may open is not decided here (see own_groups.py).
"""

from __future__ import annotations

import re

TEACHER, TUTOR, COLLEAGUE, STUDENT = "teacher", "tutor", "colleague", "student"
# What each may do, in the words of pages and of the README.
ROLES = {
    TEACHER: "sees all courses, but no accounts, no record of look-ups and nobody's notes",
    TUTOR: "sees the students of her groups: their pages, the grid, the course page, questions, Moodle pages",
    COLLEAGUE: "sees what was shared with her: aggregates, no names",
    STUDENT: "sees nothing, and is handed a file",
}
# The works: for the owner only, colleagues have no use for them (and metadata shows every query).
OWNERS = re.compile(
    r"/-/(metadata|settings|config|plugins|versions|databases|threads|permissions|allow-debug|password-tool|messages"
    r"|patterns|accounts)(\.json)?"
)
OF_EVERYBODY = re.compile(r"/-/(account|logout|sign-out-everywhere)")
SHARED = r"/-/shared(/[\w-]+(\.(json|csv))?)?"
PATHS = {
    TUTOR: re.compile(
        rf"/|{SHARED}|/-/((student|completion)(\.(json|csv))?|course(\.json)?|find|(usage|access|people|refresh)\.json|letters"
        r"|list\.csv|bookmarklet|pseudonyms|coursette(\.user|_lists|_table)\.js)"
    ),
    COLLEAGUE: re.compile(SHARED),
}
# Where a tutor may send a form; everywhere else she only asks.
FORMS = re.compile(r"/-/(account|logout|sign-out-everywhere|letters|list\.csv|bookmarklet|pseudonyms)")
# Pages that narrow by the `group`s of their address, which may repeat there.
BY_GROUP = re.compile(r"/-/((usage|access)\.json|course(\.json)?|completion(\.(json|csv))?)")
QUESTION = re.compile(r"/(?P<database>[^/.]+)/(?P<name>[^/.]+)(\.(json|csv))?")
# What a tutor's pages look names up in, under her veil; the tables themselves are closed, page by page.
LISTS = ("people", "enrolments", "completions", "activities", "parts", "sections")


def role(actor: dict) -> str:
    """The role of whoever is signed in; one that is not known here is nobody's, and opens nothing."""
    if is_owner(actor):
        return TEACHER
    return actor.get("role") or TEACHER


def is_owner(actor: dict | None) -> bool:
    """True for the teacher whose instance this is, and for `datasette --root`."""
    return bool(actor) and (actor.get("owner") is True or actor.get("id") == "root")


def may_open(actor: dict, path: str, method: str = "GET") -> bool:
    """Whether this path of ours (as web.path_of gives it) is for this role. A tutor's questions: see own_groups.py."""
    if OWNERS.fullmatch(path):
        return is_owner(actor)
    if role(actor) == TEACHER or OF_EVERYBODY.fullmatch(path):
        return True
    opens = PATHS.get(role(actor))
    return bool(opens and opens.fullmatch(path)) and (method in ("GET", "HEAD") or bool(FORMS.fullmatch(path)))


def is_denied(actor: dict | None, action: str, resource: object, asks_by_group: bool = False) -> bool:
    """Whether Datasette has to refuse this permission whatever metadata.yml says; never whether it may be given.

    `asks_by_group`: the resource is a question that a tutor may ask.
    """
    if not actor or is_owner(actor):
        return False
    database, name = resource if isinstance(resource, tuple) else (resource, None)
    files = actor.get("files")
    if database is not None and files is not None and database not in files:
        return True
    if action == "view-query":
        return role(actor) != TEACHER and not (role(actor) == TUTOR and asks_by_group)
    if action == "view-table":
        return role(actor) != TEACHER and not (role(actor) == TUTOR and name in LISTS)
    if action in ("view-instance", "view-database"):
        return role(actor) not in (TEACHER, TUTOR)
    return role(actor) != TEACHER


def refusal(actor: dict) -> str:
    """What is said to whoever asks for what is not theirs."""
    return {
        TEACHER: "Only the owner of this instance may see this.",
        TUTOR: "This is not for tutors: the first page leads to what you may see of your groups.",
        COLLEAGUE: "You may see what was shared with you, and nothing else here.",
    }.get(role(actor), "Nothing here is for you to open: your teacher can hand you a file with what is held about you.")
