"""What came over the line, looked at before it is believed: JSON, a file, or a page in their place."""

from __future__ import annotations

import codecs
import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from loaders.moodle_errors import SERVICES_OFF, Away, MoodleError, TokenRefused, page_error

HEAD = 65_536  # bytes that show what a page is


def retry_after(text: str | None) -> float | None:
    """Seconds to wait, by a Retry-After header: a number, or a date."""
    if not text:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None


def target(response: httpx.Response) -> httpx.URL:
    """Where a redirect goes. Raises MoodleError for what is no address."""
    try:
        return response.url.join(response.headers["location"])
    except (httpx.InvalidURL, ValueError):
        raise MoodleError("this Moodle sends on to an address that is none: tell its support") from None


def parsed(response: httpx.Response, body: bytes) -> Any:
    """The JSON of an answer, else a sentence on what came in its place."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        pass
    start = body[:HEAD].lstrip()
    if response.status_code == 403 and not start:
        raise TokenRefused(SERVICES_OFF)
    if response.status_code in (404, 410) or not start:
        raise MoodleError("there is no Moodle with web services at this address: check it, or use a session")
    if start.startswith(b"<?xml"):
        raise MoodleError("this Moodle answers in XML where JSON was asked for: its web services are set up unusually")
    if start.startswith(b"<"):
        raise page_error(response.status_code, start, "json") or MoodleError("Moodle answered with a web page")
    if start[:1] in (b"{", b"["):
        raise Away("Moodle's answer ended in the middle")
    raise MoodleError("this address answers with something that is no Moodle's answer: check it")


def check(response: httpx.Response, head: bytes, last: bytes, expect: str) -> None:
    """Raise for a page in place of a file, an error page, and half a file."""
    page = head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<")
    if (page or response.status_code != 200) and (error := page_error(response.status_code, head, expect)):
        raise error
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if expect == "html" and not page:
        raise MoodleError("Moodle gave a file in place of a page")
    if expect == "csv" and kind not in ("text/csv", "application/download", "application/octet-stream"):
        raise MoodleError(f"Moodle gave {kind or 'something unnamed'} in place of a csv file")
    whole = last.endswith((b"\n", codecs.BOM_UTF8)) if expect == "csv" else b"</html" in last[-2000:].lower()
    if not whole:
        raise Away("Moodle's file ended in the middle")
