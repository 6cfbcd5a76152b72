"""Tokens of the page script: what one can do, from where, until when; and everything that does not work."""

from __future__ import annotations

import json
import re
import sqlite3
import stat
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from loaders import accounts, tokens
from loaders.cli import cli
from tests import made_up
from tests.visit import COLLEAGUE, TEACHER, cookies, get, instance, post

MOODLE = made_up.SITE
COURSE_2 = {"site": MOODLE, "course": 2}
COURSE_3 = {"site": MOODLE, "course": 3}
READS = ["/-/usage.json?course=2", "/-/access.json?course=2&activity=10", "/-/student.json?course=2&user=5",
         "/-/people.json?course=2"]  # fmt: skip
ELSEWHERE = ["/", "/-/student?course=2&user=5", "/-/student.csv?course=2&user=5", "/moodle.json?sql=select+1",
             "/moodle", "/moodle/people.json", "/moodle/student_profile.json?course=2", "/-/metadata.json",
             "/-/account", "/-/bookmarklet", "/-/coursette.user.js", "/-/find?q=zoe", "/-/usage.json/",
             "/-/learn?course=2"]  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    made_up.small(tmp_path / "moodle.db")
    folder = accounts.private_folder([tmp_path / "moodle.db"])
    accounts.make_owner(folder, "teacher")
    return folder


@pytest.fixture
def datasette(tmp_path, folder):
    return instance(tmp_path / "moodle.db")


def a_token(folder, courses=(COURSE_2,), **how) -> str:
    return tokens.text(folder, tokens.make(folder, "teacher", list(courses), **how))


def bearing(token: str, origin: str | None = MOODLE, **more: str) -> dict:
    from_page = {"Origin": origin, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"} if origin else {}
    return {"headers": {"Authorization": f"Bearer {token}", **from_page, **more}}


async def call(datasette, path: str, token: str, origin: str | None = MOODLE, **more: str):
    return await datasette.client.get(path, **bearing(token, origin, **more))


@pytest.mark.parametrize("path", READS)
async def test_a_token_reads_numbers_and_names_of_its_course_from_its_moodle(datasette, folder, path):
    answer = await call(datasette, path, a_token(folder))
    assert answer.status_code == 200, answer.text
    assert answer.headers["access-control-allow-origin"] == MOODLE
    assert "origin" in answer.headers["vary"].lower()
    assert answer.headers["cache-control"] == "private, no-store"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("path", ELSEWHERE)
async def test_a_token_is_useless_on_every_other_path_even_beside_the_cookie(datasette, folder, path):
    for origin in (MOODLE, None):
        answer = await get(datasette, path, **bearing(a_token(folder), origin))
        assert answer.status_code in (403, 404), path
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", READS)
async def test_another_origin_gets_nothing_with_a_stolen_token_or_without(datasette, folder, path):
    token = a_token(folder)
    for origin in ("https://evil.example", "null", "https://moodle.example.edu.evil.example", "http://moodle.example.edu",
                   "https://moodle.example.edu:8443", MOODLE.upper()):  # fmt: skip
        answer = await call(datasette, path, token, origin)
        assert answer.status_code == 403 and answer.json()["ok"] is False, origin
        assert "access-control-allow-origin" not in answer.headers and "Zoë" not in answer.text
        without = await get(datasette, path, headers={"Origin": origin, "Sec-Fetch-Site": "cross-site"})
        assert without.status_code == 403 and "access-control-allow-origin" not in without.headers


async def test_an_extension_and_a_program_have_no_origin_of_a_page(datasette, folder):
    token = a_token(folder)
    assert (await call(datasette, READS[0], token, None)).status_code == 200
    answer = await call(datasette, READS[0], token, "moz-extension://0b7e")
    assert answer.status_code == 200 and "access-control-allow-origin" not in answer.headers


async def test_the_small_window_says_for_whom_it_asks_and_a_page_cannot(datasette, folder):
    token = a_token(folder)
    ours = {"Sec-Fetch-Site": "same-origin"}
    answer = await call(datasette, READS[0], token, None, **{"Coursette-Origin": MOODLE}, **ours)
    assert answer.status_code == 200
    evil = {"Coursette-Origin": "https://evil.example"}
    assert (await call(datasette, READS[0], token, None, **evil, **ours)).status_code == 403
    assert (
        await call(datasette, READS[0], token, "https://evil.example", **{"Coursette-Origin": MOODLE})
    ).status_code == 403


async def test_a_token_of_another_course_reads_nothing_of_this_one(datasette, folder):
    token = a_token(folder, [COURSE_3])
    for path in READS:
        answer = await call(datasette, path, token)
        assert answer.status_code == 403 and "not for this course" in answer.json()["error"]
        assert answer.headers["access-control-allow-origin"] == MOODLE, "the script reads why"
    assert (await call(datasette, "/-/usage.json?course=3", token)).status_code == 200
    assert (await call(datasette, "/-/student.json?user=5", token)).status_code == 403, "no course named"


async def test_a_page_of_one_moodle_reads_no_course_of_another(datasette, folder):
    other = "https://other.example.edu"
    token = a_token(folder, [COURSE_2, {"site": other, "course": 2}])
    assert (await call(datasette, READS[0], token, MOODLE)).status_code == 200
    assert (await call(datasette, READS[0], token, other)).status_code == 403


async def test_a_token_ends_is_revoked_and_cannot_be_altered(datasette, folder, monkeypatch):
    record = tokens.make(folder, "teacher", [COURSE_2])
    token = tokens.text(folder, record)
    other_end = token[:-3] + ("AAA" if token[-3:] != "AAA" else "BBB")
    for wrong in (other_end, token.replace("coursette_", "coursette-"), "", "x" * 9999, "coursette_" + token):
        answer = await call(datasette, READS[0], wrong)
        assert answer.status_code == 401 and "Zoë" not in answer.text
    assert (await call(datasette, READS[0], token)).status_code == 200
    in_27_weeks = time.time() + 27 * 7 * 24 * 3600
    with monkeypatch.context() as later:
        later.setattr(tokens.time, "time", lambda: in_27_weeks)
        answer = await call(datasette, READS[0], token)
    assert answer.status_code == 401 and "has ended" in answer.json()["error"]
    assert answer.headers["access-control-allow-origin"] == MOODLE
    assert tokens.revoke(folder, "somebody else", record["id"]) is False
    assert tokens.revoke(folder, "teacher", record["id"]) is True
    answer = await call(datasette, READS[0], token)
    assert answer.status_code == 401 and "was revoked" in answer.json()["error"]


async def test_a_token_of_another_instance_or_of_a_gone_account_does_not_count(datasette, folder, tmp_path):
    stranger = tmp_path / "elsewhere"
    stranger.mkdir()
    assert (await call(datasette, READS[0], a_token(stranger))).status_code == 401
    token = a_token(folder)
    (folder / "accounts.json").write_text("[]")
    answer = await call(datasette, READS[0], token)
    assert answer.status_code == 401 and "account" in answer.json()["error"]


async def test_a_token_for_handing_files_in_reads_too(datasette, folder):
    answer = await call(datasette, READS[0], a_token(folder, right="refresh"))
    assert answer.status_code == 200


async def test_a_colleagues_token_reads_no_more_than_the_colleague(tmp_path, folder):
    rows = accounts.accounts(folder)
    (folder / "accounts.json").write_text(json.dumps([*rows, {**rows[0], "name": "colleague", "owner": False}]))
    token = tokens.text(folder, tokens.make(folder, "colleague", [COURSE_2]))
    datasette = instance(tmp_path / "moodle.db")
    datasette._metadata_local["allow"] = {"id": "teacher"}
    assert (await call(datasette, READS[0], token)).status_code == 403
    assert (await call(datasette, READS[0], a_token(folder))).status_code == 200


@pytest.mark.parametrize("path", READS)
async def test_the_preflight_is_answered_for_exactly_these_origins_and_paths(datasette, folder, path):
    a_token(folder)
    asks = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    asks |= {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
    yes = await datasette.client.options(path, headers={"Origin": MOODLE, **asks})
    assert yes.status_code == 204
    assert yes.headers["access-control-allow-origin"] == MOODLE
    assert yes.headers["access-control-allow-headers"] == "authorization"
    assert yes.headers["access-control-allow-methods"] == "GET"
    assert "access-control-allow-private-network" not in yes.headers
    for origin in ("https://evil.example", "null", "*"):
        no = await datasette.client.options(path, headers={"Origin": origin, **asks})
        assert no.status_code == 403
        assert not [name for name in no.headers if name.startswith("access-control")]
    for elsewhere in ("/moodle/people.json", "/-/find", "/", "/-/student"):
        no = await datasette.client.options(elsewhere, headers={"Origin": MOODLE, **asks})
        assert no.status_code == 403 and "access-control-allow-origin" not in no.headers


async def test_only_questions_are_asked_with_a_token(datasette, folder):
    for method in ("POST", "PUT", "DELETE"):
        answer = await datasette.client.request(method, READS[0], **bearing(a_token(folder)))
        assert answer.status_code == 405


async def test_odd_authorization_headers_are_refused_and_break_nothing(datasette, folder):
    token = a_token(folder)
    for value in (
        "Bearer",
        "bearer  ",
        f"Bearer {token} {token}",
        "Bearer \x01",
        f"Basic {token}",
        "Bearer " + "é" * 50,
    ):
        answer = await datasette.client.get(READS[0], headers={"Authorization": value.encode("latin-1")})
        assert answer.status_code in (401, 403), value
    twice = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]
    assert (await datasette.client.get(READS[0], headers=twice)).status_code == 403


async def test_tokens_outlive_a_restart_and_their_files_are_the_owners_alone(tmp_path, folder):
    token = a_token(folder)
    assert (await call(instance(tmp_path / "moodle.db"), READS[0], token)).status_code == 200
    for name in ("tokens.json", "token-key"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    kept = (folder / "tokens.json").read_text()
    assert token not in kept and token.split(".")[-1] not in kept


def test_two_processes_lose_no_token_of_each_other(folder, tree):
    code = (
        "import sys; from pathlib import Path; from loaders import tokens\n"
        "for _ in range(30): tokens.make(Path(sys.argv[1]), 'teacher', [{'site': None, 'course': 2}], sys.argv[2])"
    )
    makers = [subprocess.Popen([sys.executable, "-c", code, str(folder), name], cwd=tree) for name in ("one", "two")]
    assert [maker.wait(60) for maker in makers] == [0, 0]
    names = [row["name"] for row in tokens.records(folder)]
    assert (names.count("one"), names.count("two")) == (30, 30)


def test_an_origin_is_written_as_browsers_do():
    assert tokens.origin_of("https://Moodle.Example.edu:443/lms/") == "https://moodle.example.edu"
    assert tokens.origin_of("http://127.0.0.1:8045") == "http://127.0.0.1:8045"
    assert tokens.origin_of("http://[::1]:80/m") == "http://[::1]"


def test_a_site_that_is_no_address_gets_no_token(folder):
    for site in ("javascript:alert(1)", "moodle.example.edu", "https://user@evil.example", "https://a b", "*"):
        with pytest.raises(tokens.Refused):
            tokens.make(folder, "teacher", [{"site": site, "course": 2}])


# ---- The command ----


def run(*arguments) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli, ["token", *map(str, arguments)])
    return result.exit_code, result.stdout.strip(), result.stderr.strip()


async def test_the_command_prints_a_token_that_works_and_nothing_else(tmp_path, folder, datasette):
    status, token, said = run("--user", "teacher", "--course", 2, "--db", tmp_path / "moodle.db")
    assert status == 0 and re.fullmatch(r"coursette_[\w.-]+", token)
    assert "may read course 2 of https://moodle.example.edu until" in said and token not in said
    assert (await call(datasette, READS[0], token)).status_code == 200
    assert (await call(datasette, "/-/usage.json?course=3", token)).status_code == 403


async def test_the_first_token_makes_the_first_account(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    status, token, _ = run("--user", "marguerite", "--course", 2, "--course", 3, "--db", path)
    assert status == 0
    assert [(row["name"], row["owner"]) for row in accounts.accounts(tmp_path / "private")] == [("marguerite", True)]
    assert (await call(instance(path), "/-/usage.json?course=3", token)).status_code == 200


def test_the_command_says_what_is_wrong_in_a_sentence(tmp_path, folder):
    path = tmp_path / "moodle.db"
    status, out, said = run("--user", "nobody", "--db", path)
    assert (status, out) == (1, "") and "no account called nobody: the accounts here are teacher" in said
    assert "no course with Moodle's id 77" in run("--course", 77, "--db", path)[2]
    assert run("--right", "everything", "--db", path)[0] == 2
    assert "there is no" in run("--db", tmp_path / "none.db")[2] and not (tmp_path / "none.db").exists()
    with sqlite3.connect(path) as db:
        db.execute("update sites set url = null")
    assert "say it with --site URL" in run("--course", 2, "--db", path)[2]
    assert run("--course", 2, "--site", MOODLE, "--db", path)[0] == 0


# ---- The page ----


async def test_the_page_makes_one_token_lists_and_revokes_it(datasette, folder):
    first = await get(datasette, "/-/bookmarklet", TEACHER)
    again = await get(datasette, "/-/bookmarklet", TEACHER)
    made = tokens.records(folder)
    assert [(row["name"], row["user"], row["courses"]) for row in made] == [
        ("page script", "teacher", [COURSE_2, COURSE_3])
    ]
    token = tokens.text(folder, made[0])
    assert token in first.text and token in again.text
    assert token in (await get(datasette, "/-/coursette.user.js", TEACHER)).text
    assert (await call(datasette, READS[0], token)).status_code == 200
    await post(datasette, "/-/bookmarklet", {"action": "revoke", "id": made[0]["id"]}, TEACHER)
    assert (await call(datasette, READS[0], token)).status_code == 401
    page = (await get(datasette, "/-/bookmarklet", TEACHER)).text
    assert token not in page and "<b>revoked</b>" in page and "Make a new token" in page
    await post(datasette, "/-/bookmarklet", {"action": "renew"}, TEACHER)
    new = tokens.text(folder, tokens.records(folder)[-1])
    assert new != token and new in (await get(datasette, "/-/bookmarklet", TEACHER)).text


async def test_signing_out_everywhere_ends_the_tokens_too(datasette, folder):
    token = a_token(folder)
    assert (await call(datasette, READS[0], token)).status_code == 200
    page = await datasette.client.get("/-/account", cookies=cookies(datasette, TEACHER))
    csrf = page.cookies.get("ds_csrftoken", "")
    sent = {**cookies(datasette, TEACHER), "ds_csrftoken": csrf}
    await datasette.client.post("/-/sign-out-everywhere", data={"csrftoken": csrf}, cookies=sent)
    assert (await call(datasette, READS[0], token)).status_code == 401


async def test_a_course_loaded_later_is_added_when_the_page_is_opened(datasette, folder, tmp_path):
    await get(datasette, "/-/bookmarklet", TEACHER)
    with sqlite3.connect(tmp_path / "moodle.db") as db:
        db.execute(
            "insert into courses (site_id, moodle_id, timezone, timezone_from) values (1, 9, 'UTC', 'first load')"
        )
    await get(datasette, "/-/bookmarklet", TEACHER)
    assert [row["course"] for row in tokens.records(folder)[0]["courses"]] == [2, 3, 9]


async def test_the_page_makes_a_token_with_a_name_for_one_course(datasette, folder):
    form = {"action": "make", "name": "home <b>computer</b>", "course": "3", "right": "refresh"}
    page = await post(datasette, "/-/bookmarklet", form, TEACHER)
    made = next(row for row in tokens.records(folder) if row["right"] == "refresh")
    assert made["courses"] == [COURSE_3] and made["name"] == "home <b>computer</b>"
    assert tokens.text(folder, made) in page.text and "<b>computer" not in page.text
    refused = await post(datasette, "/-/bookmarklet", {**form, "name": " "}, TEACHER)
    assert "needs a name" in refused.text
    assert (
        "right is read or refresh" in (await post(datasette, "/-/bookmarklet", {**form, "right": "all"}, TEACHER)).text
    )


async def test_another_site_cannot_use_the_form_and_a_colleague_sees_no_token(datasette, folder):
    made = tokens.make(folder, "teacher", [COURSE_2])
    form = {"action": "revoke", "id": made["id"]}
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    answer = await datasette.client.post("/-/bookmarklet", data=form, headers=headers)
    assert answer.status_code == 403 and tokens.records(folder)[0]["revoked"] is None
    seen = await get(datasette, "/-/bookmarklet", COLLEAGUE)
    assert made["id"] not in seen.text and tokens.text(folder, made) not in seen.text
    assert (await get(datasette, "/-/bookmarklet", None)).status_code == 403


async def test_where_no_file_says_where_moodle_is_the_teacher_does(datasette, folder, tmp_path):
    with sqlite3.connect(tmp_path / "moodle.db") as db:
        db.execute("update sites set url = null")
    assert "No file you loaded so far says" in (await get(datasette, "/-/bookmarklet", TEACHER)).text
    assert tokens.records(folder) == []
    typed = "https://my.example.edu/lms/course/view.php?id=2"
    await get(datasette, f"/-/bookmarklet?site={typed}", TEACHER)
    assert tokens.records(folder) == [], "a link binds nothing, a form does"
    await post(datasette, "/-/bookmarklet", {"action": "site", "site": typed}, TEACHER)
    (record,) = tokens.records(folder)
    assert tokens.origins(record) == {"https://my.example.edu"}
    page = await get(datasette, "/-/bookmarklet", TEACHER)
    assert tokens.text(folder, record) in page.text and "https://my.example.edu/lms" in page.text
    answer = await call(datasette, READS[0], tokens.text(folder, record), "https://my.example.edu")
    assert answer.status_code == 200
