"""One blog under the names of two students: which of their registrations the teacher must decide on.

Addresses that look different may show the same blog: with /feed/ or ?a at the end, or by way of a redirect. That shows
only when both were read: they have one feed, or most posts of one are the other's too.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from itertools import combinations

from loaders.blog_address import host, same

MOST = 0.5  # of a feed's posts: a few may well have the address of something that both wrote about
SHARED = (
    "this shows the same blog as {}, which another student gave: find out whose it is, then say so with"
    " `coursette blogs add --student WHO URL`"
)
POSTS = """
select url, feed_id
from blog_posts
where feed_id is not null and url in (
    select url from blog_posts where feed_id is not null group by url having count(distinct feed_id) > 1
)
"""
SIZES = "select feed_id, count(distinct url) from blog_posts where feed_id is not null group by feed_id"


def yielding(connection: sqlite3.Connection) -> dict[str, set[str]]:
    """By address of a blog: those of the blogs that are the same. One registered where the posts are yields to none."""
    urls = dict(connection.execute("select id, url from feeds"))
    found: dict[str, set[str]] = defaultdict(set)
    for (one, other), place in _pairs(connection).items():
        own = {key for key in (one, other) if host(urls[key]) == host(place)}
        for key, rival in ((one, other), (other, one)):
            if key not in own or rival in own:
                found[urls[key]].add(urls[rival])
    return found


def between_people(connection: sqlite3.Connection) -> bool:
    """Whether there are any that belong to two students, or to nobody for that reason."""
    people = dict(connection.execute("select url, person_id from feeds"))
    pairs = ((people[url], people[rival]) for url, rivals in yielding(connection).items() for rival in rivals)
    return any(None in pair or pair[0] != pair[1] for pair in pairs)


def hold(connection: sqlite3.Connection, rows: dict[tuple, dict], ranks: dict[str, tuple]) -> dict[str, str]:
    """Take the person off the `rows` of `feeds` that yield to another's of no lower rank; returns why, by address."""
    people = {url: row["person_id"] for (url,), row in rows.items()}
    reasons = {}
    for url, rivals in yielding(connection).items():
        for rival in sorted(rivals & people.keys()):
            apart = people[rival] and people.get(url) not in (None, people[rival])
            if apart and ranks.get(url, ()) <= ranks.get(rival, ()):
                reasons[url] = SHARED.format(rival)
    for url in reasons:
        rows[(url,)]["person_id"] = None
    return reasons


def _pairs(connection: sqlite3.Connection) -> dict[tuple[int, int], str]:
    """(two feeds, by own keys): the address of what they share."""
    places: dict[str, set[int]] = defaultdict(set)
    for key, url in connection.execute("select id, feed_url from feeds where feed_url is not null"):
        places[same(url)].add(key)
    pairs = {pair: f"//{place}" for place, keys in places.items() for pair in combinations(sorted(keys), 2)}
    shared: dict[tuple[int, int], list[str]] = defaultdict(list)
    posts: dict[str, set[int]] = defaultdict(set)
    for url, feed in connection.execute(POSTS):
        posts[url].add(feed)
    for url, feeds in posts.items():
        for pair in combinations(sorted(feeds), 2):
            shared[pair].append(url)
    sizes = dict(connection.execute(SIZES)) if shared else {}
    for pair, urls in shared.items():
        if len(urls) > MOST * min(sizes[key] for key in pair):
            pairs[pair] = _usual(urls)
    return pairs


def _usual(urls: list[str]) -> str:
    """An address on the host where most of them are."""
    (place, _), *_ = Counter(map(host, urls)).most_common()
    return f"//{place}"
