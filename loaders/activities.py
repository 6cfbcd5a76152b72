"""The sections, activities and parts of a course, and which of them a name means."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter, defaultdict

from loaders.claims import Load, Newest, sync
from loaders.names import clean, fold

FACTS = ("kind", "name", "instance_id", "section", "position", "tracked", "due_utc", "deleted")
WEEK = re.compile(r"\b(?:week|woche|semaine|semana|settimana|setmana|uge|vecka|uke|viikko)\s*(\d{1,2})\b", re.I)


class Activities:
    """Every activity of one course: by cmid where a file tells it, else by a name that no other has."""

    def __init__(self, loads: list[Load]):
        self.said, self.cmids = Newest(), set()
        self.aliases: dict[str, set[int]] = defaultdict(set)  # folded name -> cmids that ever had it
        self.kinds: dict[int, set[str]] = defaultdict(set)
        self.ghosts: set[str] = set()
        self.due_utc: dict[int | str, str] = {}  # by the teacher's calendar, which knows better than Moodle
        for load in loads:
            for claim in load.of("activity"):
                self._note(load, claim)
            for claim in load.of("columns"):
                for item in claim["activities"]:
                    self._note(load, item | {"tracked": 1})
        for load in loads:
            for claim in load.of("columns"):
                self._note_nameless(load, claim["activities"])

    def _note(self, load: Load, item: dict) -> None:
        if not (cmid := item.get("cmid")):
            return
        self.cmids.add(cmid)
        for fact in FACTS:
            value = item.get(fact)
            self.said.say((cmid, fact), load, clean(value) if fact == "name" else value)
        if item.get("name"):
            self.aliases[fold(item["name"])].add(cmid)
        if item.get("kind"):
            self.kinds[cmid].add(item["kind"])

    def _note_nameless(self, load: Load, items: list[dict]) -> None:
        """Columns of a completion file without ids: tracked, and an activity even where no id is known yet."""
        counts = Counter(fold(item["name"]) for item in items if not item.get("cmid"))
        for item in items:
            name = fold(item.get("name"))
            if item.get("cmid") or counts[name] != 1:
                continue
            found = self.find(item)[0]
            if found is None and not self.aliases.get(name):
                self.ghosts.add(name)
                found = name
            if found is not None:
                for fact in ("name", "due_utc"):
                    if isinstance(found, str) or fact != "name":
                        self.said.say((found, fact), load, clean(item.get(fact)))
                self.said.say((found, "tracked"), load, 1)

    def find(self, item: dict) -> tuple[int | str | None, str | None]:
        """The cmid (or the folded name of an activity without one), or None and why not."""
        if item.get("cmid"):
            return item["cmid"], None
        name = fold(item.get("name"))
        named = self.aliases.get(name, set())
        named = {cmid for cmid in named if fold(self.said.get((cmid, "name"))) == name} or named
        kind = item.get("kind")
        exact = {cmid for cmid in named if kind in self.kinds[cmid]} if kind else set()
        candidates = exact or named
        if len(candidates) == 1:
            return next(iter(candidates)), None
        if candidates:
            return None, f"several activities are called “{clean(item.get('name'))}”"
        if name in self.ghosts:
            return name, None
        return None, f"no activity called “{clean(item.get('name'))}” is known in the course yet"

    def save(self, connection: sqlite3.Connection, course_id: int, sections: dict[int, int]) -> dict:
        """Write `activities`; returns own keys by cmid or folded name."""
        columns = ("kind", "name", "instance_id", "section_id", "position", "tracked", "due_utc", "deleted")
        rows, nameless = {}, {}
        for key in [*sorted(self.cmids), *sorted(self.ghosts)]:
            facts = {fact: self.said.get((key, fact)) for fact in FACTS}
            facts["section_id"] = sections.get(facts.pop("section"))
            facts["due_utc"] = self.due_utc.get(key, facts["due_utc"])
            facts["deleted"] = int(bool(facts["deleted"]))
            row = {column: facts[column] for column in columns}
            if isinstance(key, int):
                rows[course_id, key] = row
            else:
                nameless[course_id, facts["name"]] = {c: row[c] for c in columns if c != "name"}
        where, values = "course_id = ? and cmid is not null", (course_id,)
        sync(connection, "activities", ("course_id", "cmid"), rows, where, values)
        sync(connection, "activities", ("course_id", "name"), nameless, "course_id = ? and cmid is null", values)
        return {
            cmid if cmid is not None else fold(name): key
            for key, cmid, name in connection.execute(
                "select id, cmid, name from activities where course_id = ?", (course_id,)
            )
        }


def save_sections(connection: sqlite3.Connection, course_id: int, loads: list[Load]) -> dict[int, int]:
    """Write `sections`; returns own keys by Moodle id."""
    said, ids, parents = Newest(), set(), {}
    for load in loads:
        for claim in load.of("section"):
            ids.add(claim["moodle_id"])
            said.say((claim["moodle_id"], "name"), load, clean(claim.get("name")))
            said.say((claim["moodle_id"], "number"), load, claim.get("number"))
            if claim.get("parent"):
                parents[claim["moodle_id"]] = claim["parent"]
    facts = {key: (said.get((key, "number")), said.get((key, "name"))) for key in ids}
    weeks = section_weeks(facts, parents)
    rows = {
        (course_id, key): {"number": number, "name": name, "week": weeks.get(key)}
        for key, (number, name) in sorted(facts.items())
    }
    sync(connection, "sections", ("course_id", "moodle_id"), rows, "course_id = ?", (course_id,))
    return dict(connection.execute("select moodle_id, id from sections where course_id = ?", (course_id,)))


def section_weeks(sections: dict[int, tuple[int | None, str | None]], parents: dict[int, int]) -> dict[int, int]:
    """Teaching week of each section: from "Week 3: ..."; where numbers agree with names, from the number."""
    named = {key: int(found[1]) for key, (_, name) in sections.items() if (found := WEEK.search(name or ""))}
    weeks = dict(named)
    last = max((sections[key][0] or 0 for key in named), default=0)
    if named and all(sections[key][0] == week for key, week in named.items()):
        for key, (number, _) in sections.items():
            if number and number <= last and key not in parents:
                weeks.setdefault(key, number)
    return weeks | {key: weeks[parent] for key, parent in parents.items() if parent in weeks}


def save_parts(connection: sqlite3.Connection, course_id: int, loads: list[Load], keys: dict) -> dict:
    """Write `parts`; returns own keys by (kind, Moodle id)."""
    instances = {
        (kind, instance): key
        for key, kind, instance in connection.execute(
            "select id, kind, instance_id from activities where course_id = ? and instance_id is not null",
            (course_id,),
        )
    }
    names, positions, homes, openers = Newest(), Newest(), {}, Newest()
    for load in loads:
        for claim in load.of("part"):
            home = keys.get(claim.get("cmid")) or instances.get((claim.get("module"), claim.get("instance")))
            if home:
                homes[home, claim["kind"], claim["moodle_id"]] = None
                names.say((claim["kind"], claim["moodle_id"]), load, clean(claim.get("name")))
                positions.say((claim["kind"], claim["moodle_id"]), load, claim.get("position"))
        for claim in load.of("post"):
            if not claim.get("parent_id"):
                openers.say(claim.get("discussion"), load, clean(claim.get("title")))
    rows = {
        key: {
            "name": names.get(key[1:]) or (openers.get(key[2]) if key[1] == "discussion" else None),
            "position": positions.get(key[1:]),
        }
        for key in homes
    }
    sync(
        connection, "parts", ("activity_id", "kind", "moodle_id"), rows,
        "activity_id in (select id from activities where course_id = ?)", (course_id,),
    )  # fmt: skip
    return {
        (kind, moodle_id): key
        for key, kind, moodle_id in connection.execute(
            "select parts.id, parts.kind, parts.moodle_id from parts"
            " join activities on activities.id = parts.activity_id where course_id = ?",
            (course_id,),
        )
    }
