"""The address of a Moodle and of a course, out of the address of any of its pages."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, parse_qs, urlsplit

from loaders.errors import Unreadable

NO_ADDRESS = "{} is no web address: give one such as https://moodle.example.edu"
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_PAGE = re.compile(r"/(course|user|mod|report|grade|my|login|group|enrol|blog|calendar|message)(/.*)?$")
_COOKIE = re.compile(r"(?:([A-Za-z0-9_]+)=)?([A-Za-z0-9,%~._-]{1,500})")
NO_COOKIE = "this is not one session cookie: copy the value of MoodleSession, or NAME=value, and nothing around it"


def course_address(address: str) -> tuple[str, int]:
    """(the Moodle's address, Moodle's id of the course) of a page of a course. Raises Unreadable."""
    parts = _split(address)
    query = parse_qs(parts.query)
    course = next((query[key][0] for key in ("course", "courseid", "id") if key in query), "")
    if not course.isdecimal() or not parts.netloc or ("/course/" not in parts.path and "course" not in parts.query):
        raise Unreadable(
            f"{_shown(address)} is not the address of a course: open the course in Moodle and copy the address of its"
            " page, such as https://moodle.example.edu/course/view.php?id=2"
        )
    if int(course) == 1:
        raise Unreadable("this is the front page of the Moodle: open your course and copy the address of its page")
    return site_address(address), int(course)


def site_address(address: str) -> str:
    """A Moodle's address, out of the address of any of its pages. Raises Unreadable for what is none."""
    parts = _split(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise Unreadable(NO_ADDRESS.format(_shown(address)))
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise Unreadable(
            f"{parts.hostname} is asked over http, where anybody on the way could read along: give its https address"
        )
    path = _PAGE.sub("", parts.path).removesuffix("index.php")
    return f"{parts.scheme}://{parts.netloc.lower()}{path.rstrip('/')}"


def cookie_pair(text: str) -> tuple[str, str]:
    """(name, value) of a session cookie: the bare value of MoodleSession, or NAME=value. Raises Unreadable."""
    found = _COOKIE.fullmatch(text.strip())
    if found is None:
        raise Unreadable(NO_COOKIE)
    return found[1] or "MoodleSession", found[2]


def _split(address: str) -> SplitResult:
    """The parts of an address, where it has any that can be asked."""
    text = address.strip()
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        parts.port  # noqa: B018 - a port that is none shows only when asked for
    except ValueError:
        raise Unreadable(NO_ADDRESS.format(_shown(address))) from None
    return parts


def _shown(address: str) -> str:
    return address.partition("?")[0].rpartition("@")[2][:200] or "this"
