"""Roles: what they may open by address and by permission, a tutor's groups in every address, files, and menus."""

from __future__ import annotations

import json

import pytest

from loaders import account_list, accounts, roles, web
from tests import made_up
from tests.test_headers import routes
from tests.visit import get, instance

TUTOR = {"id": "tina", "owner": False, "role": "tutor", "groups": ["8", "Online"], "files": None}
NOBODY = {"id": "x", "role": "boss"}
SIGNED_IN = {"/-/account", "/-/logout", "/-/sign-out-everywhere"}


@pytest.fixture
def datasette(tmp_path):
    """Two files with courses; accounts of tina (two groups), tom (one), cora, stu, and tess (one file only)."""
    paths = [made_up.small(tmp_path / f"{name}.db") for name in ("moodle", "other")]
    private = accounts.private_folder(paths)
    for name, role, groups, files in (
        ("tina", "tutor", ["8", "Online"], ["moodle"]),
        ("tom", "tutor", ["Toowoomba"], ["moodle"]),
        ("cora", "colleague", [], []),
        ("stu", "student", [], []),
        ("tess", "teacher", [], ["other"]),
    ):
        account_list.add(private, name, role, groups, files)
    return instance(*paths)


def who(datasette, name: str) -> dict:
    return accounts.actor(next(row for row in web.known_accounts(datasette) if row["name"] == name))


# Closed by default
def test_a_new_path_opens_to_teachers_only():
    assert roles.may_open({"id": "t", "role": "teacher"}, "/-/new") and roles.may_open({"id": "t"}, "/-/new")
    for role in ("tutor", "colleague", "student", "boss", ""):
        assert roles.may_open({"id": "x", "role": role}, "/-/new") == (role == "")


@pytest.mark.parametrize("name", ["cora", "stu"])
async def test_of_all_routes_there_are_these_open(datasette, name):
    actor = who(datasette, name)
    open_paths = {path for path in routes(datasette) if roles.may_open(actor, path)}
    shared = {path for path in routes(datasette) if path.startswith("/-/shared")}
    assert open_paths == SIGNED_IN | (shared if name == "cora" else set())


@pytest.mark.parametrize("action", ["view-instance", "view-database", "view-table", "view-query", "execute-sql", "new"])
def test_permissions_say_no_a_second_time(action):
    for actor in (NOBODY, {"id": "c", "role": "colleague"}, {"id": "s", "role": "student"}):
        assert roles.is_denied(actor, action, ("moodle", "people"), asks_by_group=True)
    assert not roles.is_denied({"id": "t", "role": "teacher"}, action, ("moodle", "people"))
    assert not roles.is_denied(None, action, ("moodle", "people")), "strangers are refused by metadata.yml, as ever"


@pytest.mark.parametrize(
    ("action", "resource", "by_group", "denied"),
    [
        ("view-query", ("moodle", "never_opened"), True, False),
        ("view-query", ("moodle", "student_profile"), False, True),
        ("view-table", ("moodle", "people"), False, False),
        ("view-table", ("moodle", "events"), False, True),
        ("execute-sql", "moodle", False, True),
        ("view-database-download", "moodle", False, True),
    ],
)
def test_what_a_tutor_is_denied(action, resource, by_group, denied):
    assert roles.is_denied(TUTOR, action, resource, by_group) is denied


async def test_a_rule_in_metadata_opens_nothing_to_a_colleague(datasette):
    query = datasette._metadata_local["databases"]["moodle"]["queries"]["student_profile"]
    query["allow"] = {"id": "cora"}
    assert not await datasette.permission_allowed(who(datasette, "cora"), "view-query", ("moodle", "student_profile"))
    assert await datasette.permission_allowed({"id": "cora"}, "view-query", ("moodle", "student_profile"))


# A tutor's groups
@pytest.mark.parametrize(
    ("asked", "students"),
    [("", 3), ("&group=8", 2), ("&group=Online", 2), ("&group=Online&group=8&together=all", 1), ("&group=", 3)],
)
async def test_pages_are_about_her_groups(datasette, asked, students):
    answer = await get(datasette, f"/-/usage.json?course=2{asked}", who(datasette, "tina"))
    assert answer.status_code == 200 and answer.json()["students"] == students


@pytest.mark.parametrize(
    "asked", ["A+%22quoted%22+%26+%3Ci%3Egroup%3C/i%3E", "online", "Onl", "99", "8,7", '["8","x"]', "7%00", "%25"]
)
async def test_other_groups_are_refused(datasette, asked):
    for path in ("/-/usage.json", "/-/course", "/moodle/never_opened.csv"):
        answer = await get(datasette, f"{path}?course=2&group={asked}", who(datasette, "tina"))
        assert answer.status_code == 403, path


async def test_a_question_is_asked_of_all_her_groups_unless_she_says_which(datasette):
    path, tina = "/moodle/never_opened.json?course=2&activity=12&_shape=array", who(datasette, "tina")
    everybody = {row["fullname"] for row in (await get(datasette, path, tina)).json()}
    one = {row["fullname"] for row in (await get(datasette, f'{path}&group=["8"]', tina)).json()}
    assert everybody == {"Zoë Müller", "Sam Lee", made_up.MARKUP} and one == {"Sam Lee", made_up.MARKUP}


async def test_a_question_of_a_teachers_own_is_not_for_tutors(datasette, monkeypatch):
    path, tina = "/moodle/never_opened.json?course=2", who(datasette, "tina")
    assert (await get(datasette, path, tina)).status_code == 200
    queries = datasette._metadata_local["databases"]["moodle"]["queries"]
    monkeypatch.setitem(queries, "never_opened", {**queries["never_opened"], "params": ["course", "activity"]})
    assert (await get(datasette, path, tina)).status_code == 403, "it does not narrow by group"
    monkeypatch.delitem(queries, "never_opened")
    assert (await get(datasette, path, tina)).status_code == 403, "it is not in metadata.yml"


async def test_a_tutor_in_no_group_of_a_course_is_told_so(datasette):
    answer = await get(datasette, "/-/course?course=3", who(datasette, "tom"))
    assert answer.status_code == 403 and "None of your groups is in this course." in answer.text


# Files
async def test_a_teacher_sees_the_files_she_was_given(datasette):
    tess = who(datasette, "tess")
    assert (await get(datasette, "/other/people.json", tess)).status_code == 200
    assert (await get(datasette, "/other.json?sql=select+1", tess)).status_code == 200
    for path in ("/moodle", "/moodle/people.json", "/moodle.json?sql=select+1", "/moodle/never_opened.csv",
                 "/moodle/people/1.json", "/moodle.csv?sql=select+1"):  # fmt: skip
        assert (await get(datasette, path, tess)).status_code == 403, path
    assert (await get(datasette, "/-/student?course=2&user=5&db=moodle", tess)).status_code == 404
    home = (await get(datasette, "/", tess)).text
    assert "db=other" in home and "db=moodle" not in home


async def test_a_rule_for_one_question_opens_no_other_file(datasette):
    datasette._metadata_local["databases"]["moodle"]["queries"]["weeks"]["allow"] = {"id": "tess"}
    assert (await get(datasette, "/moodle/weeks.json?course=2", who(datasette, "tess"))).status_code == 403


# Pages lead nowhere that is closed
@pytest.mark.parametrize("name", ["tina", "tess"])
async def test_no_link_of_the_first_page_is_refused(datasette, name):
    actor = who(datasette, name)
    for page in ("/", "/-/course?course=2", "/-/student?course=2&user=18", "/-/account"):
        text = (await get(datasette, page, actor)).text
        links = {link.partition('"')[0].replace("&amp;", "&") for link in text.split('href="')[1:]}
        for link in sorted(link for link in links if link.startswith("/") and not link.startswith("/-/static")):
            answer = await get(datasette, link, actor)
            assert answer.status_code in (200, 302), (page, link)


async def test_a_colleague_is_led_to_what_is_shared_and_a_student_is_told(datasette):
    answer = await get(datasette, "/", who(datasette, "cora"))
    assert answer.status_code == 302 and answer.headers["location"] == "/-/shared"
    told = await get(datasette, "/", who(datasette, "stu"))
    assert told.status_code == 403 and "Nothing here is for you to open" in told.text
    assert 'action="/-/logout"' in (await get(datasette, "/-/account", who(datasette, "stu"))).text
    data = await get(datasette, "/-/usage.json?course=2", who(datasette, "cora"))
    assert json.loads(data.text) == {"ok": False, "error": roles.refusal({"role": "colleague"}), "status": 403}
