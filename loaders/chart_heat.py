"""A heat map: a number for each pair of places, written in its cell, so that it is read without its colour too."""

from __future__ import annotations

from typing import Any

from loaders import chart_look as look
from loaders.chart_rows import Asked, Drawing, Places, drawn_of, number, places, short, spoken
from loaders.chart_words import extremes, upper

MOST_ROWS, MOST_COLUMNS = 40, 40
FEWEST = 2
STEP = 24  # pixels a row is high


def draw(asked: Asked) -> Drawing | None:
    """The cells of an answer, or None where there are too few."""
    every_x, every_y = places(asked, "x"), places(asked, "y")
    along, down = every_x.first(MOST_COLUMNS), every_y.first(MOST_ROWS)
    cells = cells_of(asked, along, down)
    if len(cells) < FEWEST:
        return None
    words = f"Heat map: {asked.words('value')} by {asked.words('y')} and {asked.words('x')}. "
    where = spoken(asked, "x", along.labels)
    words += extremes([(f"{down.labels[y]}, {where[x]}", value) for (x, y), value in cells.items()])
    down = Places(down.keys, [look.shortened(label) for label in down.labels])
    remarks = drawn_of(len(down.keys), len(every_y.keys), "names", asked.is_cut)
    remarks += drawn_of(len(along.keys), len(every_x.keys), "columns", False)
    top = 100 if asked.column("value").endswith("_pct") else max(cells.values())
    values = [{"x": x, "y": y, "heat": step_of(value, top), "written": short(value)} for (x, y), value in cells.items()]
    return Drawing(_spec(values, along, down, upper(asked.words("x"))), words, remarks)


def cells_of(asked: Asked, along: Places, down: Places) -> dict[tuple[int, int], float]:
    """{(place along, place down): number}; a pair without a number has no cell."""
    x_of, y_of = along.index(), down.index()
    cells: dict[tuple[int, int], float] = {}
    for row in asked.rows:
        at: Any = x_of.get(asked.key("x", row)), y_of.get(asked.key("y", row))
        value = number(row.get(asked.column("value")))
        if None not in at and value is not None:
            cells[at] = value
    return cells


def step_of(value: float, top: float) -> int:
    """Which of the five colours: 0 for nothing, else by quarters of the highest."""
    if value <= 0 or top <= 0:
        return 0
    return min(4, int(4 * value / top * 0.99999) + 1)


def _spec(values: list[dict], along: Places, down: Places, x_words: str) -> dict:
    band = {"type": "band", "paddingInner": 0.06, "paddingOuter": 0}
    x = {"field": "x", "type": "ordinal", "scale": {**band, "domain": list(range(len(along.keys)))}}
    x["axis"] = {**look.along(along.labels, look.WIDTH * 0.75, "top"), "title": x_words, "titleAnchor": "start"}
    y = {"field": "y", "type": "ordinal", "scale": {**band, "domain": list(range(len(down.keys)))}}
    y["axis"] = look.names(down.labels)

    def by_heat(colours: list[str]) -> dict:
        return {
            "field": "heat",
            "type": "ordinal",
            "scale": {"domain": list(range(5)), "range": colours},
            "legend": None,
        }

    cell = {"mark": {"type": "rect", "cornerRadius": 2}, "encoding": {"x": x, "y": y, "color": by_heat(look.HEATS)}}
    text = {"type": "text", "fontSize": look.TEXT - 1 if len(along.keys) <= 30 else look.TEXT - 3}
    written = {"x": x, "y": y, "text": {"field": "written"}, "color": by_heat(look.ON_HEATS)}
    return look.whole(
        [cell, {"mark": text, "encoding": written}],
        {"step": STEP},
        resolve={"scale": {"color": "independent"}},
        params=[look.labels("columns", along.labels), look.labels("names", down.labels)],
        data={"values": values},
    )
