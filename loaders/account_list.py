"""The owner's list of accounts: add one, change its role, remove it. Every change ends its sessions and tokens.

Whoever is added gets a sign-in link to choose a password with, so nobody has to know somebody else's.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path

from loaders import accounts, roles, shares, tokens
from loaders.accounts import Refused


def listed(folder: Path) -> list[dict]:
    """Every account without its secrets: `name`, `owner`, `role`, `groups`, `files`, `has_password`."""
    found = []
    for row in accounts.accounts(folder):
        actor = accounts.actor(row)
        kept = {key: actor[key] for key in ("owner", "role", "groups", "files")}
        found.append({"name": row["name"], **kept, "has_password": bool(row["hash"])})
    return found


def add(folder: Path, name: str, role: str, groups: Iterable[str] = (), files: Iterable[str] = ()) -> dict:
    """A new account without a password; the owner's is made first where there is none. Raises Refused."""
    accounts.check_name(name)
    fields = given(role, groups, files)
    if not any(row.get("owner") for row in accounts.accounts(folder)):
        accounts.make_owner(folder, accounts.FIRST_NAME)

    def added(rows: list[dict]) -> dict:
        if any(row["name"].lower() == name.lower() for row in rows):
            raise Refused("This user name is taken.")
        # `ended`: no cookie counts for it that was not made by signing in here.
        row = {"name": name, "owner": False, "hash": None, "epoch": secrets.token_hex(8), "ended": True, **fields}
        rows.append(row)
        return row

    found = accounts.changed(folder, added)
    _end_tokens(folder, name)  # of somebody of this name before
    return found


def set_role(folder: Path, name: str, role: str, groups: Iterable[str] = (), files: Iterable[str] = ()) -> dict:
    """Give an account another role, with its groups and files. Raises Refused for the owner's."""
    fields = given(role, groups, files)

    def changed(rows: list[dict]) -> dict:
        row = not_the_owners(rows, name)
        for key in ("groups", "files"):
            row.pop(key, None)
        return accounts.ended(row, **fields)

    return _and_end_tokens(folder, accounts.changed(folder, changed))


def set_password(folder: Path, name: str, password: str) -> dict:
    """Give an account this password. Raises Refused with a sentence."""
    return _and_end_tokens(folder, accounts.set_password(folder, name, name, password))


def link(folder: Path, name: str) -> str:
    """A token that signs this account in once, to choose a password; the owner's own comes from `coursette serve`."""
    not_the_owners(accounts.accounts(folder), name)
    return accounts.make_link(folder, name=name)


def remove(folder: Path, name: str) -> dict:
    """Take an account away, with its sessions, tokens, open links and shares. Raises Refused for the owner's."""

    def removed(rows: list[dict]) -> dict:
        row = not_the_owners(rows, name)
        rows.remove(row)
        return row

    found = accounts.changed(folder, removed)
    accounts.end_links(folder, [name])
    shares.forget_account(folder, name)
    return _and_end_tokens(folder, found)


def given(role: str, groups: Iterable[str], files: Iterable[str]) -> dict:
    """`role`, `groups` and `files` as accounts.json keeps them; raises Refused where they do not fit."""
    groups, files = _words(groups), [file.removesuffix(".db") for file in _words(files)]
    if role not in roles.ROLES:
        raise Refused(f"A role is {', '.join(roles.ROLES)}.")
    if role == roles.TUTOR and not groups:
        raise Refused("A tutor sees the students of her groups: say which.")
    if role != roles.TUTOR and groups:
        raise Refused("Only a tutor has groups.")
    return {"role": role} | ({"groups": groups} if groups else {}) | ({"files": files} if files else {})


def not_the_owners(rows: list[dict], name: str) -> dict:
    """The row of this name. Raises Refused for one that is not there, and for the owner's."""
    row = next((row for row in rows if row["name"] == name), None)
    if row is None:
        raise Refused(f"There is no account called {name}.")
    if row.get("owner"):
        raise Refused("The owner of this instance keeps her account and sees everything; it cannot be taken from her.")
    return row


def _words(given: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(word.strip() for word in given if word.strip()))


def _and_end_tokens(folder: Path, account: dict) -> dict:
    _end_tokens(folder, account["name"])
    return account


def _end_tokens(folder: Path, name: str) -> None:
    try:
        tokens.revoke_all(folder, name)
    except tokens.Refused as refused:
        raise Refused(str(refused)) from refused
