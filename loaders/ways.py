"""The ways into a Moodle: a token for its web services, a browser's session for what no web service gives.

In this order: as said on the command line or asked for, as the environment has it, as kept by `coursette login`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

import click

from loaders import moodle_secrets
from loaders.errors import Unreadable
from loaders.moodle import Moodle
from loaders.moodle_errors import MoodleError, TokenRefused

ASK = "?"  # an option given without its value: ask for it, so that it stays out of the shell's history
WANTED = (
    "gradereport_user_get_grade_items", "core_completion_get_activities_completion_status",
    "core_enrol_get_enrolled_users", "core_course_get_contents", "mod_forum_get_discussion_posts",
)  # fmt: skip
NO_WAY = (
    "{site} gives nothing to strangers: get a token with `coursette login {site}`, or lend your browser's session"
    " with --session-cookie; `coursette pull --help` explains both"
)


@dataclass
class Secrets:
    """What the teacher said; nothing of it is ever printed."""

    token: str | None = field(default=None, repr=False)
    session_cookie: str | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def asked(cls, token: str | None, session_cookie: str | None, username: str | None, stdin: bool) -> Secrets:
        """The options of a command, with what they leave to be typed."""
        token = _typed("Token", token)
        cookie = _typed("Session cookie (the value of MoodleSession)", session_cookie)
        password = None
        if username:
            password = sys.stdin.readline().rstrip("\r\n") if stdin else click.prompt("Password", hide_input=True)
        return cls(token, cookie, username, password)

    def given(self) -> bool:
        """Whether anything was said."""
        return bool(self.token or self.session_cookie or self.username)


def _typed(what: str, given: str | None) -> str | None:
    return click.prompt(what, hide_input=True).strip() if given == ASK else given


def find(site: str, folder: Path, secrets: Secrets) -> tuple[str | None, str | None]:
    """(token, session cookie) for a site. Raises Unreadable where there is neither, nor a name to sign in with."""
    token = secrets.token or moodle_secrets.kept(folder, site, "token")
    cookie = secrets.session_cookie or moodle_secrets.kept(folder, site, "session")
    if not token and not cookie and not secrets.username:
        raise Unreadable(NO_WAY.format(site=site))
    return token, cookie


async def sign_in(moodle: Moodle, secrets: Secrets) -> tuple[str | None, bool]:
    """(a token, whether there is a session now) by user name and password; the session is nobody else's."""
    try:
        token = await moodle.get_token(secrets.username, secrets.password)
    except TokenRefused:
        token = None  # web services may be off while the form works; the form says what is wrong with a password
    await moodle.log_in(secrets.username, secrets.password)
    return token, True


async def introduce(site: str, secrets: Secrets) -> tuple[list[str], dict[str, str]]:
    """Try the ways that were given: (sentences for the teacher, what may be kept by kind). Raises MoodleError."""
    said: list[str] = []
    good: dict[str, str] = {}
    async with Moodle(site, token=secrets.token, session_cookie=secrets.session_cookie) as moodle:
        token = secrets.token
        if secrets.username:
            token = await moodle.get_token(secrets.username, secrets.password)
        if token:
            said += await _try_token(moodle)
            good["token"] = token
        if secrets.session_cookie:
            viewer = await moodle.check_session()
            said.append(f"The session works (user {viewer.user_id}); it ends when Moodle ends it.")
            good["session"] = secrets.session_cookie
    return said, good


async def _try_token(moodle: Moodle) -> list[str]:
    info = await moodle.call("core_webservice_get_site_info")
    if not isinstance(info, dict) or not isinstance(info.get("functions"), list):
        raise MoodleError("Moodle does not say what this token may ask: it may be no Moodle's answer")
    offered = {one.get("name") for one in info["functions"] if isinstance(one, dict)}
    said = [f"The token works: {info.get('fullname')} on {info.get('sitename')}, Moodle {info.get('release')}."]
    if missing := [name for name in WANTED if name not in offered]:
        said.append(f"Its service lacks {', '.join(missing)}: what these give will be missing.")
    return said
