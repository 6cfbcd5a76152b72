"""The activity completion and course completion reports: who has done what, when, and said by whom."""

import json

import pytest
from sheet import made, opened

from loaders import activity_completion, course_completion
from loaders.errors import Unreadable
from loaders.states import state_of
from loaders.times import Clock

EMAIL = "w1012604@student.example.edu"


def claims(sheet, module=activity_completion, zone="Australia/Brisbane", order=None):
    """Everything the reader says of a sheet, as JSON would keep it."""
    reading = module.read(sheet, Clock(zone, order))
    found = list(reading.claims)
    assert json.loads(json.dumps(found)) == found
    return found, reading


def test_rows_of_4_5():
    found, reading = claims(opened("completion.csv"))
    assert found[0] == {
        "noun": "columns",
        "activities": [
            {"name": "Course orientation & assessment overview"},
            {"name": "Week 1 learning path: 'Why', what & how?"},
            {"name": "TPACK framework explained"},
            {"name": "eSafety & resources"},
        ],
    }
    person = {"email": EMAIL, "fullname": "Mohammed Al-Fāris"}
    assert found[1:3] == [
        {"noun": "person", "line": 2, "person": person, "in_course": True, "report": "completion"},
        {
            "noun": "completion",
            "line": 2,
            "person": person,
            "cells": [
                ["incomplete", None, None],
                ["complete", "2016-03-13T12:03:38Z", None],
                ["complete", "2016-03-16T03:30:54Z", None],
                ["incomplete", None, None],
            ],
        },
    ]
    assert [claim["person"]["fullname"] for claim in found if claim["noun"] == "person"] == [
        "Mohammed Al-Fāris",
        "Robert, Jr. Smythe-Jones",
        "Ann 'Nan' de la Cruz",
    ]
    assert (reading.kind, reading.newest_utc, reading.notes) == (
        "activity completion",
        "2016-03-19T05:44:51Z",
        [],
    )


def test_the_utf_16_file_says_the_same():
    found, _ = claims(opened("completion_excel.csv"))
    assert [activity["name"] for activity in found[0]["activities"]] == [
        "Course orientation & assessment overview",
        "Week 1 learning path: 'Why', what & how?",
        "eSafety & resources",
    ]
    assert found[2]["cells"][1] == ["complete", "2016-03-13T12:03:38Z", None]


def test_rows_of_5_1():
    found, reading = claims(opened("completion_5_1.csv"))
    assert found[0]["activities"] == [
        {"name": 'Week 1 learning path: "Why", what & how?', "due_utc": "2016-03-10T14:00:00Z"},
        {"name": "Introduce yourself"},
    ]
    assert found[1]["person"]["fullname"] == 'Ann "Nan" de la Cruz'
    assert found[2]["cells"] == [["complete-pass", "2016-03-19T03:57:21Z", None], ["incomplete", None, None]]
    assert found[4]["cells"] == [
        ["complete", "2016-03-19T03:53:58Z", "Marguerite Holloway"],
        ["complete", "2016-03-01T23:15:00Z", None],
    ]
    assert reading.newest_utc == "2016-03-19T03:57:21Z"


def test_identity_columns():
    found, _ = claims(opened("completion_identity.csv"))
    assert found[1] == {
        "noun": "person",
        "line": 2,
        "person": {
            "username": "w1012604",
            "idnumber": "001012604",
            "email": EMAIL,
            "fullname": "Mohammed Al-Fāris",
        },
        "in_course": True,
        "report": "completion",
        "details": {"City/town": "Auckland", "Country": "NZ", "Program": "Bachelor of Education (Primary)"},
    }
    assert len(found[2]["cells"]) == len(found[0]["activities"]) == 2


def test_an_identity_column_that_looks_like_a_state():
    """A custom profile field may hold "Completed"; it comes before the first pair of columns."""
    found, _ = claims(
        made(
            ["", "Induction", "Email address", "Quiz", ""],
            ["Sam Lee", "Completed", "sam@x.example", "Not completed", ""],
        )
    )
    assert found[0]["activities"] == [{"name": "Quiz"}]
    assert found[1]["details"] == {"Induction": "Completed"}
    assert found[2]["cells"] == [["incomplete", None, None]]


def test_two_activities_of_one_name_and_no_identity_column():
    found, _ = claims(
        made(
            ["", "Quiz", "", "Quiz", "2016-03-11 00:00:00"],
            ["Sam Lee", "Completed", "2016-03-01 00:36:06", "Not completed", ""],
        )
    )
    assert found[0]["activities"] == [{"name": "Quiz"}, {"name": "Quiz", "due_utc": "2016-03-10T14:00:00Z"}]
    assert found[1]["person"] == {"fullname": "Sam Lee"}
    assert found[2]["cells"] == [["complete", "2016-02-29T14:36:06Z", None], ["incomplete", None, None]]


def test_an_unknown_word_is_left_out_and_said():
    found, reading = claims(
        made(["", "Quiz", "", "Test", ""], *(["Sam Lee", "Imekamilika", "", "Completed", ""] for _ in range(3)))
    )
    assert found[2]["cells"] == [None, ["complete", None, None]]
    assert len(reading.notes) == 1
    assert "“Imekamilika” (3)" in reading.notes[0]


def test_the_json_of_5_1_is_refused():
    sheet = made(["", "emailaddress", "quiz"], ["2016-03-01", "sam@x.example", "Completed"], format="json")
    assert activity_completion.recognise(sheet)
    with pytest.raises(Unreadable, match="loses everybody's name"):
        activity_completion.read(sheet, Clock("UTC"))


class TestResaved:
    HEADER = ("", "Quiz", "", "Test", "")

    def test_dates_rewritten(self):
        sheet = made(
            list(self.HEADER),
            ["A", "Completed", "22/03/2016 0:36", "Completed", "5/03/2016 10:00"],
            resaved=True,
        )
        assert claims(sheet)[0][2]["cells"] == [
            ["complete", "2016-03-21T14:36:00Z", None],
            ["complete", "2016-03-05T00:00:00Z", None],
        ]

    def test_dates_rewritten_so_that_nobody_knows(self):
        sheet = made(list(self.HEADER), ["A", "Completed", "5/03/2016 0:36", "Not completed", ""], resaved=True)
        with pytest.raises(Unreadable, match="--date-order dmy"):
            claims(sheet)
        assert claims(sheet, order="mdy")[0][2]["cells"][0][1] == "2016-05-02T14:36:00Z"

    def test_the_line_is_named(self):
        sheet = made(
            list(self.HEADER),
            ["A", "Completed", "2016-03-01 00:36:06", "Not completed", ""],
            ["B", "Completed", "######", "Not completed", ""],
        )
        with pytest.raises(Unreadable, match="“######” is not a date and time") as error:
            claims(sheet)
        assert error.value.line == 3


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Completed", ("complete", None)),
        ("Not completed", ("incomplete", None)),
        ("Completed (achieved pass grade)", ("complete-pass", None)),
        ("Completed (did not achieve pass grade)", ("complete-fail", None)),
        ("Completed (set by Ann (Nan) de la Cruz)", ("complete", "Ann (Nan) de la Cruz")),
        ("Not completed (set by Al &amp; Co)", ("incomplete", "Al & Co")),
        ("Abgeschlossen (gesetzt von Zoë Müller)", ("complete", "Zoë Müller")),
        ("Abgeschlossen (Bestehensgrenze nicht erreicht)", ("complete-fail", None)),
        ("Terminé (note minimale de réussite atteinte)", ("complete-pass", None)),
        ("Terminé (n’a pas atteint la note minimale de réussite)", ("complete-fail", None)),
        ("Non terminé (défini par Zoë Müller)", ("incomplete", "Zoë Müller")),
        ("Completato: (impostato da Zoë Müller)", ("complete", "Zoë Müller")),
        ("Finalizado (no obtuvo calificación de aprobado)", ("complete-fail", None)),
        ("Não concluído(a)", ("incomplete", None)),
        ("完了 (合格点未到達)", ("complete-fail", None)),
        ("完了 (合格点到達)", ("complete-pass", None)),
        ("未完了 (伟 李 による設定)", ("incomplete", "伟 李")),
        ("已完成（由 伟 李 设置）", ("complete", "伟 李")),
        ("Выполнено (отметил(а) Ольга Кузнецова)", ("complete", "Ольга Кузнецова")),
        ("Tamamlandı (Zoë Müller tarafından ayarlandı)", ("complete", "Zoë Müller")),
        ("Completed (by magic)", None),
        ("Imekamilika", None),
        ("", None),
    ],
)
def test_states(text, expected):
    assert state_of(text) == expected


@pytest.mark.parametrize(
    "complete, incomplete",
    [
        ("Abgeschlossen", "Nicht abgeschlossen"), ("Terminé", "Pas terminé"), ("Finalizado", "No finalizado"),
        ("Completato", "Non completato"), ("Concluída", "Por concluir"), ("Concluído", "Não concluído(a)"),
        ("Voltooid", "Niet voltooid"), ("Completada", "No completada"), ("完了", "未完了"),
        ("已完成", "未完成"),
    ],
)  # fmt: skip
def test_languages_of_the_format_notes(complete, incomplete):
    assert (state_of(complete), state_of(incomplete)) == (("complete", None), ("incomplete", None))


def test_course_completion():
    found, reading = claims(opened("course_completion.csv"), course_completion)
    assert found == [
        {
            "noun": "columns",
            "activities": [{"name": "Introduce yourself"}, {"name": "Week 2 quiz: ICT basics"}],
        },
        {
            "noun": "person",
            "line": 2,
            "person": {"moodle_id": 9, "email": "w1012493@student.example.edu", "fullname": "Al & Co"},
            "in_course": True,
            "report": "course completion",
        },
        {
            "noun": "completion",
            "line": 2,
            "person": {"moodle_id": 9, "email": "w1012493@student.example.edu", "fullname": "Al & Co"},
            "cells": [
                ["complete", "2016-02-29T14:36:00Z", None],
                ["complete-fail", "2016-03-13T23:05:00Z", None],
            ],
        },
        {
            "noun": "person",
            "line": 3,
            "person": {
                "moodle_id": 14,
                "email": "w1012678@student.example.edu",
                "fullname": "Søren Ægirsson",
            },
            "in_course": True,
            "report": "course completion",
        },
        {
            "noun": "completion",
            "line": 3,
            "person": {
                "moodle_id": 14,
                "email": "w1012678@student.example.edu",
                "fullname": "Søren Ægirsson",
            },
            "cells": [["incomplete", None, None], ["incomplete", None, None]],
        },
    ]
    assert (reading.kind, reading.newest_utc) == ("course completion", "2016-03-13T23:05:00Z")


def test_course_completion_without_activities():
    sheet = made(
        ["ID", "Name", "Program", "Self completion", "Course complete"],
        ["9", "Al & Co", "B.Ed", "5/03/16, 00:36", ""],
        ["14", "Søren Ægirsson", "", "", "4/03/16, 10:00"],
    )
    assert course_completion.recognise(sheet)
    found, _ = claims(sheet, course_completion)
    assert [claim["noun"] for claim in found] == ["person", "person"]
    assert found[0]["person"] == {"moodle_id": 9, "fullname": "Al & Co"}
    assert found[0]["details"] == {"Program": "B.Ed"}
