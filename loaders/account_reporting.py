"""What `coursette account` says: links to hand over, the list, and groups that no course has."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

import click

from loaders import account_list, accounts, proxy, tutor_groups
from loaders.errors import CannotServe


def say_link(folder: Path, name: str, base_url: str) -> None:
    """Print a link that signs this account in. Raises accounts.Refused where there is no such account."""
    try:
        public = proxy.public_address(base_url)
    except CannotServe as error:
        raise accounts.Refused(str(error)) from error
    token = account_list.link(folder, name)
    click.echo(f"Sign in: {public.origin}{public.path}-/sign-in?token={quote(token)}")
    click.echo(f"Hand it to {name}: it works once, within three days, and lets her choose a password.", err=True)


def say_unknown_groups(db: Path, groups: Iterable[str]) -> None:
    """Warn of groups that no course here has: a name with a typing mistake shows nobody."""
    for group in unknown(db, groups):
        click.echo(f"No group is called “{group}” in {db.name} yet: she sees its students once it is loaded.", err=True)


def unknown(db: Path, groups: Iterable[str]) -> list[str]:
    """Those of the groups that no course of this database has; none where there is no database yet."""
    if not db.exists():
        return []
    with contextlib.closing(sqlite3.connect(db)) as conn, contextlib.suppress(sqlite3.OperationalError):
        return [group for group in groups if not tutor_groups.keys(conn, [group])]
    return []


def lines(folder: Path) -> list[str]:
    """A line for each account: name, role, groups, files, and whether she has chosen a password."""
    found = account_list.listed(folder)
    width = max((len(row["name"]) for row in found), default=0)
    return [f"{row['name']:{width}}  {'; '.join(_said(row))}" for row in found] or ["Nobody has an account yet."]


def _said(row: dict) -> list[str]:
    said = ["owner" if row["owner"] else row["role"]]
    said += [f"groups: {', '.join(row['groups'])}"] if row["groups"] else []
    said += [f"files: {', '.join(row['files'])}"] if row["files"] is not None else []
    return said if row["has_password"] else [*said, "no password yet"]
