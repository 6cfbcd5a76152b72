"""Which groups are a tutor's: a number or a name alone is not enough where courses and Moodles share them."""

from __future__ import annotations

import sqlite3

import pytest

from loaders import functions, tutor_groups, veil
from tests import made_up
from tests.made_up import SITE

OTHER = "https://other.example"


@pytest.mark.parametrize(
    "entry, about, is_hers",
    [
        ("8", (SITE, 2, 8, "Toowoomba"), True),
        ("8", (SITE, 3, None, "8"), False),
        ("3:8", (SITE, 3, None, "8"), True),
        ("2:8", (SITE, 3, 8, "Toowoomba"), False),
        ("2:8", (SITE, 2, 8, "Toowoomba"), True),
        (f"{SITE}/ 2:8", (SITE, 2, 8, "Toowoomba"), True),
        (f"{SITE} 2:8", (OTHER, 2, 8, "Toowoomba"), False),
        ("Online", (SITE, 2, 7, "Online "), True),
        ("online", (SITE, 2, 7, "Online"), False),
        ("3:Online", (SITE, 2, 7, "Online"), False),
        ("Team: red", (SITE, 2, 7, "Team: red"), True),
        ("", (SITE, 2, None, ""), False),
    ],
)
def test_a_group_is_meant_for_certain(entry, about, is_hers):
    assert tutor_groups.is_one(entry, *about) is is_hers


def test_who_is_no_student_is_not_yet_staff(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    with sqlite3.connect(path) as db:
        db.execute("insert into people (id, site_id, moodle_id, fullname) values (50, 1, 77, 'Aud Auditor')")
        db.execute("insert into enrolments (course_id, person_id, role) values (1, 50, 'auditor')")
    hers = veil.Veiled(
        f"{path.as_uri()}?mode=ro", veil.Veil(pseudonyms=False, groups=("2:8",)), "k" * 32, "moodle", functions.register
    ).ready()
    people = {name for (name,) in hers.execute("select fullname from people")}
    assert "Marguerite Holloway" in people and "Aud Auditor" not in people
    hers.close()
