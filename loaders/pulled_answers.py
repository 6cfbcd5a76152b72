"""A part of a course as `coursette pull` fetched it: many web-service answers in one file, a JSON object a line.

The head says which part of which course it is, and when; each line after it one question and its answer; the
last line how many there are. See loaders/pull_files.py, which writes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from loaders import web_results
from loaders.downloads import Download
from loaders.errors import Unreadable
from loaders.pull_files import FORMAT, Ask
from loaders.reading import Reading

MARK = re.compile(rb'\s*\{\s*"coursette_pull"\s*:')
LONGEST_LINE = 200_000_000
CUT = "this saved pull was cut short: pull the course again"
BROKEN = "this saved pull is damaged or was edited: pull the course again"
NEWER = "a newer Coursette saved this pull: install that version to load it"
KINDS = {
    "course": "course",
    "structure": "course structure",
    "participants": "people",
    "completion": "activity completion",
    "grades": "grades",
    "forums": "forum posts",
    "assignments": "assignment submissions",
    "quizzes": "quiz attempts",
    "choices": "choice responses",
    "feedback": "feedback responses",
    "blog": "blog entries",
    "calendar": "calendar events",
}
_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@dataclass
class Pulled:
    """A saved part of a pull: its head, and its answers, read anew each time."""

    source: str
    head: dict
    download: Download = field(repr=False)

    def answers(self) -> Iterator[tuple[Ask, Any]]:
        """(question, answer), one at a time. Raises Unreadable for a file without its end."""
        count = 0
        with self.download.open() as stream:
            stream.readline(LONGEST_LINE)
            while text := stream.readline(LONGEST_LINE):
                line = _line(text)
                if "end" in line:
                    if line["end"] != count or stream.read(1):
                        raise Unreadable(BROKEN)
                    return
                count += 1
                yield _ask(line), line.get("answer")
        raise Unreadable(CUT)


def read(download: Download) -> Pulled:
    """The part in a file that begins like one. Raises Unreadable."""
    with download.open() as stream:
        head = _line(stream.readline(LONGEST_LINE))
    if head.get("coursette_pull") != FORMAT:
        raise Unreadable(NEWER)
    sound = (
        isinstance(head.get("course"), int)
        and isinstance(head.get("site"), str)
        and head.get("part") in KINDS
        and isinstance(head.get("fetched_utc"), str)
        and _UTC.fullmatch(head["fetched_utc"])
        and (head.get("keys") is None or isinstance(head["keys"], list))
    )
    if not sound:
        raise Unreadable(BROKEN)
    return Pulled(download.source, head, download)


def _line(text: bytes) -> dict:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable(CUT if not text.endswith(b"\n") else BROKEN) from None
    if not isinstance(line, dict):
        raise Unreadable(BROKEN)
    return line


def _ask(line: dict) -> Ask:
    function, parameters, mark = line.get("function"), line.get("parameters"), line.get("mark")
    if not isinstance(function, str) or not isinstance(parameters, dict) or not isinstance(mark, (dict, type(None))):
        raise Unreadable(BROKEN)
    return Ask(function, parameters, mark)


def reading(pulled: Pulled) -> Reading:
    """What all answers say together; claims carry the key of their answer."""
    found = Reading(
        kind=KINDS[pulled.head["part"]],
        claims=(),
        course={"moodle_id": pulled.head["course"]},
        site=pulled.head["site"],
        newest_utc=pulled.head["fetched_utc"],
    )
    found.claims = _claims(pulled)
    return found


def _claims(pulled: Pulled) -> Iterator[dict]:
    lines: dict[tuple, int] = {}
    for ask, answer in pulled.answers():
        yield {"noun": "answer", "answer": ask.key, "mark": ask.mark}
        try:
            said = list(claims_of(ask, answer))
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise Unreadable(f"{BROKEN} (an answer of {ask.function})") from error
        for claim in said:
            if "line" in claim:
                claim["line"] = lines.setdefault((ask.key, claim["line"]), len(lines) + 1)
            yield claim | {"answer": ask.key}


def claims_of(ask: Ask, answer: Any) -> Iterator[dict]:
    """The claims of one answer, with what only its question says."""
    from loaders import web_services

    if reader := READERS.get(ask.function):
        yield from reader(answer, ask.parameters)
    elif found := web_services.find(answer):
        yield from found[1](answer).claims


def _number(parameters: dict, name: str) -> int:
    return int(parameters[name])


READERS: dict[str, Callable[[Any, dict], Iterator[dict]]] = {
    "core_completion_get_activities_completion_status": lambda answer, asked: web_results.completion(
        answer, _number(asked, "userid")
    ),
    "gradereport_user_get_grade_items": lambda answer, asked: web_results.grades(answer),
    "mod_forum_get_forum_discussions": lambda answer, asked: web_results.discussions(answer, _number(asked, "forumid")),
    "mod_forum_get_discussion_posts": lambda answer, asked: web_results.posts(answer),
    "mod_assign_get_submissions": lambda answer, asked: web_results.submissions(answer),
    "mod_quiz_get_user_attempts": lambda answer, asked: web_results.attempts(answer),
    "mod_quiz_get_user_quiz_attempts": lambda answer, asked: web_results.attempts(answer),
    "mod_choice_get_choice_results": lambda answer, asked: web_results.choices(answer, _number(asked, "choiceid")),
    "mod_feedback_get_responses_analysis": lambda answer, asked: web_results.feedback(
        answer, _number(asked, "feedbackid")
    ),
    "core_blog_get_entries": lambda answer, asked: web_results.entries(answer),
    "core_calendar_get_calendar_events": lambda answer, asked: web_results.events(answer),
}
