"""Until when a course is kept: said, called to mind, and never done by itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from loaders import retention, schema
from tests import made_up
from tests.test_forget import coursette, rows
from tests.visit import get, instance

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def course(tmp_path):
    return made_up.small(tmp_path / "moodle.db")


def days_from_now(days: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2026-05-31", "was to be kept until 2026-05-31, which is past"),
        ("2026-06-01", "today"),
        ("2026-06-02", "tomorrow"),
        ("2026-07-01", "in 30 days"),
        ("2026-07-02", None),
    ],
)
def test_the_day_is_called_to_mind_thirty_days_before(course, day, words):
    connection = schema.open_existing(course).conn
    assert retention.set_day(connection, 1, day) == date.fromisoformat(day)
    found = retention.due(connection, NOON)
    assert [row["moodle_id"] for row in found] == ([2] if words else [])
    assert all(row["words"].endswith(words) for row in found)


def test_days_are_those_of_the_course(course):
    connection = schema.open_existing(course).conn
    retention.set_day(connection, 1, "2026-06-01")
    evening = datetime(2026, 6, 1, 15, tzinfo=UTC)  # in Brisbane it is the 2nd
    assert retention.due(connection, evening)[0]["words"].endswith("which is past")


async def test_status_and_the_home_page_name_the_command(course):
    assert coursette("retention", 2, days_from_now(-3), "--db", course).exit_code == 0
    assert "`coursette forget course 2` deletes it" in coursette("status", "--db", course).output
    page = (await get(instance(course), "/")).text
    assert "coursette forget course 2" in page and "ICT &amp; Pedagogy" in page
    assert "without a limit" in coursette("retention", 2, "none", "--db", course).output
    assert "coursette forget course" not in coursette("status", "--db", course).output
    assert "coursette forget course" not in (await get(instance(course), "/")).text


def test_nothing_is_deleted_by_itself(course):
    coursette("retention", 2, days_from_now(-300), "--db", course)
    coursette("status", "--db", course)
    assert rows(course, "select count(*) from courses") == [(2,)]


@pytest.mark.parametrize(
    ("given", "words"), [(("2", "soon"), "is no day"), (("4711", "none"), "there is no course 4711")]
)
def test_what_cannot_be_is_said(course, given, words):
    result = coursette("retention", *given, "--db", course)
    assert result.exit_code == 1 and words in result.output
