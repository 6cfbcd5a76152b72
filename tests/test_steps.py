"""Steps that questions share: what is read is written into the SQL, and nothing else."""

from __future__ import annotations

import sqlite3

import pytest

from loaders import steps

TEXT = """
one as (
  select 1 as n
),
two as materialized (
  select n + 1 as n from one
),
three as (
  select n + 1 as n from two
)
"""
KNOWN = steps.known(TEXT)


def test_steps_are_known_in_their_order():
    assert list(KNOWN) == ["one", "two", "three"]
    assert KNOWN["two"].startswith("two as materialized (\n") and KNOWN["two"].endswith("\n)")


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ("select n from three", 3),
        ("SELECT n FROM Three".replace("Three", "three"), 3),
        ("with four as (select n + 1 as n from three) select n from four", 4),
        ("with three as (select n * 10 as n from two) select n from three", 20),
        ("with two as (select 5 as n) select n from three", 6),
        ("with one as materialized (\n select 7 as n\n) select n from one", 7),
        ("with recursive many (n) as (select n from two union all select n + 1 from many where n < 9) "
         "select max(n) from many", 9),
        ("select max(a.n + b.n) from one as a join three as b", 4),
    ],
)  # fmt: skip
def test_what_is_read_is_there(sql, answer):
    assert sqlite3.connect(":memory:").execute(steps.whole(sql, KNOWN)).fetchone() == (answer,)


@pytest.mark.parametrize("sql", ["select 1 as one", "select one.n from others as one", "select 'from' , two from t"])
def test_what_reads_from_no_step_is_left_as_it_is(sql):
    assert steps.whole(sql, KNOWN) == sql


def test_only_what_is_needed_comes_along():
    assert "three" not in steps.whole("select * from two", KNOWN)
    assert "two as" not in steps.whole("select * from one", KNOWN)


def test_queries_may_be_text_as_in_datasette():
    found = steps.questions(
        {"steps": TEXT, "queries": {"a": "select n from one", "b": {"sql": "select 1", "title": "B"}}}
    )
    assert found["a"]["sql"].startswith("with one as (") and found["b"] == {"sql": "select 1", "title": "B"}
    assert steps.questions({}) == {}
