"""JSON files: a table that Moodle offered as a download, or a saved web-service answer.

[[{
    "time": "22\\/11\\/26, 20:26:28",
    "userfullname": "Marguerite Holloway", ...
},{ ... }]]
"""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import ijson

from loaders.downloads import Download
from loaders.errors import Unreadable
from loaders.sheets import MOST_COLUMNS, Answer, Row, Sheet, number_text, spooled
from loaders.streams import BUFFER, Watched

LARGEST_ANSWER = 200_000_000
LONGEST_TEXT = 10_000_000

CUT = "this JSON was cut short: download it again"
BROKEN = "this JSON is damaged: download it again"
TOO_LONG = "this JSON has a text of over 10 million characters, so it is no Moodle table: download it again"
ODD_ROW = "this row has other columns than the first: download comma separated values (.csv) instead"
NESTED = "this JSON holds lists inside its rows, so it is no Moodle table: download it as .csv"
ERROR = "Moodle answered with an error in place of data (“{}”): put that right, then ask again"
LOST_COLUMNS = (
    "this JSON has lost columns, because Moodle could not give each of them a name of its own in JSON: "
    "download comma separated values (.csv) instead"
)

_TABLE = re.compile(rb"\s*\[\s*\[\s*[{\]]")


def read(download: Download, head: bytes) -> Sheet | Answer:
    """The table or the answer in a JSON file; `head` is its first megabyte. Raises Unreadable."""
    if _TABLE.match(head.removeprefix(codecs.BOM_UTF8)):
        return spooled(Sheet(download.source, "json", []), _rows(download))
    return Answer(download.source, _data(download))


# ---- Tables ----


def _rows(download: Download) -> Iterator[Row]:
    """The keys of the first object (as row 0), then (number of the object, values as text)."""
    header: list[str] = []
    number = 0
    for number, (keys, cells) in enumerate(_objects(download), 1):
        if not header:
            _refuse_lost_columns(keys)
            header = keys
            yield 0, header
        if keys != header or len(cells) != len(header):
            raise Unreadable(ODD_ROW, number)
        yield number, cells
    if not number:
        raise Unreadable("this JSON has no rows: if there should be some, download it again")


def _refuse_lost_columns(keys: list[str]) -> None:
    """Of headers Moodle keeps only A-Z and digits: in Russian, Chinese ... nothing, and the keys collide."""
    if not all(key.strip() for key in keys) or len(set(keys)) < max(len(keys), 1):
        raise Unreadable(LOST_COLUMNS)


def _objects(download: Download) -> Iterator[tuple[list[str], list[str]]]:
    """(keys, values as text) of each object; doubled keys too, which a dict would hide."""
    keys: list[str] = []
    cells: list[str] = []
    depth = 0
    for event, value in _events(download):
        if event == "string":
            cells.append(value)
        elif event == "map_key":
            keys.append(value)
        elif event == "end_map":
            depth -= 1
            yield keys, cells
            keys, cells = [], []
        elif event in ("null", "boolean", "number"):
            cells.append(_text(value))
        elif event in ("start_map", "start_array"):
            depth += 1
            if depth > 3 or len(keys) > MOST_COLUMNS:
                raise Unreadable(NESTED)
        else:
            depth -= 1


def _events(download: Download) -> Iterator[tuple[str, Any]]:
    stream = io.BufferedReader(Watched(download.open(), (b'"', b"}"), LONGEST_TEXT, TOO_LONG), BUFFER)
    with stream:
        if stream.peek(3).startswith(codecs.BOM_UTF8):
            stream.read(3)
        try:
            # use_float: else a number of thousands of digits crashes ijson's C parser (3.6.0), and Python with it
            yield from ijson.basic_parse(stream, buf_size=BUFFER // 4, use_float=True)
        except ijson.IncompleteJSONError as error:
            raise Unreadable(CUT if "premature EOF" in str(error) else BROKEN) from error
        except (ijson.JSONError, ValueError, ArithmeticError) as error:
            raise Unreadable(BROKEN) from error


def _text(value: Any) -> str:
    if value is None or value is False:
        return ""  # as PHP writes it in the other formats
    return "1" if value is True else number_text(str(value))


# ---- Answers ----


def _data(download: Download) -> Any:
    with download.open() as stream:
        text = stream.read(LARGEST_ANSWER + 1)
    if len(text) > LARGEST_ANSWER:
        raise Unreadable("this answer has more than 200 MB: ask Moodle for less at a time")
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise Unreadable(CUT if _unended(error) else BROKEN) from error
    except (ValueError, RecursionError) as error:
        raise Unreadable(BROKEN) from error
    _refuse_error(data)
    return data


def _unended(error: json.JSONDecodeError) -> bool:
    return error.msg.startswith("Unterminated string") or error.pos >= len(error.doc.rstrip())


def _refuse_error(data: Any) -> None:
    """`{"exception": ..., "errorcode": "accessexception", "message": "Access control exception"}`"""
    if isinstance(data, dict) and "errorcode" in data and ("exception" in data or "error" in data):
        message = str(data.get("message") or data.get("error") or data["errorcode"])
        raise Unreadable(ERROR.format(" ".join(message.split())[:200]))
