"""A teacher's own questions as numbers beside the activities of a Moodle page, in the answer of /-/usage.json."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loaders import accounts, tokens
from tests import made_up
from tests.visit import TEACHER, get, instance

TUTOR = {"id": "tutor", "owner": False, "role": "tutor", "groups": ["Online"]}
OPENED = """-- title: Opened <img onerror=alert(1)>
-- show: activity
-- parameters: [course, group, from_week, to_week]
select
  activities.cmid,
  coalesce(activity_use.students, 0) as number,
  'of <img onerror=alert(2)>' as words
from the_course
join activities on activities.course_id = the_course.id
left join activity_use on activity_use.activity_id = activities.id
"""
ASKED = """-- show: activity
-- parameters: [course, group, student, person]
select cmid, 1 as number, :group || '|' || :student || '|' || :person as words
from activities
where cmid = 10 and :course
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    made_up.small(tmp_path / "moodle.db")
    (tmp_path / "queries").mkdir()
    return tmp_path / "queries"


def put(folder: Path, **questions: str) -> None:
    for name, text in questions.items():
        (folder / f"{name}.sql").write_text(text, encoding="utf-8")


async def answer(folder: Path, filters: str = "", actor: dict = TEACHER) -> dict:
    response = await get(instance(folder.parent / "moodle.db"), f"/-/usage.json?course=2{filters}", actor)
    assert response.status_code == 200, response.text
    return response.json()


async def numbers(folder: Path, filters: str = "") -> dict[str, dict]:
    return {each["name"]: each for each in (await answer(folder, filters))["numbers"]}


# As many rows as asked for, or without an end.
COUNTED = "(with recursive n(i) as (values (1) union all select i + 1 from n limit {most}) select * from n)"


def select(row: str) -> str:
    return f"-- show: activity\n-- parameters: [course]\nselect {row} where :course = '2'"


async def test_a_number_for_each_activity_with_words_as_they_are(folder):
    put(folder, opened=OPENED)
    (found,) = (await answer(folder))["numbers"]
    assert (found["name"], found["title"], found["error"]) == ("opened", "Opened <img onerror=alert(1)>", None)
    assert {cmid: row["number"] for cmid, row in found["activities"].items()} == {
        "10": 3, "11": 3, "12": 0, "13": 1, "14": 0, "15": 0,
    }  # fmt: skip
    assert found["activities"]["10"]["words"] == "of <img onerror=alert(2)>", "the page escapes"
    assert (found["honoured"], found["ignored"]) == ([], [])


async def test_numbers_follow_the_filters_that_they_have_parameters_for(folder):
    put(folder, opened=OPENED, asked=ASKED)
    found = await numbers(folder, "&group=7&from_week=1&to_week=1")
    assert found["opened"]["honoured"] == ["group", "from_week", "to_week"] and found["opened"]["ignored"] == []
    usage = (await answer(folder, "&group=7&from_week=1&to_week=1"))["activities"]
    for cmid, row in found["opened"]["activities"].items():
        assert row["number"] == (usage[cmid]["students"] or 0)
    assert (found["asked"]["honoured"], found["asked"]["ignored"]) == (["group"], ["from_week", "to_week"])


@pytest.mark.parametrize(
    ("filters", "words", "ignored"),
    [
        ("&group=7", "7||", []),
        ("&group=7&group=Toowoomba", '["7", "Toowoomba"]||', []),
        ("&group=7&group=Toowoomba&together=all", "||", ["group"]),
        ("&student=5", "|5|1", []),
        (f"&person={made_up.NEW}", f"||{made_up.NEW}", []),
    ],
)
async def test_what_a_question_is_asked(folder, filters, words, ignored):
    put(folder, asked=ASKED)
    found = (await numbers(folder, filters))["asked"]
    assert (found["activities"]["10"]["words"], found["ignored"]) == (words, ignored)


async def test_a_student_whom_the_question_cannot_name_is_said_to_be_ignored(folder):
    by_id = ASKED.replace(", person]", "]").replace(" || '|' || :person", "")
    put(folder, asked=by_id)
    assert (await numbers(folder, f"&person={made_up.NEW}"))["asked"]["ignored"] == ["student"]
    assert (await numbers(folder, "&student=5"))["asked"]["honoured"] == ["student"]


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ("10 as cmid, 1 as clicks", "no column “number”"),
        ("10 as cmid, 'many' as number", "“many” is no number"),
        ("10 as cmid, 9e999 as number", "“inf” is no number"),
        ("'x' as cmid, 1 as number", "“x” is no cmid"),
        ("column1 as cmid, 1 as number from (values (10), (10))", "the activity 10 has two rows"),
        (f"i as cmid, 1 as number from {COUNTED.format(most=1500)}", "more than 1,000 rows"),
        ("null as cmid, null as number, 'no log is loaded yet' as note", "no log is loaded yet"),
        ("10 as cmid, nope as number from people", "there is no column “nope”"),
        (f"10 as cmid, count(*) as number from {COUNTED.format(most=-1)}", "stopped after 500 ms"),
    ],
)
async def test_what_is_wrong_is_a_sentence_with_the_file_and_use_is_told_all_the_same(folder, row, error):
    put(folder, wrong=select(row), opened=OPENED)
    told = await answer(folder)
    json.dumps(told, allow_nan=False)
    found = {each["name"]: each for each in told["numbers"]}
    assert found["wrong"]["activities"] == {}
    assert error in found["wrong"]["error"] and found["wrong"]["error"].startswith("wrong.sql")
    assert found["opened"]["activities"]["10"]["number"] == 3 and told["activities"]["10"]["students"] == 3


async def test_an_activity_without_a_number_has_none_and_so_has_one_without_a_cmid(folder):
    put(folder, some=select("column1 as cmid, column2 as number from (values (10, null), (null, 3), (11, 0.5))"))
    assert (await numbers(folder))["some"]["activities"] == {"11": {"number": 0.5, "words": None}}


async def test_names_of_students_stay_off_moodles_pages(folder):
    said = (
        "column1 as cmid, 1 as number, column2 as words from (values (10, 'not yet: zoë müller!'), (11, 'Sam Leeds'))"
    )
    put(folder, named=select(said))
    found = (await numbers(folder))["named"]
    assert found["activities"]["10"] == {"number": 1, "words": None}
    assert found["activities"]["11"]["words"] == "Sam Leeds", "nobody's name"
    assert "named.sql: some of its words name a student" in found["error"]


async def test_a_token_gets_the_numbers_of_its_courses_a_tutor_and_a_stranger_none(folder):
    put(folder, opened=OPENED)
    datasette, private = instance(folder.parent / "moodle.db"), folder.parent / "private"
    assert (await get(datasette, "/-/usage.json?course=2", None)).status_code == 403
    told = await get(datasette, "/-/usage.json?course=2", TUTOR)
    assert (told.status_code, told.json()["numbers"]) == (200, [])
    accounts.make_owner(accounts.private_folder([folder.parent / "moodle.db"]), "teacher")
    for course, status in ((2, 200), (3, 403)):
        record = tokens.make(private, "teacher", [{"site": made_up.SITE, "course": course}])
        headers = {"Authorization": f"Bearer {tokens.text(private, record)}", "Origin": made_up.SITE}
        answer = await datasette.client.get("/-/usage.json?course=2", headers=headers)
        assert answer.status_code == status
        assert [each["name"] for each in answer.json().get("numbers", [])] == ["opened"] * (status == 200)


async def test_without_questions_there_are_no_numbers(folder):
    assert (await answer(folder))["numbers"] == []
    put(folder, broken="-- show: activity\n-- titel: x\nselect 1", other="-- titel: x\nselect 1")
    (broken,) = (await answer(folder))["numbers"]
    assert broken["error"].startswith("broken.sql, line 2: ") and broken["activities"] == {}
