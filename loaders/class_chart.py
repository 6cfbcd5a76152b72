"""The course page's chart: how many students came in each teaching week, and below it how many clicks they made."""

from __future__ import annotations

from loaders.week_chart import quiet_weeks, without_lone_week

WIDTH, GAP = 760, 6
TOP, HEIGHT, BETWEEN = 32, 90, 46  # room for a panel's heading, the panel, room between the two
PANELS = (("students", "Students"), ("clicks", "Clicks"))
ROOM = 34  # a number above a bar needs so much, and a tick below


def chart(weeks: list[dict]) -> dict | None:
    """Two panels of bars in the coordinates of the drawing; None without weeks.

    `weeks`: rows with `week`, `words`, `students`, `clicks`, `is_break`.
    """
    weeks, apart = without_lone_week(weeks)
    if not weeks:
        return None
    step = WIDTH / len(weeks)
    panels = [_panel(place, *about, weeks, step) for place, about in enumerate(PANELS)]
    return {
        "width": WIDTH,
        "height": round(panels[-1]["bottom"]) + 20,
        "panels": panels,
        "breaks": [_span(index, step) for index, week in enumerate(weeks) if week["is_break"]],
        "gaps": [round(index * step, 1) for index in range(1, len(weeks)) if _is_gap(weeks, index)],
        "ticks": _ticks(weeks, step),
        "none": quiet_weeks(weeks),
        "apart": apart,
    }


def _panel(place: int, key: str, words: str, weeks: list[dict], step: float) -> dict:
    """One row of bars: where it lies, and each bar with its number."""
    top = TOP + place * (HEIGHT + BETWEEN)
    most = max(1, max(week[key] for week in weeks))
    bars = [
        {
            "x": round(index * step + GAP / 2, 1),
            "y": round(top + HEIGHT * (1 - week[key] / most), 1),
            "width": round(step - GAP, 1),
            "height": round(HEIGHT * week[key] / most, 1),
            "middle": round((index + 0.5) * step, 1),
            "value": week[key],
            "words": week["words"],
        }
        for index, week in enumerate(weeks)
    ]
    return {"words": words, "top": top, "bottom": top + HEIGHT, "bars": bars, "has_numbers": step >= ROOM}


def _span(index: int, step: float) -> dict:
    return {"x": round(index * step, 1), "width": round(step, 1)}


def _is_gap(weeks: list[dict], index: int) -> bool:
    return weeks[index]["week"] - weeks[index - 1]["week"] > 1


def _ticks(weeks: list[dict], step: float) -> list[dict]:
    """The number of every week there is room for; a break without a number of its own has none."""
    every = int(ROOM / 2 // step) + 1
    return [
        {"x": round((index + 0.5) * step, 1), "week": int(week["week"])}
        for index, week in enumerate(weeks)
        if index % every == 0 and not week["week"] % 1
    ]
