"""The teacher's calendar: weeks, breaks and due dates, read from a small file and settled with everything else."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from exports import database, load, rows
from hypothesis import given
from hypothesis import strategies as st
from made_calendar import DUE, EASTER, UNCOUNTED, WEEKS, calendar, log
from snapshot import differences, snapshot

from loaders.numbering import WEEK, Numbering, monday, words
from loaders.unload import unload


def weeks(connection) -> dict:
    """{Monday: (week, name, is_break)}."""
    return {start: row for start, *row in rows(connection, "select starts_on, week, name, is_break from weeks")}


def refusal(tmp_path: Path, text: str) -> str:
    """Why a file is refused, whole: nothing of it is kept."""
    connection = database(tmp_path)
    (outcome,) = load(connection, calendar(tmp_path, text))
    assert rows(connection, "select count(*) from claims") == [(0,)]
    return outcome.error or ""


# ---- Counting ----


def test_a_break_has_a_number_or_it_has_none():
    week_1, easter = date(2016, 2, 29), date(2016, 3, 28)
    counted, uncounted = Numbering(week_1), Numbering(week_1, (easter,))
    assert [counted(easter + days * timedelta(days=7)) for days in (-1, 0, 1)] == [4, 5, 6]
    assert [uncounted(easter + days * timedelta(days=7)) for days in (-1, 0, 1)] == [4, 4.5, 5]
    long = Numbering(week_1, (easter, easter + WEEK))
    assert [long(easter + days * timedelta(days=7)) for days in (-1, 0, 1, 2)] == [4, 4.33, 4.67, 5]
    assert long(week_1 - WEEK) == 0 and isinstance(long(easter + 2 * WEEK), int)


@given(st.sets(st.integers(1, 60), max_size=12), st.integers(-20, 80))
def test_every_week_has_a_number_of_its_own_and_back(pauses, week):
    week_1 = date(2016, 2, 29)
    numbering = Numbering(week_1, tuple(week_1 + n * WEEK for n in sorted(pauses)))
    day = week_1 + week * WEEK + timedelta(days=3)
    assert numbering.starts_on(numbering(day)) == monday(day)
    assert numbering(day) < numbering(day + WEEK)


def test_weeks_in_words():
    assert words(5) == "Week 5" and words(5, "Getting started") == "Week 5: Getting started"
    assert words(4.5, "Easter break") == "Easter break" and words(4.5) == "Break"
    assert words(1, "Week 1") == "Week 1" and words(None) is None


# ---- A file is a load ----


def test_weeks_get_names_and_a_break_its_place(tmp_path):
    connection = database(tmp_path)
    load(connection, log(tmp_path), calendar(tmp_path, f'{UNCOUNTED}\n[names]\n1 = "Getting started"\n'))
    found = weeks(connection)
    assert found["2016-02-22"] == [0, None, 0] and found["2016-02-29"] == [1, "Getting started", 0]
    assert found["2016-03-28"] == [4.5, "Easter break", 1] and found["2016-04-04"] == [5, None, 0]
    assert list(found)[-1] == "2016-05-02" and found["2016-05-02"][0] == 9, "its last week, though the log ends before"
    assert rows(connection, "select week, count(*) from events where week between 4 and 5 group by 1") == [
        (4, 14), (4.5, 14), (5, 14),
    ]  # fmt: skip
    assert rows(connection, "select typeof(week), count(distinct week) from events group by 1") == [
        ("integer", 9), ("real", 1),
    ]  # fmt: skip


def test_a_counted_break_moves_no_number(tmp_path):
    connection = database(tmp_path)
    load(connection, log(tmp_path))
    before = rows(connection, "select id, week from events")
    load(connection, calendar(tmp_path, WEEKS.replace("2016-03-02", "2016-02-22") + EASTER))
    assert rows(connection, "select id, week from events") == before
    assert weeks(connection)["2016-03-28"] == [6, "Easter break", 1]


def test_somebody_who_looks_in_years_later_makes_no_week(tmp_path):
    connection = database(tmp_path)
    years_later = log(tmp_path, 1, "later.csv", date(2019, 11, 18))
    load(connection, log(tmp_path), years_later)
    assert list(weeks(connection))[-1] == "2019-11-18", "no calendar says when teaching ends"
    load(connection, calendar(tmp_path, WEEKS))
    assert list(weeks(connection))[-1] == "2016-04-25", "its last week"
    assert rows(connection, "select max(week) from events") == [(195,)], "the click has its number all the same"


TEXTS = [
    UNCOUNTED,
    WEEKS + EASTER + DUE,
    UNCOUNTED.replace("name", "weeks = 3\nname") + DUE,
    WEEKS.replace("2016-03-02", "2016-01-01").replace("9", "20"),
]


@pytest.mark.parametrize("text", TEXTS)
def test_any_order_gives_the_same_tables(tmp_path, text):
    files = [log(tmp_path, 40), log(tmp_path, 70, "later.csv"), calendar(tmp_path, text)]
    found = []
    for number, order in enumerate(permutations(files)):
        folder = tmp_path / str(number)
        folder.mkdir()
        connection = database(folder)
        assert [outcome.error for outcome in load(connection, *order)] == [None] * len(files)
        found.append(snapshot(connection))
        connection.close()
    assert all(differences(found[0], other) == {} for other in found[1:])
    assert len({row[0] for row in found[0]["weeks"]}) > 9


def test_the_newest_file_counts_whole_and_unload_goes_back(tmp_path):
    connection = database(tmp_path)
    load(connection, log(tmp_path))
    states = [snapshot(connection)]
    texts = [TEXTS[0] + DUE, TEXTS[1].replace("04-01", "04-02"), TEXTS[2]]
    for day, text in enumerate(texts):
        load(connection, calendar(tmp_path, text, f"{day}.toml", day))
        states.append(snapshot(connection))
    load(connection, calendar(tmp_path, WEEKS, "old.toml", -1))
    assert differences(snapshot(connection), states[-1]) == {}, "an older file changes nothing"
    for source, state in zip(("old.toml", "2.toml", "1.toml", "0.toml"), reversed([*states, states[-1]]), strict=False):
        assert differences(snapshot(connection), state) == {}, source
        unload(connection, rows(connection, "select id from loads where source = ?", source)[0][0])
    assert differences(snapshot(connection), states[0]) == {}


def test_a_file_changed_back_is_in_force_again(tmp_path):
    connection = database(tmp_path)
    load(connection, log(tmp_path), calendar(tmp_path, UNCOUNTED, day=1))
    first = snapshot(connection)
    load(connection, calendar(tmp_path, WEEKS, day=2))
    assert differences(snapshot(connection), first)
    load(connection, calendar(tmp_path, UNCOUNTED, day=3))
    assert differences(snapshot(connection), first) == {}


def test_roll_ups_are_renumbered_and_hold_the_same_clicks(tmp_path):
    connection = database(tmp_path)
    load(connection, log(tmp_path))
    total = "select sum(clicks), count(*) from usage_person_week"
    before = rows(connection, total)
    load(connection, calendar(tmp_path, UNCOUNTED))
    assert rows(connection, total) == before and before[0][0] > 0
    assert rows(connection, "select clicks from usage_week where week = 4.5") == [(14,)]


# ---- Mistakes ----

MISTAKES = {
    "course = 2\nweek_1 = 2016-02-29\nlast_week = fifteen\n": "line 3: this line cannot be read",
    "course = 2\nweek_1 = 29/02/2016\nlast_week = 9\n": "line 2: this line cannot be read",
    'course = 2\nweek_1 = "29 Feb"\nlast_week = 9\n': "line 2: week_1 = “29 Feb” is no date: write it as 2016-02-29",
    "course = 2\nlast_week = 9\n": "line 1: week_1 is missing",
    "course = 2\nweek_1 = 2016-02-29\n": "line 1: last_week is the number",
    f"{WEEKS}brakes_count = true\n": "line 4: nothing is called brakes_count here: did you mean breaks_count?",
    f"{WEEKS}breaks_count = 1\n": "line 4: breaks_count is true or false, and not 1",
    f"{WEEKS}[[breaks]]\nfrom = 2016-07-01\n": "line 5: the break of the week of 2016-06-27 is outside the weeks",
    f"{WEEKS}[[breaks]]\nfrom = 2016-02-01\n": "line 5: the break of the week of 2016-02-01 is outside the weeks",
    f"{WEEKS}{EASTER}[[breaks]]\nfrom = 2016-03-28\n": "line 8: this break and the one from 2016-03-28 overlap",
    f"{WEEKS}{EASTER}[[breaks]]\nfrom = 2016-03-21\nweeks = 2\n": "line 5: this break and the one from 2016-03-21",
    f"{WEEKS}breaks_count = false\n[[breaks]]\nfrom = 2016-03-04\n": "line 6: the break holds week 1",
    f"{WEEKS}[[breaks]]\nweeks = 1\n": "line 4: from is missing",
    f'{WEEKS}[names]\nfirst = "Hello"\n': "line 5: names are written as",
    f'{WEEKS}[names]\n1 = "Hello"\n12 = "Late"\n': "line 6: week 12 is after last_week, 9",
    f"{WEEKS}[[due]]\nat = 2016-04-01\n": "line 4: say which activity is due",
    f"{WEEKS}[[due]]\nactivity = 7\nat = 23:59:00\n": "line 6: at = 23:59:00 is no date and time",
    f"{WEEKS}{DUE}{DUE}": "line 7: activity 7 is due on line 4 already",
    f'{WEEKS}site = "moodle"\n': "line 4: site is the address of the Moodle",
    f'{WEEKS}[[breaks]]\nfrom = 2016-03-28\n\n[name]\n1 = "One"\n': "line 7: nothing is called name here: did you mean"
    " names?",
    "course = 2\nweek_1 = 2016-13-28\n": "line 2: this line has a date that cannot be: there is no month 13",
    "course = 2\nweek_1 = 2016-02-30\n": "line 2: this line has a date that cannot be: February 2016 has no day 30",
    "course = 2\nweek_1 = 2016-3-8\n": "line 2: this line has a date that cannot be: give months, days and hours two"
    " digits, as in 2016-03-08",
    f"{WEEKS}[[due]]\nactivity = 7\nat = 2016-03-08T24:30:00\n": "line 6: this line has a date that cannot be: there is"
    " no hour 24",
    f'{WEEKS}[[due]]\nactivity = 7\nat = "2016-13-08"\n': "line 6: at = “2016-13-08” is no date and time: there is no"
    " month 13",
    f"{WEEKS}due = 7\n": "line 4: write each of the due under a line [[due]]",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_told_in_one_sentence_with_its_line(tmp_path, text):
    assert refusal(tmp_path, text).startswith(MISTAKES[text])


def test_other_encodings_and_line_ends(tmp_path):
    path = calendar(tmp_path, "")
    path.write_bytes(WEEKS.replace("\n", "\r\n").encode("utf-8-sig"))
    connection = database(tmp_path)
    assert load(connection, path)[0].error is None
    path.write_bytes(f'{WEEKS}[names]\n1 = "Größe"\n'.encode("latin-1"))
    assert load(connection, path)[0].error.startswith("line 5: this calendar is not saved as UTF-8")


def test_an_activity_that_is_not_known_waits_for_its_home(tmp_path):
    connection = database(tmp_path)
    (outcome,) = load(connection, calendar(tmp_path, WEEKS + DUE))
    assert outcome.rows_unmatched == 1
    assert rows(connection, "select line, reason from unmatched") == [(4, "no activity 7 is known in the course yet")]
    load(connection, log(tmp_path))
    assert rows(connection, "select count(*) from unmatched where kind like 'calendar%'") == [(0,)]
    assert rows(connection, "select cmid, due_utc from activities") == [(7, "2016-04-01T23:59:00Z")]


DUES = {
    "2016-04-01T23:59:00": "2016-04-01T13:59:00Z",
    '"2016-04-01 23:59"': "2016-04-01T13:59:00Z",
    "2016-04-01": "2016-04-01T13:59:00Z",
    '"2016-04-01"': "2016-04-01T13:59:00Z",
    "2016-04-01T23:59:00+01:00": "2016-04-01T22:59:00Z",
}


@pytest.mark.parametrize("at", DUES)
def test_due_is_in_course_time_unless_it_says_otherwise(tmp_path, at):
    connection = database(tmp_path)
    entry = f'[[due]]\nname = "TPACK explained"\nat = {at}\n'
    load(connection, log(tmp_path), course_timezone="Australia/Brisbane")
    load(connection, calendar(tmp_path, WEEKS + entry))
    assert rows(connection, "select due_utc from activities") == [(DUES[at],)]


def test_a_due_date_far_from_the_weeks_is_taken_and_doubted(tmp_path):
    connection = database(tmp_path)
    load(connection, log(tmp_path))
    (outcome,) = load(connection, calendar(tmp_path, WEEKS + DUE.replace("2016-04-01", "2061-04-01")))
    assert (outcome.error, outcome.rows_unmatched) == (None, 0)
    (note,) = outcome.notes
    assert note.startswith("line 6: 2061-04-01 is more than half a year after the weeks, which go from 2016-02-29 to")
    assert rows(connection, "select due_utc from activities") == [("2061-04-01T23:59:00Z",)]
    for day, doubted in (("2015-08-31", False), ("2015-08-30", True), ("2016-10-01", False)):
        (outcome,) = load(connection, calendar(tmp_path, WEEKS + DUE.replace("2016-04-01", day)))
        assert bool(outcome.notes) == doubted, day
