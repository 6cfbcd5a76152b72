"""Deleting a student or a course: every table, every byte, and what the teacher is told."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from loaders import answers, forget, forget_bytes, forgotten, look_ups, noted, notes, rollups, schema, usage
from loaders.cli import cli
from tests import made_up, made_up_posts
from tests.exports import load, viewed_course, viewed_page, write, write_log

ZOES = ("Zoë Müller", "Müller", "zoe@student.example.edu", "001012345", "I am Zoë.", "<i>07</i> 1234")
POST = ["id", "discussion", "parent", "userid", "userfullname", "created", "modified", "mailed", "subject", "message"]


def coursette(*words: object):
    """What a command says, and its exit status; nobody is asked."""
    result = CliRunner().invoke(cli, list(map(str, words)))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def course(tmp_path) -> Path:
    return made_up.small(tmp_path / "moodle.db")


def rows(path: Path, sql: str, *values) -> list[tuple]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


def folder_bytes(folder: Path) -> bytes:
    """All bytes of all databases, their logs and their shared memory, in lower case."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and ".db" in file.name]
    assert files
    return b"".join(file.read_bytes() for file in files).lower()


def left(folder: Path, words: tuple[str, ...] = ZOES) -> list[str]:
    content = folder_bytes(folder)
    return [word for word in words if word.lower().encode() in content]


def noted_zoe(course: Path) -> Path:
    """A note, a nudge and a mark on Zoë, and a note on Sam; two looks at each."""
    connection = sqlite3.connect(course)
    of_course = answers.course(connection, "2")
    path = notes.file(course.parent / "private")
    path.parent.mkdir(mode=0o700, exist_ok=True)
    for user in ("5", "18"):
        who = noted.who(connection, of_course, answers.person(connection, of_course, user))
        notes.use(path, notes.add_note, who, "Müller rang me" if user == "5" else "Sam rang me")
        notes.use(path, notes.add_nudge, who, "phone", "quiz 1")
        notes.use(path, notes.set_mark, who, "unseen:12")
    connection.close()
    record = look_ups.opened(path.with_name("audit.db"))
    site = {"site": made_up.SITE, "course": "2", "database": "moodle"}
    lines = [{"student": "5", "person": "1"}, {"student": "18", "person": "2"}, {"about": "42"}]
    look_ups.write(record, [{"time_utc": "2016-03-16T00:00:00Z", "actor": "teacher", "what": "student", **site, **line}
                            for line in lines])  # fmt: skip
    record.close()
    return path


# ---- Every table ----


def people_columns(db) -> set[tuple[str, str]]:
    return {(table, key.column) for table in db.table_names() for key in db[table].foreign_keys
            if key.other_table == "people"}  # fmt: skip


def test_no_table_with_a_person_keeps_a_row(course):
    db = schema.open_existing(course)
    columns = people_columns(db)
    assert {("events", "related_person_id"), ("usage_person_day", "person_id"), ("grades", "person_id")} <= columns
    fill(db.conn, columns)
    forget.student(db.conn, made_up.ZOE)
    for table, column in columns:
        found = f"select count(*) from {table} where {column} = ?"
        assert db.conn.execute(found, (made_up.ZOE,)).fetchone() == (0,), (table, column)
    assert db.conn.execute("select count(*) from people").fetchone() == (7,)


def fill(connection: sqlite3.Connection, columns: set[tuple[str, str]]) -> None:
    """A row about Zoë in every table that can have one."""
    for table, column in columns:
        shape = connection.execute(f"pragma table_info({table})").fetchall()
        needed = {name: 1 for _, name, _, notnull, default, key in shape if (notnull or key > 1) and default is None}
        needed |= {"id": 9_000 + len(column)} if any(name == "id" for _, name, *_ in shape) else {}
        row = needed | {column: made_up.ZOE} | ({"state": "complete"} if table == "completions" else {})
        row |= {"line_key": 9_000 + len(column), "course_id": 1} if table == "events" else {}
        marks = ", ".join("?" * len(row))
        connection.execute(f"insert or ignore into {table} ({', '.join(row)}) values ({marks})", list(row.values()))
        found = f"select count(*) from {table} where {column} = ?"
        assert connection.execute(found, (made_up.ZOE,)).fetchone() != (0,), (table, column)


def test_the_others_stay_as_they_are(course):
    tables = ("people", "enrolments", "completions", "events", "forum_posts", "group_members", "person_details")
    whose = {"people": "id", "events": "id, person_id, line_key"}
    column = {"people": "id"}
    before = {
        table: rows(
            course, f"select {whose.get(table, '*')} from {table} where {column.get(table, 'person_id')} is not 1"
        )
        for table in tables
    }
    forget.student(schema.open_existing(course).conn, made_up.ZOE)
    for table in tables:
        assert rows(course, f"select {whose.get(table, '*')} from {table}") == before[table], table


def test_counts_are_of_those_who_are_left(course):
    connection = schema.open_existing(course).conn
    of_course = answers.course(connection, "2")
    before = usage.usage(connection, of_course, usage.Filters(groups=["Online"]))
    forget.student(connection, made_up.ZOE)
    after = usage.usage(connection, of_course, usage.Filters(groups=["Online"]))
    assert (before["students"], after["students"]) == (2, 1)
    clicks = [each["activities"]["10"]["clicks"] for each in (before, after)]
    assert clicks == [3, 1]
    kept = [[tuple(row) for row in connection.execute(f"select * from {table}")] for table in rollups.TABLES]
    for (key,) in connection.execute("select id from courses").fetchall():
        rollups.build(connection, key)  # positions in the bitmaps are those of a class made without her
    assert [[tuple(row) for row in connection.execute(f"select * from {table}")] for table in rollups.TABLES] == kept


def test_only_one_course_of_two(course):
    connection = schema.open_existing(course).conn
    connection.execute("insert into enrolments (course_id, person_id, role) values (2, ?, 'student')", (made_up.ZOE,))
    result = coursette("forget", "student", 5, "--course", 2, "--db", course)
    assert result.exit_code == 0, result.output
    assert rows(course, "select course_id from enrolments where person_id = 1") == [(2,)]
    assert rows(course, "select fullname from people where id = 1") == [("Zoë Müller",)]
    assert rows(course, "select count(*) from events where person_id = 1") == [(0,)]
    assert rows(course, "select distinct course from forgotten where kind not in ('key', 'untidy')") == [(2,)]


# ---- Every byte ----


def test_no_byte_is_left_of_name_address_number_posts_and_notes(course):
    noted_zoe(course)
    assert left(course.parent) == list(ZOES)
    result = coursette("forget", "student", "zoe@student.example.edu", "--db", course)
    assert result.exit_code == 0, result.output
    assert "Nothing of what was deleted is left in the bytes of the files." in result.output
    assert left(course.parent) == []
    assert rows(course, "select count(*) from forgotten where kind = 'untidy'") == [(0,)]


def test_no_byte_is_left_where_logs_and_files_named_her(tmp_path):
    connection = schema.open_database(tmp_path / "moodle.db").conn
    load(connection, log(tmp_path), posts(tmp_path), people(tmp_path))
    connection.close()
    words = ("zoe@student.example.edu", "1012345", "Why I dance", "my own tap shoes")
    assert left(tmp_path, words) == list(words)
    assert coursette("forget", "student", "Zoë Müller", "--db", tmp_path / "moodle.db").exit_code == 0
    assert left(tmp_path, words) == []
    titles = {title for (title,) in rows(tmp_path / "moodle.db", "select title from forum_posts")}
    assert titles == {"Re: [removed]", "My own words"}


def log(folder: Path, extra: int = 0) -> Path:
    lines = [viewed_course(f"14/02/16, 10:{minute:02d}:00", 20) for minute in range(20 + extra, 0, -1)]
    hers = [viewed_page("14/02/16, 09:00:00", 5), viewed_course("14/02/16, 08:00:00", 5)]
    return write_log(folder / f"logs{extra}.csv", [*lines, *hers])


def people(folder: Path) -> Path:
    header = ["First name", "Last name", "ID number", "Email address", "Groups"]
    said = [["Zoë", "Müller", "1012345", "zoe@student.example.edu", ""], ["Al", "& Co", "1012346", "al@x.edu", ""]]
    return write(folder / "people.csv", [header, *said])


def posts(folder: Path) -> Path:
    said = [
        ["1", "1", "0", "5", "Zoë Müller", "1455440400", "1455440400", "1", "Why I dance", "Only in my own tap shoes"],
        ["2", "1", "1", "20", "Al & Co", "1455440500", "1455440500", "1", "Re: Why I dance", "Me too"],
        ["3", "1", "1", "20", "Al & Co", "1455440600", "1455440600", "1", "My own words", "Zoë Müller is right"],
    ]
    rest = ["messageformat", "messagetrust", "attachment", "totalscore", "mailnow", "deleted", "privatereplyto",
            "privatereplytofullname", "wordcount", "charcount"]  # fmt: skip
    return write(
        folder / "forum.csv",
        [[*POST, *rest], *([*row, "1", "0", "", "0", "0", "0", "0", "", "5", "20"] for row in said)],
    )


def test_what_others_wrote_about_her_stays_and_is_counted_unless_the_teacher_says_otherwise(tmp_path):
    path = tmp_path / "moodle.db"
    connection = schema.open_database(path).conn
    load(connection, log(tmp_path), posts(tmp_path), people(tmp_path))
    connection.close()
    copy = tmp_path / "other" / "moodle.db"
    copy.parent.mkdir()
    copy.write_bytes(path.read_bytes())
    result = coursette("forget", "student", 5, "--db", path)
    assert "what others wrote, or you about others (forum_posts 1), and stays there" in result.output
    assert "Zoë Müller is right" in {text for (text,) in rows(path, "select text from forum_posts")}
    coursette("forget", "student", 5, "--mentions", "--db", copy)
    assert "[name removed] is right" in {text for (text,) in rows(copy, "select text from forum_posts")}
    assert left(copy.parent, ("Zoë Müller",)) == []


def test_a_reader_in_the_way_is_said_and_running_again_finishes(course, monkeypatch):
    monkeypatch.setattr(forget_bytes, "PATIENCE_MS", 50)
    reader = sqlite3.connect(course)
    reader.execute("begin")
    reader.execute("select count(*) from people").fetchone()
    result = coursette("forget", "student", 5, "--db", course)
    assert result.exit_code == 1
    assert "Another program is reading moodle.db" in result.output and "run this again" in result.output
    assert "not finished" in coursette("status", "--db", course).output
    assert left(course.parent)  # it is in the old pages, as was said
    reader.close()
    again = coursette("forget", "student", 5, "--db", course)
    assert again.exit_code == 0, again.output
    assert "Deleted already" in again.output
    assert left(course.parent) == []


def test_a_deletion_that_fails_leaves_everything(course, monkeypatch):
    before = rows(course, "select * from people")
    monkeypatch.setattr(forget, "reindex", lambda connection: 1 / 0)
    connection = schema.open_existing(course).conn
    with pytest.raises(ZeroDivisionError):
        forget.student(connection, made_up.ZOE)
    assert rows(course, "select * from people") == before
    assert rows(course, "select count(*) from forgotten") == [(0,)]


# ---- Notes and the record of look-ups ----


def test_notes_nudges_and_marks_go_with_her_and_those_on_others_stay(course):
    path = noted_zoe(course)
    result = coursette("forget", "student", 5, "--db", course)
    assert "marks 1, notes 1, nudges 1" in result.output
    assert rows(path, "select fullname from students") == [("Sam Lee",)]
    assert [rows(path, f"select count(*) from {table}") for table in ("notes", "nudges", "marks")] == [[(1,)]] * 3


@pytest.mark.parametrize(
    ("policy", "kept"),
    [
        ("blank", [(None, None), ("18", "2"), (None, None)]),
        ("keep", [("5", "1"), ("18", "2"), (None, None)]),
        ("delete", [("18", "2"), (None, None)]),
    ],
)
def test_the_record_of_look_ups_follows_the_policy_and_stays_append_only(course, policy, kept):
    record = noted_zoe(course).with_name("audit.db")
    assert coursette("forget", "student", 5, "--audit", policy, "--db", course).exit_code == 0
    assert rows(record, "select student, person from look_ups order by id") == kept
    assert {actor for (actor,) in rows(record, "select actor from look_ups")} == {"teacher"}
    with pytest.raises(sqlite3.IntegrityError, match="append only"):
        rows(record, "delete from look_ups")


# ---- Whom, and what is said ----


def test_several_of_a_name_are_listed_and_nobody_is_deleted(course):
    result = coursette("forget", "student", "Sam Lee", "--db", course)
    assert result.exit_code == 1
    assert "Moodle id 18, sam1@student.example.edu" in result.output and "Moodle id 19" in result.output
    assert rows(course, "select count(*) from people") == [(8,)]


@pytest.mark.parametrize("who", ["5", "ZOE@student.example.edu", "001012345", "Zoë Müller", made_up.MARKUP])
def test_she_is_known_by_any_of_her_marks(course, who):
    assert coursette("forget", "student", who, "--db", course).exit_code == 0
    assert rows(course, "select count(*) from people") == [(7,)]


def test_nobody_of_that_name_is_said_with_the_remedy(course):
    result = coursette("forget", "student", "Nobody Here", "--db", course)
    assert result.exit_code == 1 and "give Moodle's id" in result.output


def test_copies_and_downloads_that_still_hold_her_are_named(course):
    (course.parent / "moodle-2016.db").write_bytes(b"")
    (course.parent / "old.bak").write_bytes(b"")
    waiting = course.parent / "private" / "pull" / "x-2" / "participants.jsonl"
    waiting.parent.mkdir(parents=True)
    waiting.write_text("{}")
    said = coursette("forget", "student", 5, "--db", course).output
    for name in ("moodle-2016.db", "old.bak", "participants.jsonl", "log.csv, progress.csv"):
        assert name in said, name


# ---- A course ----


def test_a_course_goes_with_those_who_are_in_no_other(course):
    noted_zoe(course)
    result = coursette("forget", "course", 2, "--db", course)
    assert result.exit_code == 0, result.output
    assert rows(course, "select fullname from people") == [("Olaf Other",)]
    assert rows(course, "select moodle_id from courses") == [(3,)]
    assert rows(course, "select source from loads") == [("participants.csv",)]
    assert rows(course, "select count(*) from events") == [(0,)]
    assert left(course.parent) == []
    assert rows(course, "select count(*) from forgotten where kind not in ('key', 'untidy')") == [(0,)]


def test_no_table_keeps_a_row_of_a_course_that_is_gone(course):
    assert coursette("forget", "course", 2, "--db", course).exit_code == 0
    db = schema.open_existing(course)
    for table in db.table_names():
        for key in db[table].foreign_keys:
            orphans = (
                f"select count(*) from {table} where {key.column} not in (select id from {key.other_table})"
                f" and {key.column} is not null"
            )
            assert db.conn.execute(orphans).fetchone() == (0,), (table, key.column)


def test_blogs_go_with_their_writer_and_so_do_links_to_them(tmp_path):
    path = made_up_posts.small(tmp_path / "moodle.db")
    words = ("Post 2 &", "I hate this <b>task</b>.", "https://blogs.example.org/1", "Hello 1")
    assert left(tmp_path, words) == list(words)
    assert coursette("forget", "student", 5, "--db", path).exit_code == 0
    assert left(tmp_path, words) == []
    assert rows(path, "select id from blog_posts order by id") == [(7,), (8,), (9,), (10,)]
    assert rows(path, "select count(*) from blog_posts_fts where blog_posts_fts match 'post'") == [(4,)]
    assert rows(path, "select moodle_id, name from parts where kind = 'discussion' and name is null") == [(1, None)]


def test_the_key_is_the_only_way_to_tell_whose_a_hash_is(course):
    coursette("forget", "student", 5, "--db", course)
    key = course.parent / "private" / forgotten.KEY
    assert key.stat().st_mode & 0o077 == 0
    stored = {hashed for (hashed,) in rows(course, "select hash from forgotten where kind = 'id'")}
    assert stored == {forgotten.hashed(key.read_text().strip().encode(), "id", 5)}
    assert stored != {forgotten.hashed(b"", "id", 5)}
