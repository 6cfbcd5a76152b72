"""What can go wrong between Coursette and a running Moodle: one sentence each, and no secret in any."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from loaders.errors import Unreadable


class MoodleError(Unreadable):
    """Moodle could not be asked, or answered with something else than was asked for."""


class NotAllowed(MoodleError):
    """This account or this token may not have that; everything else goes on."""


class TokenRefused(MoodleError):
    """The token is not, or no longer, good."""


class SessionExpired(MoodleError):
    """The browser's session that was lent has ended."""


class WrongFormat(MoodleError):
    """Moodle gave a page in place of the download: it knows the report under another address."""


class Away(MoodleError):
    """Moodle cannot be reached, or says that it is busy; `wait_s`: when it wants to be asked again."""

    def __init__(self, sentence: str, wait_s: float | None = None):
        super().__init__(sentence)
        self.wait_s = wait_s


TOKEN = (
    "Moodle does not accept this token (any longer): get a new one with `coursette login URL`, or copy it again from"
    " Moodle: Preferences, Security keys"
)
EXPIRED = "Moodle asked to sign in: the session has ended; sign in to Moodle in your browser and lend its session anew"
MAINTENANCE = "this Moodle is in maintenance: try again when it is back"
SERVICES_OFF = "this Moodle has its web services for the mobile app switched off: use a session (--session-cookie)"
# Moodle's error codes -> what they mean here. They are the same in every language; the messages are not.
CODES: dict[str, tuple[type[MoodleError], str]] = {
    "invalidtoken": (TokenRefused, TOKEN),
    "accesstokenexpired": (TokenRefused, TOKEN),
    "invalidtimedtoken": (TokenRefused, TOKEN),
    "usernotconfirmed": (TokenRefused, "this account is not confirmed yet: open Moodle in the browser once"),
    "forcepasswordchangenotice": (TokenRefused, "Moodle wants you to change your password first: do so in the browser"),
    "sitepolicynotagreed": (TokenRefused, "Moodle wants you to agree to the site's policies first: do so in a browser"),
    "policynotagreed": (TokenRefused, "Moodle wants you to agree to the site's policies first: do so in a browser"),
    "accessexception": (NotAllowed, "the token's service does not offer it"),
    "webservicesnotenabled": (TokenRefused, SERVICES_OFF),
    "enablewsdescription": (TokenRefused, SERVICES_OFF),
    "servicenotavailable": (TokenRefused, SERVICES_OFF),
    "nopermissions": (NotAllowed, "your role in Moodle does not allow it"),
    "nopermission": (NotAllowed, "your role in Moodle does not allow it"),
    "requireloginerror": (NotAllowed, "you are not in this course, or it is hidden from you"),
    "errorcoursecontextnotvalid": (NotAllowed, "you are not in this course, or it is hidden from you"),
    "coursehidden": (NotAllowed, "this course is hidden from you"),
    "invalidrecord": (NotAllowed, "Moodle does not know it (any longer)"),
    "invalidrecordunknown": (NotAllowed, "Moodle does not know it (any longer)"),
    "invaliduser": (NotAllowed, "Moodle does not know this person (any longer)"),
    "sitemaintenance": (Away, MAINTENANCE),
    "upgraderunning": (Away, "this Moodle is being upgraded: try again later"),
    "invalidlogin": (TokenRefused, "Moodle does not accept this user name and password"),
}


def refusal(answer: Any) -> MoodleError | None:
    """The error inside an answer of status 200, if it is one.

    {"exception": "core\\\\exception\\\\moodle_exception", "errorcode": "invalidtoken", "message": "..."}
    """
    if not isinstance(answer, dict) or "errorcode" not in answer or not ("exception" in answer or "error" in answer):
        return None
    code = str(answer["errorcode"])
    if code in CODES:
        kind, sentence = CODES[code]
        return kind(sentence)
    words = " ".join(unescape(str(answer.get("message") or answer.get("error") or "")).split())[:200]
    return NotAllowed(f"Moodle says “{words or code}”")


# Of the page's own markup, not its words: a course may well speak of maintenance mode.
_LOGIN = re.compile(rb"<body[^>]*page-login|name=[\"'](logintoken|password)[\"']", re.I)
_MAINTENANCE = re.compile(rb"<body[^>]*maintenance|<title>[^<]*maintenance mode", re.I)
_TITLE = re.compile(rb"errormessage[^>]*>\s*([^<]{3,300})", re.I)


def page_error(status: int, head: bytes, expect: str) -> MoodleError | None:
    """What is wrong with a page that came in place of a download, or None where a page was asked for and came."""
    if _MAINTENANCE.search(head):
        return Away(MAINTENANCE)
    if _LOGIN.search(head):
        return SessionExpired(EXPIRED)
    found = _TITLE.search(head)
    words = " ".join(found[1].decode("utf-8", "replace").split())[:200] if found else ""
    if status in (403, 404) or words:
        return NotAllowed(f"Moodle does not give it to you ({words or f'status {status}'})")
    if expect != "html":
        return WrongFormat("Moodle gave a web page in place of the file")
    return None
