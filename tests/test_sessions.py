"""How long a session lasts, and how often somebody may try to get one."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest
from datasette_auth_passwords.utils import hash_password

from loaders import accounts
from tests import made_up
from tests.visit import COLLEAGUE, TEACHER, get, instance

PASSWORD, ANOTHER = "a long pass phrase", "another long phrase"


@pytest.fixture
def datasette(tmp_path):
    return instance(made_up.small(tmp_path / "moodle.db"))


@pytest.fixture
def private(datasette, tmp_path):
    return tmp_path / "private"


async def by_link(datasette, private) -> dict[str, str]:
    """The cookie of somebody who opened a sign-in link."""
    answer = await datasette.client.get(f"/-/sign-in?token={accounts.make_link(private)}")
    return {"ds_actor": answer.cookies["ds_actor"]}


async def send(datasette, path: str, form: dict, cookie: dict | None = None, **kwargs) -> httpx.Response:
    """A form, sent with the session it was opened in."""
    page = await datasette.client.get("/-/account" if cookie else "/-/login", cookies=cookie)
    cookie = {**(cookie or {}), "ds_csrftoken": page.cookies["ds_csrftoken"]}
    form = {**form, "csrftoken": cookie["ds_csrftoken"]}
    return await datasette.client.post(path, data=form, cookies=cookie, **kwargs)


async def by_password(datasette, password: str = PASSWORD, **form: str) -> dict[str, str]:
    answer = await send(datasette, "/-/login", {"username": "anna", "password": password, **form})
    return {"ds_actor": answer.cookies["ds_actor"]}


async def status(datasette, cookie: dict, path: str = "/") -> int:
    return (await datasette.client.get(path, cookies=cookie)).status_code


async def choose(datasette, cookie: dict, password: str = PASSWORD) -> httpx.Response:
    return await send(datasette, "/-/account", {"username": "anna", "password": password}, cookie)


# ---- When a session ends ----


async def test_a_new_password_ends_all_sessions_but_this(datasette, private):
    first, second = await by_link(datasette, private), await by_link(datasette, private)
    answer = await choose(datasette, second)
    assert await status(datasette, {"ds_actor": answer.cookies["ds_actor"]}) == 200
    assert [await status(datasette, old) for old in (first, second)] == [403, 403]


async def test_signing_out_everywhere_ends_every_session(datasette, private):
    first, second = await by_link(datasette, private), await by_link(datasette, private)
    assert "Sign out everywhere" in (await datasette.client.get("/-/account", cookies=second)).text
    assert (await datasette.client.get("/-/sign-out-everywhere", cookies=second)).status_code == 302
    assert await status(datasette, first) == 200, "looking at it does nothing"
    answer = await send(datasette, "/-/sign-out-everywhere", {}, second)
    assert answer.status_code == 302 and "Max-Age=0" in answer.headers["set-cookie"]
    assert [await status(datasette, old) for old in (first, second)] == [403, 403]
    assert await status(datasette, await by_link(datasette, private)) == 200


async def test_signing_out_everywhere_needs_a_form_of_ours(datasette, private):
    cookie = await by_link(datasette, private)
    assert (await datasette.client.post("/-/sign-out-everywhere", cookies=cookie)).status_code == 403
    assert await status(datasette, cookie) == 200


async def test_a_session_ends_with_its_account_and_a_new_one_of_that_name_does_not_revive_it(datasette, private):
    cookie = await by_link(datasette, private)
    (private / "accounts.json").unlink()
    assert await status(datasette, cookie) == 403
    again = await by_link(datasette, private)
    assert (await status(datasette, cookie), await status(datasette, again)) == (403, 200)


async def test_a_cookie_of_nobody_here_is_a_strangers(datasette, private):
    await by_link(datasette, private)
    forms = [{"a": COLLEAGUE}, {"a": TEACHER, "account": "teacher", "epoch": "x"}, {"a": "teacher"}, "teacher"]
    for form in forms:
        assert await status(datasette, {"ds_actor": datasette.sign(form, "actor")}) == 403, form


async def test_what_datasette_itself_signs_in_stays_in(datasette, private):
    """A cookie with no epoch: `datasette --root` always, others while nobody has ended that account's sessions."""
    plain = {"ds_actor": datasette.sign({"a": TEACHER}, "actor")}
    assert await status(datasette, plain) == 200
    cookie = await by_link(datasette, private)
    assert await status(datasette, plain) == 200
    await choose(datasette, cookie)
    assert await status(datasette, plain) == 403
    answer = await datasette.client.get(f"/-/auth-token?token={datasette._root_token}")
    root = {"ds_actor": answer.cookies["ds_actor"]}
    assert (await datasette.client.get("/-/actor.json", cookies=root)).json()["actor"] == {"id": "root"}


async def test_nobody_can_call_themselves_root(private, datasette):
    await by_link(datasette, private)
    with pytest.raises(accounts.Refused, match="Datasette's own"):
        accounts.set_password(private, "teacher", "root", PASSWORD)


async def test_a_configured_accounts_session_ends_with_its_password(tmp_path, monkeypatch):
    datasette = instance(made_up.small(tmp_path / "moodle.db"))
    settings = {"anna_password_hash": {"$env": "ANNAS_HASH"}}
    datasette._metadata_local["plugins"]["datasette-auth-passwords"] = settings
    monkeypatch.setenv("ANNAS_HASH", hash_password(PASSWORD, iterations=1000))
    cookie = await by_password(datasette)
    assert await status(datasette, cookie) == 200
    answer = await send(datasette, "/-/sign-out-everywhere", {}, cookie)
    assert answer.status_code == 400 and "configured" in answer.text
    monkeypatch.setenv("ANNAS_HASH", hash_password(ANOTHER, iterations=1000))
    assert await status(datasette, cookie) == 403


async def test_the_other_cookies_stay_when_the_session_does_not_count(datasette, private):
    cookie = await by_link(datasette, private)
    token = (await datasette.client.get("/-/account", cookies=cookie)).cookies["ds_csrftoken"]
    await choose(datasette, cookie)
    old = {**cookie, "ds_csrftoken": token}
    form = {"username": "anna", "password": "x", "csrftoken": token}
    answer = await datasette.client.post("/-/login", data=form, cookies=old)
    assert answer.status_code == 403 and "do not fit" in answer.text, "the form's own cookie is still there"


async def test_beside_a_token_the_cookie_is_nobodys(datasette, private):
    cookie = await by_link(datasette, private)
    for value in ("Bearer", "Bearer x", "bearer x", " Bearer x"):
        headers = {"Authorization": value}
        form = {"username": "evil", "password": ANOTHER}
        answer = await datasette.client.post("/-/account", data=form, cookies=cookie, headers=headers)
        assert answer.status_code == 403, "a token switches the check of forms off"
        assert (await datasette.client.get("/", cookies=cookie, headers=headers)).status_code == 403
    assert [row["name"] for row in accounts.accounts(private)] == ["teacher"]


# ---- Changing the password ----


async def test_changing_a_password_takes_the_old_one(datasette, private):
    await choose(datasette, await by_link(datasette, private))
    cookie = await by_password(datasette)
    asked = await datasette.client.get("/-/account", cookies=cookie)
    assert "your password as it is now" in asked.text and "New password" not in asked.text
    refused = await choose(datasette, cookie, ANOTHER)
    assert refused.status_code == 403 and await status(datasette, cookie) == 200
    confirmed = await by_password(datasette, next="/-/account")
    assert "New password" in (await datasette.client.get("/-/account", cookies=confirmed)).text
    assert (await choose(datasette, confirmed, ANOTHER)).status_code == 302
    assert await status(datasette, await by_password(datasette, ANOTHER)) == 200


async def test_the_old_password_opens_the_form_for_minutes_only(datasette, private, monkeypatch):
    await choose(datasette, await by_link(datasette, private))
    confirmed = await by_password(datasette, next="/-/account")
    later = time.time() + 301
    monkeypatch.setattr(time, "time", lambda: later)
    assert (await choose(datasette, confirmed, ANOTHER)).status_code == 403


async def test_by_the_link_a_forgotten_password_can_be_changed(datasette, private):
    await choose(datasette, await by_link(datasette, private))
    assert (await choose(datasette, await by_link(datasette, private), ANOTHER)).status_code == 302
    assert await status(datasette, await by_password(datasette, ANOTHER)) == 200


# ---- Guessing ----


@pytest.fixture
def tried(datasette, private, monkeypatch) -> list[str]:
    """Passwords that were looked at; the right one is `right`."""
    accounts.redeem_link(private, accounts.make_link(private))
    accounts.set_password(private, "teacher", "anna", PASSWORD)
    seen: list[str] = []

    def check(known: list[dict], name: str, password: str) -> dict | None:
        time.sleep(0.01)
        seen.append(password)
        return known[0] if password == "right" else None

    monkeypatch.setattr(accounts, "check_password", check)
    return seen


def from_address(datasette, address: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=datasette.app(), client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


async def knock(client: httpx.AsyncClient, password: str, name: str = "anna") -> int:
    token = (await client.get("/-/login")).cookies.get("ds_csrftoken") or client.cookies["ds_csrftoken"]
    form = {"username": name, "password": password, "csrftoken": token}
    return (await client.post("/-/login", data=form)).status_code


async def test_many_tries_at_once_are_no_way_round(datasette, tried):
    async with from_address(datasette, "10.0.0.1") as client:
        await client.get("/-/login")
        answers = await asyncio.gather(*(knock(client, f"wrong {n}") for n in range(40)))
    assert len(tried) == 10 and answers.count(429) == 30


async def test_a_stranger_does_not_lock_the_right_person_out(datasette, tried):
    client = from_address(datasette, "10.0.0.1")
    owner = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=client._transport.app, client=("10.0.0.2", 1)), base_url="http://localhost"
    )
    for n in range(12):
        await knock(client, f"wrong {n}")
    assert await knock(client, "right") == 429
    assert await knock(owner, "right") == 302


async def test_right_passwords_do_not_count(datasette, tried):
    async with from_address(datasette, "10.0.0.1") as client:
        for _ in range(12):
            client.cookies.clear()
            assert await knock(client, "right") == 302


async def test_from_many_addresses_all_wait_but_not_for_long(datasette, tried, monkeypatch):
    app = datasette.app()
    now = time.monotonic()
    for n in range(102):
        transport = httpx.ASGITransport(app=app, client=(f"10.0.1.{n}", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            last = await knock(client, "wrong")
    assert last == 429 and len(tried) == 100
    monkeypatch.setattr(time, "monotonic", lambda: now + 90)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app, client=("10.0.0.2", 1)), base_url="http://localhost"
    ) as owner:
        assert await knock(owner, "right") == 302


async def test_a_stranger_still_sees_nothing(datasette, private):
    assert (await get(datasette, "/-/sign-out-everywhere", None)).status_code == 403


# ---- Links ----


async def test_a_new_link_ends_the_one_before(datasette, private):
    old, new = accounts.make_link(private), accounts.make_link(private)
    assert (await datasette.client.get(f"/-/sign-in?token={old}")).status_code == 403
    assert (await datasette.client.get(f"/-/sign-in?token={new}")).status_code == 302
