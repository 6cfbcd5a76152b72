"""Accounts: adding, changing and removing them, by command and by page, and what ends with each change."""

from __future__ import annotations

import json
import re
import threading
import time

import pytest
from click.testing import CliRunner

from loaders import account_list, accounts, tokens
from loaders.cli import cli
from tests import made_up
from tests.visit import TEACHER, get, instance, post

PHRASE = "a long pass phrase"
TUTOR = ("tina", "tutor", ["Online"])


@pytest.fixture
def datasette(tmp_path):
    return instance(made_up.small(tmp_path / "moodle.db"))


@pytest.fixture
def private(datasette, tmp_path):
    accounts.make_owner(tmp_path / "private", "teacher")
    return tmp_path / "private"


def run(tmp_path, *arguments: str, given: str = ""):
    return CliRunner().invoke(cli, ["account", *arguments, "--db", str(tmp_path / "moodle.db")], input=given)


def row(private, name: str) -> dict:
    return next(each for each in accounts.accounts(private) if each["name"] == name)


# By command
def test_adding_one_prints_a_link_and_keeps_no_password(private, tmp_path):
    result = run(tmp_path, "add", *TUTOR[:1], "--role", "tutor", "--group", "Online", "--file", "moodle.db")
    assert result.exit_code == 0 and re.search(
        r"^Sign in: http://127\.0\.0\.1:8001/-/sign-in\?token=\S+$", result.output, re.M
    )
    kept = row(private, "tina")
    assert (kept["role"], kept["groups"], kept["files"], kept["hash"]) == ("tutor", ["Online"], ["moodle"], None)
    assert accounts.actor(kept) == {
        "id": "tina", "owner": False, "role": "tutor", "groups": ["Online"], "files": ["moodle"],
    }  # fmt: skip


def test_a_group_that_is_not_loaded_is_said(private, tmp_path):
    assert "No group is called “Onlin”" in run(tmp_path, "add", "tina", "--role", "tutor", "--group", "Onlin").output
    assert "No group" not in run(tmp_path, "role", "tina", "tutor", "--group", "7").output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("add", "tina", "--role", "tutor"), "say which"),
        (("add", "tina", "--role", "boss"), "A role is teacher, tutor, colleague, student."),
        (("add", "tina", "--role", "colleague", "--group", "Online"), "Only a tutor has groups"),
        (("add", "Teacher", "--role", "colleague"), "taken"),
        (("add", "root", "--role", "teacher"), "Datasette's own"),
        (("add", "../x", "--role", "teacher"), "starts with a letter"),
        (("role", "teacher", "colleague"), "owner"),
        (("remove", "teacher"), "owner"),
        (("link", "teacher"), "owner"),
        (("remove", "nobody"), "no account called nobody"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(private, tmp_path, arguments, sentence):
    before = accounts.accounts(private)
    result = run(tmp_path, *arguments)
    assert result.exit_code == 1 and sentence in result.output and "Traceback" not in result.output
    assert accounts.accounts(private) == before


def test_the_first_account_of_all_is_still_the_owners(tmp_path):
    made_up.small(tmp_path / "moodle.db")
    assert run(tmp_path, "add", "cora", "--role", "colleague").exit_code == 0
    assert [(each["name"], bool(each["owner"])) for each in accounts.accounts(tmp_path / "private")] == [
        ("teacher", True),
        ("cora", False),
    ]


def test_a_password_is_read_from_standard_input_or_asked_for_twice(private, tmp_path):
    account_list.add(private, "cora", "colleague")
    assert run(tmp_path, "password", "cora", "--password-stdin", given=f"{PHRASE}\n").exit_code == 0
    assert accounts.check_password(accounts.accounts(private), "cora", PHRASE)
    assert run(tmp_path, "password", "cora", given="another pass phrase\nnot the same\n").exit_code == 1
    assert run(tmp_path, "password", "cora", given="another pass phrase\n" * 2).exit_code == 0
    assert accounts.check_password(accounts.accounts(private), "cora", "another pass phrase")


def test_the_list_says_who_may_do_what_and_no_hash(private, tmp_path):
    account_list.add(private, *TUTOR, ["moodle"])
    account_list.set_password(private, "tina", PHRASE)
    said = run(tmp_path, "list").output
    assert said.splitlines() == ["teacher  owner; no password yet", "tina     tutor; groups: Online; files: moodle"]


# What ends
CHANGES = {
    "role": lambda folder: account_list.set_role(folder, "tina", "colleague"),
    "password": lambda folder: account_list.set_password(folder, "tina", PHRASE),
    "remove": lambda folder: account_list.remove(folder, "tina"),
    "remove and add": lambda folder: (account_list.remove(folder, "tina"), account_list.add(folder, *TUTOR)),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_every_change_ends_sessions_and_tokens(datasette, private, change):
    account_list.add(private, *TUTOR)
    cookie = await sign_in(datasette, accounts.make_link(private, name="tina"))
    token = tokens.text(private, tokens.make(private, "tina", [{"site": made_up.SITE, "course": 2}]))
    bearing = {"Authorization": f"Bearer {token}"}
    assert (await datasette.client.get("/", cookies=cookie)).status_code == 200
    assert (await datasette.client.get("/-/usage.json?course=2", headers=bearing)).status_code == 200
    CHANGES[change](private)
    assert (await datasette.client.get("/", cookies=cookie)).status_code == 403
    assert (await datasette.client.get("/-/usage.json?course=2", headers=bearing)).status_code == 401


async def test_a_role_changed_in_the_file_by_hand_counts_at_once(datasette, private):
    account_list.add(private, "tara", "teacher")
    cookie = await sign_in(datasette, accounts.make_link(private, name="tara"))
    assert (await datasette.client.get("/moodle/people", cookies=cookie)).status_code == 200
    rows = [{**each, "role": "student"} if each["name"] == "tara" else each for each in accounts.accounts(private)]
    (private / "accounts.json").write_text(json.dumps(rows), encoding="utf-8")
    assert (await datasette.client.get("/moodle/people", cookies=cookie)).status_code == 403


async def test_an_open_link_ends_with_its_account_also_for_the_next_of_that_name(datasette, private):
    account_list.add(private, *TUTOR)
    token = account_list.link(private, "tina")
    account_list.remove(private, "tina")
    account_list.add(private, "tina", "teacher")
    answer = await post(datasette, f"/-/sign-in?token={token}", {"token": token})
    assert answer.status_code == 403 and "set-cookie" not in answer.headers


def test_two_at_once_lose_nothing(private):
    names = [f"c{number}" for number in range(12)]
    threads = [threading.Thread(target=account_list.add, args=(private, name, "colleague")) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {each["name"] for each in accounts.accounts(private)} == {"teacher", *names}


# The link that is handed over
async def sign_in(datasette, token: str) -> dict[str, str]:
    """The cookie that a handed-over link gives, as a browser gets it: a page with a button, then a form."""
    answer = await post(datasette, f"/-/sign-in?token={token}", {"token": token})
    assert answer.status_code == 302 and answer.headers["location"] == "/-/account"
    return {"ds_actor": answer.cookies["ds_actor"]}


async def test_a_scanner_of_mail_does_not_use_a_link_up(datasette, private):
    account_list.add(private, *TUTOR)
    token = account_list.link(private, "tina")
    page = await datasette.client.get(f"/-/sign-in?token={token}")
    assert page.status_code == 200 and "Sign in as tina" in page.text and "ds_actor" not in page.cookies
    cookie = await sign_in(datasette, token)
    assert (await post(datasette, f"/-/sign-in?token={token}", {"token": token})).status_code == 403
    chosen = await with_form(datasette, "/-/account", {"username": "another", "password": PHRASE}, cookie)
    assert chosen.status_code == 302
    assert accounts.check_password(accounts.accounts(private), "tina", PHRASE), (
        "the name stays: things are shared with it"
    )


async def with_form(datasette, path: str, form: dict, cookie: dict):
    page = await datasette.client.get(path, cookies=cookie)
    token = page.cookies.get("ds_csrftoken", "")
    return await datasette.client.post(
        path, data={**form, "csrftoken": token}, cookies={**cookie, "ds_csrftoken": token}
    )


def test_a_link_lasts_three_days_and_a_new_one_ends_only_its_own(private):
    account_list.add(private, *TUTOR)
    old = accounts.make_link(private, time.time() - 3 * 24 * 3600 - 1, "tina")
    assert accounts.link_of(private, old) is None and accounts.redeem_link(private, old) is None
    owners, first = accounts.make_link(private), account_list.link(private, "tina")
    second = account_list.link(private, "tina")
    assert accounts.link_of(private, first) is None
    assert accounts.link_of(private, second) == "tina" and accounts.link_of(private, owners) == ""


# The page
async def test_the_page_adds_changes_and_removes(datasette, private):
    form = {"do": "add", "name": "tina", "role": "tutor", "group": ["2:7", "2:8"]}
    added = await post(datasette, "/-/accounts", form, TEACHER)
    link = re.search(r"<code>(http://localhost/-/sign-in\?token=[\w-]+)</code>", added.text)
    assert added.status_code == 200 and link and row(private, "tina")["groups"] == ["2:7", "2:8"]
    assert "Online (EDC3100), Toowoomba (EDC3100)" in added.text and "no-store" in added.headers["cache-control"]
    assert link[1] not in (await get(datasette, "/-/accounts")).text, "shown once"
    await post(datasette, "/-/accounts", {"do": "role", "name": "tina", "role": "colleague"}, TEACHER)
    assert "groups" not in row(private, "tina")
    again = await post(datasette, "/-/accounts", {"do": "link", "name": "tina"}, TEACHER)
    assert "sign-in?token=" in again.text
    await post(datasette, "/-/accounts", {"do": "remove", "name": "tina"}, TEACHER)
    assert [each["name"] for each in accounts.accounts(private)] == ["teacher"]


@pytest.mark.parametrize("form", [{}, {"do": "x"}, {"do": "remove", "name": "teacher"}, {"do": "add", "name": "<b>x"}])
async def test_the_page_refuses_in_a_sentence(datasette, private, form):
    answer = await post(datasette, "/-/accounts", form, TEACHER)
    assert answer.status_code == 400 and 'role="alert"' in answer.text and "<b>x" not in answer.text
    assert len(accounts.accounts(private)) == 1


async def test_a_form_without_our_token_changes_nothing(datasette, private):
    cookie = await sign_in_owner(datasette, private)
    answer = await datasette.client.post(
        "/-/accounts", data={"do": "add", "name": "eve", "role": "teacher"}, cookies=cookie
    )
    assert answer.status_code == 403 and len(accounts.accounts(private)) == 1


async def sign_in_owner(datasette, private) -> dict[str, str]:
    answer = await datasette.client.get(f"/-/sign-in?token={accounts.make_link(private)}")
    return {"ds_actor": answer.cookies["ds_actor"]}
