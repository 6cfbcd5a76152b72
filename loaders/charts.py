"""The ready chart of a question: from its `chart` in metadata.yml and the rows of its answer to a figure of a page.

Drawn here, as SVG, by Vega-Lite in vl-convert: pages need no script for it. Cells reach it only as values under names
of our own, never as a part of what it computes, and it may load nothing.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as changed
from typing import Any

from lxml import etree

from loaders import chart_bars, chart_dots, chart_heat, chart_lines, chart_network, network_look
from loaders.chart_process import DRAWER
from loaders.chart_rows import FILLED, Asked, Drawing, is_time, number
from loaders.chart_words import listed
from loaders.week_chart import without_lone_week

LOG = logging.getLogger(__name__)
MARKS = {"bar": chart_bars.draw, "line": chart_lines.draw, "heat": chart_heat.draw, "dot": chart_dots.draw}
NEEDED = {"bar": "xy", "line": "xy", "dot": "xy", "heat": ("x", "y", "value"), "network": ("from", "to")}
SAID = re.compile(
    r' (?:font-family="[^"]*"|font-weight="normal"|opacity="1"|pointer-events="none"'
    r'|role="graphics-[^"]*"|aria-roledescription="[^"]*")'
)
FINER = re.compile(r"(\d\.\d)\d+")
TOO_LITTLE = "There is too little in this answer for a chart."
FAILED = "The chart could not be drawn here; the table below has all of it."
TRIED = {"$schema": "https://vega.github.io/schema/vega-lite/v6.json", "data": {"values": [{}]}, "mark": "point"}
TAG = re.compile(r"<[^>]+>")
# Whatever an SVG can do but be seen and lead on: a browser would not do it on our pages either (content_policy.py).
ACTIVE = {"script", "style", "foreignobject", "image", "iframe", "animate", "set", "use"}


Path = Callable[[str], str]  # makes an address on this server of a path, as Datasette's urls.path


@dataclass(frozen=True)
class Figure:
    """What a page shows: the `svg` ('' where drawing failed), its `words`, and `remarks` on what it leaves out."""

    svg: str
    words: str
    remarks: list[str] = field(default_factory=list)
    is_linked: bool = False


async def figure(
    chart: Mapping[str, Any] | None, columns: Sequence[str], rows: Sequence, is_cut: bool, path: Path = str
) -> Figure | None:
    """The chart of an answer; None where it asks for none, or there are no rows. Never an error."""
    if not chart or not rows:
        return None
    try:
        return await asyncio.to_thread(_figure, chart, columns, rows, is_cut, path)
    except Exception as error:  # whatever a library or a cell does: the page has its table
        LOG.warning("A chart could not be drawn (%s).", type(error).__name__)
        return Figure("", FAILED)


def _figure(chart: Mapping[str, Any], columns: Sequence[str], rows: Sequence, is_cut: bool, path: Path = str) -> Figure:
    named = [dict(zip(columns, row, strict=True)) for row in rows]
    drawing = drawing_of(Asked(chart, named, is_cut), path)
    if drawing is None:
        return Figure("", TOO_LITTLE)
    return Figure(svg(drawing.spec), drawing.words, drawing.remarks, drawing.is_linked)


def drawing_of(asked: Asked, path: Path = str) -> Drawing | None:
    """How an answer is drawn; None where its columns are missing, or too little is in them."""
    mark = asked.chart.get("mark")
    if not asked.rows or any(asked.column(role) not in asked.rows[0] for role in NEEDED.get(mark, ("mark",))):
        return None
    if mark == "network":
        return network(asked, path)
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
    # Who has nothing in any other week keeps a place, with nothing in it.
    rows = [{**row, column: None} if row.get(column) in far else row for row in asked.rows]
    return changed(asked, rows=rows), [f"Not drawn: week {names}, far from all others."]


def network(asked: Asked, path: Path) -> Drawing | None:
    """Who is joined to whom, each with a link to their page."""
    return chart_network.draw(asked, lambda *student: path(chart_network.student_page(*student)))


def svg(spec: dict) -> str:
    """A Vega-Lite or Vega specification as SVG that is nothing but a drawing, else ValueError. Nothing is loaded."""
    drawn = DRAWER.svg(spec)
    if any(map(is_active, etree.fromstring(drawn.encode()).iter(etree.Element))):
        raise ValueError("more than a drawing")
    return TAG.sub(_slim, network_look.local(drawn))


def is_active(element: etree._Element) -> bool:
    """Whether an element of an SVG does more than to be seen and, as a link, to lead to a page of ours."""
    hrefs = [value for name, value in element.items() if etree.QName(name).localname == "href"]
    return (
        etree.QName(element).localname.lower() in ACTIVE
        or any(name.lower().startswith("on") for name in element.keys())  # noqa: SIM118
        or not all(href.startswith(f"{network_look.NOWHERE}/") for href in hrefs)
    )


def _slim(tag: re.Match) -> str:
    """A tag without what the page says for all, parts of pixels, and a role that has no name: half of the letters."""
    if "href=" in tag[0] or "aria-label=" in tag[0]:
        return tag[0]
    return FINER.sub(r"\1", SAID.sub("", tag[0]))


def warm() -> None:
    """Draw a dot, so that the first who asks waits no half second; a line in the log where that fails."""
    try:
        if not DRAWER.is_running():
            svg(TRIED)
    except Exception as error:
        LOG.warning("Charts cannot be drawn here (%s).", type(error).__name__)
