"""What a question would do, and what is wrong with it: the line, and the word that was meant."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from loaders import guard, question_check, question_files
from tests import made_up
from tests.catalogue import DATABASES

MODEL = DATABASES["moodle"]


@pytest.fixture(scope="module")
def db(tmp_path_factory) -> Path:
    return made_up.small(tmp_path_factory.mktemp("check") / "moodle.db")


@pytest.fixture
def checked(db):
    """The check of a text, as if it were the file guide.sql."""

    def of(text: str, **limits) -> question_check.Check:
        question = question_files.parse(text, Path("guide.sql"), MODEL)
        with question_check.opened(db) as conn:
            return question_check.check(conn, question, **limits)

    return of


def test_a_good_question_is_told_by_its_columns_rows_time_and_plan(checked):
    check = checked("-- parameters:\n--   course:\nselect fullname, id as person from chosen order by 1")
    assert check.is_good and check.columns == ("fullname", "person") and check.rows == 6 and not check.is_cut
    assert 0 < check.ms < 1000 and not check.remarks
    assert any("enrolments" in step for step in check.plan) and any(step.startswith("  ") for step in check.plan)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("select\n  fullnam\nfrom people", 2, "no column “fullnam”: did you mean “fullname”?"),
        ("-- title: x\n\nselect p.id,\n  p.emial\nfrom people as p", 4, "did you mean “email”?"),
        ("select id from people where id in (\n  select person from events where\n  person = 1)", 2, "“person”"),
        ("select id as wrong from people\nunion select wrong from groups", 2, "no column “wrong”"),
        ("select fullname from chosen\njoin usage_persom using (id)", 2, "did you mean “usage_person”?"),
        ("select\n  local_tme(1, 2)", 2, "did you mean “local_time”?"),
        ("select fullname,\n  ,\n  email from people", 2, "cannot be read at “,”"),
        ("select fullname, email, from chosen\nwhere id = 1", 1, "cannot be read at “from”"),
        ("with a as (\n  select 1 as n\n),\nb as (select n frm a)\nselect n from b", 4, "cannot be read at “a”"),
        ("select fullname from people\nwhere (id = 1", 2, "too early"),
        ("select people.id, id\nfrom people join groups", 1, "ambiguous"),
        ("select fullname\nfrom people where count(*) > 1", 2, "misuse of aggregate"),
        ("select 'a\nb", 1, "unrecognized token"),
        ("select 1 union\nselect 1, 2", 1, "UNION"),
        ("-- chart: {mark: bar, x: cliks, y: fullname}\nselect fullname, 1 as clicks from chosen", 1, "“clicks”"),
        ("-- aggregate: student\nselect count(*) as students from chosen", 1, "did you mean “students”?"),
        ("-- show: activity\nselect cmid, 1 as n from activities where :course = ''", 1, "a column “number”"),
        ("select hex(zeroblob(30000000))", 1, "too large"),
    ],
)  # fmt: skip
def test_what_sqlite_refuses_is_said_with_the_line_and_what_was_meant(checked, text, line, said):
    check = checked(text)
    assert not check.is_good and said in str(check.problem) and check.problem.line == line, str(check.problem)
    assert str(check.problem).startswith(f"guide.sql, line {line}: ")


def test_a_word_is_found_where_it_is_wrong_and_not_where_it_is_right(checked):
    text = "with a as (select 1 as n)\nselect n from a\nunion select n from people\norder by 1"
    assert checked(text).problem.line == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("with a as (select 1)\ndelete from people", "DELETE"),
        ("with a as (select 1)\ninsert into people (id) select 99", "INSERT"),
        ("with a as (select 1)\nupdate people set id = 2", "UPDATE"),
        ("select 1,\n  fts3_tokenizer('simple')", "fts3_tokenizer"),
        ("select 1\nfrom sqlite_dbpage", "SQLite's own"),
    ],
)
def test_a_question_only_reads(db, checked, text, said):
    before = db.read_bytes()
    try:
        problem = checked(text).problem
        assert said in problem.sentence and problem.line == 2
    except question_files.Wrong as wrong:
        assert said in wrong.sentence and wrong.line == 2
    assert db.read_bytes() == before


def test_no_question_takes_longer_than_its_page_would_be_waited_for(checked):
    start = time.perf_counter()
    check = checked(
        "with recursive n(i) as (select 1 union all select i + 1 from n)\nselect max(i) from n", time_limit_ms=100
    )
    assert "stopped after 0.1 seconds" in check.problem.sentence and time.perf_counter() - start < 3
    check = checked("with recursive n(i) as (select 1 union all select i + 1 from n) select i from n")
    assert check.is_good and check.rows == question_check.MOST_ROWS and check.is_cut
    assert any("first 10,000 rows" in remark for remark in check.remarks)


@pytest.mark.parametrize(
    ("text", "walks"),
    [
        ("select 1 as n,\n  (select count(*) from events as e where e.origin = 'web') as clicks", True),
        ("select 1 as n\nfrom events", True),
        ("select max(clicks)\nfrom usage_person", False),
        ("select count(*)\nfrom people cross join events on events.id = people.id", False),
    ],
)
def test_whoever_walks_through_the_whole_log_is_told_by_whatever_name_it_is_read(checked, text, walks):
    remarks = checked(text).remarks
    assert [remark.startswith("line 2: it walks") for remark in remarks if "`events`" in remark] == [True] * walks


def test_what_is_no_error_and_might_be_better_is_a_remark(checked):
    (remark,) = checked("select fullname from chosen").remarks
    assert "order by" in remark
    said = " ".join(checked("select fullname from people where id = -1").remarks)
    assert "finds nothing" in said and "no course" in said


def test_a_connection_is_left_as_guarded_as_it_was(db):
    with question_check.opened(db) as conn:
        question_check.check(conn, question_files.parse("select 1 as n", Path("n.sql"), MODEL))
        with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
            conn.execute("attach ':memory:' as other")
        with pytest.raises(sqlite3.DatabaseError):
            conn.execute("delete from people")
    assert guard.verdict(24, "x", None, None, None) == guard.REFUSED
