"""A question's file: what it says becomes a query, and what is wrong is said with file, line and remedy."""

from __future__ import annotations

import os
import sqlite3
import time

import pytest

from loaders import question_files
from loaders.errors import Unreadable

MODEL = {
    "steps": "the_course as (\n  select 2 as id where :course in ('', '2') and :site in ('', 'm')\n),\n"
    "chosen as (\n  select id from the_course where :group = ''\n)",
    "queries": {"weeks": {}},
    "tables": {"people": {}},
}
GUIDE = """-- title: Who has opened the study guide?
-- question: One row per student, and no promise.
-- parameters:
--   course:
--   activity: {label: The guide, choices: activity}
--   weeks: {label: In the last weeks, default: 3}
--   mode: {default: "it's on", hint: on}
-- chart: {mark: bar, x: clicks, y: fullname, words: {clicks: pages opened}}
-- aggregate: students

-- only a remark; not :a_parameter
select id, ':text' as x, :activity as a, :weeks + 1 as w, :mode as m /* ; :no */
from chosen;
"""


def written(folder, text: str | bytes, name: str = "guide.sql"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_file_is_a_query_as_metadata_yml_has_them(tmp_path):
    question = question_files.read(written(tmp_path, GUIDE), MODEL)
    query = question.query
    assert (question.name, question.line, question.title) == ("guide", 12, "Who has opened the study guide?")
    assert query["params"] == ["course", "activity", "weeks", "mode", "group", "site"]
    assert query["words"] == {"activity": "The guide", "weeks": "In the last weeks"}
    assert query["hints"] == {"weeks": "3", "mode": "on"} and query["choices"] == {"activity": "activity"}
    assert query["heading"] == "My questions" and query["aggregate"] == "students" and query["file"] == "guide.sql"
    assert query["chart"] == {"mark": "bar", "x": "clicks", "y": "fullname", "words": {"clicks": "pages opened"}}


@pytest.mark.parametrize(
    ("given", "row"),
    [
        ({}, (2, ":text", "", 4, "it's on")),
        ({"weeks": "7", "mode": "off", "activity": "5"}, (2, ":text", "5", 8, "off")),
    ],
)
def test_defaults_stand_for_what_is_left_empty_and_steps_are_written_in(tmp_path, given, row):
    question = question_files.read(written(tmp_path, GUIDE), MODEL)
    values = {**dict.fromkeys(question.params, ""), **given}
    assert sqlite3.connect(":memory:").execute(question.sql, values).fetchall() == [row]


@pytest.mark.parametrize(
    "text",
    [
        "select 1 as n",
        "select 1 as n -- one",
        "\n\n-- title: One\nselect 1 as n ; ;\n-- the end",
        "\ufeffselect 1 as n\r\n",
    ],
)
def test_a_head_is_not_needed_and_what_follows_the_statement_is_left_out(tmp_path, text):
    question = question_files.read(written(tmp_path, text), MODEL)
    assert question.sql == "select 1 as n" and question.title in ("One", "Guide")


def test_words_that_yaml_takes_for_something_else_are_text(tmp_path):
    text = "-- title: no\n-- description: 2026-03-02\n-- parameters: {a: on}\nselect :a as a"
    question = question_files.read(written(tmp_path, text), MODEL)
    assert (question.title, question.description, question.parameters[0].default) == ("no", "2026-03-02", "on")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("-- titel: x\nselect 1", 1, "did you mean “title”?"),
        ("-- title: x\n-- allow: {id: '*'}\nselect 1", 2, "there are title"),
        ("-- title: [x]\nselect 1", 1, "takes a text"),
        ("-- title: 5\nselect 1", 1, "in quotes"),
        ("-- title: a: b\nselect 1", 1, "quotes"),
        ("-- title: x\n-- title: y\nselect 1", 2, "twice"),
        ("-- Who has it?\nselect 1", 1, "key: value"),
        ("-- title: x\n-- chart: {mark: pie, x: a, y: b}\nselect 1", 2, "bar, line"),
        ("-- title: x\n-- chart: {mark: heat, x: a, y: b}\nselect 1", 2, "column for value"),
        ("-- chart: {mark: bar, x: a, y: b, hue: c}\nselect 1", 1, "“hue”"),
        ("-- chart: {mark: bar, x: a, y: b\nselect 1", 1, "closed"),
        ("-- question: a\n-- description: b\nselect 1", 1, "keep one"),
        ("-- show: everywhere\nselect 1", 1, "student or activity"),
        ("-- show: student\nselect :course", 1, ":person"),
        ("-- parameters:\n--   course:\n--   a: {lable: x}\nselect :a, :course", 3, "did you mean “label”?"),
        ("-- parameters:\n--   a: {choices: planets}\nselect :a", 2, "one of course, group"),
        ("-- parameters:\n--   a: {choices: []}\nselect :a", 2, "as in [low, high]"),
        ("-- parameters:\n--   a:\n--     choices: [{b: c}]\nselect :a", 3, "as in [low, high]"),
        ("-- parameters:\n--   a: {default: -1}\nselect :a", 2, "from 0"),
        ("-- parameters:\n--   a: {default: .nan}\nselect :a", 2, "from 0"),
        ("-- parameters:\n--   _actor_id:\nselect :_actor_id", 2, "lower-case"),
        ("-- parameters:\n--   weeks:\nselect 1,\n:week", 4, "did you mean “weeks”?"),
        ("-- parameters:\n--   weeks:\nselect 1", 2, "no :weeks"),
        ("select 1,\n  :_cookie_ds_actor", 2, "no parameter"),
        ("select ?", 1, "no parameter"),
        ("select $a", 1, "no parameter"),
        ("-- title: x\n\nselect 1;\n-- and\ndrop table people", 5, "one statement"),
        ("select ';' /* ; */; select 2", 1, "one statement"),
        ("-- title: x\ndelete from people", 2, "starts with select"),
        ("pragma table_info(people)", 1, "starts with select"),
        ("select 1,\n  name from main.sqlite_master", 2, "SQLite's own"),
        ("select 1,\n  name from 'SQLite_Schema'", 2, "SQLite's own"),
        ("select *\nfrom pragma_table_info('people')", 2, "SQLite's own"),
        ("select\nload_extension('x')", 2, "SQLite's own"),
        ("-- title: x\n", 2, "no SQL"),
        ("", 1, "no SQL"),
        (b"-- title: x\n-- description: caf\xe9\nselect 1", 2, "UTF-8"),
        ("select 1,\n'\0'", 2, "NUL"),
        ("-- title: &a x\n-- description: *a\nselect 1", 1, "write values out"),
        ("-- title: !!python/name:os.system x\nselect 1", 1, "write values out"),
        ("-- chart: " + "[" * 7000 + "\nselect 1", 1, "nested"),
        ("-- " + "- " * 3500 + "\nselect 1", 1, "nested"),
        ("-- " + "? " * 3500 + "\nselect 1", 1, "nested"),
        ("-- parameters: {a: " + "9" * 7000 + "}\nselect :a", 1, "number"),
        ("-- description: " + "x" * 11_000 + "\nselect 1", 1, "longer than"),
        ("-- title: \x07\nselect 1", 1, "character"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence_with_file_and_line(tmp_path, text, line, said):
    with pytest.raises(Unreadable) as wrong:
        question_files.read(written(tmp_path, text), MODEL)
    sentence = str(wrong.value)
    assert wrong.value.line == line and sentence.startswith(f"guide.sql, line {line}: ") and said in sentence
    assert "\n" not in sentence and sentence[-1] in ".?" and wrong.value.path.name == "guide.sql"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("weeks.sql", "as in my_weeks.sql"),
        ("people.sql", "is a table"),
        ("Guide.sql", "lower-case"),
        ("a b.sql", "lower-case"),
    ],
)
def test_a_name_is_an_address_that_nothing_else_has(tmp_path, name, said):
    with pytest.raises(Unreadable, match=said) as wrong:
        question_files.read(written(tmp_path, "select 1", name), MODEL)
    assert wrong.value.line is None


def test_no_file_from_elsewhere_no_pipe_and_no_large_one(tmp_path):
    inside = tmp_path / "queries"
    inside.mkdir()
    (inside / "away.sql").symlink_to(written(tmp_path, "select 1", "secret.sql"))
    (inside / "gone.sql").symlink_to(inside / "nothing")
    (inside / "round.sql").symlink_to(inside / "round.sql")
    (inside / "folder.sql").mkdir()
    os.mkfifo(inside / "pipe.sql")
    written(inside, "select 1 --" + "x" * question_files.MOST_BYTES, "large.sql")
    written(inside, GUIDE)
    questions, problems = question_files.folder(inside, MODEL)
    said = {problem.path.name: problem.sentence for problem in problems}
    assert [question.name for question in questions] == ["guide"] and len(said) == 6
    assert all("leads elsewhere" in said[name] for name in ("away.sql", "folder.sql", "pipe.sql"))
    assert "100 KB" in said["large.sql"] and "cannot be opened" in said["gone.sql"]


def test_a_folder_is_read_again_where_a_file_has_changed_and_a_bad_one_hides_no_other(tmp_path):
    assert question_files.folder(tmp_path / "none", MODEL) == ([], [])
    for name in ("b.sql", "a.sql", ".b.sql.swp", "#c.sql#", "notes.txt", ".hidden.sql"):
        written(tmp_path, "select 1", name)
    written(tmp_path, "selekt 1", "c.sql")
    questions, problems = question_files.folder(tmp_path, MODEL)
    assert [question.name for question in questions] == ["a", "b"] and [one.path.name for one in problems] == ["c.sql"]
    time.sleep(0.06)
    questions, _ = question_files.folder(tmp_path, MODEL)
    again, _ = question_files.folder(tmp_path, MODEL)
    assert all(one is other for one, other in zip(questions, again, strict=True))
    written(tmp_path, "select 22", "a.sql")
    (tmp_path / "b.sql").unlink()
    written(tmp_path, "select 1 as n", "c.sql")
    questions, problems = question_files.folder(tmp_path, MODEL)
    assert [(one.name, one.text) for one in questions] == [("a", "select 22"), ("c", "select 1 as n")] and not problems


def test_a_folder_that_cannot_be_opened_is_a_problem_and_no_error(tmp_path, monkeypatch):
    def refused(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "listdir", refused)
    questions, (problem,) = question_files.folder(tmp_path, MODEL)
    assert not questions and "cannot be opened (Permission denied)" in str(problem)
