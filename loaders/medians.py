"""Medians and quartiles in SQL: `median(y)` and `percentile_cont(y, share)`, called as other databases call them.

SQLite counts, sums and averages. A mean of clicks or grades is pulled away by a few people; a median is not.
"""

from __future__ import annotations

import sqlite3


class Percentile:
    """`percentile_cont(value, share)` over rows: what a `share` (0 to 1) of them lie below; `median(value)` is half.

    Between two values where none lies there; None of nothing.

    select median(clicks), percentile_cont(clicks, 0.75) from usage_person
    """

    def __init__(self) -> None:
        self.values: list[float] = []
        self.share = 0.5

    def step(self, value: float | None, share: float = 0.5) -> None:
        """Take one value; what is no number, such as a letter for a grade, does not count."""
        self.share = share
        if isinstance(value, int | float):
            self.values.append(value)

    def finalize(self) -> float | None:
        if not self.values:
            return None
        ordered = sorted(self.values)
        place = (len(ordered) - 1) * min(max(self.share, 0), 1)
        below = ordered[int(place)]
        above = ordered[min(int(place) + 1, len(ordered) - 1)]
        return below + (above - below) * (place % 1)


def register(conn: sqlite3.Connection) -> None:
    """Give this connection `median` and `percentile_cont`."""
    conn.create_aggregate("median", 1, Percentile)
    conn.create_aggregate("percentile_cont", 2, Percentile)
