"""What the teacher says of blogs by hand: a student's address, a profile field that holds one, what is none any more.

Each is a load of its own, so that `coursette unload` takes it back.
"""

from __future__ import annotations

import sqlite3

from loaders import blogs, claims
from loaders.blog_address import addresses_in, same
from loaders.errors import Unreadable
from loaders.load_log import now_utc
from loaders.names import fold
from loaders.places import Options, Places
from loaders.settle import settle

WHO = (
    "select feeds.url from feeds join people on people.id = person_id"
    " where cast(people.moodle_id as text) = ?1 or lower(email) = lower(?1) or idnumber = ?1 or lower(username)"
    " = lower(?1) or fullname = ?1"
)
NOT_REGISTERED = (
    "{} is neither the address of a blog that is registered nor a student who has one: see `coursette blogs status`"
)


def add(connection: sqlite3.Connection, options: Options, who: str, urls: tuple[str, ...]) -> tuple[int, str | None]:
    """Register a student's blogs in place of the former; returns the load, and why the student was not found."""
    load_id = _say(connection, options, "--student", blogs.by_hand(who, urls))
    row = connection.execute("select reason from unmatched where load_id = ? limit 1", (load_id,)).fetchone()
    return load_id, row[0] if row else None


def follow_field(connection: sqlite3.Connection, options: Options, name: str) -> tuple[int, int]:
    """Take students' blogs from a field of their Moodle profiles from now on; returns the load, and feeds gained."""
    before = _count(connection)
    load_id = _say(connection, options, "--profile-field", [{"noun": "feed field", "field": name}])
    return load_id, _count(connection) - before


def fields(connection: sqlite3.Connection) -> list[str]:
    """Fields of people that hold a web address with somebody."""
    sql = "select distinct field from person_details where value like 'http%' or value like 'www.%' order by field"
    return [field for (field,) in connection.execute(sql)]


def has_field(connection: sqlite3.Connection, name: str) -> bool:
    """Whether any file gave that field of anybody."""
    known = {fold(field) for (field,) in connection.execute("select distinct field from person_details")}
    return fold(name) in known or (fold(name) == "url" and "web page" in known)


def found(connection: sqlite3.Connection, what: str) -> tuple[list[str], int]:
    """(addresses, how many posts they have) of a blog, or of all blogs of a student. Raises Unreadable."""
    wanted = {same(url) for url in addresses_in(what)}
    urls = [url for (url,) in connection.execute("select url from feeds order by url") if same(url) in wanted]
    urls = urls or [url for (url,) in connection.execute(WHO, (what.strip(),))]
    if not urls:
        raise Unreadable(NOT_REGISTERED.format(what))
    marks = ", ".join("?" * len(urls))
    sql = f"select count(*) from blog_posts join feeds on feeds.id = feed_id where feeds.url in ({marks})"
    return urls, connection.execute(sql, urls).fetchone()[0]


def remove(connection: sqlite3.Connection, options: Options, what: str) -> list[str]:
    """Forget a blog, or all blogs of a student, with their posts; returns the addresses. Raises Unreadable."""
    urls, _ = found(connection, what)
    _say(connection, options, "remove", [{"noun": "feed removed", "url": url} for url in urls])
    return urls


def replaced(connection: sqlite3.Connection, load_id: int) -> int:
    """How many addresses of a list do not count, as newer words name others for their students."""
    sql = "select json_extract(claim, '$.url') from claims where load_id = ? and noun = 'feed'"
    said = {same(url) for (url,) in connection.execute(sql, (load_id,))}
    return len(said - {same(url) for (url,) in connection.execute("select url from feeds where registered")})


def _count(connection: sqlite3.Connection) -> int:
    return connection.execute("select count(*) from feeds where registered").fetchone()[0]


def _say(connection: sqlite3.Connection, options: Options, source: str, said: list[dict]) -> int:
    """Store claims as a load, and settle; returns its number."""
    connection.execute("begin immediate")
    try:
        places = Places(connection, options)
        site_id = places.site(None)
        course_id = places.course(site_id, options.course, None) if options.course else None
        row = (source, blogs.KIND, site_id, options.course, course_id, options.reading(), len(said), len(said))
        load_id = connection.execute(
            "insert into loads (source, kind, site_id, course_option, course_id, options, rows_read, rows_new,"
            " modified_utc, loaded_utc) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*row, blogs.exact_now(), now_utc()),
        ).lastrowid
        claims.store(connection, load_id, said)
        settle(connection, False)
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")
    return load_id
