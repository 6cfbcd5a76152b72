"""One running Moodle, asked over HTTP: web services with a token, downloads with a browser's session.

Polite and careful: few requests at a time, waits when told to, never follows a redirect to another host, reads
no more than agreed, and calls no function that writes into Moodle's log. Sources: Moodle's REST server
(/webservice/rest/server.php) and report downloads, as measured on 4.5 and 5.1.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import stamina

from loaders import __version__
from loaders.moodle_address import cookie_pair, site_address
from loaders.moodle_errors import EXPIRED, MAINTENANCE, Away, MoodleError, SessionExpired, page_error, refusal
from loaders.moodle_replies import HEAD, check, parsed, retry_after, target
from loaders.moodle_session import SessionWays

stamina.instrumentation.set_on_retry_hooks(())  # what is tried again is nobody's business on the terminal

# Functions that only read. No other is ever called: many mod_*_view_* functions write into the log.
READING = frozenset(
    {
        "core_webservice_get_site_info",
        "core_user_get_users_by_field",
        "core_course_get_courses_by_field",
        "core_enrol_get_users_courses",
        "core_course_get_contents",
        "core_enrol_get_enrolled_users",
        "core_group_get_course_groups",
        "core_completion_get_activities_completion_status",
        "gradereport_user_get_grade_items",
        "mod_forum_get_forums_by_courses",
        "mod_forum_get_forum_discussions",
        "mod_forum_get_discussion_posts",
        "mod_assign_get_assignments",
        "mod_assign_get_submissions",
        "mod_quiz_get_quizzes_by_courses",
        "mod_quiz_get_user_attempts",
        "mod_quiz_get_user_quiz_attempts",
        "mod_book_get_books_by_courses",
        "mod_choice_get_choices_by_courses",
        "mod_choice_get_choice_results",
        "mod_feedback_get_feedbacks_by_courses",
        "mod_feedback_get_responses_analysis",
        "core_blog_get_entries",
        "core_calendar_get_calendar_events",
    }
)
BUSY = {429, 502, 503, 504}
MOST_REDIRECTS = 5


@dataclass(frozen=True)
class Limits:
    """How much is asked and waited for: requests at a time, bytes, seconds, tries."""

    concurrency: int = 4
    answer_bytes: int = 50_000_000
    download_bytes: int = 2_000_000_000
    total_s: float = 3 * 3600
    answer_s: float = 300
    download_s: float = 3600
    silence_s: float = 120
    tries: int = 5
    wait_initial_s: float = 1
    wait_most_s: float = 120


class Moodle(SessionWays):
    """One Moodle, to be used with `async with`. `session_cookie`: the value of MoodleSession, or NAME=value."""

    def __init__(self, site: str, *, token: str | None = None, session_cookie: str | None = None,
                 limits: Limits = Limits()):  # fmt: skip
        self.site, self.limits = site_address(site), limits
        self._token = token
        self._parts = urlsplit(self.site)
        self._slots = asyncio.Semaphore(limits.concurrency)
        self._ends = time.monotonic() + limits.total_s
        self._client = httpx.AsyncClient(
            headers={"user-agent": f"Coursette/{__version__}", "accept-encoding": "gzip"},
            timeout=httpx.Timeout(limits.silence_s, connect=30, pool=None),
            limits=httpx.Limits(max_connections=limits.concurrency),
            follow_redirects=False,
        )
        if session_cookie:
            self._client.cookies.set(*cookie_pair(session_cookie), domain=self._cookie_domain())

    def __repr__(self) -> str:
        return f"Moodle({self.site!r})"

    def _cookie_domain(self) -> str:
        """The one host that gets cookies, as http.cookiejar writes it: names without a dot end in .local."""
        host = self._parts.hostname or ""
        return host if "." in host or ":" in host else f"{host}.local"

    async def __aenter__(self) -> Moodle:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._client.aclose()

    async def call(self, function: str, **parameters: str | int) -> Any:
        """The answer of a web service that only reads. Raises MoodleError; its kind says what to do."""
        if function not in READING:
            raise ValueError(f"{function} is not among the functions that are known to write nothing")
        return await self._service(function, parameters)

    async def _service(self, function: str, parameters: dict) -> Any:
        form = {"wstoken": self._token or "", "wsfunction": function, "moodlewsrestformat": "json", **parameters}
        return await self._json("/webservice/rest/server.php", form)

    async def _json(self, path: str, form: dict) -> Any:
        """POST a form, get JSON."""

        async def once() -> Any:
            async with self._answer("POST", path, data=form) as response:
                body = await self._body(response)
            answer = parsed(response, body)
            if error := refusal(answer):
                raise error
            return answer

        return await self._tried(once, self.limits.answer_s)

    async def download(self, path: str, asked: dict, to: Path, expect: str = "csv", post: bool = False,
                       arrived: Callable[[int], None] | None = None) -> None:  # fmt: skip
        """Fetch a report with the session and write it to `to`, whole or not at all. Raises MoodleError.

        `expect`: csv or html; a login page, an error page and half a file are told from what was asked for.
        """
        values = {"data": asked} if post else {"params": asked}

        async def once() -> None:
            async with self._page("POST" if post else "GET", path, values) as response:
                await self._write(response, to, expect, arrived)

        await self._tried(once, self.limits.download_s)

    async def page(self, path: str, asked: dict) -> str:
        """A page of Moodle's, with the session. Raises MoodleError."""
        status, html, _ = await self._read_page("GET", path, {"params": asked})
        if error := page_error(status, html.encode()[:HEAD], "html"):
            raise error
        return html

    async def _write(self, response: httpx.Response, to: Path, expect: str, arrived: Callable | None) -> None:
        unready, size, last, head = to.with_name(to.name + ".new"), 0, b"", b""
        try:
            with os.fdopen(os.open(unready, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as stream:
                async for chunk in response.aiter_bytes():
                    size += len(chunk)
                    if size > self.limits.download_bytes:
                        raise MoodleError("this download is larger than 2 GB: take it in pieces by hand")
                    head = (head + chunk)[:HEAD] if len(head) < HEAD else head
                    last = chunk or last
                    stream.write(chunk)
                    if arrived:
                        arrived(len(chunk))
            check(response, head, last, expect)
            unready.replace(to)
        finally:
            unready.unlink(missing_ok=True)

    # -- one request

    async def _tried(self, once: Callable, seconds: float) -> Any:
        """Do it, again where Moodle was busy or the line broke, with growing pauses and those it asks for."""
        async with self._slots:
            attempts = stamina.retry_context(
                on=self._worth_waiting, attempts=self.limits.tries, timeout=self.limits.total_s,
                wait_initial=self.limits.wait_initial_s, wait_max=30, wait_jitter=self.limits.wait_initial_s,
            )  # fmt: skip
            async for attempt in attempts:
                with attempt:
                    left = min(seconds, self._ends - time.monotonic())
                    if left <= 0:
                        raise MoodleError("this takes longer than three hours: stopped; what came is kept")
                    return await self._once(once, left)

    async def _once(self, once: Callable, seconds: float) -> Any:
        try:
            async with asyncio.timeout(seconds):
                return await once()
        except (TimeoutError, httpx.TimeoutException):
            raise Away(f"{self._parts.hostname} does not answer in time") from None
        except (httpx.ConnectError, httpx.UnsupportedProtocol) as error:
            if isinstance(error.__cause__ and error.__cause__.__cause__, ssl.SSLError) or "SSL" in str(error):
                raise MoodleError(
                    f"{self._parts.hostname} cannot show that it is what it says (TLS certificate): do not trust it;"
                    " where your institution signs its own certificates, name them in SSL_CERT_FILE"
                ) from None
            raise Away(f"{self._parts.hostname} cannot be reached: check the address and your connection") from None
        except httpx.TransportError:
            raise Away(f"{self._parts.hostname} broke off in the middle of an answer") from None
        except (httpx.HTTPError, httpx.InvalidURL):
            raise MoodleError(f"{self._parts.hostname} sent something that is no answer") from None

    def _worth_waiting(self, error: Exception) -> bool | float:
        if not isinstance(error, Away) or str(error) == MAINTENANCE:
            return False
        if error.wait_s is None:
            return True
        return error.wait_s if error.wait_s <= min(self.limits.wait_most_s, self._ends - time.monotonic()) else False

    @asynccontextmanager
    async def _answer(self, method: str, path: str, **values: Any) -> AsyncIterator[httpx.Response]:
        """One answer; a redirect is an error here."""
        async with self._client.stream(method, self.site + path, **values) as response:
            self._busy(response)
            if response.has_redirect_location:
                raise self._moved(target(response))
            yield response

    @asynccontextmanager
    async def _page(self, method: str, path: str, values: dict) -> AsyncIterator[httpx.Response]:
        """One page, redirects followed inside this Moodle only; one to the login page ends the session."""
        url = self.site + path
        for _ in range(MOST_REDIRECTS):
            async with self._client.stream(method, url, **values) as response:
                self._busy(response)
                if not response.has_redirect_location:
                    yield response
                    return
                to = target(response)
                url, method, values = str(to), "GET", {}
                if not self._inside(to):
                    raise self._moved(to)
                if to.path.endswith("/login/index.php"):
                    raise SessionExpired(EXPIRED)
        raise MoodleError("this Moodle sends round in circles: open the course in a browser to see why")

    def _inside(self, to: httpx.URL) -> bool:
        """Whether an address is of this very Moodle, read as the client reads it: origin, and under its path."""
        here = httpx.URL(self.site)
        same = (to.scheme, to.host, to.port) == (here.scheme, here.host, here.port)
        return same and to.path.startswith(here.path.rstrip("/") + "/") and ".." not in to.path.split("/")

    def _moved(self, to: httpx.URL) -> MoodleError:
        if to.path.endswith("/login/index.php") and self._inside(to):
            return SessionExpired(EXPIRED)
        where = f"{to.scheme}://{to.netloc.decode('ascii', 'replace')}"[:200]
        return MoodleError(
            f"this Moodle sent us on to {where}: nothing was sent there; if that is its address now, use it in place"
            " of the old one (a sign-in page of your institution needs a session: --session-cookie)"
        )

    def _busy(self, response: httpx.Response) -> None:
        status = response.status_code
        if response.headers.get("content-encoding", "gzip").strip().lower() not in ("gzip", "identity", ""):
            raise MoodleError(f"{self._parts.hostname} packs its answers in a way that was not asked for")
        if status in BUSY:
            wait = retry_after(response.headers.get("retry-after"))
            when = f", and wants to be left alone for {wait:,.0f} seconds" if wait else ""
            raise Away(f"{self._parts.hostname} is busy or in maintenance (status {status}){when}", wait)
        if status >= 500:
            raise Away(f"{self._parts.hostname} has an error of its own (status {status})")

    async def _body(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > self.limits.answer_bytes:
                raise MoodleError("this answer is larger than 50 MB: Coursette does not read on")
        return bytes(body)
