"""Days: a row of dots for each name along the calendar, larger where there is more; a day is as wide as any other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from loaders import chart_look as look
from loaders.chart_rows import Asked, Drawing, Places, day, day_words, drawn_of, number, places, said
from loaders.chart_words import extremes, listed, upper

MOST_ROWS, FEWEST = 60, 2
STEP = 18  # pixels a row is high
SMALLEST, LARGEST = 26, 190  # areas in square pixels
MOST_TICKS = 12
FAR = timedelta(weeks=26)  # so far from all others a day would leave them no room


def draw(asked: Asked) -> Drawing | None:
    """The dots of an answer: `y` is the name, `x` the day, `value` how much; None where there are too few."""
    every = places(asked, "y")
    down = every.first(MOST_ROWS)
    days, far = near(sorted({found for value in asked.values("x") if (found := day(value))}))
    dots = dots_of(asked, days, down)
    if len(dots) < FEWEST:
        return None
    known = [(f"{down.labels[dot['y']]}, {day_words(days[0] + timedelta(dot['x']))}", dot["value"]) for dot in dots]
    words = f"Dots: {asked.words('value')} by {asked.words('y')} and {asked.words('x')}. {extremes(known)}"
    low, high = min(dot["value"] for dot in dots), max(dot["value"] for dot in dots)
    if low < high:
        words += f" The smallest dot is {said(low)}, the largest {said(high)}."
    remarks = drawn_of(len(down.keys), len(every.keys), "names", asked.is_cut)
    if far:
        remarks.append(f"Not drawn: {listed([day_words(one, with_year=True) for one in far])}, far from all others.")
    shown = Places(down.keys, [look.shortened(label) for label in down.labels])
    return Drawing(_spec(dots, days, shown, upper(asked.words("x"))), words, remarks)


def near(days: Sequence[date]) -> tuple[list[date], list[date]]:
    """(the days to draw, those half a year and more from most of them)."""
    runs: list[list[date]] = []
    for one in days:
        if not runs or one - runs[-1][-1] > FAR:
            runs.append([])
        runs[-1].append(one)
    kept = max(runs, key=len, default=[])
    return kept, [one for run in runs if run is not kept for one in run]


def dots_of(asked: Asked, days: Sequence[date], down: Places) -> list[dict]:
    """`x` (days after the first), `y` (place of the name) and `value` of each row that has something; 0 is no dot."""
    known, index = set(days), down.index()
    found = [(day(asked.key("x", row)), index.get(asked.key("y", row)), row) for row in asked.rows]
    values = [(when, place, number(row.get(asked.column("value")))) for when, place, row in found if when in known]
    return [
        {"x": (when - days[0]).days, "y": place, "value": value}
        for when, place, value in values
        if place is not None and value is not None and value > 0
    ]


def ticks_of(days: Sequence[date]) -> dict[int, str]:
    """{days after the first: what a Monday is called}, as many Mondays as there is room for."""
    last = (days[-1] - days[0]).days
    every = 7 * -(-(last // 7 + 1) // MOST_TICKS)
    mondays = range(-days[0].weekday() % 7, last + 1, every)
    return {at: day_words(days[0] + timedelta(at)) for at in mondays} or {0: day_words(days[0])}


def _spec(dots: list[dict], days: Sequence[date], down: Places, x_words: str) -> dict:
    ticks, last = ticks_of(days), (days[-1] - days[0]).days
    edge = max(0.8, last / 60)  # room for half of a large dot
    texts = [ticks.get(at, "") for at in range(last + 1)]
    x = {"field": "x", "type": "quantitative", "scale": {"domain": [-edge, last + edge], "nice": False, "zero": False}}
    side = "top" if len(down.keys) > 20 else "bottom"
    x["axis"] = look.named("columns", values=list(ticks), grid=True, orient=side, labelFlush=False)
    x["axis"] |= {"title": x_words, "titleAnchor": "start"}
    y = {"field": "y", "type": "ordinal", "scale": {"domain": list(range(len(down.keys)))}}
    y["axis"] = {**look.names(down.labels), "grid": True, "tickBand": "center"}
    encoding = {"x": x, "y": y, "size": _size([dot["value"] for dot in dots])}
    layer = {"mark": {"type": "circle", "color": look.ACCENT, "opacity": 0.8}, "encoding": encoding}
    named = [look.labels("columns", texts), look.labels("names", down.labels)]
    return look.whole([layer], {"step": STEP}, params=named, data={"values": dots})


def _size(values: list[float]) -> dict:
    """Larger for more."""
    low, high = min(values), max(values)
    if low == high:
        return {"value": 60}
    scale = {"domain": [low, high], "range": [SMALLEST, LARGEST], "nice": False, "zero": False}
    return {"field": "value", "type": "quantitative", "scale": scale, "legend": None}
