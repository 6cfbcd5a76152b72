"""What `coursette load` tells while it works, and at the end."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from loaders import advice, blogs, details, sentiment
from loaders.load import Loader, Outcome, waiting
from loaders.places import Options
from loaders.schema import open_database, settle_in
from loaders.times import Clock

SKIPPED = "the rows skipped are of students who were deleted on request or opted out; nothing of them is stored"
LISTED = 20  # rows of a spreadsheet that found nobody
WAITING = "select count(*) from (select distinct load_id, coalesce(line, -id) from unmatched)"


def load(db: Path, files: list[Path], options: dict) -> int:
    """Load files into the database at `db`; prints what became of each; returns the exit status."""
    chosen = Options(**options)
    if chosen.site and not chosen.site.startswith(("http://", "https://")):
        raise click.UsageError("--site takes the address of the Moodle, such as https://moodle.example.edu")
    for zone in (chosen.timezone, chosen.course_timezone):
        if zone:
            Clock(zone)
    created = not db.exists()
    connection = open_database(db, to_fill=True).conn
    outcomes: list[Outcome] = []
    try:
        with progress() as tick:
            loader = Loader(connection, chosen, tick, at_end=lambda: finish(connection, outcomes, chosen))
            for outcome in loader.load(files):
                outcomes.append(outcome)
        if not chosen.check:
            score_posts(connection)
    finally:
        settle_in(connection)
        connection.close()
        if created and chosen.check:
            for path in (db, *(db.with_name(db.name + end) for end in ("-wal", "-shm"))):
                path.unlink(missing_ok=True)
    return 1 if any(outcome.error for outcome in outcomes) else 0


@contextmanager
def progress():
    """A counter of log lines on a terminal, nothing in a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    columns = (SpinnerColumn(), TextColumn("reading"), MofNCompleteColumn(), TextColumn("lines"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)
        yield lambda rows: bar.advance(task, rows)


def score_posts(connection) -> int:
    """Guess how new and changed posts sound; returns how many. A bar on a terminal, nothing in a pipe."""
    waiting = sentiment.waiting(connection)
    if not waiting or not sys.stderr.isatty():
        return sentiment.score(connection)
    columns = (SpinnerColumn(), TextColumn("scoring"), BarColumn(), MofNCompleteColumn(), TextColumn("posts"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("scoring", total=waiting)
        return sentiment.score(connection, lambda posts: bar.advance(task, posts))


def echo(text: str, err: bool = False) -> None:
    """Print a line; what came from files may hold terminal commands, which are shown as such."""
    click.echo(printable(text), err=err)


def printable(text: str) -> str:
    """The text with control characters made visible."""
    return "".join(char if char.isprintable() or char == "\t" else repr(char)[1:-1] for char in text)


def say(outcome: Outcome) -> None:
    """One file: its kind and its rows, or the sentence why not."""
    if outcome.error:
        echo(f"{outcome.source}: {outcome.error}", err=True)
        return
    if outcome.load_id is None:
        echo(f"{outcome.source}: not used: {'; '.join(outcome.notes)}")
        return
    echo(
        f"{outcome.source}: {outcome.kind}: {outcome.rows_read:,} rows read, {outcome.rows_new:,} new,"
        f" {outcome.rows_known:,} already there, {outcome.rows_unmatched:,} not matched"
        + (f", {outcome.rows_skipped:,} skipped" if outcome.rows_skipped else "")
    )
    if outcome.rows_skipped:
        echo(f"  note: {SKIPPED}")
    for note in outcome.notes:
        echo(f"  note: {note}")


def say_unmatched(connection, load_id: int) -> None:
    """The rows of a spreadsheet or a list of blogs that found nobody, one line each, while there are few."""
    rows = connection.execute(
        "select line, reason, raw from unmatched where load_id = ? order by line limit ?", (load_id, LISTED + 1)
    ).fetchall()
    for line, reason, raw in rows[:LISTED]:
        who = _told_of(json.loads(raw))
        where = f"line {line}" if line else "a row"
        echo(f"  {where}" + (f" ({who})" if who else "") + f": {reason}")
    if len(rows) > LISTED:
        echo("  and more: all are in the table `unmatched`")


def _told_of(claim: dict) -> str:
    """What a row says of whom it is about: by its columns, its words, or its cells."""
    said = claim.get("about") or claim.get("student") or claim.get("cells") or {}
    words = [str(value) for value in said.values()] or claim.get("candidates", [])
    return ", ".join(dict.fromkeys([*words, *([claim["url"]] if "url" in claim else [])]))


def finish(connection, outcomes: list[Outcome], options: Options) -> None:
    """What became of each file, now that all are matched; then what is still missing for the best result."""
    for outcome in outcomes:
        if outcome.load_id:
            outcome.rows_unmatched = waiting(connection, outcome.load_id)
        say(outcome)
        if outcome.kind in (details.KIND, blogs.KIND) and outcome.load_id:
            say_unmatched(connection, outcome.load_id)
    taken = {outcome.load_id for outcome in outcomes if outcome.load_id}
    for load_id, sentence in advice.short_files(connection).items():
        if load_id in taken:
            echo(f"note: {sentence}")
    for sentence in advice.missing_roles(connection):
        echo(f"note: {sentence}")
    advise(connection)
    if options.check:
        echo("Nothing was written (--check).")


def advise(connection) -> None:
    """What found no home, and what is still missing for the best result."""
    homeless = connection.execute(WAITING).fetchone()[0]
    if homeless:
        echo(f"{homeless:,} rows have no home yet: `coursette status` says which and why")
    missing: dict[str, list[str]] = {}
    for gap in advice.gaps(connection):
        missing.setdefault(gap.course, []).append(gap.download.kind)
    for course, kinds in missing.items():
        echo(f"Still missing for the best result in {course}: {', '.join(kinds)}")
    if missing:
        echo("`coursette status` has the links to get them.")
