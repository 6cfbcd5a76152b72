"""Log lines whose text has no id of who acted: only the name column tells."""

from __future__ import annotations

import json

import pytest
from exports import NAMES, assigned, database, load, rows, viewed_course, write_log

ENROLLED = [*(assigned("13/02/16, 09:00:00", user) for user in (5, 20)), viewed_course("13/02/16, 07:00:00", 3)]


@pytest.fixture
def db(tmp_path):
    connection = database(tmp_path)
    yield connection
    connection.close()


def nameless(time: str, user: int) -> list[str]:
    """A contributed plugin's reading event, whose text has no id of who did it."""
    context = "Interactive Content: Cells"
    return [time, NAMES[user], "-", context, "Interactive Content", "Content viewed", "Something happened.", "web", ""]


def test_lines_without_an_id_of_two_people_in_one_second_are_two_in_any_order(db, tmp_path):
    both = write_log(tmp_path / "both.csv", [nameless("29/02/16, 10:30:00", user) for user in (5, 20)] + ENROLLED)
    one = write_log(tmp_path / "one.csv", [nameless("29/02/16, 10:30:00", 20), *ENROLLED])
    load(db, one, both)
    sql = (
        "select p.moodle_id from events e join people p on p.id = e.person_id"
        " join event_types t on t.id = e.event_type_id where t.name = 'Content viewed' order by 1"
    )
    assert rows(db, sql) == [(5,), (20,)]


def test_a_click_counts_once_the_name_on_it_is_known(db, tmp_path):
    lines = [nameless("29/02/16, 10:30:00", 5), viewed_course("28/02/16, 10:00:00", 20), *ENROLLED[1:]]
    load(db, write_log(tmp_path / "logs.csv", lines))
    student = [{"roleid": 5, "shortname": "student"}]
    path = tmp_path / "enrolled.json"
    path.write_text(json.dumps([{"id": 5, "fullname": "Zo\u00eb M\u00fcller", "email": "zoe@x.org", "roles": student}]))
    load(db, path, course=2)
    sql = "select clicks from usage_person u join people p on p.id = u.person_id where p.moodle_id = 5"
    assert rows(db, sql) == [(1,)]
