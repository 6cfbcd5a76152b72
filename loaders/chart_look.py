"""How all charts look: quiet, few lines, colours by their names in plugins/coursette.css, so that dark mode works."""

from __future__ import annotations

import math

WIDTH = 860  # of the drawing; the page makes it as wide as it is
TEXT = 13
LONGEST = 44  # letters of a name on the left
HEATS = [f"var(--heat-{step})" for step in range(5)]
ON_HEATS = ["var(--ink)", "var(--ink)", "var(--on-2)", "var(--on-3)", "var(--on-4)"]
INK, SOFT, LINE, EDGE, PAPER = ("var(--ink)", "var(--soft)", "var(--line)", "var(--edge)", "var(--paper)")
ACCENT, TINT, BAR = "var(--accent)", "var(--tint)", "var(--heat-3)"
# What an axis upwards counts stands over it, level.
LEVEL = {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "end", "titleY": -12, "titleX": 0}
CONFIG = {
    "aria": False,  # the page says what is drawn, once and in words
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


def names(texts: list[str]) -> dict:
    """The axis on the left: a name at each place. It has the room that they need in the widest of usual fonts, as a
    browser may take another than they are measured in here."""
    return named("names", labelLimit=0, labelColor=INK, labelFontSize=TEXT, minExtent=room_of(texts))


def room_of(texts: list[str]) -> int:
    """Pixels that names on the left need."""
    return round(max(map(len, texts), default=0) * TEXT * 0.58) + 16


def heading(words: str) -> dict:
    """What the numbers are, over them."""
    return {"text": words, "anchor": "start", "frame": "group", "color": SOFT, "fontSize": TEXT - 1,
            "fontWeight": "normal", "offset": 6}  # fmt: skip


def shortened(text: str) -> str:
    """A name as long as there is room for on the left."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"


def along(texts: list[str], width: float, orient: str = "bottom") -> dict:
    """The axis below, or on top: its labels lie level where they fit, else they lean."""
    places = len([text for text in texts if text])
    longest = max(map(len, texts), default=0) * TEXT * 0.52
    leans = longest > width / max(places, 1) + 4
    side = "left" if orient == "top" else "right"
    turned = {"labelAngle": -35, "labelAlign": side, "labelBaseline": "middle", "labelLimit": 150}
    angle = turned if leans else {"labelAngle": 0}
    return named("columns", orient=orient, labelOverlap=False, labelFlush=False, **angle)


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
