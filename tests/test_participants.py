"""The participants download, and who is known by which columns; no small file is taken for another kind."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sheet import FOLDER, made, opened

from loaders import (
    activity_completion,
    course_completion,
    forum_posts,
    grades,
    groups,
    headings,
    participants,
)
from loaders.errors import Unreadable
from loaders.identity import NO_ZEROS
from loaders.times import Clock

CLOCK = Clock("Australia/Brisbane")
READERS = (activity_completion, course_completion, forum_posts, grades, groups, participants)


def claims(sheet):
    """Everything the reader says of a sheet, as JSON would keep it."""
    reading = participants.read(sheet, CLOCK)
    found = list(reading.claims)
    assert json.loads(json.dumps(found)) == found
    return found, reading


def test_rows():
    found, reading = claims(opened("participants.csv"))
    assert found[0] == {
        "noun": "person",
        "line": 2,
        "person": {"email": "w1012604@student.example.edu", "firstname": "Mohammed", "lastname": "Al-Fāris"},
        "in_course": True,
        "report": "participants",
        "groups": [{"name": "Online"}, {"name": "Springfield"}],
    }
    assert found[1]["groups"] == []
    people = [(claim["person"]["firstname"], claim["person"]["lastname"]) for claim in found]
    assert people[2:] == [
        ('=HYPERLINK("x")', "Formula"),
        ("Sam", "Lee"),
        ("Sam", "Lee"),
        ("Padded", "Name"),
        ("Null", "Null"),
        ("Siobhán", "O'Brien"),
        ("Robert, Jr.", "Smythe-Jones"),
        ('Ann "Nan"', "de la Cruz"),
    ]
    assert (reading.kind, reading.course, reading.newest_utc, reading.notes) == ("participants", {}, None, [])


def test_all_identity_fields():
    found, _ = claims(opened("participants_identity.csv"))
    assert found[1] == {
        "noun": "person",
        "line": 3,
        "person": {
            "email": "w1013455@student.example.edu",
            "idnumber": "001013455",
            "username": "w1013455",
            "firstname": "Bronwyn",
            "lastname": "Anderson",
        },
        "in_course": True,
        "report": "participants",
        "groups": [{"name": "Toowoomba"}],
        "details": {
            "Phone": "+61 7 4631 2254",
            "City/town": "Dalby, QLD",
            "Country": "AU",
            "Program": "B.Ed (Secondary), Hons",
        },
    }


def test_keys_of_a_json_download():
    found, _ = claims(
        made(
            ["firstname", "lastname", "idnumber", "emailaddress", "citytown", "groups"],
            ["Zoë", "Müller", "001012345", "w1012345@student.example.edu", "Zürich", ""],
            format="json",
        )
    )
    assert found == [
        {
            "noun": "person",
            "line": 2,
            "person": {
                "email": "w1012345@student.example.edu",
                "idnumber": "001012345",
                "firstname": "Zoë",
                "lastname": "Müller",
            },
            "in_course": True,
            "report": "participants",
            "groups": [],
            "details": {"City/town": "Zürich"},
        }
    ]


@pytest.mark.parametrize(
    "header",
    [
        ["Vorname", "Nachname", "E-Mail-Adresse", "Gruppen"],
        ["Prénom", "Nom", "Adresse de courriel", "Groupes"],
        ["Имя", "Фамилия", "Адрес электронной почты", "Группы"],
        ["名", "姓", "メールアドレス", "グループ"],
        ["Vorname", "Nachname", "Something new", "Gruppen"],
        ["Jina la kwanza", "Jina la mwisho", "Barua pepe", "Vikundi"],  # in no list here: known by its shape
    ],
)
def test_other_languages(header):
    sheet = made(header, ["Zoë", "Müller", "w1012345@student.example.edu", "Online, Abend"])
    assert [module for module in READERS if module.recognise(sheet)] == [participants]
    found, _ = claims(sheet)
    assert found[0]["person"] == {
        "email": "w1012345@student.example.edu",
        "firstname": "Zoë",
        "lastname": "Müller",
    }
    assert found[0]["groups"] == [{"name": "Online"}, {"name": "Abend"}]


def test_last_name_first():
    found, _ = claims(made(["Nom", "Prénom", "Adresse de courriel", "Groupes"], ["Müller", "Zoë", "zoe@x.example", ""]))
    assert found[0]["person"] == {"email": "zoe@x.example", "firstname": "Zoë", "lastname": "Müller"}


def test_groups_hidden():
    sheet = made(
        ["First name", "Last name", "ID number", "Email address", "City/town"],
        ["Zoë", "Müller", "0042", "zoe@x.example", "Zürich"],
    )
    assert participants.recognise(sheet)
    found, _ = claims(sheet)
    assert "groups" not in found[0]
    assert found[0]["details"] == {"City/town": "Zürich"}


def test_a_comma_in_a_group_name_is_not_hidden():
    header = ["First name", "Last name", "Email address", "Groups"]
    found, reading = claims(
        made(header, ["A", "B", "a@x.example", "Online, evening"], ["C", "D", "c@x.example", "Online"])
    )
    assert found[0]["groups"] == [{"name": "Online"}, {"name": "evening"}]
    assert len(reading.notes) == 1
    assert reading.notes[0].startswith("nobody is in “evening” only: a group that has “, ” in its own name")


class TestZeros:
    HEADER = ("First name", "Last name", "ID number", "Email address", "Groups")

    def person(self, idnumber: str, resaved: bool):
        sheet = made(list(self.HEADER), ["A", "B", idnumber, "a@x.example", ""], resaved=resaved)
        found, reading = claims(sheet)
        return found[0]["person"].get("idnumber"), reading.notes

    def test_stay(self):
        assert self.person("001012345", resaved=False) == ("001012345", [])
        assert self.person("001012345", resaved=True) == ("001012345", [])
        assert self.person("1012345", resaved=False) == ("1012345", [])

    def test_may_have_gone(self):
        assert self.person("1012345", resaved=True) == (None, [NO_ZEROS])
        assert self.person("1,01E+06", resaved=True) == (None, [NO_ZEROS])

    def test_cannot_have_gone(self):
        assert self.person("s1012345", resaved=True) == ("s1012345", [])


KINDS = {
    "choice_report.txt": None,
    "completion.csv": activity_completion,
    "completion_5_1.csv": activity_completion,
    "completion_excel.csv": activity_completion,
    "completion_identity.csv": activity_completion,
    "course_completion.csv": course_completion,
    "feedback_responses.csv": None,
    "forum.csv": forum_posts,
    "forum_empty.csv": forum_posts,
    "forum_human.csv": forum_posts,
    "forum_summary_report.csv": None,
    "forum_summary_report_course.csv": None,
    "grade_history.csv": None,
    "grades.csv": grades,
    "grades_feedback.txt": grades,
    "groups.csv": groups,
    "log.csv": None,
    "participants.csv": participants,
    "participants_identity.csv": participants,
    "quiz_overview_12.csv": None,
    "quiz_responses_12.csv": None,
    "scorm_report.csv": None,
}


def test_every_fixture_is_in_the_table():
    assert sorted(KINDS) == sorted(path.name for path in FOLDER.iterdir())


@pytest.mark.parametrize("name, reader", KINDS.items())
def test_each_file_is_of_one_kind(name, reader):
    sheet = opened(name)
    assert [module for module in READERS if module.recognise(sheet)] == ([reader] if reader else [])


@pytest.mark.parametrize("name", KINDS)
def test_only_the_header(name):
    """A download of nobody is of no other kind than one with people."""
    whole = opened(name)
    empty = made(whole.header, format=whole.format)
    assert [module for module in READERS if module.recognise(empty)] in ([], [KINDS[name]])


ODD_CELLS = """
-|First name|Last name|Grouping|Group|Groups|ID|id|Name|Email address|a@x.example|Quiz
Quiz - Completion date|7,5|Quiz: Test (Real)|Course total (Real)|(Real)|()|12. Okt|007
999999999999999999999999999999|፩፪|Completed|message|Completed (set by )|2016-03-01 00:36:06
0001-01-01 00:00:00|5/3/26, 10:00|discussion|parent|userid|created|modified|subject|Suspended
1795343200|Not in a grouping|Not in a group|\0|<p>x|&#0;
"""
CELLS = st.sampled_from([cell for line in ODD_CELLS.strip().splitlines() for cell in line.split("|")])


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 9).flatmap(lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1)))
def test_any_table_gives_claims_or_a_sentence(rows):
    sheet = made(*rows)
    for module in READERS:
        if module.recognise(sheet):
            try:
                json.dumps(list(module.read(sheet, Clock("UTC")).claims))
            except Unreadable as error:
                assert str(error)


def test_words_are_not_in_two_lists_that_matter():
    for one, other in (
        ("firstname", "idnumber"),
        ("email", "username"),
        ("groups", "grouping"),
        ("email", "groups"),
    ):
        assert not headings.WORDS[one] & headings.WORDS[other]
    assert headings.detail_name("Stadt/Ort") == headings.detail_name("citytown") == "City/town"
    assert headings.name_columns(["Nom", "Cognoms"]) == (0, 1)
    assert headings.name_columns(["Nom", "Prénom"]) == (1, 0)


def test_languages_that_write_a_short_year_first():
    assert headings.year_first(["時間", "ユーザフルネーム", "影響を受けるユーザ"])
    assert headings.year_first(["Ordua", "Erabiltzailearen izen osoa"])
    assert not headings.year_first(["Time", "User full name", "Affected user"])
    assert not headings.year_first(["时间", "用户全名"])
