"""Which course a file is of, when it does not say: the one that holds its people, or its activities."""

from __future__ import annotations

import sqlite3
from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

from loaders.claims import Load, Newest
from loaders.names import fold

SHARE, LEAD = 0.8, 2  # over 80 % of the file's people, and twice the runner-up


def person_keys(ref: dict) -> set[tuple]:
    """Everything a person can be known by, folded for comparison."""
    keys = {("id", ref["moodle_id"])} if ref.get("moodle_id") else set()
    if ref.get("email"):
        keys.add(("email", ref["email"].casefold()))
    if ref.get("idnumber"):
        keys.add(("idnumber", ref["idnumber"]))
    if ref.get("username"):
        keys.add(("username", ref["username"].casefold()))
    return keys | {("name", name) for name in folded_names(ref)}


def folded_names(ref: dict) -> set[str]:
    """The person's full name as it may be written: as one, or made of first and last."""
    names = {fold(ref.get("fullname")), fold(f"{ref.get('firstname', '')} {ref.get('lastname', '')}")}
    return names - {""}


def members(load: Load) -> list[set[tuple]]:
    """One set of keys for every person in a file."""
    return [person_keys(claim["person"]) for claim in load.claims if claim.get("person")]


def things(load: Load) -> set[tuple]:
    """What a file names by ids that only one course has: course modules and forum discussions."""
    said = {("cm", claim["cmid"]) for claim in load.of("activity", "part") if claim.get("cmid")}
    for claim in load.of("columns"):
        said.update(("cm", item["cmid"]) for item in claim["activities"] if item.get("cmid"))
    said.update(("discussion", claim["moodle_id"]) for claim in load.of("part") if claim["kind"] == "discussion")
    said.update(("discussion", claim["discussion"]) for claim in load.of("post") if claim.get("discussion"))
    return said


def best(counts: Counter, total: int) -> int | None:
    """The one course with over 80 % of `total` and twice the runner-up."""
    ranked = counts.most_common(2)
    if not ranked or ranked[0][1] <= SHARE * total:
        return None
    if len(ranked) > 1 and ranked[0][1] < LEAD * ranked[1][1]:
        return None
    return ranked[0][0]


class Evidence:
    """What is known of the courses of one site, to place files that do not say."""

    def __init__(self, loads: list[Load]):
        self.people: dict[int, set[tuple]] = {}
        self.things: dict[int, set[tuple]] = {}
        for load in loads:
            if load.course_id:
                people = self.people.setdefault(load.course_id, set())
                people.update(*members(load))
                self.things.setdefault(load.course_id, set()).update(things(load))

    def place(self, people: list[set[tuple]], named: set[tuple]) -> int | None:
        """The course (own key) of a file with these people and things, or None."""
        known = [{course for course, there in self.things.items() if thing in there} for thing in named]
        found = Counter(course for courses in known for course in courses)
        if by_thing := best(found, sum(bool(courses) for courses in known)):
            return by_thing
        held = Counter(course for keys in people for course, there in self.people.items() if keys & there)
        return best(held, len(people)) if people else None


def place_loads(connection: sqlite3.Connection, loads: list[Load]) -> list[Load]:
    """Give every load its course where it can be known; returns those left without.

    In rounds, each looking at all files with what the round before knew: so the order of loading is nothing.
    """
    for load in loads:
        if load.course_moodle_id is None and not _has_events(connection, load):
            load.course_id = None
    while True:
        homeless = [load for load in loads if load.course_id is None]
        placed = {}
        for site in {load.site_id for load in homeless}:
            evidence = Evidence([load for load in loads if load.site_id == site])
            for load in (one for one in homeless if one.site_id == site):
                placed[load.id] = evidence.place(members(load), things(load))
        for load in homeless:
            load.course_id = placed[load.id]
        if not any(placed.values()):
            break
    connection.executemany(
        "update loads set course_id = ? where id = ? and course_id is not ?",
        [(load.course_id, load.id, load.course_id) for load in loads],
    )
    return homeless


def _has_events(connection: sqlite3.Connection, load: Load) -> bool:
    sql = "select 1 from load_events where load_id = ? limit 1"
    return connection.execute(sql, (load.id,)).fetchone() is not None


def name_courses(connection: sqlite3.Connection, loads: list[Load]) -> None:
    """Names and start dates of the courses; the newest word wins."""
    said = Newest()
    for load in loads:
        for claim in load.of("course"):
            for column in ("shortname", "fullname", "start_utc"):
                moodle_id = claim.get("moodle_id")
                key = (load.site_id, moodle_id, column) if moodle_id else (load.course_id, column)
                said.say(key, load, claim.get(column))
    for key, site, moodle_id, zone in connection.execute(
        "select id, site_id, moodle_id, timezone from courses"
    ).fetchall():
        start, shortname, fullname = (
            said.get((site, moodle_id, column)) or said.get((key, column))
            for column in ("start_utc", "shortname", "fullname")
        )
        start_date = start and f"{datetime.fromisoformat(start).astimezone(ZoneInfo(zone)):%Y-%m-%d}"
        connection.execute(
            "update courses set shortname = ?, fullname = ?, start_date = ? where id = ?",
            (shortname, fullname, start_date, key),
        )


def tidy_courses(connection: sqlite3.Connection) -> None:
    """Forget courses that nothing speaks of any more."""
    connection.execute(
        "delete from courses where id not in (select course_id from loads where course_id is not null)"
        " and id not in (select course_id from events)"
    )
