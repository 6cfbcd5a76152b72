"""Whose blog is where: a teacher's table, a feed reader's list, or a page of Moodle's BIM module.

    Email address,Blog
    w1012493@student.example.edu,https://al.example.org/

Any table with a column of addresses, and anything that tells students: Moodle's id, email, id number, username,
name. Columns are known by their words, else by what is in them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from loaders import claims, detail_columns, details, opml
from loaders.blog_address import addresses_in
from loaders.detail_columns import Layout
from loaders.errors import Unreadable
from loaders.identity import email_column
from loaders.names import clean, fold
from loaders.reading import Reading
from loaders.sheets import Sheet
from loaders.times import Clock

KIND = "blogs"
SAMPLE = 200  # rows that are looked at to know the columns
NO_ADDRESSES = (
    "no column of this table holds web addresses: it needs one such as https://name.wordpress.com/, beside one that"
    " says whose blog it is"
)
LONGEST_CELL = 200  # characters: what identifies a student is shorter

_FEED = ("feed", "rss", "atom", "xmlurl")
_SURE = ("blog", "feed", "rss")
_BLOG = ("blog", "html", "site", "web", "url", "address", "adresse", "link")


def recognise(sheet: Sheet) -> bool:
    """A feed reader's list, or a table of students with a column of addresses whose heading speaks of blogs.

    Any other address that students gave (of a document they hand in) is taken only where the teacher says so.
    """
    if sheet.format == opml.FORMAT:
        return True
    addresses = _address_columns(sheet, sure=True)
    if not any(_named(sheet.header[column], _SURE) for column in addresses):
        return False
    return bool(_who(sheet, addresses))


def read(sheet: Sheet, clock: Clock) -> Reading:
    """One `feed` claim per address. Raises Unreadable where no column has any."""
    columns = _address_columns(sheet, sure=False)
    if not columns:
        raise Unreadable(NO_ADDRESSES)
    reading = Reading(KIND, ())
    reading.claims = _claims(sheet, columns, reading.notes)
    return reading


def by_hand(who: str, urls: tuple[str, ...]) -> list[dict]:
    """Claims of `coursette blogs add --student`. Raises Unreadable for what is no address."""
    found = [address for url in urls for address in addresses_in(url)]
    if len(found) != len(urls):
        raise Unreadable("a blog has an address such as https://name.wordpress.com/: copy it from the browser")
    return [
        {"noun": "feed", "line": line, "student": {}, "candidates": [clean(who)], "url": url, "by_hand": True}
        for line, url in enumerate(found, 1)
    ]


def say_now(connection: sqlite3.Connection, load_id: int) -> None:
    """Keep that the teacher registers the whole list now; inside the caller's transaction."""
    connection.execute("delete from claims where load_id = ? and noun = 'feed list'", (load_id,))
    claims.store(connection, load_id, [{"noun": "feed list", "said_utc": exact_now()}])


def exact_now() -> str:
    """Now, to tell an `add` from a `remove` just before it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


# ---- Columns ----


def _address_columns(sheet: Sheet, sure: bool) -> list[int]:
    """The column of blogs, then, where there is one, that of their feeds.

    `sure`: all but a few cells are full addresses; else a column with any address will do.
    """
    sample = [row for _, row in islice(sheet.rows(), SAMPLE)]
    shares = {}
    for column in range(len(sheet.header)):
        filled = [cell for row in sample if (cell := row[column].strip())]
        found = sum(bool(addresses_in(cell)) and (not sure or cell.lower().startswith("http")) for cell in filled)
        if found and (found > 0.8 * len(filled) or not sure):
            shares[column] = found
    feeds = [column for column in shares if _named(sheet.header[column], _FEED)]
    others = [column for column in shares if column not in feeds]
    best = sorted(others, key=lambda column: (not _named(sheet.header[column], _BLOG), -shares[column], column))
    return [*best[:1], *feeds[:1]] if best else feeds[:1]


def _named(header: str, words: tuple[str, ...]) -> bool:
    return any(word in fold(header) for word in words)


def _who(sheet: Sheet, addresses: list[int]) -> dict[str, int]:
    """What identifies a student -> its column: by headings as in any spreadsheet, e-mail also by what is in cells."""
    header = ["" if column in addresses else text for column, text in enumerate(sheet.header)]
    keys = detail_columns.by_heading(header)
    sample = [row for _, row in islice(sheet.rows(), SAMPLE)]
    email = email_column(header, [column for column in range(len(header)) if column not in addresses], sample)
    if email is None:
        return keys
    return {what: column for what, column in keys.items() if column != email} | {"email": email}


# ---- Rows ----


def _claims(sheet: Sheet, addresses: list[int], notes: list[str]) -> Iterator[dict]:
    keys = _who(sheet, addresses)
    others = [column for column in range(len(sheet.header)) if column not in (*addresses, *keys.values())]
    without = 0
    for line, row in sheet.rows():
        student = details.person(Layout(keys), row)
        urls, feed = addresses_in(row[addresses[0]]), addresses_in(row[addresses[-1]])
        urls = urls or feed
        without += not urls
        for url in urls:
            claim = {"noun": "feed", "line": line, "student": student, "url": url}
            if len(addresses) > 1 and len(urls) == len(feed) == 1 and feed != urls:
                claim["feed_url"] = feed[0]
            yield claim | _hints(sheet, [] if detail_columns.STRONG & keys.keys() else others, row)
    if without:
        notes.append(f"rows without an address were passed over: {without}")


def _hints(sheet: Sheet, columns: list[int], row: list[str]) -> dict:
    """What may tell the student where the headings do not: settled against the people that are known."""
    said = {clean(sheet.header[column]): text for column in columns if (text := clean(row[column]))}
    said = {header: text for header, text in said.items() if header and len(text) <= LONGEST_CELL}
    if sheet.format == opml.FORMAT:
        return {"candidates": list(said.values())}
    return {"cells": said} if said else {}
