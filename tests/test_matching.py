"""Who is who, which course, which activity: never a guess, and the same in any order."""

from __future__ import annotations

import itertools
import json

import pytest
from exports import assigned, database, load, rows, viewed_course, viewed_page, write, write_log, write_participants
from snapshot import differences, snapshot

CLASS = [("Zoë", "Müller", "zoe@x.org", "Online"), ("Sam", "Lee", "sam1@x.org", ""), ("Sam", "Lee", "sam2@x.org", "")]
ZOE, SAMS = CLASS[0], CLASS[1:]
LOG = [
    *(viewed_page("29/02/16, 10:30:00", user) for user in (5, 18, 19)),
    *(assigned("13/02/16, 09:00:00", user) for user in (5, 18, 19)),
    viewed_course("13/02/16, 07:00:00", 3),
]
STUDENT = [{"roleid": 5, "shortname": "student"}]
IDS = [
    {"id": 5, "fullname": "Zoë Müller", "email": "zoe@x.org", "roles": STUDENT},
    {"id": 18, "fullname": "Sam Lee", "email": "sam1@x.org", "roles": STUDENT},
    {"id": 19, "fullname": "Sam Lee", "email": "sam2@x.org", "roles": STUDENT},
]


@pytest.fixture
def db(tmp_path):
    connection = database(tmp_path)
    yield connection
    connection.close()


def answer(path, people):
    path.write_text(json.dumps(people))
    return path


def people(db):
    return sorted(
        rows(db, "select moodle_id, email from people where fullname != 'Admin User' and fullname like '% %'"), key=repr
    )


def test_a_roster_row_becomes_the_person_of_its_name_and_namesakes_are_held(db, tmp_path):
    log, roster = write_log(tmp_path / "logs.csv", LOG), write_participants(tmp_path / "people.csv", CLASS)
    load(db, log, roster)
    assert (5, "zoe@x.org") in people(db)
    assert (18, None) in people(db)
    assert (19, None) in people(db)
    held = rows(db, "select json_extract(raw, '$.person.email'), reason from unmatched order by 1")
    assert [email for email, _ in held] == ["sam1@x.org", "sam2@x.org"]
    assert all("this name" in reason for _, reason in held)
    assert rows(db, "select count(*) from enrolments where role = 'student'") == [(3,)]


def test_held_rows_find_their_home_when_a_file_tells_more(db, tmp_path):
    load(db, write_log(tmp_path / "logs.csv", LOG), write_participants(tmp_path / "people.csv", CLASS))
    load(db, answer(tmp_path / "ids.json", IDS), course=2)
    assert rows(db, "select count(*) from unmatched") == [(0,)]
    assert [pair for pair in people(db) if pair[0] in (5, 18, 19)] == [
        (18, "sam1@x.org"), (19, "sam2@x.org"), (5, "zoe@x.org"),
    ]  # fmt: skip
    assert rows(db, "select count(*) from enrolments where role = 'student'") == [(3,)]


def test_any_order_of_log_roster_and_ids_gives_the_same(tmp_path):
    files = [
        write_log(tmp_path / "logs.csv", LOG),
        write_participants(tmp_path / "people.csv", CLASS),
        answer(tmp_path / "ids.json", IDS),
        write(tmp_path / "grades.csv", [["First name", "Last name", "ID number", "Email address", "Quiz: Week 1 (Real)",
                                         "Last downloaded from this course"],
                                        ["Zoë", "Müller", "007", "zoe@x.org", "7.5", "1500000000"],
                                        ["Sam", "Lee", "008", "sam1@x.org", "-", "1500000000"]], encoding="utf-8"),
    ]  # fmt: skip
    found = []
    for number, order in enumerate(itertools.permutations(files)):
        folder = tmp_path / str(number)
        folder.mkdir()
        db = database(folder)
        for outcome in load(db, *order, course=2):
            assert outcome.error is None, (outcome.source, outcome.error)
        found.append(snapshot(db))
        db.close()
    assert all(differences(found[0], other) == {} for other in found[1:])
    assert (5, "Zoë Müller", "Zoë", "Müller", "zoe@x.org", "007", None) in found[0]["people"]


def test_a_roster_alone_makes_people_even_namesakes(db, tmp_path):
    load(db, write_participants(tmp_path / "people.csv", CLASS), course=2)
    assert people(db) == [(None, "sam1@x.org"), (None, "sam2@x.org"), (None, "zoe@x.org")]
    assert rows(db, "select count(*) from unmatched") == [(0,)]


def test_a_namesake_listed_beside_the_known_one_is_another_person(db, tmp_path):
    log = write_log(tmp_path / "logs.csv", LOG[:2] + LOG[3:5] + LOG[6:])  # only one Sam Lee, 18, acts
    load(db, log, answer(tmp_path / "ids.json", IDS[:2]), course=2)
    load(db, write_participants(tmp_path / "people.csv", CLASS), course=2)
    assert (18, "sam1@x.org") in people(db)
    assert (None, "sam2@x.org") in people(db)


def test_the_same_name_with_another_email_is_not_guessed(db, tmp_path):
    load(db, write_log(tmp_path / "logs.csv", LOG), answer(tmp_path / "ids.json", IDS), course=2)
    load(db, write_participants(tmp_path / "old.csv", [("Zoë", "Müller", "zoe@old.org", "")]), course=2)
    assert (5, "zoe@x.org") in people(db)
    assert rows(db, "select count(*) from enrolments where role = 'student'") == [(3,)]
    assert rows(db, "select count(*) from unmatched") == [(1,)]


def test_the_course_of_a_file_is_the_one_that_holds_its_people(db, tmp_path):
    others = [viewed_page("29/02/16, 10:30:00", user, cmid=77) for user in (5, 30, 31, 32)]
    others += [assigned("13/02/16, 09:00:00", user) for user in (5, 30, 31, 32)] + [
        viewed_course("13/02/16, 07:00:00", 3, 9)
    ]
    load(db, write_log(tmp_path / "two.csv", LOG), write_log(tmp_path / "nine.csv", others))
    load(db, write_participants(tmp_path / "people.csv", CLASS))
    assert rows(
        db, "select moodle_id from loads join courses on courses.id = course_id where kind = 'participants'"
    ) == [(2,)]


def test_a_file_whose_course_is_not_known_is_held_whole_and_placed_later(db, tmp_path):
    (held,) = load(db, write_participants(tmp_path / "people.csv", [ZOE, ("Al", "& Co", "al@x.org", "")]))
    assert (held.error, held.rows_unmatched) == (None, 2)
    assert rows(db, "select count(*) from people") == [(0,)]
    lines = [viewed_page("29/02/16, 10:30:00", 20), *LOG, assigned("13/02/16, 06:00:00", 20)]
    load(db, write_log(tmp_path / "logs.csv", lines))
    assert rows(db, "select count(*) from unmatched") == [(0,)]
    assert rows(db, "select email from people where moodle_id = 20") == [("al@x.org",)]


def completion(path, activity: str):
    header = ["", "Email address", activity, ""]
    return write(path, [header, ["Zoë Müller", "zoe@x.org", "Completed", "2016-03-01 00:36:06"]], encoding="utf-8",
                 quoting=1)  # fmt: skip


@pytest.mark.parametrize("spelt", ["'What, why &amp; how?'", "“What, why & how?”", "  'What,  why & how?' "])
def test_an_activity_spelt_in_other_ways_is_one(db, tmp_path, spelt):
    lines = [viewed_page("29/02/16, 10:30:00", 5, title='"What, why & how?"'), *LOG]
    load(db, write_log(tmp_path / "logs.csv", lines), completion(tmp_path / "progress.csv", spelt))
    sql = "select a.cmid, a.tracked, state, completed_utc from completions c join activities a on a.id = c.activity_id"
    assert rows(db, sql) == [(7, 1, "complete", "2016-03-01T00:36:06Z")]
    assert rows(db, "select count(*) from activities") == [(1,)]


def test_an_activity_nobody_opened_is_there_by_name_until_its_id_is_known(db, tmp_path):
    load(db, completion(tmp_path / "progress.csv", "Quiet reading"), write_log(tmp_path / "logs.csv", LOG))
    assert rows(db, "select cmid, name from activities order by 1") == [(None, "Quiet reading"), (7, "TPACK explained")]
    load(db, write_log(tmp_path / "more.csv", [viewed_page("14/03/16, 10:00:00", 5, 8, "Quiet reading"), *LOG[3:]]))
    assert rows(db, "select cmid, name, tracked from activities order by 1") == [
        (7, "TPACK explained", None), (8, "Quiet reading", 1),
    ]  # fmt: skip
    assert rows(db, "select count(*) from completions") == [(1,)]


def test_two_activities_of_one_name_are_not_guessed(db, tmp_path):
    lines = [viewed_page("29/02/16, 10:30:00", 5, 8, "TPACK explained"), *LOG]
    load(db, write_log(tmp_path / "logs.csv", lines), completion(tmp_path / "progress.csv", "TPACK explained"))
    assert rows(db, "select count(*) from completions") == [(0,)]
    assert "several activities" in rows(db, "select reason from unmatched")[0][0]


def test_namesakes_are_told_apart_by_the_seconds_at_which_they_completed_things(db, tmp_path):
    names = [("Introduction", "Page"), ("Reading", "Page"), ("Quiz", "Quiz")]
    done = {18: ["14/03/16, 10:00:01", "15/03/16, 10:00:02", "16/03/16, 10:00:03"],
            19: ["14/03/16, 11:00:01", "15/03/16, 11:00:02", "16/03/16, 11:00:03"]}  # fmt: skip

    def line(user, number):
        text = (
            f"The user with id '{user}' updated the completion state for the course module with id '{30 + number}'"
            f" for the user with id '{user}'."
        )
        context = f"{names[number][1]}: {names[number][0]}"
        return [
            done[user][number],
            "Sam Lee",
            "Sam Lee",
            context,
            "System",
            "Course activity completion updated",
            text,
            "web",
            "",
        ]

    lines = sorted((line(user, number) for user in done for number in range(3)), key=lambda line: line[0], reverse=True)
    header = ["", "Email address", *(cell for title, _ in names for cell in (title, ""))]
    cells = {
        user: [cell for time in times for cell in ("Completed", f"2016-03-{time[:2]} {time[10:]}")]
        for user, times in done.items()
    }
    report = [header, ["Sam Lee", "sam1@x.org", *cells[18]], ["Sam Lee", "sam2@x.org", *cells[19]]]
    progress = write(tmp_path / "progress.csv", report, encoding="utf-8", quoting=1)
    load(db, write_log(tmp_path / "logs.csv", lines + LOG), progress)
    load(db, write_participants(tmp_path / "people.csv", CLASS))
    assert (18, "sam1@x.org") in people(db)
    assert (19, "sam2@x.org") in people(db)
    assert rows(db, "select count(*) from unmatched") == [(0,)]


def test_unload_takes_back_what_one_file_alone_brought(db, tmp_path):
    from loaders.unload import unload

    log, roster = write_log(tmp_path / "logs.csv", LOG), write_participants(tmp_path / "people.csv", [ZOE])
    more = write_log(tmp_path / "more.csv", [viewed_page("14/03/16, 10:30:00", 5), *LOG])
    load(db, log, roster)
    before = snapshot(db)
    (outcome,) = load(db, more)
    assert snapshot(db) != before
    unload(db, outcome.load_id)
    assert differences(before, snapshot(db)) == {}


def test_unload_of_the_first_keeps_what_the_second_holds_too(db, tmp_path):
    from loaders.unload import unload

    first = load(db, write_log(tmp_path / "logs.csv", LOG))[0]
    load(db, write_log(tmp_path / "more.csv", [viewed_page("14/03/16, 10:30:00", 5), *LOG]))
    before = snapshot(db)
    unload(db, first.load_id)
    assert differences(before, snapshot(db)) == {}


def test_staff_can_be_named(db, tmp_path):
    load(db, write_log(tmp_path / "logs.csv", LOG), write_participants(tmp_path / "people.csv", [ZOE]))
    load(db, staff=("ZOE@x.org",))
    sql = "select role, role_from from enrolments e join people p on p.id = person_id where email = 'zoe@x.org'"
    assert rows(db, sql) == [("teacher", "--staff")]
    assert rows(db, "select sum(clicks) from usage_person") == [(2,)]
