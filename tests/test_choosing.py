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
