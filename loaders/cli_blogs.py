"""The `coursette blogs` commands: register students' blogs, fetch them, see how they are."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import click

from loaders.cli_options import database, in_a_sentence

course_and_site = (
    click.option("--course", type=int, help="Moodle's id of the course, where names are in several."),
    click.option("--site", metavar="URL", help="Address of the Moodle, where several are loaded."),
)


def placed(command):
    """The options that say which course and which Moodle."""
    for option in course_and_site:
        command = option(command)
    return command


@click.group()
def blogs() -> None:
    """Students' own blogs: say whose is where, then fetch their posts.

    \b
      coursette blogs add blogs.csv
      coursette blogs fetch
    """


@blogs.command()
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--student", metavar="WHO", help="Give one student's blog by hand: name, email, id number or username.")
@click.option("--profile-field", metavar="NAME", help="Take blogs from this field of students' Moodle profiles.")
@placed
@database
@in_a_sentence
def add(files, student, profile_field, db, **options) -> None:
    """Register blogs: a table of students and addresses, an OPML list, or a saved page of Moodle's BIM module.

    Any csv, xlsx or ods will do that has a column of addresses and one that tells the student: email, id number,
    username, Moodle's id or name. A newer file's address replaces that of an older, whose posts stay.

    \b
      coursette blogs add blogs.csv
      coursette blogs add --student w1012493@student.example.edu https://al.example.org/
      coursette blogs add --profile-field "Web page"
    """
    from loaders import blogs_reporting

    if sum((bool(files) and not student, bool(student), bool(profile_field))) != 1:
        raise click.UsageError("name files, or give --student WHO with an address, or --profile-field NAME")
    if student:
        if not files:
            raise click.UsageError("--student needs the blog's address after it")
        sys.exit(blogs_reporting.add_by_hand(db, student, files, options))
    if profile_field:
        sys.exit(blogs_reporting.follow_field(db, profile_field, options))
    sys.exit(blogs_reporting.add_files(db, [Path(name) for name in files], options))


@blogs.command()
@click.option("--only-new", is_flag=True, help="Only blogs that never answered yet.")
@click.option(
    "--allow-network", "allow", metavar="CIDR", multiple=True,
    help="Also ask blogs in this network, such as your institution's own 10.20.0.0/16. Repeat for more; for this time"
         " only.",
)  # fmt: skip
@click.option(
    "--save", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="Also keep everything the blogs answer in this folder.",
)  # fmt: skip
@click.option(
    "--from", "source", type=click.Path(exists=True, path_type=Path), metavar="DIR",
    help="Read what --save kept, and ask nobody.",
)  # fmt: skip
@database
@in_a_sentence
def fetch(db, **wanted) -> None:
    """Bring in the posts of all registered blogs: new ones, edits, and which have been deleted.

    Asks each student's own address and no other service: that server sees this computer's address and "Coursette",
    and nothing about you, your course or anybody. The first time a blog is read to its beginning, or to four weeks
    before the student's first course. Stopped (Ctrl-C), it keeps what came, and goes on there the next time.

    Exit status 1 where no blog answered at all; single blogs that fail are listed, and are no failure.
    """
    from loaders import blogs_reporting

    sys.exit(blogs_reporting.fetch(db, wanted))


@blogs.command()
@click.argument("what", metavar="WHO_OR_URL")
@click.option("--yes", "sure", is_flag=True, help="Delete its posts without asking.")
@placed
@database
@in_a_sentence
def remove(what, sure, db, **options) -> None:
    """Forget a blog and its posts: name its address, or its student.

    A list that names it, registered again with `coursette blogs add`, brings it back, without its posts.
    """
    from loaders import blogs_reporting

    sys.exit(blogs_reporting.remove(db, what, sure, options))


@blogs.command()
@database
@in_a_sentence
def status(db) -> None:
    """How each blog is: posts, newest post, last success, error; and who has none."""
    from loaders import blogs_status, reporting
    from loaders.schema import open_existing

    with closing(open_existing(db).conn) as connection:
        for line in blogs_status.report(connection):
            reporting.echo(line)
