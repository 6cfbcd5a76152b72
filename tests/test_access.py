"""Who may see what: a stranger nothing, by any door; each access trap that Datasette and its plugins have."""

from __future__ import annotations

import json
import re
import sqlite3
import stat
import subprocess
import sys
import time

import httpx
import pytest
from datasette.app import Datasette
from datasette.plugins import pm
from datasette_auth_passwords.utils import hash_password

from loaders import accounts, serving, web
from tests import made_up
from tests.visit import COLLEAGUE, TEACHER, TREE, cookies, get, instance, post

DATA = [
    "/", "/.json", "/moodle", "/moodle.json", "/moodle.db", "/moodle/people", "/moodle/people.json",
    "/moodle/people.csv?_stream=on", "/moodle/people/1", "/moodle/people/1.json", "/moodle/people_fts.json",
    "/moodle/people_fts_data.json", "/moodle/events?_facet=person_id", "/moodle/people?_where=1=1",
    "/moodle?sql=select+*+from+people", "/moodle.json?sql=select+1", "/moodle.csv?sql=select+1",
    "/moodle/student_profile", "/moodle/student_profile.json?course=2&student=5", "/moodle/weeks.csv",
    "/-/student?course=2&user=5", "/-/student.json?course=2&user=5", "/-/student.csv?course=2&user=5",
    "/-/usage.json?course=2", "/-/access.json?course=2&activity=10", "/_internal",
    "/_internal.json", "/_memory", "/-/account", "/-/bookmarklet", "/-/coursette.user.js", "/nothing/here",
    "/-/nothing", "/-/logout",
]  # fmt: skip
WORKS = [
    "/-/metadata", "/-/metadata.json", "/-/settings.json", "/-/settings", "/-/config", "/-/config.json",
    "/-/plugins.json", "/-/plugins", "/-/versions.json", "/-/databases.json", "/-/databases",
    "/-/threads.json", "/-/allow-debug", "/-/password-tool", "/-/permissions", "/-/messages", "/-/patterns",
]  # fmt: skip
NAMES = ("Müller", "student.example.edu", "Sam Lee", "EDC3100", "select ")


@pytest.fixture
def datasette(tmp_path):
    return instance(made_up.small(tmp_path / "moodle.db"))


@pytest.fixture
def private(datasette, tmp_path):
    return tmp_path / "private"


@pytest.mark.parametrize("path", [*DATA, *WORKS, "/-/actor.json"])
async def test_a_stranger_gets_nothing(datasette, path):
    answer = await get(datasette, path, None)
    assert answer.status_code == 403
    assert not any(name in answer.text for name in NAMES)
    assert answer.headers["cache-control"] == "private, no-store"
    if path.partition("?")[0].endswith(".json"):  # trap 9: JSON that is refused is JSON
        assert answer.json() == {"ok": False, "error": "Please sign in first.", "status": 403}


@pytest.mark.parametrize(
    "path", ["/-/%6detadata.json", "/-/metadata.json/", "//moodle", "/-/./metadata", "/moodle%2Fpeople"]
)
async def test_tricks_with_the_path_open_nothing(datasette, path):
    url = f"http://localhost{path}"
    answer = await datasette.client.request("GET", url, avoid_path_rewrites=True)
    assert answer.status_code == 403
    asked_by_colleague = await datasette.client.request(
        "GET", url, avoid_path_rewrites=True, cookies=cookies(datasette, COLLEAGUE), follow_redirects=True
    )
    assert "allow_sql" not in asked_by_colleague.text


@pytest.mark.parametrize("method", ["post", "put", "delete", "options", "head", "patch"])
async def test_no_other_method_opens_a_door(datasette, method):
    for path in ("/", "/moodle/people.json", "/-/student.json", "/-/account"):
        answer = await getattr(datasette.client, method)(path)
        assert answer.status_code == 403 and not any(name in answer.text for name in NAMES)


@pytest.mark.parametrize("path", ["/-/health", "/-/login", "/-/coursette.css", "/favicon.ico", "/-/static/app.css"])
async def test_what_a_stranger_may_see_holds_no_data(datasette, path):
    answer = await get(datasette, path, None)
    assert answer.status_code == 200
    assert not any(name.encode() in answer.content for name in NAMES[:-1])


async def test_health_says_ok(datasette):
    assert (await get(datasette, "/-/health", None)).text == "ok"


async def test_a_forged_or_old_cookie_is_a_strangers(datasette):
    for value in (
        "x",
        datasette.sign({"a": TEACHER}, "other"),
        datasette.sign({"a": TEACHER, "e": "1"}, "actor"),
    ):
        assert (await datasette.client.get("/", cookies={"ds_actor": value})).status_code == 403


# Trap 1: the most specific rule wins
async def test_a_colleague_can_be_given_one_question_and_gets_only_that(tmp_path):
    datasette = instance(made_up.small(tmp_path / "moodle.db"))
    metadata = datasette._metadata_local
    metadata["allow"] = metadata["allow_sql"] = {"id": "teacher"}
    metadata["databases"]["moodle"]["queries"]["weeks"]["allow"] = {"id": ["teacher", "colleague"]}
    for ending in ("", ".json", ".csv"):
        assert (await get(datasette, f"/moodle/weeks{ending}", COLLEAGUE)).status_code == 200
    for path in DATA:
        if path.startswith(
            ("/-/bookmarklet", "/-/coursette", "/-/account", "/-/logout", "/moodle/weeks", "/n", "/-/n")
        ):
            continue
        answer = await get(datasette, path, COLLEAGUE)
        assert answer.status_code in (403, 404), path
        assert not any(name in answer.text for name in NAMES), path


# Trap 2: denied tables leak through search tables and labels
async def test_a_denied_table_is_denied_with_its_database_only(datasette):
    tables = datasette._metadata_local["databases"]["moodle"]["tables"].values()
    assert not any("allow" in table for table in tables), "no rule that promises more than it keeps"


# Trap 3: metadata shows hashes and denied queries
@pytest.mark.parametrize("path", WORKS)
async def test_the_works_are_the_owners(datasette, path):
    assert (await get(datasette, path, COLLEAGUE)).status_code == 403
    assert (await get(datasette, path, TEACHER)).status_code in (200, 301, 302, 403)


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


# Trap 4: SQL and ?_where= go past every rule on tables
async def test_sql_is_for_whoever_the_metadata_says(tmp_path):
    datasette = instance(made_up.small(tmp_path / "moodle.db"))
    assert (await get(datasette, "/moodle.json?sql=select+1")).status_code == 200
    datasette._metadata_local["allow_sql"] = {"id": "teacher"}
    assert (await get(datasette, "/moodle.json?sql=select+1", COLLEAGUE)).status_code == 403
    assert (await get(datasette, "/moodle/people.json?_where=1=1", COLLEAGUE)).status_code == 403
    del datasette._metadata_local["allow_sql"]
    assert (await get(datasette, "/moodle.json?sql=select+1")).status_code == 403, "closed unless opened"


# Trap 5: a True from a plugin overrides every rule
async def test_no_plugin_of_ours_allows_anything(datasette):
    for plugin in pm.get_plugins():
        hook = getattr(plugin, "permission_allowed", None)
        if hook and getattr(plugin, "__file__", "").startswith(str(TREE)):
            assert {
                hook(actor, action) for actor in (TEACHER, None) for action in ("view-instance", "execute-sql")
            } == {None}


async def test_the_database_file_is_the_owners_at_most(tmp_path):
    datasette = instance(made_up.small(tmp_path / "moodle.db"))
    assert (await get(datasette, "/moodle.db", COLLEAGUE)).status_code == 403
    assert (await get(datasette, "/moodle.db")).status_code == 403, "Datasette gives out no file that may change"


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
async def test_unknown_names_take_as_long_as_known_ones(private):
    accounts.redeem_link(private, accounts.make_link(private))
    accounts.set_password(private, "teacher", "anna", "a long pass phrase")

    def lasts(name: str) -> float:
        start = time.perf_counter()
        assert accounts.check_password(accounts.accounts(private), name, "wrong pass phrase") is None
        return time.perf_counter() - start

    known, unknown = min(lasts("anna") for _ in range(3)), min(lasts("nobody") for _ in range(3))
    assert 0.6 < known / unknown < 1.6


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
    }


async def test_accounts_of_datasette_auth_passwords_sign_in_too(tmp_path, monkeypatch):
    monkeypatch.setenv("ANNAS_HASH", hash_password("a long pass phrase", iterations=1000))
    datasette = instance(made_up.small(tmp_path / "moodle.db"))
    settings = {"anna_password_hash": {"$env": "ANNAS_HASH"}, "actors": {"anna": {"id": "anna", "role": "tutor"}}}
    datasette._metadata_local["plugins"]["datasette-auth-passwords"] = settings
    answer = await post(datasette, "/-/login", {"username": "anna", "password": "a long pass phrase"})
    cookie = {"ds_actor": answer.cookies["ds_actor"]}
    who = (await datasette.client.get("/-/actor.json", cookies=cookie)).json()["actor"]
    assert who == {"id": "anna", "role": "tutor"}
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


# The name of the server, and what every answer carries
@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8001", "", "127.0.0.2"]
)
async def test_another_name_is_refused(datasette, host):
    for path in ("/", "/-/health", "/-/login"):
        answer = await get(datasette, path, TEACHER, headers={"Host": host})
        assert answer.status_code == 400 and "name" in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8001", "LOCALHOST", "[::1]:8001", "[::1]"])
async def test_our_own_names_with_any_port(datasette, host):
    assert (await get(datasette, "/", TEACHER, headers={"Host": host})).status_code == 200


async def test_a_name_can_be_added(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    datasette = instance(path, allowed_hosts=["Coursette.Example.edu"])
    assert (await get(datasette, "/", TEACHER, headers={"Host": "coursette.example.edu"})).status_code == 200
    assert (await get(datasette, "/", TEACHER, headers={"Host": "example.edu"})).status_code == 400


@pytest.mark.parametrize(
    "path", ["/", "/moodle", "/moodle/people.json", "/-/student?course=2&user=5", "/-/health", "/-/nothing"]
)
async def test_every_answer_carries_its_protection(datasette, path):
    headers = (await get(datasette, path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY" and "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "private, no-store"
    assert "access-control-allow-origin" not in headers


# The record of look-ups
def look_ups(private) -> list[tuple]:
    with sqlite3.connect(private / "audit.db") as db:
        columns = "actor, what, form, course, student, person, about"
        return db.execute(f"select {columns} from look_ups order by id").fetchall()


async def test_every_look_up_of_a_student_is_recorded(datasette, private):
    for path in (
        "/-/student?course=2&user=5",
        "/-/student.json?course=2&person=1",
        "/-/student.csv?course=2&student=5",
        "/moodle/student_profile?course=2&student=18",
        "/moodle/student_profile.json",
        "/-/access.json?course=2&activity=10",
    ):
        assert (await get(datasette, path)).status_code == 200
    assert look_ups(private) == [
        ("teacher", "student", None, "2", "5", None, None),
        ("teacher", "student", "json", "2", None, "1", None),
        ("teacher", "student", "csv", "2", "5", None, None),
        ("teacher", "student_profile", None, "2", "18", None, None),
        ("teacher", "student_profile", "json", None, None, None, None),
        ("teacher", "access", "json", "2", None, None, "10"),
    ]


async def test_what_was_not_shown_is_not_recorded(datasette, private):
    await get(datasette, "/-/student?course=2&user=12345")
    await get(datasette, "/-/student?course=2&user=5", None)
    await get(datasette, "/-/usage.json?course=2")
    assert not (private / "audit.db").exists()


async def test_the_record_is_not_served(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    datasette = instance(path)
    await get(datasette, "/-/student?course=2&user=5")
    assert (await get(datasette, "/audit")).status_code == 404
    assert sorted(datasette.databases) == ["_internal", "moodle"]
    assert serving.find_databases([tmp_path]) == [path.resolve()]


# `datasette .` and files that do not exist yet
def test_a_missing_database_is_made_with_its_tables(tmp_path):
    (made,) = serving.find_databases([tmp_path / "new.db"])
    with sqlite3.connect(made) as db:
        assert db.execute("select count(*) from courses").fetchone() == (0,)
    (tmp_path / "notes.db").write_text("this is no database, but long enough to be one" * 20)
    with pytest.raises(serving.CannotServe, match="cannot be read as a database"):
        serving.find_databases([tmp_path / "notes.db"])
    (tmp_path / "empty folder").mkdir()
    with pytest.raises(serving.CannotServe, match="no database in the folder"):
        serving.find_databases([tmp_path / "empty folder"])


def test_serve_prints_the_link_first_and_alone(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    command = [
        sys.executable,
        "-c",
        "from loaders.cli import main; main()",
        "serve",
        "--port",
        "0",
        str(path),
    ]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=TREE)
    try:
        first_line = server.stdout.readline()
        assert re.fullmatch(r"Sign in: http://127\.0\.0\.1:\d+/-/sign-in\?token=\S+\n", first_line)
        assert server.stdout.readline().startswith("Serving moodle.db at http://127.0.0.1:")
        link = first_line.removeprefix("Sign in: ").strip()
        with httpx.Client(follow_redirects=True) as visitor:
            assert visitor.get(link.partition("-/")[0]).status_code == 403
            assert "EDC3100" in visitor.get(link).text
            assert visitor.get(link.partition("-/")[0]).status_code == 200
            visitor.get(link.partition("-/")[0] + "-/student?course=2&user=5")
            visitor.get(link.partition("-/")[0] + "moodle/nothing")
        port = int(link.split(":")[2].partition("/")[0])
        with pytest.raises(serving.CannotServe, match="is another server running"):
            serving.listen("127.0.0.1", port)
    finally:
        server.terminate()
        said = server.communicate(timeout=10)
    assert said == ("", ""), "no log of requests: it would hold students' ids"


async def test_datasette_with_the_tree_as_its_folder_is_as_closed(tmp_path):
    for name in ("metadata.yml", "settings.json", "plugins", "templates"):
        (tmp_path / name).symlink_to(TREE / name)
    made_up.small(tmp_path / "moodle.db")
    datasette = Datasette([], config_dir=tmp_path)
    assert (await get(datasette, "/", None)).status_code == 403
    assert "coursette serve" in (await get(datasette, "/", None)).text
    assert (await get(datasette, "/-/student?course=2&user=5")).status_code == 200
    link = accounts.make_link(tmp_path / "private")
    assert (await datasette.client.get(f"/-/sign-in?token={link}")).status_code == 302
    assert json.loads((await get(datasette, "/-/databases.json")).text)[0]["name"] == "moodle"
