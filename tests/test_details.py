"""The teacher's own spreadsheet: joined to people, in any order of files, and never a guess."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from exports import (
    database,
    load,
    rows,
    viewed_course,
    write,
    write_log,
    write_participants,
)  # fmt: skip
from made_details import course, said, sheet, take, waiting, workbook
from sheet import made
from snapshot import differences, snapshot

from loaders import details
from loaders.cli import cli
from loaders.detail_columns import Asked
from loaders.unload import unload

__all__ = ["course"]


def test_rows_find_people_by_whatever_they_give(tmp_path, course):
    db = database(tmp_path)
    load(db, *course)
    path = sheet(
        tmp_path / "mine.csv",
        ["Student no.", "Mail", "Name", "GPA"],
        ["001012345", "", "", "5.5"],
        ["", "SAM2@x.example", "Sam Lee", "6"],
        ["", "", "& Co, Al", "4"],
    )
    (outcome,) = take(db, path)
    assert said(db) == {("zoe", "GPA"): "5.5", ("sam2", "GPA"): "6", ("al", "GPA"): "4"}
    assert (outcome.kind, outcome.rows_read, outcome.rows_new, outcome.rows_unmatched) == ("details", 3, 3, 0)
    assert outcome.notes == ["people are told apart by “Student no.” and “Mail” and “Name”; taken: GPA"]


def test_what_is_not_sure_waits_with_its_reason(tmp_path, course):
    db = database(tmp_path)
    load(db, *course)
    before = snapshot(db)
    path = sheet(
        tmp_path / "mine.csv",
        ["Student ID", "Email", "Name", "GPA"],
        ["", "", "Sam Lee", "1"],
        ["", "", "Nobody Here", "2"],
        ["001012345", "sam1@x.example", "", "3"],
        ["", "zoe@private.example", "Zoë Müller", "4"],
        ["", "", "", "5"],
        ["", "al@x.example", "", "6"],
        ["", "al@x.example", "", "7"],
        ["", "", "", ""],
    )
    take(db, path)
    assert waiting(db) == [
        (2, "several people have this name, and the row gives no e-mail or id number that is known"),
        (3, "nobody is known yet by what this row says"),
        (4, "the columns of this row are about different people"),
        (5, "somebody of this name is known, by another e-mail or id number: if it is the same person, load the file"
            " with --key and the column of names"),
        (6, "this row does not say whom it is about"),
        (8, "line 7 is about the same person and says otherwise"),
    ]  # fmt: skip
    assert said(db) == {("al", "GPA"): "6"}
    after = snapshot(db)
    changed = {table for table in after if after[table] != before[table]}
    assert changed == {"person_details"}, "it joins, and makes nobody"
    take(db, path, asked=Asked(key="Name"))
    assert said(db) == {("zoe", "Email"): "zoe@private.example", ("zoe", "GPA"): "4"}
    assert rows(db, "select count(*) from loads where kind = 'details'") == [(1,)], "read anew, not twice"


def test_numbers_that_lost_their_zeros_match_where_that_is_unique_and_it_is_said(tmp_path, course):
    db = database(tmp_path)
    path = sheet(tmp_path / "mine.csv", ["StudentNo", "GPA"], ["1012345", "5"], ["1012826.0", "6"], ["12345", "7"])
    take(db, path)
    assert len(waiting(db)) == 3 and said(db) == {}
    load(db, *course)
    assert said(db) == {("zoe", "GPA"): "5", ("sam1", "GPA"): "6"}
    assert waiting(db) == [(4, "nobody is known yet by what this row says")]
    (note,) = rows(db, "select note from loads where kind = 'details'")[0]
    assert note.splitlines()[1:] == ["2 id numbers had lost their leading zeros and were matched without them"]
    write(tmp_path / "more.csv", [["First name", "Last name", "ID number", "Email address", "Groups"],
                                  ["An", "Other", "01012345", "an@x.example", ""]])  # fmt: skip
    load(db, tmp_path / "more.csv", course=2)
    assert said(db) == {("sam1", "GPA"): "6"}, "not unique any more"
    assert waiting(db)[0] == (2, "the columns of this row are about different people")


def test_any_order_of_files_gives_the_same(tmp_path, course):
    older = sheet(tmp_path / "old.csv", ["Email", "GPA", "Campus"], ["zoe@x.example", "5", "A"],
                  ["sam1@x.example", "4", "A"], ["sam2@x.example", "3", "B"], ["al@x.example", "3", "B"])  # fmt: skip
    newer = sheet(tmp_path / "new.csv", ["Name", "Email", "GPA"], ["Zoë Müller", "", "6"],
                  ["Sam Lee", "sam1@x.example", ""], ["Lost Soul", "", "1"], day=2)  # fmt: skip
    found = []
    for place, order in enumerate(itertools.permutations([("load", course[0]), ("load", course[1]),
                                                          ("details", older), ("details", newer)])):  # fmt: skip
        folder = tmp_path / str(place)
        folder.mkdir()
        db = database(folder)
        for how, path in order:
            (take if how == "details" else load)(db, path)
        found.append((snapshot(db), said(db), waiting(db), rows(db, "select name, field from groups order by 1")))
        db.close()
    assert all(differences(found[0][0], other[0]) == {} for other in found)
    assert all(other[1:] == found[0][1:] for other in found)
    assert all(list(dict.fromkeys(field for _, field in other[1])) == ["GPA", "Campus"] for other in found)
    assert found[0][1] == {
        ("zoe", "GPA"): "6", ("sam2", "GPA"): "3", ("al", "GPA"): "3",
        ("zoe", "Campus"): "A", ("sam1", "Campus"): "A", ("sam2", "Campus"): "B", ("al", "Campus"): "B",
    }, "the newer word, an empty cell too"  # fmt: skip


def test_an_empty_cell_takes_nothing_from_moodle_and_unload_brings_back_what_was(tmp_path, course):
    db = database(tmp_path)
    load(db, *course)
    write(
        tmp_path / "phones.csv",
        [
            ["First name", "Last name", "Email address", "Phone", "Groups"],
            ["Zoë", "Müller", "zoe@x.example", "1", ""],
            ["Sam", "Lee", "sam1@x.example", "2", ""],
        ],
    )
    load(db, tmp_path / "phones.csv")
    take(db, sheet(tmp_path / "mine.csv", ["Email", "Phone", "Mode"], ["zoe@x.example", "", "On"],
                   ["sam1@x.example", "0412 000 111", "Off"]))  # fmt: skip
    assert said(db) == {
        ("zoe", "Phone"): "1", ("sam1", "Phone"): "0412 000 111", ("zoe", "Mode"): "On", ("sam1", "Mode"): "Off",
    }  # fmt: skip
    unload(db, rows(db, "select id from loads where kind = 'details'")[0][0])
    assert said(db) == {("zoe", "Phone"): "1", ("sam1", "Phone"): "2"}
    assert rows(db, "select count(*) from unmatched") == [(0,)]


def test_a_spreadsheet_says_nothing_of_courses(tmp_path, course):
    """Its people are no evidence, and a course that only it names does not come to be."""
    db = database(tmp_path)
    take(db, sheet(tmp_path / "mine.csv", ["Email", "Name", "GPA"], ["zoe@x.example", "Zoë Müller", "5"]), course=7)
    assert rows(db, "select count(*) from courses") == [(0,)] and rows(db, "select count(*) from people") == [(0,)]
    assert waiting(db) == [(2, "course 7 is not known yet")]
    load(db, *course)
    assert rows(db, "select moodle_id from courses") == [(2,)]
    assert said(db) == {("zoe", "GPA"): "5"}, "an e-mail address is the same person in any course"
    for (load_id,) in rows(db, "select id from loads where kind != 'details'"):
        unload(db, load_id)
    assert rows(db, "select count(*) from courses") == [(0,)] and rows(db, "select count(*) from people") == [(0,)]
    assert len(waiting(db)) == 1


def test_names_are_looked_for_in_the_course_that_the_file_is_of(tmp_path, course):
    db = database(tmp_path)
    other = write_log(tmp_path / "other.csv", [
        viewed_course(f"31/03/16, 10:00:0{place}", user, course=3) for place, user in enumerate((18, *range(20, 29)))
    ])  # fmt: skip
    load(db, *course, other)
    others = [[f"Person {user}", "6"] for user in range(21, 25)]
    path = sheet(tmp_path / "mine.csv", ["Name", "GPA"], ["Sam Lee", "5"], *others)
    take(db, path)
    sql = "select fullname, moodle_id, value from person_details d join people p on p.id = d.person_id order by 2"
    assert rows(db, sql) == [("Sam Lee", 18, "5"), *((f"Person {user}", user, "6") for user in range(21, 25))]
    take(db, path, course=2)
    assert [line for line, _ in waiting(db)] == [2, 3, 4, 5, 6]


def test_the_command_tells_what_matched_and_what_did_not(tmp_path, course, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sheet(Path("mine.csv"), ["Name", "GPA"], ["Zoë Müller", "5"], ["<b>Bo</b>\x1b[31m", "4"])

    def run(*words: str):
        return CliRunner().invoke(cli, [str(word) for word in words])

    assert run("load", "--timezone", "UTC", *course).exit_code == 0
    told = run("load", "mine.csv")
    assert (
        told.exit_code == 1 and "if it is your own list of students, `coursette details FILE` takes it" in told.output
    )
    checked = run("details", "mine.csv", "--check")
    assert "Nothing was written (--check)." in checked.output
    taken = run("details", "mine.csv")
    assert taken.exit_code == 0
    assert "mine.csv: details: 2 rows read, 2 new, 0 already there, 1 not matched" in taken.output
    assert "  line 3 (<b>Bo</b>\\x1b[31m): nobody is known yet by what this row says" in taken.output
    again = run("details", "mine.csv")
    assert "this very file is here already" in again.output
    assert "1 × details: row in mine.csv: nobody is known yet by what this row says" in run("status").output
    assert run("details").exit_code == 2


def test_a_spreadsheet_that_was_changed_back_is_in_force_again(tmp_path, course):
    db = database(tmp_path)
    load(db, *course)
    path = tmp_path / "mine.csv"
    for day, gpa in enumerate(("5.5", "1.0", "5.5")):
        path.write_text(f"Email,GPA\nzoe@x.example,{gpa}\n", encoding="utf-8")
        os.utime(path, (1_500_000_000 + day, 1_500_000_000 + day))
        (outcome,) = take(db, path)
        assert said(db) == {("zoe", "GPA"): gpa}
    assert "counts as new again" in outcome.notes[-1]
    os.utime(path, (1_400_000_000, 1_400_000_000))  # an older copy says nothing new
    assert "counts as new again" not in take(db, path)[0].notes[-1]


def test_a_participants_file_is_not_taken_back_when_it_is_read_as_details(tmp_path, course):
    db = database(tmp_path)
    load(db, *course)
    people = write_participants(tmp_path / "people.csv", [("Zoë", "Müller", "zoe@x.example", "Online")])
    load(db, people)
    take(db, people)
    assert said(db) == {("zoe", "Groups"): "Online"}
    kinds = [kind for (kind,) in rows(db, "select kind from loads order by id")]
    assert kinds == ["course log", "people", "participants", "details"]


def test_a_spreadsheet_without_rows_says_so(tmp_path, course):
    db = database(tmp_path)
    (tmp_path / "none.csv").write_text("")
    (tmp_path / "header.csv").write_text("Email,GPA\n")
    files = [workbook(tmp_path / "none.xlsx"), tmp_path / "none.csv", tmp_path / "header.csv"]
    assert [one.error for one in load(db, *files, details=Asked())] == [details.EMPTY] * 3
    assert "download it again" in load(db, files[0])[0].error


HEADINGS = "every column needs a heading in the first line, with no title above it"


@pytest.mark.parametrize(
    "lines, sentence",
    [
        ("Class list\nEmail,GPA\n", f"line 2: this line has 2 columns where the header has 1: {HEADINGS}"),
        (
            'Email,GPA\n"a@x.example,5\n',
            "line 2: this file was cut short, its last line is not whole: save it again as .xlsx or .csv",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_remedy(tmp_path, lines, sentence):
    (tmp_path / "mine.csv").write_text(lines, encoding="utf-8")
    (outcome,) = load(database(tmp_path), tmp_path / "mine.csv", details=Asked())
    assert outcome.error == sentence


def test_claims_are_json(course):
    found = made(["Email", "GPA"], ["a@x.example", "5"], ["", ""])
    claims = list(details.read(found, Asked(), {}).claims)
    assert json.loads(json.dumps(claims)) == claims
    assert claims == [
        {"noun": "fields", "fields": ["GPA"]},
        {"noun": "row", "line": 2, "about": {"email": "a@x.example"}, "details": {"GPA": "5"}},
    ]
