"""Requests that nobody sends by mistake: they end in a sentence, in bounded time, and break nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from loaders import accounts, forms, tokens
from tests import made_up
from tests.visit import COLLEAGUE, TEACHER, TREE, ask_raw, cookies, get, instance

CALLS = ["/-/usage.json", "/-/access.json", "/-/people.json", "/-/student.json"]
PAGES = [*CALLS, "/-/bookmarklet", "/-/coursette.user.js", "/-/learn", "/-/student", "/-/find", "/-/login", "/"]
NAMES = ["course", "user", "student", "activity", "part", "group", "from_week", "to_week", "together", "site", "db",
         "person", "name", "q", "next", "token"]  # fmt: skip
VALUES = ["%FF%FE", "%00", "9" * 30, "9" * 5000, "-1", "1e400", "%ED%A0%80", "%F0%9F%98%80" * 300, "x" * 50_000,
          "%C2%B2", "1_000", "chapter:" + "9" * 30, "chapter:%00", "../..", "'%22--", "http://[::1", "https://a.b:99999",
          "https://%00", "%", "%zz"]  # fmt: skip
GOOD = {"course": "2", "user": "5", "activity": "10"}


@pytest.fixture
def folder(tmp_path):
    made_up.small(tmp_path / "moodle.db")
    folder = accounts.private_folder([tmp_path / "moodle.db"])
    accounts.make_owner(folder, "teacher")
    return folder


@pytest.fixture
def datasette(tmp_path, folder):
    return instance(tmp_path / "moodle.db")


def address(path: str, **changed: str) -> str:
    return f"{path}?" + "&".join(f"{name}={value}" for name, value in {**GOOD, **changed}.items())


@pytest.mark.parametrize("name", NAMES)
async def test_no_value_breaks_a_page(datasette, name):
    for path in PAGES:
        for value in VALUES:
            answer = await get(datasette, address(path, **{name: value}))
            assert answer.status_code < 500 and "Traceback" not in answer.text, (path, value[:20])


@pytest.mark.parametrize("many", ["group=Online&", "course=2&", "part=chapter:7&", "x=1&", "_=;&"])
async def test_very_many_parameters_are_answered(datasette, many):
    for path in PAGES:
        answer = await get(datasette, f"{address(path)}&{many * (60_000 // len(many))}")
        assert answer.status_code < 500, path


@pytest.mark.parametrize("site", ["https://a.b:99999", "http://[::1", "https://a.b:x"])
async def test_a_site_without_an_origin_gets_into_no_token(datasette, folder, site):
    with pytest.raises(tokens.Refused):
        tokens.make(folder, "teacher", [{"site": site, "course": 2}])
    assert (await get(datasette, f"/-/bookmarklet?site={site}")).status_code == 200


# ---- Forms ----

FORM = "application/x-www-form-urlencoded"


def posting(datasette, path: str, body: bytes, who=None, content_type: str = FORM, **headers: str):
    sent = {**cookies(datasette, who), "ds_csrftoken": "x"}
    cookie = "; ".join(f"{name}={value}" for name, value in sent.items())
    headers = {"Content-Type": content_type, "Cookie": cookie, **headers}
    return ask_raw(datasette, path.encode(), headers, "POST", body)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (FORM, b"csrftoken=\xff\xfe"),
        (FORM, "csrftoken=é".encode()),
        (FORM, b"csrftoken=%C3%A9&x=%FF"),
        (FORM, b"&".join([b"a=1"] * 100_000)),
        (FORM, b"\0" * 1000),
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"\xff" * 1000),
        ("multipart/form-data; boundary=", b"--\r\n"),
        ("text/plain", b"csrftoken=x"),
        ("", b""),
    ],
)
async def test_a_form_that_cannot_be_read_is_refused_with_a_sentence(datasette, content_type, body):
    for path in ("/-/login", "/-/bookmarklet", "/-/learn?course=2", "/"):
        for who in (None, TEACHER):
            status, text = await posting(datasette, path, body, who, content_type)
            assert status in (400, 403) and "Traceback" not in text, (path, who)


async def test_an_odd_header_against_forged_forms_is_refused(datasette):
    status, _ = await posting(datasette, "/-/login", b"", **{"X-CSRFToken": "é"})
    assert status == 400


@pytest.mark.parametrize(
    ("path", "who", "most"),
    [
        ("/-/login", None, forms.MOST_BYTES),
        ("/-/account", TEACHER, forms.MOST_BYTES),
        ("/-/learn?course=2", TEACHER, forms.LARGER["/-/learn"]),
    ],
)
async def test_a_form_has_a_largest_size(datasette, path, who, most):
    for size, expected in ((most, 403), (most + 1, 413), (most * 2, 413)):
        status, text = await posting(datasette, path, b"a" * size, who)
        assert status == expected, size  # 403: read, and found to be without the token of a form of ours
    assert "too large" in text


async def test_a_stranger_is_refused_before_a_large_form_is_read(datasette):
    async def never():
        raise AssertionError("it was read")

    async def keep(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/-/learn", "raw_path": b"/-/learn", "scheme": "http"}
    scope |= {"headers": [(b"host", b"localhost"), (b"content-type", FORM.encode())], "query_string": b""}
    sent: list[dict] = []
    await datasette.app()(scope, never, keep)
    assert sent[0]["status"] == 403


async def test_an_endless_form_is_not_heard_out(datasette):
    count = 0

    async def endless():
        nonlocal count
        count += 1
        return {"type": "http.request", "body": b"a" * 100_000, "more_body": True}

    async def keep(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/-/login", "raw_path": b"/-/login", "scheme": "http"}
    scope |= {"headers": [(b"host", b"localhost"), (b"content-type", FORM.encode())], "query_string": b""}
    sent: list[dict] = []
    await datasette.app()(scope, endless, keep)
    assert sent[0]["status"] == 413 and count < 100


async def test_a_form_that_breaks_off_is_no_form(datasette):
    async def gone():
        return {"type": "http.disconnect"}

    with pytest.raises(Exception, match="cannot be read"):
        await forms.bounded(datasette, {"method": "POST", "headers": [], "path": "/-/login"}, gone)


# ---- Broken files of the private folder ----


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"a": 1}', '[{"id": "x"}]', "[" * 100_000, "\x00"])
async def test_a_broken_list_of_tokens_lets_nobody_in_and_says_so(datasette, folder, text):
    token = tokens.text(folder, tokens.make(folder, "teacher", [{"site": made_up.SITE, "course": 2}]))
    (folder / "tokens.json").write_text(text)
    for path in CALLS:
        headers = {"Authorization": f"Bearer {token}", "Origin": made_up.SITE, "Sec-Fetch-Site": "cross-site"}
        answer = await datasette.client.get(address(path), headers=headers)
        assert answer.status_code == 401 and "tokens.json" in answer.json()["error"]
        asks = {"Origin": made_up.SITE, "Access-Control-Request-Method": "GET"}
        assert (await datasette.client.options(path, headers=asks)).status_code == 403
    page = await get(datasette, "/-/bookmarklet")
    assert page.status_code == 503 and "tokens.json" in page.text
    assert (folder / "tokens.json").read_text() == text, "nothing is thrown away"
    assert (await get(datasette, address("/-/student"))).status_code == 200, "the rest works"


async def test_without_its_list_or_key_a_token_does_not_count(datasette, folder):
    for name in ("tokens.json", "token-key"):
        token = tokens.text(folder, tokens.make(folder, "teacher", [{"site": made_up.SITE, "course": 2}]))
        headers = {"Authorization": f"Bearer {token}"}
        assert (await datasette.client.get(address(CALLS[0]), headers=headers)).status_code == 200
        (folder / name).unlink()
        answer = await datasette.client.get(address(CALLS[0]), headers=headers)
        assert answer.status_code == 401 and "not one of this server's" in answer.json()["error"]
        assert (await get(datasette, "/-/bookmarklet")).status_code == 200


@pytest.mark.parametrize("damaged", [b"", b"\n", b"\xff\xfe", b"short"])
async def test_a_damaged_key_signs_nothing(datasette, folder, damaged):
    record = tokens.make(folder, "teacher", [{"site": made_up.SITE, "course": 2}])
    headers = {"Authorization": f"Bearer {tokens.text(folder, record)}"}
    (folder / "token-key").write_bytes(damaged)
    answer = await datasette.client.get(address(CALLS[0]), headers=headers)
    assert answer.status_code == 401 and "token-key" in answer.json()["error"]
    assert (await get(datasette, "/-/bookmarklet")).status_code == 503
    (folder / "key").write_bytes(damaged)
    with pytest.raises(accounts.Refused, match="damaged"):
        accounts.signing_key(folder)


def test_of_processes_that_make_the_first_key_at_once_one_wins_for_all(tmp_path):
    code = (
        "import sys; from pathlib import Path; from loaders import accounts; sys.stdin.readline(); "
        "print(accounts.key(Path(sys.argv[1]), 'token-key'))"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": TREE}
    running = [subprocess.Popen(command, **pipes) for _ in range(3)]
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    keys = {process.communicate()[0] for process in running}
    assert len(keys) == 1 and len(keys.pop().strip()) == 64
    assert [file.name for file in tmp_path.iterdir()] == ["token-key"]


async def test_a_colleague_may_send_no_large_form(datasette):
    assert (await posting(datasette, "/-/learn?course=2", b"a" * 1_000_001, COLLEAGUE))[0] in (403, 413)
