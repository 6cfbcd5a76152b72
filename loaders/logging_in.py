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
    """Try the ways into a Moodle and keep them if wanted; returns what to say. Raises MoodleError."""
    site = site_address(url)
    token, cookie, username, stdin = given
    if not token and not cookie and not username:
        username = click.prompt("User name")
    secrets = ways.Secrets.asked(token, cookie, username, stdin)
    if remember is None:
        remember = sys.stdin.isatty() and click.confirm("Keep it for the next time?", default=True)
    folder = accounts.private_folder([db], private)
    said = asyncio.run(ways.introduce(site, folder, secrets, remember))
    return [printable(line) for line in said] + ([] if remember else ["Nothing is kept (--remember keeps it)."])


def log_out(url: str, db: Path, private: Path | None) -> str:
    """Forget what is kept of a Moodle; returns what to say."""
    site = site_address(url)
    gone = moodle_secrets.drop(accounts.private_folder([db], private), site)
    return f"Forgotten: {gone} secret{'s' if gone != 1 else ''} of {site}."
