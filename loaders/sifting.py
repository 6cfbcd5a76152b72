"""What files say of students who were deleted on request or opted out is taken out before anything is made of it.

A row is a student's by a sure mark (Moodle's id, e-mail, id number, user name); else by name, unless a sure mark says
that it is somebody else's. A name alone is never given to a namesake: it may be hers. Whatever else such a row gives to
know her by is kept, as hashes, for the next file.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable
from itertools import groupby

from loaders import descriptions
from loaders.blog_address import same
from loaders.courses import person_keys
from loaders.forgotten import STRONG, Forgotten, Hit, named
from loaders.log import shown_names
from loaders.person_details import keys as words_keys

HELD = "held log line"
REMOVED = "[removed]"
REPLY = re.compile(r"\S{1,6}: ")  # "Re: ", "AW: ", "RE: "
PEOPLE = "select moodle_id, email, idnumber, username, fullname from people where site_id = ? and fullname is not null"
CLAIMS = """
select claims.load_id, claims.id, claims.claim
from claims
join loads on loads.id = claims.load_id
where loads.site_id = ?
order by claims.load_id, claims.id
"""
COURSE = """
select coalesce(course_option, (select moodle_id from courses where courses.id = course_id)) from loads where id = ?
"""


def sift(connection: sqlite3.Connection) -> set[int]:
    """Delete what is said of those kept out, inside the caller's transaction; own keys of people who turned out to be
    among them (their log lines go too). Counts the rows in `loads.rows_skipped`."""
    if not connection.execute("select 1 from forgotten limit 1").fetchone():
        return set()
    found: set[int] = set()
    for (site_id,) in connection.execute("select id from sites").fetchall():
        if kept_out := Forgotten(connection, site_id):
            _Sieve(connection, kept_out).run()
            found |= _people(connection, kept_out)
    return found


class _Sieve:
    """One site's claims, going through."""

    def __init__(self, connection: sqlite3.Connection, kept_out: Forgotten):
        self.connection, self.kept_out = connection, kept_out
        names = ("moodle_id", "email", "idnumber", "username", "fullname")
        people = [dict(zip(names, row, strict=True)) for row in connection.execute(PEOPLE, (kept_out.site_id,))]
        self.others = {key for row in people for key in person_keys(row) if key[0] in STRONG}

    def run(self) -> None:
        skipped: Counter[int] = Counter()
        for load_id, rows in groupby(self.connection.execute(CLAIMS, (self.kept_out.site_id,)).fetchall(), _first):
            course = self.connection.execute(COURSE, (load_id,)).fetchone()[0]
            claims = [(key, json.loads(text)) for _, key, text in rows]
            gone, lines = self._of_load(claims, course)
            skipped[load_id] += len(lines)
            self.connection.executemany("delete from claims where id = ?", [(key,) for key in gone])
            self._retell([(key, claim) for key, claim in claims if key not in gone], course)
        self._unmatched(skipped)
        self.connection.executemany(
            "update loads set rows_skipped = rows_skipped + ? where id = ?",
            [(count, load_id) for load_id, count in skipped.items() if count],
        )

    def _of_load(self, claims: list[tuple[int, dict]], course: int | None) -> tuple[set[int], set]:
        """(keys of the claims that go, the rows of the file that they are of)."""
        keys = {key: keys_of(claim) for key, claim in claims}
        sure = {key: hits for key, claim in claims if (hits := self._sure(claim, keys[key], course))}
        there = {hit for hits in sure.values() for hit in hits}
        gone = {key for key, _ in claims if key in sure or (keys[key] and self._by_name(keys[key], course, there))}
        lines = {claim.get("line", -key) for key, claim in claims if key in gone and claim["noun"] != "log role"}
        return gone, lines

    def _sure(self, claim: dict, keys: set[tuple], course: int | None) -> set[Hit]:
        """Whose claim it is by sure marks; what else it gives is learned."""
        hits = self.kept_out.by_keys(keys, course)
        ids = {key for key in keys if key[0] == "id"}
        if ids and not self.kept_out.by_keys(ids, course) and ids <= self.others:
            return set()  # an e-mail that two people share; Moodle's id decides
        if url := claim.get("url") if claim["noun"].startswith("feed") else None:
            hits |= self.kept_out.match("feed", same(url), course)
        self._learn(hits, claim, keys, course)
        return hits

    def _by_name(self, keys: set[tuple], course: int | None, there: set[Hit]) -> bool:
        """Whether a claim is by its name that of somebody kept out. `there`: those who have a row of their own."""
        strong = {key for key in keys if key[0] in STRONG}
        if strong & self.others:
            return False
        hits = self.kept_out.by_name([name for kind, name in keys if kind == "name"], course)
        if any(kind == "id" for kind, _ in strong):
            hits = {hit for hit in hits if hit.student not in self.kept_out.known_by_id}
        if strong:
            hits -= there
        self._learn(hits, {}, keys, course)
        return bool(hits)

    def _learn(self, hits: set[Hit], claim: dict, keys: set[tuple], course: int | None) -> None:
        if len(hits) != 1:
            return
        marks = [key for key in keys if key[0] in STRONG and key not in self.others]
        marks += [("name", named(course, name)) for kind, name in keys if kind == "name" and course]
        if claim.get("noun") == "post" and not claim.get("parent_id") and claim.get("discussion"):
            marks.append(("discussion", claim["discussion"]))
        if claim.get("noun") == "feed":
            marks.append(("feed", same(claim["url"])))
        self.kept_out.learn(next(iter(hits)).student, marks)

    def _retell(self, claims: Iterable[tuple[int, dict]], course: int | None) -> None:
        """Titles of discussions that she began, in what others wrote there."""
        changed = []
        for key, claim in claims:
            about = claim.get("discussion") or (claim.get("kind") == "discussion" and claim.get("moodle_id"))
            if about and self.kept_out.match("discussion", about, course) and (new := untitled(claim)) != claim:
                changed.append((json.dumps(new, ensure_ascii=False, sort_keys=True), key))
        self.connection.executemany("update claims set claim = ? where id = ?", changed)

    def _unmatched(self, skipped: Counter[int]) -> None:
        """Rows without a home: they are claims too, or lines of a log whose course is not known."""
        sql = (
            "select unmatched.id, load_id, unmatched.kind, raw from unmatched join loads on loads.id = load_id"
            " where site_id = ?"
        )
        gone = []
        for key, load_id, kind, raw in self.connection.execute(sql, (self.kept_out.site_id,)).fetchall():
            said = json.loads(raw)
            course = self.connection.execute(COURSE, (load_id,)).fetchone()[0]
            if kind == HELD:
                hers = line_is_theirs(self.kept_out, said, course)
                skipped[load_id] += hers
            else:
                keys = keys_of(said)
                hers = self._sure(said, keys, course) or self._by_name(keys, course, set())
            gone += [(key,)] * bool(hers)
        self.connection.executemany("delete from unmatched where id = ?", gone)


def _first(row: tuple) -> int:
    return row[0]


def keys_of(claim: dict) -> set[tuple]:
    """All that a claim gives to know somebody by."""
    keys = person_keys(claim["person"]) if claim.get("person") else set()
    for about in filter(None, (claim.get("about"), claim.get("student"))):
        keys |= words_keys(about)
    for word in [*claim.get("candidates", ()), *_cells(claim)]:
        keys |= words_keys({"any": word})
    if claim["noun"] == "log role":
        keys.add(("id", claim["moodle_id"]))
    if "author" in claim:
        keys.add(("id", claim["author"]))
    if claim["noun"] == "staff":
        keys.add(("email", claim["email"].casefold()))
    return keys


def _cells(claim: dict) -> Iterable[str]:
    """The texts of a row of a list of blogs."""
    cells = claim.get("cells")
    return cells.values() if isinstance(cells, dict) else ()


def untitled(claim: dict) -> dict:
    """A post or a discussion of others without the title that she gave it: `Re: [removed]`."""
    if claim["noun"] == "part":
        return {key: value for key, value in claim.items() if key != "name"}
    return {**claim, "title": reply_title(claim.get("title"))}


def reply_title(title: str | None) -> str | None:
    """A reply's title without that which it replies to; one that somebody thought of for themselves stays."""
    prefix = REPLY.match(title or "")
    return f"{prefix[0]}{REMOVED}" if prefix else title


def line_is_theirs(kept_out: Forgotten, row: list[str], course: int | None) -> bool:
    """Whether a line of a log, as in the file, is by or about somebody kept out."""
    said = descriptions.read(row[4], row[5], row[6])
    if kept_out.has_id(said.user, course) or kept_out.has_id(said.related, course):
        return True
    return any(
        kept_out.has_name(name, course)
        for text, moodle_id in ((row[1], said.user), (row[2], said.related))
        if not moodle_id
        for name in shown_names(text)
    )


def _people(connection: sqlite3.Connection, kept_out: Forgotten) -> set[int]:
    """Own keys of people of this site who are kept out everywhere: a file that told more came after their log lines."""
    rows = connection.execute(
        "select id, moodle_id from people where site_id = ? and moodle_id is not null", (kept_out.site_id,)
    )
    return {key for key, moodle_id in rows if kept_out.has_id(moodle_id, None)}
