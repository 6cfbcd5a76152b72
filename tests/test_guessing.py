"""Ten thousand guesses: how many passwords the server really works out, where, and how much work each is."""

from __future__ import annotations

import threading
import time

import httpx
import pytest

from loaders import accounts
from tests import made_up
from tests.visit import get, instance

MANY = 10_000


@pytest.fixture
def datasette(tmp_path):
    return instance(made_up.small(tmp_path / "moodle.db"))


@pytest.fixture
def hashed(datasette, tmp_path, monkeypatch) -> list[tuple[str, threading.Thread]]:
    """(the hash compared with, the thread) of every password that is worked out; nothing really is. Time stands."""
    private = tmp_path / "private"
    accounts.redeem_link(private, accounts.make_link(private))
    monkeypatch.setattr(accounts, "hash_password", lambda password: accounts._NOBODY[:-2] + "B=")
    accounts.set_password(private, "teacher", "anna", "a long pass phrase")
    seen: list[tuple[str, threading.Thread]] = []

    def verify(password: str, known: str) -> bool:
        seen.append((known, threading.current_thread()))
        return False

    monkeypatch.setattr(accounts, "verify_password", verify)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    return seen


class Visitor:
    """Somebody with the form for signing in; each guess may come from another address."""

    def __init__(self, datasette):
        self.app, self.token = datasette.app(), ""

    async def guess(self, name: str, password: str, address: str = "10.0.0.1") -> int:
        transport = httpx.ASGITransport(app=self.app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            self.token = self.token or (await client.get("/-/login")).cookies["ds_csrftoken"]
            client.cookies.set("ds_csrftoken", self.token)
            form = {"username": name, "password": password, "csrftoken": self.token}
            return (await client.post("/-/login", data=form)).status_code


async def test_ten_thousand_passwords_for_one_name_are_ten_hashes(datasette, hashed):
    visitor = Visitor(datasette)
    answers = [await visitor.guess("anna", f"wrong {n}") for n in range(MANY)]
    assert len(hashed) == 10 and answers.count(429) == MANY - 10


async def test_another_name_for_each_is_no_way_round(datasette, hashed):
    visitor = Visitor(datasette)
    answers = [await visitor.guess(f"anna{n}", "wrong") for n in range(300)]
    assert len(hashed) == 30 and answers.count(429) == 270
    assert await visitor.guess("anna", "wrong", "10.0.0.2") == 403, "others do not wait"


async def test_another_address_for_each_ends_at_a_hundred(datasette, hashed):
    visitor = Visitor(datasette)
    for n in range(300):
        await visitor.guess("anna", "wrong", f"10.0.{n // 250}.{n % 250}")
    assert len(hashed) == 100


async def test_a_name_that_exists_is_as_much_work_and_not_in_the_way_of_others(datasette, hashed):
    visitor = Visitor(datasette)
    for name in ("anna", "nobody", "", "\0", "x" * 5000):
        assert await visitor.guess(name, "wrong") == 403
    work = [(known.split("$")[:2], len(known)) for known, _ in hashed]
    assert len(work) == 5 and all(one == work[0] for one in work)
    assert threading.main_thread() not in {thread for _, thread in hashed}


async def test_a_session_ends_after_fourteen_days(datasette, tmp_path, monkeypatch):
    link = accounts.make_link(tmp_path / "private")
    cookie = {"ds_actor": (await datasette.client.get(f"/-/sign-in?token={link}")).cookies["ds_actor"]}
    now = time.time()
    for days, status in ((13, 200), (15, 403)):
        monkeypatch.setattr(time, "time", lambda days=days: now + days * 24 * 3600)
        assert (await datasette.client.get("/", cookies=cookie)).status_code == status


async def test_signing_out_forgets_the_session_in_this_browser(datasette, tmp_path):
    transport = httpx.ASGITransport(app=datasette.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as browser:
        await browser.get(f"/-/sign-in?token={accounts.make_link(tmp_path / 'private')}")
        page = await browser.get("/")
        assert page.status_code == 200
        asked = await browser.get("/-/logout")
        assert asked.status_code == 200 and "ds_actor" in browser.cookies, "looking at it does nothing"
        form = {"csrftoken": browser.cookies["ds_csrftoken"]}
        await browser.post("/-/logout", data=form)
        assert "ds_actor" not in browser.cookies and (await browser.get("/")).status_code == 403


@pytest.mark.parametrize(
    "value", [b"Basic \xff\xfe", b"basic " + b"A" * 5000, b"BASIC OnBhc3M=", b"Basic\tYTpi", b"Basic Og=="]
)
async def test_odd_basic_headers_are_nothing_and_no_work(datasette, hashed, value):
    answer = await get(datasette, "/moodle", None, headers=[(b"Authorization", value)])
    assert answer.status_code == 403 and hashed == []
