"""What the teacher says of blogs by hand: a student's address, a profile field that holds one, what is none any more.

Each is a load of its own, so that `coursette unload` takes it back.
"""

from __future__ import annotations

import sqlite3

from loaders import blogs, claims
from loaders.blog_address import addresses_in, same
from loaders.blog_students import called
from loaders.errors import Unreadable
from loaders.load_log import now_utc
from loaders.names import fold
from loaders.places import Options, Places
from loaders.settle import settle

NOT_REGISTERED = (
    "{} is neither the address of a blog that is registered nor a student who has one: see `coursette blogs status`"
)
SEVERAL = "{} people are called {}: say which by one of {}"


def add(connection: sqlite3.Connection, options: Options, who: str, urls: tuple[str, ...]) -> tuple[int, str | None]:
    """Register a student's blogs in place of the former; returns the load, and why the student was not found.

    Raises Unreadable where several people are meant.
    """
    if len(meant := called(connection, who, options)) > 1:
        raise Unreadable(SEVERAL.format(len(meant), who.strip(), ", ".join(meant.values())))
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


def found(connection: sqlite3.Connection, options: Options, what: str) -> tuple[list[str], int]:
    """(addresses, how many posts they have) of a blog, or of all blogs of a student. Raises Unreadable."""
    wanted = {same(url) for url in addresses_in(what)}
    urls = [url for (url,) in connection.execute("select url from feeds order by url") if same(url) in wanted]
    urls = urls or _of_student(connection, options, what)
    if not urls:
        raise Unreadable(NOT_REGISTERED.format(what))
    marks = ", ".join("?" * len(urls))
    sql = f"select count(*) from blog_posts join feeds on feeds.id = feed_id where feeds.url in ({marks})"
    return urls, connection.execute(sql, urls).fetchone()[0]


def remove(connection: sqlite3.Connection, options: Options, what: str) -> list[str]:
    """Forget a blog, or all blogs of a student, with their posts; returns the addresses. Raises Unreadable."""
    urls, _ = found(connection, options, what)
    _say(connection, options, "remove", [{"noun": "feed removed", "url": url} for url in urls])
    return urls


def _of_student(connection: sqlite3.Connection, options: Options, who: str) -> list[str]:
    """The addresses of a student's blogs. Raises Unreadable where several of that name have some."""
    meant = called(connection, who, options)
    feeds = connection.execute("select person_id, url from feeds where person_id is not null order by url").fetchall()
    whose = {person: urls for person in meant if (urls := [url for one, url in feeds if one == person])}
    if len(whose) > 1:
        listed = ", ".join(f"{meant[person]} ({', '.join(urls)})" for person, urls in whose.items())
        raise Unreadable(SEVERAL.format(len(whose), who.strip(), listed))
    return [url for urls in whose.values() for url in urls]


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
