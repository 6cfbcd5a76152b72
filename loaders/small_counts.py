"""Answers for colleagues: no number about fewer than 5 students, and none that the other numbers give away.

A question says in its `aggregate` which column counts the students that a row is about (see Rule). In a row that would
tell of too few, or of all but too few, every number becomes HIDDEN: one word for all reasons, as the reason would tell
how many. Where the numbers that are left would give it away, the next smallest row is hidden too. Pure: no database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

LEAST = 5  # students that a number has to be about
HIDDEN = "hidden"
# What says when or where a row is, and is no number of students.
PLACES = {"week", "hour", "number", "day", "year", "is_break", "starts_on"}
MOMENTS = ("_utc", "_local")  # a time to the second is when one student did something
IDS = {"cmid", "moodle_id", "to_moodle_id", "course", "note"}  # never shown: they say nothing to a colleague
WITH_PLACE = "label"  # a name with its place in the order before it, for charts
PEOPLE = {
    "person", "to_person", "person_id", "related_person_id", "real_person_id", "fullname", "from_fullname", "firstname",
    "lastname", "email", "idnumber", "username", "claim", "raw",
}  # fmt: skip
TOO_FEW = "This is about fewer than 5 students, so that it is not shown."
NOTHING_LEFT = (
    "Every row is about fewer than 5 students, or about all but fewer than 5, so that nothing is left to show."
)
NO_KIND = "The names in this answer are words of students, so that it is not shown."
OVERLAP = "These groups have students in common: what is shown could be subtracted, so that it is not shown."
NOT_COUNTED = "This question does not say how many students each row is about (`aggregate`), so that it stays with you."
NO_COLUMN = (
    "The `aggregate` of this question names “{names}”, which its answer does not have, so that it stays with you."
)
NO_COURSE = (
    "This question has no parameter `course`, so that nobody knows how many students it is about: it stays with you."
)
PERSONAL = "Its rows are about single students, so that it stays with you: share a question that counts students."


class Refused(Exception):
    """An answer is not for a colleague; the message is a sentence for both."""


@dataclass(frozen=True)
class Rule:
    """What a question says under `aggregate`: the name of `students`, or a mapping of these.

    students: the column that counts the students a row is about; counts: others that count some of them
    means: columns with how many students a mean or a median is of: that all of them have a grade tells nothing
    of: the column with how many they are out of, where that is not the whole class (or group asked for)
    group: the column that names a group of students, where a row is one; who is in it is no secret, what they did is
    within: the column whose rows of one value are parts of one whole; left out, all rows are
    apart: a column with how many students two of the groups share, which must be none
    values: columns whose words are what was said of students; they are hidden with the numbers
    only: {column: words} of the rows that are shown at all
    hide: columns that are never shown: reckoned from several rows, or links to students
    """

    students: str
    counts: tuple[str, ...] = ()
    means: tuple[str, ...] = ()
    of: str = ""
    group: str = ""
    within: str = ""
    apart: str = ""
    values: tuple[str, ...] = ()
    only: Mapping[str, Sequence[str]] | None = None
    hide: tuple[str, ...] = ()

    def columns(self) -> set[str]:
        """All columns that it names."""
        lone = {self.students, self.of, self.group, self.within, self.apart} - {""}
        return {*lone, *self.counts, *self.means, *self.values, *self.hide, *(self.only or {})}


def rule(aggregate: Any) -> Rule | None:
    """The Rule of a question's `aggregate`; None where it has none, or one that cannot be read."""
    said = {"students": aggregate} if isinstance(aggregate, str) else aggregate
    known = {field.name for field in fields(Rule)}
    if not isinstance(said, Mapping) or set(said) - known or not said.get("students"):
        return None
    if not all(isinstance(said.get(name, ""), str) for name in ("students", "of", "group", "within", "apart")):
        return None
    lists = ("counts", "means", "values", "hide")
    found = {name: _listed(value) if name in lists else value for name, value in said.items()}
    if isinstance(only := said.get("only"), Mapping):
        found["only"] = {name: _listed(words) for name, words in only.items()}
    return Rule(**found)


def _listed(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def why_not(aggregate: Any, columns: Sequence[str], parameters: Sequence[str] = ("course",)) -> str:
    """Why a question with these columns is not for colleagues; empty where it is."""
    if PEOPLE & set(columns) or {"student", "person"} & set(parameters):
        return PERSONAL
    if (found := rule(aggregate)) is None:
        return NOT_COUNTED
    if unknown := sorted(found.columns() - set(columns)):
        return NO_COLUMN.format(names="”, “".join(unknown))
    return "" if "course" in parameters else NO_COURSE


def hidden(columns: Sequence[str], rows: Sequence[Sequence], how: Rule, total: int) -> tuple[list[str], list[list]]:
    """(columns, rows) as a colleague may see them, hidden rows last; `total` is all students the answer is about.

    Raises Refused where they are too few, where groups overlap, and for a question about people.
    """
    if why := why_not(asdict(how), columns):
        raise Refused(why)
    if total < LEAST:
        raise Refused(TOO_FEW)
    named = [dict(zip(columns, row, strict=True)) for row in rows]
    named = [row for row in named if all(row.get(name) in words for name, words in (how.only or {}).items())]
    if rows and not named:
        raise Refused(NO_KIND)
    if how.apart and any(row.get(how.apart) for row in named):
        raise Refused(OVERLAP)
    closed = set().union(*(_closed(named, block, how, total) for block in _blocks(named, how)))
    if closed and len(closed) == len(named):
        raise Refused(NOTHING_LEFT)
    kept = [name for name in columns if name not in {*how.hide, *IDS} and not name.endswith(MOMENTS)]
    words = _words(named, kept, how)
    order = [*(place for place in range(len(named)) if place not in closed), *sorted(closed)]
    return kept, [[_cell(named[place], name, place in closed, words) for name in kept] for place in order]


def _cell(row: Mapping, name: str, is_closed: bool, words: set[str]) -> Any:
    if not is_closed or name in words or name in PLACES:
        return row[name]
    return None if name == WITH_PLACE else HIDDEN


def _words(rows: Sequence[Mapping], columns: Sequence[str], how: Rule) -> set[str]:
    """The columns that say what a row is about: they have text, or nothing, in every row."""
    apart = {*how.values, *how.counts, *how.means, how.students, how.of, WITH_PLACE}
    return {
        name
        for name in columns
        if name not in apart and all(row[name] is None or isinstance(row[name], str) for row in rows)
    }


def _blocks(rows: Sequence[Mapping], how: Rule) -> Iterator[list[int]]:
    """The places of the rows that are parts of one whole."""
    for value in dict.fromkeys(row[how.within] if how.within else None for row in rows):
        yield [place for place, row in enumerate(rows) if not how.within or row[how.within] == value]


def _closed(rows: Sequence[Mapping], block: Sequence[int], how: Rule, total: int) -> set[int]:
    """The places in this block that are hidden: those of too few, then the next smallest while these can be told."""
    closed = {place for place in block if _is_small(rows[place], how, total)}
    rest = _left_over(rows, block, how, total)
    while (closed or 0 < rest < LEAST) and _can_be_told([rows[place] for place in closed], rest, how, total):
        others = [place for place in block if place not in closed and _is_number(rows[place].get(how.students))]
        if not others:
            break
        closed.add(min(others, key=lambda place: rows[place][how.students]))
    return closed


def _is_small(row: Mapping, how: Rule, total: int) -> bool:
    """Whether a number of this row would tell of too few students, or leave too few."""
    if row.get(how.students) is None:  # how many is not known, so that what else is counted may be about one
        known = {*how.counts, *how.means, *how.hide, *IDS, *PLACES, how.of}
        return any(_is_number(value) for name, value in row.items() if name not in known) or _tells(row, how, total)
    return _tells(row, how, total)


def _tells(row: Mapping, how: Rule, total: int) -> bool:
    """That nobody did something, or everybody, tells of each of them; that all are in a group of all does not."""
    if any(row.get(name) is not None and _number(row[name]) < LEAST for name in how.means):
        return True
    for name in (how.students, *how.counts):
        if row.get(name) is None:
            continue
        is_size = bool(how.group) and name == how.students
        whole = total if is_size or not how.of else _number(row.get(how.of))
        left = whole - _number(row[name])
        if _number(row[name]) < LEAST or (left < LEAST and not (is_size and left == 0)):
            return True
    return False


def _can_be_told(rows: Sequence[Mapping], rest: float, how: Rule, total: int) -> bool:
    """Whether hidden rows follow from the others and the whole: a single one does, and so does the sum of them all.

    `rest` students are in no row, which is as good as a hidden one.
    """
    if len(rows) + bool(rest) < 2 or _sum(rows, how.students) + rest < LEAST:
        return True
    if not how.group or rest:
        return False
    counted = [name for name in (*how.counts, *how.means) if any(row.get(name) is not None for row in rows)]
    together = {name: _sum(rows, name) for name in {how.students, how.of, *counted}}
    return _tells({name: together.get(name) for name in (how.of, *counted)}, how, total)


def _left_over(rows: Sequence[Mapping], block: Sequence[int], how: Rule, total: int) -> float:
    """How many students are in none of the groups of this block. Raises Refused where groups overlap."""
    sizes = [_number(rows[place].get(how.students)) for place in block] if how.group else []
    parts = [size for size in sizes if size < total]
    if sum(parts) > total:
        raise Refused(OVERLAP)
    return total - sum(parts) if parts else 0


def _sum(rows: Sequence[Mapping], name: str) -> float:
    return sum(_number(row.get(name)) for row in rows)


def _number(value: Any) -> float:
    return value if _is_number(value) else 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)
