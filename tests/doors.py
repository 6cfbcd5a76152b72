"""Every door of the server, and who gets what there: the one list that tests and SECURITY.md go by.

A path that a route of Datasette or of a plugin takes has to stand here, before anybody may build it in.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple

# In this order everywhere. Another site's script and link come with the teacher's cookie, as an old browser would
# send it; `elsewhere` is the token in a page that is not of its Moodle. The colleague may ask one question only.
CALLERS = ("stranger", "colleague", "teacher", "token", "script", "link", "elsewhere")
HEADINGS = (
    "stranger",
    "colleague",
    "teacher",
    "token",
    "another site's script",
    "another site's link",
    "token on another site",
)
NOTHING, NO_NAMES, NAMES = "-", "yes", "names"  # refused or not there; without any student's name; with names


class Door(NamedTuple):
    """Paths that answer alike: `*` is anything; of two that fit a path the first counts."""

    what: str
    answers: str
    paths: str


GRANTED = "student_profile"
DOORS = [
    Door(
        "what is not there",
        "- - - - - - -",
        "/nothing* /-/nothing */nothing.css */../* /-/static/main.* /-/static-plugins/*/app.css /moodle.csv",
    ),
    Door(
        "how pages look, signing in, whether the server is up",
        "yes yes yes yes - yes -",
        "/-/health /-/login /-/window /favicon.ico /-/coursette.css /-/static/* /-/static-plugins/*",
    ),
    Door("the scripts of the small windows", "yes yes yes yes - - -", "/-/coursette_window.js /-/coursette_learn.js"),
    Door("signing in by a link, without a good one", "- - - - - - -", "/-/sign-in /-/auth-token"),
    Door("a file of the database, Datasette's log of permissions", "- - - - - - -", "/moodle.db /-/permissions"),
    Door("first page, install page, learning ids", "- - yes - - yes -", "/ /-/bookmarklet /-/learn"),
    Door("the userscript, with its token", "- - yes - yes yes -", "/-/coursette.user.js"),
    Door("a student's page", "- - names - - names -", "/-/student"),
    Door("names for a Moodle page", "- - names names - - -", "/-/student.json /-/access.json /-/people.json"),
    Door("handing files in: by POST, with a token of the right `refresh` only", "- - - - - - -", "/-/refresh"),
    Door("your own notes on a student: by POST, by you alone", "- - - - - - -", "/-/notes"),
    Door(
        "lists of students, letters to them: by POST, from the page of a question",
        "- - - - - - -",
        "/-/letters /-/list.csv",
    ),
    Door(
        "the scripts that copy, and that open menus", "- yes yes - - - -", "/-/coursette_lists.js /-/coursette_table.js"
    ),
    Door(
        "the course page and the completion grid",
        "- - names - - - -",
        "/-/course /-/course.json /-/completion /-/completion.json /-/completion.csv",
    ),
    Door("the files of your own questions", "- - yes - - - -", "/-/questions"),
    Door("whom you nudged", "- - names - - - -", "/-/nudges /-/nudges.csv"),
    Door("how old a course's data is", "- - yes yes - - -", "/-/refresh.json"),
    Door("numbers for a Moodle page", "- - yes yes - - -", "/-/usage.json"),
    Door(f"a question that the colleague was given ({GRANTED})", "- names names - - - -", f"/moodle/{GRANTED}*"),
    Door(
        "tables and rows with people, search",
        "- - names - - - -",
        "/moodle/people /moodle/people.* /moodle/people/* /moodle/people_wide /moodle/people_wide.* "
        "/moodle/people_fts /moodle/events /-/find",
    ),
    Door("a student's activities as CSV", "- - yes - - - -", "/-/student.csv"),
    Door("other tables, other questions, SQL", "- - yes - - - -", "/moodle /moodle.json /moodle/* /.json"),
    Door("the record of look-ups", "- - yes - - - -", "/audit /audit/*"),
    Door(
        "one's account, signing out",
        "- yes yes - - - -",
        "/-/account /-/logout /-/sign-out-everywhere /:memory:",  # the last one leads on, to what is refused
    ),
    Door(
        "the works of Datasette",
        "- - yes - - - -",
        "/-/metadata* /-/config* /-/settings* /-/plugins* /-/versions* /-/databases* /-/threads* /-/allow-debug "
        "/-/password-tool /-/messages /-/patterns /-/actor /-/actor.json",
    ),
]


def door_of(path: str) -> Door | None:
    """The door that a path, without its parameters, belongs to."""
    return next((door for door in DOORS if any(fnmatchcase(path, each) for each in door.paths.split())), None)


def summary() -> str:
    """The list as a table of SECURITY.md; what is not there is left out."""
    lines = [f"| what | {' | '.join(HEADINGS)} |", "| --- " * (1 + len(HEADINGS)) + "|"]
    lines += [f"| {door.what} | {' | '.join(door.answers.split())} |" for door in DOORS[1:]]
    return "\n".join(lines)
