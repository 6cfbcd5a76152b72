"""Where the people of a network stand, and which of their names can be read: numbers only, no look.

Positions come from Vega's forces (d3-force, which draws the same picture of the same links each time); they are asked
for before the drawing, because names and arrows are laid around them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from loaders.chart_process import DRAWER

SCHEMA = "https://vega.github.io/schema/vega/v5.json"
ROUNDS = 200  # the forces fade over as many
STRETCHED = 2.2  # at most; two people do not stand at the two ends of the page
Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom


def stand(radii: Sequence[float], links: Sequence[tuple[int, int]], frame: Box) -> list[Point]:
    """A place inside `frame` for each circle, in pixels: those who are linked near one another, nobody on another.

    `links` are pairs of places in `radii`.
    """
    wide = (frame[2] - frame[0]) / (frame[3] - frame[1])
    scene = DRAWER.scene(_pulled(radii, links, wide))
    return _into(frame, [(item["x"], item["y"]) for item in _items(scene)])


def _pulled(radii: Sequence[float], links: Sequence[tuple[int, int]], wide: float) -> dict:
    forces = [
        {"force": "link", "links": "links", "distance": 55},
        {"force": "nbody", "strength": -110, "distanceMax": 400},
        {"force": "collide", "radius": {"expr": "datum.datum.room"}, "iterations": 2},
        {"force": "x", "strength": 0.07},
        {"force": "y", "strength": 0.07 * wide**1.5},
    ]
    force = {"type": "force", "static": True, "iterations": ROUNDS, "forces": forces}
    people = [{"room": round(radius + 9, 2)} for radius in radii]
    return {
        "$schema": SCHEMA,
        "data": [
            {"name": "people", "values": people},
            {"name": "links", "values": [{"source": source, "target": target} for source, target in links]},
        ],
        "marks": [{"type": "symbol", "from": {"data": "people"}, "transform": [force]}],
    }


def _items(group: dict) -> list[dict]:
    """The symbols of the scene: the one mark inside its one group."""
    while "x" not in (items := group["items"])[0] or "items" in items[0]:
        group = items[0]
    return items


def _into(frame: Box, points: list[Point]) -> list[Point]:
    """The same picture as large as the frame, in its middle."""
    scales, middles = [], []
    for axis in (0, 1):
        values = [point[axis] for point in points]
        low, high, room = min(values), max(values), frame[axis + 2] - frame[axis]
        scales.append(min(STRETCHED, room / (high - low)) if high - low > 1e-6 else 1.0)
        middles.append((low + high) / 2)
    return [
        tuple(
            round((frame[axis] + frame[axis + 2]) / 2 + (point[axis] - middles[axis]) * scales[axis], 1)
            for axis in (0, 1)
        )
        for point in points
    ]


def names_of(
    points: Sequence[Point], radii: Sequence[float], names: Sequence[str], frame: Box, size: float
) -> dict[int, tuple[float, float, str]]:
    """{place: (x, y, align)} of the names that fit without lying on a circle or another name.

    The first in the sequence get their name first. `align` is left, right or center of the name at x; y is its middle.
    """
    taken = [
        (x - radius - 1, y - radius - 1, x + radius + 1, y + radius + 1)
        for (x, y), radius in zip(points, radii, strict=True)
    ]
    found = {}
    for place, (point, radius, name) in enumerate(zip(points, radii, names, strict=True)):
        others = taken[:place] + taken[place + 1 :]
        for x, y, align, box in _around(point, radius, length(name, size), size):
            if _is_inside(box, frame) and not any(_overlap(box, other) for other in others):
                found[place] = (round(x, 1), round(y, 1), align)
                taken.append(box)
                break
    return found


def _around(point: Point, radius: float, width: float, size: float) -> Iterable[tuple[float, float, str, Box]]:
    """The places of a name around its circle, the best first."""
    x, y = point
    gap, half = radius + 4, size * 0.58
    aside = radius * 0.7 + 3
    for at_x, at_y, align in (
        (x + gap, y, "left"),
        (x - gap, y, "right"),
        (x, y + radius + half + 2, "center"),
        (x, y - radius - half - 2, "center"),
        (x + aside, y + aside + half / 2, "left"),
        (x + aside, y - aside - half / 2, "left"),
        (x - aside, y + aside + half / 2, "right"),
        (x - aside, y - aside - half / 2, "right"),
        *((x + width * share, y + side * (radius + half + 2), "center") for side in (1, -1) for share in (0.3, -0.3)),
    ):
        left = at_x - {"left": 0, "right": width, "center": width / 2}[align]
        yield at_x, at_y, align, (left, at_y - half, left + width, at_y + half)


def length(text: str, size: float) -> float:
    """About how wide a text is, in pixels; letters of East Asia are square."""
    return sum(size * (1.0 if unicodedata.east_asian_width(letter) in "WF" else 0.6) for letter in text)


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _is_inside(box: Box, frame: Box) -> bool:
    return box[0] >= frame[0] and box[1] >= frame[1] and box[2] <= frame[2] and box[3] <= frame[3]
