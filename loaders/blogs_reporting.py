"""What `coursette blogs add`, `fetch` and `remove` tell."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from loaders import blog_words, blogs, reporting
from loaders.feed_run import Result, Wanted
from loaders.feed_run import fetch as fetch_all
from loaders.load import Loader, Outcome, waiting
from loaders.places import Options
from loaders.schema import open_database, open_existing, settle_in

FETCH = "`coursette blogs fetch` brings their posts"
WHOSE = "select url, coalesce(fullname, email) from feeds join people on people.id = person_id"
HELD = "{:,} of them have no student yet: `coursette blogs status` says why"


def add_files(db: Path, files: list[Path], options: dict) -> int:
    """Register the blogs that files list; returns the exit status."""
    connection = open_database(db, to_fill=True).conn
    outcomes: list[Outcome] = []
    try:
        outcomes.extend(Loader(connection, Options(**options, kind=blogs.KIND)).load(files))
        for outcome in outcomes:
            outcome.rows_unmatched = waiting(connection, outcome.load_id) if outcome.load_id else 0
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
    connection = open_database(db).conn
    load_id, why = blog_words.add(connection, Options(**options), who, urls)
    if why:
        reporting.echo(f"{who}: {why}")
        reporting.echo(f"It waits as load {load_id}: `coursette unload {load_id}` takes it back.")
    else:
        reporting.echo(f"Registered: {', '.join(urls)}. {FETCH}.")
    return 0


def follow_field(db: Path, name: str, options: dict) -> int:
    """Take blogs from a profile field, now and at every load; returns the exit status."""
    connection = open_existing(db).conn
    if not blog_words.has_field(connection, name):
        known = ", ".join(blog_words.fields(connection)) or "none: load a web-service answer or pull, which have them"
        reporting.echo(f"No file gave a field “{name}” of anybody yet. Fields with an address: {known}")
    load_id, gained = blog_words.follow_field(connection, Options(**options), name)
    reporting.echo(f"“{name}” is followed from now on, as load {load_id}: {gained:,} blogs more. {FETCH}.")
    return 0


def remove(db: Path, what: str, options: dict) -> None:
    """Forget a blog."""
    for url in blog_words.remove(open_existing(db).conn, Options(**options), what):
        reporting.echo(f"Forgotten with its posts: {url}")


def fetch(db: Path, wanted: dict) -> int:
    """Fetch the blogs; returns the exit status."""
    connection = open_existing(db).conn
    (registered,) = connection.execute("select count(*) from feeds").fetchone()
    connection.close()
    if not registered:
        reporting.echo("No blogs are registered yet: `coursette blogs add FILE` says whose is where.")
        return 0
    try:
        with progress() as tick:
            result = fetch_all(db, Wanted(**wanted), tick)
    except KeyboardInterrupt:
        reporting.echo("Stopped. What came is kept; `coursette blogs fetch` goes on from there.", err=True)
        return 130
    connection = open_existing(db).conn
    _say_result(result, dict(connection.execute(WHOSE).fetchall()))
    reporting.score_posts(connection)
    connection.close()
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
    sql = "select count(*), sum(person_id is null), sum(fetched_utc is null) from feeds"
    total, nobody, unread = connection.execute(sql).fetchone()
    reporting.echo(f"{total:,} blogs are registered.")
    if nobody:
        reporting.echo(HELD.format(nobody))
    if unread:
        reporting.echo(f"{FETCH}.")
