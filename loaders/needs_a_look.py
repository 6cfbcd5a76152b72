"""Who needs a look: a few of the questions in metadata.yml, each as a count, a reason and the first names.

The SQL is the question's own, so that a count here is the number of rows there.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from loaders import usage
from loaders.statements import ask

FIRST = 5  # names
PARAMETER = re.compile(r":(\w+)")


@dataclass(frozen=True)
class Look:
    """One question and what is said of its answer: `one` or `many` students (or posts), or that there is `none`."""

    question: str
    one: str
    many: str
    none: str
    why: Callable[[dict], str]  # the reason beside a name, from a row of the answer
    given: dict[str, str] = field(default_factory=dict)
    counts: Callable[[dict], bool] = lambda row: True  # which rows of the answer are meant


def _day(local: str | None) -> str:
    """'15 March 2016'."""
    time = datetime.fromisoformat(local) if local else None
    return f"{time.day} {time:%B %Y}" if time else ""


def _enrolled(row: dict) -> str:
    return f"enrolled {_day(row['enrolled_local'])}" if row["enrolled_local"] else ""


def _silent(row: dict) -> str:
    return f"last post {_day(row['last_post_local'])}, usually every {row['usual_gap_days']:g} days"


LOOKS = (
    Look(
        "never_entered",
        one="1 student has never entered the course",
        many="{} students have never entered the course",
        none="everybody has entered the course",
        why=_enrolled,
    ),
    Look(
        "away",
        one="1 student has been away for 14 days or more",
        many="{} students have been away for 14 days or more",
        none="nobody has been away for 14 days",
        why=lambda row: f"last here {_day(row['last_seen_local'])}",
        given={"days": "14"},
        counts=lambda row: bool(row["last_seen_utc"]),  # who never came has a line of their own
    ),
    Look(
        "behind_median",  # not “behind”: early in a semester most tasks are of weeks still to come
        one="1 student is 3 tasks or more behind the median of their group",
        many="{} students are 3 tasks or more behind the median of their group",
        none="nobody in the report is 3 tasks behind the median of their group",
        why=lambda row: f"{row['completed']} done, median {row['group_median']:g}",
        given={"tasks": "3"},
    ),
    Look(
        "stopped_posting",
        one="1 student has stopped posting",
        many="{} students have stopped posting",
        none="nobody has stopped posting",
        why=_silent,
        given={"weeks": "2"},
        counts=lambda row: row["standing"] == "silent",
    ),
    Look(
        "unusually_negative",
        one="1 post of the last 2 weeks sounds unusually negative for its student",
        many="{} posts of the last 2 weeks sound unusually negative for their students",
        none="no post of the last 2 weeks sounds unusually negative for its student",
        why=lambda row: f"{row['sentiment']:+.2f}, usually {row['usual_sentiment']:+.2f}",
        given={"weeks": "2"},
        counts=lambda row: row["difference"] is not None,
    ),
)


def findings(
    conn: sqlite3.Connection, course: dict, filters: usage.Filters, questions: Mapping[str, str]
) -> list[dict]:
    """One row per question: `question`, `given` (parameters), `count`, `words`, `people` (the first), `more`, `note`.

    `count` is None where the question cannot be answered, and `note` says why. `questions` are {name: SQL}; those
    that are not among them are left out.
    """
    asked = {
        "course": _text(course["moodle_id"]),
        "site": course["site"] or "",
        "group": group_text(filters.groups),
    }
    return [_finding(conn, look, questions[look.question], asked) for look in LOOKS if look.question in questions]


def group_text(groups: list[str]) -> str:
    """Groups as a question takes them: a name or id, or a JSON list of several."""
    return json.dumps(groups) if len(groups) > 1 else "".join(groups)


def _finding(conn: sqlite3.Connection, look: Look, sql: str, asked: dict) -> dict:
    given = {**dict.fromkeys(PARAMETER.findall(sql), ""), **asked, **look.given}
    found = ask(conn, sql, **given)
    note = next((row["note"] for row in found if row["note"]), None)
    rows = [row for row in found if not row["note"] and look.counts(row)]
    count = None if note else len(rows)
    return {
        "question": look.question,
        "given": look.given,
        "count": count,
        "words": _words(look, count),
        "people": _first(look, rows),
        "more": max(0, len({row["person"] for row in rows}) - FIRST),
        "note": note,
    }


def _words(look: Look, count: int | None) -> str | None:
    if count is None:
        return None
    return look.many.format(f"{count:,}") if count > 1 else (look.none, look.one)[count]


def _first(look: Look, rows: list[dict]) -> list[dict]:
    """The first people of an answer, each once: `person`, `fullname`, `why`."""
    people: dict[int, dict] = {}
    for row in rows:
        if len(people) == FIRST:
            break
        about = {"person": row["person"], "fullname": row["fullname"], "why": look.why(row)}
        people.setdefault(row["person"], about)
    return list(people.values())


def _text(moodle_id: int | None) -> str:
    return "" if moodle_id is None else str(moodle_id)
