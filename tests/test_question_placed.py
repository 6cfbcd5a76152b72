"""`coursette query new --from EXISTING --show ...`: Coursette's questions on the student page and on Moodle's."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from loaders import activity_numbers, question_check, question_files, question_placed, steps
from loaders.cli import cli
from loaders.placing import Answer
from tests import made_up
from tests.catalogue import DATABASES

MODEL = DATABASES["moodle"]
BUILT_IN = steps.questions(MODEL)


@pytest.fixture(scope="module")
def db(tmp_path_factory) -> Path:
    return made_up.small(tmp_path_factory.mktemp("placed") / "moodle.db")


def asked(conn, sql: str, params, **given: str) -> list[dict]:
    cursor = conn.execute(sql, {**dict.fromkeys(params, ""), **given})
    return [dict(zip([column for column, *_ in cursor.description], row, strict=True)) for row in cursor]


def placed(conn, name: str, show: str, number: str | None = None) -> question_files.Question:
    text = question_placed.copy_of(conn, name, MODEL, show, number)
    question = question_files.parse(text, Path("mine.sql"), MODEL)
    assert question.show == show and question_check.check(conn, question).problem is None
    return question


def test_every_question_with_rows_about_students_has_those_of_one_as_a_panel(db):
    shown = set()
    with question_check.opened(db) as conn:
        for name, query in BUILT_IN.items():
            rows = asked(conn, query["sql"], query["params"], course="2")
            if "person" not in question_placed._columns(conn, query):
                continue
            mine = placed(conn, name, "student")
            for person in {row["person"] for row in rows if row["person"]}:
                hers = asked(conn, mine.sql, mine.params, course="2", person=str(person))
                wanted = [row for row in rows if row["person"] == person]
                assert hers == [{column: row[column] for column in hers[0]} for row in wanted], name
                shown.add(name)
    assert {"student_profile", "away", "before_due"} <= shown and len(shown) > 8


@pytest.mark.parametrize(("name", "number"), [("resource_usage", "students_pct"), ("activities_ranked", "rank")])
def test_a_column_is_the_number_of_each_activity(db, name, number):
    with question_check.opened(db) as conn:
        mine = placed(conn, name, "activity", number)
        rows = asked(conn, BUILT_IN[name]["sql"], BUILT_IN[name]["params"], course="2")
        found = asked(conn, mine.sql, mine.params, course="2")
    answer = Answer("mine", "mine.sql", "Mine", columns=list(found[0]), rows=[list(row.values()) for row in found])
    numbers = {cmid: each["number"] for cmid, each in activity_numbers.by_activity(answer).items()}
    assert numbers == {str(row["cmid"]): row[number] for row in rows if row[number] is not None} and numbers
    assert {"group", "from_week", "to_week"} <= set(mine.params), "so it follows what is chosen on the page"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from", "weeks", "--show", "student"], "“weeks” has no rows about students"),
        (["--from", "away", "--show", "activity", "--number", "clicks"], "“away” has no rows about activities"),
        (["--from", "resource_usage", "--show", "activity", "--number", "student"], "did you mean “students”?"),
        (["--from", "resource_usage", "--show", "activity"], "it has name, kind, section, clicks, students"),
        (["--from", "nothing", "--show", "student"], "“nothing” is no question of Coursette's own"),
        (["--show", "student"], "--show goes with --from"),
        (["--from", "away", "--number", "clicks"], "--number with --show activity"),
    ],
)
def test_what_cannot_be_shown_is_said(db, tmp_path, words, said):
    where = ["--db", str(db), "--queries", str(tmp_path / "queries")]
    result = CliRunner().invoke(cli, ["query", "new", "mine", *words, *where])
    assert result.exit_code and said in result.output and not list(tmp_path.glob("queries/*"))


def test_the_command_writes_one_that_checks(db, tmp_path):
    where = ["--db", str(db), "--queries", str(tmp_path / "queries")]
    words = ["--from", "resource_usage", "--show", "activity", "--number", "students"]
    result = CliRunner().invoke(cli, ["query", "new", "used", *words, *where])
    assert result.exit_code == 0, result.output
    result = CliRunner().invoke(cli, ["query", "check", "used", *where])
    assert result.exit_code == 0 and "shown as" in result.output
