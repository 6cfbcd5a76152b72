"""Every kind of door, asked by every role: the one table of who gets what (the README's words, held to the server).

A status for each role, in the order of ROLES. The tutor has the group Toowoomba (Sam Lee and Bo); whatever status she
gets, nobody else's name may be in the answer. For a colleague, a student and a stranger no student's name may be.
"""

from __future__ import annotations

from typing import NamedTuple

ROLES = ("stranger", "owner", "teacher", "tutor", "colleague", "student")
GROUP = "8"  # Toowoomba
# A part of each student's name or address as answers hold it, in HTML and in JSON.
HERS = ("sam1@", "bo@student", "Tables")
OTHERS = ("Müller", "M\\u00fcller", "zoe@", "sam2@", "Nia New", "nia@", "Al Away", "al@student", "Olaf", "olaf@")
SHARED_NAMES = ("Sam Lee",)  # two are called so, one of them hers


class Door(NamedTuple):
    """`what` it is, the `path`, `statuses` in the order of ROLES; `form`: sent by POST, else it is a GET."""

    what: str
    path: str
    statuses: str
    form: dict | None = None


ALL, OWNER, TEACHERS = "403 200 200 403 403 403", "403 200 403 403 403 403", "403 200 200 403 403 403"
TUTORS = "403 200 200 200 403 403"  # and teachers
NOT_HERS = "403 200 200 404 403 403"  # a student of another group is not there for a tutor
WHO = "/moodle/never_opened{}?course=2&activity=12"
LIST = {"people": "1.2.3.4"}
SHARE = "{share}"  # the address of what is shared with the colleague

DOORS = [
    Door("first page", "/", "403 200 200 200 302 403"),
    # Tables, rows, SQL
    *(Door("table", f"/moodle/people{form}", TEACHERS) for form in ("", ".json", ".csv")),
    Door("table", "/moodle/people_wide.json", TEACHERS),
    Door("table, by an address in other letters", "/moodle/~70eople.json", TEACHERS),
    Door("table, narrowed by SQL", "/moodle/people.json?_where=id=1", TEACHERS),
    Door("row", "/moodle/people/1.json", TEACHERS),
    Door("row of hers", "/moodle/people/2.json", TEACHERS),
    *(Door("SQL", f"/moodle{form}?sql=select+*+from+people", TEACHERS) for form in ("", ".json", ".csv")),
    Door("facets", "/moodle/people.json?_facet=fullname", TEACHERS),
    Door("facets of a question", "/moodle/student_profile.json?course=2&_facet=fullname", TEACHERS),
    *(Door("FTS", f"/moodle/{name}.json", TEACHERS) for name in ("people_fts", "forum_posts_fts")),
    Door("FTS", "/moodle/people.json?_search=zoe", TEACHERS),
    Door("foreign-key labels", "/moodle/enrolments.json?_labels=on", TEACHERS),
    Door("list of tables", "/moodle.json", TEACHERS),
    Door("list of files", "/.json", TEACHERS),
    Door("file", "/moodle.db", "403 403 403 403 403 403"),
    # Questions
    Door("question without a group", "/moodle/student_profile?course=2", TEACHERS),
    Door("question about one student", "/moodle/student_profile.json?course=2&student=5", TEACHERS),
    *(Door("question", WHO.format(form), TUTORS) for form in ("", ".json", ".csv")),
    Door("question, of another group", WHO.format(".json") + "&group=7", TUTORS.replace("200 403 403", "403 403 403")),
    Door("question, of a group twice", WHO.format(".json") + "&group=8&group=7", TEACHERS),
    Door("question, of a list of groups", WHO.format(".json") + "&group=%5B%228%22,%227%22%5D", TEACHERS),
    Door("question, of how a group begins", WHO.format(".json") + "&group=Toow", TEACHERS),
    Door("question, of her group by name", WHO.format(".json") + "&group=Toowoomba", TUTORS),
    Door("question, of everybody", WHO.format(".json") + "&group=", TUTORS),
    Door("question, with SQL", WHO.format(".json") + "&_where=1&_search=zoe&sql=select+*+from+people", TUTORS),
    Door("question about a course where she has no group", "/moodle/weeks.json?course=3", TEACHERS),
    *(Door("question of a teacher's own folder", f"/moodle/mine{form}?course=2", TEACHERS)
      for form in ("", ".json", ".csv")),
    Door("question of a teacher's own folder, of her group", "/moodle/mine.json?course=2&group=8", TEACHERS),
    Door("the files of own questions", "/-/questions", TEACHERS),
    # The student page, the course's pages
    *(Door("student page of another", f"/-/student{form}?course=2&user=5", NOT_HERS) for form in ("", ".json", ".csv")),
    Door("student page of another, by our key", "/-/student?course=2&person=3", NOT_HERS),
    Door("student page of hers", "/-/student?course=2&user=18", TUTORS),
    *(Door("completion grid", f"/-/completion{form}?course=2", TUTORS) for form in ("", ".json", ".csv")),
    Door("completion grid of another group", "/-/completion?course=2&group=Online", TEACHERS),
    *(Door("course page", f"/-/course{form}?course=2", TUTORS) for form in ("", ".json")),
    Door("search", "/-/find?q=e", TUTORS),
    Door("search for another", "/-/find?q=ller", TUTORS.replace("200 200 200", "302 302 200")),
    # The overlay, by a session; by tokens see CALLS
    Door("overlay", "/-/usage.json?course=2", TUTORS),
    Door("overlay of another group", "/-/usage.json?course=2&group=7", TEACHERS),
    Door("overlay of another student", "/-/usage.json?course=2&student=5", NOT_HERS),
    Door("overlay, who has and has not", "/-/access.json?course=2&activity=10", TUTORS),
    Door("overlay, who is there", "/-/people.json?course=2", TUTORS),
    Door("overlay, how old", "/-/refresh.json?course=2", TUTORS),
    Door("tokens", "/-/bookmarklet", TUTORS),
    Door("tokens", "/-/coursette.user.js", TUTORS),
    Door("learning ids", "/-/learn?course=2", "403 200 403 403 403 403"),
    # Lists and letters
    Door("list", "/-/list.csv?db=moodle&course=2", TUTORS, LIST),
    Door("letters", "/-/letters?db=moodle&course=2", TUTORS, {**LIST, "subject": "x", "letter": "Dear {name}"}),
    Door("all that is held of a student", "/-/export-student?course=2&person=1&db=moodle", TEACHERS, {"form": "json"}),
    Door("data dictionary", "/-/dictionary", TEACHERS),
    # What is the owner's
    *(Door("metadata", f"/-/{name}.json", OWNER) for name in ("metadata", "settings", "plugins", "databases")),
    *(Door("audit", f"/audit{rest}", OWNER) for rest in ("", "/look_ups.json", "/who_looked_at.csv")),
    Door("audit, by SQL", "/audit.json?sql=select+1", OWNER),
    Door("notes", "/-/nudges", OWNER),
    Door("notes", "/-/nudges.csv", OWNER),
    Door("notes", "/-/notes?course=2&person=1", "403 303 403 403 403 403", {"do": "add", "text": "seen"}),
    Door("accounts", "/-/accounts", OWNER),
    Door("accounts", "/-/accounts", OWNER, {"do": "link", "name": "tutor"}),
    Door("accounts, making oneself the teacher", "/-/accounts", "403 400 403 403 403 403",
         {"do": "role", "name": "owner", "role": "teacher"}),
    # Shares
    Door("shares", "/-/shares", TEACHERS),
    Door("shares", "/-/shares", "403 400 400 403 403 403", {"do": "nothing"}),
    Door("shared", "/-/shared", "403 200 200 200 200 403"),
    *(Door("shared", f"{SHARE}{form}", "403 200 404 404 200 403") for form in ("", ".json", ".csv")),
    Door("shared, what never was", "/-/shared/abc", "403 404 404 404 404 403"),
    # One's own account
    Door("account", "/-/account", "403 200 200 200 200 200"),
    Door("what is not there", "/-/nothing", "403 404 404 403 403 403"),
]  # fmt: skip

# With a token of each account; the stranger's is none of ours.
CALLS = [
    *(Door("overlay by token", f"/-/{path}", "401 200 200 200 403 403") for path in
      ("usage.json?course=2", "access.json?course=2&activity=10", "people.json?course=2", "refresh.json?course=2",
       "student.json?course=2&user=18")),
    Door("overlay by token, of another group", "/-/usage.json?course=2&group=7", "401 200 200 403 403 403"),
    Door("overlay by token, of another student", "/-/student.json?course=2&user=5", "401 200 200 404 403 403"),
    Door("handing in by token", "/-/refresh?course=2", "401 403 403 403 403 403", {}),
    Door("table by token", "/moodle/people.json", "403 403 403 403 403 403"),
    Door("shared by token", "/-/shared", "403 403 403 403 403 403"),
]  # fmt: skip


def summary() -> str:
    """The table for SECURITY.md: a line for each kind of door, what each role gets there."""
    lines = [f"| what | {' | '.join(ROLES)} |", "| --- " * (1 + len(ROLES)) + "|"]
    for what in dict.fromkeys(door.what for door in [*DOORS, *CALLS]):
        each = zip(*(door.statuses.split() for door in [*DOORS, *CALLS] if door.what == what), strict=True)
        lines.append(f"| {what} | {' | '.join(map(_said, each))} |")
    return "\n".join(lines)


def _said(statuses: tuple[str, ...]) -> str:
    """In a word: `yes` where any door of the kind opens, `-` where none does."""
    return "yes" if any(status < "400" for status in statuses) else "-"
