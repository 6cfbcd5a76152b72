"""Choosing by name: what many names at once, and odd ones, give."""

from __future__ import annotations

from loaders import choosing

KNOWN = [(1, 7, "Online"), (2, 8, "Toowoomba")]


def test_more_names_than_anybody_chooses_are_refused_at_once():
    asked = [f"name {number}" for number in range(4000)]
    choice = choosing.choose("group", asked, KNOWN)
    assert choice.ids == [] and choice.note == "at most 100 groups can be named at once"


def test_brackets_without_end_are_a_name_that_nobody_has():
    choice = choosing.choose("student", "[" * 5000, KNOWN)
    assert choice.ids == [] and len(choice.note) < 500


def test_a_list_names_each_of_its_groups():
    assert choosing.choose("group", '["online", 8]', KNOWN).ids == [1, 2]


STUDENTS = [
    (1, 5, "Zoë Müller"), (2, 18, "Sam Lee"), (3, 19, "Ann-Lena Vasquez Ortiz"), (4, None, "Leena Smith"),
    (5, 21, "Student 21"),
]  # fmt: skip


def test_a_student_is_found_by_how_any_word_of_the_name_begins():
    for asked, ids in (
        ("vasq", [3]),
        ("Ortiz", [3]),
        ("vasquez or", [3]),
        ("lena", [3]),
        ("sam", [2]),
        ("müller", [1]),
    ):
        assert choosing.choose("student", asked, STUDENTS).ids == ids, asked
    for asked in ("uller", "ee", "asquez", "1", "Lee Sam"):
        assert choosing.choose("student", asked, STUDENTS).ids == [], asked
    assert choosing.choose("student", "Lee", STUDENTS).note == (
        "several people have a name that begins with “Lee”: Sam Lee (18), Leena Smith"
    )
    assert choosing.choose("student", "21", STUDENTS).ids == [5], "the id"


def test_groups_and_activities_are_found_by_how_they_begin_alone():
    for noun in ("group", "activity"):
        assert choosing.choose(noun, "Lee", STUDENTS).ids == [4]
        assert choosing.choose(noun, "Vasquez", STUDENTS).ids == []
