"""The teacher's calendar: weeks, breaks and due dates, read from a small file and settled with everything else."""

from __future__ import annotations

import json
import os
import tomllib
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from exports import assigned, database, load, rows, viewed_course, viewed_page, write, write_log
from hypothesis import given
from hypothesis import strategies as st
from snapshot import differences, snapshot

from loaders import calendar_file, calendar_writing, due, section_dates, status
from loaders.calendar_proposal import propose
from loaders.calendar_reporting import choose
from loaders.calendars import Break, Calendar
from loaders.cli import cli
from loaders.errors import Unreadable
from loaders.numbering import WEEK, Numbering, monday, words
from loaders.unload import unload

WEEKS = "course = 2\nweek_1 = 2016-03-02\nlast_week = 9\n"
EASTER = '[[breaks]]\nfrom = 2016-03-30  # a Wednesday\nname = "Easter break"\n'
UNCOUNTED = f"{WEEKS}breaks_count = false\n{EASTER}"
DUE = "[[due]]\nactivity = 7\nat = 2016-04-01T23:59:00\n"


def calendar(folder: Path, text: str, name: str = "calendar.toml", day: int = 1) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    os.utime(path, (1_500_000_000 + day * 86_400,) * 2)
    return path


def log(folder: Path, days: int = 70, name: str = "logs.csv", first: date = date(2016, 2, 22)) -> Path:
    """A click or two a day, the newest first."""
    lines = []
    for day in (first + timedelta(days=days - 1 - n) for n in range(days)):
        lines += [viewed_page(f"{day:%d/%m/%y}, 20:00:00", 5), viewed_course(f"{day:%d/%m/%y}, 09:00:00", 18)]
    enrolled = [assigned(f"{first:%d/%m/%y}, 08:00:00", user) for user in (5, 18)]
    return write_log(folder / name, [*lines, *enrolled])


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


# ---- Proposing ----


def course_of(connection) -> dict:
    return choose(connection, None, None)


def proposed(connection, *sections: str) -> tuple:
    """(Calendar as a loaded proposal has it, what was taken from where), of a course with these sections."""
    connection.executemany(
        "insert into sections (course_id, moodle_id, number, name) values (1, ?1, ?1, ?2)", enumerate(sections, 1)
    )
    found = propose(connection, course_of(connection))
    said = calendar_writing.text(found, Path("calendar.toml"))
    claim, *_ = calendar_file.reading(calendar_file.CalendarFile(said, tomllib.loads(said))).claims
    assert Calendar.kept(claim) == found.calendar, "what is written is what is read"
    return found.calendar, "\n".join(found.took)


@pytest.fixture
def plain(tmp_path):
    connection = database(tmp_path)
    load(connection, log(tmp_path, 70, first=date(2016, 3, 1)))
    return connection


LANGUAGES = [
    ("29 February - 6 March", "7 March - 13 March", "14 March - 20 March"),
    ("February 29 - March 6", "March 7 - March 13", "March 14 - March 20"),
    ("29 février - 6 mars", "7 mars - 13 mars", "14 mars - 20 mars"),
    ("29. Februar - 6. März", "7. März - 13. März", "14. März - 20. März"),
    ("29 de febrero - 6 de marzo", "7 de marzo - 13 de marzo", "14 de marzo - 20 de marzo"),
    ("2月29日 - 3月6日", "3月7日 - 3月13日", "3月14日 - 3月20日"),
]


@pytest.mark.parametrize("names", LANGUAGES)
def test_weeks_of_the_weekly_format_in_any_language(plain, names):
    found, why = proposed(plain, *names)
    assert (found.week_1, found.last_week, found.names) == (date(2016, 2, 29), 3, {})
    assert "the dates in the names of sections" in why


def test_sections_named_by_their_days_are_about_a_week(tmp_path, plain):
    names = ["General", "7 mars - 13 mars", "28 mars - 3 avril", "4 avril - 10 avril"]
    sections = [{"id": n, "name": name, "section": n, "modules": []} for n, name in enumerate(names)]
    (tmp_path / "contents.json").write_text(json.dumps(sections), "utf-8")
    load(plain, tmp_path / "contents.json", course=2)
    found = "select week from sections order by number"
    assert rows(plain, found) == [(None,), (2,), (5,), (6,)]
    load(plain, calendar(tmp_path, UNCOUNTED))
    assert rows(plain, found) == [(None,), (2,), (None,), (5,)], "a break has no number to show"


def test_a_year_that_ends_between_two_sections():
    names = ["21 December - 27 December", "28 December - 3 January", "4 January - 10 January"]
    found = section_dates.days(names, date(2015, 12, 7))
    assert [first for first, _ in found.values()] == [date(2015, 12, 21), date(2015, 12, 28), date(2016, 1, 4)]
    assert found[names[1]][1] == date(2016, 1, 3)


def test_a_section_named_like_a_break_between_numbered_ones_is_not_counted(plain):
    found, why = proposed(plain, "Week 1: Hello", "Week 2", "Easter recess", "Week 3: Onwards", "Week 4", "Week 5")
    assert found.breaks == (Break(date(2016, 3, 14), 1, "Easter recess"),) and not found.breaks_count
    assert found.names == {1: "Hello", 3: "Onwards"} and "the section “Easter recess”" in why
    assert found.weeks()[date(2016, 3, 21)] == ("Onwards", False)


def test_a_break_with_the_number_of_a_week_is_counted(plain):
    found, _ = proposed(plain, "Week 1", "Week 2: mid-semester break", "Week 3: Breakout rooms")
    assert found.breaks == (Break(date(2016, 3, 7), 1, "mid-semester break"),) and found.breaks_count


def test_a_quiet_week_between_busy_ones_is_proposed(tmp_path):
    connection = database(tmp_path)
    load(connection, log(tmp_path, 28, "one.csv", date(2016, 2, 29)), log(tmp_path, 28, "two.csv", date(2016, 4, 4)))
    found, why = proposed(connection)
    assert found.breaks == (Break(date(2016, 3, 28), 1, "Break"),) and found.breaks_count
    assert "a break from 2016-03-28: only 0 clicks of students, between busy weeks" in why
    assert found.last_week == 9 and "students' activity ends there" in why


def test_nothing_to_propose_from(tmp_path):
    connection = database(tmp_path)
    load(connection, write(tmp_path / "p.csv", [["First name", "Last name", "Email address"], ["A", "B", "a@b.cd"]]),
         course=2)  # fmt: skip
    with pytest.raises(Unreadable, match="nothing tells yet when this course began"):
        propose(connection, course_of(connection))


# ---- The command ----


def run(tmp_path, *words: str):
    return CliRunner().invoke(cli, ["calendar", *words, "--db", str(tmp_path / "moodle.db")])


def test_propose_correct_and_load(tmp_path, plain, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plain.execute("update courses set shortname = 'A/B \"1\"', fullname = 'Evil\nname'")
    said = run(tmp_path)
    assert said.exit_code == 0 and "coursette calendar calendar-A-B-1.toml" in said.output
    assert tomllib.loads((tmp_path / "calendar-A-B-1.toml").read_text("utf-8"))["week_1"] == date(2016, 2, 29)
    assert "is there already" in run(tmp_path).output and run(tmp_path).exit_code == 1
    assert run(tmp_path, "--force").exit_code == 0
    said = run(tmp_path, str(calendar(tmp_path, UNCOUNTED + DUE.replace("7", "99"))))
    assert said.exit_code == 0 and "Mon 28 Mar 2016  Easter break\n" in said.output
    assert "line 8: no activity 99 is known in the course yet" in said.output
    assert "weeks of calendar.toml" in run(tmp_path, "--show").output
    said = run(tmp_path, str(calendar(tmp_path, WEEKS, "old.toml", -5)))
    assert "calendar.toml (load 2) is newer, so it stays in force" in said.output


def test_status_says_whose_weeks_they_are_and_where_moodle_differs(tmp_path, plain):
    assert any("`coursette calendar` lets you say breaks" in line for line in status.report(plain))
    contents = [{"id": 7, "name": "TPACK explained", "modname": "assign", "instance": 1, "modplural": "Assignments",
                 "dates": [{"label": "Due:", "timestamp": 1459000000, "dataid": "duedate"}]}]  # fmt: skip
    section = {"id": 1, "name": "General", "section": 0, "visible": 1, "summary": "", "modules": contents}
    (tmp_path / "contents.json").write_text(json.dumps([section]), "utf-8")
    load(plain, tmp_path / "contents.json", course=2)
    assert rows(plain, "select due_utc from activities") == [("2016-03-26T13:46:40Z",)]
    load(plain, calendar(tmp_path, UNCOUNTED + DUE))
    assert rows(plain, "select due_utc from activities") == [("2016-04-01T23:59:00Z",)], "the teacher's word"
    said = "\n".join(status.report(plain))
    assert "weeks from calendar.toml (load 3): 1 to 9, 1 break" in said
    assert "! TPACK explained is due 2016-04-01 23:59 by your calendar, which counts; Moodle says 2016-03-26" in said
    unload(plain, 3)
    assert rows(plain, "select due_utc from activities") == [("2016-03-26T13:46:40Z",)]


def test_what_the_command_refuses(tmp_path, plain):
    assert "is no calendar" in run(tmp_path, str(log(tmp_path))).output
    assert "no such course is loaded: there are 2" in run(tmp_path, "--course", "77").output
    assert "calendar.toml: line 3: this line" in run(tmp_path, str(calendar(tmp_path, "\ncourse = 2\nx y\n"))).output
    assert "there is no such file" in run(tmp_path, "nowhere.toml").output


# ---- Before due ----

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
