"""Answers with Moodle's own blog hold entries of everybody on the site: what strangers wrote is neither shown nor kept.

An entry whose author no other file knows is stored as its numbers alone. When the author becomes known, the file is
needed again, and replaces what was kept of it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loaders.feeds import Site

KIND, NOUN = "blog entries", "blog entry"
NUMBERS = ("noun", "line", "moodle_id", "author")
LEFT_OUT = (
    "entries of people whom no file knows by Moodle's id were left out ({:,}): if they are your students, load the log"
    " or the saved participants page, then this file again"
)
AGAIN = "its author is known by now: load this file again to take the entry"
KNOWN = (
    "exists (select 1 from people where people.site_id = loads.site_id and moodle_id = json_extract(claim, '$.author'))"
)
COME_BACK = f"""
select loads.id
from loads join claims on claims.load_id = loads.id
where content_key = ? and error is null and loads.kind = '{KIND}' and json_extract(claim, '$.withheld') and {KNOWN}
limit 1
"""


def withhold(connection: sqlite3.Connection, site_id: int, said: list[dict], notes: list[str]) -> list[dict]:
    """The claims of an answer, of those by strangers the numbers alone; notes how many those are."""
    sql = "select moodle_id from people where site_id = ? and moodle_id is not null"
    known = {moodle_id for (moodle_id,) in connection.execute(sql, (site_id,))}
    kept = [claim if claim.get("author", 0) in known or claim["noun"] != NOUN else _numbers(claim) for claim in said]
    if left_out := sum("withheld" in claim for claim in kept):
        notes.append(LEFT_OUT.format(left_out))
    return kept


def _numbers(claim: dict) -> dict:
    return {key: claim[key] for key in NUMBERS} | {"withheld": True}


def needed_again(connection: sqlite3.Connection, content_key: str) -> int | None:
    """The load of a file some of whose entries were left out while their authors, known by now, were strangers."""
    row = connection.execute(COME_BACK, (content_key,)).fetchone()
    return row[0] if row else None


def hold(sites: Iterable[Site], unmatched: list[tuple]) -> None:
    """Entries that were left out and whose author is known by now wait for their file, unless another brings them."""
    for site in sites:
        said = [(load, claim) for load in site.loads for claim in load.of(NOUN)]
        whole = {(claim["author"], claim["moodle_id"]) for _, claim in said if "withheld" not in claim}
        for load, claim in said:
            if "withheld" in claim and (claim["author"], claim["moodle_id"]) not in whole and author(site, claim):
                unmatched.append((load, claim, AGAIN))


def author(site: Site, claim: dict) -> int | None:
    """Own key of who wrote an entry, where another file knows them."""
    root, _ = site.people.find({"moodle_id": claim["author"]}, 0)
    return site.own.get(root)
