"""The command as a teacher types it: what it prints, and its exit status."""

from __future__ import annotations

import sqlite3

import pytest
from click.testing import CliRunner, Result
from exports import assigned, viewed_course, viewed_page, write, write_log, write_participants

from loaders.cli import cli

LOG = [
    viewed_page("29/02/16, 10:30:00", 5),
    assigned("13/02/16, 09:00:00", 5),
    viewed_course("13/02/16, 07:00:00", 3),
]


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def coursette(*words: str) -> Result:
        return CliRunner().invoke(cli, [str(word) for word in words])

    return coursette


def test_load_says_for_each_file_what_it_took_once_all_are_matched(run, tmp_path):
    roster = write_participants(tmp_path / "people.csv", [("Zo\u00eb", "M\u00fcller", "zoe@x.org", "")])
    result = run("load", "--timezone", "UTC", roster, write_log(tmp_path / "logs.csv", LOG))
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0] == "people.csv: participants: 1 rows read, 1 new, 0 already there, 0 not matched"
    assert lines[1] == "logs.csv: course log: 3 rows read, 3 new, 0 already there, 0 not matched"
    assert any(line.startswith("Still missing for the best result in ") for line in lines)


def test_a_bad_file_is_exit_1_and_the_others_are_taken(run, tmp_path):
    (tmp_path / "empty.csv").write_bytes(b"")
    result = run("load", "--timezone", "UTC", "empty.csv", "nowhere.csv", write_log(tmp_path / "logs.csv", LOG))
    assert result.exit_code == 1
    assert "empty.csv: " in result.output
    assert "nowhere.csv: " in result.output
    assert "logs.csv: course log: 3 rows read, 3 new" in result.output


def test_an_unknown_file_in_a_folder_is_no_failure_but_a_named_one_is(run, tmp_path):
    folder = tmp_path / "Downloads"
    folder.mkdir()
    write(folder / "shopping.csv", [["milk", "eggs"], ["1", "2"]], encoding="utf-8")
    write_log(folder / "logs.csv", LOG)
    assert run("load", "--timezone", "UTC", folder).exit_code == 0
    assert run("load", "--timezone", "UTC", folder / "shopping.csv").exit_code == 1


@pytest.mark.parametrize(
    "words", [["load"], ["load", "x.csv", "--date-order", "ydm"], ["load", "x.csv", "--site", "moodle"], ["nonsense"]]
)
def test_wrong_usage_is_exit_2(run, words):
    assert run(*words).exit_code == 2


def test_check_says_what_a_load_would_do_and_leaves_no_file(run, tmp_path):
    result = run("load", "--check", "--timezone", "UTC", write_log(tmp_path / "logs.csv", LOG))
    assert "3 new" in result.output
    assert "Nothing was written (--check)." in result.output
    assert not (tmp_path / "moodle.db").exists()


def test_status_and_unload(run, tmp_path):
    run("load", "--timezone", "UTC", write_log(tmp_path / "logs.csv", LOG))
    status = run("status").output
    assert "3 log lines" in status
    assert "/user/index.php?id=2&perpage=5000" in status
    assert run("unload", "1").output == "Load 1 (logs.csv) is taken back.\n"
    assert run("unload", "1").exit_code == 1
    assert "Nothing is loaded yet" in run("status").output


def test_status_without_a_database_says_how_to_make_one(run):
    result = run("status")
    assert result.exit_code == 1
    assert "coursette load" in result.output


def test_people_of_another_course_than_was_said_may_be_a_slip(run, tmp_path):
    everybody = [viewed_page("29/02/16, 10:30:00", user) for user in (5, 20)]
    everybody += [assigned("13/02/16, 09:00:00", user) for user in (5, 20)] + [viewed_course("13/02/16, 07:00:00", 3)]
    run("load", "--timezone", "UTC", write_log(tmp_path / "logs.csv", everybody))
    people = [("Zo\u00eb", "M\u00fcller", "zoe@x.org", ""), ("Al", "& Co", "al@x.org", "")]
    result = run("load", "--course", "99", write_participants(tmp_path / "people.csv", people))
    assert result.exit_code == 0
    assert "its people are those of course 2: if --course 99 was a slip, `coursette unload 2`" in result.output


def test_every_command_has_help(run):
    for name in cli.commands:
        result = run(name, "--help")
        assert result.exit_code == 0
        assert cli.commands[name].help


@pytest.mark.parametrize(
    "words",
    [
        "calendar", "calendar --show", "calendar calendar.toml", "blogs status", "blogs fetch",
        "blogs add --student zoe@x.org https://zoe.example.org/", "blogs add --profile-field Campus",
        "blogs remove https://sam.example.org/", "blogs add blogs.csv",
    ],
)  # fmt: skip
def test_every_connection_is_closed(run, tmp_path, monkeypatch, words):
    people = write_participants(tmp_path / "people.csv", [("Sam", "Lee", "sam@x.org", "")])
    blogs = write(tmp_path / "blogs.csv", [["Email", "Blog"], ["sam@x.org", "https://sam.example.org/"]])
    (tmp_path / "calendar.toml").write_text("course = 2\nweek_1 = 2016-03-02\nlast_week = 9\n")
    assert run("load", "--timezone", "UTC", write_log(tmp_path / "logs.csv", LOG), people).exit_code == 0
    assert run("blogs", "add", blogs).exit_code == 0
    if words == "blogs fetch":
        assert run("blogs", "remove", "https://sam.example.org/").exit_code == 0
    opened, connect = [], sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **more: opened.append(connect(*args, **more)) or opened[-1])
    assert run(*words.split()).exit_code == 0
    assert opened
    for connection in opened:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("select 1")
