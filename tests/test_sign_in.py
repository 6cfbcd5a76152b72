"""Signing in: the link that works once, the password, the cookie, and the traps of datasette-auth-passwords."""

from __future__ import annotations

import stat
import time

import pytest
from datasette_auth_passwords.utils import hash_password, verify_password

from loaders import accounts, web
from tests import made_up
from tests.visit import TEACHER, TREE, cookies, get, instance, post, recorded


@pytest.fixture
def datasette(tmp_path):
    return instance(made_up.small(tmp_path / "moodle.db"))


@pytest.fixture
def private(datasette, tmp_path):
    return tmp_path / "private"


async def test_no_hash_is_ever_shown(datasette, private):
    await post(
        datasette,
        "/-/account",
        {"username": "anna", "password": "a long pass phrase"},
        await first(datasette),
    )
    for path in ("/-/metadata.json", "/-/settings.json", "/-/plugins.json?all=1", "/"):
        assert "pbkdf2" not in (await get(datasette, path)).text, path
    assert "pbkdf2" in (private / "accounts.json").read_text()
    assert "pbkdf2" not in (TREE / "metadata.yml").read_text()


# Trap 6 is in WORKS and OPEN above; trap 7: the cookie
async def first(datasette) -> dict:
    """The actor that a sign-in link makes."""
    account = accounts.redeem_link(web.private(datasette), accounts.make_link(web.private(datasette)))
    return accounts.actor(account)


async def test_the_cookie_is_out_of_reach_of_scripts_and_ends(datasette, private):
    for scheme, secure in (("http", False), ("https", True)):
        link = f"{scheme}://localhost/-/sign-in?token={accounts.make_link(private)}"
        answer = await datasette.client.request("GET", link, avoid_path_rewrites=True)
        set_cookie = answer.headers["set-cookie"].lower()
        assert set_cookie.startswith("ds_actor=")
        assert "httponly" in set_cookie and "samesite=lax" in set_cookie and "max-age=1209600" in set_cookie
        assert ("; secure" in set_cookie) is secure


async def test_the_cookie_of_datasettes_own_sign_in_is_hardened_too(datasette):
    answer = await get(datasette, f"/-/auth-token?token={datasette._root_token}", None)
    set_cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in set_cookie and "max-age=1209600" in set_cookie


# Trap 8: datasette-auth-passwords
async def test_unknown_names_take_as_long_as_known_ones(private, monkeypatch):
    accounts.redeem_link(private, accounts.make_link(private))
    accounts.set_password(private, "teacher", "anna", "a long pass phrase")
    work = []

    def verify(password: str, known: str) -> bool:
        algorithm, rounds, salt, digest = known.split("$")
        work.append((algorithm, rounds, len(salt), len(digest)))
        return verify_password(password, known)

    monkeypatch.setattr(accounts, "verify_password", verify)
    for name in ("anna", "nobody"):
        assert accounts.check_password(accounts.accounts(private), name, "wrong pass phrase") is None
    assert len(work) == 2 and len(set(work)) == 1, "the same work for both"


async def test_many_wrong_passwords_are_refused_without_hashing(datasette, private, monkeypatch):
    actor = await first(datasette)
    await post(datasette, "/-/account", {"username": "anna", "password": "a long pass phrase"}, actor)
    tried = []
    monkeypatch.setattr(accounts, "check_password", lambda *given: tried.append(given))
    for _ in range(13):
        answer = await post(datasette, "/-/login", {"username": "anna", "password": "x"})
    assert answer.status_code == 429 and len(tried) == 10


@pytest.mark.parametrize(
    "value", ["Basic", "Basic ", "Basic %%%", "Basic w7w=", "basic YW5uYTphIGxvbmcgcGFzcyBwaHJhc2U="]
)
async def test_a_basic_header_is_nothing(datasette, value):
    answer = await datasette.client.get("/", headers={"Authorization": value})
    assert answer.status_code == 403


# Signing in
async def test_a_link_signs_in_once_and_makes_the_first_account(datasette, private):
    token = accounts.make_link(private)
    assert accounts.accounts(private) == []
    assert (await datasette.client.head(f"/-/sign-in?token={token}")).status_code == 405, "a preview does not use it up"
    answer = await datasette.client.get(f"/-/sign-in?token={token}")
    assert answer.status_code == 302 and answer.headers["location"] == "/"
    assert [row["name"] for row in accounts.accounts(private)] == ["teacher"]
    cookie = {"ds_actor": answer.cookies["ds_actor"]}
    home = await datasette.client.get("/", cookies=cookie)
    assert home.status_code == 200 and "Choose a password" in home.text
    again = await datasette.client.get(f"/-/sign-in?token={token}")
    assert again.status_code == 403 and "set-cookie" not in again.headers


async def test_a_link_ends_after_an_hour_and_a_wrong_one_is_none(datasette, private):
    token = accounts.make_link(private, now=time.time() - 3601)
    for given in (token, "", "x", "../accounts.json"):
        assert (await datasette.client.get("/-/sign-in", params={"token": given})).status_code == 403
    assert accounts.accounts(private) == []


async def test_a_password_signs_in_and_leads_back(datasette, private):
    actor = await first(datasette)
    assert (await post(datasette, "/-/account", {"username": "anna", "password": "short"}, actor)).status_code == 400
    kept = await post(datasette, "/-/account", {"username": "anna", "password": "a long pass phrase"}, actor)
    assert kept.status_code == 302
    wrong = await post(datasette, "/-/login", {"username": "anna", "password": "another phrase"})
    assert wrong.status_code == 403 and "do not fit" in wrong.text
    form = {"username": "anna", "password": "a long pass phrase", "next": "/-/student?course=2&user=5"}
    answer = await post(datasette, "/-/login", form)
    assert answer.headers["location"] == "/-/student?course=2&user=5"
    cookie = {"ds_actor": answer.cookies["ds_actor"]}
    assert (await datasette.client.get("/-/actor.json", cookies=cookie)).json()["actor"] == {
        "id": "anna",
        "owner": True,
        "role": "teacher",
        "groups": [],
        "files": None,
    }


async def test_accounts_of_datasette_auth_passwords_sign_in_too(tmp_path, monkeypatch):
    monkeypatch.setenv("ANNAS_HASH", hash_password("a long pass phrase", iterations=1000))
    datasette = instance(made_up.small(tmp_path / "moodle.db"))
    settings = {"anna_password_hash": {"$env": "ANNAS_HASH"}, "actors": {"anna": {"id": "anna", "role": "teacher"}}}
    datasette._metadata_local["plugins"]["datasette-auth-passwords"] = settings
    answer = await post(datasette, "/-/login", {"username": "anna", "password": "a long pass phrase"})
    cookie = {"ds_actor": answer.cookies["ds_actor"]}
    who = (await datasette.client.get("/-/actor.json", cookies=cookie)).json()["actor"]
    assert who == {"id": "anna", "role": "teacher"}
    assert (await datasette.client.get("/-/metadata.json", cookies=cookie)).status_code == 403


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "x",
        "/\t/evil.example",
    ],
)
async def test_signing_in_leads_to_our_own_pages_only(datasette, private, address):
    await post(
        datasette,
        "/-/account",
        {"username": "anna", "password": "a long pass phrase"},
        await first(datasette),
    )
    form = {"username": "anna", "password": "a long pass phrase", "next": address}
    assert (await post(datasette, "/-/login", form)).headers["location"] == "/"


async def test_a_form_from_elsewhere_does_nothing(datasette):
    actor = await first(datasette)
    form = {"username": "evil", "password": "a long pass phrase"}
    answer = await datasette.client.post("/-/account", data=form, cookies=cookies(datasette, actor))
    assert answer.status_code == 403


async def test_signing_out(datasette):
    answer = await post(datasette, "/-/logout", {}, TEACHER)
    assert 'ds_actor=""' in answer.headers["set-cookie"] and "Max-Age=0" in answer.headers["set-cookie"]


async def test_without_an_account_the_page_says_how_to_get_in(datasette):
    for path in ("/", "/-/login"):
        assert "coursette serve" in (await get(datasette, path, None)).text


async def test_the_private_folder_is_private(datasette, private):
    await first(datasette)
    await get(datasette, "/-/student?course=2&user=5")
    recorded(datasette)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in private.iterdir()}
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert {name: oct(mode) for name, mode in modes.items() if name in ("key", "accounts.json", "audit.db")} == {
        "key": "0o600",
        "accounts.json": "0o600",
        "audit.db": "0o600",
    }
    assert modes["links"] == 0o700


async def test_a_session_outlives_a_restart_of_serve(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    cookie = cookies(instance(path), TEACHER)
    assert (await instance(path).client.get("/", cookies=cookie)).status_code == 200
