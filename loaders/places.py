"""Which site, which course, which time zone a file is taken for."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from loaders.detail_columns import Asked
from loaders.errors import Unreadable
from loaders.retime import page_zone
from loaders.times import machine_zone
from loaders.weeks import move_zone


@dataclass
class Options:
    """What the teacher said on the command line."""

    course: int | None = None
    site: str | None = None
    timezone: str | None = None
    date_order: str | None = None
    course_timezone: str | None = None
    staff: tuple[str, ...] = ()
    check: bool = False
    kind: str | None = None  # what all files are, where the teacher says so
    details: Asked | None = None  # of `coursette details`: the file is the teacher's own spreadsheet

    def reading(self) -> str:
        """The options that decide how a file is read, as JSON; those not given left out."""
        names = ("course", "site", "timezone", "date_order")
        given = {name: value for name in names if (value := getattr(self, name)) is not None}
        if self.details:
            given["details"] = self.details.reading()
        return json.dumps(given | ({"site": normal_url(self.site)} if self.site else {}))

    def agree(self, stored: str) -> bool:
        """Whether a file read with the stored options (or found to be of that place) would be read the same now."""
        before, now = json.loads(stored), json.loads(self.reading())
        return all(before.get(name) == value for name, value in now.items())


def normal_url(url: str | None) -> str | None:
    """A Moodle's address without what makes no difference: a trailing slash, the case of its host."""
    if not url:
        return None
    parts = urlsplit(url.strip())
    return urlunsplit((parts.scheme.lower(), parts.netloc.lower(), parts.path.rstrip("/"), "", ""))


class Places:
    """Finds, and makes where new, the site and the course of a file."""

    def __init__(self, connection: sqlite3.Connection, options: Options):
        self.connection, self.options = connection, options

    def site(self, url: str | None) -> int:
        """Own key of the site: by its address; an unknown site joins the only known one."""
        url = normal_url(url or self.options.site)
        sites = self.connection.execute("select id, url from sites").fetchall()
        for key, known in sites:
            if known == url or (len(sites) == 1 and (url is None or known is None)):
                if url and not known:
                    self.connection.execute("update sites set url = ? where id = ?", (url, key))
                return key
        if sites and url is None:
            known = ", ".join(str(url) for _, url in sites)
            raise Unreadable(f"several Moodles are loaded here ({known}): say which this is from with --site URL")
        return self.connection.execute("insert into sites (url) values (?)", (url,)).lastrowid

    def course(self, site_id: int, moodle_id: int, page_zone: str | None) -> int:
        """Own key of a course, made if new; its time zone follows the best source so far."""
        row = self.connection.execute(
            "select id, timezone_from from courses where site_id = ? and moodle_id = ?", (site_id, moodle_id)
        ).fetchone()
        option = self.options.course_timezone
        zone, zone_from = (option, "option") if option else (page_zone, "saved page")
        if row is None:
            if not zone:
                zone, how = self.zone(site_id, None)
                zone_from = {"machine": "this computer", "site": "saved page"}.get(how, "first load")
            return self.connection.execute(
                "insert into courses (site_id, moodle_id, timezone, timezone_from) values (?, ?, ?, ?)",
                (site_id, moodle_id, zone, zone_from),
            ).lastrowid
        if zone and (zone_from == "option" or row[1] in ("first load", "this computer")):
            move_zone(self.connection, row[0], zone, zone_from)
        return row[0]

    def only_site(self) -> int | None:
        """The site whose zone a file that names none is read in, where there is only one."""
        sites = self.connection.execute("select id from sites").fetchall()
        return sites[0][0] if len(sites) == 1 else None

    def only_course(self) -> int | None:
        """The course whose zone a file without a course is read in: --course, else any if all agree."""
        where = "where moodle_id = ?" if self.options.course else ""
        values = (self.options.course,) if self.options.course else ()
        rows = self.connection.execute(f"select id, timezone from courses {where}", values).fetchall()
        return rows[0][0] if rows and len({zone for _, zone in rows}) == 1 else None

    def zone(self, site_id: int | None, course_id: int | None) -> tuple[str, str]:
        """(zone, how it is known) of a file's times: as said, as saved pages have it, the course's, this machine's."""
        if self.options.timezone:
            return self.options.timezone, "option"
        if site_id and (zone := page_zone(self.connection, site_id)):
            return zone, "site"
        if course_id:
            zone, zone_from = self.connection.execute(
                "select timezone, timezone_from from courses where id = ?", (course_id,)
            ).fetchone()
            return zone, "machine" if zone_from == "this computer" else "course"
        return machine_zone(), "machine"

    def describe(self, load_id: int, **columns: str | int | None) -> None:
        """Write what is known of a load by now."""
        sets = ", ".join(f"{column} = ?" for column in columns)
        self.connection.execute(f"update loads set {sets} where id = ?", (*columns.values(), load_id))
