"""Who is in a course, as what, and in which groups."""

from __future__ import annotations

import sqlite3
from collections import defaultdict

from loaders.claims import Load, Newest, sync
from loaders.names import clean, fold
from loaders.people import Key, People

MOST = ("manager", "coursecreator", "editingteacher", "teacher", "student")  # the role that can do most first
ROLE_FROM = {
    "people": "roles in a web-service answer",
    "participants page": "roles on the participants page",
    "participants": "roles in the participants file",
}
REPORTS = {"completion": "listed in the activity completion report", "course completion": "listed in the course "
           "completion report", "grades": "listed in the grade export"}  # fmt: skip


def strongest(roles: list[str]) -> str | None:
    """With several roles, the one that can do most."""
    return min(roles, key=lambda role: MOST.index(role) if role in MOST else len(MOST), default=None)


class Roster:
    """What all files of one course say of its people, by own key."""

    def __init__(self, loads: list[Load], people: People, own: dict[Key, int], staff: set[str]):
        self.loads, self.people, self.own, self.staff = loads, people, own, staff
        self.said = Newest()
        self.listed: dict[int, tuple] = {}  # person -> newest load that lists them
        self.reports: dict[int, str] = {}
        self.log: dict[tuple[int, str, str | None], tuple[str, bool]] = {}
        for load in loads:
            for claim in load.claims:
                self._read(load, claim)

    def _read(self, load: Load, claim: dict) -> None:
        if claim["noun"] == "log role":
            person = self.own.get(self.people.find({"moodle_id": claim["moodle_id"]}, load.course_id)[0])
            key, word = (person, claim["what"], claim["role"]), (claim["time_utc"], claim["given"])
            self.log[key] = max(self.log.get(key, ("", False)), word)
        elif claim["noun"] == "person":
            person = self.own.get(self.people.find(claim["person"], load.course_id)[0])
            if person:
                self._read_person(load, person, claim)

    def _read_person(self, load: Load, person: int, claim: dict) -> None:
        if claim.get("in_course"):
            self.listed[person] = max(self.listed.get(person, ()), load.newest)
        if claim.get("report") in REPORTS:
            self.reports.setdefault(person, REPORTS[claim["report"]])
        if "roles" in claim:
            self.said.say((person, "role"), load, [strongest(claim["roles"]), ROLE_FROM.get(load.kind, load.kind)])
        if "inactive" in claim:
            self.said.say((person, "inactive"), load, "inactive" if claim["inactive"] else "active")
        for column in ("status", "enrolled_utc", "last_access_utc"):
            self.said.say((person, column), load, claim.get(column))

    def rows(self, course_id: int, emails: dict[int, str]) -> dict[tuple[int, int], dict]:
        """One row per enrolment: (course, person) -> columns."""
        everyone = set(self.listed) | set(self.reports) | {person for person, *_ in self.log if person}
        rows = {}
        for person in everyone:
            role, role_from, enrolled, gone = self._role(person)
            if emails.get(person, "").casefold() in self.staff:
                role, role_from = strongest([role or "teacher", "teacher"]), "--staff"
            if not gone:
                rows[course_id, person] = {
                    "role": role,
                    "role_from": role_from,
                    "status": self.said.get((person, "status")) or self.said.get((person, "inactive")),
                    "enrolled_utc": self.said.get((person, "enrolled_utc")) or enrolled,
                    "last_access_utc": self.said.get((person, "last_access_utc")),
                }
        return rows

    def _role(self, person: int) -> tuple[str | None, str | None, str | None, bool]:
        """(role, how it is known, enrolled when, has left)."""
        words = {(what, role): word for (who, what, role), word in self.log.items() if who == person}
        log_roles = [role for (what, role), (_, given) in words.items() if what == "role" and given]
        enrolled, given = words.get(("enrolled", None), (None, True))
        newest, modified, _ = self.listed.get(person, ("", "", 0))
        left = bool(words) and not log_roles and not given and enrolled > (newest or modified)
        enrolled = enrolled if given else None
        if role := self.said.get((person, "role")):
            return role[0], role[1], enrolled, left
        if log_roles:
            return strongest(log_roles), "role assigned in the log", enrolled, left
        if person in self.reports:
            return "student", self.reports[person], enrolled, left
        return None, None, enrolled, left


def save_enrolments(connection: sqlite3.Connection, course_id: int, roster: Roster) -> None:
    """Write the enrolments of a course."""
    emails = dict(connection.execute("select id, email from people where email is not null"))
    sync(
        connection, "enrolments", ("course_id", "person_id"), roster.rows(course_id, emails),
        "course_id = ?", (course_id,),
    )  # fmt: skip


class Groups:
    """The groups of one course: known by Moodle id where a file has it, else by name."""

    def __init__(self, loads: list[Load], people: People, own: dict[Key, int]):
        self.names, self.ids, self.of = Newest(), {}, Newest()
        per_load: dict[tuple[int, Load], set[str]] = defaultdict(set)
        for load in loads:
            for claim in load.of("person", "membership", "group"):
                groups = [claim["group"]] if "group" in claim else claim.get("groups")
                if groups is None:
                    continue
                for group in groups:
                    self._note(load, group)
                if person := own.get(people.find(claim.get("person", {}), load.course_id)[0]):
                    per_load[person, load].update(fold(group["name"]) for group in groups)
        for (person, load), names in per_load.items():
            self.of.say(person, load, ["groups", *sorted(names)])

    def _note(self, load: Load, group: dict) -> None:
        name = fold(group["name"])
        self.names.say(name, load, clean(group["name"]))
        if group.get("moodle_id"):
            self.ids[name] = group["moodle_id"]

    def save(self, connection: sqlite3.Connection, course_id: int) -> None:
        """Write `groups` and `group_members` of the course."""
        rows = {(course_id, self.names.get(name)): {"moodle_id": self.ids.get(name)} for name in self.names.best}
        sync(connection, "groups", ("course_id", "name"), rows, "course_id = ?", (course_id,))
        keys = {
            fold(name): key
            for key, name in connection.execute("select id, name from groups where course_id = ?", (course_id,))
        }
        members = {
            (keys[name], person): {} for person, word in self.of.best.items() for name in word[2][1:] if name in keys
        }
        sync(
            connection, "group_members", ("group_id", "person_id"), members,
            "group_id in (select id from groups where course_id = ?)", (course_id,),
        )  # fmt: skip
