"""A session and a token of a running Moodle: signing in by its form, and who is signed in.

M.cfg = {"wwwroot":"https:\\/\\/moodle.example.edu","sesskey":"x7…","userId":3,"usertimezone":"Australia\\/Brisbane"…}
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from selectolax.lexbor import LexborHTMLParser

from loaders.moodle_errors import MoodleError, SessionExpired, page_error
from loaders.moodle_replies import target

QUIET_PAGE = "/user/preferences.php"  # a page whose opening Moodle does not log
SERVICE = "moodle_mobile_app"
SINGLE_SIGN_ON = (
    "this Moodle signs in through your institution: lend your browser's session (--session-cookie), or copy a token"
    " from Moodle: Preferences, Security keys"
)
WRONG = "Moodle does not accept this user name and password"
FIRST = {
    "change_password.php": "Moodle wants you to change your password first: do so in the browser",
    "policy.php": "Moodle wants you to agree to the site's policies first: do so in the browser",
    "edit.php": "Moodle wants you to complete your profile first: do so in the browser",
}
_CONFIG = re.compile(r"M\.cfg\s*=\s*(?=\{)")


@dataclass(frozen=True)
class Viewer:
    """Who a session belongs to, as Moodle's own pages say."""

    user_id: int
    timezone: str | None
    language: str | None
    sesskey: str = field(repr=False)


class SessionWays:
    """What of `Moodle` is about sessions and tokens."""

    async def check_session(self) -> Viewer:
        """Who is signed in; opens a page that leaves no line in the log. Raises SessionExpired."""
        status, html, _ = await self._read_page("GET", QUIET_PAGE, {})
        if error := page_error(status, html.encode()[:65_536], "html"):
            raise error
        config = config_of(html)
        user, key = str(config.get("userId")), config.get("sesskey")
        if not re.fullmatch(r"[1-9]\d{0,17}", user, re.ASCII) or not (isinstance(key, str) and key):
            raise SessionExpired("this page shows nobody signed in: lend your browser's session anew")
        language = re.search(r'<html[^<>]{0,500}\slang="([\w-]{2,20})"', html[:65_536])
        zone = config.get("usertimezone")
        return Viewer(int(user), zone if isinstance(zone, str) else None, language and language[1], key)

    async def log_in(self, username: str, password: str) -> Viewer:
        """Sign in by Moodle's own form; the session is this object's alone. Raises MoodleError."""
        self._client.cookies.clear()  # an old session beside the new one would be taken for it
        _, html, _ = await self._read_page("GET", "/login/index.php", {}, login=True)
        form = LexborHTMLParser(html).css_first('form[action*="/login/index.php"] input[name="password"]')
        if form is None:
            raise MoodleError(SINGLE_SIGN_ON)
        token = LexborHTMLParser(html).css_first('input[name="logintoken"]')
        fields = {"username": username, "password": password, "anchor": ""}
        if token is not None:
            fields["logintoken"] = token.attributes.get("value") or ""
        _, _, location = await self._read_page("POST", "/login/index.php", {"data": fields}, login=True)
        self._refuse_login(location)
        return await self.check_session()

    def _refuse_login(self, location: str | None) -> None:
        parts = urlsplit(location or "")
        page = parts.path.rpartition("/")[2]
        if location is None or (page == "index.php" and "/login/" in parts.path and "testsession" not in
                                parse_qs(parts.query)):  # fmt: skip
            raise MoodleError(WRONG)
        if page in FIRST:
            raise MoodleError(FIRST[page])

    async def get_token(self, username: str, password: str) -> str:
        """A token of the mobile app's web service. Raises MoodleError."""
        answer = await self._json("/login/token.php", {"username": username, "password": password, "service": SERVICE})
        if not isinstance(answer, dict) or not isinstance(answer.get("token"), str):
            raise MoodleError("Moodle gave no token: ask its support whether the mobile app may be used")
        self._token = answer["token"]
        return self._token

    async def _read_page(
        self, method: str, path: str, values: dict, login: bool = False
    ) -> tuple[int, str, str | None]:
        """(status, page, where it sends on). `login`: a redirect is read, not followed, and a login page no error."""

        async def once() -> tuple[int, str, str | None]:
            if not login:
                async with self._page(method, path, values) as response:
                    return response.status_code, (await self._body(response)).decode("utf-8", "replace"), None
            async with self._client.stream(method, self.site + path, **values) as response:
                self._busy(response)
                to = target(response) if response.has_redirect_location else None
                if to and not self._inside(to):
                    raise MoodleError(SINGLE_SIGN_ON) if method == "GET" else self._moved(to)
                html = (await self._body(response)).decode("utf-8", "replace")
                return response.status_code, html, to and str(to)

        return await self._tried(once, self.limits.answer_s)


def config_of(html: str) -> dict[str, Any]:
    """What a page of Moodle says of itself in M.cfg; {} where it says nothing."""
    found = _CONFIG.search(html)
    try:
        config, _ = json.JSONDecoder().raw_decode(html, found.end()) if found else ({}, 0)
    except (ValueError, RecursionError):
        return {}
    return config if isinstance(config, dict) else {}
