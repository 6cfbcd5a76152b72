"""Every path that there is, asked by everybody: who gets an answer, and whether a student's name is in it."""

from __future__ import annotations

import json

import httpx
import pytest

from loaders import account_list, accounts, noted, notes, shares, tokens, web
from tests import made_up, role_doors
from tests.doors import CALLERS, DOORS, GRANTED, NAMES, NO_NAMES, NOTHING, door_of
from tests.role_doors import ROLES
from tests.test_headers import routes
from tests.visit import COLLEAGUE, TEACHER, ask_raw, cookies, get, instance

ASKED = {
    "/-/find": "?q=lee",
    "/-/": "?course=2&user=5&activity=10",
    f"/moodle/{GRANTED}": "?course=2",
}
# Doors that no route names: they come with the data, the metadata and Datasette itself.
MORE = [
    *(f"/moodle/{GRANTED}{form}" for form in ("", ".json", ".csv")),
    "/moodle/people_fts", "/moodle/people_fts_data.json", "/moodle/events",
    "/moodle/forum_posts_fts.json", "/moodle/weeks.csv", "/audit", "/audit/look_ups.json", "/audit/looked_at.csv",
    "/-/find", "/-/nothing", "/moodle/people_wide", "/moodle/people_wide.csv",
]  # fmt: skip
STUDENTS = ("Müller", "M\\u00fcller", "student.example.edu", "Sam Lee")
NUDGED = {**dict.fromkeys(noted.IDS), "site": made_up.SITE, "moodle_id": 5, "course": "2", "fullname": "Zoë Müller"}
EVIL = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example", "Sec-Fetch-Dest": "empty"}
LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.fixture
def datasette(tmp_path):
    """The colleague has an account, and metadata.yml gives one question (PLATFORM.md's first trap)."""
    path = made_up.small(tmp_path / "moodle.db")
    folder = accounts.private_folder([path])
    notes.use(notes.file(folder), notes.add_nudge, NUDGED)
    owner = accounts.make_owner(folder, "teacher")
    rows = [owner, {**owner, "name": "colleague", "owner": False}]
    (folder / "accounts.json").write_text(json.dumps(rows), encoding="utf-8")
    datasette = instance(path)
    metadata = datasette._metadata_local
    metadata["allow"] = metadata["allow_sql"] = {"id": "teacher"}
    metadata["databases"]["moodle"]["queries"][GRANTED]["allow"] = {"id": ["teacher", "colleague"]}
    return datasette


@pytest.fixture
def bearing(tmp_path, datasette) -> dict:
    """The header with a token of the teacher's."""
    folder = tmp_path / "private"
    record = tokens.make(folder, "teacher", [{"site": made_up.SITE, "course": 2}])
    return {"Authorization": f"Bearer {tokens.text(folder, record)}"}


def callers(bearing: dict) -> list[tuple[dict | None, dict]]:
    """(whose cookie, which headers) of each of CALLERS."""
    script = {**EVIL, "Sec-Fetch-Mode": "cors"}
    return [
        (None, {}),
        (COLLEAGUE, {}),
        (TEACHER, {}),
        (None, bearing),
        (TEACHER, script),
        (TEACHER, LINK),
        (None, {**script, **bearing}),
    ]


def said(answer: httpx.Response) -> str:
    """What an answer tells: see tests/doors.py."""
    told = any(name in answer.text for name in STUDENTS)
    assert answer.status_code < 500 and not (told and answer.status_code >= 400), answer.url
    return NOTHING if answer.status_code >= 400 else NAMES if told else NO_NAMES


def with_parameters(path: str) -> str:
    return path + next((asked for start, asked in ASKED.items() if path.startswith(start)), "")


async def test_every_path_answers_everybody_as_the_list_of_doors_says(datasette, bearing):
    found = {}
    for path in [*routes(datasette), *MORE]:
        assert door_of(path), f"{path} is a new door: say in tests/doors.py who may open it."
        answers = [
            await get(datasette, with_parameters(path), who, headers=headers) for who, headers in callers(bearing)
        ]
        assert not any("access-control-allow-origin" in answer.headers for answer in answers[4:]), path
        found[path] = dict(zip(CALLERS, map(said, answers), strict=True))
    expected = {path: dict(zip(CALLERS, door_of(path).answers.split(), strict=True)) for path in found}
    wrong = {path: answers for path, answers in found.items() if answers != expected[path]}
    assert not wrong, "\n".join(f"{path} {answers}" for path, answers in wrong.items())
    unused = [door.what for door in DOORS if not any(door_of(path) is door for path in found)]
    assert not unused, f"{unused}: no such path any more, take it out of tests/doors.py."


EXTRAS = [
    "_where=1=1", "_search=zoe", "_search_fullname=zoe", "_facet=fullname", "_facet_size=max", "_trace=1",
    "_json=fullname", "_shape=objects", "_shape=array", "_shape=object", "_extra=query,private", "_labels=on",
    "_label=fullname", "_nl=on", "_size=max", "_sort=fullname", "_col=fullname", "_nofacet=1", "_through={}",
    "_dl=1", "_stream=on", "sql=select+*+from+people", "fullname__contains=a",
    "_fts_table=people_fts&_fts_pk=rowid&_search=zoe", "_ttl=5", "_next=1", "_timelimit=1",
]  # fmt: skip
CLOSED = [
    "/moodle", "/moodle.json", "/moodle/people.json", "/moodle/enrolments.json", "/moodle/people_fts.json",
    "/moodle/people/5.json", "/moodle/weeks.json", "/moodle/people.csv", "/_internal.json", "/_memory.json",
    "/-/find",
]  # fmt: skip


@pytest.mark.parametrize("extra", EXTRAS)
async def test_no_parameter_opens_more_to_a_colleague(datasette, extra):
    for path in CLOSED:
        answer = await get(datasette, f"{path}?{extra}", COLLEAGUE)
        assert said(answer) == NOTHING, path
    told = await get(datasette, f"/moodle/{GRANTED}.json?course=3&{extra}", COLLEAGUE)
    assert "Müller" not in told.text and "student.example.edu" not in told.text.replace("olaf@student", "")


TRICKS = [
    "/moodle%2Fpeople", "/moodle/people%2F1", "/moodle/people%2f1.json", "//moodle/people", "/moodle//people",
    "/./moodle/people", "/-/../moodle/people", "/-/%2e%2e/moodle/people", "/-/static/../../moodle.db",
    "/-/static/..%2f..%2fmoodle.db", "/-/static/%2e%2e/%2e%2e/private/key",
    "/-/static-plugins/datasette_vega/../../key", "/moodle/people.", "/moodle/people/", "/moodle/people/.",
    "/moodle/people;.css", "/moodle/people;a=/-/health", "/moodle/people.json.csv", "/moodle/people.csv.json",
    "/moodle/~70eople", "/moodle~2Fpeople", "/Moodle/People", "/moodle/people.JSON", "/-/Metadata.json",
    "/-/metadata.json/", "/-/metadata.json;.css", "/-/usage.json/../../moodle", "/-/usage.json%2F..%2Fpeople.json",
    "/-/usage.json;/../people.json", "/-/usage%2ejson", "/-/USAGE.json", "/-/usage.json.csv",
    "/-/health/../account", "/-/login/../../moodle/people", "/-/student%2ejson", "/-/student.json/",
    "/-/%6caccount", "/moodle/people%00", "/moodle/people%0a", "/-/metadata%0a", "/-/health%0a", "/moodle.db/",
    "/moodle.d%62", "/moodle/people%3f", "/moodle/people%23", "/%2e/moodle/people", "/%2fmoodle/people",
    "/\\moodle\\people",
]  # fmt: skip


@pytest.mark.parametrize("path", [*TRICKS, "/moodle/people\xff", "/-/health\xe9", "moodle/people", ""])
async def test_no_trick_with_the_path_opens_anything(datasette, bearing, path):
    url = path.encode("latin-1") + b"?course=2&user=5&activity=10"
    for name, (who, headers) in zip(CALLERS, callers(bearing), strict=True):
        if name == "teacher":
            continue
        cookie = {key: f"{key}={value}" for key, value in cookies(datasette, who).items()}
        status, text = await ask_raw(datasette, url, {**headers, "Cookie": "; ".join(cookie.values())})
        assert 300 <= status < 500, name
        assert not any(student in text for student in STUDENTS), name


# ---- Roles ----
MINE = "-- title: Who is here?\n-- parameters:\n--   course:\n--   group:\nselect fullname from chosen\n"
SHARED = {"database": "moodle", "query": "resource_usage", "title": "Which are used?"}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A server with an account of each role, something shared, a note of the owner's; and a token of each."""
    folder = tmp_path_factory.mktemp("house")
    path = made_up.small(folder / "moodle.db")
    (folder / "queries").mkdir()
    (folder / "queries" / "mine.sql").write_text(MINE, encoding="utf-8")
    private = accounts.private_folder([path])
    accounts.make_owner(private, "owner")
    notes.use(notes.file(private), notes.add_nudge, NUDGED)
    for role in ROLES[2:]:
        account_list.add(private, role, role, [role_doors.GROUP] if role == "tutor" else [])
    kept = {"course": "2"}
    key = shares.use(shares.file(private), shares.add, "owner", SHARED, kept, [], ["colleague"], "")
    courses = [{"site": made_up.SITE, "course": 2}]
    given = {role: tokens.text(private, tokens.make(private, role, courses)) for role in ROLES[1:]}
    return instance(path), f"/-/shared/{key}", {"stranger": "coursette_none", **given}


async def asked_by(datasette, role: str, door: role_doors.Door, path: str, headers: dict) -> httpx.Response:
    """The answer to this role, in its session or (with headers) by its token."""
    account = next((row for row in web.known_accounts(datasette) if row["name"] == role), None)
    who = accounts.actor(account) if account and not headers else None
    if door.form is None or headers:
        method = "GET" if door.form is None else "POST"
        return await datasette.client.request(method, path, headers=headers, cookies=cookies(datasette, who))
    token = (await get(datasette, "/-/account", who)).cookies.get("ds_csrftoken", "")
    sent = {**cookies(datasette, who), "ds_csrftoken": token}
    return await datasette.client.post(path, data={**door.form, "csrftoken": token}, cookies=sent)


def check_role(answer: httpx.Response, role: str, door: role_doors.Door) -> None:
    """The status that the table says, and nobody's name whom this role may not see."""
    expected = dict(zip(ROLES, door.statuses.split(), strict=True))[role]
    assert answer.status_code == int(expected), answer.text[:300]
    hidden = () if role in ("owner", "teacher") else role_doors.OTHERS
    hidden += () if role in ("owner", "teacher", "tutor") else (*role_doors.HERS, *role_doors.SHARED_NAMES)
    assert not [name for name in hidden if name in answer.text]


def named(doors: list) -> list:
    return [pytest.param(door, id=f"{door.what} {place}") for place, door in enumerate(doors)]


@pytest.mark.parametrize("door", named(role_doors.DOORS))
@pytest.mark.parametrize("role", ROLES)
async def test_every_role_at_every_door(house, role, door):
    datasette, share, _ = house
    check_role(await asked_by(datasette, role, door, door.path.replace(role_doors.SHARE, share), {}), role, door)


@pytest.mark.parametrize("door", named(role_doors.CALLS))
@pytest.mark.parametrize("role", ROLES)
async def test_every_role_by_its_token(house, role, door):
    datasette, _, given = house
    headers = {"Authorization": f"Bearer {given[role]}"}
    check_role(await asked_by(datasette, role, door, door.path, headers), role, door)
