"""The people of a course backup: who they are, their roles, enrolments, groups and last access."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from lxml import etree

from loaders.backup_archive import elements, number, text, whole
from loaders.names import clean
from loaders.times import epoch_utc
from loaders.web_services import DETAILS

STANDING = ("active", "not current", "suspended")  # of several enrolments, the one that opens most


@dataclass
class People:
    """Everything said of people, by Moodle user id, whichever file comes first."""

    made: int | None = None  # when the backup was made, Unix seconds
    users: dict[int, dict] = field(default_factory=dict)
    details: dict[int, dict] = field(default_factory=dict)
    enrolments: dict[int, list[tuple]] = field(default_factory=lambda: defaultdict(list))
    roles: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    role_names: dict[int, str] = field(default_factory=dict)
    groups: dict[int, list[dict]] = field(default_factory=lambda: defaultdict(list))
    all_groups: list[dict] = field(default_factory=list)
    last_access: dict[int, int] = field(default_factory=dict)
    anonymous: bool = False

    def read(self, path: str, stream: BinaryIO) -> None:
        """Take in one file of the archive."""
        depth, take = {
            "users.xml": (1, self._user),
            "groups.xml": (1, self._group),
            "roles.xml": (1, self._role),
            "course/roles.xml": (2, self._assignment),
            "course/enrolments.xml": (2, self._enrol),
            "course/loglastaccess.xml": (1, self._access),
        }.get(path, (0, None))
        if take:
            for element in elements(stream, depth):
                take(element)

    def _user(self, element: etree._Element) -> None:
        key = whole(element.get("id"))
        if element.tag != "user" or not key or text(element, "deleted") == "1":
            return
        self.users[key] = {"moodle_id": key}
        if (text(element, "firstname") or "").startswith("anonfirstname"):
            self.anonymous = True
            return
        for tag in ("email", "username", "idnumber", "firstname", "lastname"):
            if said := clean(text(element, tag)):
                self.users[key][tag] = said
        names = (self.users[key].get(tag) for tag in ("firstname", "lastname"))
        if fullname := " ".join(filter(None, names)):
            self.users[key]["fullname"] = fullname
        details = {name: said for tag, name in DETAILS.items() if (said := clean(text(element, tag)))}
        for custom in element.iterfind("custom_fields/custom_field"):
            name, said = clean(text(custom, "field_name")), clean(text(custom, "field_data"))
            if name and said:
                details[name] = said
        self.details[key] = details

    def _group(self, element: etree._Element) -> None:
        key, name = whole(element.get("id")), clean(text(element, "name"))
        if element.tag == "group" and key and name:
            self.all_groups.append({"name": name, "moodle_id": key})
            for member in element.iterfind("group_members/group_member"):
                if user := number(member, "userid"):
                    self.groups[user].append({"name": name, "moodle_id": key})

    def _role(self, element: etree._Element) -> None:
        if (key := whole(element.get("id"))) and (name := text(element, "shortname")):
            self.role_names[key] = name

    def _assignment(self, element: etree._Element) -> None:
        user, role = number(element, "userid"), number(element, "roleid")
        if element.tag == "assignment" and user and role:
            self.roles[user].add(role)

    def _enrol(self, element: etree._Element) -> None:
        off = number(element, "status") == 1
        for enrolment in element.iterfind("user_enrolments/enrolment"):
            if user := number(enrolment, "userid"):
                start, end = number(enrolment, "timestart") or 0, number(enrolment, "timeend") or 0
                if off or number(enrolment, "status") == 1:
                    status = "suspended"
                else:
                    now = self.made or start
                    status = "not current" if start > now or 0 < end < now else "active"
                self.enrolments[user].append((status, start))

    def _access(self, element: etree._Element) -> None:
        user, at = number(element, "userid"), number(element, "timeaccess")
        if user and at:
            self.last_access[user] = at

    def claims(self) -> Iterator[dict]:
        """A `group` claim each, a `person` claim each."""
        yield from ({"noun": "group", "group": group} for group in self.all_groups)
        for key, person in self.users.items():
            enrolled = key in self.enrolments
            claim = {"noun": "person", "person": person, "in_course": enrolled}
            if enrolled:
                claim |= self._enrolled(key)
            yield claim | ({"details": self.details[key]} if self.details.get(key) else {})

    def _enrolled(self, key: int) -> dict:
        statuses = {status for status, _ in self.enrolments[key]}
        starts = [start for _, start in self.enrolments[key] if start > 0]
        found = {
            "roles": sorted(name for role in self.roles[key] if (name := self.role_names.get(role))),
            "groups": self.groups[key],
            "status": next(status for status in STANDING if status in statuses),
            "enrolled_utc": epoch_utc(min(starts)) if starts else None,
            "last_access_utc": epoch_utc(self.last_access[key]) if key in self.last_access else None,
        }
        return {name: value for name, value in found.items() if value is not None}
