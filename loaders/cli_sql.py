"""`coursette sql`: SQL of one's own in the terminal."""

from __future__ import annotations

import csv
import sys

import click

from loaders.cli_options import database, in_a_sentence, private


@click.command()
@click.argument("statement", metavar="SQL")
@click.option("--csv", "as_csv", is_flag=True, help="CSV also in a terminal, as in a pipe or a file.")
@private
@database
@in_a_sentence
def sql(statement, as_csv, db, private) -> None:
    """Ask the database in SQL, with your notes as tables beside it; nothing can be written.

    Besides the tables of the data dictionary (/-/dictionary on the server) and Coursette's SQL functions there are
    my_notes, my_nudges and my_marks, with person_id and course_id to join by. The server does not have them: your
    notes are in no page but the student's. SQL is `-` to read it from standard input.

    \b
      coursette sql "select fullname, text from my_notes join people on people.id = person_id"
    """
    from loaders import own_sql

    statement = sys.stdin.read() if statement == "-" else statement
    with own_sql.asked(db, private, statement) as (columns, rows):
        (_csv if as_csv or not sys.stdout.isatty() else _table)(columns, rows)


def _csv(columns, rows) -> None:
    from loaders.csv_cells import plain

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(map(plain, columns))
    writer.writerows([plain(value) for value in row] for row in rows)


def _table(columns, rows) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from loaders.reporting import printable

    table = Table(*(Text(printable(column)) for column in columns))
    for row in rows:
        table.add_row(*(Text("" if value is None else printable(str(value))) for value in row))
    Console().print(table)
