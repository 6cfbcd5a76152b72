"""Slips of the pen in dates that somebody typed: a 13th month, a 30th of February, a year far away."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta

_DATE = re.compile(r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt ](\d{1,2}):(\d{1,2})(?::(\d{1,2}))?)?(?!\d)")
_LIMITS = (("hour", 23), ("minute", 59), ("second", 60))
FAR = timedelta(weeks=26)


def slip(text: str) -> str | None:
    """What is wrong with the first date in a text that cannot be; None where all can."""
    return next(filter(None, (_wrong(*found.groups()) for found in _DATE.finditer(text))), None)


def _wrong(year: str, month: str, day: str, *time: str | None) -> str | None:
    if not 1 <= int(month) <= 12:
        return f"there is no month {int(month)}"
    if not int(year) >= 1:
        return "there is no year 0"
    if not 1 <= int(day) <= calendar.monthrange(int(year), int(month))[1]:
        return f"{calendar.month_name[int(month)]} {year} has no day {int(day)}"
    said = zip(time, _LIMITS, strict=True)
    if found := next(((part, unit) for part, (unit, most) in said if part and int(part) > most), None):
        return f"there is no {found[1]} {int(found[0])}"
    if any(part and len(part) == 1 for part in (month, day, *time)):
        return f"give months, days and hours two digits, as in {year}-{int(month):02}-{int(day):02}"
    return None


def far(day: date, first: date, last: date) -> str | None:
    """A sentence where a day is more than half a year outside the weeks from `first` to `last`, both Mondays."""
    if first - FAR <= day <= last + timedelta(days=6) + FAR:
        return None
    where = "before" if day < first else "after"
    return (
        f"{day} is more than half a year {where} the weeks, which go from {first} to the week of {last}: is the year"
        " right?"
    )
