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
    "course backup": "roles in a course backup",
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
        self.reports: dict[int, tuple] = {}  # person -> oldest report on students that lists them, and its words
        self.log: dict[int | None, dict[tuple[str, str | None], tuple[str, bool]]] = defaultdict(dict)
        for load in loads:
            for claim in load.claims:
                self._read(load, claim)

    def _read(self, load: Load, claim: dict) -> None:
        if claim["noun"] == "log role":
            person = self.own.get(self.people.find({"moodle_id": claim["moodle_id"]}, load.course_id)[0])
            words, key = self.log[person], (claim["what"], claim["role"])
            words[key] = max(words.get(key, ("", False)), (claim["time_utc"], claim["given"]))
        elif claim["noun"] == "person":
            person = self.own.get(self.people.find(claim["person"], load.course_id)[0])
            if person:
                self._read_person(load, person, claim)

    def _read_person(self, load: Load, person: int, claim: dict) -> None:
        if claim.get("in_course"):
            self.listed[person] = max(self.listed.get(person, ()), load.newest)
        if claim.get("report") in REPORTS:
            word = (load.newest, REPORTS[claim["report"]])
            self.reports[person] = min(self.reports.get(person, word), word)
        if "roles" in claim:
            self.said.say((person, "role"), load, [strongest(claim["roles"]), ROLE_FROM.get(load.kind, load.kind)])
        if "inactive" in claim:
            self.said.say((person, "inactive"), load, "inactive" if claim["inactive"] else "active")
        for column in ("status", "enrolled_utc", "last_access_utc"):
            self.said.say((person, column), load, claim.get(column))

    def rows(self, course_id: int, emails: dict[int, str]) -> dict[tuple[int, int], dict]:
        """One row per enrolment: (course, person) -> columns."""
        everyone = {person for person in {*self.listed, *self.reports, *self.log} if person}
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
        words = self.log.get(person, {})
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
            return "student", self.reports[person][1], enrolled, left
        return None, None, enrolled, left


def save_enrolments(connection: sqlite3.Connection, course_id: int, roster: Roster) -> None:
    """Write the enrolments of a course."""
    emails = dict(connection.execute("select id, email from people where email is not null"))
    sync(
        connection, "enrolments", ("course_id", "person_id"), roster.rows(course_id, emails),
        "course_id = ?", (course_id,),
    )  # fmt: skip


class Groups:
    """The groups of one course: by Moodle id where a file has it, under any name it ever had; else by name."""

    def __init__(self, loads: list[Load], people: People, own: dict[Key, int]):
        self.said = Newest()  # id or folded name -> name; (id, folded name) -> when it last had it
        self.aliases: dict[str, set[int]] = defaultdict(set)  # folded name -> ids that ever had it
        self.names: set[str] = set()
        self.of = Newest()
        per_load: dict[tuple[int, Load], list[dict]] = defaultdict(list)
        for load in loads:
            for claim in load.of("person", "membership", "group"):
                groups = [claim["group"]] if "group" in claim else claim.get("groups")
                if groups is None:
                    continue
                groups = [group for group in groups if fold(group["name"])]
                for group in groups:
                    self._note(load, group)
                if person := own.get(people.find(claim.get("person", {}), load.course_id)[0]):
                    per_load[person, load].extend(groups)
        for (person, load), groups in per_load.items():
            self.of.say(person, load, ["groups", *sorted({self.find(group) for group in groups}, key=str)])

    def _note(self, load: Load, group: dict) -> None:
        name, moodle_id = fold(group["name"]), group.get("moodle_id")
        self.said.say(moodle_id or name, load, clean(group["name"]))
        if moodle_id:
            self.said.say((moodle_id, name), load, moodle_id)
            self.aliases[name].add(moodle_id)
        else:
            self.names.add(name)

    def find(self, group: dict) -> int | str:
        """The Moodle id of a group, or its folded name where no file ties that to one id.

        Of several ids with the name now, it is the one that last had it: a course has each name once.
        """
        if group.get("moodle_id"):
            return group["moodle_id"]
        name = fold(group["name"])
        ever = self.aliases.get(name, set())
        now = {moodle_id for moodle_id in ever if fold(self.said.get(moodle_id)) == name}
        if now:
            return max(now, key=lambda moodle_id: (self.said.best[moodle_id, name][0], moodle_id))
        return next(iter(ever)) if len(ever) == 1 else name

    def save(self, connection: sqlite3.Connection, course_id: int) -> None:
        """Write Moodle's `groups` and `group_members` of the course; those of spreadsheets are of detail_groups.py."""
        keys = self._save_groups(connection, course_id)
        members = {(keys[group], person): {} for person, word in self.of.best.items() for group in word[2][1:]}
        sync(
            connection, "group_members", ("group_id", "person_id"), members,
            "group_id in (select id from groups where course_id = ? and field is null)"
            " or group_id not in (select id from groups)",
            (course_id,),
        )  # fmt: skip

    def _save_groups(self, connection: sqlite3.Connection, course_id: int) -> dict[int | str, int]:
        """Own keys by Moodle id or folded name."""
        ids = {moodle_id for known in self.aliases.values() for moodle_id in known}
        nameless = {name for name in self.names if self.find({"name": name}) == name}
        with_id = {(course_id, key): {"name": self.said.get(key)} for key in sorted(ids)}
        by_name = {(course_id, self.said.get(name)): {} for name in sorted(nameless)}
        self._give_ids(connection, course_id)
        where = "course_id = ? and field is null and moodle_id is {} null"
        sync(connection, "groups", ("course_id", "moodle_id"), with_id, where.format("not"), (course_id,))
        sync(connection, "groups", ("course_id", "name"), by_name, where.format(""), (course_id,))
        sql = "select id, moodle_id, name from groups where course_id = ? and field is null"
        return {moodle_id or fold(name): key for key, moodle_id, name in connection.execute(sql, (course_id,))}

    def _give_ids(self, connection: sqlite3.Connection, course_id: int) -> None:
        """Rows known by name only keep their own key when a file tells their Moodle id."""
        sql = "select id, moodle_id, name from groups where course_id = ? and field is null"
        rows = connection.execute(sql, (course_id,)).fetchall()
        known = {moodle_id for _, moodle_id, _ in rows}
        for key, moodle_id, name in rows:
            found = self.find({"name": name})
            if moodle_id is None and isinstance(found, int) and found not in known:
                connection.execute("update groups set moodle_id = ? where id = ?", (found, key))
                known.add(found)
