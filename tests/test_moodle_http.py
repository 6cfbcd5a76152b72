"""Asking a running Moodle, request by request: what comes is mistrusted, and secrets stay where they are."""

from __future__ import annotations

import json
import logging
import os
import stat
import traceback
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from moodle_server import PASSWORD, SESSION, SESSKEY, TOKEN, Fault, Server, running

from loaders import moodle_errors, moodle_secrets
from loaders.cli import cli
from loaders.errors import Unreadable
from loaders.moodle import READING, Limits, Moodle
from loaders.moodle_address import cookie_pair, course_address, site_address
from loaders.moodle_errors import NotAllowed, SessionExpired, TokenRefused, WrongFormat, page_error
from loaders.moodle_replies import retry_after
from loaders.moodle_session import config_of

LIMITS = Limits(tries=2, wait_initial_s=0.01, answer_s=5, download_s=5, silence_s=2)
INFO = "core_webservice_get_site_info"
LOG = "/report/log/index.php"
WHOLE_LOG = {"id": 2, "chooselog": 1, "download": "csv"}


@pytest.fixture
def server() -> Iterator[Server]:
    with running(lines=50) as one:
        yield one


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch):
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


def client(server: Server, **limits) -> Moodle:
    return Moodle(server.url, token=TOKEN, session_cookie=SESSION, limits=replace(LIMITS, **limits))


async def said_to_call(server: Server, **limits) -> Exception:
    with pytest.raises(Unreadable) as error:
        async with client(server, **limits) as moodle:
            await moodle.call(INFO)
    return error.value


async def said_to_download(server: Server, to: Path, **limits) -> Exception:
    with pytest.raises(Unreadable) as error:
        async with client(server, **limits) as moodle:
            await moodle.download(LOG, WHOLE_LOG, to)
    return error.value


# ---- Addresses and cookies ----


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("https://x.example/mymoodle/course/view.php?id=2", "https://x.example/mymoodle"),
        ("https://x.example/moodle/my/", "https://x.example/moodle"),
        ("https://x.example/my", "https://x.example"),
        ("https://X.example/blog/index.php?courseid=2", "https://x.example"),
        ("x.example/moodle/index.php", "https://x.example/moodle"),
        ("http://127.0.0.1:8045/user/preferences.php", "http://127.0.0.1:8045"),
    ],
)
def test_any_page_gives_the_address_of_its_moodle(address: str, site: str):
    assert site_address(address) == site


@pytest.mark.parametrize(
    "address",
    ["https://x.example:99999/course/view.php?id=2", "https://[::1/course/view.php?id=2", "https://:pw@x.example/a",
     "https://x.example:port/", "file:///etc/passwd", ""],
)  # fmt: skip
def test_what_is_no_address_is_said_without_its_password(address: str):
    with pytest.raises(Unreadable) as error:
        site_address(address)
    assert ":pw" not in str(error.value)
    with pytest.raises(Unreadable):
        course_address(address)


def test_cookies_as_people_paste_them():
    assert cookie_pair(" abcd1234 ") == ("MoodleSession", "abcd1234")
    assert cookie_pair("MoodleSessionprod=abcd-12,34") == ("MoodleSessionprod", "abcd-12,34")
    for wrong in ("", "MoodleSession=abcd1234; other=1", "abcd\r\nX-Evil: 1", "abcdé", "a=b=c"):
        with pytest.raises(Unreadable) as error:
            cookie_pair(wrong)
        assert str(error.value).count("abcd") == 0


# ---- What is asked ----


async def test_only_functions_that_read_are_called(server: Server):
    assert not any("_view" in name for name in READING)
    async with client(server) as moodle:
        for name in ("mod_forum_view_forum", "core_course_view_course", "core_user_update_users"):
            with pytest.raises(ValueError):
                await moodle.call(name)
    assert server.requests == []


async def test_it_says_who_it_is_and_sends_the_session_once(server: Server):
    async with client(server) as moodle:
        viewer = await moodle.check_session()
    assert (viewer.user_id, viewer.timezone, viewer.language) == (3, "Australia/Brisbane", "en")
    (headers,) = [{name.lower(): value for name, value in one.items()} for one in server.headers_seen]
    assert headers["user-agent"].startswith("Coursette/") and headers["cookie"] == f"MoodleSession={SESSION}"
    assert SESSKEY not in repr(viewer)


async def test_the_session_goes_to_a_host_without_a_dot_too(server: Server):
    site = server.url.replace("127.0.0.1", "localhost")
    async with Moodle(site, session_cookie=SESSION, limits=LIMITS) as moodle:
        assert (await moodle.check_session()).user_id == 3


async def test_signing_in_leaves_no_old_session_beside_the_new(server: Server):
    async with Moodle(server.url, session_cookie="expired-one", limits=LIMITS) as moodle:
        await moodle.log_in("teacher", PASSWORD)
    assert server.headers_seen[-1]["Cookie"] == "MoodleSession=fresh"


# ---- Where it is sent on to ----


@pytest.mark.parametrize("where", ["http://127.0.0.1:99999/x", "http://[::1/x", "http://exa mple/x", "javascript:1"])
async def test_an_address_that_is_none_is_a_sentence(server: Server, tmp_path: Path, where: str):
    server.faults += [Fault(LOG, "redirect", where), Fault(INFO, "redirect", where)]
    for error in (await said_to_download(server, tmp_path / "log.csv"), await said_to_call(server)):
        assert isinstance(error, moodle_errors.MoodleError) and "\n" not in str(error)
    assert {what for what, _ in server.requests} == {LOG, INFO}
    assert list(tmp_path.iterdir()) == []


async def test_a_redirect_without_an_address_is_no_traceback(server: Server, tmp_path: Path):
    server.faults += [Fault(LOG, "status", 304), Fault(INFO, "status", 300)]
    await said_to_download(server, tmp_path / "log.csv")
    await said_to_call(server)


async def test_nothing_follows_out_of_the_path_of_the_site(tmp_path: Path):
    with running(path="/moodle", lines=5) as server:
        for to in ("/moodle/../other/log.csv", "/moodle/%2e%2e/other", "/moodle2/log.csv"):
            server.faults = [Fault(LOG, "redirect", server.url.removesuffix("/moodle") + to)]
            server.requests.clear()
            assert "nothing was sent there" in str(await said_to_download(server, tmp_path / "log.csv"))
            assert len(server.requests) == 1


async def test_the_new_address_of_a_moodle_that_moved_is_said(server: Server):
    there = server.url.replace("http://", "https://")
    server.faults.append(Fault(INFO, "redirect", f"{there}/webservice/rest/server.php"))
    assert there in str(await said_to_call(server))


async def test_going_round_in_circles_ends(server: Server, tmp_path: Path):
    server.faults.append(Fault(LOG, "redirect", f"{server.url}{LOG}"))
    assert "circles" in str(await said_to_download(server, tmp_path / "log.csv"))
    assert len(server.requests) <= 6


# ---- What came in place of an answer ----


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        ("text/html", "", "no Moodle with web services"),
        ("text/xml", '<?xml version="1.0"?><EXCEPTION/>', "XML"),
        ("text/html", "<!DOCTYPE html><html><body>Welcome</body></html>", "web page"),
        ("text/html", '<html><body id="page-maintenance-message">Back soon</body></html>', "maintenance"),
        ("text/html", '<html><body id="page-login-index"></body></html>', "session has ended"),
        ("application/json", '{"a": [1, 2', "ended in the middle"),
        ("application/json", "[" * 100_000, "ended in the middle"),
        ("text/plain", "hello", "no Moodle's answer"),
        ("application/json", '{"exception": "x", "errorcode": "sitemaintenance", "message": "m"}', "maintenance"),
    ],
)
async def test_what_is_no_answer_is_one_sentence(server: Server, kind: str, body: str, words: str):
    server.faults.append(Fault(INFO, "body", (kind, body)))
    assert words in str(await said_to_call(server))


async def test_a_site_that_is_no_moodle(server: Server):
    server.faults.append(Fault(INFO, "status", 404))
    assert "no Moodle with web services" in str(await said_to_call(server))


@pytest.mark.parametrize(("code", "kind"), [(code, kind) for code, (kind, _) in moodle_errors.CODES.items()])
async def test_every_error_code_has_its_kind_and_sentence(server: Server, code: str, kind: type):
    answer = json.dumps({"exception": "core\\exception\\moodle_exception", "errorcode": code, "message": "…"})
    server.faults.append(Fault(INFO, "body", ("application/json", answer)))
    error = await said_to_call(server)
    assert type(error) is kind and str(error) == moodle_errors.CODES[code][1]


async def test_an_answer_that_is_too_large_is_not_read_on(server: Server):
    assert "larger" in str(await said_to_call(server, answer_bytes=1000))
    assert len(server.requests) == 1


async def test_an_answer_that_does_not_come_is_given_up(server: Server):
    server.faults.append(Fault(INFO, "hang", 1))
    assert "in time" in str(await said_to_call(server, answer_s=0.2))
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_busy_moodle_is_asked_again(server: Server, status: int):
    server.faults.append(Fault(INFO, "status", status, times=1))
    async with client(server) as moodle:
        assert (await moodle.call(INFO))["userid"] == 3
    assert len(server.requests) == 2


async def test_what_is_wrong_for_good_is_asked_once(server: Server, tmp_path: Path):
    server.faults.append(Fault(LOG, "status", 403))
    assert isinstance(await said_to_download(server, tmp_path / "log.csv"), NotAllowed)
    assert len(server.requests) == 1


def test_when_to_come_back_is_seconds_or_a_date():
    assert retry_after("7") == 7 and retry_after(None) is None and retry_after("soon") is None
    assert 50 < retry_after(format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)) <= 60
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0


# ---- Downloads ----


async def test_a_download_is_whole_and_only_its_owners(server: Server, tmp_path: Path):
    sizes: list[int] = []
    async with client(server) as moodle:
        await moodle.download(LOG, WHOLE_LOG, tmp_path / "log.csv", arrived=sizes.append)
    assert (tmp_path / "log.csv").read_text("utf-8") == server.world.log_of(None)
    assert sum(sizes) == (tmp_path / "log.csv").stat().st_size
    assert stat.S_IMODE((tmp_path / "log.csv").stat().st_mode) == 0o600 or os.name == "nt"


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault(LOG, "cut"), moodle_errors.Away, "broke off"),
        (Fault(LOG, "drop"), moodle_errors.Away, "broke off"),
        (Fault(LOG, "body", ("text/csv", "\ufeffTime,half a li")), moodle_errors.Away, "middle"),
        (Fault(LOG, "body", ("text/html", "<html><body>Report</body></html>")), WrongFormat, "web page"),
        (Fault(LOG, "body", ("application/json", '{"error": "no"}')), moodle_errors.MoodleError, "application/json"),
        (Fault(LOG, "body", ("text/html", '<body id="page-login-index">')), SessionExpired, "session has ended"),
    ],
)
async def test_what_is_not_the_file_leaves_no_file(server: Server, tmp_path: Path, fault: Fault, kind, words: str):
    (tmp_path / "log.csv").write_text("as it was\n")
    server.faults.append(replace(fault))
    error = await said_to_download(server, tmp_path / "log.csv")
    assert type(error) is kind and words in str(error)
    assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]
    assert (tmp_path / "log.csv").read_text() == "as it was\n"


async def test_an_ended_session_and_a_file_too_large(server: Server, tmp_path: Path):
    assert "larger" in str(await said_to_download(server, tmp_path / "log.csv", download_bytes=100))
    server.sessions.clear()
    assert isinstance(await said_to_download(server, tmp_path / "log.csv"), SessionExpired)
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_only_speaks_of_maintenance_or_of_signing_in_is_a_page():
    words = b'<html><body id="page-course-view"><p>Week 3: maintenance mode, page-login, logintoken, errors</p>'
    assert page_error(200, words, "html") is None


def test_odd_settings_of_a_page_are_none():
    for odd in ("M.cfg = {broken", "M.cfg = " + '{"a":' * 100_000, "M.cfg = []", ""):
        assert config_of(odd) == {}


@pytest.mark.parametrize("user", ['"abc"', "0", "null", "-1", "[3]", "1e400"])
async def test_a_page_that_shows_nobody_signed_in(server: Server, user: str):
    page = f'<html><body><script>M.cfg = {{"userId": {user}, "sesskey": "x"}};</script></body></html>'
    server.faults.append(Fault("/user/preferences.php", "body", ("text/html", page)))
    async with client(server) as moodle:
        with pytest.raises(SessionExpired):
            await moodle.check_session()


# ---- Signing in ----


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("/login/change_password.php", "change your password"),
        ("/user/policy.php", "policies"),
        ("/user/edit.php", "profile"),
        ("/login/index.php", "does not accept"),
    ],
)
async def test_what_moodle_wants_first_is_said(server: Server, to: str, words: str, monkeypatch):
    import moodle_server

    def form(handler, asked):
        if handler.command == "GET":
            handler.html(moodle_server.LOGIN_PAGE.format(site=server.url, token="t"))
        else:
            handler._send(303, "text/html", b"", {"Location": server.url + to})

    monkeypatch.setitem(moodle_server.PAGES, "/login/index.php", form)
    async with client(server) as moodle:
        with pytest.raises(moodle_errors.MoodleError, match=words):
            await moodle.log_in("teacher", PASSWORD)


async def test_a_sign_in_page_of_the_institution_gets_no_password(server: Server):
    with running(lines=1) as institution:
        server.faults.append(Fault("/login/index.php", "redirect", f"{institution.url}/sso"))
        async with client(server) as moodle:
            with pytest.raises(moodle_errors.MoodleError, match="institution"):
                await moodle.log_in("teacher", PASSWORD)
        assert institution.requests == []


@pytest.mark.parametrize("code", ["servicenotavailable", "enablewsdescription", "forcepasswordchangenotice"])
async def test_no_token_is_one_sentence(server: Server, code: str):
    answer = json.dumps({"error": "…", "errorcode": code})
    server.faults.append(Fault("/login/token.php", "body", ("application/json", answer)))
    async with client(server) as moodle:
        with pytest.raises(TokenRefused) as error:
            await moodle.get_token("teacher", PASSWORD)
    assert str(error.value) == moodle_errors.CODES[code][1]


# ---- Secrets ----


async def test_no_secret_in_errors_records_or_addresses(server: Server, tmp_path: Path, caplog):
    caplog.set_level(logging.DEBUG)
    for fault in ("cut", "drop"):
        server.faults = [Fault(INFO, fault), Fault(LOG, fault)]
        for error in (await said_to_call(server), await said_to_download(server, tmp_path / "log.csv")):
            words = "".join(traceback.format_exception(error)) + repr(error)
            assert not any(secret in words for secret in (TOKEN, SESSION))
    shown = "\n".join(f"{record.getMessage()}" for record in caplog.records if record.name.startswith("httpx"))
    assert not any(secret in shown + repr(client(server)) for secret in (TOKEN, SESSION))


def test_secrets_are_kept_in_a_file_of_ones_own_and_forgotten(tmp_path: Path):
    site, other = "https://a.example", "https://b.example"
    where = moodle_secrets.keep(tmp_path, site, "token", TOKEN)
    moodle_secrets.keep(tmp_path, other, "session", SESSION)
    assert "only you can read" in where and TOKEN not in where
    file = tmp_path / moodle_secrets.FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 or os.name == "nt"
    assert moodle_secrets.kept(tmp_path, site, "token") == TOKEN
    assert moodle_secrets.kept(tmp_path, site, "session") is None
    assert moodle_secrets.drop(tmp_path, site) == 1 and moodle_secrets.drop(tmp_path, site) == 0
    assert moodle_secrets.kept(tmp_path, site, "token") is None and TOKEN not in file.read_text()
    assert moodle_secrets.kept(tmp_path, other, "session") == SESSION


def test_login_tries_keeps_and_logout_forgets(server: Server, tmp_path: Path):
    where = ["--db", str(tmp_path / "moodle.db"), "--private", str(tmp_path / "private")]
    words = ["login", server.url, "--username", "teacher", "--password-stdin", "--remember", *where]
    said = CliRunner().invoke(cli, words, input=f"{PASSWORD}\n")
    assert said.exit_code == 0 and "The token works: Marguerite Holloway" in said.output
    assert not any(secret in said.output for secret in (TOKEN, PASSWORD))
    assert moodle_secrets.kept(tmp_path / "private", server.url, "token") == TOKEN
    assert not (tmp_path / "moodle.db").exists()
    said = CliRunner().invoke(cli, ["logout", server.url, *where])
    assert said.exit_code == 0 and moodle_secrets.kept(tmp_path / "private", server.url, "token") is None


def test_login_says_what_the_token_lacks_and_mistrusts_the_answer(server: Server, tmp_path: Path):
    words = ["login", server.url, "--token", TOKEN, "--no-remember", "--private", str(tmp_path)]
    server.forbidden.add("gradereport_user_get_grade_items")
    said = CliRunner().invoke(cli, words)
    assert "lacks gradereport_user_get_grade_items" in said.output and "Nothing is kept" in said.output
    server.faults.append(Fault(INFO, "body", ("application/json", "[1, 2]")))
    said = CliRunner().invoke(cli, words)
    assert said.exit_code == 1 and "no Moodle's answer" in said.output and TOKEN not in said.output
