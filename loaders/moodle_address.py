"""The address of a Moodle and of a course, out of the address of any of its pages."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from loaders.errors import Unreadable

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
PAGE_PATHS = ("/course/", "/user/", "/mod/", "/report/", "/grade/", "/my", "/login/", "/group/", "/enrol/")


def course_address(address: str) -> tuple[str, int]:
    """(the Moodle's address, Moodle's id of the course) of a page of a course. Raises Unreadable."""
    parts = urlsplit(address if "://" in address else f"https://{address}")
    query = parse_qs(parts.query)
    course = next((query[key][0] for key in ("course", "courseid", "id") if key in query), "")
    if not course.isdecimal() or not parts.netloc or ("/course/" not in parts.path and "course" not in parts.query):
        raise Unreadable(
            f"{_shown(address)} is not the address of a course: open the course in Moodle and copy the address of its"
            " page, such as https://moodle.example.edu/course/view.php?id=2"
        )
    return site_address(address), int(course)


def site_address(address: str) -> str:
    """A Moodle's address, out of the address of any of its pages. Raises Unreadable for what is none."""
    parts = urlsplit(address.strip() if "://" in address else f"https://{address.strip()}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise Unreadable(f"{_shown(address)} is no web address: give one such as https://moodle.example.edu")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise Unreadable(
            f"{parts.hostname} is asked over http, where anybody on the way could read along: give its https address"
        )
    ends = [parts.path.find(path) for path in PAGE_PATHS if path in parts.path]
    path = parts.path[: min(ends)] if ends else parts.path.removesuffix("index.php")
    return f"{parts.scheme}://{parts.netloc.lower()}{path.rstrip('/')}"


def _shown(address: str) -> str:
    return address.partition("?")[0].rpartition("@")[2][:200] or "this"
