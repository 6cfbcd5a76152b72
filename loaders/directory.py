"""Our own keys for Moodle's ids: looked up once, made when new."""

from __future__ import annotations

import sqlite3

from loaders.forgotten import Forgotten


class Directory:
    """Own keys of people, activities, parts and event types of one course, made on first sight.

    A log line's ids are certain, so their rows may be made at once; names come later, from claims.
    """

    def __init__(self, connection: sqlite3.Connection, site_id: int, course_id: int):
        self.connection, self.site_id, self.course_id = connection, site_id, course_id
        self.forgotten = Forgotten(connection, site_id)  # nobody of these is made again
        (self.course,) = connection.execute("select moodle_id from courses where id = ?", (course_id,)).fetchone()
        self.people = dict(
            connection.execute(
                "select moodle_id, id from people where site_id = ? and moodle_id is not null", (site_id,)
            )
        )
        self.activities = dict(
            connection.execute("select cmid, id from activities where course_id = ? and cmid is not null", (course_id,))
        )
        self.parts = {
            (activity, kind, moodle_id): key
            for key, activity, kind, moodle_id in connection.execute(
                "select parts.id, activity_id, parts.kind, parts.moodle_id from parts"
                " join activities on activities.id = parts.activity_id where activities.course_id = ?",
                (course_id,),
            )
        }
        self.event_types = {
            (component, name, eventclass): key
            for key, component, name, eventclass in connection.execute(
                "select id, component, name, eventclass from event_types"
            )
        }

    def is_forgotten(self, moodle_id: int | None) -> bool:
        """Whether this person was deleted on request, or has opted out."""
        return self.forgotten.has_id(moodle_id, self.course)

    def person(self, moodle_id: int | None) -> int | None:
        """Own key of the person with this Moodle user id."""
        if moodle_id is None:
            return None
        if moodle_id not in self.people:
            self.people[moodle_id] = self._insert(
                "insert into people (site_id, moodle_id) values (?, ?)", (self.site_id, moodle_id)
            )
        return self.people[moodle_id]

    def activity(self, cmid: int | None, kind: str | None = None) -> int | None:
        """Own key of the activity with this course module id."""
        if cmid is None:
            return None
        if cmid not in self.activities:
            self.activities[cmid] = self._insert(
                "insert into activities (course_id, cmid, kind) values (?, ?, ?)", (self.course_id, cmid, kind)
            )
        return self.activities[cmid]

    def part(self, cmid: int, kind: str, moodle_id: int) -> int:
        """Own key of a chapter, discussion or page of an activity."""
        key = (self.activity(cmid), kind, moodle_id)
        if key not in self.parts:
            self.parts[key] = self._insert("insert into parts (activity_id, kind, moodle_id) values (?, ?, ?)", key)
        return self.parts[key]

    def event_type(self, component, name, eventclass, crud, edulevel) -> int:
        """Own key of an event type."""
        key = (component, name, eventclass)
        if key not in self.event_types:
            self.event_types[key] = self._insert(
                "insert into event_types (component, name, eventclass, crud, edulevel) values (?, ?, ?, ?, ?)",
                (*key, crud, edulevel),
            )
        return self.event_types[key]

    def _insert(self, sql: str, values: tuple) -> int:
        return self.connection.execute(sql, values).lastrowid
