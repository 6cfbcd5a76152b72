"""Tokens and sessions that the teacher wants kept: in the system's keyring, else in a file of her own (0600).

Never in the database, never on a command's output.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import keyring
from filelock import FileLock
from keyring.backends import fail, null
from keyring.errors import KeyringError

SERVICE = "coursette"
KINDS = ("token", "session")
FILE = "moodle-secrets.json"


def keep(folder: Path, site: str, kind: str, secret: str) -> str:
    """Keep a secret of a site; returns where, in words."""
    if _has_keyring():
        try:
            keyring.set_password(SERVICE, f"{kind} {site}", secret)
            return "the system's keyring"
        except KeyringError:
            pass
    with _alone(folder):
        known = _read(folder)
        known[f"{kind} {site}"] = secret
        _write(folder, known)
    return f"{folder / FILE}, which only you can read"


def kept(folder: Path, site: str, kind: str) -> str | None:
    """A secret that was kept, or None."""
    if _has_keyring():
        try:
            if secret := keyring.get_password(SERVICE, f"{kind} {site}"):
                return secret
        except KeyringError:
            pass
    secret = _read(folder).get(f"{kind} {site}")
    return secret if isinstance(secret, str) else None


def drop(folder: Path, site: str) -> int:
    """Forget everything kept of a site; returns how many secrets that were."""
    gone = 0
    for kind in KINDS:
        if _has_keyring():
            try:
                keyring.delete_password(SERVICE, f"{kind} {site}")
                gone += 1
            except KeyringError:
                pass
    with _alone(folder):
        known = _read(folder)
        left = {name: secret for name, secret in known.items() if name.partition(" ")[2] != site}
        if left != known:
            _write(folder, left)
    return gone + len(known) - len(left)


def _has_keyring() -> bool:
    return not isinstance(keyring.get_keyring(), (fail.Keyring, null.Keyring))


def _alone(folder: Path) -> FileLock:
    return FileLock(folder / f"{FILE}.lock", timeout=30)


def _read(folder: Path) -> dict:
    try:
        known = json.loads((folder / FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write(folder: Path, known: dict) -> None:
    fresh = folder / f".{FILE}.new"
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
        json.dump(known, stream)
    fresh.replace(folder / FILE)
