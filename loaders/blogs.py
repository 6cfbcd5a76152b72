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

from loaders import claims, headings, opml
from loaders.blog_address import addresses_in
from loaders.errors import Unreadable
from loaders.identity import EMAIL, Identity
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

_MOODLE_ID = frozenset(("moodle id", "moodleid", "moodle user id", "userid", "user id"))
_FULL_NAMES = (
    "name|full name|fullname|user full name|student|student name|learner|author|vollständiger name|student*in"
    "|studierende|nom complet|étudiant|nombre completo|estudiante|alumno|nome completo|studente|aluno"
    "|volledige naam|氏名|姓名|имя и фамилия|студент"
)
_FULL_NAME = frozenset(_FULL_NAMES.split("|"))
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
    return Columns(sheet, addresses).certain or _email(sheet, addresses)


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


class Columns:
    """The columns whose headings say that they identify a student."""

    def __init__(self, sheet: Sheet, addresses: list[int]):
        header = sheet.header
        self.columns = [column for column in range(len(header)) if column not in addresses]
        first, last, full = (
            next((column for column in self.columns if test(header[column])), None)
            for test in (_says("firstname"), _says("lastname"), lambda name: fold(name) in _FULL_NAME)
        )
        self.names = (first, last) if first is not None and last is not None and first != last else None
        self.full = full if self.names is None else None
        self.moodle_id = next((column for column in self.columns if fold(header[column]) in _MOODLE_ID), None)

    @property
    def certain(self) -> bool:
        """Whether a heading says enough to take the table for a list of students."""
        return self.names is not None or self.full is not None or self.moodle_id is not None


def _says(what: str):
    return lambda name: headings.says(name, what)


def _email(sheet: Sheet, addresses: list[int]) -> bool:
    sample = [row for _, row in islice(sheet.rows(), SAMPLE)]
    return any(
        sample and all(not row[column] or EMAIL.fullmatch(clean(row[column])) for row in sample)
        and any(row[column] for row in sample)
        for column in range(len(sheet.header)) if column not in addresses
    )  # fmt: skip


# ---- Rows ----


def _claims(sheet: Sheet, addresses: list[int], notes: list[str]) -> Iterator[dict]:
    known = Columns(sheet, addresses)
    taken = {*(known.names or ()), known.full, known.moodle_id}
    identity = Identity(sheet, [c for c in known.columns if c not in taken], names=known.names, full=known.full)
    notes.extend(identity.notes)
    without = 0
    for line, row in sheet.rows():
        student = identity.person(row)
        if known.moodle_id is not None and clean(row[known.moodle_id]).isdigit():
            student["moodle_id"] = int(clean(row[known.moodle_id])[:15])
        urls, feed = addresses_in(row[addresses[0]]), addresses_in(row[addresses[-1]])
        urls = urls or feed
        without += not urls
        for url in urls:
            claim = {"noun": "feed", "line": line, "student": student, "url": url}
            if len(addresses) > 1 and len(urls) == len(feed) == 1 and feed != urls:
                claim["feed_url"] = feed[0]
            yield claim | _hints(sheet, identity, row)
    if without:
        notes.append(f"rows without an address were passed over: {without}")


def _hints(sheet: Sheet, identity: Identity, row: list[str]) -> dict:
    """What may tell the student where the headings do not: settled against the people that are known."""
    said = {sheet.header[column]: text for column in identity.details if (text := clean(row[column]))}
    said = {header: text for header, text in said.items() if len(text) <= LONGEST_CELL}
    if sheet.format == opml.FORMAT:
        return {"candidates": list(said.values())}
    return {"cells": said} if said and not identity.keys else {}
