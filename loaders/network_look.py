"""What a network looks like: wedges from who to whom, round students, square staff, as many names as can be read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from loaders import chart_look as look
from loaders.chart_rows import said
from loaders.network_places import SCHEMA, Point, length, names_of, stand

if TYPE_CHECKING:
    from loaders.chart_network import Link, Person

KEY, MARGIN, SIZE = 34, 16, look.TEXT - 1  # pixels: what the marks mean, above; room around; letters
SMALLEST, LARGEST, THIN, THICKEST = 4.0, 12.0, 1.5, 4.5
FEW = 150  # links
BENT, FARTHEST_BENT = 0.13, 34  # of a link's length, and in pixels, so that two who answer one another have two arrows
# Vega makes of an address without a host one at the host of its samples. Nobody has this one; local() takes it off.
NOWHERE = "https://coursette.invalid"


def local(svg: str, before: str = "") -> str:
    """The SVG with addresses of this server, `before` them where it stands under a path."""
    return svg.replace(f'href="{NOWHERE}/', f'href="{before}/')


def vega(people: Mapping[Any, Person], links: Sequence[Link], what: str, verb: str) -> dict:
    """The drawing of those people and links, as a Vega specification."""
    keys = {key: place for place, key in enumerate(people)}
    pairs = [(keys[link.source], keys[link.target]) for link in links]
    top = max([person.coming for person in people.values()], default=0) or 1
    radii = [SMALLEST + (LARGEST - SMALLEST) * math.sqrt(person.coming / top) for person in people.values()]
    height = round(min(640, 130 + 52 * math.sqrt(len(people))))
    frame = (3 * MARGIN, KEY + MARGIN, look.WIDTH - 3 * MARGIN, height - MARGIN)
    points = stand(radii, pairs, frame)
    names = [person.name for person in people.values()]
    page = (0, KEY, look.WIDTH, height)
    called = names_of(points, radii, names, page, SIZE)
    marks = [
        _mark(person, point, radius, called.get(place), what)
        for place, (person, point, radius) in enumerate(zip(people.values(), points, radii, strict=True))
    ]
    halves = thick([link.weight for link in links])
    wedges = [
        {"path": wedge(points[source], points[target], radii[target], half)}
        for half, (source, target) in zip(halves, pairs, strict=True)
    ]
    return {
        "$schema": SCHEMA,
        "width": look.WIDTH,
        "height": height,
        "padding": 4,
        "background": None,
        "autosize": "none",
        "data": [{"name": "people", "values": marks}, {"name": "links", "values": wedges}],
        "marks": [_wedges(), _people(), *_key(people, what, verb)],
    }


def thick(weights: Sequence[float]) -> list[float]:
    """Half the width of each link where it starts, in pixels: with four times the weight twice as wide.

    Where there are many, all are thinner, so that one sees through.
    """
    room = min(1, math.sqrt(FEW / max(len(weights), 1)))
    one = room * min(THIN, THICKEST / math.sqrt(max(weights, default=1)))
    return [max(0.6, one * math.sqrt(weight)) for weight in weights]


def wedge(source: Point, target: Point, radius: float, half: float) -> str:
    """The path of one link: `half` as wide to each side where it starts, a point at the rim of the mark."""
    start, end = complex(*source), complex(*target)
    far = abs(end - start) or 1
    across = (end - start) / far * 1j
    middle = (start + end) / 2 + across * min(far * BENT, FARTHEST_BENT)
    back = middle - end
    tip = end + back / (abs(back) or 1) * (radius + 1.5)
    side, inner = across * half, across * half * 0.55
    return f"M{_at(start + side)}Q{_at(middle + inner)},{_at(tip)}Q{_at(middle - inner)},{_at(start - side)}Z"


def _at(point: complex) -> str:
    return f"{point.real:.1f},{point.imag:.1f}"


def _mark(person: Person, point: Point, radius: float, called: tuple | None, what: str) -> dict:
    role = ", staff" if person.is_staff else ""
    counts = f"gets {said(person.coming)} {what}, gives {said(person.going)}"
    x, y, align = called or (*point, "center")
    x, y = round(x - point[0], 1), round(y - point[1], 1)
    return {
        "x": point[0], "y": point[1], "size": round((2 * radius) ** 2 * (0.8 if person.is_staff else 1), 1),
        "shape": "square" if person.is_staff else "circle", "fill": look.INK if person.is_staff else look.BAR,
        "title": f"{person.name}{role}: {counts}", "href": NOWHERE + person.href if person.href else None,
        "name": person.name if called else "", "name_x": x, "name_y": y, "align": align,
    }  # fmt: skip


def _wedges() -> dict:
    looks = {"path": {"field": "path"}, "fill": {"value": look.SOFT}, "fillOpacity": {"value": 0.5}}
    return {"type": "path", "from": {"data": "links"}, "aria": False, "encode": {"enter": looks}}


def _people() -> dict:
    """A link for each, with its mark and its name, so that the keyboard stops once at everybody."""

    def of(column: str) -> dict:
        return {"field": {"parent": column}}

    symbol = {
        "size": of("size"), "shape": of("shape"), "fill": of("fill"), "stroke": {"value": look.PAPER},
        "strokeWidth": {"value": 1.5},
    }  # fmt: skip
    text = {
        "text": of("name"), "x": of("name_x"), "y": of("name_y"), "align": of("align"), "baseline": {"value": "middle"},
        "fontSize": {"value": SIZE},
    }  # fmt: skip
    # Wedges run below the names: a rim of paper around the letters keeps them readable.
    rim = {**text, "stroke": {"value": look.PAPER}, "strokeWidth": {"value": 3}, "strokeJoin": {"value": "round"}}
    group = {
        "x": {"field": "x"}, "y": {"field": "y"}, "href": {"field": "href"}, "description": {"field": "title"},
    }  # fmt: skip
    return {
        "type": "group",
        "from": {"data": "people"},
        "encode": {"enter": group},
        "marks": [
            {"type": "symbol", "aria": False, "encode": {"enter": symbol}},
            {"type": "text", "aria": False, "encode": {"enter": rim}},
            {"type": "text", "aria": False, "encode": {"enter": {**text, "fill": {"value": look.INK}}}},
        ],
    }


def _key(people: Mapping[Any, Person], what: str, verb: str) -> list[dict]:
    """What the marks mean, in a line above."""
    marks, x = [], 4.0
    if any(person.is_staff for person in people.values()):
        for shape, fill, word in (("circle", look.BAR, "student"), ("square", look.INK, "staff")):
            marks.append(_still("symbol", x=x + 5, y=12, shape=shape, fill=fill, size=90))
            x = _word(marks, x + 16, word)
    marks.append(_still("symbol", x=x + 4, y=12, shape="circle", fill=look.BAR, size=40))
    marks.append(_still("symbol", x=x + 18, y=12, shape="circle", fill=look.BAR, size=220))
    x = _word(marks, x + 31, f"larger: gets more {what}")
    marks.append(_still("path", path=f"M{x},8.5L{x + 34},12L{x},15.5Z", fill=look.SOFT, fillOpacity=0.6))
    _word(marks, x + 40, f"the thick end {verb} the thin end")
    return marks


def _word(marks: list[dict], x: float, word: str) -> float:
    """Write a word of the key; where the next may begin."""
    marks.append(_still("text", x=x, y=12, text=word, baseline="middle", fontSize=SIZE, fill=look.SOFT))
    return x + length(word, SIZE) + 22


def _still(kind: str, **looks: Any) -> dict:
    """One mark without data."""
    return {"type": kind, "aria": False, "encode": {"enter": {key: {"value": value} for key, value in looks.items()}}}
