"""Groups keep their place when they are renamed; the newest list of a person's groups is the one that counts."""

from __future__ import annotations

import itertools
import json
import os

import pytest
from exports import database, load, rows, write, write_participants
from snapshot import differences, snapshot
from test_matching import CLASS

from loaders.claims import Load
from loaders.enrolments import Roster

MEMBERS = (
    "select p.email, g.moodle_id, g.name from group_members m join groups g on g.id = m.group_id"
    " join people p on p.id = m.person_id order by 1, 2"
)


@pytest.fixture
def db(tmp_path):
    connection = database(tmp_path)
    yield connection
    connection.close()


def answer(path, seen: int, groups: dict[int, list[tuple[int, str]]]):
    """An enrolled-users answer, as new as `seen`."""
    emails = {5: "zoe@x.org", 18: "sam1@x.org", 19: "sam2@x.org"}
    people = [
        {"id": user, "fullname": f"Person {user}", "email": emails[user], "roles": [], "lastcourseaccess": seen,
         "groups": [{"id": key, "name": name} for key, name in its]}
        for user, its in groups.items()
    ]  # fmt: skip
    path.write_text(json.dumps(people))
    os.utime(path, (1_500_000_000, 1_500_000_000))
    return path


def test_a_renamed_group_stays_one(db, tmp_path):
    load(db, answer(tmp_path / "old.json", 1_456_000_000, {5: [(9, "Tutorial A")], 18: [(9, "Tutorial A")]}), course=2)
    (key,) = rows(db, "select id from groups")
    load(db, answer(tmp_path / "new.json", 1_457_000_000, {5: [(9, "Tutorial B")]}), course=2)
    assert rows(db, "select id, moodle_id, name from groups") == [(*key, 9, "Tutorial B")]
    assert rows(db, MEMBERS) == [("sam1@x.org", 9, "Tutorial B"), ("zoe@x.org", 9, "Tutorial B")]


def test_a_group_known_by_name_only_joins_the_id_that_ever_had_it(db, tmp_path):
    roster = write_participants(
        tmp_path / "people.csv", [(*CLASS[1][:3], "Tutorial A"), (*CLASS[2][:3], "Night class")]
    )
    load(db, roster, course=2)
    before = dict(rows(db, "select name, id from groups"))
    load(db, answer(tmp_path / "old.json", 1_456_000_000, {5: [(9, "Tutorial A")]}), course=2)
    load(db, answer(tmp_path / "new.json", 1_457_000_000, {5: [(9, "Tutorial B")]}), course=2)
    assert rows(db, "select id, moodle_id, name from groups order by name") == [
        (before["Night class"], None, "Night class"), (before["Tutorial A"], 9, "Tutorial B"),
    ]  # fmt: skip
    assert ("sam1@x.org", 9, "Tutorial B") in rows(db, MEMBERS)


def test_a_name_that_went_to_a_new_group_means_the_new_one(db, tmp_path):
    load(db, answer(tmp_path / "old.json", 1_456_000_000, {5: [(9, "Tutorial A")]}), course=2)
    load(db, answer(tmp_path / "new.json", 1_457_000_000, {5: [(9, "Tutorial B")], 19: [(12, "Tutorial A")]}), course=2)
    load(db, write_participants(tmp_path / "people.csv", [(*CLASS[1][:3], "Tutorial A")]), course=2)
    assert ("sam1@x.org", 12, "Tutorial A") in rows(db, MEMBERS)
    assert rows(db, "select count(*) from groups") == [(2,)]


def test_groups_come_out_the_same_in_any_order(tmp_path):
    files = [
        answer(tmp_path / "old.json", 1_456_000_000, {5: [(9, "Tutorial A")], 18: [(7, "Tutorial B")], 19: []}),
        answer(tmp_path / "new.json", 1_457_000_000, {5: [(9, "Tutorial B"), (7, "Tutorial A")], 18: []}),
        write_participants(tmp_path / "people.csv", [(*one[:3], "Tutorial A, Night class") for one in CLASS]),
        write(tmp_path / "overview.csv", [["Grouping", "Group", "First name", "Last name", "Email address"],
                                          ["All", "Tutorial B", "Sam", "Lee", "sam2@x.org"],
                                          ["All", "Empty", "", "", ""]], encoding="utf-8"),
    ]  # fmt: skip
    found = []
    for number, order in enumerate(itertools.permutations(files)):
        (tmp_path / str(number)).mkdir()
        db = database(tmp_path / str(number))
        assert not [outcome.error for outcome in load(db, *order, course=2) if outcome.error]
        found.append(snapshot(db))
        db.close()
    assert all(differences(found[0], other) == {} for other in found[1:])
    assert [row[1:] for row in found[0]["groups"]] == [
        (7, "Tutorial A"), (9, "Tutorial B"), (None, "Empty"), (None, "Night class"),
    ]  # fmt: skip


def test_a_newer_empty_list_of_groups_clears_the_older(db, tmp_path):
    load(db, answer(tmp_path / "old.json", 1_456_000_000, {5: [(9, "Tutorial A")], 18: [(9, "Tutorial A")]}), course=2)
    load(db, answer(tmp_path / "new.json", 1_457_000_000, {5: [], 18: [(9, "Tutorial A")]}), course=2)
    assert rows(db, MEMBERS) == [("sam1@x.org", 9, "Tutorial A")]


def test_rows_that_an_older_version_made_twice_become_one(db, tmp_path):
    load(db, answer(tmp_path / "old.json", 1_456_000_000, {5: [(9, "Tutorial A")]}), course=2)
    db.execute("insert into groups (course_id, moodle_id, name) select course_id, 9, 'Tutorial B' from groups")
    db.execute(
        "insert into group_members (group_id, person_id) select max(groups.id), max(people.id) from groups, people"
    )
    load(db, answer(tmp_path / "new.json", 1_457_000_000, {5: [(9, "Tutorial B")]}), course=2)
    assert rows(db, "select moodle_id, name from groups") == [(9, "Tutorial B")]
    assert rows(db, "select count(*) from group_members") == [(1,)]


def test_a_groups_name_of_nothing_is_no_group(db, tmp_path):
    load(db, answer(tmp_path / "odd.json", 1_456_000_000, {5: [(9, " "), (10, "Night class")]}), course=2)
    assert rows(db, "select moodle_id, name from groups") == [(10, "Night class")]


class Counted(dict):
    """A person's words in the log, counting how often all of them are walked through."""

    walks = 0

    def items(self):
        Counted.walks += 1
        return super().items()


class EveryId:
    """People who are all known by Moodle id."""

    def find(self, ref, course_id):
        return ("id", ref["moodle_id"]), None


def test_roles_of_a_person_are_looked_up_and_not_searched_for():
    said = {"noun": "log role", "what": "role", "role": "student", "time_utc": "2016-02-13T09:00:00Z", "given": True}
    log = Load(1, "course log", 1, 2, 1, ("2016-03-01T00:00:00Z", "", 0), "", [
        said | {"moodle_id": user} for user in range(1, 301)
    ])  # fmt: skip
    roster = Roster([log], EveryId(), {("id", user): user for user in range(1, 301)}, set())
    roster.log = Counted(roster.log)
    found = roster.rows(1, {})
    assert len(found) == 300
    assert {row["role"] for row in found.values()} == {"student"}
    assert Counted.walks == 0
