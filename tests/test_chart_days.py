"""Dots along the calendar: who did how much on which day."""

from __future__ import annotations

import asyncio
from datetime import date

from lxml import etree

from loaders import chart_days, charts
from loaders.chart_rows import Asked, Drawing

CHART = {"mark": "dot", "x": "day", "y": "fullname", "value": "posts"}
NASTY = '</svg><script>alert(1)</script> & <b>"x"</b>'


def row(person: int, day: str | None, posts: int | None = 1, fullname: str = "Sam Lee") -> dict:
    return {"fullname": fullname, "person": person, "day": day, "posts": posts}


def drawing(rows: list[dict], is_cut: bool = False) -> Drawing | None:
    return charts.drawing_of(Asked(CHART, rows, is_cut))


def dots(found: Drawing) -> list[tuple]:
    return [(dot["x"], dot["y"], dot["value"]) for dot in found.spec["data"]["values"]]


def names(found: Drawing) -> list[str]:
    return next(each["value"] for each in found.spec["params"] if each["name"] == "names")


def test_a_day_is_as_wide_as_any_other_and_people_are_told_apart():
    found = drawing([row(1, "2016-02-29"), row(2, "2016-03-01", 3), row(1, "2016-03-14")])
    assert dots(found) == [(0, 0, 1), (1, 1, 3), (14, 0, 1)] and names(found) == ["Sam Lee", "Sam Lee"]
    assert found.words == (
        "Dots: posts by fullname and day. Highest: Sam Lee, 1 Mar (3); lowest: Sam Lee, 29 Feb (1) and 1 more. "
        "The smallest dot is 1, the largest 3."
    )


def test_who_has_nothing_has_a_row_without_dots():
    found = drawing([row(1, "2016-03-01"), row(1, "2016-03-02"), row(3, None, 0, "Al"), row(4, "2016-03-02", 0, "Bo")])
    assert names(found) == ["Sam Lee", "Al", "Bo"] and {y for _, y, _ in dots(found)} == {0}
    assert found.words.endswith("All are 1."), "no sizes to explain"


def test_days_far_from_most_are_left_out_and_named():
    found = drawing([row(1, day) for day in ("2015-01-01", "2016-03-01", "2016-03-08", "2026-11-22")])
    assert [x for x, _, _ in dots(found)] == [0, 7]
    assert found.remarks == ["Not drawn: 1 Jan 2015 and 22 Nov 2026, far from all others."]


def test_a_whole_semester_is_drawn_and_the_first_names_of_many():
    rows = [row(person, f"2016-0{month}-01", fullname=f"P{person}") for person in range(90) for month in (3, 4, 5, 6)]
    found = drawing(rows)
    assert max(x for x, _, _ in dots(found)) == (date(2016, 6, 1) - date(2016, 3, 1)).days
    assert len(names(found)) == 60 and found.remarks == ["The first 60 of 90 names are drawn; the table has all."]
    assert drawing(rows[:8], is_cut=True).remarks == ["The first 2 of more than 2 names are drawn; the table has more."]


def test_mondays_are_called_as_many_as_there_is_room_for():
    assert chart_days.ticks_of([date(2016, 3, 1), date(2016, 3, 16)]) == {6: "7 Mar", 13: "14 Mar"}
    assert chart_days.ticks_of([date(2016, 3, 1), date(2016, 3, 2)]) == {0: "1 Mar"}, "no Monday is among them"
    assert len(chart_days.ticks_of([date(2016, 2, 29), date(2016, 12, 31)])) <= chart_days.MOST_TICKS


def test_too_little_is_no_chart():
    assert drawing([row(1, "2016-03-01")]) is None
    assert drawing([row(1, None, 0), row(2, "yesterday", 4), row(3, "2016-03-01", None)]) is None


def test_names_from_outside_are_text():
    rows = [row(1, "2016-03-01", fullname=NASTY), row(1, "2016-03-02", 2, NASTY)]
    columns = list(rows[0])
    found = asyncio.run(charts.figure(CHART, columns, [tuple(each.values()) for each in rows], False))
    svg = etree.fromstring(found.svg)
    assert {etree.QName(node).localname for node in svg.iter()} <= {"svg", "g", "path", "text", "line", "rect"}
    assert any(node.text and node.text.startswith("</svg><script>") for node in svg.iter("{*}text"))
