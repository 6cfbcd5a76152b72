"""Small numbers in shared answers: hidden, and not to be had by subtracting what is shown from the whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders import small_counts
from loaders.small_counts import HIDDEN, LEAST, Refused, Rule, hidden

COUNT = Rule("students")
GROUPS = Rule("size", counts=("opened",), of="size", group="name")
NAMED = [chr(letter) for letter in range(ord("a"), ord("z"))]
some = st.lists(st.integers(0, 30), min_size=1, max_size=8)
groups = st.lists(st.integers(1, 30).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size))), max_size=7)


def shown(columns: list[str], rows: list[list], how: Rule, total: int) -> list[dict]:
    kept, found = hidden(columns, rows, how, total)
    return [dict(zip(kept, row, strict=True)) for row in found]


def feasible(numbers: list, whole: int) -> list[range]:
    """For each hidden number the values it may have, for somebody who knows all others and their sum."""
    gone = [number for number in numbers if number == HIDDEN]
    left = whole - sum(number for number in numbers if number != HIDDEN)
    return [range(left if len(gone) == 1 else 0, left + 1)] * len(gone)


@given(some)
def test_no_hidden_count_follows_from_the_others_and_the_whole(counts):
    total = sum(counts)
    rows = [[name, count, count * 2] for name, count in zip(NAMED, counts, strict=False)]
    try:
        found = shown(["name", "students", "clicks"], rows, COUNT, total)
    except Refused:
        assert total < LEAST or not any(LEAST <= count <= total - LEAST for count in counts) or len(counts) < 4
        return
    seen = [row["students"] for row in found]
    assert all(number == HIDDEN or LEAST <= number <= total - LEAST for number in seen)
    assert all((row["students"] == HIDDEN) == (row["clicks"] == HIDDEN) for row in found)
    assert all(len(values) >= 2 for values in feasible(seen, total))
    left = total - sum(number for number in seen if number != HIDDEN)
    assert HIDDEN not in seen or left >= LEAST, "all hidden ones together are no small number either"
    assert sorted(row["name"] for row in found) == sorted(row[0] for row in rows), "no row is left out"


@given(groups, st.integers(0, 12))
def test_nor_does_what_few_of_a_group_did(each, in_none):
    total = sum(size for size, _ in each) + in_none
    rows = [[name, *numbers] for name, numbers in zip(NAMED, each, strict=False)]
    try:
        found = shown(["name", "size", "opened"], rows, GROUPS, total)
    except Refused:
        return
    kept = [row for row in found if row["size"] != HIDDEN]
    gone = [row for row in found if row["size"] == HIDDEN]
    for row in kept:
        assert row["size"] >= LEAST and LEAST <= row["opened"] <= row["size"] - LEAST
        assert row["size"] == total or total - row["size"] >= LEAST
    known = {row[0]: row[1:] for row in rows}
    parts = [row for row in kept if row["size"] < total]
    rest = total - sum(row["size"] for row in parts)
    if parts:
        assert rest == 0 or rest >= LEAST, "who is in no group that is shown"
    if gone and parts and not in_none:
        size, opened = (sum(known[row["name"]][place] for row in gone) for place in (0, 1))
        assert len(gone) > 1 and LEAST <= opened <= size - LEAST, "as if they were one group"


def test_a_hidden_row_keeps_its_words_and_no_number_or_moment():
    columns = [
        "name",
        "week",
        "students",
        "students_pct",
        "last_used_utc",
        "completed",
        "label",
        "cmid",
        "link",
        "note",
    ]
    rows = [
        ["Quiz", 1, 20, 40.0, "2016-03-01T00:00:00Z", 30, "1 Quiz", 11, "never?", None],
        ["News", 2, 3, 6.0, "2016-03-01T00:00:00Z", 30, "2 News", 12, "never?", None],
        ["Book", 3, 9, 18.0, "2016-03-01T00:00:00Z", None, "3 Book", 13, "never?", None],
        ["Essay", 4, 21, 42.0, "2016-03-01T00:00:00Z", 48, "4 Essay", 14, "never?", None],
        ["Wiki", 5, 45, 90.0, "2016-03-01T00:00:00Z", 45, "5 Wiki", 15, "never?", None],
        ["Heading", 6, None, None, None, None, "6 Heading", 16, None, None],
    ]
    how = Rule("students", counts=("completed",), hide=("link",))
    found = shown(columns, rows, how, 50)
    assert list(found[0]) == ["name", "week", "students", "students_pct", "completed", "label"]
    assert [(row["name"], row["students"], row["completed"], row["label"]) for row in found] == [
        ("Quiz", 20, 30, "1 Quiz"),
        ("Book", 9, None, "3 Book"),
        ("Wiki", 45, 45, "5 Wiki"),
        ("Heading", None, None, "6 Heading"),
        ("News", HIDDEN, HIDDEN, None),
        ("Essay", HIDDEN, HIDDEN, None),
    ], "all but two of 50 completed the essay; hidden rows are last, so that their place tells nothing"
    assert [row["week"] for row in found[-2:]] == [2, 4] and found[-1]["students_pct"] == HIDDEN


def test_one_hidden_row_takes_the_next_smallest_with_it():
    rows = [["a", 40], ["b", 3], ["c", 12], ["d", 11]]
    found = shown(["name", "students"], rows, COUNT, 66)
    assert [(row["name"], row["students"]) for row in found] == [("a", 40), ("c", 12), ("b", HIDDEN), ("d", HIDDEN)]


def test_parts_of_one_whole_are_hidden_within_it():
    how = Rule("size", counts=("opened",), of="size", group="group", within="activity")
    rows = [
        ["Quiz", "A", 20, 2], ["Quiz", "B", 20, 10], ["Quiz", "C", 20, 11],
        ["News", "A", 20, 9], ["News", "B", 20, 10], ["News", "C", 20, 11],
    ]  # fmt: skip
    found = shown(["activity", "group", "size", "opened"], rows, how, 60)
    gone = [(row["activity"], row["group"]) for row in found if row["opened"] == HIDDEN]
    assert gone == [("Quiz", "A"), ("Quiz", "B")]


def test_what_was_said_of_students_is_hidden_with_their_number():
    how = Rule("students", values=("band",))
    rows = [["has a rare illness", 1], ["none", 30], ["asthma", 6], ["hay fever", 20]]
    found = shown(["band", "students"], rows, how, 57)
    assert [row["band"] for row in found] == ["none", "hay fever", HIDDEN, HIDDEN]


def test_rows_of_other_kinds_are_left_out():
    how = Rule("students", only={"kind": ["chapter"]})
    rows = [["chapter", "One", 20], ["discussion", "I am Sam", 20]]
    assert [row["name"] for row in shown(["kind", "name", "students"], rows, how, 40)] == ["One"]


@pytest.mark.parametrize(
    ("columns", "rows", "how", "total"),
    [
        (["name", "students"], [["a", 4]], COUNT, 4),
        (["name", "students"], [["a", 3], ["b", 1]], COUNT, 50),
        (["name", "students"], [["everybody", 50]], COUNT, 50),
        (["fullname", "students"], [["Sam Lee", 20]], COUNT, 50),
        (["name", "clicks"], [["a", 20]], COUNT, 50),
        (["name", "size", "opened"], [["A", 40, 20], ["B", 40, 20]], GROUPS, 50),
        (["name", "students", "both"], [["A", 20, 2], ["B", 20, 2]], Rule("students", apart="both"), 50),
    ],
)
def test_what_is_refused_whole(columns, rows, how, total):
    with pytest.raises(Refused, match=r"\.$"):
        hidden(columns, rows, how, total)


def test_nobody_and_nothing_is_an_answer():
    assert hidden(["name", "students"], [], COUNT, 50) == (["name", "students"], [])


def test_what_a_question_says_of_itself():
    assert small_counts.rule("students") == COUNT
    assert small_counts.rule({"students": "n", "counts": ["m"], "hide": ["x"]}) == Rule("n", ("m",), hide=("x",))
    for nothing in (None, "", 5, ["students"], {"counts": ["n"]}, {"students": "n", "show": "all"}):
        assert not small_counts.rule(nothing) or small_counts.why_not(nothing, ["n"])
    said = {"students": "n", "counts": "m", "only": {"kind": "page"}}
    assert small_counts.rule(said) == Rule("n", ("m",), only={"kind": ("page",)})


@pytest.mark.parametrize(
    ("aggregate", "parameters", "why"),
    [
        ("students", ["course", "group"], ""),
        ("students", ["course", "student"], small_counts.PERSONAL),
        (None, ["course"], small_counts.NOT_COUNTED),
        ("students", ["group"], small_counts.NO_COURSE),
        ("pupils", ["course"], small_counts.NO_COLUMN.format(names="pupils")),
        ({"students": "students", "counts": ["done"]}, ["course"], small_counts.NO_COLUMN.format(names="done")),
    ],
)
def test_which_questions_are_for_colleagues(aggregate, parameters, why):
    assert small_counts.why_not(aggregate, ["name", "students"], parameters) == why
    assert small_counts.why_not(aggregate, ["email", "students"], parameters) == small_counts.PERSONAL
