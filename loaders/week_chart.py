"""The small chart of a student's clicks by week beside the class median, and what it shows in words."""

from __future__ import annotations

CHART = {"width": 560, "height": 60, "gap": 4}
HALF_A_YEAR = 26  # weeks


def chart(weeks: list[dict]) -> dict | None:
    """Bars of clicks and steps of the class median in the coordinates of the drawing; None without weeks."""
    weeks, apart = without_lone_week(weeks)
    if not weeks:
        return None
    top = max(1, *(max(week["clicks"], week["class_median"]) for week in weeks))
    step = CHART["width"] / len(weeks)
    every = len(weeks) // 26 + 1

    def height(value: float) -> float:
        return round(CHART["height"] * value / top, 1)

    bars = [
        {
            **week,
            "x": round(index * step + CHART["gap"] / 2, 1),
            "width": round(step - CHART["gap"], 1),
            "height": height(week["clicks"]),
            "y": CHART["height"] - height(week["clicks"]),
            "left": round(index * step, 1),
            "right": round((index + 1) * step, 1),
            "middle": round((index + 0.5) * step, 1),
            "median_y": CHART["height"] - height(week["class_median"]),
            "tick": index % every == 0 and not week["week"] % 1,
            "gap": index > 0 and week["week"] - weeks[index - 1]["week"] > 1,
        }
        for index, week in enumerate(weeks)
    ]
    return {**CHART, "bars": bars, "none": quiet_weeks(weeks), "apart": apart}


def without_lone_week(weeks: list[dict]) -> tuple[list[dict], list[dict]]:
    """(weeks to draw, those left out): a first or last week more than half a year from all others is left out."""
    apart = []
    if len(weeks) > 2 and weeks[1]["week"] - weeks[0]["week"] > HALF_A_YEAR:
        apart, weeks = [weeks[0]], weeks[1:]
    if len(weeks) > 2 and weeks[-1]["week"] - weeks[-2]["week"] > HALF_A_YEAR:
        apart, weeks = [*apart, weeks[-1]], weeks[:-1]
    return weeks, apart


def quiet_weeks(weeks: list[dict]) -> str:
    """'none in weeks 5, 7 to 9 (break: 5)': the weeks without a click, said in words."""
    none = runs([index for index, week in enumerate(weeks) if not week["clicks"]])
    called = [week["name"] or "a break" if week["week"] % 1 else str(week["week"]) for week in weeks]
    said = [called[first] + (f" to {called[last]}" if last > first else "") for first, last in none]
    breaks = [str(week["week"]) for week in weeks if week["is_break"] and not week["week"] % 1]
    many = len(said) > 1 or any(" " in words for words in said)
    text = f"none in week{'s' if many else ''} {', '.join(said)}" if said else ""
    return text + (f" (break: {', '.join(breaks)})" if text and breaks else "")


def runs(indexes: list[int]) -> list[tuple[int, int]]:
    """[(first, last)] of neighbours: [1, 2, 3, 5] -> [(1, 3), (5, 5)]."""
    found: list[tuple[int, int]] = []
    for index in indexes:
        if found and found[-1][1] == index - 1:
            found[-1] = (found[-1][0], index)
        else:
            found.append((index, index))
    return found
