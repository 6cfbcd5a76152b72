"""Who may see what: a stranger nothing, by any door; each access trap that Datasette and its plugins have."""

from __future__ import annotations

import inspect

import pytest
from datasette.plugins import pm

from tests import made_up
from tests.visit import COLLEAGUE, TEACHER, TREE, cookies, get, instance

DATA = [
    "/", "/.json", "/moodle", "/moodle.json", "/moodle.db", "/moodle/people", "/moodle/people.json",
    "/moodle/people.csv?_stream=on", "/moodle/people/1", "/moodle/people/1.json", "/moodle/people_fts.json",
    "/moodle/people_fts_data.json", "/moodle/events?_facet=person_id", "/moodle/people?_where=1=1",
    "/moodle?sql=select+*+from+people", "/moodle.json?sql=select+1", "/moodle.csv?sql=select+1",
    "/moodle/student_profile", "/moodle/student_profile.json?course=2&student=5", "/moodle/weeks.csv",
    "/-/student?course=2&user=5", "/-/student.json?course=2&user=5", "/-/student.csv?course=2&user=5",
    "/-/usage.json?course=2", "/-/access.json?course=2&activity=10", "/-/people.json?course=2", "/_internal",
    "/_internal.json", "/_memory", "/-/account", "/-/bookmarklet", "/-/coursette.user.js", "/nothing/here",
    "/audit", "/audit.json?sql=select+1", "/audit/look_ups.csv", "/audit/who_looked_at", "/audit/never_looked_at.json",
    "/audit/looked_at.csv", "/-/nothing", "/-/logout",
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
    asked = [
        {"datasette": datasette, "actor": actor, "action": action, "resource": "moodle"}
        for actor in (TEACHER, None)
        for action in ("view-instance", "execute-sql")
    ]
    for plugin in pm.get_plugins():
        hook = getattr(plugin, "permission_allowed", None)
        if hook and getattr(plugin, "__file__", "").startswith(str(TREE / "plugins")):
            assert {hook(**{name: given[name] for name in inspect.signature(hook).parameters}) for given in asked} == {
                None
            }


async def test_the_database_file_is_the_owners_at_most(tmp_path):
    datasette = instance(made_up.small(tmp_path / "moodle.db"))
    assert (await get(datasette, "/moodle.db", COLLEAGUE)).status_code == 403
    assert (await get(datasette, "/moodle.db")).status_code == 403, "Datasette gives out no file that may change"


# The name of the server, and what every answer carries
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:8001",
        "",
        "127.0.0.2",
        "[localhost",
        "localhost]",
        "[localhost]",
        "[127.0.0.1]",
        "::1",
        "[::1",
        "[::1]]",
        "localhost:",
        "localhost:x",
        "localhost:1:2",
        " localhost",
        "localhost.",
        "localhost@evil.example",
        "localhost,evil.example",
    ],
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
