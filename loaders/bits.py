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
from functools import lru_cache


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


def read_set(blob: bytes | None) -> int:
    """A stored set; null is nobody, as `bit_set` over no rows is null in SQL."""
    if blob and len(blob) > MOST // 8:
        raise ValueError("no course has so many students")
    return int.from_bytes(blob or b"", "little")


def stored(students: int) -> bytes:
    """A set as it is stored."""
    return students.to_bytes(_length(students), "little")


def count(blob: bytes, inside: int) -> tuple[int, int]:
    """(clicks, the set of students with a click) of stored planes, as far as students are `inside`."""
    clicks = who = 0
    for weight, place in _places(len(blob), blob[0]):
        plane = _number(blob[place], "little") & inside
        clicks += plane.bit_count() << weight
        who |= plane
    return clicks, who


_number = int.from_bytes  # looked up once: a page of a large course counts thousands of planes


@lru_cache(10_000)
def _places(length: int, planes: int) -> list[tuple[int, slice]]:
    """(k, where plane k is) in a blob of so many bytes and planes."""
    width = (length - 1) // planes if planes else 0
    return [(k, slice(1 + k * width, 1 + (k + 1) * width)) for k in range(planes)]


# SQL of anybody's own must not fill the memory.
MOST = 1_000_000  # students of a course
MOST_COUNTS, MOST_CLICKS = 20_000, 1 << 40  # different numbers of clicks in one place, and the highest


def _bit(position: int) -> int:
    if not 0 <= position < MOST:
        raise ValueError(f"no student has the position {position}")
    return 1 << position


class Set:
    """`bit_set(position)` over rows: a set, stored; positions that are null are left out.

    select bit_count(bit_set(position)) from usage_person
    """

    def __init__(self) -> None:
        self.found = 0

    def step(self, position: int | None) -> None:
        if position is not None:
            self.found |= _bit(position)

    def finalize(self) -> bytes:
        return stored(self.found)


class Planes:
    """`bit_planes(position, clicks)` over rows: planes, stored; each position comes once.

    select hex(bit_planes(position, clicks)) from usage_person where course_id = 1
    """

    def __init__(self) -> None:
        self.having: dict[int, int] = defaultdict(int)  # number of clicks -> students; there are few numbers

    def step(self, position: int, clicks: int) -> None:
        if len(self.having) > MOST_COUNTS or clicks > MOST_CLICKS:
            raise ValueError("nobody clicks so often")
        self.having[clicks] |= _bit(position)

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


class Union:
    """`bit_union(set)` over rows: everybody who is in one of these sets, stored.

    select course_id, bit_count(bit_union(completed_by)) from usage_activity group by course_id
    """

    def __init__(self) -> None:
        self.found = 0

    def step(self, students: bytes | None) -> None:
        self.found |= read_set(students)

    def finalize(self) -> bytes:
        return stored(self.found)


def clicks_of(planes: bytes | None, inside: bytes | None) -> int:
    """`bit_clicks(planes, inside)`: clicks of these students; planes that are null are nobody's.

    select activity_id, bit_clicks(planes, completed_by) from usage_activity
    """
    return count(planes, read_set(inside))[0] if planes else 0


def who_clicked(planes: bytes | None, inside: bytes | None) -> bytes:
    """`bit_who(planes, inside)`: the set of these students who have a click.

    select activity_id, bit_count(bit_who(planes, completed_by)) from usage_activity
    """
    return stored(count(planes, read_set(inside))[1] if planes else 0)


def both(one: bytes | None, other: bytes | None) -> bytes:
    """`bit_both(set, set)`: those who are in both.

    select bit_count(bit_both(x'07', x'06'))
    """
    return stored(read_set(one) & read_set(other))


def without(one: bytes | None, other: bytes | None) -> bytes:
    """`bit_without(set, set)`: those of the first who are not in the other.

    select bit_count(bit_without(x'07', x'06'))
    """
    return stored(read_set(one) & ~read_set(other))


def size(students: bytes | None) -> int:
    """`bit_count(set)`: how many are in it.

    select activity_id, bit_count(completed_by) from usage_activity
    """
    return read_set(students).bit_count()


def holds(students: bytes | None, position: int) -> int:
    """`bit_has(set, position)`: 1 where the student at this position is in it, else 0.

    select bit_has(x'06', 1)
    """
    return read_set(students) >> position & 1


def register(connection: sqlite3.Connection) -> None:
    """Give this connection what reads and makes sets and planes: the functions here that name themselves `bit_...`."""
    connection.create_aggregate("bit_set", 1, Set)
    connection.create_aggregate("bit_planes", 2, Planes)
    connection.create_aggregate("bit_union", 1, Union)
    for name, function in (
        ("bit_clicks", clicks_of),
        ("bit_who", who_clicked),
        ("bit_both", both),
        ("bit_without", without),
        ("bit_has", holds),
    ):
        connection.create_function(name, 2, function, deterministic=True)
    connection.create_function("bit_count", 1, size, deterministic=True)
