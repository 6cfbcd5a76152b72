"""When something was done before or after it was due: in words, where clocks change too."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from exports import database, load, rows
from made_calendar import DUE, WEEKS, calendar, log

from loaders import due

# Clocks went back in Sydney on Sunday 3 April 2016, forward on Sunday 2 October 2016.
WORDS = [
    ("2016-04-01T10:00", "2016-04-04T09:00", "3 days before due", "73 hours"),
    ("2016-04-02T23:30", "2016-04-03T23:00", "1 day before due", "over midnight and back an hour"),
    ("2016-10-01T00:30", "2016-10-03T00:00", "2 days before due", "46.5 hours"),
    ("2016-10-02T00:30", "2016-10-02T23:59", "on the day it was due", "a day of 23 hours"),
    ("2016-10-02T23:59", "2016-10-02T23:59", "on the day it was due", "the very minute"),
    ("2016-10-02T03:30", "2016-10-02T01:30", "1 hour after due", "one hour of the two was jumped over"),
    ("2016-04-03T03:30", "2016-04-03T01:30", "3 hours after due", "an hour came twice"),
    ("2016-04-03T12:00", "2016-04-02T12:00", "1 day after due", "25 hours"),
    ("2016-10-02T12:00", "2016-10-01T12:00", "23 hours after due", "a day that was an hour short"),
    ("2016-06-01T12:20", "2016-06-01T12:00", "20 minutes after due", "minutes"),
]


@pytest.mark.parametrize(("at", "due_at", "said", "why"), WORDS)
def test_before_due_in_words_where_clocks_change(at, due_at, said, why):
    zone = "Australia/Sydney"
    utc, due_utc = (
        datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for text in (at, due_at)
    )
    assert due.before_due(utc, due_utc, zone) == said, why


def test_before_due_without_a_zone_or_a_time():
    assert due.before_due("2016-04-01T10:00:00Z", "2016-04-04T09:00:00Z") == "2 days before due"
    assert due.before_due("2016-04-04T05:00:00Z", "2016-04-04T09:00:00Z") == "4 hours before due"
    for pair in ((None, "2016-04-04T09:00:00Z"), ("2016-04-04T09:00:00Z", None), ("soon", "later")):
        assert due.before_due(*pair) is None and due.days_before(*pair) is None
    assert due.days_before("2016-04-04T21:00:00Z", "2016-04-04T09:00:00Z") == -0.5


def test_a_due_date_in_the_hour_that_comes_twice_is_its_first(tmp_path):
    connection = database(tmp_path)
    load(connection, log(tmp_path), course_timezone="Australia/Sydney")
    load(connection, calendar(tmp_path, WEEKS + DUE.replace("04-01T23:59", "04-03T02:30")))
    assert rows(connection, "select due_utc from activities") == [("2016-04-02T15:30:00Z",)]
