"""A site's own sign-in in front: whose header counts, for whom, and what it cannot do."""

from __future__ import annotations

from contextlib import closing

import httpx
import pytest

from loaders import account_list, accounts, look_ups, proxy, tokens
from loaders.errors import CannotServe
from tests import made_up
from tests.visit import instance, recorded

NGINX, STRANGER, HEADER = "192.0.2.1", "198.51.100.7", "X-Remote-User"


@pytest.fixture
def house(tmp_path):
    """(Datasette, client by proxy settings and peer): accounts of the owner `anna`, tutor `tina`, student `stu`."""
    path = made_up.small(tmp_path / "moodle.db")
    private = accounts.private_folder([path])
    accounts.make_owner(private, "anna")
    account_list.add(private, "tina", "tutor", ["8"])
    account_list.add(private, "stu", "student")
    datasette = instance(path, trusted_header=HEADER)

    def client(header: str = HEADER, proxies=(NGINX,), peer: str = NGINX) -> httpx.AsyncClient:
        app = proxy.BehindProxy(datasette.app(), proxy.Public(), proxies, header)
        transport = httpx.ASGITransport(app, client=(peer, 1))
        return httpx.AsyncClient(transport=transport, base_url="http://localhost")

    return datasette, client


async def test_a_believed_proxy_says_who_has_signed_in(house):
    _, client = house
    for name, status in (("anna", 200), ("tina", 403), ("stu", 403), ("nobody", 403), ("", 403), ("Anna", 403)):
        answer = await client().get("/moodle/people.json", headers={HEADER: name})
        assert answer.status_code == status, name
    assert (await client().get("/moodle/people.json", headers={"x-remote-user": "anna"})).status_code == 200
    assert len(accounts.accounts(recorded(house[0]).parent)) == 3, "it makes no account"


@pytest.mark.parametrize(
    "how",
    [
        {"peer": STRANGER},
        {"proxies": ()},
        {"proxies": (STRANGER,)},
    ],
)
async def test_nobody_else_is_heard(house, how):
    answer = await house[1](**how).get(
        "/moodle/people.json", headers={HEADER: "anna", "X-Forwarded-For": NGINX, "X-Forwarded-User": "anna"}
    )
    assert answer.status_code == 403


async def test_it_is_off_unless_said(house, tmp_path):
    datasette, client = house
    datasette._metadata_local["plugins"]["coursette"]["trusted_header"] = ""
    assert (await client("").get("/moodle/people.json", headers={HEADER: "anna"})).status_code == 403
    datasette._metadata_local["plugins"]["coursette"]["trusted_header"] = HEADER
    plain = await datasette.client.get("/moodle/people.json", headers={HEADER: "anna"})
    assert plain.status_code == 403, "under plain `datasette .` no proxy is known"


async def test_two_names_are_none(house):
    headers = [(HEADER, "stu"), (HEADER, "anna")]
    assert (await house[1]().get("/moodle/people.json", headers=headers)).status_code == 403


async def test_it_goes_before_a_session_and_never_with_a_token(house, tmp_path):
    datasette, client = house
    link = await datasette.client.get(f"/-/sign-in?token={accounts.make_link(tmp_path / 'private')}")
    cookies = {"ds_actor": link.cookies["ds_actor"]}
    async with client() as visitor:
        visitor.cookies.update(cookies)
        assert (await visitor.get("/moodle/people.json")).status_code == 200, "the owner's own session, without a name"
        assert (await visitor.get("/moodle/people.json", headers={HEADER: "stu"})).status_code == 403
        both = {HEADER: "anna", "Authorization": "Bearer coursette_x"}
        assert (await visitor.get("/moodle/people.json", headers=both)).status_code == 403
    private = tmp_path / "private"
    token = tokens.text(private, tokens.make(private, "stu", [{"site": made_up.SITE, "course": 2}]))
    answer = await client().get("/-/usage.json?course=2", headers={HEADER: "anna", "Authorization": f"Bearer {token}"})
    assert answer.status_code == 403, "the token's account counts"


async def test_there_is_no_password_to_choose(house, tmp_path):
    answer = await house[1]().get("/-/account", headers={HEADER: "anna"})
    assert answer.status_code == 403 and "signed in by your institution" in answer.text


async def test_the_record_says_so(house):
    datasette, client = house
    assert (await client().get("/-/student?course=2&user=18", headers={HEADER: "tina"})).status_code == 200
    with closing(look_ups.opened(recorded(datasette))) as record:
        assert record.execute("select actor, signed_in_by from look_ups").fetchall() == [("tina", "header")]


@pytest.mark.parametrize("name", ["Host", "cookie", "Authorization", "X Remote", "", "x"])
def test_what_may_be_such_a_header(name):
    if name == "":
        assert proxy.trusted_header(name, ()) == ""
    else:
        with pytest.raises(CannotServe):
            proxy.trusted_header(name, (NGINX,))


def test_it_needs_a_proxy_to_believe():
    with pytest.raises(CannotServe, match="--behind-proxy"):
        proxy.trusted_header(HEADER, ())
    assert proxy.trusted_header(HEADER, (NGINX,)) == HEADER


@pytest.mark.parametrize("origin", ["http://evil.example", "null", None])
async def test_another_site_sends_no_form_for_her(house, origin):
    """asgi-csrf lets a form without any cookie through: signed in by the header, she has none."""
    headers = {HEADER: "anna", "Content-Type": "text/plain"} | ({"Origin": origin} if origin else {})
    for path, body in (("/-/accounts", "do=role&name=tina&role=teacher"), ("/-/pseudonyms", "on=0")):
        answer = await house[1]().post(path, headers=headers, content=body)
        assert answer.status_code == 403 and "set-cookie" not in answer.headers, path
    tina = next(row for row in accounts.accounts(recorded(house[0]).parent) if row["name"] == "tina")
    assert tina["role"] == "tutor"
