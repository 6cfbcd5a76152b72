"""Which addresses of blogs are asked: students choose them."""

import asyncio
import ssl
import threading
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
import trustme
from feed_server import ALLOWED, ANY, QUICK, Blog, Fault, resolve, serving, some_posts

from loaders.errors import Unreadable
from loaders.feed_address import PublicBackend, Refused, is_public, look_up, networks, source_of, web_address
from loaders.feed_fetch import Client, fetch
from loaders.feed_read import Known, read_blog

_PRIVATE = """127.0.0.1 127.9.9.9 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 240.0.0.1
    255.255.255.255 192.0.0.1 198.18.0.1 203.0.113.7 192.88.99.1 ::1 :: ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::127.0.0.1
    2002:7f00:1:: 2002:0a00:0001::1 2001:0:4136:e378:8000:63bf:80ff:fffe 64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b:1::1
    fe80::1 fe80::1%eth0 fec0::1 fc00::1 fd12::1 ff02::1 2001:db8::1 3fff::1 100::1"""
_HERE = """127.0.0.1 localhost localhost. LOCALHOST 2130706433 0x7f000001 0x7f.1 0177.0.0.1 017700000001 127.1 [::1]
    [::ffff:127.0.0.1] [64:ff9b::7f00:1] [2002:7f00:1::] 127.0.0.1. ①②⑦.0.0.1"""
PRIVATE, HERE = _PRIVATE.split(), _HERE.split()
PUBLIC = ("8.8.8.8", "192.0.78.12", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808")


def answers(*addresses: str):
    """A resolver that gives these addresses, one after another: first one, at the next look-up the next."""
    left = list(addresses)

    async def look_up(host: str, port: int) -> list[str]:
        return (left.pop(0) if len(left) > 1 else left[0]).split(",")

    return look_up


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_of_the_public_internet(address: str):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_of_the_public_internet(address: str):
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_public_name_that_leads_to_a_private_address_is_refused(address: str):
    with pytest.raises(Refused, match="private network"):
        await PublicBackend(resolve=answers(address)).connect_tcp("anna.example.org", 80)


async def test_every_way_to_write_this_machine_is_refused():
    with serving({"anna": Blog("wordpress", some_posts(1))}) as server:
        async with Client(limits=QUICK) as client:
            for host in HERE:
                with pytest.raises(Unreadable):
                    await fetch(client, f"http://{host}:{server.server_address[1]}/anna/")
        assert not server.requests


async def test_one_private_address_among_public_ones_is_enough():
    async with Client(limits=QUICK, resolve=answers("8.8.8.8,127.0.0.1")) as client:
        with pytest.raises(Refused):
            await fetch(client, "http://anna.example.org/")


async def test_a_name_that_leads_to_a_private_address_the_second_time_is_refused():
    """The address that was checked is the one connected to: what the name says later does not count."""
    with serving({"anna": Blog("wordpress", some_posts(1))}) as server:
        resolver = answers("127.0.0.1", "10.0.0.1")
        async with Client(ALLOWED, QUICK, resolver, ports=ANY) as client:
            await fetch(client, server.at("anna.example.org", "/anna/"))
            server.faults = [Fault("/anna", "redirect", server.at("other.example.org", "/anna/"))]
            with pytest.raises(Refused, match=r"10\.0\.0\.1"):
                await fetch(client, server.at("anna.example.org", "/anna/"))


async def test_the_name_is_looked_up_once_for_a_connection_and_the_checked_address_is_connected_to():
    asked = []

    class Below:
        async def connect_tcp(self, host: str, port: int, **_: object) -> str:
            asked.append(host)
            return "connected"

    backend = PublicBackend(resolve=answers("8.8.8.8", "127.0.0.1"))
    backend._below = Below()
    assert await backend.connect_tcp("anna.example.org", 80) == "connected"
    assert asked == ["8.8.8.8"]
    with pytest.raises(Refused):
        await backend.connect_tcp("anna.example.org", 80)
    assert asked == ["8.8.8.8"]


@pytest.mark.parametrize(
    ("location", "sentence"),
    [
        ("http://10.0.0.1/feed", "private network"),
        ("http://[::1]/feed", "private network"),
        ("http://169.254.169.254/latest/meta-data/", "private network"),
        ("file:///etc/passwd", "only http"),
        ("ftp://anna.example.org/feed", "only http"),
        ("gopher://127.0.0.1:25/", "only http"),
        ("http://teacher:secret@anna.example.org/feed", "user name or password"),
        ("http://anna.example.org:99999/", "an address that is none|no address"),
    ],
)
async def test_redirects_are_checked_as_the_first_address_is(location: str, sentence: str):
    with serving() as server:
        server.faults = [Fault("/", "redirect", location)]
        async with Client(ALLOWED, QUICK, ports=ANY) as client:
            with pytest.raises(Unreadable, match=sentence):
                await fetch(client, server.url)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "ftp://a.example", "javascript:alert(1)", "http://u:p@a.example/", "http://u@a.example",
     "http://", "http://a b.example/", "https://a.example:port/", "http://[::1", "http://fe80::1%25eth0/", "",
     "http://a.example\\@b.example/", "data:text/xml,<rss/>"],
)  # fmt: skip
def test_what_is_no_address_of_a_blog(address: str):
    with pytest.raises(Unreadable) as error:
        web_address(address)
    assert "u:p" not in str(error.value)


@pytest.mark.parametrize("name", ["xn--" + "a" * 60_000, "xn--" + "a" * 1500, "ü" * 900, "a" * 300, "a..b", "xn--ü"])
async def test_a_name_that_is_none_is_a_sentence(name: str):
    with serving() as server:
        server.faults = [Fault("/", "redirect", f"http://{name}/")]
        async with Client(ALLOWED, QUICK, ports=ANY) as client:
            for url in (f"http://{name}/", server.url):
                with pytest.raises(Unreadable):
                    await fetch(client, url)


def test_addresses_as_students_give_them():
    assert web_address(" anna.example.org/blog#top ") == "https://anna.example.org/blog"
    assert web_address("anna.example.org:8080/blog") == "https://anna.example.org:8080/blog"
    assert web_address("feed://anna.example.org/feed/") == "http://anna.example.org/feed/"
    assert web_address("feed:https://anna.example.org/feed/") == "https://anna.example.org/feed/"


@pytest.mark.parametrize(
    ("address", "source", "beside"),
    [
        ("130.102.7.9", "130.102.7.9", True),
        ("130.102.7.9", "130.102.7.200", True),
        ("130.102.8.9", "130.102.7.9", False),
        ("8.8.8.8", "192.168.1.5", False),
        ("2a02:1234:5678:1::10", "2a02:1234:5678:1:a:b:c:d", True),
        ("2a02:1234:5678:2::10", "2a02:1234:5678:1::10", False),
        ("8.8.8.8", None, False),
    ],
)
async def test_our_own_network_is_not_asked_by_its_public_addresses(address: str, source: str | None, beside: bool):
    def here(_):
        return ip_address(source) if source else None

    asked = PublicBackend(resolve=answers(address), source=here)
    allowing = PublicBackend(networks([address]), answers(address), source=here)
    assert await allowing.addresses("anna.example.org", 443) == [ip_address(address)]
    if beside:
        with pytest.raises(Refused, match="this computer or the network it stands in"):
            await asked.addresses("anna.example.org", 443)
    else:
        assert await asked.addresses("anna.example.org", 443) == [ip_address(address)]


def test_where_we_stand_is_what_the_system_says():
    assert source_of(ip_address("127.0.0.1")) == ip_address("127.0.0.1")
    assert source_of(ip_address("127.0.0.9")).is_loopback


async def test_a_port_is_asked_where_a_registered_address_names_it_and_its_network_is_allowed():
    with (
        serving({"anna": Blog("json", some_posts(1))}) as server,
        serving({"anna": Blog("rss", some_posts(1))}) as other,
    ):
        async with Client(ALLOWED, QUICK) as client:
            with pytest.raises(Refused, match="port "):
                await fetch(client, server.blog("anna"))
            assert [len(page.posts) async for page in read_blog(client, Known(server.blog("anna")))] == [1]
            server.faults = [Fault("/anna", "redirect", other.blog("anna"))]
            with pytest.raises(Refused, match="port "):
                await fetch(client, server.blog("anna"))
        assert other.requests == []


async def test_only_the_ports_of_the_web_are_asked_except_where_a_teacher_allows_the_network():
    async with Client(limits=QUICK, resolve=answers("8.8.8.8")) as client:
        with pytest.raises(Refused, match="port 25 "):
            await fetch(client, "http://anna.example.org:25/")
    with serving({"anna": Blog("wordpress", some_posts(1))}) as server:
        async with Client(networks(["127.0.0.1"]), QUICK, answers("::ffff:127.0.0.1"), ports=ANY) as client:
            with pytest.raises(Unreadable, match="cannot be reached"):  # allowed; but nothing listens at that one
                await fetch(client, "http://anna.example.org:1/")
        async with Client(ALLOWED, QUICK, resolve, ports=ANY) as client:
            assert (await fetch(client, server.at("anna.example.org", "/anna/"))).status == 200


def test_networks_as_a_teacher_writes_them():
    assert [str(net) for net in networks(["10.20.0.0/16", "10.20.1.5/24"])] == ["10.20.0.0/16", "10.20.1.0/24"]
    with pytest.raises(Unreadable, match="is no network"):
        networks(["campus"])


async def test_names_are_looked_up_though_all_else_is_busy():
    loop, done = asyncio.get_running_loop(), threading.Event()
    others = [loop.run_in_executor(None, done.wait) for _ in range(40)]
    try:
        assert "127.0.0.1" in await asyncio.wait_for(look_up("127.0.0.1", 80), 5)
    finally:
        done.set()
        await asyncio.gather(*others)


async def test_a_name_that_no_host_has():
    async with Client(limits=QUICK) as client:
        with pytest.raises(Unreadable, match=r"there is no host named|could not be looked up"):
            await fetch(client, "https://no-such-blog.invalid/")


async def test_nothing_of_this_machine_is_sent_and_no_cookie_is_kept(monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine anna.example.org login teacher password secret")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with serving({"anna": Blog("wordpress", some_posts(1))}) as server:
        async with Client(ALLOWED, QUICK, resolve, ports=ANY) as client:
            await fetch(client, server.at("anna.example.org", "/anna/"))
            await fetch(client, server.at("anna.example.org", "/anna/"))
        for _, headers in server.requests:
            assert not {"cookie", "authorization", "referer"} & set(headers)
            assert headers["user-agent"].startswith("Coursette/") and "feed reader" in headers["user-agent"]
            assert headers["accept-encoding"] == "gzip, deflate"


# ---- TLS ----


def secured(server, certificate) -> None:
    """Let a server speak TLS with a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)


@pytest.mark.parametrize(
    ("name", "days", "trusted", "sentence"),
    [
        ("anna.example.org", 9, True, None),
        ("anna.example.org", -1, True, "certificate of anna.example.org has expired"),
        ("other.example.org", 9, True, "is for another name"),
        ("127.0.0.1", 9, True, "is for another name"),
        ("anna.example.org", 9, False, "signed by nobody known"),
    ],
)
async def test_tls_is_about_the_name_though_a_checked_address_is_connected_to(
    monkeypatch, tmp_path, name: str, days: int, trusted: bool, sentence: str | None
):
    authority = trustme.CA()
    if trusted:
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    ends = datetime.now(UTC) + timedelta(days=days)
    with serving({"anna": Blog("wordpress", some_posts(1))}) as server:
        secured(server, authority.issue_cert(name, not_before=ends - timedelta(days=30), not_after=ends))
        async with Client(ALLOWED, QUICK, resolve, ports=ANY) as client:
            url = server.at("anna.example.org", "/anna/feed/").replace("http:", "https:")
            if sentence is None:
                assert (await fetch(client, url)).status == 200
            else:
                with pytest.raises(Unreadable, match=sentence):
                    await fetch(client, url)
