"""What a student is handed: everything held, in words, escaped, readable by its owner only."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from loaders import export_student, schema
from loaders.export_tables import TABLES
from tests import made_up, made_up_posts
from tests.exports import load, viewed_course, write_log, write_participants
from tests.test_forget import coursette, fill, noted_zoe, people_columns, rows
from tests.visit import COLLEAGUE, TEACHER, get, instance, post, recorded


class Reader(HTMLParser):
    """The texts and the tags of a page."""

    def __init__(self, page: str):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data.strip())


@pytest.fixture
def course(tmp_path) -> Path:
    return made_up.small(tmp_path / "moodle.db")


def handed(course: Path, *words: object) -> tuple[str, dict]:
    """(the page, the data) of `coursette export-student`."""
    out = course.parent / "out"
    result = coursette("export-student", *words, "--db", course, "--out", out)
    assert result.exit_code == 0, result.output
    page, data = (next(out.glob(f"*.{end}")) for end in ("html", "json"))
    assert f"{page}" in result.output and f"{data}" in result.output
    return page.read_text("utf-8"), json.loads(data.read_text("utf-8"))


def test_every_table_with_a_person_is_in_it(course):
    db = schema.open_existing(course)
    columns = people_columns(db)
    assert {table for table, _ in columns} | {"people"} - {"event_names"} <= {table.name for table in TABLES}
    fill(db.conn, columns)
    db.conn.execute("insert into event_names (event_id, person, has_id) values (1, 'Zoë Müller', 1)")
    db.conn.execute("insert into post_links (forum_post_id, url) values (1, 'https://example.org/')")
    db.conn.execute("insert or ignore into grade_items (id, course_id, name, display) values (1, 1, 'Essay', 'real')")
    found = export_student.held(db.conn, made_up.ZOE, "moodle", course.parent)
    assert [name for name, here in found["tables"].items() if not here] == []


def test_columns_have_words_and_times_are_in_course_time(course):
    page, data = handed(course, 5)
    texts = Reader(page).texts
    assert "2016-03-15 21:00:00" in texts and "Australia/Brisbane" in page
    assert not [text for text in texts if re.fullmatch(r"\d{4}-\d\d-\d\dT.*Z", text)]
    assert {event["time_utc"] for event in data["tables"]["events"]} >= {"2016-03-15T11:00:00Z"}
    headings = [text for text in texts if text in ("Clicks", "Full name", "Moodle id", "What happened", "Positive pct")]
    assert {"Clicks", "Full name", "Moodle id", "What happened"} <= set(headings)
    assert "Positive pct" not in headings and "_utc" not in page
    assert len(data["tables"]["events"]) == 6


def test_it_says_where_it_came_from_who_looked_and_what_cannot_be_known(course):
    noted_zoe(course)
    page, data = handed(course, 5)
    assert [load["source"] for load in data["loads"]] == ["log.csv", "progress.csv"]
    assert [look["who"] for look in data["looks"]] == ["teacher"]
    assert "were left out of this file" in page and data["notes"] is None
    assert all(sentence in " ".join(page.split()).replace("&#39;", "'") for sentence in export_student.NOT_KNOWN)


def test_notes_are_in_it_where_the_teacher_says_so(course):
    noted_zoe(course)
    page, data = handed(course, 5, "--notes")
    assert [note["text"] for note in data["notes"]["notes"]] == ["Müller rang me"]
    assert "Müller rang me" in page and "Sam rang me" not in page and "left out" not in page


def test_nothing_of_anybody_else_is_in_it(course):
    page, data = handed(course, 5)
    for word in ("Sam Lee", "sam1@", "001012826", "Tables", "Nia New"):
        assert word not in page and word not in json.dumps(data), word


def test_everything_is_escaped_and_the_page_needs_nothing_else(course):
    page, _ = handed(course, 20)
    reader = Reader(page)
    tags = {tag for tag, _ in reader.tags}
    assert not tags & {"script", "b", "img", "link", "iframe"}
    assert made_up.MARKUP in reader.texts
    assert not [attrs for _, attrs in reader.tags if {"src", "href", "onclick", "style"} & set(attrs)]


def test_only_its_owner_can_read_it(course):
    handed(course, 5)
    for path in (course.parent / "out").iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
        assert "Zo" not in path.name


def test_one_course_of_two(course):
    connection = schema.open_existing(course).conn
    connection.execute("insert into enrolments (course_id, person_id, role) values (2, ?, 'student')", (made_up.ZOE,))
    connection.close()
    _, both = handed(course, 5)
    assert [one["moodle_id"] for one in both["courses"]] == [2, 3]
    _, one = handed(course, 5, "--course", 3)
    assert [row["moodle_id"] for row in one["courses"]] == [3]
    assert one["tables"]["events"] == [] and one["tables"]["forum_posts"] == []


def test_what_files_said_is_shown_as_they_said_it(tmp_path):
    path = tmp_path / "moodle.db"
    connection = schema.open_database(path).conn
    said = [("Zoë", "Müller", "zoe@x.edu", "Online"), ("Al", "& Co", "al@x.edu", "")]
    load(connection, write_log(tmp_path / "log.csv", [viewed_course("14/02/16, 10:00:00", key) for key in (5, 20)]))
    load(connection, write_participants(tmp_path / "people.csv", said))
    connection.close()
    page, data = handed(path, "zoe@x.edu")
    assert {row["file"] for row in data["said"]} == {"log.csv", "people.csv"}
    assert "zoe@x.edu" in page and "al@x.edu" not in page


def test_who_is_not_here_is_said(course):
    result = coursette("export-student", "Nobody Here", "--db", course, "--out", course.parent)
    assert result.exit_code == 1 and "give Moodle's id" in result.output
    assert list(course.parent.glob("student-*")) == []


def test_blog_posts_are_in_it_with_what_was_guessed_of_them(tmp_path):
    page, data = handed(made_up_posts.small(tmp_path / "moodle.db"), 5)
    assert len(data["tables"]["blog_posts"]) == 6
    assert "I hate this &lt;b&gt;task&lt;/b&gt;." in page and "Positive (%)" not in page  # nothing of it is known


# ---- From the page ----


async def test_the_student_page_has_it_as_a_download_and_it_is_recorded(course):
    noted_zoe(course)
    datasette = instance(course)
    page = (await get(datasette, "/-/student?course=2&user=5")).text
    (action,) = re.findall(r'<form class="hand-over" action="([^"]+)"', page)
    address = action.replace("&amp;", "&")
    answer = await post(datasette, address, {"form": "html"}, TEACHER)
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="student-5.html"'
    assert answer.headers["cache-control"] == "private, no-store"
    assert "What is held of Zoë Müller" in answer.text and "left out of this file" in answer.text
    data = (await post(datasette, address, {"form": "json", "notes": "1"}, TEACHER)).json()
    assert [note["text"] for note in data["notes"]["notes"]] == ["Müller rang me"]
    looks = rows(recorded(datasette), "select student from look_ups where what = 'export-student'")
    assert looks == [("5",)] * 2


async def test_it_is_for_teachers_and_by_hand_only(course):
    datasette = instance(course)
    address = "/-/export-student?course=2&person=1&db=moodle"
    assert (await get(datasette, address)).status_code == 405
    assert (await post(datasette, address, {}, None)).status_code in (302, 401, 403)
    assert (await post(datasette, address, {}, {**COLLEAGUE, "role": "tutor"})).status_code == 403
    gone = await post(datasette, "/-/export-student?course=2&person=77&db=moodle", {}, TEACHER)
    assert gone.status_code == 404


async def test_who_looked_is_for_the_owner_of_the_record(course):
    noted_zoe(course)
    other = {"id": "other", "owner": False, "role": "teacher"}
    datasette = instance(course)
    answer = await post(
        datasette, "/-/export-student?course=2&person=1&db=moodle", {"form": "json", "notes": "1"}, other
    )
    assert answer.status_code == 200
    assert (answer.json()["looks"], answer.json()["notes"]) == (None, None)
