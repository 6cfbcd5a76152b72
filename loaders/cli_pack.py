"""`coursette pack`: sets of questions from and for colleagues, without anybody's data."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import click

from loaders.cli_options import in_a_sentence
from loaders.cli_query import place
from loaders.errors import Unreadable


@click.group()
def pack() -> None:
    """Share questions with colleagues: one text file holds a set of them, and no student's data."""


@pack.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("names", nargs=-1)
@click.option("--name", metavar="WORD", help="What the pack is called [default: the name of the file].")
@click.option("--title", metavar="WORDS", help="What it is about, in a few words.")
@click.option("--author", metavar="WORDS", help="Whose it is.")
@click.option("--licence", metavar="WORDS", help="What others may do with it, such as CC0.")
@click.option("--anyway", is_flag=True, help="Also where a question names one of your students.")
@place
@in_a_sentence
def export(file, names, name, title, author, licence, anyway, **options) -> None:
    """Write your own questions, or those NAMES of them, into FILE.

    A question that names somebody who is in your database is not written: put a parameter in the place of the name.
    """
    from loaders import packing
    from loaders.own_querying import Desk

    head = {"pack": name or file.stem, "title": title, "author": author, "licence": licence}
    written = packing.export(file, names, {**head, "made": date.today().isoformat()}, Desk.of(**options), anyway)
    click.echo(f"{file}: {len(written)} question{'s' if len(written) != 1 else ''} ({', '.join(written)}).")


@pack.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@in_a_sentence
def check(file) -> None:
    """Show what is in FILE, question by question, and try each on the made-up course. Nothing is kept."""
    from loaders import packing

    sys.exit(1 if packing.show(file, click.echo).bad else 0)


@pack.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
@place
@in_a_sentence
def take(file, yes, **options) -> None:
    """Show and try the questions of FILE as `check` does, ask, and keep those that work.

    They are read-only files in `queries/packs`, and listed under the pack's title. Import a newer file of the same
    name in place of it; `coursette pack remove` takes it out.
    """
    from loaders import packing
    from loaders.own_querying import Desk

    shown = packing.show(file, click.echo)
    if not shown.good:
        raise Unreadable(f"{file.name}: no question of it works here")
    if not yes and not sys.stdin.isatty():
        raise Unreadable("nothing was kept: `--yes` keeps them without asking")
    if not yes:
        click.confirm(f"Keep {len(shown.good)} of {len(shown.pack.texts)}?", abort=True)
    for line in packing.keep(shown, Desk.of(**options)):
        click.echo(line)
    sys.exit(1 if shown.bad else 0)


@pack.command("list")
@place
@in_a_sentence
def list_(**options) -> None:
    """The packs that are kept here, and their questions."""
    from loaders import packing
    from loaders.own_querying import Desk

    for line in packing.listed(Desk.of(**options)):
        click.echo(line)


@pack.command()
@click.argument("name")
@place
@in_a_sentence
def remove(name, **options) -> None:
    """Take the pack NAME out."""
    from loaders import pack_folder
    from loaders.own_querying import Desk

    count = pack_folder.remove(Desk.of(**options).folder, name)
    click.echo(f"{name}: {count} question{'s' if count != 1 else ''} taken out.")
