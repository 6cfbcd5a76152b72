"""`coursette pull`: everything a course's Moodle tells this teacher, over HTTP, into the database."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from loaders import accounts, pull_log, pull_pages, pull_parts, reporting, ways, zones
from loaders.errors import Unreadable
from loaders.moodle import Moodle
from loaders.moodle_address import course_address
from loaders.moodle_errors import TOKEN, MoodleError, NotAllowed, TokenRefused
from loaders.pull_course import NOT_UNDERSTOOD, ODD, CoursePull
from loaders.pull_files import folder_of
from loaders.pull_store import Store
from loaders.schema import open_database, open_existing

NO_COURSE = (
    "say which course: coursette pull https://YOUR-MOODLE/course/view.php?id=2, the address of its page in your browser"
)
NO_SUCH_COURSE = "there is no course {course} in this Moodle that you can see: check the address of its page"
STOPPED = "Stopped. What came is kept; the same command goes on from here."
NOTHING = "nothing came in: check that this is the address of a course you teach"
SEVERAL = (
    "these courses are on several Moodles, and a token or session belongs to one: name the courses of one, or keep each"
    " Moodle's own with `coursette login URL --remember`"
)
BUSY = "course {course} is being pulled by another coursette at this moment: left to that one"
NO_LOG = (
    "no log: Moodle gives it to a browser's session only; `coursette pull --help` tells how to lend yours"
    " (--session-cookie), or download it and `coursette load` it"
)


@dataclass(frozen=True)
class Wanted:
    """One course to pull: its Moodle's address and Moodle's id."""

    site: str
    course: int


def pull(db: Path, addresses: list[str], private: Path | None, secrets: ways.Secrets, *, whole: bool = False,
         save: Path | None = None) -> int:  # fmt: skip
    """Pull the courses at `addresses`, or every course known; prints what became of it; returns the exit status."""
    wanted = [Wanted(*course_address(address)) for address in addresses] or list(known_courses(db))
    if len({one.site for one in wanted}) > 1 and secrets.given():
        raise Unreadable(SEVERAL)
    folder = accounts.private_folder([db], private)
    status = 0
    for one in wanted:
        try:
            with _alone(folder, one):
                status = max(status, asyncio.run(_pull_one(db, folder, one, secrets, whole or bool(save), save)))
        except Timeout:
            reporting.echo(BUSY.format(course=one.course))
        except KeyboardInterrupt:
            reporting.echo(STOPPED, err=True)
            return 130
    if db.exists():
        _finish(db, status == 0)
    return status


def known_courses(db: Path) -> Iterator[Wanted]:
    """Every course of the database whose Moodle's address is known. Raises Unreadable where there is none."""
    connection = open_existing(db).conn
    rows = connection.execute(
        "select sites.url, courses.moodle_id from courses join sites on sites.id = site_id"
        " where sites.url is not null and courses.moodle_id is not null order by courses.id"
    ).fetchall()
    connection.close()
    if not rows:
        raise Unreadable(NO_COURSE)
    return (Wanted(*row) for row in rows)


@contextmanager
def _alone(private: Path, wanted: Wanted) -> Iterator[None]:
    """One pull of a course at a time: they share the files that wait to be loaded. Raises Timeout."""
    with FileLock(folder_of(private, wanted.site, wanted.course) / "lock", timeout=0):
        yield


async def _pull_one(db: Path, private: Path, wanted: Wanted, secrets: ways.Secrets, whole: bool,
                    save: Path | None) -> int:  # fmt: skip
    token, cookie = ways.find(wanted.site, private, secrets)
    target = save / f"course-{wanted.course}" if save else None
    store = Store(lambda: open_database(db).conn, wanted.site, wanted.course, save=target)
    async with Moodle(wanted.site, token=token, session_cookie=cookie) as moodle:
        pulling = CoursePull(moodle, store, private, wanted.site, wanted.course, whole)
        with _progress(pulling):
            try:
                await _everything(pulling, bool(token), bool(cookie), secrets)
            finally:
                await pulling.in_reader(store.close)
    return _report(pulling)


async def _everything(pulling: CoursePull, token: bool, cookie: bool, secrets: ways.Secrets) -> None:
    """See which ways are open, take what a stopped pull left ready, then all parts side by side."""
    if secrets.username and not (token and cookie):
        try:
            found, cookie = await ways.sign_in(pulling.moodle, secrets)
            token = token or bool(found)
        except MoodleError as error:
            pulling.errors.append(str(error))
    token = token and await _try(pulling, _with_token)
    session = cookie and await _try(pulling, _with_session)
    if not token and not session:
        return
    await _take_ready(pulling)
    pages = [] if token else pull_pages.PAGES
    parts = pull_parts.PARTS if token else ()
    if session:
        await pull_parts.all_of(pulling, [pull_log.log, *parts, *pages])
    else:
        pulling.refused["log"] = NO_LOG
        await pull_log.without(pulling)
        await pull_parts.all_of(pulling, parts)


async def _try(pulling: CoursePull, way: Callable[[CoursePull], Awaitable[None]]) -> bool:
    """Whether a way in is open; if not, why is noted."""
    try:
        await way(pulling)
    except MoodleError as error:
        pulling.errors.append(str(error))
        return False
    except ODD:
        pulling.errors.append(NOT_UNDERSTOOD)
        return False
    return True


async def _with_token(pulling: CoursePull) -> None:
    """What the token's service offers, and the zone in which Moodle shows times to its owner."""
    try:
        info = await pulling.moodle.call("core_webservice_get_site_info")
    except NotAllowed:  # so says Moodle where the token's time is over, too
        raise TokenRefused(TOKEN) from None
    pulling.functions = {one["name"] for one in info.get("functions", [])}
    asked = {"field": "id", "values[0]": info["userid"]}
    myself = await pulling.moodle.call("core_user_get_users_by_field", **asked)
    pulling.store.timezone = _zone((myself or [{}])[0].get("timezone"))
    asked = {"field": "id", "value": pulling.course}
    found = await pulling.moodle.call("core_course_get_courses_by_field", **asked)
    if not found.get("courses"):
        raise MoodleError(NO_SUCH_COURSE.format(course=pulling.course))


async def _with_session(pulling: CoursePull) -> None:
    """Whose session it is; its zone is that of every download."""
    pulling.viewer = await pulling.moodle.check_session()
    pulling.store.timezone = _zone(pulling.viewer.timezone) or pulling.store.timezone


def _zone(name: str | None) -> str | None:
    """A time zone's name, where it is one ("99" stands for the site's own, which no answer tells)."""
    with suppress(Unreadable):
        return zones.named(name).key if name else None
    return None


async def _take_ready(pulling: CoursePull) -> None:
    """Load what a stopped pull had fetched whole and not loaded yet; downloads it left go, and are fetched anew."""
    for pattern in ("*.csv*", "*.html*", "*.new"):
        for path in pulling.folder.glob(pattern):
            path.unlink(missing_ok=True)
    for path in sorted(pulling.folder.glob("*.jsonl")):
        await pulling.take(path, f"{path.stem}, from a pull that was stopped")


@contextmanager
def _progress(pulling: CoursePull) -> Iterator[None]:
    """A bar of answers on a terminal, nothing in a pipe."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TextColumn("answers"), TimeElapsedColumn())  # fmt: skip
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(f"course {pulling.course}", total=0)
        planned = 0

        def plan(calls: int) -> None:
            nonlocal planned
            planned += calls
            bar.update(task, total=planned)

        pulling.planned, pulling.done = plan, lambda calls: bar.advance(task, calls)
        yield


def _report(pulling: CoursePull) -> int:
    """What came in, what was not to be had and why; 1 where something failed."""
    reporting.echo(f"Course {pulling.course} of {pulling.site}")
    quiet = [one for one in pulling.outcomes if one.error is None and not one.rows_new and not one.rows_unmatched]
    for outcome in pulling.outcomes:
        if outcome not in quiet:
            reporting.say(outcome)
    if quiet:
        reporting.echo(f"nothing new: {', '.join(outcome.source for outcome in quiet)}")
    for sentence in dict.fromkeys(pulling.refused.values()):
        reporting.echo(f"  not to be had: {sentence}")
    if not pulling.outcomes and not pulling.errors:
        pulling.errors.append(NOTHING)
    for sentence in pulling.errors:
        reporting.echo(sentence, err=True)
    failed = pulling.errors or any(outcome.error for outcome in pulling.outcomes)
    return 1 if failed else 0


def _finish(db: Path, advise: bool) -> None:
    """Guess how new posts sound, and tell what is still missing, as after a load."""
    connection: sqlite3.Connection = open_database(db).conn
    try:
        reporting.score_posts(connection)
        if advise:
            reporting.advise(connection)
    finally:
        connection.close()
