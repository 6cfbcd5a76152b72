"""Bars: a name and its number, lying; where time goes by, standing beside one another."""

from __future__ import annotations

from loaders import chart_look as look
from loaders.chart_rows import Asked, Drawing, called, drawn_of, is_time, name, number, places, said, spoken, thinned
from loaders.chart_words import extremes, upper

MOST, MOST_STANDING = 40, 110
FEWEST = 2
STEP, WITH_NUMBERS = 23, 30


def draw(asked: Asked) -> Drawing | None:
    """The bars of an answer, or None where there are too few."""
    return standing(asked) if is_time(asked, "x") else lying(asked)


def lying(asked: Asked) -> Drawing | None:
    """`y` is the name, `x` the number; with `series`, a bar for each of them below the name."""
    names, series = asked.column("y"), asked.column("series")
    found = [
        (called(names, row.get(names)), name(row.get(series)), number(row.get(asked.column("x")))) for row in asked.rows
    ]
    bars = [bar for bar in found if bar[2] is not None]
    if len(bars) < FEWEST:
        return None
    shown = bars[:MOST]
    written = [f"{group} {said(value)}" if series else said(value) for _, group, value in shown]
    values = [
        {"place": place, "value": value, "written": text}
        for place, ((label, _, value), text) in enumerate(zip(shown, written, strict=True))
    ]
    # The name of several bars stands at the first of them.
    before = [None, *[label for label, _, _ in shown[:-1]]]
    texts = [
        "" if series and label == other else look.shortened(label)
        for (label, _, _), other in zip(shown, before, strict=True)
    ]
    words = f"Bars: {asked.words('x')} by {asked.words('y')}. "
    words += extremes([(f"{label} {group}".strip(), value) for label, group, value in shown])
    missing = len(found) - len(bars)
    remarks = drawn_of(len(shown), len(bars), "bars", asked.is_cut)
    if missing:
        remarks.append(f"{missing:,} without a number {'is' if missing == 1 else 'are'} not drawn.")
    top = 100 if asked.column("x").endswith("_pct") else 0
    spec = _lying(values, texts, [0, top, *[value for _, _, value in shown]], upper(asked.words("x")))
    return Drawing(spec, words, remarks)


def _lying(values: list[dict], texts: list[str], numbers: list[float], x_words: str) -> dict:
    scale = {"domain": _with_room(numbers, [row["written"] for row in values], look.room_of(texts)), "nice": False}
    y = {"field": "place", "type": "ordinal", "scale": {"paddingInner": 0.25, "paddingOuter": 0.1}}
    y["axis"] = look.names(texts)
    x = {"field": "value", "type": "quantitative", "scale": scale, "stack": None, "axis": None}
    bar = {"mark": {"type": "bar", "color": look.BAR, "cornerRadiusEnd": 2}, "encoding": {"y": y, "x": x}}
    sides = {"expr": "datum.value < 0 ? 'right' : 'left'"}
    text = {"type": "text", "align": sides, "dx": {"expr": "datum.value < 0 ? -5 : 5"}}
    written = {"mark": text, "encoding": {"y": y, "x": x, "text": {"field": "written"}}}
    zero = {
        "data": {"values": [{}]},
        "mark": {"type": "rule", "color": look.EDGE},
        "encoding": {"x": {"datum": 0, "type": "quantitative", "scale": scale}},
    }
    words = {"params": [look.labels("names", texts)], "title": look.heading(x_words)}
    return look.whole([bar, written, zero], {"step": STEP}, data={"values": values}, **words)


def _with_room(numbers: list[float], written: list[str], left: int) -> list[float]:
    """From the lowest to the highest, with room for the numbers that stand at the ends of the bars."""
    low, high = min(numbers), max(numbers) or 1
    taken = (max(map(len, written)) * look.TEXT * 0.62 + 10) / max(look.WIDTH - left, 1)
    room = (high - low) * taken / max(1 - 2 * taken, 0.3)
    return [low - (room if low < 0 else 0), high + room]


def standing(asked: Asked) -> Drawing | None:
    """`x` is a week or day, `y` the number; a break is shaded and called one."""
    along = places(asked, "x").first(MOST_STANDING)
    index = along.index()
    found = [(index.get(row.get(asked.column("x"))), number(row.get(asked.column("y")))) for row in asked.rows]
    known = [(place, value) for place, value in found if place is not None and value is not None]
    if len(known) < FEWEST:
        return None
    values = [{"place": place, "value": value, "written": said(value)} for place, value in known]
    where = spoken(asked, "x", along.labels)
    words = f"Bars: {asked.words('y')} by {asked.words('x')}, {where[0]} to {where[-1]}. "
    words += extremes([(where[place], value) for place, value in known])
    every = len(set(asked.values("x")) - {None})
    remarks = drawn_of(len(along.keys), every, "places in time", asked.is_cut)
    return Drawing(_standing(values, along, upper(asked.words("x")), upper(asked.words("y"))), words, remarks)


def _standing(values: list[dict], along, x_words: str, y_words: str) -> dict:
    numbers = [row["value"] for row in values]
    texts = thinned(along.labels, 26)
    x = x_of(len(along.keys), texts, x_words)
    has_numbers = len(along.keys) <= WITH_NUMBERS
    y = y_of(look.bottom_of(numbers), look.top_of([value * 1.06 for value in numbers]), y_words)
    bar = {"mark": {"type": "bar", "color": look.BAR, "cornerRadiusEnd": 2}, "encoding": {"x": x, "y": y}}
    layers = [pauses(along.breaks, x), bar]
    if has_numbers:
        text = {"type": "text", "baseline": "bottom", "dy": -3, "fontSize": look.TEXT - 1}
        layers.append({"mark": text, "encoding": {"x": x, "y": y, "text": {"field": "written"}}})
    return look.whole(layers, 240, params=[look.labels("columns", texts)], data={"values": values})


def x_of(count: int, texts: list[str], words: str) -> dict:
    """The places 0 to `count` from left to right."""
    scale = {"domain": list(range(count)), "type": "band", "paddingInner": 0.2, "paddingOuter": 0.1}
    axis = {**look.along(texts, look.WIDTH * 0.9), "title": words}
    return {"field": "place", "type": "ordinal", "scale": scale, "axis": axis}


def y_of(low: float, high: float, words: str) -> dict:
    """Numbers upwards, with few lines; what they count stands over them, level."""
    axis = {"grid": True, "tickCount": 4, **look.LEVEL, "title": words}
    return {
        "field": "value",
        "type": "quantitative",
        "stack": None,
        "scale": {"domain": [low, high], "nice": False},
        "axis": axis,
    }


def pauses(breaks: frozenset[int], x: dict) -> dict:
    """A shade behind the weeks of a break."""
    return {
        "data": {"values": [{"place": place} for place in sorted(breaks)]},
        "mark": {"type": "rect", "color": look.TINT},
        "encoding": {"x": x},
    }
