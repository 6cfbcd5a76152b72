"""Medians and quartiles in SQL, against those of the standard library."""

from __future__ import annotations

import json
import random
import sqlite3
from statistics import median, quantiles

import pytest

from loaders import medians

QUARTILES = "select percentile_cont(value, 0.25), median(value), percentile_cont(value, 0.75) from json_each(?)"


@pytest.fixture
def db() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:")
    medians.register(db)
    return db


def test_they_are_those_of_the_standard_library(db):
    chance = random.Random(3)
    for size in (2, 3, 4, 9, 100):
        numbers = [chance.randrange(1000) / 7 for _ in range(size)]
        found = db.execute(QUARTILES, [json.dumps(numbers)]).fetchone()
        assert found == pytest.approx(quantiles(numbers, n=4, method="inclusive"))
        assert found[1] == pytest.approx(median(numbers))


def test_what_is_no_number_does_not_count(db):
    sql = "select median(column1) from (values (3), (null), ('A'), (5.0))"
    assert db.execute(sql).fetchone() == (4,)
    assert db.execute("select median(1) where 0").fetchone() == (None,)
    assert db.execute("select percentile_cont(7, 1), percentile_cont(7, 0)").fetchone() == (7, 7)
