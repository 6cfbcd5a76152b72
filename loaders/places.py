"""Which site, which course, which time zone a file is taken for."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from loaders.errors import Unreadable
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


class Places:
    """Finds, and makes where new, the site and the course of a file."""

    def __init__(self, connection: sqlite3.Connection, options: Options):
        self.connection, self.options = connection, options

    def site(self, url: str | None) -> int:
        """Own key of the site: by its address; an unknown site joins the only known one."""
        url = (url or self.options.site or "").rstrip("/") or None
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
                zone, zone_from = self.zone(None, None)[0], "first load"
            return self.connection.execute(
                "insert into courses (site_id, moodle_id, timezone, timezone_from) values (?, ?, ?, ?)",
                (site_id, moodle_id, zone, zone_from),
            ).lastrowid
        if zone and (zone_from == "option" or row[1] == "first load"):
            move_zone(self.connection, row[0], zone, zone_from)
        return row[0]

    def only_course(self) -> int | None:
        """The course whose zone a file without a course is read in: --course, else any if all agree."""
        where = "where moodle_id = ?" if self.options.course else ""
        values = (self.options.course,) if self.options.course else ()
        rows = self.connection.execute(f"select id, timezone from courses {where}", values).fetchall()
        return rows[0][0] if rows and len({zone for _, zone in rows}) == 1 else None

    def zone(self, course_id: int | None, page_zone: str | None) -> tuple[str, str]:
        if self.options.timezone:
            return self.options.timezone, "option"
        if page_zone:
            return page_zone, "saved page"
        if course_id:
            sql = "select timezone from courses where id = ?"
            return self.connection.execute(sql, (course_id,)).fetchone()[0], "course"
        return machine_zone(), "machine"
