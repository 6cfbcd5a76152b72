"""Who may sign in: accounts, one-time links and the signing key, in a folder that is never served.

private/            mode 0700, beside the database unless COURSETTE_PRIVATE or --private says otherwise
  accounts.json     names, roles (roles.py), password hashes and epochs (0600); a session ends when its account's epoch
                    changes; whoever changes it holds accounts.lock
  links/            one file per open sign-in link, named by the hash of its token (0600)
  key               signs cookies, so that sessions outlive a restart (0600)
  tokens.json, token-key, tokens.lock   tokens of the page script (tokens.py)
  audit.db          who looked up whom, when (look_ups.py); its owner may ask it questions (0600)
  notes.db          the owner's notes on students (notes.py), on their pages only and never served (0600)
  shares.db         which questions the teacher shares with whom (shares.py), never served (0600)
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from datasette_auth_passwords.utils import hash_password, verify_password
from filelock import FileLock

FIRST_NAME = "teacher"
ROOT = "root"  # who `datasette --root` signs in, without an account
LINK_LASTS_S = 3600
HANDED_OVER_LASTS_S = 3 * 24 * 3600  # a link for somebody else, who has to find it in her mail
SHORTEST_PASSWORD = 10
SHORTEST_KEY = 32
_NAME = re.compile(r"[a-z][a-z0-9._@-]{0,63}", re.IGNORECASE)


class Refused(Exception):
    """A name or password cannot be taken; the message is a sentence for the visitor."""


def private_folder(databases: list[Path], chosen: str | Path | None = None) -> Path:
    """The private folder, made when not there: as chosen, as COURSETTE_PRIVATE says, or by the first file."""
    chosen = chosen or os.environ.get("COURSETTE_PRIVATE")
    beside = Path(databases[0]).resolve().parent if databases else Path.cwd()
    folder = Path(chosen) if chosen else beside / "private"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not chosen:  # a folder that somebody chose may be there for other things too
        folder.chmod(0o700)
    return folder


def signing_key(folder: Path) -> str:
    """The key that signs cookies, made the first time."""
    return key(folder, "key")


def key(folder: Path, name: str) -> str:
    """A secret of this instance, made the first time; of two processes that make it at once, one wins for both.

    Raises Refused for a file that was damaged: anybody could sign with an empty key.
    """
    path = folder / name
    if not path.exists():
        fresh = folder / f".{name}-{secrets.token_hex(8)}"
        write_private(fresh, secrets.token_hex(32))
        try:
            os.link(fresh, path)  # unlike a rename, this never replaces one that is there by now
        except FileExistsError:
            pass
        except OSError:  # no links on this disk
            fresh.replace(path)
        fresh.unlink(missing_ok=True)
    secret = path.read_text(encoding="ascii", errors="replace").strip()
    if len(secret) < SHORTEST_KEY:
        raise Refused(f"The file {name} in the private folder is damaged: put back a copy, or delete it to start anew.")
    return secret


def accounts(folder: Path) -> list[dict]:
    """Every account: `name`, `owner` (True for the teacher this is for), `hash` (None: no password yet), `epoch`.

    Perhaps `role` (missing: teacher), `groups` (of a tutor: their names, or Moodle's ids as text) and `files` (names of
    the databases she may see; missing: all).
    """
    path = folder / "accounts.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []


def actor(account: dict) -> dict:
    """What Datasette knows of somebody signed in with this account."""
    if "actor" in account:  # configured elsewhere, in its own words
        return account["actor"]
    owner = bool(account.get("owner"))
    return {
        "id": account["name"],
        "owner": owner,
        "role": "teacher" if owner else account.get("role", "teacher"),
        "groups": account.get("groups") or [],
        "files": None if owner else account.get("files"),
    }


def make_link(folder: Path, now: float | None = None, name: str = "") -> str:
    """A token that signs the owner in once, within the hour, or the account `name`, within three days.

    It ends the ones before for the same account. Only its hash is kept.
    """
    links = folder / "links"
    links.mkdir(mode=0o700, exist_ok=True)
    end_links(folder, [name])
    token = secrets.token_urlsafe(32)
    lasts_s = HANDED_OVER_LASTS_S if name else LINK_LASTS_S
    write_private(links / _digest(token), f"{int((time.time() if now is None else now) + lasts_s)} {name}")
    return token


def end_links(folder: Path, names: Iterable[str]) -> None:
    """End the open links of these accounts; the owner's have no name."""
    for path in (folder / "links").glob("*"):
        if _link(path)[1] in names:
            path.unlink(missing_ok=True)


def link_of(folder: Path, token: str, now: float | None = None) -> str | None:
    """Whom a good token signs in ("" for the owner), without using it up; None for any other."""
    expires, name = _link(folder / "links" / _digest(token))
    return name if expires >= (time.time() if now is None else now) else None


def redeem_link(folder: Path, token: str, now: float | None = None) -> dict | None:
    """The account of a good token, the owner's made when there is none; None for any other. Works once."""
    name = link_of(folder, token, now)
    try:
        (folder / "links" / _digest(token)).unlink()  # whoever removes the file has the link: never two
    except FileNotFoundError:
        return None
    if name:
        return next((row for row in accounts(folder) if row["name"] == name), None)
    return None if name is None else _owner(folder)


def configured(settings: dict | None) -> list[dict]:
    """Accounts in datasette-auth-passwords' own settings: `NAME_password_hash` (best an `$env`), and `actors`."""
    settings = settings or {}
    actors = settings.get("actors") or {}
    ending = "_password_hash"
    hashes = {key.removesuffix(ending): value for key, value in settings.items() if key.endswith(ending)}
    return [{"name": name, "hash": value, "actor": actors.get(name) or {"id": name}} for name, value in hashes.items()]


def epoch(account: dict) -> str:
    """What sessions of this account carry: changed, they end. A configured account's comes from its hash."""
    return account.get("epoch") or _digest(f"epoch of {account['hash']}")[:16]


def still_open(session: dict, known: list[dict]) -> bool:
    """Whether a session (see web.session) counts: its account is there, and its epoch is still the same.

    One without an epoch was not made by signing in here, but by Datasette's own root token or by something else
    that holds the signing key. It counts for root, for an account whose sessions were never ended, and where nobody
    has an account.
    """
    given = session.get("epoch")
    if given is None:
        name = session["a"].get("id")
        lasting = [row["name"] for row in known if "epoch" in row and not row.get("ended")]
        return name == ROOT or name in lasting or not known
    mine = [row for row in known if row["name"] == session.get("account")]
    return any(hmac.compare_digest(epoch(row), str(given)) for row in mine)


def check_password(known: list[dict], name: str, password: str) -> dict | None:
    """The account if name and password fit. Takes as long (about 0.2 s) for a name that does not exist."""
    found = next((row for row in known if row["name"] == name and row["hash"]), None)
    fits = verify_password(password, found["hash"] if found else _NOBODY)
    return found if found and fits else None


# The hash of a password that nobody knows, in the form and with the cost of a real one.
_NOBODY = f"pbkdf2_sha256$480000${'0' * 32}${'A' * 43}="


def set_password(folder: Path, name: str, new_name: str, password: str) -> dict:
    """Give the account called `name` a (perhaps new) name and a password, and end its sessions.

    Raises Refused with a sentence.
    """
    check_name(new_name)
    if len(password) < SHORTEST_PASSWORD:
        raise Refused(f"A password has at least {SHORTEST_PASSWORD} characters; a few words are easy to keep.")
    hashed = hash_password(password)  # takes a while: nobody else waits for it

    def chosen(rows: list[dict]) -> dict:
        if any(row["name"] == new_name != name for row in rows):
            raise Refused("This user name is taken.")
        return ended(named(rows, name), name=new_name, hash=hashed)

    return changed(folder, chosen)


def check_name(name: str) -> None:
    """Raises Refused for what is no name of an account."""
    if not _NAME.fullmatch(name):
        raise Refused("A user name starts with a letter and has only letters, digits and . _ @ - in it.")
    if name == ROOT:
        raise Refused("This user name is Datasette's own.")


def end_sessions(folder: Path, name: str) -> dict:
    """Sign this account out wherever it is signed in. Raises Refused with a sentence."""
    return changed(folder, lambda rows: ended(named(rows, name)))


def changed(folder: Path, change: Callable[[list[dict]], dict]) -> dict:
    """What `change` makes of the rows, kept; returns its answer. A server and `coursette account` may do so at once."""
    with FileLock(folder / "accounts.lock", timeout=10, mode=0o600):
        rows = accounts(folder)
        found = change(rows)
        write_private(folder / "accounts.json", json.dumps(rows, indent=2))
    return found


def named(rows: list[dict], name: str) -> dict:
    """The row of this name. Raises Refused where there is none."""
    account = next((row for row in rows if row["name"] == name), None)
    if account is None:
        raise Refused(
            "This account is not kept here: open a new sign-in link from `coursette serve`, or change the password "
            "where the account is configured."
        )
    return account


def ended(account: dict, **fields: object) -> dict:
    """The row with these fields and none of its sessions."""
    account.update(**fields, epoch=secrets.token_hex(8), ended=True)
    return account


def _owner(folder: Path) -> dict:
    owner = next((row for row in accounts(folder) if row.get("owner")), None)
    return owner or make_owner(folder, FIRST_NAME)


def make_owner(folder: Path, name: str) -> dict:
    """The account of whose instance this is, without a password yet. Raises Refused for an odd name."""
    check_name(name)

    def first(rows: list[dict]) -> dict:
        found = next((row for row in rows if row.get("owner")), None)  # two links may be opened at once
        if not found:
            rows.append(found := {"name": name, "owner": True, "hash": None, "epoch": secrets.token_hex(8)})
        return found

    return changed(folder, first)


def _link(path: Path) -> tuple[float, str]:
    """(when it ends, whom it signs in) of a link; one that is not there ended long ago."""
    try:
        expires, _, name = path.read_text(encoding="ascii").partition(" ")
        return float(expires), name.strip()
    except (FileNotFoundError, ValueError):
        return 0.0, ""


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def write_private(path: Path, text: str) -> None:
    """Replace a file whole, readable by its owner only from the first moment."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).replace(path)
