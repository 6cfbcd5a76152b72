"""Tokens of the page script: who may ask what, of which courses, from which Moodle.

private/tokens.json   what is known of every token (0600); the tokens themselves are kept nowhere
private/token-key     signs them (0600), made once: tokens outlive a restart, under plain `datasette .` too

A token is its record's id, signed. So it can be shown again to whom it belongs, and a record that is revoked ends it.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock
from itsdangerous import BadSignature, URLSafeSerializer

from loaders import accounts

RIGHTS = ("read", "refresh")  # to ask for numbers and names; the same, and to hand files of its courses in
LASTS_S = 26 * 7 * 24 * 3600
KEPT_S = 90 * 24 * 3600  # how long one that ended stays on the list
PAGE_SCRIPT = "page script"  # what the install page makes for the bookmarklet and the userscript
LONGEST = 500
EXTENSIONS = ("chrome-extension://", "moz-extension://", "safari-web-extension://")
FIELDS = {"id", "user", "name", "right", "courses", "made", "expires", "revoked"}
BROKEN = "The list of tokens, tokens.json in the private folder, is broken: put back a copy or delete it."
_PREFIX = "coursette_"
_SITE = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?", re.IGNORECASE)
_PORTS = {"http": 80, "https": 443}


class Refused(Exception):
    """A token does not count (any longer), or cannot be made; the message is a sentence for its owner."""


def make(folder: Path, user: str, courses: list[dict], name: str = "", right: str = "read") -> dict:
    """A new token's record, bound to an account and to `courses`: [{"site": address or None, "course": Moodle's id}].

    Raises Refused for no course, a right that does not exist, and a site that is no web address.
    """
    if right not in RIGHTS:
        raise Refused(f"A token's right is {' or '.join(RIGHTS)}.")
    if not courses:
        raise Refused("There is no course to make a token for: load something of it first.")
    now = int(time.time())
    record = {
        "id": secrets.token_urlsafe(12),
        "user": user,
        "name": name.strip()[:80] or PAGE_SCRIPT,
        "right": right,
        "courses": [bound(each) for each in courses],
        "made": now,
        "expires": now + LASTS_S,
        "revoked": None,
    }
    with _alone(folder):
        kept = [row for row in records(folder) if min(row["revoked"] or now, row["expires"]) > now - KEPT_S]
        _save(folder, [*kept, record])
    return record


def bound(course: dict) -> dict:
    """One course of a token: its Moodle's address without the last slash (None: not known) and its id there."""
    site = course["site"] and course["site"].rstrip("/")
    if site and not is_site(site):
        raise Refused(f"{site} is no address of a Moodle: it begins with https:// or http://.")
    return {"site": site or None, "course": course["course"]}


def is_site(site: str) -> bool:
    """Whether this can be the address of a Moodle: what has no origin would break every later call."""
    try:
        return bool(_SITE.fullmatch(site) and origin_of(site))
    except ValueError:  # a port above 65535, half an IPv6 address
        return False


def text(folder: Path, record: dict) -> str:
    """The token itself."""
    return _PREFIX + _signer(folder).dumps(record["id"])


def check(folder: Path, given: str) -> dict:
    """The record of a token that counts. Raises Refused with a sentence."""
    try:
        if len(given) > LONGEST or not given.startswith(_PREFIX):
            raise BadSignature("not one of ours")
        found = record_of(folder, _signer(folder).loads(given.removeprefix(_PREFIX)))
    except (BadSignature, ValueError, RecursionError):
        found = None
    if found is None:
        raise Refused("This token is not one of this server's.")
    if found["revoked"]:
        raise Refused("This token was revoked.")
    if found["expires"] <= time.time():
        raise Refused("This token has ended.")
    return found


def records(folder: Path) -> list[dict]:
    """Every record, oldest first. Raises Refused where the file is broken: nobody may guess who was let in."""
    path = folder / "tokens.json"
    try:
        rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    except (OSError, ValueError, RecursionError):
        raise Refused(BROKEN) from None
    if not (isinstance(rows, list) and all(isinstance(row, dict) and row.keys() >= FIELDS for row in rows)):
        raise Refused(BROKEN)
    return rows


def record_of(folder: Path, token_id: str) -> dict | None:
    """The record with this id."""
    return next((row for row in records(folder) if row["id"] == token_id), None)


def of_user(folder: Path, user: str) -> list[dict]:
    """The records of one account, newest first, with `counts`: whether it still does."""
    now = time.time()
    mine = [row for row in reversed(records(folder)) if row["user"] == user]
    return [{**row, "counts": not row["revoked"] and row["expires"] > now} for row in mine]


def revoke(folder: Path, user: str, token_id: str) -> bool:
    """End a token of this account; False where it has no such token."""
    return _change(folder, user, token_id, lambda row: row.update(revoked=row["revoked"] or int(time.time())))


def revoke_all(folder: Path, user: str) -> None:
    """End every token of this account."""
    for row in of_user(folder, user):
        if row["counts"]:
            revoke(folder, user, row["id"])


def bind(folder: Path, user: str, token_id: str, courses: list[dict]) -> bool:
    """Let a token of this account read these courses and no others."""
    wanted = [bound(each) for each in courses]
    return _change(folder, user, token_id, lambda row: row.update(courses=wanted))


def origin_of(site: str) -> str:
    """`https://moodle.example.edu` for `https://Moodle.example.edu:443/lms`, as a browser writes it."""
    parts = urlsplit(site)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = f":{parts.port}" if parts.port and parts.port != _PORTS.get(parts.scheme) else ""
    return f"{parts.scheme.lower()}://{host}{port}"


def origins(record: dict) -> set[str]:
    """Where pages may use the token from, as far as it is known."""
    return {origin_of(course["site"]) for course in record["courses"] if course["site"]}


def comes_from(record: dict, origin: str | None) -> bool:
    """Whether a request with this Origin may use the token: a page of its Moodles, an extension, or no page at all."""
    return origin is None or origin in origins(record) or origin.startswith(EXTENSIONS)


def covers(record: dict, origin: str | None, site: str | None, course: int | None) -> bool:
    """Whether the token is for this course, asked for by a page of that very Moodle (or by no page)."""
    for each in record["courses"]:
        same = each["course"] == course and (not site or not each["site"] or each["site"] == site.rstrip("/"))
        at_home = (
            origin is None or origin.startswith(EXTENSIONS) or (each["site"] and origin_of(each["site"]) == origin)
        )
        if same and at_home:
            return True
    return False


def may_refresh(record: dict | None) -> bool:
    """Whether a token may also hand files in."""
    return bool(record) and record["right"] == "refresh"


def _change(folder: Path, user: str, token_id: str, change) -> bool:
    with _alone(folder):
        rows = records(folder)
        mine = [row for row in rows if row["id"] == token_id and row["user"] == user]
        for row in mine:
            change(row)
        if mine:
            _save(folder, rows)
    return bool(mine)


def _alone(folder: Path) -> FileLock:
    """Held while the records are read and changed: a server and `coursette token` may do so at once."""
    return FileLock(folder / "tokens.lock", timeout=10, mode=0o600)


def _save(folder: Path, rows: list[dict]) -> None:
    accounts.write_private(folder / "tokens.json", json.dumps(rows, indent=2))


def _signer(folder: Path) -> URLSafeSerializer:
    try:
        return URLSafeSerializer(accounts.key(folder, "token-key"), salt="coursette token")
    except accounts.Refused as refused:
        raise Refused(str(refused)) from refused
