"""Files handed in by the page script: what is taken, what is refused, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import gzip
import sqlite3
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest

from loaders import accounts, handed_in, made_up_moodle, tokens
from tests import made_up
from tests.visit import TEACHER, get, instance, post, recorded

DOOR = f"/-/refresh?course=2&site={made_up.SITE}&file=log"
STATE = f"/-/refresh.json?course=2&site={made_up.SITE}"
HEADER = "Time,User full name,Affected user,Event context,Component,Event name,Description,Origin,IP address\n"
LINE = (
    "{time},Zoë Müller,-,Forum: News,Forum,Course module viewed,"
    "\"The user with id '5' viewed the 'forum' activity with course module id '10'.\",web,10.0.0.1\n"
)
LOG = (HEADER + LINE.format(time='"22/11/26, 20:24:12"') + LINE.format(time='"22/11/26, 20:20:05"')).encode()
PARTICIPANTS = Path(__file__).parent / "fixtures" / "pages" / "participants.html"


def page(site: str, course: int) -> bytes:
    """The participants page of a course there."""
    text = PARTICIPANTS.read_text("utf-8").replace("\\/", "/").replace("https://moodle.example.edu/lms", site)
    return text.replace('"courseId":2', f'"courseId":{course}').replace("course-2 ", f"course-{course} ").encode()


@pytest.fixture
def folder(tmp_path):
    folder = accounts.private_folder([tmp_path / "moodle.db"])
    accounts.make_owner(folder, "teacher")
    return folder


@pytest.fixture
def datasette(tmp_path, folder):
    return instance(made_up.small(tmp_path / "moodle.db"))


def bearing(folder, right="refresh", course=2, **more) -> dict:
    record = tokens.make(folder, "teacher", [{"site": made_up.SITE, "course": course}], right=right)
    return {"Authorization": f"Bearer {tokens.text(folder, record)}", **more}


async def hand_in(datasette, headers, body=LOG, path=DOOR):
    return await datasette.client.post(path, content=body, headers=headers)


def left(folder) -> list:
    return list(folder.glob(f"{handed_in.PREFIX}*"))


def count(tmp_path, sql: str) -> int:
    with sqlite3.connect(tmp_path / "moodle.db") as db:
        return db.execute(sql).fetchone()[0]


EVENTS = "select count(*) from events"


async def test_a_log_is_loaded_once_and_nothing_is_left(datasette, folder, tmp_path):
    before, headers = count(tmp_path, EVENTS), bearing(folder)
    answer = await hand_in(datasette, headers, path=f"{DOOR}&timezone=Australia/Brisbane")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["kind"], found["rows_read"], found["rows_new"]) == ("course log", 2, 2)
    again = (await hand_in(datasette, headers, path=f"{DOOR}&timezone=Australia/Brisbane")).json()
    assert again["ok"] and again["rows_new"] == 0
    assert count(tmp_path, EVENTS) == before + 2 and left(folder) == []
    zone = "select timezone from loads where source = 'handed in: log' and error is null"
    assert count(tmp_path, zone) == "Australia/Brisbane"
    state = (await get(datasette, STATE, None, headers=headers)).json()
    assert state["may_refresh"] and state["newest_log_utc"] == "2026-11-22T10:24:12Z"
    with sqlite3.connect(recorded(datasette)) as db:
        rows = db.execute("select actor, course, token_name from look_ups where what = 'handed in'").fetchall()
    assert rows == [("teacher", "2", tokens.PAGE_SCRIPT)] * 2


async def test_a_packed_file_is_taken(datasette, folder):
    answer = await hand_in(datasette, bearing(folder, **{"Content-Encoding": "gzip"}), gzip.compress(LOG))
    assert answer.status_code == 200 and answer.json()["rows_new"] == 2


async def test_a_page_of_participants_is_taken_and_one_of_elsewhere_refused(datasette, folder, tmp_path):
    headers = bearing(folder)
    good = await hand_in(datasette, headers, page(made_up.SITE, 2))
    assert good.status_code == 200 and good.json()["kind"] == "participants page", good.text
    before = count(tmp_path, "select count(*) from claims")
    for site, course, said in ((made_up.SITE, 3, "of course 3"), ("https://evil.example", 2, "evil.example")):
        bad = await hand_in(datasette, headers, page(site, course))
        assert bad.status_code == 422 and said in bad.json()["error"]
    assert count(tmp_path, "select count(*) from claims") == before and left(folder) == []


OF_COURSE_3 = LOG.replace(b"with course module id '10'", b"in the course with id '3'").replace(
    b"viewed the 'forum' activity in", b"viewed"
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"PK\x03\x04 a workbook",
        b"<!doctype html><body id='page-login-index'>Log in</body>",
        b"a,b\n1,2\n",
        b"\x1f\x8bbroken",
        gzip.compress(LOG)[:-20],
        b"[]",
        b'<!doctype html><html><body id="page-course-view-topics" class="course-2"></body></html>'[:40],
    ],
)
async def test_what_is_no_file_of_ours_is_refused_and_changes_nothing(datasette, folder, tmp_path, body):
    before = count(tmp_path, EVENTS)
    answer = await hand_in(datasette, bearing(folder), body)
    assert answer.status_code == 422 and answer.json()["ok"] is False and answer.json()["error"].endswith(".")
    assert count(tmp_path, EVENTS) == before and left(folder) == []


async def test_the_log_of_another_course_is_refused(datasette, folder, tmp_path):
    before = count(tmp_path, EVENTS)
    answer = await hand_in(datasette, bearing(folder), OF_COURSE_3)
    assert answer.status_code == 422 and "course 3" in answer.json()["error"]
    assert count(tmp_path, EVENTS) == before


async def test_who_may_not(datasette, folder):
    read = await hand_in(datasette, bearing(folder, "read"))
    assert read.status_code == 403 and "only reads" in read.json()["error"]
    assert (await hand_in(datasette, bearing(folder, course=3))).status_code == 403
    elsewhere = await hand_in(datasette, bearing(folder, Origin="https://evil.example"))
    assert elsewhere.status_code == 403 and "access-control-allow-origin" not in elsewhere.headers
    assert (await hand_in(datasette, {"Authorization": "Bearer nonsense"})).status_code == 401
    assert (await hand_in(datasette, {})).status_code == 403
    assert (await get(datasette, DOOR, None, headers=bearing(folder))).status_code == 405
    by_cookie = await post(datasette, "/-/refresh", {"page": "x"}, TEACHER)
    assert by_cookie.status_code == 403
    state = await get(datasette, STATE, None, headers=bearing(folder, "read"))
    assert state.status_code == 200 and state.json()["may_refresh"] is False


async def test_its_own_moodle_and_our_small_window_may(datasette, folder):
    direct = await hand_in(datasette, bearing(folder, Origin=made_up.SITE))
    assert direct.status_code == 200 and direct.headers["access-control-allow-origin"] == made_up.SITE
    ours = {"Origin": "http://localhost", "Coursette-Origin": made_up.SITE}
    assert (await hand_in(datasette, bearing(folder, **ours))).status_code == 200
    lies = {"Origin": "https://evil.example", "Coursette-Origin": made_up.SITE}
    assert (await hand_in(datasette, bearing(folder, **lies))).status_code == 403


async def test_the_preflight_allows_post_here_only(datasette, folder):
    bearing(folder)
    asks = {"Origin": made_up.SITE, "Access-Control-Request-Method": "POST"}
    for path, method in (("/-/refresh", "POST"), ("/-/refresh.json", "GET"), ("/-/usage.json", "GET")):
        answer = await datasette.client.options(path, headers=asks)
        assert answer.headers["access-control-allow-methods"] == method


async def test_too_large_is_said_and_leaves_no_file(datasette, folder, monkeypatch):
    monkeypatch.setattr(handed_in, "MOST_BYTES", 1_000_000)
    answer = await hand_in(datasette, bearing(folder), b"x" * 1_000_001)
    assert answer.status_code == 413 and "larger than 1 MB" in answer.json()["error"]
    assert left(folder) == []


def test_what_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    path = made_up.small(tmp_path / "moodle.db")
    monkeypatch.setattr(handed_in, "MOST_UNPACKED", 1_000_000)
    bomb = tmp_path / "bomb"
    bomb.write_bytes(gzip.compress(b"x" * 1_000_001))
    outcome = handed_in.take(str(path), str(bomb), "x", handed_in.options(2, made_up.SITE, "no zone"))
    assert "larger than 1 MB" in outcome.error


async def test_one_at_a_time_and_the_server_goes_on_answering(datasette, folder):
    headers = bearing(folder)
    first = asyncio.create_task(hand_in(datasette, headers))
    while not (hands := getattr(datasette, "_coursette_hands", None)) or not hands.busy:
        await asyncio.sleep(0.01)
    second = await hand_in(datasette, headers)
    assert second.status_code == 409 and "Another file is being loaded" in second.json()["error"]
    assert (await get(datasette, STATE, None, headers=headers)).status_code == 200 and not first.done()
    assert (await first).status_code == 200


async def test_a_token_may_hand_in_so_many_files_only():
    hands = handed_in.Hands()
    assert all(hands.admit("one") for _ in range(handed_in.MOST_FILES))
    assert not hands.admit("one") and hands.admit("two")


async def test_what_a_crash_left_goes_at_the_next_start(tmp_path, folder):
    (folder / f"{handed_in.PREFIX}0123").write_text("names")
    datasette = instance(made_up.small(tmp_path / "moodle.db"))
    await datasette.invoke_startup()
    assert left(folder) == [] and (folder / "accounts.json").exists()


async def test_the_install_page_gives_and_takes_the_right(datasette, folder):
    def scripts_token() -> dict:
        return next(row for row in tokens.of_user(folder, "teacher") if row["counts"])

    first = await get(datasette, "/-/bookmarklet")
    assert scripts_token()["right"] == "read" and 'name="refresh" value="1">' in first.text
    assert '"refresh": false' in unquote(first.text.replace("&#34;", '"'))
    await post(datasette, "/-/bookmarklet", {"action": "right", "refresh": "1"}, TEACHER)
    assert scripts_token()["right"] == "refresh"
    second = await get(datasette, "/-/bookmarklet")
    assert 'value="1" checked>' in second.text and '"refresh": true' in unquote(second.text.replace("&#34;", '"'))
    assert [row["counts"] for row in tokens.of_user(folder, "teacher")] == [True, False], "the old one is revoked"
    await post(datasette, "/-/bookmarklet", {"action": "right"}, TEACHER)
    assert scripts_token()["right"] == "read"


def test_the_pretend_moodle_of_the_demo_gives_what_the_script_fetches():
    server = made_up_moodle.start(0)
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        log = httpx.get(f"{address}/report/log/index.php?chooselog=1&id=2&download=csv")
        assert log.headers["content-type"].startswith("text/csv") and log.text.count("\n") > 61_000
        completion = httpx.get(f"{address}/report/progress/index.php?course=2&format=csv&dataformat=csv")
        assert completion.status_code == 200 and not completion.text.lstrip().startswith("<")
        for page_of in ("/course/view.php?id=2", "/user/index.php?id=2&perpage=5000"):
            assert httpx.get(address + page_of).text.lstrip().startswith("<")
    finally:
        server.shutdown()
        server.server_close()


async def test_a_log_that_leaves_a_gap_does_not_count_as_fetched(datasette, folder, tmp_path):
    headers = bearing(folder)
    assert (await hand_in(datasette, headers)).status_code == 200  # of 2026 alone, and the course has lines of 2016
    assert (await datasette.client.get(STATE, headers=headers)).json()["days"] is None
    assert count(tmp_path, "select count(*) from pulls where part = 'log'") == 0
    first = HEADER + LINE.format(time='"22/11/26, 20:24:12"') + LINE.format(time='"1/01/16, 10:00:00"')
    assert (await hand_in(datasette, headers, first.encode())).status_code == 200
    assert count(tmp_path, "select count(*) from pulls where part = 'log'") == 1
