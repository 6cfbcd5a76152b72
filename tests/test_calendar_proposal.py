"""`coursette calendar`: what it proposes, from what; what it tells and refuses; what status says of it."""

from __future__ import annotations

import json
import tomllib
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from exports import database, load, rows, write
from made_calendar import DUE, UNCOUNTED, WEEKS, calendar, log

from loaders import calendar_file, calendar_writing, section_dates, status
from loaders.calendar_proposal import propose
from loaders.calendar_reporting import choose
from loaders.calendars import Break, Calendar
from loaders.cli import cli
from loaders.errors import Unreadable
from loaders.unload import unload

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


def test_the_last_week_is_counted_as_sections_are(tmp_path):
    connection = database(tmp_path)
    load(connection, log(tmp_path, 14, first=date(2016, 3, 1)))
    found, _ = proposed(connection, "Week 1", "Week 2", "Recess", "Week 3", "Week 4", "Exam break")
    assert found.last_week == 4 and [one.name for one in found.breaks] == ["Recess"], "a break after it is none"
    assert found.numbering().starts_on(4) == date(2016, 3, 28)


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
    other = calendar(tmp_path, WEEKS.replace("2", "22", 1))
    assert "calendar.toml: no course 22 is loaded: there are 2" in run(tmp_path, str(other)).output
    assert "no such course is loaded: there are 2" in run(tmp_path, "--course", "77").output
    assert "calendar.toml: line 3: this line" in run(tmp_path, str(calendar(tmp_path, "\ncourse = 2\nx y\n"))).output
    assert "there is no such file" in run(tmp_path, "nowhere.toml").output


def test_the_demo_proposes_what_its_own_calendar_came_from(tmp_path, demo_files):
    connection = database(tmp_path)
    files = ["course_contents.json", "courses_by_field.json", "course_page.html.gz"]
    load(connection, *(demo_files / name for name in files), timezone="Australia/Brisbane")
    found = propose(connection, course_of(connection))
    assert (found.calendar.week_1, found.calendar.last_week) == (date(2016, 2, 29), 15)
    assert found.calendar.names[6] == "Digital citizenship" and found.calendar.breaks == ()
    assert [(due.cmid, f"{due.at:%d %B, %H:%M}") for due in found.due] == [
        (18, "01 April, 23:59"), (30, "29 April, 23:59"), (12, "27 May, 23:59"), (41, "27 May, 23:59"),
    ]  # fmt: skip
    assert load(connection, demo_files / "calendar.toml")[0].rows_unmatched == 0
    assert {cmid for (cmid,) in rows(connection, "select cmid from activities where due_utc is not null")} >= {18, 35}
