"""`coursette account`: who may sign in, and as what."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps

import click

from loaders.cli_options import database, in_a_sentence, private


@click.group()
def account() -> None:
    """Who may sign in, and what they may see: tutors, colleagues and other teachers.

    \b
    teacher    sees every course (or those in the files that --file names)
    tutor      sees the students of her groups only (--group, by exact name or Moodle's id)
    colleague  sees only what was shared with her: aggregates, no names
    student    sees nothing

    Every change ends that account's sessions and tokens. The page "Accounts" does the same.
    """


def changing(command: Callable) -> Callable:
    """Which instance a command is about, and refusals in a sentence. Gives the private folder as `folder`."""

    @wraps(command)
    def wrapped(db, private, **options):
        from loaders import accounts

        try:
            return command(db=db, folder=accounts.private_folder([db], private), **options)
        except accounts.Refused as refused:
            raise click.ClickException(str(refused)) from refused

    return private(database(in_a_sentence(wrapped)))


def seeing(command: Callable) -> Callable:
    """The options that say whom and what an account may see."""
    for option in (
        click.option("--file", "files", metavar="NAME", multiple=True,
                     help="A database that she may see; repeat for more [default: all]."),
        click.option("--group", "groups", metavar="NAME", multiple=True,
                     help="A group of a tutor's, by exact name or Moodle's id; with the course's id before it, "
                          "as in 2:Online, of that course only. Repeat for more."),
    ):  # fmt: skip
        command = option(command)
    return command


ADDRESS = click.option(
    "--base-url", metavar="URL", envvar="COURSETTE_BASE_URL", show_envvar=True, default="http://127.0.0.1:8001/",
    show_default=True, help="Where she finds this server, for the link.",
)  # fmt: skip


@account.command()
@click.argument("name")
@click.option("--role", required=True, help="teacher, tutor, colleague or student.")
@seeing
@ADDRESS
@changing
def add(name, db, folder, role, groups, files, base_url) -> None:
    """Make an account, and print a link by which she chooses her own password."""
    from loaders import account_list, account_reporting

    account_list.add(folder, name, role, groups, files)
    account_reporting.say_unknown_groups(db, groups)
    account_reporting.say_link(folder, name, base_url)


@account.command()
@click.argument("name")
@ADDRESS
@changing
def link(name, db, folder, base_url) -> None:
    """Print a new link that signs her in once, to choose a password; the one before ends."""
    from loaders import account_reporting

    account_reporting.say_link(folder, name, base_url)


@account.command()
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@changing
def password(name, db, folder, password_stdin) -> None:
    """Set the password of an account, asked for twice. `coursette account link` lets her choose it herself."""
    from loaders import account_list

    if password_stdin:
        given = sys.stdin.readline().rstrip("\r\n")
    else:
        given = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    account_list.set_password(folder, name, given)
    click.echo(f"{name} has this password now, and is signed out everywhere.")


@account.command()
@click.argument("name")
@click.argument("role")
@seeing
@changing
def role(name, role, db, folder, groups, files) -> None:
    """Give an account another role, with its groups and files."""
    from loaders import account_list, account_reporting

    account_list.set_role(folder, name, role, groups, files)
    account_reporting.say_unknown_groups(db, groups)
    click.echo(f"{name} is a {role} now, and is signed out everywhere.")


@account.command()
@click.argument("name")
@changing
def remove(name, db, folder) -> None:
    """Take an account away, with its sessions and tokens."""
    from loaders import account_list

    account_list.remove(folder, name)
    click.echo(f"{name} cannot sign in any more.")


@account.command(name="list")
@changing
def show(db, folder) -> None:
    """Everybody who may sign in."""
    from loaders import account_reporting

    for line in account_reporting.lines(folder):
        click.echo(line)
