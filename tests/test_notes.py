"""The teacher's notes, nudges and marks: whose they are when ids become known or moodle.db is new, and their file."""

from __future__ import annotations

import sqlite3
import stat
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from loaders import answers, noted, notes
from tests import made_up

NOW = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)
BARE = dict.fromkeys(noted.IDS)
HERE = {"site": "https://moodle.example.edu", "course": "2", "course_name": "NET"}
ZOE = {**BARE, **HERE, "moodle_id": 5, "email": "zoe@x.edu", "idnumber": "S5", "name": "zoë", "fullname": "Zoë"}


@pytest.fixture
def conn(tmp_path):
    with closing(notes.opened(tmp_path / "notes.db")) as conn:
        yield conn


def only(*keys: str, **changes) -> dict:
    """Zoë, as far as these are known."""
    return {**BARE, **HERE, **{key: ZOE[key] for key in keys}, **changes}


def texts(conn: sqlite3.Connection, who: dict) -> list[str]:
    return [row["text"] for row in notes.of_student(conn, who)["notes"]]


# ---- Notes, nudges, marks ----


def test_notes_come_newest_first_and_change_and_go(conn):
    first = notes.add_note(conn, ZOE, " Needs <b>time</b>,\r\nsays “so” \x00", NOW - timedelta(days=1))
    second = notes.add_note(conn, ZOE, "Called", NOW)
    notes.change_note(conn, ZOE, first, "Needs more time", NOW)
    assert notes.of_student(conn, ZOE) == {
        "notes": [
            {"id": second, "text": "Called", "written_utc": "2026-03-31T22:30:00Z", "changed_utc": None,
             "course": "2", "course_name": "NET", "here": 1},
            {"id": first, "text": "Needs more time", "written_utc": "2026-03-30T22:30:00Z",
             "changed_utc": "2026-03-31T22:30:00Z", "course": "2", "course_name": "NET", "here": 1},
        ],
        "nudges": [],
        "marks": {},
    }  # fmt: skip
    notes.delete_note(conn, ZOE, first)
    assert texts(conn, ZOE) == ["Called"]
    with pytest.raises(notes.Refused, match="not there any more"):
        notes.delete_note(conn, ZOE, first)


def test_a_note_is_kept_as_it_was_written(conn):
    notes.add_note(conn, ZOE, " Needs <b>time</b>,\r\n\tsays “so” 'x' \x00", NOW)
    assert texts(conn, ZOE) == ["Needs <b>time</b>,\n\tsays “so” 'x'"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [(" \r\n ", "write something"), ("ä" * 10_001, "at most 10,000 .* has 10,001")],
)
def test_no_note_and_too_long_a_note_are_refused(conn, text, sentence):
    note = notes.add_note(conn, ZOE, "ä" * 10_000)
    with pytest.raises(notes.Refused, match=sentence):
        notes.add_note(conn, ZOE, text)
    with pytest.raises(notes.Refused, match=sentence):
        notes.change_note(conn, ZOE, note, text)
    assert texts(conn, ZOE) == ["ä" * 10_000]


def test_a_form_sent_twice_is_one_note(conn):
    assert notes.add_note(conn, ZOE, "Called", NOW) == notes.add_note(conn, ZOE, "Called", NOW + timedelta(seconds=3))
    notes.add_note(conn, ZOE, "Called", NOW + timedelta(minutes=2))
    assert texts(conn, ZOE) == ["Called", "Called"]
    one = notes.add_nudge(conn, ZOE, "phone", now=NOW)
    assert notes.add_nudge(conn, ZOE, "phone", now=NOW + timedelta(seconds=3)) == one
    assert notes.add_nudge(conn, ZOE, "phone", day="2026-03-03", now=NOW) != one
    assert notes.add_nudge(conn, ZOE, "e-mail", now=NOW) != one


def test_a_nudge_is_now_or_at_noon_of_a_day_in_course_time(conn):
    notes.add_nudge(conn, ZOE, "in  class", "missed <quiz> 1", now=NOW)
    notes.add_nudge(conn, ZOE, day="2026-03-20", zone="Australia/Brisbane", now=NOW)
    notes.add_nudge(conn, ZOE, "phone", day="2026-04-01", zone="Australia/Brisbane", now=NOW)  # where it is today
    found = notes.of_student(conn, ZOE)["nudges"]
    assert [(row["nudged_utc"], row["has_time"], row["how"], row["about"]) for row in found] == [
        ("2026-03-31T22:30:00Z", 1, "phone", ""),
        ("2026-03-31T22:30:00Z", 1, "in class", "missed <quiz> 1"),
        ("2026-03-20T02:00:00Z", 0, "", ""),
    ]
    notes.delete_nudge(conn, ZOE, found[1]["id"])
    assert [row["how"] for row in notes.of_student(conn, ZOE)["nudges"]] == ["phone", ""]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"day": "2026-04-01"}, "still to come"),
        ({"day": "31.3.2026"}, "no day"),
        ({"day": "0001-01-01"}, "no day"),
        ({"how": "x" * 501}, "500 characters"),
        ({"about": "x" * 501}, "500 characters"),
    ],
)
def test_odd_nudges_are_refused_in_a_sentence(conn, given, sentence):
    with pytest.raises(notes.Refused, match=sentence):
        notes.add_nudge(conn, ZOE, now=NOW, **given)
    assert notes.of_student(conn, ZOE)["nudges"] == []


def test_a_mark_is_set_once_and_taken_away(conn):
    for minutes in (0, 5):
        notes.set_mark(conn, ZOE, "run:12,13,14", NOW + timedelta(minutes=minutes))
    notes.set_mark(conn, ZOE, "unseen:42", NOW)
    notes.set_mark(conn, {**ZOE, "course": "3", "course_name": "WEB"}, "unseen:43", NOW)
    marks = {"run:12,13,14": "2026-03-31T22:30:00Z", "unseen:42": "2026-03-31T22:30:00Z"}
    assert notes.of_student(conn, ZOE)["marks"] == marks
    notes.unset_mark(conn, ZOE, "run:12,13,14")
    notes.unset_mark(conn, ZOE, "run:12,13,14")
    assert list(notes.of_student(conn, ZOE)["marks"]) == ["unseen:42"]
    for about in ("", "unseen", "un seen:4", "x:" + "1" * 10_001):
        with pytest.raises(notes.Refused):
            notes.set_mark(conn, ZOE, about)


def test_nobody_else_can_be_meant_by_the_number_of_a_note(conn):
    note, nudge = notes.add_note(conn, ZOE, "hers"), notes.add_nudge(conn, ZOE)
    sam = {**BARE, **HERE, "moodle_id": 18, "email": "sam@x.edu"}
    notes.add_note(conn, sam, "his")
    for refused in (
        lambda: notes.change_note(conn, sam, note, "x"),
        lambda: notes.delete_note(conn, sam, note),
        lambda: notes.delete_nudge(conn, sam, nudge),
    ):
        with pytest.raises(notes.Refused):
            refused()
    assert texts(conn, ZOE) == ["hers"] and len(notes.of_student(conn, ZOE)["nudges"]) == 1


# ---- Whose they are ----

LATER = [
    (only("email"), ZOE, True),
    (only("idnumber"), ZOE, True),
    (only("name"), ZOE, True),
    (ZOE, only("moodle_id"), True),
    (ZOE, only("email"), True),
    (ZOE, only("idnumber"), True),
    (ZOE, only("name"), True),
    (only("moodle_id", "email"), only("moodle_id", email="new@x.edu"), True),
    (only("email", "idnumber"), only("idnumber", email="new@x.edu"), True),
    (only("moodle_id", "email"), only("email", moodle_id=6), False),
    (only("email"), only(email="other@x.edu", name="zoë"), False),
    (only("email", "name"), only("name", email="other@x.edu"), False),
    (only("name"), only("name", course="3", course_name="WEB"), False),
    (only("name"), only("name", site=None), True),
    (only("moodle_id"), only("moodle_id", site="https://other.example.edu"), False),
    (only("moodle_id"), only("moodle_id", site=None), True),
    (only("moodle_id"), only("moodle_id", site=None, course="3", course_name="WEB"), False),
    (only("moodle_id"), only("moodle_id", course="3", course_name="WEB"), True),
    (only("name", course=None), only("name"), True),
    (only("name"), only(), False),
    (only("moodle_id"), only("email"), False),
]


@pytest.mark.parametrize(("written", "asked", "found"), LATER)
def test_the_strongest_that_both_sides_know_decides(conn, written, asked, found):
    notes.add_note(conn, written, "x")
    assert texts(conn, asked) == (["x"] if found else [])


def test_one_email_with_two_id_numbers_is_two_students(conn):
    notes.add_note(conn, only("email", "idnumber"), "Hers")
    assert texts(conn, only("email", idnumber="S6")) == []
    assert texts(conn, only("idnumber", email="new@x.edu")) == ["Hers"], "an address may change"


def test_what_was_found_by_an_email_is_found_by_moodles_id_alone_afterwards(conn):
    notes.add_note(conn, only("email"), "x")
    assert texts(conn, only("moodle_id")) == []
    assert texts(conn, only("email", "moodle_id")) == ["x"]
    assert texts(conn, only("moodle_id", email="married@x.edu")) == ["x"]
    assert texts(conn, only(email="married@x.edu")) == ["x"]


def test_two_that_prove_to_be_one_become_one_with_all_that_was_written(conn):
    notes.add_note(conn, only("email"), "by e-mail", NOW)
    notes.add_note(conn, only("moodle_id"), "by id", NOW + timedelta(hours=1))
    notes.set_mark(conn, only("moodle_id"), "unseen:42")
    notes.add_nudge(conn, only("name"), "phone")
    found = notes.of_student(conn, ZOE)
    assert [row["text"] for row in found["notes"]] == ["by id", "by e-mail"]
    assert list(found["marks"]) == ["unseen:42"] and [row["how"] for row in found["nudges"]] == ["phone"]
    assert conn.execute("select count(*) from students").fetchone() == (1,)


def test_two_accounts_with_one_email_stay_two(conn):
    notes.add_note(conn, ZOE, "old account", NOW)
    notes.add_note(conn, {**ZOE, "moodle_id": 6}, "new account", NOW)
    assert texts(conn, ZOE) == ["old account"]
    assert sorted(texts(conn, only("email"))) == ["new account", "old account"], "whichever it is"
    assert texts(conn, {**ZOE, "moodle_id": 6}) == ["new account"]


def test_another_course_of_the_same_student_is_said(conn):
    notes.add_note(conn, {**ZOE, "course": "3", "course_name": "WEB"}, "x")
    (note,) = notes.of_student(conn, ZOE)["notes"]
    assert (note["here"], note["course_name"]) == (0, "WEB")


def test_a_new_moodle_db_with_other_keys_finds_them_again(tmp_path, conn):
    with closing(sqlite3.connect(made_up.small(tmp_path / "moodle.db"))) as moodle:
        course = answers.course(moodle, "2")
        zoe = noted.who(moodle, course, answers.person(moodle, course, user="5"))
        assert (zoe["moodle_id"], zoe["course"], zoe["name"]) == (5, "2", "zoë müller")
        notes.add_note(conn, zoe, "x")
        moodle.execute("pragma foreign_keys = off")
        moodle.execute("update people set id = id + 1000, moodle_id = null")
        moodle.execute("update enrolments set person_id = person_id + 1000")
        person = answers.person(moodle, course, person="1001")
        again = noted.who(moodle, course, person)
        assert again["moodle_id"] is None and texts(conn, again) == ["x"]


def test_a_name_that_two_have_says_nothing(tmp_path):
    with closing(sqlite3.connect(made_up.small(tmp_path / "moodle.db"))) as moodle:
        course = answers.course(moodle, "2")
        name = moodle.execute("select fullname from people where moodle_id = 5").fetchone()[0]
        moodle.execute("update people set fullname = ' ' || upper(?) where moodle_id = 18", (name,))
        assert noted.who(moodle, course, answers.person(moodle, course, user="5"))["name"] is None


# ---- Lists, and forgetting ----


def test_everybody_of_a_course_with_something_written(conn):
    notes.add_note(conn, ZOE, "x")
    notes.add_nudge(conn, ZOE, now=NOW)
    notes.set_mark(conn, ZOE, "unseen:42")
    notes.add_note(conn, {**BARE, **HERE, "moodle_id": 18, "course": "3", "course_name": "WEB"}, "elsewhere")
    (row,) = notes.students(conn, HERE)
    assert (row["moodle_id"], row["notes"], row["nudges"], row["marks"]) == (5, 1, 1, 1)
    assert row["last_nudged_utc"] == "2026-03-31T22:30:00Z"
    assert notes.students(conn, {**HERE, "site": "https://other.example.edu"}) == []


def test_every_nudge_with_whom_and_how_many_notes(conn):
    notes.add_note(conn, ZOE, "x")
    notes.add_nudge(conn, ZOE, "phone", "quiz", day="2026-03-02", now=NOW)
    notes.add_nudge(conn, only(moodle_id=18), now=NOW)
    first, second = notes.nudges(conn)
    assert (first["student"]["moodle_id"], first["notes"]) == (18, 0)
    assert (second["student"], second["how"], second["about"], second["notes"]) == (ZOE, "phone", "quiz", 1)
    assert (second["in_course"], second["in_course_name"], second["has_time"]) == ("2", "NET", 0)


def test_forgetting_a_student_leaves_nothing_in_the_file(tmp_path):
    path = tmp_path / "notes.db"
    web = {**ZOE, "course": "3", "course_name": "WEB"}
    notes.use(path, notes.add_note, ZOE, "unforgettable")
    notes.use(path, notes.add_nudge, web, "by pigeon")
    notes.use(path, notes.set_mark, ZOE, "unseen:42")
    notes.use(path, notes.add_note, only(moodle_id=18, email="sam@x.edu"), "somebody else")
    assert b"unforgettable" in path.read_bytes()
    assert notes.use(path, notes.forget, only("email")) == {"notes": 1, "nudges": 1, "marks": 1}
    left = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert not [word for word in (b"unforgettable", b"pigeon", b"zoe@", b"unseen") if word in left]
    assert b"somebody else" in left
    assert notes.use(path, notes.forget, ZOE) == {"notes": 0, "nudges": 0, "marks": 0}


def test_with_the_last_thing_written_the_ids_go_too(conn):
    note, nudge = notes.add_note(conn, ZOE, "x"), notes.add_nudge(conn, ZOE)
    notes.set_mark(conn, ZOE, "unseen:42")
    notes.delete_note(conn, ZOE, note)
    notes.delete_nudge(conn, ZOE, nudge)
    assert conn.execute("select count(*) from students").fetchone() == (1,)
    notes.unset_mark(conn, ZOE, "unseen:42")
    assert conn.execute("select count(*) from students").fetchone() == (0,)


# ---- The file ----


def test_the_file_is_its_owners_alone_also_when_it_was_not(tmp_path):
    path = tmp_path / "notes.db"
    notes.use(path, notes.add_note, ZOE, "x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    with closing(notes.opened(path)) as conn:
        assert conn.execute("pragma journal_mode").fetchone() == ("wal",)
        notes.add_note(conn, ZOE, "y")
        assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}


def test_what_fails_changes_nothing(tmp_path):
    path: Path = tmp_path / "notes.db"

    def fails(conn):
        notes.add_note(conn, ZOE, "x")
        raise notes.Refused("no")

    with pytest.raises(notes.Refused):
        notes.use(path, fails)
    assert notes.use(path, texts, ZOE) == []


def test_many_at_once_lose_nothing(tmp_path):
    path = tmp_path / "notes.db"
    work = [threading.Thread(target=notes.use, args=(path, notes.add_note, ZOE, f"{n}")) for n in range(20)]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert sorted(notes.use(path, texts, ZOE)) == sorted(str(n) for n in range(20))
    with closing(sqlite3.connect(path)) as conn:
        assert conn.execute("select count(*) from students").fetchone() == (1,)
