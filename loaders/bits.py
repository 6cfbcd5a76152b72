"""Students as bits, and their clicks as bit planes: what any group of students clicked is then counted at once.

Each student of a course has a position (`usage_person.position`). A set of students is a whole number in which the
bit at that position is set. Clicks are a bit-sliced index: plane k is the set of students in whose number of clicks
bit k is set, so somebody with 5 clicks is in planes 0 and 2.

Stored as a blob, lowest bits first: a set as it is; planes as one byte with how many there are, then the planes,
equally long.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from functools import cache


def as_set(positions: Iterable[int]) -> int:
    """The set of the students at these positions."""
    found = 0
    for position in positions:
        found |= 1 << position
    return found


def sets_by(pairs: Iterable[tuple]) -> dict:
    """{key: set} of (key, position) pairs."""
    found: dict = defaultdict(int)
    for key, position in pairs:
        found[key] |= 1 << position
    return found


def read_set(blob: bytes) -> int:
    """A stored set."""
    return int.from_bytes(blob, "little")


def count(blob: bytes, inside: int) -> tuple[int, int]:
    """(clicks, the set of students with a click) of stored planes, as far as students are `inside`."""
    clicks = who = 0
    for weight, place in _places(len(blob), blob[0]):
        plane = _number(blob[place], "little") & inside
        clicks += plane.bit_count() << weight
        who |= plane
    return clicks, who


_number = int.from_bytes  # looked up once: a page of a large course counts thousands of planes


@cache
def _places(length: int, planes: int) -> list[tuple[int, slice]]:
    """(k, where plane k is) in a blob of so many bytes and planes."""
    width = (length - 1) // planes
    return [(k, slice(1 + k * width, 1 + (k + 1) * width)) for k in range(planes)]


class Set:
    """`bit_set(position)` over rows: a set, stored; positions that are null are left out."""

    def __init__(self) -> None:
        self.found = 0

    def step(self, position: int | None) -> None:
        if position is not None:
            self.found |= 1 << position

    def finalize(self) -> bytes:
        return self.found.to_bytes(_length(self.found), "little")


class Planes:
    """`bit_planes(position, clicks)` over rows: planes, stored; each position comes once."""

    def __init__(self) -> None:
        self.having: dict[int, int] = defaultdict(int)  # number of clicks -> students; there are few numbers

    def step(self, position: int, clicks: int) -> None:
        self.having[clicks] |= 1 << position

    def finalize(self) -> bytes:
        planes = [0] * max(self.having).bit_length()
        for clicks, students in self.having.items():
            for weight in range(clicks.bit_length()):
                if clicks >> weight & 1:
                    planes[weight] |= students
        width = max(map(_length, planes), default=0)
        return bytes([len(planes)]) + b"".join(plane.to_bytes(width, "little") for plane in planes)


def _length(number: int) -> int:
    return (number.bit_length() + 7) // 8


def register(connection: sqlite3.Connection) -> None:
    """Give this connection `bit_set` and `bit_planes`."""
    connection.create_aggregate("bit_set", 1, Set)
    connection.create_aggregate("bit_planes", 2, Planes)
