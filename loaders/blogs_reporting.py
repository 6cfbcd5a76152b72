"""What `coursette blogs add`, `fetch` and `remove` tell."""

from __future__ import annotations

import sys
from contextlib import closing, contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from loaders import blog_words, blogs, reporting
from loaders.errors import Unreadable
from loaders.feed_run import Result, Wanted
from loaders.feed_run import fetch as fetch_all
from loaders.load import Loader, Outcome, waiting
from loaders.places import Options
from loaders.schema import open_database, open_existing, settle_in

FETCH = "`coursette blogs fetch` brings their posts"
WHOSE = "select url, coalesce(fullname, email) from feeds join people on people.id = person_id"
ASK = "{} and {:,} posts would be deleted for good: add --yes if that is what you want"
REPLACED = (
    "{:,} of its addresses do not count: a newer list or word names others for these students. To let this list count"
    " as the newest, save it again, then add it again"
)
HELD = "not matched to a student yet: {:,}; `coursette blogs status` says why"


def add_files(db: Path, files: list[Path], options: dict) -> int:
    """Register the blogs that files list; returns the exit status."""
    connection = open_database(db, to_fill=True).conn
    outcomes: list[Outcome] = []
    try:
        outcomes.extend(Loader(connection, Options(**options, kind=blogs.KIND)).load(files))
        for outcome in outcomes:
            outcome.rows_unmatched = waiting(connection, outcome.load_id) if outcome.load_id else 0
            if outcome.load_id and (left := blog_words.replaced(connection, outcome.load_id)):
                outcome.notes.append(REPLACED.format(left))
            reporting.say(outcome)
            if outcome.load_id:
                reporting.say_unmatched(connection, outcome.load_id)
        _say_next(connection)
    finally:
        settle_in(connection)
        connection.close()
    return 1 if any(outcome.error for outcome in outcomes) else 0


def add_by_hand(db: Path, who: str, urls: tuple[str, ...], options: dict) -> int:
    """Register one student's blogs; returns the exit status."""
    with closing(open_database(db).conn) as connection:
        load_id, why = blog_words.add(connection, Options(**options), who, urls)
    if why:
        reporting.echo(f"{who}: {why}")
        reporting.echo(f"It waits as load {load_id}: `coursette unload {load_id}` takes it back.")
    else:
        reporting.echo(f"Registered: {', '.join(urls)}. {FETCH}.")
    return 0


def follow_field(db: Path, name: str, options: dict) -> int:
    """Take blogs from a profile field, now and at every load; returns the exit status."""
    with closing(open_existing(db).conn) as connection:
        if not blog_words.has_field(connection, name):
            known = ", ".join(blog_words.fields(connection))
            known = known or "none: load a web-service answer or pull, which have them"
            reporting.echo(f"No file gave a field “{name}” of anybody yet. Fields with an address: {known}")
        load_id, gained = blog_words.follow_field(connection, Options(**options), name)
    reporting.echo(f"“{name}” is followed from now on, as load {load_id}: {gained:,} blogs more. {FETCH}.")
    return 0


def remove(db: Path, what: str, sure: bool, options: dict) -> int:
    """Forget a blog; its posts only where the teacher is `sure`, or says so when asked. Returns the exit status."""
    with closing(open_existing(db).conn) as connection:
        urls, posts = blog_words.found(connection, Options(**options), what)
        if posts and not sure:
            if not sys.stdin.isatty():
                raise Unreadable(ASK.format(", ".join(urls), posts))
            if not click.confirm(reporting.printable(f"Delete {', '.join(urls)} with {posts:,} posts for good?")):
                reporting.echo("Nothing was removed.")
                return 1
        blog_words.remove(connection, Options(**options), what)
    for url in urls:
        reporting.echo(f"Forgotten: {url}")
    if posts:
        reporting.echo(f"{posts:,} posts went with it.")
    return 0


def fetch(db: Path, wanted: dict) -> int:
    """Fetch the blogs; returns the exit status."""
    with closing(open_existing(db).conn) as connection:
        (registered,) = connection.execute("select count(*) from feeds where registered").fetchone()
    if not registered:
        reporting.echo("No blogs are registered yet: `coursette blogs add FILE` says whose is where.")
        return 0
    try:
        with progress() as tick:
            result = fetch_all(db, Wanted(**wanted), tick)
    except KeyboardInterrupt:
        reporting.echo("Stopped. What came is kept; `coursette blogs fetch` goes on from there.", err=True)
        return 130
    with closing(open_existing(db).conn) as connection:
        _say_result(result, dict(connection.execute(WHOSE).fetchall()))
        reporting.score_posts(connection)
    return 1 if result.asked and not result.answered else 0


@contextmanager
def progress():
    """A bar of blogs on a terminal, nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda done, of: None
        return
    columns = (TextColumn("blogs"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("blogs", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _say_result(result: Result, whose: dict[str, str]) -> None:
    """`whose`: the student of each address, where known."""
    for url, sentence in sorted(result.errors):
        who = f" ({whose[url]})" if url in whose else ""
        reporting.echo(f"{url}{who}: {sentence}", err=True)
    gone = f", {result.gone:,} gone from their blogs" if result.gone else ""
    reporting.echo(
        f"{result.answered:,} of {result.asked:,} blogs answered: {result.new:,} new posts, {result.changed:,}"
        f" changed{gone}"
    )
    if result.errors:
        reporting.echo("`coursette blogs status` has each blog's state.")


def _say_next(connection) -> None:
    sql = (
        "select count(*), sum(person_id is null), sum(fetched_utc is null), (select count(*) from feeds where not"
        " registered) from feeds where registered"
    )
    total, nobody, unread, former = connection.execute(sql).fetchone()
    reporting.echo(f"{total:,} blogs are registered.")
    if former:
        reporting.echo(f"{former:,} more are not any more; their posts stay: `coursette blogs status` lists them.")
    if nobody:
        reporting.echo(HELD.format(nobody))
    if unread:
        reporting.echo(f"{FETCH}.")
