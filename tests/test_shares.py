"""Questions shared with colleagues: who opens what, what they may choose, and that no student is in what they get."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from datasette.app import Datasette
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from loaders import account_list, accounts, rollups, share_choices, shares, sharing, small_counts, steps, web
from loaders.shares import Refused
from loaders.small_counts import HIDDEN, LEAST, NOT_COUNTED, PERSONAL, TOO_FEW
from tests import made_up_grades
from tests.catalogue import DATABASES
from tests.test_queries import FILLED
from tests.visit import TEACHER, cookies, get, instance, recorded

ADA, BEN, TIM = ({"id": name, "owner": False, "role": role} for name, role in
                 (("ada", "colleague"), ("ben", "colleague"), ("tim", "tutor")))  # fmt: skip
OTHER = {"id": "other", "owner": False, "role": "teacher"}
QUERIES = steps.questions(DATABASES["moodle"])
SHARED = [name for name, query in QUERIES.items() if query.get("aggregate")]
ASKED = {"course": "2", "other_course": "3", "activity": "3", "week": "2", "weeks": "3", "grade": "Quiz 1"}
NOW = datetime(2026, 3, 1, tzinfo=UTC)
QUESTION = {"database": "moodle", "query": "weeks", "title": "Weeks?"}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """60 students in two courses and four groups, who read a book of three chapters and keep to the same hours."""
    path = tmp_path_factory.mktemp("made") / "moodle.db"
    made_up_grades.large(path, students=60, activities=12, events=1500, weeks=6)
    with sqlite3.connect(path) as db:
        chapters = [(part, f"Chapter {part}") for part in (901, 902, 903)]
        db.executemany(
            "insert into parts (id, moodle_id, activity_id, kind, name) values (?1, ?1, 5, 'chapter', ?2)", chapters
        )
        db.execute("update events set part_id = 901 + id % 3 where activity_id = 5 and course_id = 1")
        rollups.build(db, 1)
        db.execute("update usage_week_hour set students = 25 where hour = 20")
    return path


@pytest.fixture
def datasette(made, tmp_path) -> Datasette:
    """A server with that course, its owner, another teacher, two colleagues and a tutor."""
    path = tmp_path / "moodle.db"
    path.write_bytes(made.read_bytes())
    folder = accounts.private_folder([path])
    owner = accounts.make_owner(folder, "teacher")
    others = [{**owner, "name": actor["id"], "owner": False, "role": actor["role"]} for actor in (ADA, BEN, TIM, OTHER)]
    (folder / "accounts.json").write_text(json.dumps([owner, *others]), encoding="utf-8")
    return instance(path)


async def send(datasette: Datasette, form: dict, actor: dict = TEACHER) -> httpx.Response:
    page = await get(datasette, "/-/shares?db=moodle&query=weeks", TEACHER)
    token = page.cookies.get("ds_csrftoken", "")
    sent = {**cookies(datasette, actor), "ds_csrftoken": token}
    return await datasette.client.post("/-/shares", data={**form, "csrftoken": token}, cookies=sent)


async def share(datasette: Datasette, query: str, *free: str, to: str = "ada", until: str = "", **given: str) -> str:
    """The address of a new share."""
    form = {"do": "add", "db": "moodle", "query": query, f"to_{to}": "1", "until": until}
    form |= {f"free_{name}": "1" for name in free} | {f"p_{name}": value for name, value in given.items()}
    answer = await send(datasette, form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].replace("/-/shares#share-", "/-/shared/")


async def rows_of(datasette: Datasette, address: str, asked: str = "", actor: dict = ADA) -> list[dict]:
    answer = await get(datasette, f"{address}.json{asked}", actor)
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


# ---- What is kept ----


@pytest.fixture
def conn(tmp_path):
    with closing(shares.opened(shares.file(tmp_path))) as conn:
        yield conn


def add(conn: sqlite3.Connection, *readers: str, until: str = "", free=(), **given: str) -> str:
    return shares.add(conn, "teacher", QUESTION, given, free, readers, until, NOW)


def test_only_its_reader_and_its_maker_find_a_share(conn, tmp_path):
    key = add(conn, "ada", course="2")
    assert len(key) >= 32 and shares.file(tmp_path).stat().st_mode & 0o777 == 0o600
    assert shares.find(conn, key, "ada", NOW)["parameters"] == {"course": "2"}
    assert shares.find(conn, key, "teacher", NOW) and [row["key"] for row in shares.shared_with(conn, "ada", NOW)] == [
        key
    ]
    assert shares.find(conn, key, "ben", NOW) is None and shares.find(conn, key[:-1], "ada", NOW) is None
    assert shares.shared_with(conn, "ben", NOW) == []


def test_a_share_ends_on_its_day_or_when_it_is_revoked(conn):
    key = add(conn, "ada", "ben", until="2026-03-02")
    assert shares.find(conn, key, "ada", datetime(2026, 3, 2, 23, 59, tzinfo=UTC))
    assert shares.find(conn, key, "ada", datetime(2026, 3, 3, tzinfo=UTC)) is None
    shares.revoke(conn, key, "other", NOW)
    assert shares.find(conn, key, "ben", NOW), "it is not hers"
    shares.revoke(conn, key, "teacher", NOW)
    assert shares.find(conn, key, "ben", NOW) is None and shares.find(conn, key, "teacher", NOW) is None
    (row,) = shares.made_by(conn, "teacher", NOW)
    assert not row["counts"] and row["revoked_utc"] == "2026-03-01T00:00:00Z"


def test_openings_are_counted_for_each_reader(conn):
    key = add(conn, "ada", "ben")
    for name in ("ada", "ada", "teacher"):
        shares.count(conn, shares.find(conn, key, name, NOW)["id"], name, NOW)
    (row,) = shares.made_by(conn, None, NOW)
    assert [(reader["account"], reader["opened"]) for reader in row["readers"]] == [("ada", 2), ("ben", 0)]


def test_who_has_an_answer_gets_no_other_to_subtract_it_from(conn):
    key = add(conn, "ada", course="2", group="Group 1")
    with pytest.raises(Refused, match="ada can open this question already"):
        add(conn, "ben", "ada", course="2")
    with pytest.raises(Refused, match="can be subtracted"):
        add(conn, "ada", free=["course"])
    assert add(conn, "ben", course="2") and add(conn, "ada", course="3"), "somebody else, another course"
    shares.revoke(conn, key, "teacher", NOW)
    assert add(conn, "ada", course="2")


def test_an_account_that_is_gone_shares_and_opens_nothing_any_more(conn, tmp_path):
    shares.forget_account(tmp_path / "elsewhere", "ada")
    assert not (tmp_path / "elsewhere").exists()
    key = add(conn, "ada", "ben")
    shares.forget_account(tmp_path, "ada")
    assert shares.find(conn, key, "ada", NOW) is None and shares.find(conn, key, "ben", NOW)
    shares.forget_account(tmp_path, "teacher")
    assert shares.find(conn, key, "ben", NOW) is None


@pytest.mark.parametrize(
    ("readers", "until", "words"),
    [((), "", "who may see"), (("ada",), "soon", "That is no day"), (("ada",), "2026-02-28", "That day is over")],
)
def test_what_cannot_be_shared_so(conn, readers, until, words):
    with pytest.raises(Refused, match=words):
        add(conn, *readers, until=until)


# ---- What a reader may choose ----


def course_of(db: sqlite3.Connection, *groups: range) -> dict:
    """20 students in these groups, named A, B ..."""
    for place, members in enumerate(groups):
        db.execute("insert into groups (id, course_id, name) values (?, 1, ?)", [place + 1, chr(ord("A") + place)])
        db.executemany(
            "insert into group_members (group_id, person_id) values (?, ?)", [(place + 1, n) for n in members]
        )
    return {"id": 1}


@pytest.mark.parametrize(
    ("groups", "offered"),
    [
        ([range(10), range(10, 20)], "AB"),
        ([range(10), range(9, 20)], "A"),  # they share one
        ([range(4), range(4, 20)], ""),  # 16 of 20 leave four
        ([range(10), range(10, 17)], "A"),  # three are in neither
        ([range(19)], ""),
        ([range(20), range(10)], "A"),
        ([range(15)], "A"),
        ([range(30, 50)], ""),  # of no student of the course
    ],
)
def test_groups_to_choose_from_share_nobody_and_leave_no_few(groups, offered):
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript((Path(rollups.__file__).with_name("schema.sql")).read_text(encoding="utf-8"))
        db.executemany(
            "insert into enrolments (course_id, person_id, role) values (1, ?, 'student')", [(n,) for n in range(20)]
        )
        assert "".join(words for _, words in share_choices.groups_apart(db, course_of(db, *groups))) == offered


async def test_a_reader_chooses_one_group_and_one_week_and_never_all(datasette):
    address = await share(datasette, "resource_usage", "group", "week", course="2")
    page = HTMLParser((await get(datasette, address, ADA)).text)
    assert [form.attributes["name"] for form in page.css("main form select")] == ["group", "week"]
    assert [option.text() for option in page.css("#choose-group option")] == [f"Group {n}" for n in range(1, 5)]
    assert page.css_first("#choose-week option[selected]").attributes["value"] == "6", "the newest"
    one, other = [await rows_of(datasette, address, f"?group={n}&week=2") for n in (71, 72)]
    assert one != other and {row["students"] for row in one} != {HIDDEN}
    for asked in ("?group=", "?week=", "?from_week=1&to_week=6"):
        assert await rows_of(datasette, address, asked) == await rows_of(datasette, address), "what is offered first"
    for asked in ("?group=Group", '?group=["71","72"]', "?week=1.5", "?group=71&week=99"):
        assert (await get(datasette, address + asked, ADA)).status_code == 400, asked
    assert await rows_of(datasette, address, "?course=3&site=x&student=5") == await rows_of(datasette, address), "fixed"


async def test_a_group_of_few_and_all_but_few_are_refused_whole(datasette, tmp_path):
    with sqlite3.connect(tmp_path / "moodle.db") as db:
        for group, (low, high) in {81: (1, 4), 82: (3, 60), 83: (1, 5)}.items():
            db.execute("insert into groups (id, course_id, moodle_id, name) values (?1, 1, ?1, 'G' || ?1)", [group])
            members = (
                "insert into group_members (group_id, person_id) select ?, id from people where id between ? and ?"
            )
            db.execute(members, [group, low, high])
    for actor, group, why in ((ADA, "81", TOO_FEW), (BEN, "82", sharing.FEW_OTHERS)):
        address = await share(datasette, "weeks", to=actor["id"], course="2", group=group)
        answer = await get(datasette, f"{address}.json", actor)
        assert answer.json() == {"ok": False, "error": why, "status": 403}
    address = await share(datasette, "weeks", to="tim", course="2", group="83")
    assert (await get(datasette, address, TIM)).status_code == 403, "in every week hidden"


# ---- What they get ----


def people_of(path: Path) -> set[str]:
    with sqlite3.connect(path) as db:
        found = db.execute("select fullname, email, idnumber, username from people").fetchall()
    return {word.casefold() for row in found for word in row if word}


def given_to(name: str) -> dict[str, str]:
    """What is chosen in this question; a book is chosen in one of them."""
    params = QUERIES[name]["params"]
    return {
        key: value
        for key, value in {**ASKED, **({"activity": "5"} if name == "chapters" else {})}.items()
        if key in params
    }


@pytest.mark.parametrize("name", SHARED)
async def test_no_student_is_in_a_shared_answer_and_nothing_leads_further(datasette, made, name):
    address = await share(datasette, name, **given_to(name))
    found = {form: (await get(datasette, address + form, ADA)) for form in ("", ".json", ".csv")}
    assert {answer.status_code for answer in found.values()} == {200}, [answer.text for answer in found.values()]
    told = found[".json"].json()
    assert told["rows"] and told["note"] is None
    assert not people_of(made) & {str(cell).casefold() for row in told["rows"] for cell in row.values()}
    assert not [each for each in told["columns"] if each.endswith(("_utc", "_local")) or each in ("cmid", "moodle_id")]
    for text in (HTMLParser(found[""].text).css_first("main").text(), found[".json"].text, found[".csv"].text):
        assert not re.search(r"student \d+\b|@student|never_opened", text, re.IGNORECASE)
    assert not re.search(r"select\s|/moodle|/-/student", found[".json"].text)
    hrefs = {link.attributes.get("href") or "" for link in HTMLParser(found[""].text).css("main a")}
    assert all(re.match(r"\?_by=|/-/shared", href) for href in hrefs), hrefs
    rows_hold_no_small_number(told, name)
    table = list(csv.DictReader(io.StringIO(found[".csv"].text)))
    assert len(table) == len(told["rows"]) and list(table[0]) == told["columns"]


def rows_hold_no_small_number(told: dict, name: str) -> None:
    rule = small_counts.rule(QUERIES[name]["aggregate"])
    for row in told["rows"]:
        counts = [row[each] for each in (rule.students, *rule.counts, *rule.means) if row[each] is not None]
        assert all(number == HIDDEN or number >= LEAST for number in counts), row
    assert told["hidden_rows"] == sum(HIDDEN in row.values() for row in told["rows"])


async def test_every_question_is_shared_or_says_why_not(datasette):
    for name, query in QUERIES.items():
        why = await sharing.why_not(datasette, await sharing.question(datasette, "moodle", name, TEACHER))
        assert why in ("", PERSONAL, NOT_COUNTED) and bool(why) != bool(query.get("aggregate")), name
    for name, why in (("away", PERSONAL), ("nobody_opened", NOT_COUNTED), ("weeks", None)):
        page = HTMLParser((await get(datasette, f"/moodle/{name}?course=2")).text)
        (link,) = [link.attributes["href"] for link in page.css(".export-links a") if link.text() == "Share this"]
        told = HTMLParser((await get(datasette, link)).text).css_first(".note.warn")
        assert (told and told.text()) == (why and why.replace("`", "")), name
    personal = await send(datasette, {"do": "add", "db": "moodle", "query": "away", "to_ada": "1"})
    assert personal.status_code == 400 and PERSONAL in HTMLParser(personal.text).text()


@pytest.mark.parametrize(
    "statement",
    [
        "update activities set name = 'student 7' where id = 1",
        "update activities set name = 'About Student 17: a case' where id = 1",
        "update people set username = 'activity 1' where id = 5",
        "update people set email = 'Activity 1' where id = 5",
    ],
)
async def test_an_answer_with_a_persons_name_is_refused_whole(datasette, tmp_path, statement):
    address = await share(datasette, "resource_usage", course="2")
    assert await rows_of(datasette, address)
    with sqlite3.connect(tmp_path / "moodle.db") as db:
        db.execute(statement)
    for form in ("", ".json", ".csv"):
        answer = await get(datasette, address + form, ADA)
        assert answer.status_code == 403 and "Activity 2" not in answer.text
        assert "name, address or number stands in this answer" in answer.text


async def test_an_answer_that_takes_too_long_is_a_sentence(datasette):
    address = await share(datasette, "weeks", course="2")
    numbers = "with recursive n(i) as (select 1 union all select i + 1 from n)"
    slow = f"{numbers} select max(i) as students, 0 as students_change from n"
    datasette._metadata_local["databases"]["moodle"]["queries"]["weeks"]["sql"] = slow
    datasette.sql_time_limit_ms = 50
    answer = await get(datasette, address, ADA)
    assert answer.status_code == 503 and "takes too long" in answer.text


# ---- Who opens it ----


async def test_the_same_sentence_for_all_that_is_not_here(datasette):
    mine = await share(datasette, "weeks", course="2")
    revoked = await share(datasette, "sections", course="2")
    await send(datasette, {"do": "revoke", "key": revoked.rpartition("/")[2]})
    ended = await share(datasette, "busiest", course="2", until=datetime.now(UTC).date().isoformat())
    with closing(shares.opened(shares.file(web.private(datasette)))) as conn:
        conn.execute("update shares set until = '2026-01-01' where query = 'busiest'")
    theirs = await share(datasette, "weeks", to="ben", course="2")
    for kind in ("", ".json", ".csv"):
        answers = [await get(datasette, path + kind, ADA) for path in (revoked, ended, theirs, "/-/shared/nothing")]
        assert {answer.status_code for answer in answers} == {404}
        assert len({re.sub(r'value="[^"]*"|next=[^"]*', "", answer.text) for answer in answers}) == 1
        assert sharing.NOT_HERE in answers[0].text
        assert (await get(datasette, mine + kind, ADA)).status_code == 200


async def test_a_share_ends_with_the_account_of_its_maker(datasette):
    answer = await send(datasette, {"do": "add", "db": "moodle", "query": "weeks", "to_ada": "1"}, OTHER)
    address = answer.headers["location"].replace("/-/shares#share-", "/-/shared/")
    assert (await get(datasette, address, ADA)).status_code == 200
    file = web.private(datasette) / "accounts.json"
    rows = json.loads(file.read_text("utf-8"))
    for kept in ([{**row, "role": "colleague"} for row in rows], [row for row in rows if row["name"] != "other"]):
        file.write_text(json.dumps(kept), encoding="utf-8")
        assert (await get(datasette, address, ADA)).status_code == 404


async def test_a_tutor_gets_the_same_answer_as_everybody(datasette):
    address = await share(datasette, "weeks", to="tim", course="2")
    asked = await rows_of(datasette, address, actor={**TIM, "groups": ["Group 1"]})
    assert asked == await rows_of(datasette, address, actor=TEACHER), "not of her own group alone"


async def test_a_new_account_of_an_old_name_opens_nothing(datasette):
    address, folder = await share(datasette, "weeks", course="2"), web.private(datasette)
    account_list.remove(folder, "ada")
    account_list.add(folder, "ada", "colleague")
    assert (await get(datasette, address, ADA)).status_code == 404


async def test_strangers_tokens_and_colleagues_do_not_share(datasette):
    assert (await get(datasette, "/-/shares", None)).status_code == 403
    assert (await get(datasette, "/-/shared", None)).status_code == 403
    for actor in (ADA, TIM):
        assert (await get(datasette, "/-/shares", actor)).status_code == 403
        assert (
            await send(datasette, {"do": "add", "db": "moodle", "query": "weeks", "to_ada": "1"}, actor)
        ).status_code == 403
    forged = await datasette.client.post("/-/shares", data={"do": "add"}, cookies=cookies(datasette, TEACHER))
    assert forged.status_code == 403


async def test_a_teacher_sees_her_own_shares_and_the_owner_all(datasette):
    address = await share(datasette, "weeks", course="2")
    await get(datasette, address, ADA)
    await get(datasette, address, TEACHER)
    page = HTMLParser((await get(datasette, "/-/shares")).text)
    assert "ada: 1 time," in page.css_first("tbody td").text() and "weeks" not in page.css_first("tbody").text()
    assert page.css_first("tbody code").text() == f"http://localhost{address}"
    assert HTMLParser((await get(datasette, "/-/shares", OTHER)).text).css_first("tbody") is None
    await send(datasette, {"do": "revoke", "key": address.rpartition("/")[2]}, OTHER)
    assert (await get(datasette, address, ADA)).status_code == 200
    listed = HTMLParser((await get(datasette, "/-/shared", ADA)).text)
    assert [link.attributes["href"] for link in listed.css("main li a")] == [address]


async def test_each_opening_is_recorded(datasette):
    address = await share(datasette, "weeks", course="2")
    for form in ("", ".json", ".csv"):
        await get(datasette, address + form, ADA)
    await get(datasette, "/-/shared/nothing", ADA)
    with sqlite3.connect(recorded(datasette)) as db:
        found = db.execute(
            "select actor, what, form, database, course, student from look_ups where what like 'shared%'"
        )
        assert found.fetchall() == [
            ("ada", "shared weeks", form, "moodle", "2", None) for form in (None, "json", "csv")
        ]


async def test_a_share_is_about_the_course_of_the_day(datasette, tmp_path):
    address = await share(datasette, "weeks")
    before = await rows_of(datasette, address)
    with sqlite3.connect(tmp_path / "moodle.db") as db:
        db.execute("update courses set data_up_to_utc = '2027-01-01T00:00:00Z' where moodle_id = 3")
    assert await rows_of(datasette, address) == before


async def test_the_file_is_never_served(datasette, tmp_path):
    await share(datasette, "weeks", course="2")
    served = instance(tmp_path / "moodle.db", shares.file(web.private(datasette)))
    assert (await get(served, "/shares")).status_code == 404 and (
        await get(served, "/shares/readers.json")
    ).status_code == 404


def test_the_asked_are_all_known():
    assert set(ASKED) <= set(FILLED)


def test_shares_of_an_older_shape_stay(tmp_path):
    path = tmp_path / "shares.db"
    older = shares.SHAPE.read_text(encoding="utf-8").replace("    fingerprint text not null default '',", "")
    with closing(sqlite3.connect(path)) as conn:
        conn.executescript(older)
        conn.execute(
            "insert into shares (key, database, query, title, parameters, free, maker, made_utc)"
            " values ('k', 'moodle', 'weeks', 'Weeks', '{}', '[]', 'teacher', '2026-01-01T00:00:00Z')"
        )
        conn.execute("pragma user_version = 1")
        conn.commit()
    with closing(shares.opened(path)) as conn:
        assert conn.execute("select key, fingerprint from shares").fetchall() == [("k", "")]
