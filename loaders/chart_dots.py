"""Dots: two numbers of each row against one another. The middle of each is a dashed line with its number; shares of the
same hundred have the line where both are the same instead, and names at the dots that are farthest from it."""

from __future__ import annotations

from statistics import median

from loaders import chart_days
from loaders import chart_look as look
from loaders.chart_rows import Asked, Drawing, drawn_of, name, number, said
from loaders.chart_words import upper

MOST = 2000
FEWEST = 3
HEIGHT, NAMES, APART = 380, 5, 7  # pixels; dots with a name; per cent of the height between two names
CALLED = ("name", "activity")  # columns that call a dot; students are not called by name on a screen


def draw(asked: Asked) -> Drawing | None:
    """The dots of an answer, or None where there are too few; with a `value`, those of chart_days.py."""
    if asked.column("value"):
        return chart_days.draw(asked)
    called = next((column for column in CALLED if asked.rows and column in asked.rows[0]), "")
    found = [
        {
            "x": number(row.get(asked.column("x"))),
            "y": number(row.get(asked.column("y"))),
            "name": name(row.get(called)),
        }
        for row in asked.rows
    ]
    known = [dot for dot in found if dot["x"] is not None and dot["y"] is not None]
    dots = known[:MOST]
    if len(dots) < FEWEST:
        return None
    spans = {axis: [said(edge([dot[axis] for dot in dots])) for edge in (min, median, max)] for axis in "xy"}
    words = f"Dots: {asked.words('y')} by {asked.words('x')}, {len(dots):,} in all. "
    words += " ".join(
        f"{upper(asked.words(axis))}: from {low} to {high}, the middle one {middle}."
        for axis, (low, middle, high) in spans.items()
    )
    remarks = drawn_of(len(dots), len(known), "dots", asked.is_cut)
    if missing := len(found) - len(known):
        remarks.append(f"{missing:,} without both numbers {'is' if missing == 1 else 'are'} not drawn.")
    is_same = all(asked.column(axis).endswith("_pct") for axis in "xy")
    return Drawing(_spec(dots, asked, is_same), words, remarks)


def _spec(dots: list[dict], asked: Asked, is_same: bool) -> dict:
    x, y = (_axis(dots, axis, is_same) for axis in "xy")
    x["axis"]["title"] = upper(asked.words("x"))
    y["axis"] |= {**look.LEVEL, "title": upper(asked.words("y"))}
    at = {"x": x, "y": y}
    point = {"type": "point", "filled": True, "color": look.BAR, "stroke": look.PAPER, "strokeWidth": 0.5, "size": 46}
    drawn = {"data": {"values": dots}, "mark": {**point, "opacity": 0.85}, "encoding": at}
    lines = _same(dots, at) if is_same else [*_middle(dots, "x", x), *_middle(dots, "y", y)]
    return look.whole([lines[0], drawn, *lines[1:]], HEIGHT)


def _axis(dots: list[dict], axis: str, is_same: bool) -> dict:
    values = [dot[axis] for dot in dots]
    domain = [0, 100] if is_same else [look.bottom_of(values), look.top_of(values)]
    scale = {"domain": domain, "nice": False, "zero": False}
    return {
        "field": axis,
        "type": "quantitative",
        "scale": scale,
        "axis": {"grid": axis == "y", "tickCount": 5, "labelFlush": False},
    }


def _middle(dots: list[dict], axis: str, encoding: dict) -> list[dict]:
    """A dashed line at the middle one, and its number at the end of the line."""
    value = median(dot[axis] for dot in dots)
    rule = {
        "data": {"values": [{axis: value}]},
        "mark": {"type": "rule", "color": look.EDGE, "strokeDash": [4, 4]},
        "encoding": {axis: encoding},
    }
    place = {"align": "right", "x": "width", "dy": -7} if axis == "y" else {"align": "left", "y": 6, "dx": 5}
    text = {
        "data": {"values": [{axis: value, "text": f"middle: {said(value)}"}]},
        "mark": {"type": "text", "color": look.SOFT, "fontSize": look.TEXT - 1, **place},
        "encoding": {axis: encoding, "text": {"field": "text"}},
    }
    return [rule, text]


def _same(dots: list[dict], at: dict) -> list[dict]:
    """The line where both are the same, and names of those farthest from it, none upon another."""
    line = {
        "data": {"values": [{"x": 0, "y": 0}, {"x": 100, "y": 100}]},
        "mark": {"type": "line", "color": look.EDGE, "strokeDash": [4, 4], "strokeWidth": 1},
        "encoding": at,
    }
    named: list[dict] = []
    for dot in sorted(dots, key=lambda dot: -abs(dot["x"] - dot["y"])):
        is_free = all(abs(dot["y"] - other["y"]) > APART for other in named)
        if dot["name"] and is_free and len(named) < NAMES:
            named.append({**dot, "text": dot["name"][:40]})
    sides = {"expr": "datum.x > 60 ? 'right' : 'left'"}
    text = {"type": "text", "align": sides, "dx": {"expr": "datum.x > 60 ? -7 : 7"}, "limit": 300}
    return [line, {"data": {"values": named}, "mark": text, "encoding": {**at, "text": {"field": "text"}}}]
