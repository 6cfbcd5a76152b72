"""The `coursette` command: it wires, and never thinks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import click

from loaders import __version__
from loaders.cli_account import account
from loaders.cli_blogs import blogs
from loaders.cli_calendar import calendar
from loaders.cli_details import details
from loaders.cli_options import database, in_a_sentence, private, queries
from loaders.cli_pack import pack
from loaders.cli_query import query
from loaders.cli_rights import COMMANDS as RIGHTS
from loaders.cli_sql import sql
from loaders.errors import CannotServe


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="coursette")
def cli() -> None:
    """Everything your Moodle course knows, on your own computer.

    Load what you downloaded from Moodle, then look at it in the browser:

    \b
      coursette load Downloads/logs.csv Downloads/participants.html
      coursette serve
    """


@cli.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--course", type=int, help="Moodle's id of the course, for files that do not say.")
@click.option("--site", metavar="URL", help="Address of the Moodle, where several are loaded.")
@click.option("--timezone", metavar="ZONE", help="Time zone that Moodle showed you, such as Australia/Brisbane.")
@click.option("--date-order", type=click.Choice(["dmy", "mdy", "ymd"]), help="Where a file does not tell 5/3 from 3/5.")
@click.option("--course-timezone", metavar="ZONE", help="Time zone of the course, for weeks and local times.")
@click.option(
    "--staff", metavar="EMAIL", multiple=True, help="This person teaches, whatever files say. Repeat for more."
)
@click.option("--check", is_flag=True, help="Read and report, and write nothing.")
@database
@in_a_sentence
def load(files, db, **options) -> None:
    """Load Moodle downloads: any kind, any order; folders and .zip too.

    Knows course logs, participants, activity completion, course completion, grades, groups overview, forum
    posts, saved participants, completion and course pages, and saved web-service answers: by what is in
    them, whatever their name.
    """
    from loaders import reporting

    if not files and not options["staff"]:
        raise click.UsageError("name the files to load, for example: coursette load logs.csv participants.csv")
    sys.exit(reporting.load(db, list(files), options))


@cli.command()
@click.argument("load", type=int)
@database
@in_a_sentence
def unload(load, db) -> None:
    """Take one load back. `coursette status` shows their numbers."""
    from loaders import reporting
    from loaders.schema import open_existing
    from loaders.unload import unload as take_back

    connection = open_existing(db).conn
    source, posts = take_back(connection, load)
    reporting.score_posts(connection)  # posts may say again what an older file had
    went = f", and {posts:,} posts of blogs that nothing else names" if posts else ""
    reporting.echo(f"Load {load} ({source}) is taken back{went}.")


@cli.command()
@database
@in_a_sentence
def status(db) -> None:
    """What is loaded, how fresh it is, what did not match, and what to download next."""
    from loaders import reporting
    from loaders import status as reporter
    from loaders.schema import open_existing

    for line in reporter.report(open_existing(db).conn):
        reporting.echo(line)


def ways_in(command: Callable) -> Callable:
    """How to be let into a Moodle. An option without its value asks for it, so that it stays out of histories."""
    for option in (
        click.option("--token", is_flag=False, flag_value="?", metavar="[TOKEN]", envvar="COURSETTE_MOODLE_TOKEN",
                     show_envvar=True, help="A web-service token; without its value it is asked for."),
        click.option("--session-cookie", is_flag=False, flag_value="?", metavar="[VALUE]", show_envvar=True,
                     envvar="COURSETTE_MOODLE_SESSION",
                     help="The session of your browser (cookie MoodleSession); without its value it is asked for."),
        click.option("--username", metavar="NAME", help="Sign in with this name; the password is asked for."),
        click.option("--password-stdin", is_flag=True, help="Read the password from standard input."),
    ):  # fmt: skip
        command = option(command)
    return command


@cli.command()
@click.argument("courses", nargs=-1, metavar="[COURSE_URL]...")
@ways_in
@click.option("--all", "whole", is_flag=True, help="Ask for everything again, not only for what is new.")
@click.option(
    "--save", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="Also keep everything Moodle answers, whole, in this folder: `coursette load DIR` reads it again.",
)  # fmt: skip
@private
@database
@in_a_sentence
def pull(courses, db, private, whole, save, token, session_cookie, username, password_stdin) -> None:
    """Bring a course up to date from the live Moodle: only what is new, and nothing is written there.

    COURSE_URL is the address of the course's page in your browser; without one, every course that is known is
    brought up to date, which suits cron and the Task Scheduler.

    \b
    Ways in, in this order; each brings what it can:
      a token    everything but the log. `coursette login URL` gets one with your name and password; where you
                 sign in through your institution, copy it from Moodle: Preferences, Security keys
      a session  the log (and pages in place of web services, where those are off). In your browser's developer
                 tools (F12), Storage or Application, Cookies: the value of MoodleSession
      a name and password (--username), typed into Moodle's own form, for a session of Coursette's own
    """
    from loaders import pull as puller
    from loaders import ways

    secrets = ways.Secrets.asked(token, session_cookie, username, password_stdin)
    sys.exit(puller.pull(db, list(courses), private, secrets, whole=whole, save=save))


@cli.command()
@click.argument("url")
@ways_in
@click.option("--remember/--no-remember", default=None, help="Keep it for the next time [default: ask].")
@private
@database
@in_a_sentence
def login(url, db, private, remember, token, session_cookie, username, password_stdin) -> None:
    """Get a token of the Moodle at URL with your name and password, try it, and keep it if you like.

    It is kept in the system's keyring, else in a file in the private folder that only you can read. Where you
    sign in through your institution Moodle knows no password of yours: give --token or --session-cookie.
    """
    from loaders import logging_in

    for line in logging_in.log_in(url, db, private, (token, session_cookie, username, password_stdin), remember):
        click.echo(line)


@cli.command()
@click.argument("url")
@private
@database
@in_a_sentence
def logout(url, db, private) -> None:
    """Forget the token and the session kept for the Moodle at URL."""
    from loaders import logging_in

    click.echo(logging_in.log_out(url, db, private))


@cli.command()
@click.option("--user", metavar="NAME", help="Whose token it is [default: the owner of this instance].")
@click.option(
    "--course", "courses", type=int, metavar="ID", multiple=True,
    help="Moodle's id of a course it is for; repeat for more [default: every course loaded].",
)  # fmt: skip
@click.option("--site", metavar="URL", help="Address of the Moodle, where no file says it or several are loaded.")
@click.option("--right", type=click.Choice(["read", "refresh"]), default="read", show_default=True)
@click.option("--name", metavar="WORDS", help="What to call it in the list of tokens.")
@private
@database
@in_a_sentence
def token(db, private, **options) -> None:
    """Print a token for the page script: for one person, some courses and the pages of their Moodle.

    `read` may ask for numbers and names of these courses and can do nothing else; `refresh` may also hand in what
    Moodle gives your own session ("Refresh this course" on Moodle's pages). It lasts 26 weeks; the page "On your
    Moodle pages" lists all tokens and revokes them.
    """
    from loaders import issuing

    record, text = issuing.issue(db, private, **options)
    click.echo(text)
    click.echo(issuing.summary(record), err=True)


def listening(command: Callable) -> Callable:
    """The options of everything that serves."""
    for option in (
        click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on."),
        click.option("--port", type=int, default=8001, show_default=True, help="Port; 0 takes any free one."),
        click.option("--open", "open_browser", is_flag=True, help="Open the sign-in link in the browser."),
        click.option("--allowed-host", "allowed_hosts", metavar="NAME", multiple=True,
                     help="Another name this server answers to, as behind a proxy. Repeat for more."),
        click.option("--base-url", metavar="URL", envvar="COURSETTE_BASE_URL", show_envvar=True,
                     help="Address in the browser, where it is another: https://data.example.edu/coursette/, or "
                          "its path alone."),
        click.option("--behind-proxy", "proxies", metavar="ADDRESS", multiple=True, envvar="COURSETTE_BEHIND_PROXY",
                     show_envvar=True, help="Believe the X-Forwarded-... headers of a proxy that connects from this "
                                            "address or network, such as 127.0.0.1. Repeat for more."),
        click.option("--trusted-header", metavar="NAME", envvar="COURSETTE_TRUSTED_HEADER", show_envvar=True,
                     help="Header in which that proxy says who has signed in with it, such as X-Remote-User."),
        queries,
        private,
    ):  # fmt: skip
        command = option(command)
    return command


@cli.command()
@click.argument("databases", nargs=-1, type=click.Path(path_type=Path))
@listening
@database
@in_a_sentence
def serve(databases, db, **options) -> None:
    """Look at the data in the browser: Datasette on this computer only, closed to everyone but you.

    Prints a link that signs you in, once. DATABASES may be several files, or a folder of them: a file that appears
    in it, goes away or is replaced while the server runs is noticed.
    """
    _serve(databases or [db], options)


@cli.command()
@click.option("--site", metavar="URL", help="Pretend that the made-up course is on this Moodle.")
@click.option(
    "--db",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The database file to make [default: one of the demo's own, never yours].",
)
@click.option("--moodle", is_flag=True, help="Also serve pages of its Moodle, to try the bookmark on.")
@listening
@in_a_sentence
def demo(site, db, moodle, **options) -> None:
    """Load a made-up course of 120 students and look at it in the browser."""
    from loaders import demo as made_up
    from loaders import made_up_moodle

    if moodle and site:
        raise click.UsageError("--moodle serves the made-up Moodle itself, so leave out --site")
    path = made_up.build(site, db)
    if moodle and not made_up_moodle.start():
        raise click.ClickException(f"something else uses port {made_up_moodle.PORT}: end it, or leave out --moodle")
    _serve([path], {**options, "also": f"The made-up Moodle: {made_up_moodle.HOME}" if moodle else ""})


cli.add_command(account)
cli.add_command(blogs)
cli.add_command(details)
cli.add_command(query)
cli.add_command(pack)


def _serve(databases, options: dict) -> None:
    from loaders import serving

    try:
        with suppress(KeyboardInterrupt):  # Ctrl-C is how it ends
            serving.serve(databases, **options)
    except CannotServe as error:
        raise click.ClickException(str(error)) from None


cli.add_command(calendar)
cli.add_command(sql)
for command in RIGHTS:
    cli.add_command(command)


def main() -> None:
    """Entry point."""
    cli()
