"""Behind a reverse proxy: whose words are believed, and that everything works below another address."""

from __future__ import annotations

import re
import socket
from html import unescape
from urllib.parse import urldefrag, urljoin, urlsplit

import httpx
import pytest

from loaders import accounts, proxy
from loaders.errors import CannotServe
from tests import made_up, reverse_proxy
from tests.visit import TEACHER, cookies, instance, served

PUBLIC = "https://data.example.edu/coursette/"
NGINX = "10.0.0.1"
SAYS = {"X-Forwarded-For": "203.0.113.5", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "data.example.edu"}


# ---- What --base-url and --behind-proxy take ----


@pytest.mark.parametrize(
    ("said", "origin", "path"),
    [
        (None, "", "/"),
        ("/", "", "/"),
        ("/coursette", "", "/coursette/"),
        ("/a/b-c_d.~e/", "", "/a/b-c_d.~e/"),
        ("https://Data.example.edu", "https://data.example.edu", "/"),
        ("https://data.example.edu:443/x", "https://data.example.edu", "/x/"),
        ("http://data.example.edu:8080/x/", "http://data.example.edu:8080", "/x/"),
        ("http://[::1]:8001/", "http://[::1]:8001", "/"),
    ],
)
def test_a_public_address(said, origin, path):
    assert proxy.public_address(said) == (origin, path)


@pytest.mark.parametrize(
    "said",
    [
        "coursette", "data.example.edu/x", "/a b/", "ftp://x/", "https:///x/", "https://u:p@x/", "https://x/?a=1",
        "/x?a", "//x/", "/x//y", "https://x:port/", "https://x y/", "/<script>", "/x#y", "https://[::1/", "https://x:99999/",
    ],
)  # fmt: skip
def test_what_is_no_address_is_said_to_be_none(said):
    with pytest.raises(CannotServe, match="is no address to serve at"):
        proxy.public_address(said)


def test_a_proxy_is_named_by_its_address():
    assert proxy.trusted(["127.0.0.1", "172.18.0.0/16, ::1"]) == ["127.0.0.1", "172.18.0.0/16", "::1"]
    for said in ("*", "0.0.0.0/0", "::/0", "nginx", "10.0.0.1/16"):
        with pytest.raises(CannotServe, match="names no proxy"):
            proxy.trusted([said])


# ---- Whose words are believed ----


@pytest.fixture
def reached(tmp_path):
    """Makes a visitor of an instance, whose requests come from `peer` with whatever headers."""
    path = made_up.small(tmp_path / "moodle.db")

    def visitor(base_url: str | None = PUBLIC, proxies=(NGINX,), peer: str = NGINX) -> httpx.AsyncClient:
        datasette = instance(path, base_url=base_url)
        app = proxy.BehindProxy(datasette.app(), proxy.public_address(base_url), proxies)
        transport = httpx.ASGITransport(app=app, client=(peer, 1))
        client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8001")
        client.signed_in = cookies(datasette, TEACHER)
        return client

    return visitor


async def sign_in(client: httpx.AsyncClient, tmp_path, headers: dict) -> httpx.Response:
    link = accounts.make_link(tmp_path / "private")
    return await client.get(f"/coursette/-/sign-in?token={link}", headers=headers)


async def test_over_https_the_cookie_is_secure_and_of_our_path(reached, tmp_path):
    answer = await sign_in(reached(), tmp_path, SAYS)
    said = answer.headers["set-cookie"]
    assert "; Secure" in said and "; Path=/coursette;" in said and "; HttpOnly" in said
    assert answer.headers["location"] == "/coursette/"
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize(("proxies", "peer"), [((), NGINX), (("10.0.0.2",), NGINX), ((NGINX,), "10.0.0.9")])
async def test_nobody_else_is_believed(reached, tmp_path, proxies, peer):
    client = reached("/coursette/", proxies, peer)
    answer = await sign_in(client, tmp_path, {**SAYS, "Forwarded": "proto=https;host=data.example.edu"})
    assert answer.status_code == 302, "the host is the one it was sent to"
    assert "Secure" not in answer.headers["set-cookie"] and "strict-transport-security" not in answer.headers


async def test_the_name_counts_that_the_visitor_asked_for(reached):
    client = reached()
    for said, status in (("data.example.edu", 200), ("evil.example", 400), ("evil.example, data.example.edu", 200)):
        answer = await client.get("/coursette/-/health", headers={**SAYS, "X-Forwarded-Host": said})
        assert answer.status_code == status, said
    stranger = reached(proxies=())
    answer = await stranger.get("/coursette/-/health", headers={**SAYS, "Host": "evil.example"})
    assert answer.status_code == 400, "not what a stranger says was asked for"


async def test_absolute_addresses_are_public(reached):
    for headers in (SAYS, {"Host": "data.example.edu"}, {"Host": "Data.Example.edu"}):
        client = reached(proxies=(NGINX,) if headers is SAYS else ())
        page = await client.get("/coursette/-/bookmarklet", headers=headers, cookies=client.signed_in)
        assert "<code>https://data.example.edu/coursette</code>" in page.text.replace("Data.Example", "data.example")
        script = await client.get("/coursette/-/coursette.user.js", headers=headers, cookies=client.signed_in)
        assert "@updateURL    https://data.example.edu/coursette/-/coursette.user.js" in script.text.replace(
            "Data.Example", "data.example"
        )


async def test_on_this_computer_it_is_still_http_without_a_promise_of_https(reached, tmp_path):
    answer = await sign_in(reached(proxies=()), tmp_path, {})
    assert "Secure" not in answer.headers["set-cookie"] and "strict-transport-security" not in answer.headers
    local = reached("https://localhost:8443/", ())
    answer = await local.get("/-/health", headers={"Host": "localhost:8443"})
    assert answer.status_code == 200 and "strict-transport-security" not in answer.headers


@pytest.fixture
def tried(tmp_path, monkeypatch) -> list[tuple]:
    """Passwords that were looked at, all of them wrong; there is one account."""
    private = accounts.private_folder([tmp_path / "moodle.db"])
    accounts.redeem_link(private, accounts.make_link(private))
    monkeypatch.setattr(accounts, "hash_password", lambda password: "a hash")
    accounts.set_password(private, "teacher", "anna", "a long pass phrase")
    seen: list[tuple] = []
    monkeypatch.setattr(accounts, "check_password", lambda *given: seen.append(given))
    return seen


async def knock(client: httpx.AsyncClient, number: int, **headers: str) -> int:
    """A wrong password, sent with these headers."""
    page = await client.get("/coursette/-/login", headers=headers)
    token = page.cookies.get("ds_csrftoken") or client.cookies["ds_csrftoken"]
    form = {"username": "anna", "password": f"wrong {number}", "csrftoken": token}
    return (await client.post("/coursette/-/login", data=form, headers=headers)).status_code


@pytest.mark.parametrize(
    ("proxies", "says"), [((), "{}"), ((), "203.0.113.{}"), ((NGINX,), "203.0.113.{}, 198.51.100.7")]
)
async def test_a_forged_address_is_no_way_round_the_wait(reached, tried, proxies, says):
    """Believed is only what the proxy added at the end, and a stranger not at all."""
    client = reached("/coursette/", proxies)
    answers = [await knock(client, n, **{"X-Forwarded-For": says.format(n)}) for n in range(14)]
    assert len(tried) == 10 and answers[10:] == [429] * 4


async def test_visitors_of_a_believed_proxy_do_not_wait_for_one_another(reached, tried):
    client = reached("/coursette/")
    for n in range(11):
        last = await knock(client, n, **{"X-Forwarded-For": "203.0.113.5"})
    assert (last, await knock(client, 0, **{"X-Forwarded-For": "203.0.113.6"})) == (429, 403)


async def test_under_plain_datasette_all_who_claim_an_address_are_one(tried, tmp_path):
    """`datasette .` lets uvicorn believe this machine's X-Forwarded-For, so the address may be anybody's invention."""
    app = instance(made_up.small(tmp_path / "other.db"), base_url="/coursette/").app()
    for n in range(14):
        transport = httpx.ASGITransport(app=app, client=(f"203.0.113.{n}", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            await knock(client, n, **{"X-Forwarded-For": f"203.0.113.{n}"})
    assert len(tried) == 10


# ---- Everything works below another address ----

LINK = re.compile(r"""\b(?:href|src|action)=["']([^"']+)["']""")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(params=["strips", "keeps"])
def behind(request, tmp_path):
    """(a proxy, its sign-in link): the same server, whether its proxy takes the prefix off or keeps it."""
    path = made_up.small(tmp_path / "moodle.db")
    with reverse_proxy.started(request.param == "strips") as running:
        running.upstream = free_port()
        home = running.url + reverse_proxy.PREFIX
        options = ["--port", str(running.upstream), "--base-url", home, "--behind-proxy", "127.0.0.1"]
        with served(path, options=options) as link:
            yield running, link


def test_every_link_form_and_file_stays_below_the_prefix(behind):
    running, link = behind
    home = f"{running.url}{reverse_proxy.PREFIX}/"
    assert link.startswith(f"{home}-/sign-in?token=")
    with httpx.Client(follow_redirects=True, timeout=20) as visitor:
        assert str(visitor.get(link).url) == home
        starts = [home, home[:-1], f"{home}moodle", f"{home}moodle/people", f"{home}moodle/people/"]
        starts += [f"{home}moodle/weeks?course=2", f"{home}-/student?course=2&user=5", f"{home}moodle?sql=select+1"]
        waiting, seen = [*starts, f"{home}moodle/people/1", f"{home}nothing"], set()
        for start in waiting:
            answer = visitor.get(start)
            assert answer.status_code == (404 if start.endswith("nothing") else 200), start
            for found in LINK.findall(answer.text):
                address = urldefrag(urljoin(str(answer.url), unescape(found))).url
                if urlsplit(address).netloc == urlsplit(home).netloc and not found.startswith("#"):
                    assert f"{address}/".startswith(home) and f"{home}coursette" not in address, (start, found)
                    seen.add(address)
        for address in sorted(seen - {f"{home}-/logout"}):
            assert visitor.get(address).status_code in (200, 403, 405), address  # 405: where a form is sent
    outside = [path for path in running.asked if not f"{path}/".startswith(reverse_proxy.PREFIX + "/")]
    assert outside == []


def test_forms_json_and_signing_in_work_there(behind):
    running, link = behind
    home = f"{running.url}{reverse_proxy.PREFIX}/"
    with httpx.Client(follow_redirects=True, timeout=20) as visitor:
        visitor.get(link)
        assert visitor.get(f"{home}-/usage.json?course=2").json()["students"] == 6
        token = visitor.get(f"{home}-/account").cookies.get("ds_csrftoken") or visitor.cookies["ds_csrftoken"]
        form = {"username": "anna", "password": "a long pass phrase", "csrftoken": token}
        assert str(visitor.post(f"{home}-/account", data=form).url) == home
        assert str(visitor.post(f"{home}-/logout", data={"csrftoken": token}).url) == home
        asked = visitor.get(f"{home}moodle/people")
        assert asked.status_code == 403 and f"?next={reverse_proxy.PREFIX}/moodle/people" in asked.text
        answer = visitor.post(f"{home}-/login", data={**form, "next": f"{reverse_proxy.PREFIX}/moodle/people"})
        assert str(answer.url) == f"{home}moodle/people" and answer.status_code == 200
