"""Writing the file of calendar_file.py so that a teacher can read and correct it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from loaders.calendar_proposal import Due, Proposal
from loaders.calendars import Break

INTRODUCTION = """\
# Calendar of {name}
# proposed by `coursette calendar` from what is loaded. Correct it, then: coursette calendar {file}
# What follows a # is for you alone. Dates are year-month-day.
"""
BREAKS_COUNT = """\
# true: a break week has a number too (in week 5 there is a break, after it comes week 6).
# false: weeks go on counting after a break (week 4, break, week 5).
"""
NAMES = """\
# Names of weeks, as: 1 = "Getting started"
[names]
"""
BREAKS = """\
# Breaks: "from" is any day of the first week; weeks = 2 makes it two weeks long.
"""
NO_BREAK = """\
# Nothing looks like a break. If there was one, take the # away:
# [[breaks]]
# from = {week_5}
# name = "Mid-semester break"
"""
DUE = """\
# When activities are due, in the time of the course ({zone}). What stands here goes before what Moodle says.
# "activity" is the number in its address: /mod/assign/view.php?id=18
"""
NO_DUE = """\
# [[due]]
# activity = 18
# at = 2016-04-01T23:59:00
"""


def file_name(course: dict) -> Path:
    """`calendar-EDC3100_2016_S1.toml`, in the folder one is in."""
    plain = re.sub(r"[^\w.-]+", "-", course["shortname"] or "").strip("-.")[:80] or str(course["moodle_id"])
    return Path(f"calendar-{plain}.toml")


def text(proposal: Proposal, path: Path) -> str:
    """The whole file."""
    return "".join(f"{part}\n" for part in _parts(proposal, path)).rstrip("\n") + "\n"


def _parts(proposal: Proposal, path: Path) -> Iterator[str]:
    course, calendar = proposal.course, proposal.calendar
    name = _comment(course["fullname"] or course["shortname"] or f"course {course['moodle_id']}")
    yield INTRODUCTION.format(name=name, file=_comment(path.name))
    yield f"course = {course['moodle_id']}  # Moodle's number of the course"
    if course["site"]:
        yield f"site = {_quoted(course['site'])}"
    yield f"week_1 = {calendar.week_1}  # any day of it"
    yield f"last_week = {calendar.last_week}\n"
    yield f"{BREAKS_COUNT}breaks_count = {str(calendar.breaks_count).lower()}\n"
    yield NAMES + "".join(f"{week} = {_quoted(name)}\n" for week, name in calendar.names.items())
    if calendar.breaks:
        yield BREAKS + "\n".join(_break(one, proposal.because.get(one.starts_on, "")) for one in calendar.breaks)
    else:
        yield NO_BREAK.format(week_5=calendar.numbering().starts_on(5))
    due = "\n".join(map(_due, proposal.due))
    yield DUE.format(zone=course["timezone"]) + (due or NO_DUE)


def _break(one: Break, why: str) -> str:
    lines = [f"[[breaks]]  # {_comment(why)}" if why else "[[breaks]]", f"from = {one.starts_on}"]
    lines += [f"weeks = {one.weeks}"] * (one.weeks > 1) + [f"name = {_quoted(one.name)}"] * bool(one.name)
    return "\n".join(lines) + "\n"


def _due(due: Due) -> str:
    named = f"  # {_comment(due.name)}" if due.name else ""
    return f"[[due]]\nactivity = {due.cmid}{named}\nat = {due.at.isoformat()}\n"


def _quoted(words: str) -> str:
    """As TOML writes words; it escapes as JSON does, and one character more."""
    return json.dumps(words, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(words: str) -> str:
    """What came from Moodle, in one line and without what an editor might obey."""
    return " ".join("".join(char if char.isprintable() else " " for char in words).split())
