"""The newest word counts, also when it takes an older one back."""

from __future__ import annotations

import itertools

import pytest
from exports import database, load, rows, write
from snapshot import differences, snapshot

OLD, NEW = "1456000000", "1457000000"
HEADER = ["First name", "Last name", "ID number", "Email address"]
GRADES = "select i.name, g.grade from grades g join grade_items i on i.id = g.grade_item_id order by 1"


@pytest.fixture
def db(tmp_path):
    connection = database(tmp_path)
    yield connection
    connection.close()


def grades(path, when: str, cells: dict[str, str], idnumber: str = "007"):
    header = [*HEADER, *(f"{name} (Real)" for name in cells), "Last downloaded from this course"]
    row = ["Zoë", "Müller", idnumber, "zoe@x.org", *cells.values(), when]
    return write(path, [header, row], encoding="utf-8")


def test_a_grade_that_was_taken_back_goes(db, tmp_path):
    load(db, grades(tmp_path / "old.csv", OLD, {"Quiz: One": "10.00", "Quiz: Two": "5"}), course=2)
    assert rows(db, GRADES) == [("One", 10), ("Two", 5)]
    load(db, grades(tmp_path / "new.csv", NEW, {"Quiz: One": "-", "Quiz: Two": "6"}), course=2)
    assert rows(db, GRADES) == [("Two", 6)]
    assert rows(db, "select name from grade_items order by 1") == [("One",), ("Two",)]


def test_a_file_without_the_column_says_nothing_of_it(db, tmp_path):
    load(db, grades(tmp_path / "old.csv", OLD, {"Quiz: One": "10.00", "Quiz: Two": "5"}), course=2)
    load(db, grades(tmp_path / "new.csv", NEW, {"Quiz: Two": "-"}), course=2)
    assert rows(db, GRADES) == [("One", 10)]


def test_grades_taken_back_and_given_again_are_the_same_in_any_order(tmp_path):
    files = [
        grades(tmp_path / "1.csv", OLD, {"Quiz: One": "10", "Quiz: Two": "-"}),
        grades(tmp_path / "2.csv", NEW, {"Quiz: One": "-", "Quiz: Two": "3"}),
        grades(tmp_path / "3.csv", NEW, {"Quiz: One": "4", "Quiz: Two": "-"}),
    ]
    found = []
    for number, order in enumerate(itertools.permutations(files)):
        (tmp_path / str(number)).mkdir()
        db = database(tmp_path / str(number))
        load(db, *order, course=2)
        found.append(snapshot(db))
        db.close()
    assert all(differences(found[0], other) == {} for other in found[1:])
    assert [row[3] for row in found[0]["grades"]] == [4, 3]


def test_an_empty_id_number_is_no_word(db, tmp_path):
    load(db, grades(tmp_path / "old.csv", OLD, {"Quiz: One": "10"}), course=2)
    load(db, grades(tmp_path / "new.csv", NEW, {"Quiz: One": "10"}, idnumber=""), course=2)
    assert rows(db, "select idnumber, email from people") == [("007", "zoe@x.org")]


def test_a_person_keeps_their_row_when_their_moodle_id_becomes_known(db, tmp_path):
    load(db, grades(tmp_path / "grades.csv", OLD, {"Quiz: One": "10"}), course=2)
    (before,) = rows(db, "select id from people")
    answer = tmp_path / "people.json"
    answer.write_text('[{"id": 5, "fullname": "Zoë Müller", "email": "ZOE@x.org", "roles": []}]')
    load(db, answer, course=2)
    assert rows(db, "select id, moodle_id, idnumber from people") == [(*before, 5, "007")]
