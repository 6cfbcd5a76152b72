"""`coursette query`: begin a question, say what it does, list them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from loaders import question_check, question_files, question_new, steps
from loaders.cli import cli
from tests import made_up
from tests.catalogue import DATABASES

MODEL = DATABASES["moodle"]
BUILT_IN = steps.questions(MODEL)


@pytest.fixture(scope="module")
def db(tmp_path_factory) -> Path:
    return made_up.small(tmp_path_factory.mktemp("querying") / "moodle.db")


@pytest.fixture
def run(db, tmp_path):
    """`coursette query WORDS` about the made-up course, with a folder of its own: (exit status, what it says)."""

    def of(*words: str) -> tuple[int, str]:
        where = ["--db", str(db), "--queries", str(tmp_path / "queries")]
        result = CliRunner().invoke(cli, ["query", *words, *where])
        return result.exit_code, result.output

    return of


@pytest.fixture
def queries(tmp_path) -> Path:
    return tmp_path / "queries"


@pytest.mark.parametrize("template", question_new.TEMPLATES)
def test_each_template_works_as_it_is(run, queries, template):
    status, said = run("new", "mine", "--template", template)
    assert status == 0 and str(queries / "mine.sql") in said and "/moodle/mine" in said
    status, said = run("check", "mine")
    assert status == 0 and "could be better" not in said and " rows in " in said
    assert "does not walk through the log" in said and ("shown as" in said) == (template != "question")


def test_a_question_begins_with_the_template_of_one(run, queries):
    run("new", "mine")
    assert (queries / "mine.sql").read_text(encoding="utf-8") == question_new.template("question")


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_copy_of_any_question_answers_as_that_one_does(db, name):
    text = question_new.copy_of(name, [], MODEL)
    mine = question_files.parse(text, Path("mine.sql"), MODEL)
    theirs = BUILT_IN[name]
    assert mine.sql == theirs["sql"].strip() or mine.sql == theirs["sql"].strip().removesuffix(";")
    said = mine.query
    for key in ("title", "description", "words", "hints", "choices", "chart"):
        assert said.get(key) == theirs.get(key), key
    assert set(said["params"]) == set(theirs["params"])
    with question_check.opened(db) as conn:
        assert question_check.check(conn, mine).is_good


def test_a_copy_of_ones_own_is_the_file_as_it_stands(run, queries):
    run("new", "mine")
    (queries / "mine.sql").write_text("-- title: Mine\n\n-- and a remark\nselect 1 as n\n", encoding="utf-8")
    assert run("new", "other", "--from", "mine")[0] == 0
    assert (queries / "other.sql").read_bytes() == (queries / "mine.sql").read_bytes()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("weeks",), "as in my_weeks.sql"),
        (("../mine",), "no name of a question"),
        (("Mine",), "lower-case letters"),
        (("mine", "--from", "never_opend"), "did you mean “never_opened”?"),
        (("there",), "is there already"),
        (("mine", "--from", "weeks", "--template", "student"), "one without the other"),
    ],
)
def test_what_cannot_begin_says_why_and_writes_nothing(run, queries, words, said):
    queries.mkdir()
    (queries / "there.sql").write_text("select 1 as n", encoding="utf-8")
    status, output = run("new", *words)
    assert status != 0 and said in output and "Traceback" not in output
    assert [file.name for file in queries.iterdir()] == ["there.sql"] and not (queries.parent / "mine.sql").exists()


def test_checking_says_what_is_wrong_with_file_and_line_and_fails(run, queries):
    queries.mkdir()
    (queries / "good.sql").write_text("select id from chosen order by id", encoding="utf-8")
    assert run("check")[0] == 0
    (queries / "bad.sql").write_text("select 1,\n  fullnam from people", encoding="utf-8")
    (queries / "worse.sql").write_text("-- titel: x\nselect 1", encoding="utf-8")
    status, said = run("check")
    assert status == 1 and "good.sql: Good" in said and "PLAN" not in said
    assert "bad.sql, line 2: there is no column “fullnam”: did you mean “fullname”?" in said
    assert "worse.sql, line 1: there is no key “titel” here: did you mean “title”?" in said
    assert run("check", "good")[0] == 0 and run("check", "worse.sql")[0] == 1
    status, said = run("check", "goood")
    assert status == 1 and "did you mean “good”?" in said
    assert "SEARCH" in run("check", "good", "--plan")[1]


def test_listing_has_all_and_what_is_wrong(run, queries):
    assert "begins one" in run("list")[1] and "begins one" in run("check")[1]
    run("new", "mine")
    (queries / "worse.sql").write_text("selekt", encoding="utf-8")
    status, said = run("list")
    assert status == 0 and said.startswith("mine  Who has hardly opened") and "PROBLEM worse.sql, line 1" in said
    assert "never_opened" not in said and "never_opened" in run("list", "--all")[1]


def test_without_a_database_a_file_is_still_read(tmp_path, queries):
    queries.mkdir()
    (queries / "mine.sql").write_text("select 1 as n", encoding="utf-8")
    nowhere = tmp_path / "none.db"
    result = CliRunner().invoke(cli, ["query", "check", "--db", str(nowhere)])
    assert result.exit_code == 0 and "not tried" in result.output and not nowhere.exists()
