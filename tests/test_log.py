"""Loading course logs: each line once, the right person, the right zone, nothing lost."""

from __future__ import annotations

import json

import pytest
from exports import (
    COURSE,
    NAMES,
    assigned,
    database,
    load,
    rows,
    viewed_course,
    viewed_page,
    write,
    write_log,
)  # fmt: skip


@pytest.fixture
def db(tmp_path):
    connection = database(tmp_path)
    yield connection
    connection.close()


ENROLLED = [
    *(assigned("13/02/16, 09:00:00", user) for user in (5, 18, 19, 20)),
    assigned("13/02/16, 08:00:00", 3, 3),
    viewed_course("13/02/16, 07:00:00", 3),
]


def test_a_line_becomes_an_event_in_utc_and_course_time(db, tmp_path):
    log = write_log(tmp_path / "logs.csv", [viewed_page("29/02/16, 10:30:00", 5), *ENROLLED])
    (outcome,) = load(db, log, timezone="Australia/Brisbane")
    assert (outcome.kind, outcome.rows_read, outcome.rows_new, outcome.error) == ("course log", 7, 7, None)
    sql = (
        "select p.moodle_id, p.fullname, a.cmid, a.kind, a.name, time_utc, time_local, week, t.crud, origin"
        " from events e join people p on p.id = e.person_id join activities a on a.id = e.activity_id"
        " join event_types t on t.id = e.event_type_id"
    )
    assert rows(db, sql) == [
        (5, "Zoë Müller", 7, "page", "TPACK explained", "2016-02-29T00:30:00Z", "2016-02-29T10:30:00", 1, "r", "web")
    ]


def test_no_address_is_stored_anywhere(db, tmp_path):
    write_log(tmp_path / "logs.csv", [viewed_course("29/02/16, 10:30:00", 5), *ENROLLED])
    held = write_log(tmp_path / "held.csv", [viewed_page("29/02/16, 10:30:00", 5, cmid=99)])
    load(db, tmp_path / "logs.csv", held)
    assert "10.0.0.1" not in "\n".join(db.iterdump())
    assert "::1" not in "\n".join(db.iterdump())


def test_the_same_log_again_adds_nothing_and_equal_lines_stay_as_many_as_the_fullest_file_has(db, tmp_path):
    click = viewed_page("29/02/16, 10:30:00", 5)
    one = write_log(tmp_path / "one.csv", [click, *ENROLLED])
    three = write_log(tmp_path / "three.csv", [click, click, click, *ENROLLED])
    two = write_log(tmp_path / "two.csv", [click, click, *ENROLLED])
    assert [outcome.rows_new for outcome in load(db, one, three, two, one)] == [7, 2, 0, 0]
    assert rows(db, "select sum(clicks) from usage_activity") == [(3,)]


def test_a_newer_export_adds_only_what_is_new_whatever_its_names(db, tmp_path):
    old = [viewed_page("29/02/16, 10:30:00", 5), *ENROLLED]
    renamed = [viewed_page("1/03/16, 10:30:00", 5, title="New title", shown="Zoë Renamed")]
    renamed += [viewed_page("29/02/16, 10:30:00", 5, title="New title", shown="Zoë Renamed"), *ENROLLED[1:]]
    assert [
        o.rows_new for o in load(db, write_log(tmp_path / "a.csv", old), write_log(tmp_path / "b.csv", renamed))
    ] == [7, 1]
    assert rows(db, "select fullname from people where moodle_id = 5") == [("Zoë Renamed",)]
    assert rows(db, "select name from activities") == [("New title",)]


def test_the_newest_names_win_also_when_the_older_file_comes_last(db, tmp_path):
    new = write_log(
        tmp_path / "new.csv", [viewed_page("1/03/16, 10:30:00", 5, title="New", shown="Zoë Renamed"), *ENROLLED[1:]]
    )
    old = write_log(tmp_path / "old.csv", [viewed_page("29/02/16, 10:30:00", 5, title="Old"), *ENROLLED[1:]])
    load(db, new, old)
    assert rows(db, "select name from activities") == [("New",)]
    assert rows(db, "select fullname from people where moodle_id = 5") == [("Zoë Renamed",)]


def test_somebody_logged_in_as_a_student_is_not_the_student(db, tmp_path):
    lines = [
        viewed_page("29/02/16, 10:31:00", 5, shown="Admin User as Zoë Müller"),
        viewed_page("29/02/16, 10:30:00", 5),
        *ENROLLED,
    ]
    load(db, write_log(tmp_path / "logs.csv", lines))
    sql = (
        "select p.moodle_id, r.moodle_id from events e join people p on p.id = e.person_id"
        " left join people r on r.id = e.real_person_id where e.activity_id is not null order by time_utc"
    )
    assert rows(db, sql) == [(5, None), (5, 2)]
    assert rows(
        db, "select clicks from usage_person where person_id = (select id from people where moodle_id = 5)"
    ) == [(1,)]


def test_an_unknown_real_person_still_keeps_the_click_from_counting(db, tmp_path):
    lines = [viewed_page("29/02/16, 10:31:00", 5, shown="Stranger Danger as Zoë Müller"), *ENROLLED]
    load(db, write_log(tmp_path / "logs.csv", lines))
    sql = "select r.fullname, r.moodle_id from events e join people r on r.id = e.real_person_id"
    assert rows(db, sql) == [("Stranger Danger", None)]
    assert rows(db, "select sum(clicks) from usage_person") == [(0,)]


def test_a_student_really_called_a_as_b_clicks_for_herself(db, tmp_path):
    (tmp_path / "participants.csv").write_text("")
    lines = [
        viewed_page("29/02/16, 10:31:00", 5, shown="Ana as Bel"),
        viewed_course("29/02/16, 10:30:00", 3),
        *ENROLLED[1:],
    ]
    student = [{"roleid": 5, "shortname": "student"}]
    answer = [{"id": 5, "fullname": "Ana as Bel", "email": "ana@x.org", "roles": student}]
    path = tmp_path / "enrolled.json"
    path.write_text(json.dumps(answer))
    load(db, write_log(tmp_path / "logs.csv", lines))
    load(db, path, course=2)
    assert rows(db, "select real_person_id from events where activity_id is not null") == [(None,)]


def test_cron_lines_belong_to_nobody(db, tmp_path):
    text = (
        "The user with id '-1' updated the grade with id '5' for the user with id '5' for the grade item with id '1'."
    )
    line = ["29/02/16, 10:30:00", "-", "Zoë Müller", COURSE, "System", "User graded", text, "web", ""]
    load(db, write_log(tmp_path / "logs.csv", [viewed_course("29/02/16, 10:31:00", 5), line, *ENROLLED]))
    sql = (
        "select e.person_id, p.moodle_id from events e join people p on p.id = e.related_person_id"
        " join event_types t on t.id = e.event_type_id where t.name = 'User graded'"
    )
    assert rows(db, sql) == [(None, 5)]


def test_a_log_in_the_wrong_zone_is_refused_with_the_likely_one_and_nothing_changes(db, tmp_path):
    lines = [viewed_page(f"{day}/03/16, 1{hour}:30:{user}", user) for day in range(29, 20, -1) for hour in (9, 5, 2)
             for user in (20, 19, 18)] + ENROLLED  # fmt: skip
    log = write_log(tmp_path / "logs.csv", lines)
    load(db, log, timezone="Australia/Brisbane")
    again = write_log(tmp_path / "again.csv", [*lines, viewed_course("1/02/16, 00:10:00", 5)])
    (outcome,) = load(db, again, timezone="UTC")
    assert "10 hours" in outcome.error
    assert "--timezone Australia/Brisbane" in outcome.error
    assert rows(db, "select count(*) from events") == [(len(lines),)]
    assert load(db, again, timezone="Australia/Brisbane")[0].rows_new == 1


def test_the_hour_that_daylight_saving_repeats_is_settled_by_the_order_of_the_lines(db, tmp_path):
    lines = [viewed_course(time, 5) for time in (
        "3/04/16, 03:00:01", "3/04/16, 02:30:00", "3/04/16, 02:00:00", "3/04/16, 02:59:00", "3/04/16, 02:30:00",
        "3/04/16, 01:59:59")]  # fmt: skip
    load(db, write_log(tmp_path / "logs.csv", [*lines, *ENROLLED]), timezone="Australia/Sydney")
    sql = (
        "select time_utc from events e join event_types t on t.id = event_type_id"
        " where t.name = 'Course viewed' order by e.id limit 6"
    )
    assert [time[11:] for (time,) in rows(db, sql)] == [
        "17:00:01Z", "16:30:00Z", "16:00:00Z", "15:59:00Z", "15:30:00Z", "14:59:59Z",
    ]  # fmt: skip


@pytest.mark.parametrize("order", ["oldest first", "by name"])
def test_a_log_somebody_sorted_is_read_all_the_same(db, tmp_path, order):
    lines = [viewed_page(f"{day}/03/16, 10:30:00", user) for day in (20, 14, 3) for user in (20, 18, 5, 5)] + ENROLLED
    lines = lines[::-1] if order == "oldest first" else sorted(lines, key=lambda line: line[1])
    (outcome,) = load(db, write_log(tmp_path / "logs.csv", lines))
    assert (outcome.error, outcome.rows_new) == (None, len(lines))
    assert rows(db, "select count(*) from events where time_utc like '2016-03-20%'") == [(4,)]


def test_a_site_wide_log_is_refused_with_a_sentence(db, tmp_path):
    lines = [viewed_course("29/02/16, 10:30:00", user, course) for user in (5, 18) for course in (2, 3, 4)]
    (outcome,) = load(db, write_log(tmp_path / "logs.csv", lines * 3))
    assert "whole site" in outcome.error
    assert rows(db, "select count(*) from events") == [(0,)]


def test_a_log_that_does_not_say_its_course_waits_until_it_is_known(db, tmp_path):
    page = write_log(tmp_path / "page.csv", [viewed_page("14/03/16, 10:30:00", user) for user in (5, 18, 19)])
    (held,) = load(db, page)
    assert (held.rows_read, held.rows_new, held.rows_unmatched) == (3, 0, 3)
    assert rows(db, "select count(*), min(reason) from unmatched")[0][0] == 3
    load(
        db,
        write_log(
            tmp_path / "logs.csv",
            [viewed_page("29/02/16, 10:30:00", 5), viewed_course("29/02/16, 10:00:00", 5), *ENROLLED],
        ),
    )
    assert rows(db, "select count(*) from unmatched") == [(0,)]
    assert rows(db, "select clicks, students from usage_activity") == [(4, 3)]


def test_an_unknown_plugin_s_event_still_loads_with_what_is_certain(db, tmp_path):
    text = "The user with id '5' frobnicated the 'hvp' activity with course module id '77'."
    line = [
        "29/02/16, 10:30:00",
        "Zoë Müller",
        "-",
        "Interactive Content: Cells",
        "Interactive Content",
        "Frobnicated",
        text,
        "web",
        "",
    ]
    (outcome,) = load(db, write_log(tmp_path / "logs.csv", [line, viewed_course("29/02/16, 10:00:00", 5), *ENROLLED]))
    assert outcome.error is None
    sql = (
        "select p.moodle_id, t.component, t.name, t.eventclass from events e join people p on p.id = e.person_id"
        " join event_types t on t.id = e.event_type_id where t.name = 'Frobnicated'"
    )
    assert rows(db, sql) == [(5, "Interactive Content", "Frobnicated", None)]


def test_a_german_log_is_the_same_log(db, tmp_path):
    english = [viewed_page("29/02/16, 10:30:00", 5), viewed_course("29/02/16, 10:29:00", 5), *ENROLLED]
    header = ["Zeit", "Vollständiger Name", "Betroffene/r Nutzer/in", "Ereigniskontext", "Komponente", "Ereignisname",
              "Beschreibung", "Herkunft", "IP-Adresse"]  # fmt: skip
    times = {"29/02/16": "29. Februar 2016", "13/02/16": "13. Februar 2016"}
    words = {"Course module viewed": "Kursmodul angezeigt", "Course viewed": "Kurs angezeigt", "Page": "Textseite",
             "System": "System", "Role assigned": "Rolle zugewiesen"}  # fmt: skip
    german = [
        [times[line[0].split(",")[0]] + "," + line[0].split(",")[1], *line[1:3],
         line[3].replace("Page: ", "Textseite: ").replace("Course: ", "Kurs: "),
         words[line[4]], words[line[5]], *line[6:]]
        for line in english
    ]  # fmt: skip
    load(db, write(tmp_path / "de.csv", [header, *german]))
    assert rows(db, "select name, kind from activities") == [("TPACK explained", "page")]
    assert rows(db, "select count(*) from enrolments where role = 'student'") == [(4,)]
    assert rows(db, "select clicks from usage_activity") == [(1,)]
    (outcome,) = load(db, write_log(tmp_path / "en.csv", english))
    assert (outcome.rows_new, outcome.rows_known) == (0, len(english))


def test_two_people_of_one_name_are_two(db, tmp_path):
    lines = [viewed_page("29/02/16, 10:30:00", user) for user in (18, 19, 19)]
    load(db, write_log(tmp_path / "logs.csv", [*lines, viewed_course("29/02/16, 10:00:00", 5), *ENROLLED]))
    sql = (
        "select p.moodle_id, clicks from usage_person u join people p on p.id = u.person_id where fullname = 'Sam Lee'"
    )
    assert sorted(rows(db, sql)) == [(18, 1), (19, 2)]
    assert NAMES[18] == NAMES[19]


def test_a_cut_log_is_refused_whole_and_what_was_there_stays(db, tmp_path):
    good = write_log(
        tmp_path / "good.csv", [viewed_page("29/02/16, 10:30:00", 5), *ENROLLED, viewed_course("1/02/16, 10:00:00", 5)]
    )
    cut = tmp_path / "cut.csv"
    text = write_log(
        cut, [viewed_page("21/03/16, 10:30:00", 5)] * 50 + [viewed_course("1/01/16, 10:00:00", 5)]
    ).read_bytes()
    cut.write_bytes(text[:-60])
    one, two = load(db, good, cut)
    assert one.error is None
    assert "line " in two.error
    assert rows(db, "select count(*) from events") == [(8,)]
    assert rows(db, "select count(*) from loads where error is not null") == [(1,)]


def test_check_writes_nothing(db, tmp_path):
    log = write_log(
        tmp_path / "logs.csv", [viewed_page("29/02/16, 10:30:00", 5), viewed_course("29/02/16, 10:00:00", 5)]
    )
    before = list(db.iterdump())
    (outcome,) = load(db, log, check=True)
    assert outcome.rows_new == 2
    assert list(db.iterdump()) == before
