"""Who links to whom: the student whose blog a link in a post leads to."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter, defaultdict
from functools import lru_cache
from urllib.parse import parse_qs, urlsplit

from loaders.blog_address import home, host, normal_address, same

_MOODLE_BLOG = re.compile(r"(https?://.+?)/blog/index\.php\?(.+)", re.I)
_ORDINARY = re.compile(r"[^:?#@]*[^:?#@.]").fullmatch
SHARED = 0  # no own key: a host of several students, or on which only some folders are a student's
MOST = 0.5  # share of a feed's posts whose addresses begin alike: then that is the blog's home too


def save_link_people(connection: sqlite3.Connection) -> None:
    """Bring `post_links.person_id` up to date, for links in posts of any kind.

    At every settling, over all links: most lead to a host that is nobody's, or one student's alone, and are not parsed.
    """
    rows = connection.execute("select id, url, person_id from post_links").fetchall()
    if not rows:
        return
    homes, moodles = _homes(connection), _Moodles(connection)
    hosts = _hosts(homes)
    changes = []
    for key, url, before in rows:
        if "/blog/index.php" in url:
            person = moodles.person(url)
        else:
            person = hosts.get(_host(url))
            person = _whose(url, homes) if person == SHARED else person
        if person != before:
            changes.append((person, key))
    connection.executemany("update post_links set person_id = ? where id = ?", changes)


def _homes(connection: sqlite3.Connection) -> dict[str, int]:
    """What the addresses of each known blog begin with -> its student."""
    rows = connection.execute("select id, person_id, url, feed_url, served_url from feeds").fetchall()
    registered = {home(url) for _, _, url, *_ in rows}
    feeds = [(url, person) for _, person, url, *_ in rows if person]
    whose: dict[str, set[int]] = defaultdict(set)
    for url, person in feeds:
        whose[home(url)].add(person)
    own = _homes_of_posts(connection)
    for key, person, *urls in rows:
        # A feed may say that its posts are anywhere: it is believed of where it came from, and of nobody else's home.
        served = {host(url) for url in urls if url}
        for place in own.get(key, ()) if person else ():
            if place.partition("/")[0] in served and place not in registered:
                whose[place].add(person)
    homes = {place: people.pop() for place, people in whose.items() if len(people) == 1}
    # A host that several students share: then a blog is the folder that was registered.
    return {same(url): person for url, person in feeds} | homes


def _hosts(homes: dict[str, int]) -> dict[str, int]:
    """By host: the student whose all of it is; SHARED where that takes the rest of the address."""
    found: dict[str, int] = {"": SHARED}
    for place, person in homes.items():
        host = place.partition("/")[0].partition("?")[0]
        alone = homes.get(host) == person and found.get(host, person) == person
        found[host] = person if alone else SHARED
    return found


def _host(url: str) -> str:
    """The host of an ordinary address in the form of `same`, at a twentieth of the price; empty for any other."""
    scheme, _, rest = url.partition("://")
    host = rest.partition("/")[0]
    if scheme not in ("http", "https") or not _ORDINARY(host):
        return ""
    return host.lower().removeprefix("www.")


def _homes_of_posts(connection: sqlite3.Connection) -> dict[int, list[str]]:
    """By feed: where most of its posts lie, which may be another host than the one registered."""
    counts: dict[int, Counter] = defaultdict(Counter)
    for feed, url in connection.execute("select feed_id, url from blog_posts where feed_id is not null"):
        if url:
            counts[feed][home(url)] += 1
    return {
        feed: [place for place, count in places.items() if count > MOST * places.total()]
        for feed, places in counts.items()
    }


def _whose(url: str, homes: dict[str, int]) -> int | None:
    """The student of the longest home that an address begins with."""
    return next((homes[place] for place in _begins(url) if place in homes), None)


@lru_cache(65_536)
def _begins(url: str) -> tuple[str, ...]:
    """An address and all that it begins with, the longest first, in the form of `same`."""
    address = normal_address(url)
    if address is None:
        return ()
    whole = same(address)
    pieces = whole.partition("?")[0].split("/")
    return (whole, *("/".join(pieces[:length]) for length in range(len(pieces), 0, -1)))


class _Moodles:
    """Whose a link into a Moodle's own blog is: /blog/index.php?userid=5, or ?entryid=12."""

    def __init__(self, connection: sqlite3.Connection):
        self.sites = {same(url) if url else None: key for key, url in connection.execute("select id, url from sites")}
        self.people = {
            (site, moodle_id): key
            for key, site, moodle_id in connection.execute("select id, site_id, moodle_id from people")
            if moodle_id
        }
        self.entries = {
            (site, moodle_id): person
            for moodle_id, person, site in connection.execute(
                "select blog_posts.moodle_id, people.id, site_id from blog_posts"
                " join people on people.id = person_id where blog_posts.moodle_id is not null"
            )
        }

    def person(self, url: str) -> int | None:
        """Own key of who wrote what the link shows."""
        found = _MOODLE_BLOG.match(url)
        site = self.sites.get(same(found[1]), self.sites.get(None)) if found else None
        if site is None:
            return None
        said = parse_qs(urlsplit(url).query)
        for name, table in (("userid", self.people), ("entryid", self.entries)):
            number = said.get(name, [""])[0]
            if number.isascii() and number.isdigit() and len(number) < 16:
                return table.get((site, int(number)))
        return None
