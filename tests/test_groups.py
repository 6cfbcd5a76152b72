"""The group overview: memberships, empty groups, and people in no group, in any language."""

import json

import pytest
from sheet import made, opened

from loaders import groups
from loaders.times import Clock

CLOCK = Clock("Australia/Brisbane")
HEADER = ["Grouping", "Group", "First name", "Last name", "Email address"]


def claims(sheet):
    """Everything the reader says of a sheet, as JSON would keep it."""
    reading = groups.read(sheet, CLOCK)
    found = list(reading.claims)
    assert json.loads(json.dumps(found)) == found
    return found, reading


def membership(claim):
    """Who, in which group, of which grouping."""
    return claim["person"]["firstname"], claim["group"]["name"], claim.get("grouping")


def test_rows():
    found, reading = claims(opened("groups.csv"))
    assert found[0] == {
        "noun": "membership",
        "line": 2,
        "person": {"email": "w1012604@student.example.edu", "firstname": "Mohammed", "lastname": "Al-Fāris"},
        "group": {"name": "Online"},
        "grouping": "All & any",
    }
    assert [membership(claim) for claim in found if claim["noun"] == "membership"] == [
        ("Mohammed", "Online", "All & any"),
        ("Padded", "Online", "All & any"),
        ("Mohammed", "Springfield", "All & any"),
        ('=HYPERLINK("x")', "Toowoomba", "All & any"),
        ("Mohammed", "Springfield", "On campus"),
        ('=HYPERLINK("x")', "Toowoomba", "On campus"),
    ]
    assert found[6] == {
        "noun": "person",
        "line": 9,
        "person": {"email": "w1016563@student.example.edu", "firstname": "Bronwyn", "lastname": "Campbell"},
        "in_course": True,
        "groups": [],
    }
    assert [claim["noun"] for claim in found[6:]] == ["person"] * 6
    assert (reading.kind, reading.notes) == ("groups overview", [])


def test_groups_in_no_grouping_and_groups_without_members():
    found, _ = claims(
        made(
            HEADER,
            ["Tutorials", "Monday &amp; Tuesday", "", "", ""],
            ["Not in a grouping", "Online", "Zoë", "Müller", "zoe@x.example"],
            ["Not in a group", "No group", "Sam", "Lee", "sam@x.example"],
        )
    )
    person = {"email": "zoe@x.example", "firstname": "Zoë", "lastname": "Müller"}
    assert found[:2] == [
        {"noun": "group", "line": 2, "group": {"name": "Monday & Tuesday"}},
        {"noun": "membership", "line": 3, "person": person, "group": {"name": "Online"}},
    ]
    assert found[2]["groups"] == []


def test_everybody_in_a_group():
    """Then the last rows are those of groups in no grouping, and real."""
    found, reading = claims(
        made(
            HEADER,
            ["Tutorials", "Monday", "Sam", "Lee", "sam@x.example"],
            ["Not in a grouping", "Online", "Zoë", "Müller", "zoe@x.example"],
        )
    )
    assert [membership(claim) for claim in found] == [("Sam", "Monday", "Tutorials"), ("Zoë", "Online", None)]
    assert reading.notes == []


@pytest.mark.parametrize(
    "header, no_grouping, no_group",
    [
        (
            ["Gruppierung", "Gruppe", "Vorname", "Nachname"],
            "Nicht in einer Gruppierung",
            "Nicht in einer Gruppe",
        ),
        (["Groupement", "Groupe", "Prénom", "Nom"], "[Dans aucun groupement]", "[Membre d'aucun groupe]"),
        (["グルーピング", "グループ", "姓", "名"], "グルーピング外", "グループ外"),
    ],
)
def test_other_languages(header, no_grouping, no_group):
    sheet = made(
        header,
        ["A", "Online", "Zoë", "Müller"],
        [no_grouping, "", "", ""],
        [no_group, "?", "Sam", "Lee"],
    )
    assert groups.recognise(sheet)
    found, reading = claims(sheet)
    assert [claim["noun"] for claim in found] == ["membership", "person"]
    assert found[1]["groups"] == []
    assert reading.notes == []


def test_a_language_not_known_here():
    """The last rows are people found nowhere else, after a heading that is all alone: said to the teacher."""
    sheet = made(
        ["Kundi kuu", "Kundi", "Jina la kwanza", "Jina la mwisho", "Barua pepe"],
        ["A", "Online", "Zoë", "Müller", "zoe@x.example"],
        ["B", "Online", "Zoë", "Müller", "zoe@x.example"],
        ["Nje", "", "", "", ""],
        ["Bila", "Hakuna", "Sam", "Lee", "sam@x.example"],
    )
    assert groups.recognise(sheet)
    found, reading = claims(sheet)
    assert [claim["noun"] for claim in found] == ["membership", "membership", "person"]
    assert reading.notes[0].startswith("the people under “Bila” were taken to be in no group")


def test_a_sheet_of_ones_own_is_not_taken_for_it():
    rows = [["Online", "Monday", first, "Lee", f"{first}@x.example"] for first in ("Sam", "Ann", "Bo", "Cy")]
    assert not groups.recognise(made(["Campus", "Day", "First name", "Last name", "Email"], *rows))
