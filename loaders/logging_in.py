"""`coursette login` and `coursette logout`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from loaders import accounts, moodle_secrets, ways
from loaders.moodle_address import site_address
from loaders.reporting import printable


def log_in(url: str, db: Path, private: Path | None, given: tuple, remember: bool | None) -> list[str]:
    """Try the ways into a Moodle, then keep them if wanted; returns what to say at the end. Raises MoodleError."""
    site = site_address(url)
    token, cookie, username, stdin = given
    if not token and not cookie and not username:
        username = click.prompt("User name")
    secrets = ways.Secrets.asked(token, cookie, username, stdin)
    said, good = asyncio.run(ways.introduce(site, secrets))
    for line in said:
        click.echo(printable(line))
    what = " and ".join(good)
    if remember is None and sys.stdin.isatty():
        remember = click.confirm(f"Keep the {what} for the next time (never a password)?", default=True)
    if not remember:
        return ["Nothing is kept (--remember keeps it)."]
    folder = accounts.private_folder([db], private)
    return [f"The {kind} is kept in {moodle_secrets.keep(folder, site, kind, good[kind])}." for kind in good]


def log_out(url: str, db: Path, private: Path | None) -> str:
    """Forget what is kept of a Moodle; returns what to say."""
    site = site_address(url)
    gone = moodle_secrets.drop(accounts.private_folder([db], private), site)
    if not gone:
        return f"Nothing was kept of {site}: is that its address?"
    return f"Forgotten: {gone} secret{'s' if gone != 1 else ''} of {site}."
