"""Saved answers of Moodle's web services."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from exports import database, load, rows
from moodle_server import recorded

from loaders import web_services
from loaders.errors import Unreadable
from loaders.reading import Reading
from loaders.tables import Answer
from loaders.times import Clock

FIXTURES = Path(__file__).parent / "fixtures" / "ws"
SITE = "https://moodle.example.edu/lms"


def saved(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))


def reading(data: Any) -> Reading:
    answer = Answer("a.json", data)
    assert web_services.recognise(answer)
    assert web_services.named_unused(answer) is None
    return web_services.read(answer, Clock("UTC"))


# -- people


def test_people_with_roles_groups_and_details():
    found = reading(saved("enrolled_users"))
    assert found.kind == "people"
    assert found.site == SITE
    assert found.newest_utc == "2016-06-07T23:47:35Z"
    teacher, al, zoë, null, sue = found.claims
    assert teacher == {
        "noun": "person",
        "line": 1,
        "person": {
            "moodle_id": 3,
            "fullname": "Marguerite Holloway",
            "firstname": "Marguerite",
            "lastname": "Holloway",
            "email": "teacher@staff.example.edu",
            "username": "teacher",
            "idnumber": "0900001",
        },
        "in_course": True,
        "roles": ["teacher", "editingteacher"],
        "groups": [],
        "last_access_utc": "2016-06-07T23:46:40Z",
        "details": {"City/town": "Toowoomba", "Country": "AU", "Department": "School of Education"},
    }
    assert al["groups"] == [{"name": "Springfield & surrounds", "moodle_id": 2}]
    assert al["details"] == {"Country": "AU", "Phone": "07 1234", "Program": "B.Ed (Secondary) & more"}
    assert "last_access_utc" not in al
    assert zoë["person"] == {"moodle_id": 10, "fullname": "Zoë Müller"}
    assert zoë["groups"] == []  # Moodle leaves an empty list out
    assert "roles" not in null
    assert sue["line"] == 5 and sue["in_course"] is True


def test_nothing_private_is_kept():
    text = json.dumps(list(reading(saved("enrolled_users")).claims))
    for word in ("preference", "login_failed", "pluginfile", "theme/image", "description", "Hi"):
        assert word not in text


def test_course_of_people_where_it_is_beyond_doubt():
    people = saved("enrolled_users")
    assert reading(people).course == {"moodle_id": 2, "shortname": "S1", "fullname": "One & only"}
    assert reading(people[:2]).course == {}  # two people prove nothing
    two = [{**person, "enrolledcourses": [{"id": 2}, {"id": 3}]} for person in people]
    assert reading(two).course == {}
    some = [{**person, "enrolledcourses": [{"id": number % 2}]} for number, person in enumerate(people)]
    assert reading(some).course == {}


def test_slim_answer_with_only_names_and_groups():
    zoë = {"id": 5, "fullname": "Zoë Müller"}
    found = reading([zoë, {"id": 6, "fullname": "B", "groups": [{"id": 1, "name": "G"}]}])
    first, second = found.claims
    assert first["person"] == {"moodle_id": 5, "fullname": "Zoë Müller"}
    assert (first["in_course"], first["groups"]) == (True, [])
    assert second["groups"] == [{"name": "G", "moodle_id": 1}]
    assert "roles" not in first
    assert found.course == {} and found.newest_utc is None


def test_people_without_any_groups_do_not_say_they_are_in_none():
    (claim,) = reading([{"id": 5, "fullname": "Z", "lastcourseaccess": 0}]).claims
    assert "groups" not in claim


# -- structure


def test_contents_of_a_course():
    found = reading(saved("course_contents"))
    assert found.kind == "course structure"
    assert found.site == SITE and found.course == {}
    assert found.newest_utc == "2016-02-28T22:53:21Z"
    claims = list(found.claims)
    assert claims[:3] == [
        {"noun": "section", "moodle_id": 1, "number": 0, "name": "General"},
        {"noun": "section", "moodle_id": 4, "number": 1, "name": "Week 3"},
        {"noun": "section", "moodle_id": 15, "number": 2, "name": "Extra materials", "parent": 4},
    ]
    activities = [claim for claim in claims if claim["noun"] == "activity"]
    assert [claim["cmid"] for claim in activities] == [
        2,
        7,
        46,
        47,
        18,
    ]  # the subsection's where the page has it
    assert [claim["position"] for claim in activities] == [1, 2, 3, 4, 5]
    assert activities[1] == {
        "noun": "activity",
        "cmid": 7,
        "kind": "book",
        "name": "Why, what & how?",
        "instance_id": 1,
        "tracked": 1,
        "section": 1,
        "position": 2,
    }
    assert activities[3]["section"] == 15 and "tracked" not in activities[3]
    assert activities[4]["due_utc"] == "2016-04-01T13:59:00Z"
    parts = [(c["cmid"], c["moodle_id"], c["name"], c["position"]) for c in claims if c["noun"] == "part"]
    assert parts == [(7, 11, "Introduction", 1), (7, 13, "TPACK & you", 2), (7, 12, "Summary", 3)]


def test_instances_of_one_kind():
    found = reading(
        {"quizzes": [{"id": 1, "coursemodule": 12, "course": 2, "name": "Q &amp; A", "timeclose": 1464357540}]}
    )
    assert found.kind == "course structure" and found.course == {"moodle_id": 2}
    assert list(found.claims) == [
        {
            "noun": "activity",
            "cmid": 12,
            "kind": "quiz",
            "name": "Q & A",
            "instance_id": 1,
            "due_utc": "2016-05-27T13:59:00Z",
        }
    ]


def test_forums_are_a_bare_list():
    found = reading([{"id": 2, "course": 2, "name": "General", "cmid": 4, "forcesubscribe": 0, "duedate": 0}])
    assert list(found.claims) == [{"noun": "activity", "cmid": 4, "kind": "forum", "name": "General", "instance_id": 2}]


def test_assignments_lie_in_their_course():
    course = {"id": 2, "shortname": "S1", "fullname": "One", "assignments": [
        {"id": 1, "cmid": 18, "course": 2, "name": "A1", "duedate": 1459519140}]}  # fmt: skip
    found = reading({"courses": [course], "warnings": []})
    assert found.course == {"moodle_id": 2, "shortname": "S1", "fullname": "One"}
    assert [claim["due_utc"] for claim in found.claims] == ["2016-04-01T13:59:00Z"]


def test_several_courses_in_one_answer_are_refused():
    books = [{"id": n, "coursemodule": n, "course": n, "name": "B"} for n in (1, 2)]
    with pytest.raises(Unreadable, match="2 courses"):
        reading({"books": books})


def test_edited_answer_is_refused():
    with pytest.raises(Unreadable, match="again"):
        reading([{"id": "x", "fullname": "A", "roles": None}])


# -- courses and groups


def test_course_facts():
    course = {"id": 2, "shortname": "S1", "fullname": "One &amp; two", "startdate": 1456668000, "enddate": 0}
    facts = {"moodle_id": 2, "shortname": "S1", "fullname": "One & two", "start_utc": "2016-02-28T14:00:00Z"}
    found = reading({"courses": [course], "warnings": []})
    assert (found.kind, found.course, list(found.claims)) == ("course", facts, [{"noun": "course", **facts}])
    found = reading([course, {**course, "id": 3, "enddate": 1465740000, "timemodified": 1456668001}])
    assert found.course == {}
    assert [claim["moodle_id"] for claim in found.claims] == [2, 3]
    assert list(found.claims)[1]["end_utc"] == "2016-06-12T14:00:00Z"
    assert found.newest_utc == "2016-02-28T14:00:01Z"


def test_groups_of_a_course():
    found = reading([{"id": 3, "courseid": 2, "name": "On &amp; line", "enrolmentkey": None, "idnumber": ""}])
    assert found.course == {"moodle_id": 2}
    assert list(found.claims) == [{"noun": "group", "line": 1, "group": {"name": "On & line", "moodle_id": 3}}]


# -- not used


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"entries": [], "totalentries": 0, "warnings": []}, "an empty list of blog entries"),
        ({"usergrades": []}, "grades of the user report"),
        ({"statuses": [], "warnings": []}, "activity completion of one person"),
        ({"discussions": [], "warnings": []}, "forum discussions"),
        ({"courses": [], "warnings": []}, "web-service answer"),
        ({"sitename": "M", "functions": []}, "site information"),
        ([], "empty web-service answer"),
        ([{"id": 1, "courseid": 2, "name": "All", "idnumber": ""}], "groupings"),
        ([{"id": 5, "fullname": "Z", "suspended": False}], "people of the site"),
        (
            [{"id": 5, "fullname": "Z", "roles": [], "recordid": 1, "submitted": False}],
            "participants of an assignment",
        ),
    ],
)
def test_known_answers_that_are_not_used(data: Any, name: str):
    answer = Answer("a.json", data)
    assert web_services.recognise(answer) is None
    assert web_services.named_unused(answer) == name


@pytest.mark.parametrize("data", [None, 5, "x", {}, {"a": 1}, [1, 2], [[{"id": 1}]], [{"x": 1}], {"courses": [7]}])
def test_other_json_is_not_known(data: Any):
    answer = Answer("a.json", data)
    assert web_services.recognise(answer) is None
    assert web_services.named_unused(answer) is None


def test_saved_answers_of_grades_posts_submissions_and_the_calendar_are_taken(tmp_path):
    names = ["enrolled_users_all", "course_contents", "grade_items_all", "forum_posts", "assign_submissions",
             "calendar_events"]  # fmt: skip
    for name in names:
        (tmp_path / f"{name}.json").write_text(json.dumps(recorded(name)), "utf-8")
    db = database(tmp_path)
    outcomes = load(db, *(tmp_path / f"{name}.json" for name in names), course=2)
    assert [outcome.error for outcome in outcomes] == [None] * len(names)
    assert rows(db, "select * from unmatched") == []
    assert rows(db, "select count(*) from grades") == [(280,)]
    assert rows(db, "select title, word_count from forum_posts where moodle_id = 314") == [("Re: HTTP reply", 8)]
    assert rows(db, "select count(*) from submissions where from_log = 0") == [(85,)]
    assert rows(db, "select name, event_type from calendar_events order by starts_utc limit 1") == [
        ("Assignment 1: Artefact and essay (30%) is due", "due")
    ]
