"""What students did and got: completions, grades and forum posts, tied to people and activities."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field

from loaders.activities import Activities
from loaders.claims import Load, Newest, sync
from loaders.people import Key, People


@dataclass
class Course:
    """A course while it is settled: its loads, and the keys of everything in it."""

    id: int
    loads: list[Load]
    people: People
    own: dict[Key, int]
    activities: Activities
    activity_keys: dict
    parts: dict
    unmatched: list[tuple]
    people_names: dict[int, str] = field(default_factory=dict)  # Moodle id -> name
    instances: dict[tuple[str, int], int] = field(default_factory=dict)  # kind and instance -> own key

    def person(self, load: Load, claim: dict) -> int | None:
        """Own key of the claim's person; else the claim goes to `unmatched` with the reason."""
        root, why = self.people.find(claim["person"], self.id)
        if root is None:
            self.hold(load, claim, why)
        return self.own.get(root)

    def activity(self, item: dict | None) -> tuple[int | None, str | None]:
        """(own key, None) or (None, why not)."""
        if not item:
            return None, None
        key, why = self.activities.find(item)
        return self.activity_keys.get(key), why

    def hold(self, load: Load, claim: dict, why: str) -> None:
        """This claim found no home."""
        self.unmatched.append((load, claim, why))


def save_people_claims(course: Course) -> None:
    """Rows of people who could not be told apart go to `unmatched`; nothing else to write."""
    for load in course.loads:
        for claim in load.of("person", "membership"):
            if load.kind != "course log":
                course.person(load, claim)


def save_completions(connection: sqlite3.Connection, course: Course) -> None:
    """Write `completions`: for each person and activity, what the newest file says."""
    said = Newest()
    for load in course.loads:
        columns: list[int | None] = []
        for claim in load.of("columns", "completion"):
            if claim["noun"] == "columns":
                columns = list(_columns(course, load, claim))
            elif person := course.person(load, claim):
                for activity, cell in _states(course, claim, columns):
                    if activity and cell:
                        said.say((person, activity), load, cell)
    rows = {
        key: dict(zip(("state", "completed_utc", "set_by"), word[2], strict=True)) for key, word in said.best.items()
    }
    _sync_in_course(connection, "completions", ("person_id", "activity_id"), rows, "activities", course.id)


def _states(course: Course, claim: dict, columns: list[int | None]) -> Iterator[tuple[int | None, list | None]]:
    """(own key of the activity, [state, when, set by]) by the file's columns, or by the activities' own ids."""
    if "states" not in claim:
        yield from zip(columns, claim["cells"], strict=True)
        return
    for cmid, (state, when, *by) in claim["states"].items():
        name = course.people_names.get(by[0]) if by else None
        yield course.activity_keys.get(int(cmid)), [state, when, name]


def _columns(course: Course, load: Load, claim: dict) -> Iterator[int | None]:
    for item in claim["activities"]:
        key, why = course.activity(item)
        if key is None:
            course.hold(load, {"noun": "column", **item}, why or "the activity is not known")
        yield key


def save_grades(connection: sqlite3.Connection, course: Course) -> None:
    """Write `grade_items` and `grades`: what the newest file with that column says; no row where it says none."""
    items, said = Newest(), Newest()
    for load in course.loads:
        columns = []
        for claim in load.of("grade_items", "grade"):
            if claim["noun"] == "grade_items":
                columns = [(item["name"], item["display"]) for item in claim["items"]]
                for item, key in zip(claim["items"], columns, strict=True):
                    items.say((*key, "maximum"), load, item.get("maximum"))
                    items.say((*key, "activity"), load, item.get("activity"))
                    items.say((*key, ""), load, True)
            elif person := course.person(load, claim):
                for column, cell in zip(columns, claim["cells"], strict=True):
                    said.say((*column, person), load, [cell is not None, cell])  # of equally new ones, a grade
    rows = {
        (course.id, *key): {
            "activity_id": course.activity(items.get((*key, "activity")))[0],
            "maximum": items.get((*key, "maximum")),
        }
        for *key, fact in items.best
        if not fact
    }
    sync(connection, "grade_items", ("course_id", "name", "display"), rows, "course_id = ?", (course.id,))
    keys = {
        (name, display): key
        for key, name, display in connection.execute(
            "select id, name, display from grade_items where course_id = ?", (course.id,)
        )
    }
    grades = {
        (keys[name, display], person): {"grade": _number(cell)}
        for (name, display, person), (*_, (graded, cell)) in said.best.items()
        if graded
    }
    _sync_in_course(connection, "grades", ("grade_item_id", "person_id"), grades, "grade_items", course.id)


def _number(text: str) -> float | int | str:
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number


def save_posts(connection: sqlite3.Connection, course: Course) -> None:
    """Write `forum_posts` and their links."""
    said = Newest()
    for load in course.loads:
        for claim in load.of("post"):
            course.person(load, claim)  # or it is held
            said.say(claim["moodle_id"], load, {key: value for key, value in claim.items() if key != "line"})
    posts = {moodle_id: word[2] for moodle_id, word in said.best.items()}
    rows = {(course.id, moodle_id): _post_row(course, post) for moodle_id, post in posts.items()}
    sync(connection, "forum_posts", ("course_id", "moodle_id"), rows, "course_id = ?", (course.id,))
    keys = dict(
        connection.execute("select moodle_id, id from forum_posts where course_id = ?", (course.id,)).fetchall()
    )
    connection.execute(
        "delete from post_links where forum_post_id is not null and forum_post_id not in (select id from forum_posts)"
        " or forum_post_id in (select id from forum_posts where course_id = ?)",
        (course.id,),
    )
    connection.executemany(
        "insert into post_links (forum_post_id, url) values (?, ?)",
        [(keys[moodle_id], url) for moodle_id in sorted(posts) for url in posts[moodle_id].get("links", [])],
    )


def _post_row(course: Course, post: dict) -> dict:
    columns = ("parent_id", "title", "text", "word_count", "link_count", "published_utc")
    return {column: post.get(column) for column in columns} | {
        "person_id": course.own.get(course.people.find(post["person"], course.id)[0]),
        "part_id": course.parts.get(("discussion", post.get("discussion"))),
    }


def _sync_in_course(connection, table: str, keys: tuple[str, ...], rows: dict, parent: str, course_id: int) -> None:
    column = next(key for key in keys if key.startswith(parent[:-3]))
    where = f"{column} in (select id from {parent} where course_id = ?) or {column} not in (select id from {parent})"
    sync(connection, table, keys, rows, where, (course_id,))
