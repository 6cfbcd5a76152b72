"""Which blogs there are, and whose: worked out anew at every settling from all that files said of them."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from dataclasses import dataclass

from loaders import feed_doubles
from loaders.blog_address import addresses_in, same
from loaders.blog_students import Students
from loaders.claims import Load, sync
from loaders.courses import Evidence
from loaders.names import fold
from loaders.people import Key, People
from loaders.person_details import keys, note_zeros

# "feed list": when the teacher last registered all of a list on purpose
NOUNS = ("feed", "feed removed", "feed field", "feed list")
TWO = (
    "two students gave this address: find out whose blog it is, then say so with"
    " `coursette blogs add --student WHO URL`"
)
HERS = (
    "this student's profile names a blog that you registered for somebody else: ask whose it is, and if it is this"
    " student's, say so with `coursette blogs add --student WHO URL`"
)
WEB_PAGE = "Web page"  # what Moodle's own profile field `url` is called in person_details


@dataclass
class Given:
    """One address that a file, a profile or the teacher gave; `person` is an own key, or None and `why` says why."""

    load: Load
    claim: dict
    url: str
    person: int | None = None
    why: str | None = None

    @property
    def of_profile(self) -> bool:
        """Whether only the student said so, and nobody checked."""
        return self.claim.get("noun") == "feed field"

    @property
    def rank(self) -> tuple:
        """Whose word is believed where two students gave one blog: yours by hand, your lists', the student's own."""
        return (2, *self.load.newest) if self.claim.get("by_hand") else (0 if self.of_profile else 1,)

    @property
    def order(self) -> tuple:
        """Newest word last, in any order of loading."""
        return self.load.newest, bool(self.claim.get("by_hand")), self.url


@dataclass
class Site:
    """The people of one Moodle while it is settled, and all loads that speak of it."""

    id: int
    loads: list[Load]
    people: People
    own: dict[Key, int]


@dataclass
class Words:
    """All that is said of blogs on one site: what counts, what newer words replaced, by address what was removed."""

    given: list[Given]
    former: list[Given]
    removed: dict[str, tuple]


def save_feeds(
    connection: sqlite3.Connection, sites: list[Site], unmatched: list[tuple], let_go: frozenset[int] = frozenset()
) -> None:
    """Write `feeds`; posts follow their blog's student. Rows without a home go to `unmatched`.

    `let_go`: own keys of blogs that go with their posts where nothing names them any more.
    """
    words = [_of_site(connection, site) for site in sites]
    rows: dict[tuple, dict] = {}
    hints: dict[str, str] = {}
    decisive: dict[str, Given] = {}
    for url, person, said in _by_address([one for each in words for one in each.given]):
        rows[(url,)], decisive[url] = {"person_id": person, "registered": 1}, said[-1]
        hints |= {url: said[-1].claim["feed_url"]} if said[-1].claim.get("feed_url") else {}
        unmatched.extend((word.load, word.claim, word.why) for word in said if word.why)
    _keep_renamed(connection, rows)
    known = {key for site in sites for key in site.own.values()}
    rows |= _with_posts(connection, rows, words, known, let_go)
    reasons = feed_doubles.hold(connection, rows, {url: word.rank for url, word in decisive.items()})
    held = {url: why for url, why in reasons.items() if url in decisive}
    unmatched.extend((decisive[url].load, decisive[url].claim, why) for url, why in held.items())
    sync(connection, "feeds", ("url",), rows)
    connection.execute("update feeds set error = null where error like ?", (feed_doubles.SHARED.format("%"),))
    connection.executemany("update feeds set error = ? where url = ?", [(why, url) for url, why in held.items()])
    connection.executemany(
        "update feeds set feed_url = ? where url = ? and feed_url is null", [(feed, url) for url, feed in hints.items()]
    )
    connection.execute(
        "update blog_posts set person_id = feeds.person_id from feeds"
        " where feeds.id = feed_id and blog_posts.person_id is not feeds.person_id"
    )


def named(connection: sqlite3.Connection) -> frozenset[int]:
    """Own keys of the blogs that are registered, or that a list which is loaded named once."""
    urls = connection.execute("select json_extract(claim, '$.url') from claims where noun = 'feed'")
    there = {same(url) for (url,) in urls}
    rows = connection.execute("select id, url, registered from feeds").fetchall()
    return frozenset(key for key, url, registered in rows if registered or same(url) in there)


def _with_posts(
    connection: sqlite3.Connection, rows: dict[tuple, dict], words: list[Words], known: set[int], let_go: frozenset[int]
) -> dict[tuple, dict]:
    """The blogs that are not named any more, but have posts: these stay, and their student keeps them.

    `known`: own keys of the people there are. Only a `remove` newer than all lists, or `let_go`, ends that.
    """
    whose = {same(url): person for url, person, _ in _by_address([one for each in words for one in each.former])}
    removed = {url for each in words for url in each.removed}
    sql = "select id, url, person_id from feeds where exists (select 1 from blog_posts where feed_id = feeds.id)"
    kept = {}
    for key, url, person in connection.execute(sql).fetchall():
        place = same(url)
        if (url,) not in rows and (place in whose or not (place in removed or key in let_go)):
            person = whose.get(place, person if person in known else None)
            kept[(url,)] = {"person_id": person, "registered": 0}
    return kept


def _keep_renamed(connection: sqlite3.Connection, rows: dict[tuple, dict]) -> None:
    """A blog whose address is now written in another way (https, a slash) keeps its row and its posts."""
    wanted = {same(url): url for (url,) in rows}
    for key, url in connection.execute("select id, url from feeds").fetchall():
        new = wanted.get(same(url), url)
        if (url,) not in rows and new != url:
            connection.execute("update or ignore feeds set url = ? where id = ?", (new, key))


# ---- What was given ----


def _of_site(connection: sqlite3.Connection, site: Site) -> Words:
    """The addresses that count: for each student the newest file's, for others the profile's; none that was removed."""
    students = Students(site.people, site.own)
    evidence = Evidence(site.loads)
    removed = _removed(site.loads)
    files = [one for load in site.loads for one in _of_load(connection, load, students, evidence)]
    rivals: dict[int, list[tuple]] = defaultdict(list)  # by student: how new each word is, and when it was removed
    for one in files:
        if one.person:
            end = removed.get(same(one.url), ())
            rivals[one.person].append((one.load.newest, end if end >= _said(one.load) else ()))
    files = [one for one in files if removed.get(same(one.url), ()) < _said(one.load)]
    settled = [one for one in files if one.person and _in_force(one, rivals[one.person])]
    told = {same(one.url): one.load.newest for one in settled}
    waiting = [
        one for one in files if one.person is None and told.get(same(one.url), ()) <= one.load.newest
    ]  # a corrected file, newer, needs no second home for its old mistake
    profiles = [
        one
        for one in _of_profiles(connection, site)
        if one.person not in rivals and removed.get(same(one.url), ()) < one.load.newest
    ]
    former = [one for one in files if one.person and not _in_force(one, rivals[one.person])]
    return Words([*settled, *waiting, *profiles], former, removed)


def _in_force(one: Given, rivals: list[tuple]) -> bool:
    """Whether a student has no newer word; what was removed before the teacher said this one is none."""
    return all(newest <= one.load.newest or () < end < _said(one.load) for newest, end in rivals)


def _said(load: Load) -> tuple:
    """When the teacher last said so, in the form of Load.newest: an older `remove` counts no more."""
    return max([load.newest, *(("", claim["said_utc"], 0) for claim in load.of("feed list"))])


def _of_load(connection: sqlite3.Connection, load: Load, students: Students, evidence: Evidence) -> list[Given]:
    claims = list(load.of("feed"))
    if not claims:
        return []
    refs = [claim["student"] for claim in claims]
    course = load.course_id or evidence.place([keys(ref) for ref in refs], set())
    by_line = {claim.get("line"): claim.get("cells", {}) for claim in claims}
    columns = students.telling_columns(list(by_line.values()))
    given, spoilt = [], set()
    for claim in claims:
        person, why, zeros = students.find(claim, course, columns)
        given.append(Given(load, claim, claim["url"], person, why))
        spoilt |= {claim.get("line")} if zeros else set()
    note_zeros(connection, load.id, len(spoilt))
    return given


def _removed(loads: list[Load]) -> dict[str, tuple]:
    """By address: the newest word that it is no blog of the course any more."""
    removed: dict[str, tuple] = {}
    for load in loads:
        for claim in load.of("feed removed"):
            removed[same(claim["url"])] = max(removed.get(same(claim["url"]), ()), load.newest)
    return removed


def _of_profiles(connection: sqlite3.Connection, site: Site) -> list[Given]:
    """Addresses in the fields that the teacher named: of Moodle's profile, or of the teacher's own spreadsheet."""
    fields = {fold(claim["field"]): (load, claim) for load in site.loads for claim in load.of("feed field")}
    if fold("url") in fields:
        fields[fold(WEB_PAGE)] = fields[fold("url")]
    rows = connection.execute(
        "select person_id, field, value from person_details join people on people.id = person_id where site_id = ?",
        (site.id,),
    )
    return [
        Given(fields[fold(name)][0], fields[fold(name)][1] | {"url": url}, url, person)
        for person, name, value in (rows if fields else ())
        for url in addresses_in(value or "")[:1]
        if fold(name) in fields
    ]


def _believed(known: list[Given]) -> list[Given]:
    """The teacher's words on an address where there are any: a student may type a classmate's into her profile."""
    teachers = [one for one in known if not one.of_profile]
    whose = {one.person for one in teachers}
    for one in known if teachers else ():
        if one.person not in whose:
            one.person, one.why = None, HERS
    return teachers or known


def _by_address(given: list[Given]) -> list[tuple[str, int | None, list[Given]]]:
    """(address, whose, all words on it, the one that counts last). An address of two students is nobody's."""
    together: dict[str, list[Given]] = defaultdict(list)
    for one in sorted(given, key=lambda one: (one.order, str(one.claim))):
        together[same(one.url)].append(one)
    found = []
    for words in together.values():
        known = _believed([one for one in words if one.person])
        people = Counter(one.person for one in known)
        by_hand = [one for one in known if one.claim.get("by_hand")]
        if len(people) > 1 and by_hand:
            known = by_hand[-1:]
        elif len(people) > 1:
            for one in known:
                one.person, one.why = None, TWO
        last = known[-1] if known else words[-1]
        found.append((last.url, last.person, [*(one for one in words if one is not last), last]))
    return sorted(found, key=lambda one: one[0])
