"""Lines: a number week by week, for one or several series, each with its own dashes, points and name at its end."""

from __future__ import annotations

from loaders import chart_look as look
from loaders.chart_bars import pauses, x_of, y_of
from loaders.chart_rows import Asked, Drawing, Places, name, number, places, said, spoken, thinned
from loaders.chart_words import extremes, listed, upper

MOST_SERIES, MOST_PLACES = 6, 370
FEWEST = 2
HEIGHT, WITH_NUMBERS, APART = 260, 20, 16  # pixels; places; pixels between two names
DASHES = [[1, 0], [7, 4], [2, 3], [10, 3, 2, 3], [4, 2], [12, 5]]
SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down"]
COLOURS = [look.ACCENT, look.INK, "var(--good)", "var(--low)", look.SOFT, "var(--warn)"]


def draw(asked: Asked) -> Drawing | None:
    """The lines of an answer, or None where nothing can be joined."""
    every = places(asked, "x")
    along, lines = every.first(MOST_PLACES), series_of(asked)
    shown = dict(list(lines.items())[:MOST_SERIES])
    points = [point for line in shown.values() for point in points_of(line, along)]
    values = [point["value"] for point in points if point["value"] is not None]
    if len(values) < FEWEST or len(along.keys) < FEWEST:
        return None
    where = spoken(asked, "x", along.labels)
    words = f"Line: {asked.words('y')} by {asked.words('x')}, {where[0]} to {where[-1]}."
    for called, line in shown.items():
        known = [(at, point["value"]) for at, point in zip(where, points_of(line, along), strict=True)]
        known = [pair for pair in known if pair[1] is not None]
        words += (f" {called}:" if called else "") + " " + (extremes(known) if known else "nothing.")
    remarks = []
    if len(lines) > len(shown):
        remarks.append(f"{listed(list(shown))} are drawn, the first {len(shown)} of {len(lines)}; the table has all.")
    if len(every.keys) > len(along.keys) or asked.is_cut:
        remarks.append(f"The first {len(along.keys):,} places in time are drawn; the table has more.")
    spec = _spec(shown, along, upper(asked.words("x")), upper(asked.words("y")))
    return Drawing(spec, words, remarks)


def series_of(asked: Asked) -> dict[str, dict]:
    """{name of a series: {place in time: number or None}}; one without a name where the chart has no `series`."""
    x, y, by = asked.column("x"), asked.column("y"), asked.column("series")
    lines: dict[str, dict] = {}
    for row in asked.rows:
        if by and row.get(by) is None:
            continue
        lines.setdefault(name(row.get(by)) if by else "", {})[row.get(x)] = number(row.get(y))
    return lines


def points_of(line: dict, along: Places) -> list[dict]:
    """A point for every place, its `value` None where the line has a gap."""
    return [{"place": place, "value": line.get(key)} for place, key in enumerate(along.keys)]


def _spec(lines: dict[str, dict], along: Places, x_words: str, y_words: str) -> dict:
    points = [
        {
            **point, "line": order, "start": _run(points, place),
            "written": "" if point["value"] is None else said(point["value"]),
        }
        for order, line in enumerate(lines.values())
        for points in [points_of(line, along)]
        for place, point in enumerate(points)
    ]  # fmt: skip
    known = [point for point in points if point["value"] is not None]
    numbers = [point["value"] for point in known]
    low, high = look.bottom_of(numbers), look.top_of([value * 1.05 for value in numbers])
    texts = thinned(along.labels, 26)
    x, y = x_of(len(along.keys), texts, x_words), y_of(low, high, y_words)
    layers = [pauses(along.breaks, x), *_lines(known, x, y, len(lines))]
    if len(lines) == 1 and len(along.keys) <= WITH_NUMBERS:
        text = {"type": "text", "baseline": "bottom", "dy": -7, "fontSize": look.TEXT - 1}
        layers.append({"data": {"values": known}, "mark": text,
                       "encoding": {"x": x, "y": y, "text": {"field": "written"}}})  # fmt: skip
    if len(lines) > 1:
        layers.append(_ends(list(lines), known, low, high))
    room = max(map(len, lines)) * look.TEXT * 0.6 if len(lines) > 1 else 0
    padding = {"left": 4, "top": 4, "bottom": 4, "right": 4 + min(round(room), 200)}
    return look.whole(layers, HEIGHT, params=[look.labels("columns", texts)], padding=padding)


def _run(points: list[dict], place: int) -> int:
    """Where the stretch without a gap that this point is in begins."""
    while place > 0 and points[place - 1]["value"] is not None:
        place -= 1
    return place


def _lines(known: list[dict], x: dict, y: dict, count: int) -> list[dict]:
    """Strokes from point to point, never across a gap, and the points."""
    orders = list(range(count))

    def by_line(looks: list) -> dict:
        return {"field": "line", "type": "nominal", "scale": {"domain": orders, "range": looks[:count]}, "legend": None}

    colour = by_line(COLOURS)
    stroke = {"x": x, "y": y, "color": colour, "strokeDash": by_line(DASHES), "detail": {"field": "start"}}
    point = {"x": x, "y": y, "color": colour, "shape": by_line(SHAPES)}
    data = {"values": known}
    return [
        {"data": data, "mark": {"type": "line", "strokeWidth": 2}, "encoding": stroke},
        {"data": data, "mark": {"type": "point", "filled": True, "opacity": 1, "size": 38}, "encoding": point},
    ]


def _ends(names: list[str], known: list[dict], low: float, high: float) -> dict:
    """The name of each line at its last point, moved apart where they would lie on each other."""
    last = {point["line"]: point["value"] for point in known}
    marks, below = [], None
    for order in sorted(last, key=lambda order: -last[order]):
        at = HEIGHT * (1 - (last[order] - low) / (high - low))
        at = at if below is None else max(at, below + APART)
        marks.append({"text": names[order], "at": at, "line": order})
        below = at
    over = max(0, marks[-1]["at"] - HEIGHT)
    for mark in marks:
        mark["at"] -= over
    colours = {"domain": list(range(len(names))), "range": COLOURS[: len(names)]}
    return {
        "data": {"values": marks},
        "mark": {"type": "text", "align": "left", "x": "width", "dx": 4, "limit": 200},
        "encoding": {
            "y": {"field": "at", "type": "quantitative", "scale": None, "axis": None},
            "text": {"field": "text"},
            "color": {"field": "line", "type": "nominal", "scale": colours, "legend": None},
        },
    }
