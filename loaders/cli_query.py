"""`coursette query`: a teacher's own questions, each a file in the folder `queries`."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from loaders import question_new, reporting
from loaders.cli_options import database, in_a_sentence, queries


@click.group()
def query() -> None:
    """Your own questions: one .sql file each, at once a page with form, chart, JSON and CSV.

    \b
      coursette query new study_guide
      coursette query check study_guide

    They lie in the folder `queries` beside the database. Save a file, and its page has changed: no restart.
    """


def place(command: Callable) -> Callable:
    """The options that say where the questions and their data are."""
    for option in (
        click.option("--demo", is_flag=True, help="Questions about the made-up course of `coursette demo`."),
        queries,
        database,
    ):
        command = option(command)
    return command


@query.command()
@click.argument("name")
@click.option("--from", "source", metavar="EXISTING", help="Begin with this question: one of Coursette's, or yours.")
@click.option(
    "--template",
    type=click.Choice(list(question_new.TEMPLATES)),
    help=f"Begin with {'; '.join(f'{kind}: {words}' for kind, words in question_new.TEMPLATES.items())}.",
)
@click.option(
    "--show",
    type=click.Choice(["student", "activity"]),
    help="With --from one of Coursette's: on the student page (its rows about that student), or as a number beside "
    "each activity on Moodle's pages.",
)
@click.option("--number", metavar="COLUMN", help="With --show activity: which of its columns is the number.")
@place
@in_a_sentence
def new(name, source, template, show, number, **options) -> None:
    """Begin a question: writes queries/NAME.sql, which works as it is, to be changed in any editor."""
    from loaders import own_querying

    if source and template:
        raise click.UsageError("--from and --template go one without the other")
    if (show and not source) or (number and show != "activity"):
        raise click.UsageError("--show goes with --from, and --number with --show activity")
    desk = own_querying.Desk.of(**options)
    for line in own_querying.begin(desk, name, source, template or "question", show, number):
        click.echo(reporting.printable(line))


@query.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--plan", is_flag=True, help="Show SQLite's whole plan of each.")
@place
@in_a_sentence
def check(names, plan, **options) -> None:
    """Say what your questions would do: address, form, answer, time, plan, and what is wrong, with file and line.

    Each is asked once with nothing filled in, on a connection that can only read. Exit status 1 where one is bad.
    """
    from loaders import own_querying

    said, is_good = own_querying.checked(own_querying.Desk.of(**options), names, plan)
    for line in said:
        click.echo(reporting.printable(line))
    sys.exit(0 if is_good else 1)


@query.command(name="list")
@click.option("--all", "whole", is_flag=True, help="Coursette's own questions too, for --from.")
@place
@in_a_sentence
def list_(whole, **options) -> None:
    """List your questions, and what is wrong with their files."""
    from loaders import own_querying

    for line in own_querying.listed(own_querying.Desk.of(**options), whole):
        click.echo(reporting.printable(line))
