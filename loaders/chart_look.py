"""How all charts look: quiet, few lines, colours by the names of plugins/coursette.css, so that dark mode and paper work."""

from __future__ import annotations

import math

WIDTH = 860  # of the drawing; the page makes it as wide as it is
TEXT = 13
HEATS = [f"var(--heat-{step})" for step in range(5)]
ON_HEATS = ["var(--ink)", "var(--ink)", "var(--on-2)", "var(--on-3)", "var(--on-4)"]
INK, SOFT, LINE, EDGE, PAPER = ("var(--ink)", "var(--soft)", "var(--line)", "var(--edge)", "var(--paper)")
ACCENT, TINT, BAR = "var(--accent)", "var(--tint)", "var(--heat-3)"
CONFIG = {
    "background": None,
    "view": {"stroke": None},
    "text": {"color": INK, "fontSize": TEXT},
    "axis": {
        "labelColor": SOFT,
        "labelFontSize": TEXT - 1,
        "titleColor": SOFT,
        "titleFontSize": TEXT - 1,
        "titleFontWeight": "normal",
        "domain": False,
        "ticks": False,
        "grid": False,
        "gridColor": LINE,
        "labelPadding": 6,
    },
}


def whole(layers: list[dict], height: int | dict, **more: object) -> dict:
    """A Vega-Lite specification of these layers, as wide as every chart."""
    return {
        "width": WIDTH,
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": 4,
        "config": CONFIG,
        "layer": layers,
        **more,
    }


def labels(name: str, texts: list[str]) -> dict:
    """A parameter that holds the words for the places 0, 1, ... of an axis (see named)."""
    return {"name": name, "value": texts}


def named(name: str, **axis: object) -> dict:
    """An axis whose places are called by such a parameter."""
    return {"labelExpr": f"{name}[datum.value]", "title": None, **axis}


def along(places: int, width: float, texts: list[str], **axis: object) -> dict:
    """The axis below: its labels lie level where they fit, else they lean."""
    room = width / max(places, 1)
    longest = max(map(len, texts), default=0) * TEXT * 0.52
    leans = longest > room + 4
    turned = {"labelAngle": -35, "labelAlign": "right", "labelBaseline": "middle", "labelLimit": 150}
    return named("columns", labelOverlap=False, **(turned if leans else {"labelAngle": 0}), **axis)


def top_of(values: list[float]) -> float:
    """A round number above all of them: 118 -> 120, 0.7 -> 0.8; 1 where there is nothing above 0."""
    highest = max([0.0, *values])
    if highest <= 0:
        return 1.0
    size = 10 ** math.floor(math.log10(highest))
    return next(step * size for step in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * size >= highest * 0.999)


def bottom_of(values: list[float]) -> float:
    """0, or a round number below the lowest."""
    return -top_of([-value for value in values]) if min(values, default=0) < 0 else 0.0
