"""A chart in words, for those who do not see it and those in a hurry: what is drawn, the highest and the lowest."""

from __future__ import annotations

from loaders.chart_rows import said

MOST_NAMES = 30


def extremes(values: list[tuple[str, float]]) -> str:
    """'Highest: Quiz 1 (120); lowest: Reading (3) and 4 more.' of (where, number)."""
    numbers = [number for _, number in values]
    high, low = max(numbers), min(numbers)
    if high == low:
        return f"All are {said(high)}."
    return f"Highest: {_at(values, high)}; lowest: {_at(values, low)}."


def _at(values: list[tuple[str, float]], wanted: float) -> str:
    where = [name for name, number in values if number == wanted]
    others = f" and {len(where) - 1:,} more" if len(where) > 1 else ""
    return f"{where[0]} ({said(wanted)}){others}"


def upper(text: str) -> str:
    """With a capital: 'students' -> 'Students'; 'GPA' stays."""
    return text[:1].upper() + text[1:]


def listed(names: list[str]) -> str:
    """'Ann, Bob and Cy', 'Ann, Bob and 40 more'."""
    shown = names[:MOST_NAMES]
    if len(names) > len(shown):
        return f"{', '.join(shown)} and {len(names) - len(shown)} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
