"""The questions of metadata.yml on one student, on completion, and on who is behind, over the course of made_up.py."""

from __future__ import annotations

import sqlite3
import time

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from loaders import answers, rollups, student
from tests import made_up, made_up_grades
from tests.bench_questions import COMPLETED, HANDED_IN
from tests.made_up import AWAY, BO, MARKUP, NEW, OTHER_SAM, SAM, TEACHER, ZOE
from tests.test_queries import QUERIES, ask, note, opened
from tests.visit import get, instance, recorded

CHOOSE = "choose a student, by name or Moodle id"
SUBMITTED = "insert into submissions (person_id, activity_id, state, time_utc) values (?, ?, ?, ?)"
ATTEMPTED = "insert into attempts (person_id, activity_id, state, time_utc) values (?, ?, ?, ?)"
MORE = """
insert into activities (id, cmid, course_id, section_id, position, kind, name, tracked)
values (:id, :id, 1, 3, :id, 'page', 'Page ' || :id, 1)
"""
DONE = """
insert or replace into completions (person_id, activity_id, state, completed_utc, set_by)
values (?, ?, 'complete', ?, ?)
"""


@pytest.fixture
def db(tmp_path) -> sqlite3.Connection:
    return opened(made_up.small(tmp_path / "moodle.db"))


@pytest.fixture
def graded(tmp_path) -> sqlite3.Connection:
    return opened(made_up_grades.small(tmp_path / "moodle.db"))


def some(rows: list[dict], *columns: str) -> list[tuple]:
    return [tuple(row[column] for column in columns) for row in rows]


def done(db: sqlite3.Connection, person: int, *times: str, set_by: str | None = None) -> None:
    """As many more activities of week 2, completed at these times of 10 March 2016, UTC."""
    for clock in times:
        number = 101 + db.execute("select count(*) from activities where id > 100").fetchone()[0]
        db.execute(MORE, {"id": number})
        db.execute(DONE, (person, number, f"2016-03-10T{clock}Z", set_by))


def without_log(db: sqlite3.Connection) -> None:
    """The course before its log is loaded."""
    db.execute("delete from events")
    db.execute("update courses set data_up_to_utc = null where id = 1")
    rollups.build(db, 1)


# ---- Opened, not completed or submitted ----


def test_an_assignment_that_is_not_tracked_is_judged_by_what_was_submitted(db):
    db.execute("update activities set kind = 'assign', tracked = 0 where id = 4")
    db.execute("update usage_activity set completed = null where activity_id = 4")
    rows = ask(db, "opened_not_completed", activity="13")
    assert some(rows, "person", "judged_by", "state") == [(ZOE, "submissions", None)], "nothing handed in by anybody"
    db.execute(SUBMITTED, (ZOE, 4, "draft", "2016-03-15T10:00:00Z"))
    rows = ask(db, "opened_not_completed", activity="13")
    assert some(rows, "person", "judged_by", "state") == [(ZOE, "submissions", "draft")]
    db.execute(SUBMITTED, (ZOE, 4, "submitted", "2016-03-15T10:05:00Z"))
    assert ask(db, "opened_not_completed", activity="13") == [], "nobody, which is an answer"


def test_an_attempt_in_progress_is_not_handed_in_and_a_second_one_takes_nothing_back(db):
    db.execute("update activities set tracked = 0 where id = 2")
    db.execute("delete from completions where activity_id = 2")
    rollups.build(db, 1)
    attempts = [
        (ZOE, 2, "inprogress", "2016-03-08T10:00:00Z"), (ZOE, 2, "finished", "2016-03-08T10:30:00Z"),
        (ZOE, 2, "inprogress", "2016-03-09T10:00:00Z"), (SAM, 2, "inprogress", "2016-03-02T10:00:00Z"),
    ]  # fmt: skip
    db.executemany(ATTEMPTED, attempts)
    rows = ask(db, "opened_not_completed", activity="Quiz 1")
    assert some(rows, "person", "judged_by", "state") == [
        (OTHER_SAM, "attempts", None), (SAM, "attempts", "inprogress"),
    ]  # fmt: skip


def test_where_completion_judges_what_was_handed_in_counts_as_well(db):
    db.execute(ATTEMPTED, (OTHER_SAM, 2, "finished", "2016-03-09T10:00:00Z"))
    rows = ask(db, "opened_not_completed", activity="11")
    assert some(rows, "person", "judged_by", "state") == [(ZOE, "completion", "complete-fail")]
    assert {row["activity"] for row in ask(db, "opened_not_completed")} == {"News & <i>chat</i>"}, (
        "as many, in an earlier activity: one who handed in is not among them, and one who failed is"
    )


def test_without_a_completion_report_what_was_handed_in_still_answers(db):
    db.execute("delete from completions")
    rollups.build(db, 1)
    assert ask(db, "opened_not_completed")[0]["judged_by"] == "attempts"
    assert note(ask(db, "opened_not_completed", activity="10")) == "no completion report of this course is loaded yet"


# ---- Not completed ----


def test_all_who_have_not_completed_it_whether_they_opened_it_or_not(db):
    rows = ask(db, "not_completed", activity="11")
    assert some(rows, "person", "status", "state", "opened", "clicks") == [
        (AWAY, "suspended", "not in the report", "never", 0),
        (OTHER_SAM, "active", "not completed", "yes", 1),
        (ZOE, "active", "done, not passed", "yes", 1),
        (NEW, "active", "not in the report", "never", 0),
        (BO, "active", "not completed", "never", 0),
    ]
    assert {row["activity"] for row in ask(db, "not_completed")} == {"Quiz 1"}, "the one that was due"
    assert rows[1]["last_opened_utc"] == "2016-03-08T22:00:00Z"
    assert some(ask(db, "not_completed", activity="Quiz 1", group="Toowoomba"), "person") == [(BO,)]


def test_what_was_handed_in_is_told_from_what_was_not(graded):
    graded.execute(SUBMITTED, (BO, 2, "draft", "2016-03-08T10:00:00Z"))
    graded.execute(ATTEMPTED, (NEW, 2, "finished", "2016-03-08T10:00:00Z"))
    states = dict(some(ask(graded, "not_completed", activity="11"), "person", "state"))
    assert (states[NEW], states[BO]) == ("submitted, not graded", "not completed")
    graded.execute("delete from grades")
    assert dict(some(ask(graded, "not_completed", activity="11"), "person", "state"))[NEW] == "submitted"


def test_who_has_not_completed_is_not_asked_of_what_nobody_knows(db):
    untracked = note(ask(db, "not_completed", activity="13"))
    assert untracked == "Moodle does not track the completion of “The TPACK book”"
    without_log(db)
    assert {row["opened"] for row in ask(db, "not_completed", course="2", activity="11")} == {None}, (
        "no log is no never"
    )
    db.execute("delete from completions where activity_id = 2")
    rollups.build(db, 1)
    missing = note(ask(db, "not_completed", course="2", activity="11"))
    assert missing == "the completion reports that are loaded do not have “Quiz 1”"
    db.execute("delete from completions")
    rollups.build(db, 1)
    assert note(ask(db, "not_completed", course="2")) == "no completion report of this course is loaded yet"
    db.execute("update activities set tracked = 0")
    none = "Moodle does not track the completion of any activity in this course"
    assert note(ask(db, "not_completed", course="2")) == none


# ---- Behind ----


def test_behind_in_a_week(db):
    assert some(ask(db, "behind", week="1", pct="60"), "person", "completed", "tracked") == [
        (OTHER_SAM, 0, 2), (ZOE, 0, 2), (BO, 0, 2), (SAM, 1, 2),
    ]  # fmt: skip
    assert note(ask(db, "behind", week="2")) == "no task is known to be of week 2; weeks with tasks are 1"
    done(db, ZOE, "10:00:00")
    assert ask(db, "behind", week="2") == [], "the report lists only her for it, and she has done it"


def test_a_task_without_a_week_of_its_section_is_of_the_week_it_is_due_in(db):
    db.execute("update activities set due_utc = '2016-03-13T13:59:00Z' where id = 1")  # Sunday 23:59 of week 2
    assert some(ask(db, "behind", week="2"), "person", "completed", "tracked") == [(OTHER_SAM, 0, 1), (BO, 0, 1)]
    db.execute("update activities set due_utc = '2016-03-13T14:00:00Z' where id = 1")
    assert some(ask(db, "behind", week="3"), "person") == [(OTHER_SAM,), (BO,)]
    db.execute("update sections set week = null")
    db.execute("update activities set due_utc = null")
    assert note(ask(db, "behind", week="3")).endswith("neither sections nor due dates tell the weeks of this course")


def test_behind_the_median_of_the_group_and_of_the_class_for_those_in_none(db):
    done(db, SAM, "10:00:00", "11:00:00", "12:00:00")
    columns = ("person", "completed", "group", "students_in_group", "group_median", "behind")
    assert some(ask(db, "behind_median", tasks="0.5"), *columns) == [
        (BO, 0, "Toowoomba", 2, 2.5, 2.5), (ZOE, 1, "Online", 2, 3.0, 2.0),
    ]  # fmt: skip
    assert ask(db, "behind_median") == [], "3, if left out"
    db.execute("delete from group_members where person_id != ?", (SAM,))
    db.execute(DONE, (ZOE, 3, None, None))
    whole = some(ask(db, "behind_median", tasks="1"), *columns)
    assert whole == [(OTHER_SAM, 0, "the whole class", 4, 1.0, 1.0), (BO, 0, "the whole class", 4, 1.0, 1.0)]


def test_of_several_groups_the_one_where_they_are_furthest_behind(db):
    done(db, SAM, "10:00:00", "11:00:00", "12:00:00")
    db.execute("insert into group_members (group_id, person_id) values (1, ?)", (BO,))
    assert some(ask(db, "behind_median", tasks="2"), "person", "group", "behind") == [(BO, "Toowoomba", 2.5)]
    assert some(ask(db, "behind_median", tasks="1", group="Online"), "person", "group", "behind") == [
        (BO, "Online", 1.0)
    ]
    db.execute("delete from completions")
    assert note(ask(db, "behind_median")) == "no completion report of this course is loaded yet"


def test_away_stops_where_teaching_ends(db):
    before = some(ask(db, "away"), "person", "days_away")
    db.execute("update courses set data_up_to_utc = '2016-04-03T23:00:00Z' where id = 1")
    assert dict(some(ask(db, "away"), "person", "days_away"))[ZOE] == 19, "not over yet"
    db.execute("update courses set data_up_to_utc = '2019-04-13T00:00:00Z' where id = 1")
    rows = dict(some(ask(db, "away"), "person", "days_away"))
    assert (rows[ZOE], rows[AWAY]) == (19, None), "the last teaching week ends on 4 April 2016"
    assert len(rows) > len(before)
    db.execute("update events set time_utc = '2016-06-01T00:00:00Z' where person_id = ?", (ZOE,))
    assert ZOE not in dict(some(ask(db, "away", days="1"), "person", "days_away")), "was here since"


# ---- One student ----


def test_changes_needs_a_student(db):
    assert note(ask(db, "changes")) == CHOOSE == note(ask(db, "student_in_section"))
    for name in ("changes", "student_in_section"):
        assert note(ask(db, name, student="Olaf")).startswith("nobody in this course is called “Olaf”")
        assert note(ask(db, name, student="Sam")).startswith("several people begin with “Sam”")


def test_changes_are_newest_first_and_of_these_days_only(db):
    db.execute(SUBMITTED, (ZOE, 4, "draft", "2016-03-15T09:00:00Z"))
    db.execute(SUBMITTED, (ZOE, 4, "submitted", "2016-03-15T09:30:00Z"))
    db.execute(ATTEMPTED, (ZOE, 2, "inprogress", "2016-03-15T08:00:00Z"))
    post = "insert into blog_posts (person_id, title, published_utc) values (?, ?, ?)"
    db.executemany(post, [(ZOE, "<i>Mine</i>", "2016-03-14T00:00:00Z"), (ZOE, "Old", "2016-03-01T00:00:00Z")])
    rows = [row for row in ask(db, "changes", student="5", days="2.5") if row["time_utc"]]
    assert some(rows, "time_utc", "what", "activity", "detail") == [
        ("2016-03-15T11:00:00Z", "forum post", "News & <i>chat</i>", "Hello <script>alert(2)</script>"),
        ("2016-03-15T10:00:00Z", "first opened", "The TPACK book", "1 click until now"),
        ("2016-03-15T09:30:00Z", "handed in", "The TPACK book", None),
        ("2016-03-15T09:00:00Z", "submission", "The TPACK book", "draft"),
        ("2016-03-15T08:00:00Z", "attempt begun", "Quiz 1", None),
        ("2016-03-14T00:00:00Z", "blog post", None, "<i>Mine</i>"),
    ]
    assert rows[0]["time_local"] == "2016-03-15T21:00:00" and {row["person"] for row in rows} == {ZOE}
    week = [row["what"] for row in ask(db, "changes", student="Zoë") if row["time_utc"]]
    assert week == [row["what"] for row in rows], "the quiz was done 7 days and 13 hours before the newest data"
    older = some(ask(db, "changes", student="Zoë", days="8"), "what", "detail")
    assert ("completed", "done, not passed") in older and ("first opened", "1 click until now") in older
    assert ("enrolled", None) not in older
    assert ("enrolled", None) in some(ask(db, "changes", student="Zoë", days="30"), "what", "detail")


def test_what_is_not_known_of_these_days_is_said_and_is_no_silence(db):
    said = {row["detail"] for row in ask(db, "changes", student="5") if row["what"] == "not known"}
    assert said == {
        "the newest completion that is loaded, of anybody, is of 2016-03-08",
        "no blogs of this course are loaded yet",
    }
    nia = {row["detail"] for row in ask(db, "changes", student="Nia") if row["what"] == "not known"}
    assert "no completion report that is loaded has a line for this student" in nia
    without_log(db)
    rows = ask(db, "changes", course="2", student="5")
    assert "no log of this course is loaded yet" in {row["detail"] for row in rows if row["what"] == "not known"}


def test_a_section_activity_by_activity(graded):
    graded.execute(ATTEMPTED, (ZOE, 2, "finished", "2016-03-08T10:30:00Z"))
    rows = ask(graded, "student_in_section", student="5", section="1")
    columns = ("activity", "opened", "state", "completed_local", "handed_in_local", "grade", "due_local", "before_due")
    assert some(rows, *columns) == [
        ("Quiz 1", 1, "complete-fail", "2016-03-08T20:30:00", "2016-03-08T20:30:00", "80 of 100", "2016-03-16T23:59:00",
         "8 days before due"),
        ("Reading nobody opens", 0, "incomplete", None, None, None, "2016-03-17T23:59:00", None),
    ]  # fmt: skip
    assert rows[0]["section"] == "Week 1: start" and rows[0]["class_done_pct"] == 16.7
    rows = ask(graded, "student_in_section", student="5", section="Week 2")
    assert some(rows, "activity", "opened", "state") == [
        ("The TPACK book", 1, "not tracked"),
        ("A heading", None, "not tracked"),
    ]


def test_a_grade_names_its_item_only_where_an_activity_has_several(graded):
    columns = "id, course_id, activity_id, name, display, maximum"
    graded.execute(f"insert into grade_items ({columns}) values (9, 1, 2, 'Style', 'real', 5)")
    graded.execute("insert into grades (grade_item_id, person_id, grade) values (9, ?, 4)", (ZOE,))
    quiz, _ = ask(graded, "student_in_section", student="5", section="1")
    assert quiz["grade"] == "Quiz 1: 80 of 100; Style: 4 of 5"


def test_without_a_section_it_is_where_they_were_last_else_the_newest_week(db):
    assert {row["section"] for row in ask(db, "student_in_section", student="5")} == {"Week 2: go on"}
    assert {row["section"] for row in ask(db, "student_in_section", student="18")} == {"Week 1: start"}
    assert {row["section"] for row in ask(db, "student_in_section", student="Nia")} == {"Week 2: go on"}, "never in any"
    nia = ask(db, "student_in_section", student="Nia", section="1")
    assert some(nia, "opened", "state") == [(0, "not loaded"), (0, "not loaded")], "no report lists her"
    teacher = ask(db, "student_in_section", student="3", section="1")
    assert {row["opened"] for row in teacher} == {None}, "clicks of staff are not counted"
    assert note(ask(db, "student_in_section", student="5", section="9")) == (
        "no section is called “9” or has it as number; "
        "the sections are General (0), Week 1: start (1), Week 2: go on (2)"
    )
    db.execute("delete from completions")
    rollups.build(db, 1)
    without_log(db)
    zoe = ask(db, "student_in_section", course="2", student="5", section="1")
    assert some(zoe, "opened", "state") == [(None, "not loaded"), (None, "not loaded")], "tracked, not loaded yet"
    db.execute("update activities set section_id = null")
    assert note(ask(db, "student_in_section", course="2", student="5", section="1")) == (
        "nothing that is loaded says what is in the section “Week 1: start”"
    )


@pytest.mark.parametrize("name", ["changes", "student_in_section"])
async def test_whose_it_was_is_recorded_and_names_are_text(tmp_path, name):
    datasette = instance(made_up.small(tmp_path / "moodle.db"))
    answer = await get(datasette, f"/moodle/{name}?course=2&student=20")
    page = HTMLParser(answer.text)
    assert page.css_first("tbody .col-fullname a").text() == MARKUP and "<b>Bo</b>" not in answer.text
    empty = HTMLParser((await get(datasette, f"/moodle/{name}?course=2&student=")).text)
    assert empty.css_first(".no-answer").text() == "Choose a student, by name or Moodle id."
    assert "everybody" not in empty.css_first("#ask-student-hint").text()
    with sqlite3.connect(recorded(datasette)) as record:
        assert (name, "20") in record.execute("select what, student from look_ups").fetchall()


# ---- Completion ----


def test_a_run_is_what_follows_within_so_many_seconds(db):
    done(db, ZOE, "10:00:00", "10:00:09", "10:00:19", "10:00:30")
    rows = ask(db, "quick_completions")
    columns = ("person", "activities", "completed", "in_a_row", "seconds", "started_utc")
    three = (ZOE, "Page 101, Page 102, Page 103", 3, 3, 19, "2016-03-10T10:00:00Z")
    assert some(rows, *columns) == [three], "10 at most"
    assert ask(db, "quick_completions", seconds="8") == []
    assert some(ask(db, "quick_completions", seconds="11"), "in_a_row") == [(4,)]
    assert ask(db, "quick_completions", student="18") == [] == ask(db, "quick_completions", group="Toowoomba")
    assert len(ask(db, "quick_completions", student="Zoë", group="Online")) == 1


def test_what_moodle_or_staff_set_is_no_quick_completion(db):
    done(db, ZOE, "10:00:00", "10:00:00", "10:00:00")
    done(db, SAM, "10:00:00", "10:00:05", set_by="Marguerite Holloway")
    assert ask(db, "quick_completions") == []
    done(db, ZOE, "10:00:05")
    assert some(ask(db, "quick_completions"), "completed", "in_a_row", "seconds") == [(4, 2, 5)]


def test_without_times_or_with_times_to_the_minute_it_cannot_be_told(db):
    db.execute("update completions set completed_utc = substr(completed_utc, 1, 17) || '00Z'")
    sentence = "the completion times that are loaded are to the minute: ask for 60 seconds or more"
    assert note(ask(db, "quick_completions")) == sentence
    assert ask(db, "quick_completions", seconds="60") == []
    db.execute("update completions set completed_utc = null")
    assert note(ask(db, "quick_completions", seconds="60")) == "the completion reports that are loaded have no times"


def found_on_pages(db: sqlite3.Connection, kind: str) -> set[tuple]:
    """(person, names) of what students' pages say is worth a look."""
    course = answers.course(db, "2")
    found = set()
    for person in (ZOE, SAM, OTHER_SAM, BO, NEW, AWAY):
        page = student.student(db, course, answers.person(db, course, person=str(person)))
        odd = [each["activities"] for each in page["worth_a_look"] if each["kind"] == kind]
        found |= {(person, ", ".join(each["name"] for each in activities)) for activities in odd}
    return found


def test_runs_are_those_of_the_students_pages(db):
    done(db, ZOE, "10:00:00", "10:00:50", "10:01:50", "10:02:51", "11:00:00", "11:00:00", "11:00:01")
    done(db, SAM, "10:00:00", "10:00:20", "10:00:40", "10:00:40", "12:00:00", "12:00:10", "12:00:20")
    rows = ask(db, "quick_completions", seconds="60")
    runs = {(row["person"], row["activities"]) for row in rows if row["in_a_row"] >= 3}
    assert len(rows) > len(runs) == 3 and runs == found_on_pages(db, "run")


def test_done_and_never_opened_as_on_the_students_pages(db):
    done(db, ZOE, "10:00:00")
    done(db, SAM, "10:00:05", set_by="Marguerite Holloway")
    db.execute(DONE, (BO, 3, "2016-03-20T00:00:00Z", None))  # after the log ends
    db.execute(DONE, (OTHER_SAM, 3, "2016-02-28T22:00:00Z", None))  # before it begins
    db.execute(DONE, (NEW, 5, "2016-03-10T00:00:00Z", None))  # a label
    db.execute(DONE, (TEACHER, 3, "2016-03-10T00:00:00Z", None))
    db.execute(DONE, (BO, 2, "2016-03-09T00:00:00Z", None))
    rows = ask(db, "completed_unseen")
    assert some(rows, "person", "activity", "completed_local", "clicks_in_course", "cmid") == [
        (ZOE, "Page 101", "2016-03-10T20:00:00", 5, 101), (BO, "Quiz 1", "2016-03-09T10:00:00", 1, 11),
    ]  # fmt: skip
    assert {(row["person"], row["activity"]) for row in rows} == found_on_pages(db, "unseen")
    assert some(ask(db, "completed_unseen", activity="Quiz 1"), "person") == [(BO,)]
    assert some(ask(db, "completed_unseen", group="Online"), "person") == [(ZOE,)]
    assert ask(db, "completed_unseen", activity="10") == [], "all opened it, which is an answer"


def test_what_the_log_cannot_tell_of_views_is_said(db):
    assert "a label is never opened" in note(ask(db, "completed_unseen", activity="14"))
    untracked = note(ask(db, "completed_unseen", activity="13"))
    assert untracked == "Moodle does not track the completion of “The TPACK book”"
    db.execute(DONE, (BO, 3, "2016-03-20T00:00:00Z", None))
    assert note(ask(db, "completed_unseen", activity="12")) == (
        "none of these completions has a time that the log covers: it can tell nothing of them"
    )
    without_log(db)
    assert note(ask(db, "completed_unseen", course="2")) == "no log of this course is loaded yet"


def test_no_question_accuses():
    for name in ("quick_completions", "completed_unseen"):
        said = f"{QUERIES[name]['title']} {QUERIES[name]['description']}".lower()
        assert "good reasons" in said and not {"cheat", "dishonest", "suspicious", "fake", "caught"} & set(said.split())


@pytest.mark.parametrize("name", ["quick_completions", "completed_unseen", "opened_not_completed", "behind_median"])
def test_a_large_course_with_times_is_quick(tmp_path, name):
    db = opened(made_up.large(tmp_path / "moodle.db", events=5_000))
    db.execute(COMPLETED)
    db.execute(HANDED_IN)
    start = time.thread_time()
    assert len(ask(db, name)) > 20
    assert time.thread_time() - start < 0.2
