"""`coursette details`: the teacher's own spreadsheet."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from loaders.cli_options import database, in_a_sentence


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--key", metavar="COLUMN", help="The column that says who each row is about, where it is not found.")
@click.option("--columns", metavar="A,B", multiple=True, help="Take these columns only. Repeat, or put commas.")
@click.option("--leave-out", metavar="A,B", multiple=True, help="Do not take these columns. Repeat, or put commas.")
@click.option("--course", type=int, help="Moodle's id of the course whose people it is about.")
@click.option("--site", metavar="URL", help="Address of the Moodle, where several are loaded.")
@click.option("--check", is_flag=True, help="Read and report, and write nothing.")
@database
@in_a_sentence
def details(file, db, key, columns, leave_out, **options) -> None:
    """Join your own spreadsheet (.csv, .xlsx, .ods) to the students: GPA, campus, mode, phone, whatever it has.

    Rows find their people by Moodle id, e-mail, id number, user name or name; those that find nobody are listed, wait,
    and are tried again at every load. Columns with a few values, such as campus, become groups to filter by. Load a
    newer file to change what it says; `coursette unload` takes one back.
    """
    from loaders import reporting
    from loaders.detail_columns import Asked

    asked = Asked(key, columns, leave_out)
    sys.exit(reporting.load(db, [file], {**options, "details": asked}))
