"""What a teacher last chose, for the next question: kept by session, in the memory of this process only.

Nothing of it is in a cookie or on a disk. It ends with the session, as the next one is another, and with the server.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from loaders import choices

IDLE_S = 12 * 3600
MOST = 100  # sessions
ITSELF = ("group", "section", "week", "from_week", "to_week", "student")
ABOUT_ONE = "One student"  # the heading below which the next question is about the same student
WHOLE = ("all", "the whole")  # how a hint begins that says: left empty, the question is about all of the course


def kept(query: dict) -> dict[str, str]:
    """{parameter: what it is remembered as} of a question; the one activity it asks for by whatever list.

    A student comes back only where questions are about one: elsewhere it would narrow, and record, what nobody meant.
    """
    params, chosen_from = query.get("params", []), query.get("choices") or {}
    activities = [name for name in params if choices.list_of(name, chosen_from) in choices.OF_ACTIVITIES]
    known = {name: name for name in ITSELF if name != "student" or query.get("heading") == ABOUT_ONE}
    known |= dict.fromkeys(activities, "activity") if len(activities) == 1 else {}
    return {name: known[name] for name in params if name in known}


def carried(query: dict) -> dict[str, str]:
    """Of `kept`, what a question is filled with: no activity where leaving it out asks about the whole course."""
    hints = query.get("hints") or {}
    found = kept(query).items()
    return {name: key for name, key in found if key != "activity" or not hints.get(name, "").startswith(WHOLE)}


def is_answer(columns: list[str], rows: list) -> bool:
    """Whether there is something in an answer: neither nobody nor a sentence that says why there is none."""
    if len(rows) == 1 and "note" in columns:
        return rows[0][columns.index("note")] is None
    return bool(rows)


@dataclass
class Chosen:
    """`course`: (our key, Moodle's id, site) last asked for in a database; `values`: what was chosen, by both."""

    course: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    values: dict[tuple[str, int], dict[str, str]] = field(default_factory=dict)
    at: float = 0.0

    def take(self, database: str, course: int, given: dict[str, str], is_answered: bool = True) -> None:
        """Remember what a form was sent with; a field sent empty forgets, and so does a new value without an answer."""
        before = self.of(database, course)
        if not is_answered:
            given = {name: value if value == before.get(name) else "" for name, value in given.items()}
        values = {**before, **given}
        self.values[database, course] = {name: value for name, value in values.items() if value}

    def of(self, database: str, course: int) -> dict[str, str]:
        """What was chosen in this course."""
        return self.values.get((database, course), {})


class Memory:
    """What each session chose. Idle ones are forgotten, and the oldest where there are many."""

    def __init__(self) -> None:
        self.sessions: dict[str, Chosen] = {}

    def of(self, session: str) -> Chosen:
        """That of one session, new or not."""
        now = time.monotonic()
        awake = {key: each for key, each in self.sessions.items() if each.at > now - IDLE_S}
        chosen = awake.pop(session, None) or Chosen()
        chosen.at = now
        self.sessions = dict([*awake.items(), (session, chosen)][-MOST:])
        return chosen

    def forget(self, session: str) -> None:
        """Nothing of what one session chose."""
        self.sessions.pop(session, None)
