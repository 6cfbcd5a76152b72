"""Small calendars as a teacher writes them, and a log to count the weeks of."""

from __future__ import annotations

import os
from datetime import date, timedelta
from pathlib import Path

from exports import assigned, viewed_course, viewed_page, write_log

WEEKS = "course = 2\nweek_1 = 2016-03-02\nlast_week = 9\n"
EASTER = '[[breaks]]\nfrom = 2016-03-30  # a Wednesday\nname = "Easter break"\n'
UNCOUNTED = f"{WEEKS}breaks_count = false\n{EASTER}"
DUE = "[[due]]\nactivity = 7\nat = 2016-04-01T23:59:00\n"


def calendar(folder: Path, text: str, name: str = "calendar.toml", day: int = 1) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    os.utime(path, (1_500_000_000 + day * 86_400,) * 2)
    return path


def log(folder: Path, days: int = 70, name: str = "logs.csv", first: date = date(2016, 2, 22)) -> Path:
    """A click or two a day, the newest first."""
    lines = []
    for day in (first + timedelta(days=days - 1 - n) for n in range(days)):
        lines += [viewed_page(f"{day:%d/%m/%y}, 20:00:00", 5), viewed_course(f"{day:%d/%m/%y}, 09:00:00", 18)]
    enrolled = [assigned(f"{first:%d/%m/%y}, 08:00:00", user) for user in (5, 18)]
    return write_log(folder / name, [*lines, *enrolled])
