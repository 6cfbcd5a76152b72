"""`coursette calendar`: propose, load and show the teaching weeks of a course."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from loaders.cli_options import database, in_a_sentence


@click.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--course", type=int, metavar="ID", help="Moodle's id of the course, where several are loaded.")
@click.option("--site", metavar="URL", help="Address of the Moodle, where several are loaded.")
@click.option("--show", is_flag=True, help="Print the weeks and due dates as they are now.")
@click.option("--force", is_flag=True, help="Write the proposal over a file that is there.")
@database
@in_a_sentence
def calendar(file, db, course, site, show, force) -> None:
    """Teaching weeks, breaks and due dates, in a small file that you correct.

    Without FILE it writes calendar-SHORTNAME.toml, proposed from the names of sections, the dates of activities and
    the log. Correct it in any editor, then load it; from then on "week 5" is what you call so. Load it again after
    every change; `coursette unload` takes it back.

    \b
      coursette calendar
      coursette calendar calendar-EDC3100.toml
      coursette calendar --show
    """
    from loaders import calendar_reporting

    if file and (show or force):
        raise click.UsageError("--show and --force go without a FILE")
    if file:
        sys.exit(calendar_reporting.load(db, file, course, site))
    for line in (calendar_reporting.show if show else calendar_reporting.propose)(db, course, site, force):
        click.echo(line)
