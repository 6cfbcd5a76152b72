"""Numbers that questions are asked with: which parameters are some, and what is said of text that is none."""

from __future__ import annotations

import pytest

from loaders import asked
from tests.test_queries import QUERIES

SQL = """
select :group, cast(coalesce(nullif(:days, ''), '14') as integer), cast(:from_week as real), cast(:pct as numeric),
    cast((julianday(1) - julianday(:since)) / 7 as integer), cast((select 1 where :student = '') as integer),
    cast(:both as integer) + cast(:both as real), cast(:at_least as real)
"""


def test_what_is_cast_to_a_number_has_to_be_one():
    found = asked.numbers(SQL)
    assert {name for name, whole in found.items() if whole} == {"days", "since"}
    assert {name for name, whole in found.items() if not whole} == {"from_week", "pct", "both", "at_least"}


@pytest.mark.parametrize(
    "name, value, is_right",
    [
        ("days", "14", True), ("days", "", True), ("days", "0", True),
        ("days", "abc", False), ("days", "4.5", False), ("days", "-1", False), ("days", "1e3", False),
        ("days", "9" * 30, False), ("days", "٣", False), ("days", " ", False), ("days", "<b>", False),
        ("from_week", "4.5", True), ("from_week", "-1", True), ("from_week", "4,5", False), ("from_week", ".5", True),
        ("from_week", "nan", False), ("from_week", "inf", False), ("from_week", ".", False),
        ("pct", "100", True), ("pct", "50.5", True), ("pct", "101", False), ("pct", "50 %", False),
        ("at_least", "-3", True), ("group", "abc", True), ("student", "abc", True),
    ],
)  # fmt: skip
def test_what_is_no_number_is_said_so(name, value, is_right):
    query = {"sql": SQL, "params": [name], "words": {name: "So many"}}
    said = asked.wrong(query, {name: value})
    assert bool(said) != is_right
    assert is_right or said[name].startswith("“So many” takes a ")


def test_blanks_around_a_value_are_no_part_of_it():
    query = {"params": ["days", "group"]}
    assert asked.trimmed(query, "days=+14%20&group=%C2%A0&sql=+x") == "days=14&group=&sql=+x"
    assert asked.trimmed(query, "days=14&group=A%20B&_size=max") == "days=14&group=A%20B&_size=max"


def test_a_number_of_a_question_is_checked_before_its_sql_is_asked():
    for name, parameter in (("students_by_details", "at_least"), ("use_and_grade", "weeks")):
        assert set(asked.wrong(QUERIES[name], {parameter: "high"})) == {parameter}


def test_the_sentence_says_what_it_takes():
    query = {"sql": SQL, "params": ["days", "pct", "from_week"]}
    assert asked.wrong(query, {"days": "abc", "pct": "101", "from_week": "x" * 50}) == {
        "days": "“Days away” takes a whole number, not “abc”; leave it empty if you do not mind.",
        "pct": "“Less than per cent” takes a number from 0 to 100, not “101”; leave it empty if you do not mind.",
        "from_week": f"“From week” takes a number, not “{'x' * 40}…”; leave it empty if you do not mind.",
    }
    assert "from 0, not “-1”" in asked.wrong(query, {"days": "-1"})["days"]


def test_weeks_that_end_before_they_begin_are_refused():
    query = QUERIES["resource_usage"]
    assert asked.wrong(query, {"from_week": "4.5", "to_week": "4"}) == {
        "to_week": "“To week” is before “From week”: choose 4.5 or later, or leave one of them empty."
    }
    for weeks in (("4", "4"), ("-1", "0"), ("10", ""), ("", "2"), ("9", "10")):
        assert asked.wrong(query, dict(zip(("from_week", "to_week"), weeks, strict=True))) == {}
    assert set(asked.wrong(query, {"from_week": "x", "to_week": "1"})) == {"from_week"}, "one thing at a time"
