"""Time zones: their names, and what their wall clocks mean where an hour is missing or comes twice."""

from __future__ import annotations

import difflib
from datetime import date, datetime, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import tzlocal

from loaders.errors import Unreadable

_MIDNIGHT = datetime.min.time()
_EPOCH = datetime(1970, 1, 1)


@cache
def named(zone: str) -> ZoneInfo:
    """The zone of an IANA name. Raises Unreadable with names that come near if there is none."""
    try:
        if "/" in zone or zone in available_timezones():
            return ZoneInfo(zone)
    except (OSError, ValueError, KeyError):  # ZoneInfo lets the file system's errors through
        pass
    names = near(zone)
    hint = f"did you mean {' or '.join(names)}?" if names else "give one such as Australia/Brisbane or Europe/Paris"
    raise Unreadable(f"there is no time zone “{zone}”: {hint}")


def near(zone: str) -> list[str]:
    """Up to three zone names like the one given, by whole name, then by city (`brisbane`)."""
    wanted = zone.strip().replace(" ", "_").casefold()
    names = {name.casefold(): name for name in available_timezones() if "/" in name and not name.startswith("Etc")}
    by_city: dict[str, list[str]] = {}
    for folded, name in sorted(names.items()):
        by_city.setdefault(folded.rpartition("/")[2], []).append(name)
    if wanted in names:
        return [names[wanted]]
    found = list(by_city.get(wanted.rpartition("/")[2], []))
    found += [names[folded] for folded in difflib.get_close_matches(wanted, names, cutoff=0.75)]
    cities = difflib.get_close_matches(wanted.rpartition("/")[2], by_city, cutoff=0.75)
    found += [name for city in cities for name in by_city[city]]
    return list(dict.fromkeys(found))[:3]


def machine_zone() -> str:
    """The IANA name of this machine's time zone; UTC where it has none."""
    try:
        name = tzlocal.get_localzone_name() or "UTC"
        ZoneInfo(name)
        return name
    except (OSError, ValueError, KeyError):
        return "UTC"


def epochs(wall: datetime, zone: tzinfo) -> tuple[int, int]:
    """A naive wall-clock time in unix seconds, first and second occurrence: equal unless it came twice.

    A time that the clock jumped over is moved forward by the jump, as clocks were.
    """
    first = _epoch(wall, zone, 0)
    second = _epoch(wall, zone, 1)
    return first, max(first, second)


def _epoch(wall: datetime, zone: tzinfo, fold: int) -> int:
    aware = wall.replace(tzinfo=zone, fold=fold)
    return int((wall - aware.utcoffset() - _EPOCH).total_seconds())


def plain_midnight(day: date, zone: tzinfo) -> int | None:
    """Unix seconds of a day's midnight if every second of the day came once, else None."""
    start = datetime.combine(day, _MIDNIGHT)
    end = start + timedelta(hours=23, minutes=59, seconds=59)
    offsets = {at.replace(tzinfo=zone, fold=fold).utcoffset() for at in (start, end) for fold in (0, 1)}
    return int((start - offsets.pop() - _EPOCH).total_seconds()) if len(offsets) == 1 else None
