"""The export of one forum: every post with its author's id and, as HTML, its text.

    id,discussion,parent,userid,userfullname,created,modified,...,subject,message,messageformat,...
    3,3,0,3,"Marguerite Holloway",1456542828,1456542828,...,"Week 1","<p>Learning a lot ...</p>",1,...

The headers are the same in every language. Times are Unix times, or words if the form's box for
human-readable dates was ticked; messages are plain if its box for removing HTML was.
Source: Moodle, a forum, Export.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from loaders.errors import Unreadable
from loaders.html_text import links_of, text_of, word_count
from loaders.names import clean
from loaders.reading import Reading
from loaders.times import epoch_utc

if TYPE_CHECKING:
    from loaders.tables import Sheet
    from loaders.times import Clock

KIND = "forum posts"
_COLUMNS = ("id", "discussion", "parent", "userid", "created", "modified", "subject", "message")
_TIMES = ("created", "modified")
_EMPTY = (
    "the forum export has no posts: its form's two date boxes are ticked by default (from now to now): untick"
    " both and export again"
)
_UNIX = re.compile(r"\d{1,10}")
_PLAIN, _MARKDOWN, _AUTO = "2", "4", "0"  # messageformat; 1 is HTML


def recognise(sheet: Sheet) -> bool:
    """The columns of Moodle's table of posts, in English whatever the language."""
    return set(_COLUMNS) <= set(sheet.header)


def read(sheet: Sheet, clock: Clock) -> Reading:
    """One `post` claim per post that was not deleted; a private reply comes without its text."""
    reading = Reading(KIND, ())
    if not list(islice(sheet.rows(), 1)):
        reading.notes.append(_EMPTY)
        return reading
    at = {name: column for column, name in enumerate(sheet.header)}
    texts = (row[at[name]] for _, row in sheet.rows() for name in _TIMES)
    clock.settle(text for text in texts if not _UNIX.fullmatch(text.strip()))
    reading.claims = _claims(sheet, clock, reading)
    return reading


def _claims(sheet: Sheet, clock: Clock, reading: Reading) -> Iterator[dict]:
    left_out: Counter[str] = Counter()
    for line, cells in sheet.rows():
        row = dict(zip(sheet.header, cells, strict=True))
        if row.get("deleted", "0").strip() not in ("", "0"):
            left_out["deleted"] += 1
            continue
        created, modified = (_utc(row[name], clock, line) for name in _TIMES)
        reading.newest_utc = max(filter(None, (reading.newest_utc, created, modified)), default=None)
        claim = _post(row, line) | ({"published_utc": created} if created else {})
        if row.get("privatereplyto", "0").strip() in ("", "0"):
            claim |= _content(row["message"], row.get("messageformat", "1").strip())
        else:
            left_out["private"] += 1
        yield claim
    if left_out["deleted"]:
        reading.notes.append(f"posts that were deleted in Moodle were passed over: {left_out['deleted']}")
    if left_out["private"]:
        reading.notes.append(f"private replies were taken without their text: {left_out['private']}")


def _post(row: dict[str, str], line: int) -> dict:
    person = {"moodle_id": _integer(row["userid"], line), "fullname": clean(row.get("userfullname"))}
    claim = {
        "noun": "post",
        "line": line,
        "moodle_id": _integer(row["id"], line),
        "discussion": _integer(row["discussion"], line),
        "person": {key: value for key, value in person.items() if value},
        "title": clean(row["subject"]),
    }
    parent = _integer(row["parent"], line)
    return claim | ({"parent_id": parent} if parent else {})


def _content(message: str, format: str) -> dict:
    text = text_of(message, plain=format in (_PLAIN, _MARKDOWN), breaks=format == _AUTO)
    links = links_of("" if format == _PLAIN else message, text)
    return {"text": text, "word_count": word_count(text), "link_count": len(links), "links": links}


def _integer(text: str, line: int) -> int:
    found = re.fullmatch(r"\s*(\d{1,18})(?:\.0+)?\s*", text)
    if found is None:
        raise Unreadable("a post has no number where its id should be: export the forum again", line)
    return int(found[1])


def _utc(text: str, clock: Clock, line: int) -> str | None:
    text = text.strip()
    try:
        return (epoch_utc(int(text)) if _UNIX.fullmatch(text) else clock.utc(text)) if text else None
    except Unreadable as error:
        raise Unreadable(str(error), line) from None
