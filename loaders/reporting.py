"""What `coursette load` tells while it works, and at the end."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from loaders import advice
from loaders.load import Loader, Outcome
from loaders.places import Options
from loaders.schema import open_database, settle_in
from loaders.times import Clock


def load(db: Path, files: list[Path], options: dict) -> int:
    """Load files into the database at `db`; prints what became of each; returns the exit status."""
    chosen = Options(**options)
    for zone in (chosen.timezone, chosen.course_timezone):
        if zone:
            Clock(zone)
    created = not db.exists()
    connection = open_database(db, to_fill=True).conn
    outcomes: list[Outcome] = []
    try:
        with progress() as tick:
            for outcome in Loader(connection, chosen, tick).load(files):
                outcomes.append(outcome)
                say(outcome)
        finish(connection, outcomes, chosen)
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


def say(outcome: Outcome) -> None:
    """One file: its kind and its rows, or the sentence why not."""
    if outcome.error:
        click.echo(f"{outcome.source}: {outcome.error}", err=True)
        return
    if outcome.load_id is None:
        click.echo(f"{outcome.source}: not used: {'; '.join(outcome.notes)}")
        return
    click.echo(
        f"{outcome.source}: {outcome.kind}: {outcome.rows_read:,} rows read, {outcome.rows_new:,} new,"
        f" {outcome.rows_known:,} already there, {outcome.rows_unmatched:,} not matched"
    )
    for note in outcome.notes:
        click.echo(f"  note: {note}")


def finish(connection, outcomes: list[Outcome], options: Options) -> None:
    """What is still missing for the best result."""
    taken = {outcome.load_id for outcome in outcomes if outcome.load_id}
    for load_id, sentence in advice.short_files(connection).items():
        if load_id in taken:
            click.echo(f"note: {sentence}")
    for sentence in advice.missing_roles(connection):
        click.echo(f"note: {sentence}")
    waiting = connection.execute("select count(*) from unmatched").fetchone()[0]
    if waiting:
        click.echo(f"{waiting:,} rows have no home yet: `coursette status` says which and why")
    missing: dict[str, list[str]] = {}
    for gap in advice.gaps(connection):
        missing.setdefault(gap.course, []).append(gap.download.kind)
    for course, kinds in missing.items():
        click.echo(f"Still missing for the best result in {course}: {', '.join(kinds)}")
    if missing:
        click.echo("`coursette status` has the links to get them.")
    if options.check:
        click.echo("Nothing was written (--check).")
