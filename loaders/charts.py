"""The ready chart of a question: from its `chart` in metadata.yml and the rows of its answer to a figure of a page.

Drawn here, as SVG, by Vega-Lite in vl-convert: pages need no script for it. Cells reach it only as values under names
of our own, never as a part of what it computes, and it may load nothing.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as changed
from typing import Any

from loaders import chart_bars, chart_dots, chart_heat, chart_lines
from loaders.chart_process import Drawer
from loaders.chart_rows import FILLED, Asked, Drawing, is_time, number
from loaders.chart_words import listed
from loaders.week_chart import without_lone_week

LOG = logging.getLogger(__name__)
DRAWER = Drawer()  # one for all instances in a process
MARKS = {"bar": chart_bars.draw, "line": chart_lines.draw, "heat": chart_heat.draw, "dot": chart_dots.draw}
ROLES = ("x", "y", "value", "series", "from", "to", "weight")
NEEDED = {"bar": "xy", "line": "xy", "dot": "xy", "heat": ("x", "y", "value"), "network": ("from", "to")}
SAID = re.compile(r' (?:font-family="[^"]*"|font-weight="normal"|opacity="1"|pointer-events="none")')
FINER = re.compile(r"(\d\.\d)\d+")
FAILED = "The chart could not be drawn here; the table below has all of it."
TRIED = {"$schema": "https://vega.github.io/schema/vega-lite/v6.json", "data": {"values": [{}]}, "mark": "point"}
TAG = re.compile(r"<[^>]+>")
# Whatever an SVG can do but be seen: a browser would not do it on our pages either (see plugins/content_policy.py).
ACTIVE = re.compile(
    r"<(?:script|style|foreignObject|image|iframe|animate|set)\b|\son\w+\s*=|javascript:", re.IGNORECASE
)


@dataclass(frozen=True)
class Figure:
    """What a page shows: the `svg` ('' where drawing failed), its `words`, and `remarks` on what it leaves out."""

    svg: str
    words: str
    remarks: list[str] = field(default_factory=list)
    is_linked: bool = False


async def figure(
    chart: Mapping[str, Any] | None, columns: Sequence[str], rows: Sequence, is_cut: bool
) -> Figure | None:
    """The chart of an answer; None where it asks for none, or has nothing to draw. Never an error."""
    if not chart or not rows:
        return None
    try:
        return await asyncio.to_thread(_figure, chart, columns, rows, is_cut)
    except Exception as error:  # whatever a library or a cell does: the page has its table
        LOG.warning("A chart could not be drawn (%s).", type(error).__name__)
        return Figure("", FAILED)


def _figure(chart: Mapping[str, Any], columns: Sequence[str], rows: Sequence, is_cut: bool) -> Figure | None:
    named = [dict(zip(columns, row, strict=True)) for row in rows]
    drawing = drawing_of(Asked(chart, named, is_cut))
    return drawing and Figure(svg(drawing.spec), drawing.words, drawing.remarks, drawing.is_linked)


def drawing_of(asked: Asked) -> Drawing | None:
    """How an answer is drawn; None where its columns are missing, or too little is in them."""
    mark = asked.chart.get("mark")
    if not asked.rows or any(asked.column(role) not in asked.rows[0] for role in NEEDED.get(mark, ("mark",))):
        return None
    if mark == "network":
        return network(asked)
    asked, far = near(asked)
    drawing = MARKS[mark](asked)
    return drawing and changed(drawing, remarks=[*drawing.remarks, *far])


def near(asked: Asked) -> tuple[Asked, list[str]]:
    """Without a lone week far from all others, which would leave them no room, and a sentence on it."""
    column = asked.column("x")
    keys = {number(value) for value in asked.values("x")} - {None}
    if column not in FILLED or not is_time(asked, "x"):
        return asked, []
    _, apart = without_lone_week([{"week": key} for key in sorted(keys)])
    far = {week["week"] for week in apart}
    if not far:
        return asked, []
    names = listed([f"{week:g}" for week in sorted(far)])
    rows = [row for row in asked.rows if row.get(column) not in far]
    return changed(asked, rows=rows), [f"Not drawn: week {names}, far from all others."]


def network(asked: Asked) -> Drawing | None:
    """Who is joined to whom, by the module of that mark."""
    module = importlib.import_module("loaders.chart_network")
    pairs = [(row.get(asked.column("from")), row.get(asked.column("to"))) for row in asked.rows]
    joined = [pair for pair in pairs if None not in pair]
    if not joined:
        return None
    spec = module.specification(asked.chart, [dict(row) for row in asked.rows])
    people = len({name for pair in joined for name in pair})
    roles = f"{asked.words('from')}, {asked.words('to')}"
    return Drawing(spec, f"Network: {people:,} people and {len(joined):,} lines between them ({roles}).")


def svg(spec: dict) -> str:
    """A Vega-Lite or Vega specification as SVG that is nothing but a drawing, else ValueError. Nothing is loaded."""
    drawn = DRAWER.svg(spec)
    if ACTIVE.search("".join(TAG.findall(drawn))):
        raise ValueError("more than a drawing")
    return TAG.sub(_slim, drawn)


def _slim(tag: re.Match) -> str:
    """A tag without what the page says for all, nor parts of pixels: a third of the letters."""
    return FINER.sub(r"\1", SAID.sub("", tag[0]))


def warm() -> None:
    """Draw a dot, so that the first who asks waits no half second; a line in the log where that fails."""
    try:
        if not DRAWER.is_running():
            svg(TRIED)
    except Exception as error:
        LOG.warning("Charts cannot be drawn here (%s).", type(error).__name__)
