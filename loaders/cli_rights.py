"""`coursette forget`, `opt-out`, `opt-in`, `retention` and `export-student`: students' rights over their data."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from loaders.cli_options import database, in_a_sentence, private


def deleting(command: Callable) -> Callable:
    """The options of everything that deletes."""
    for option in (
        click.option("--audit", type=click.Choice(["blank", "keep", "delete"]), default="blank", show_default=True,
                     help="The record of look-ups: blank keeps who looked when and takes out at whom; keep leaves it as"
                          " it is, ids and all; delete takes the lines out."),
        click.option("--yes", is_flag=True, help="Do not ask first."),
    ):  # fmt: skip
        command = option(command)
    return command


def of_student(command: Callable) -> Callable:
    """The options of deleting a student."""
    for option in (
        click.option("--course", type=int, metavar="ID", help="Only what is of this course (Moodle's id)."),
        click.option("--site", metavar="URL", help="Address of the Moodle, where several are loaded."),
        click.option("--mentions", is_flag=True, help="Also take the full name out of what others wrote."),
        deleting, private, database, in_a_sentence,
    ):  # fmt: skip
        command = option(command)
    return command


@click.group()
def forget() -> None:
    """Delete a student, or a whole course, for good: from every table, your notes, and the bytes of the files.

    A hash of what a student is known by stays, which nobody can read without the key in the private folder, so that
    the next file you load does not bring them back.
    """


@forget.command("student")
@click.argument("who")
@of_student
def forget_student(who, db, private, **options) -> None:
    """Delete everything of a student. WHO is Moodle's id, e-mail, id number, or the exact full name.

    Says what was deleted, and which other files still hold it. Exit status 1 if a program that reads the database
    stands in the way of clearing its old pages: stop it, then run this again.
    """
    _student(who, db, private, "forgotten", options)


@forget.command("course")
@click.argument("course", type=int)
@click.option("--site", metavar="URL", help="Address of the Moodle, where several are loaded.")
@deleting
@private
@database
@in_a_sentence
def forget_course(course, db, private, yes, **options) -> None:
    """Delete a course (Moodle's id), and everybody who is in no other. Loading its files again brings it back."""
    from loaders import forgetting

    sys.exit(forgetting.course(db, private, course, sure=_sure(yes), **options))


@forget.command("list")
@database
@in_a_sentence
def forget_list(db) -> None:
    """How many students were deleted or have opted out, and when. Who they are is not known here any more."""
    from loaders import forgetting, reporting

    for line in forgetting.listed(db):
        reporting.echo(line)


@click.command("opt-out")
@click.argument("who")
@of_student
def opt_out(who, db, private, **options) -> None:
    """Keep a student out who does not want to be looked at: delete what is here, skip what files bring.

    The same as `coursette forget student`, but pages that are asked for them say that they have opted out. Somebody
    of whom nothing is here yet can be named by Moodle's id or e-mail.
    """
    _student(who, db, private, "opted out", options)


@click.command("opt-in")
@click.argument("who")
@private
@database
@in_a_sentence
def opt_in(who, db, private) -> None:
    """Let files bring a student again who had opted out, or was deleted. Says which files to load again."""
    from loaders import forgetting

    forgetting.opt_in(db, private, who)


@click.command()
@click.argument("course", type=int)
@click.argument("day", metavar="DATE|none")
@click.option("--site", metavar="URL", help="Address of the Moodle, where several are loaded.")
@database
@in_a_sentence
def retention(course, day, site, db) -> None:
    """Say until which day (YYYY-MM-DD) a course (Moodle's id) is kept. `coursette status` and the home page tell you
    when it is near; nothing is deleted by itself."""
    from loaders import retention as keeping
    from loaders import whose
    from loaders.schema import open_existing

    connection = open_existing(db).conn
    until = keeping.set_day(connection, whose.course(connection, course, site), day)
    click.echo(f"Course {course} is kept until {until}." if until else f"Course {course} is kept without a limit.")


@click.command("export-student")
@click.argument("who")
@click.option("--course", type=int, metavar="ID", help="Only what is of this course (Moodle's id).")
@click.option("--site", metavar="URL", help="Address of the Moodle, where several are loaded.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER", default=Path(),
              help="Where to write the files [default: here].")  # fmt: skip
@click.option("--notes", is_flag=True, help="Put your own notes in; else the file says that they were left out.")
@private
@database
@in_a_sentence
def export_student(who, db, private, course, site, out, notes) -> None:
    """Write everything held of a student into one HTML file and one JSON file, to hand to them.

    WHO is Moodle's id, e-mail, id number, or the exact full name. The files say where it came from, who looked and
    when, and what cannot be known.
    """
    from loaders import exporting

    exporting.write(db, private, who, course, site, out, notes)


def _student(who: str, db: Path, private: Path | None, reason: str, options: dict) -> None:
    from loaders import forgetting

    yes = options.pop("yes")
    sys.exit(forgetting.student(db, private, who, reason, sure=_sure(yes), **options))


def _sure(yes: bool) -> Callable[[str], bool]:
    """Asks on a terminal; in a pipe whoever wrote the command has decided."""
    return lambda sentence: yes or not sys.stdin.isatty() or click.confirm(sentence)


COMMANDS = (forget, opt_out, opt_in, retention, export_student)
