"""`coursette pull` from a Moodle on this machine, over real HTTP: what comes in, what is asked, what goes wrong."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import moodle_server
import pytest
from exports import rows
from moodle_server import SESSION, TOKEN, Fault, Server, running
from snapshot import differences, snapshot

from loaders import pull, ways
from loaders.load import Loader
from loaders.places import Options
from loaders.schema import open_database

BOTH = ways.Secrets(token=TOKEN, session_cookie=SESSION)
ONLY_TOKEN, ONLY_SESSION = ways.Secrets(token=TOKEN), ways.Secrets(session_cookie=SESSION)


@pytest.fixture
def moodle():
    with running() as server:
        yield server


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch):
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


def pulled(folder: Path, server: Server, secrets: ways.Secrets = BOTH, **more) -> int:
    return pull.pull(folder / "moodle.db", [server.course_url], folder / "private", secrets, **more)


def connection(folder: Path) -> sqlite3.Connection:
    return open_database(folder / "moodle.db").conn


def facts(folder: Path) -> dict:
    return snapshot(connection(folder))


def test_everything_comes_in_and_two_pulls_are_one(moodle, tmp_path):
    assert pulled(tmp_path, moodle) == 0
    first, asked = facts(tmp_path), moodle.asked()
    assert {table: len(first[table]) for table in ("enrolments", "group_members", "events")} == {
        "enrolments": 122, "group_members": 120, "events": 2_000,
    }  # fmt: skip
    assert len(first["completions"]) == 120 * 39
    assert len(first["forum_posts"]) == 245
    assert len(first["calendar_events"]) == 4 and len(first["responses"]) == 75 * 3 and len(first["blog_posts"]) > 100
    assert asked["core_completion_get_activities_completion_status"] == 120
    moodle.requests.clear()
    assert pulled(tmp_path, moodle) == 0
    assert differences(first, facts(tmp_path)) == {}


def test_a_second_pull_moves_only_what_changed(moodle, tmp_path):
    pulled(tmp_path, moodle)
    moodle.requests.clear()
    world = moodle.world
    changed = world.discussions[3]
    gone = world.discussions.pop(7)
    reply = dict(world.posts[changed["discussion"]][-1]) | {"id": 9001, "message": "<p>A <b>new</b> reply</p>"}
    world.posts[changed["discussion"]].append(reply)
    changed["numreplies"] += 1
    busy = next(one for one in world.people if one["id"] == 20)
    busy["lastcourseaccess"] = int(time.time())
    world.completion[20]["statuses"][1] |= {"state": 1, "timecompleted": int(time.time())}
    assert pulled(tmp_path, moodle) == 0
    asked = moodle.asked()
    assert asked["core_completion_get_activities_completion_status"] == 1
    assert [p["discussionid"] for what, p in moodle.requests if what == "mod_forum_get_discussion_posts"] == [
        str(changed["discussion"])
    ]
    db = connection(tmp_path)
    assert rows(db, "select text from forum_posts where moodle_id = 9001") == [("A new reply",)]
    posts = {post["id"] for group in (world.posts[d["discussion"]] for d in world.discussions) for post in group}
    assert {key for (key,) in rows(db, "select moodle_id from forum_posts")} == posts
    assert gone["discussion"] not in {d["discussion"] for d in world.discussions}


def test_a_pulled_log_goes_on_where_it_ended(moodle, tmp_path):
    pulled(tmp_path, moodle)
    moodle.requests.clear()
    before = rows(connection(tmp_path), "select count(*) from events")[0][0]
    first = moodle.world.log[0]
    moodle.world.log.insert(0, first.replace(first[1:19], time.strftime("%d/%m/%y, %H:%M:%S")))
    assert pulled(tmp_path, moodle) == 0
    assert moodle.asked()["/report/log/index.php"] <= 14
    assert rows(connection(tmp_path), "select count(*) from events")[0][0] == before + 1


def test_windows_of_the_log():
    from loaders.pull_log import windows

    day = 86_400
    assert windows(None, 100 * day) is None
    assert windows(99.5 * day, 100.2 * day) == [100 * day, 99 * day]
    assert windows(99 * day + 60, 99.1 * day) == [99 * day, 98 * day]  # lines may be written late
    assert windows(50 * day, 100 * day) is None


def test_what_was_saved_gives_the_same_tables(moodle, tmp_path):
    saved = tmp_path / "saved"
    assert pulled(tmp_path, moodle, save=saved) == 0
    other = open_database(tmp_path / "other.db").conn
    zone = Options(timezone="Australia/Brisbane", site=moodle.url, course=2)
    outcomes = list(Loader(other, zone).load([saved]))
    assert [outcome.error for outcome in outcomes] == [None] * len(outcomes)
    assert differences(facts(tmp_path), snapshot(other)) == {}
    assert all(path.stat().st_mode & 0o077 == 0 for path in saved.rglob("*") if path.is_file())


def test_a_session_alone_gives_what_the_files_give(moodle, tmp_path, demo_files):
    assert pulled(tmp_path, moodle, ONLY_SESSION) == 0
    other = open_database(tmp_path / "other.db").conn
    for name in ("participants_page.html", "course_page.html"):
        (tmp_path / name).write_text(moodle_server.saved_page(f"{name}.gz", moodle.url), "utf-8")
    (tmp_path / "log.csv").write_text(moodle.world.log_of(None), "utf-8")
    files = [tmp_path / "participants_page.html", tmp_path / "course_page.html", tmp_path / "log.csv"]
    files += sorted([demo_files / "completion_progress.csv", *demo_files.glob("forum_export*.csv")])
    outcomes = list(Loader(other, Options(timezone="Australia/Brisbane", course=2)).load(files))
    assert not [outcome.error for outcome in outcomes if outcome.error]
    assert differences(facts(tmp_path), snapshot(other)) == {}


def test_completion_by_web_service_is_completion_by_report(moodle, tmp_path, demo_files):
    reference = open_database(tmp_path / "reference.db").conn
    names = ["participants_page.html.gz", "course_page.html.gz", "completion_progress.csv", "grades_txt.csv"]
    names += [path.name for path in demo_files.glob("forum_export*.csv")]
    list(Loader(reference, Options(timezone="Australia/Brisbane", course=2)).load([demo_files / n for n in names]))
    numbers = {"incomplete": 0, "complete": 1, "complete-pass": 2, "complete-fail": 3}
    for answer in moodle.world.completion.values():
        answer["statuses"] = []
    for user, cmid, state, when in rows(
        reference, "select p.moodle_id, a.cmid, state, cast(strftime('%s', completed_utc) as integer) from completions"
        " join people p on p.id = person_id join activities a on a.id = activity_id",
    ):  # fmt: skip
        status = {"cmid": cmid, "state": numbers[state], "timecompleted": when or 0, "istrackeduser": True}
        moodle.world.completion[user]["statuses"].append(status)
    assert pulled(tmp_path, moodle, ONLY_TOKEN) == 0
    left, right = snapshot(reference), facts(tmp_path)
    for table in ("completions", "forum_posts", "post_links", "grades"):
        key = {"forum_posts": 3}.get(table)
        one, two = ([row[:2] + row[key:] if key else row for row in side[table]] for side in (left, right))
        assert len(one) > 10 and one == two, table


def test_no_function_that_writes_is_called_and_no_secret_travels_in_an_address(moodle, tmp_path):
    pulled(tmp_path, moodle)
    assert not [what for what, _ in moodle.requests if "_view_" in what]
    log_writers = ("/user/index.php", "/course/view.php", "/grade/export/txt/export.php")
    assert not [what for what, _ in moodle.requests if what in log_writers]
    assert moodle.most_open <= 4
    for what, parameters in moodle.requests:
        assert TOKEN not in json.dumps(parameters) and SESSION not in json.dumps(parameters), what


def test_secrets_are_nowhere(moodle, tmp_path, capsys, quick):
    moodle.faults.append(Fault("core_blog_get_entries", "status", 500))
    pulled(tmp_path, moodle)
    said = capsys.readouterr()
    held = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in (TOKEN, SESSION):
        assert secret not in said.out + said.err and secret.encode() not in held


def test_what_the_token_may_not_do_is_said_once_and_the_rest_goes_on(moodle, tmp_path, capsys):
    moodle.forbidden = {"mod_forum_get_discussion_posts"}
    moodle.refused = {"gradereport_user_get_grade_items"}
    assert pulled(tmp_path, moodle, ONLY_TOKEN) == 0
    said = capsys.readouterr().out
    assert said.count("mod_forum_get_discussion_posts") == 1
    assert said.count("your role in Moodle does not allow it") == 1
    assert "Moodle gives it to a browser's session only" in said
    assert len(facts(tmp_path)["completions"]) > 1000


def test_what_is_refused_for_once_stays_as_it_was(moodle, tmp_path):
    pulled(tmp_path, moodle)
    before = facts(tmp_path)
    moodle.refused = {"gradereport_user_get_grade_items", "mod_forum_get_discussion_posts",
                      "core_enrol_get_enrolled_users"}  # fmt: skip
    assert pulled(tmp_path, moodle, whole=True) == 0
    assert differences(before, facts(tmp_path)) == {}


SENTENCES = {
    "an ended token": (ways.Secrets(token="wrong"), [], "does not accept this token"),
    "an ended session": (ways.Secrets(session_cookie="old"), [], "the session has ended"),
    "maintenance": (ONLY_TOKEN, [Fault("core_webservice_get_site_info", "body",
        ("text/html", "<html><body id='page-maintenance-message'>Back soon</body></html>"))], "maintenance"),
    "a page in place of JSON": (ONLY_TOKEN, [Fault("core_webservice_get_site_info", "body",
        ("text/html", "<html><body>Welcome to the portal</body></html>"))], "web page"),
    "XML": (ONLY_TOKEN, [Fault("core_webservice_get_site_info", "body", ("text/xml", "<?xml version='1.0'?><R/>"))],
            "XML"),
    "another host": (ONLY_TOKEN, [Fault("core_webservice_get_site_info", "redirect", "https://evil.example/login")],
                     "sent us on to https://evil.example"),
    "no Moodle": (ONLY_TOKEN, [Fault("core_webservice_get_site_info", "body", ("text/plain", "hello"))], "no Moodle"),
    "half a log": (BOTH, [Fault("/report/log/index.php", "cut")], "log: "),
    "a login page in place of the log": (BOTH, [Fault("/report/log/index.php", "body",
        ("text/html", moodle_server.LOGIN_PAGE.format(site="x", token="y")))], "log: Moodle asked to sign in"),
    "a broken server": (BOTH, [Fault("core_blog_get_entries", "status", 500)],
                        "blog: 127.0.0.1 has an error of its own"),
    "a dead line": (BOTH, [Fault("core_calendar_get_calendar_events", "drop")], "calendar: 127.0.0.1"),
}  # fmt: skip


@pytest.fixture
def quick(monkeypatch):
    """Short pauses, as a patient teacher would not notice."""
    from dataclasses import replace

    from loaders import moodle as client

    defaults = client.Moodle.__init__.__kwdefaults__
    limits = replace(client.Limits(), tries=2, wait_initial_s=0.01)
    monkeypatch.setattr(client.Moodle.__init__, "__kwdefaults__", defaults | {"limits": limits})


def test_what_goes_wrong_is_one_sentence_and_nothing_is_lost(moodle, tmp_path, capsys, quick):
    pulled(tmp_path, moodle)
    before = facts(tmp_path)
    for case, (secrets, faults, words) in SENTENCES.items():
        capsys.readouterr()
        moodle.faults[:] = faults
        assert pulled(tmp_path, moodle, secrets, whole=True) == 1, case
        said = capsys.readouterr()
        (sentence,) = [line for line in said.err.splitlines() if line]
        assert words in sentence, case
        assert "Traceback" not in said.err
        moodle.faults.clear()
    after = facts(tmp_path)
    counts = [{table: len(found) for table, found in each.items()} for each in (before, after)]
    assert counts[0] == counts[1]


def test_a_busy_moodle_is_asked_again_when_it_says(moodle, tmp_path, quick):
    moodle.faults.append(Fault("core_group_get_course_groups", "status", 503, times=1, headers={"Retry-After": "1"}))
    started = time.monotonic()
    assert pulled(tmp_path, moodle, ONLY_TOKEN) == 0
    assert moodle.asked()["core_group_get_course_groups"] == 2 and time.monotonic() - started > 1


def test_a_wait_that_is_too_long_is_said(moodle, tmp_path, capsys, quick):
    moodle.faults.append(Fault("core_webservice_get_site_info", "status", 429, headers={"Retry-After": "9999"}))
    assert pulled(tmp_path, moodle, ONLY_TOKEN) == 1
    assert "left alone for 9,999 seconds" in capsys.readouterr().err
    assert moodle.asked()["core_webservice_get_site_info"] == 1


def test_a_moodle_of_5_gives_its_completion_report_too(moodle, tmp_path):
    moodle.version_5 = True
    assert pulled(tmp_path, moodle, ONLY_SESSION) == 0
    assert len(facts(tmp_path)["completions"]) > 1000


def test_a_moodle_below_a_path(tmp_path):
    with running(path="/moodle") as server:
        assert pulled(tmp_path, server) == 0
        assert rows(connection(tmp_path), "select url from sites") == [(server.url,)]


def test_other_peoples_blog_entries_are_not_kept(moodle, tmp_path):
    stranger = dict(moodle.world.entries[0]) | {"id": 777, "userid": 99_999, "subject": "Not of this course"}
    moodle.world.entries.insert(0, stranger)
    folder = tmp_path / "saved"
    assert pulled(tmp_path, moodle, ONLY_TOKEN, save=folder) == 0
    assert b"Not of this course" not in (folder / "course-2" / "blog.jsonl").read_bytes()
    assert rows(connection(tmp_path), "select 1 from people where moodle_id = 99999") == []


def test_every_known_course_without_an_address(moodle, tmp_path, capsys):
    pulled(tmp_path, moodle)
    db = tmp_path / "moodle.db"
    assert pull.pull(db, [], tmp_path / "private", BOTH) == 0
    with pytest.raises(Exception, match="say which course"):
        open_database(tmp_path / "empty.db")
        pull.pull(tmp_path / "empty.db", [], tmp_path / "private", BOTH)


def test_what_belongs_to_one_moodle_is_not_shown_to_another(moodle, tmp_path):
    with running() as other, pytest.raises(Exception, match="several Moodles"):
        addresses = [moodle.course_url, other.course_url]
        pull.pull(tmp_path / "moodle.db", addresses, tmp_path / "private", BOTH)
    assert other.requests == [] and moodle.requests == []


def command(folder: Path, server: Server) -> subprocess.Popen:
    env = os.environ | {"COURSETTE_MOODLE_TOKEN": TOKEN, "COURSETTE_MOODLE_SESSION": SESSION,
                        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}  # fmt: skip
    words = [sys.executable, "-c", "from loaders.cli import main; main()", "pull", server.course_url, "--db"]
    return subprocess.Popen([*words, str(folder / "moodle.db")], env=env, cwd=moodle_server.HERE.parent,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("calls", [20, 140])
def test_killed_at_any_point_nothing_is_lost_and_it_goes_on(calls, tmp_path):
    with running(delay_s=0.02) as server:
        process = command(tmp_path, server)
        while len(server.requests) < calls and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        before = server.asked()["core_completion_get_activities_completion_status"]
        assert pulled(tmp_path, server) == 0
        again = server.asked()["core_completion_get_activities_completion_status"] - before
        assert again <= 120 - before + 4  # those under way
        whole = tmp_path / "whole"
        whole.mkdir()
        assert pulled(whole, server) == 0
        assert differences(facts(tmp_path), facts(whole)) == {}
        assert not list((tmp_path / "private" / "pull").rglob("*.part"))


def test_two_at_once_are_safe(tmp_path):
    with running(delay_s=0.01) as server:
        both = [command(tmp_path, server) for _ in range(2)]
        said = [process.communicate(timeout=120) for process in both]
        assert [process.returncode for process in both] == [0, 0], said
        assert sum(b"being pulled by another coursette" in out for out, _ in said) == 1
        alone = tmp_path / "alone"
        alone.mkdir()
        pulled(alone, server)
        assert differences(facts(tmp_path), facts(alone)) == {}


def test_400_students_need_no_more_calls_than_they_must_and_four_at_a_time(tmp_path):
    with running(students=400, delay_s=0.01) as server:
        assert pulled(tmp_path, server, ONLY_TOKEN) == 0
        assert server.asked()["core_completion_get_activities_completion_status"] == 400
        assert server.asked()["core_enrol_get_enrolled_users"] == 5
        assert server.most_open == 4


def test_course_addresses():
    from loaders.errors import Unreadable
    from loaders.moodle_address import course_address

    assert course_address("https://m.example.edu/course/view.php?id=7") == ("https://m.example.edu", 7)
    assert course_address("https://e.example/moodle/course/view.php?id=7&section=2") == ("https://e.example/moodle", 7)
    assert course_address("https://m.example.edu/user/index.php?id=7&course=9")[1] == 9
    for wrong in (
        "https://m.example.edu/",
        "https://m.example.edu/course/view.php",
        "http://m.example.edu/course/view.php?id=2",
        "ftp://x/course/view.php?id=2",
        "https://u:p@m.example.edu/course/view.php?id=2",
    ):
        with pytest.raises(Unreadable) as error:
            course_address(wrong)
        assert "u:p" not in str(error.value)


def test_credentials_do_not_follow_a_redirect(moodle, tmp_path, quick):
    with running() as other:
        moodle.faults.append(Fault("/report/log/index.php", "redirect", f"{other.url}/report/log/index.php"))
        moodle.faults.append(Fault("core_calendar_get_calendar_events", "redirect", f"{other.url}/x"))
        assert pulled(tmp_path, moodle) == 1
        assert other.requests == []


def test_the_form_signs_in_and_gets_a_token(moodle, tmp_path):
    from loaders.moodle import Moodle

    async def sign_in() -> tuple:
        async with Moodle(moodle.url) as client:
            token = await client.get_token("teacher", moodle_server.PASSWORD)
            return token, (await client.log_in("teacher", moodle_server.PASSWORD)).user_id

    assert asyncio.run(sign_in()) == (TOKEN, 3)
    secrets = ways.Secrets(username="teacher", password=moodle_server.PASSWORD)
    assert pulled(tmp_path, moodle, secrets) == 0
    assert len(facts(tmp_path)["events"]) == 2_000 and len(facts(tmp_path)["grades"]) > 10


def test_a_wrong_password_is_one_sentence(moodle, tmp_path, capsys):
    assert pulled(tmp_path, moodle, ways.Secrets(username="teacher", password="no")) == 1
    assert capsys.readouterr().err.strip() == "Moodle does not accept this user name and password"


ODD_ANSWERS = {
    "core_course_get_contents": ["x"],
    "core_enrol_get_enrolled_users": [{"id": "NaN"}],
    "mod_forum_get_forum_discussions": {"discussions": [{"discussion": None}]},
    "gradereport_user_get_grade_items": {"usergrades": [{"userid": [], "gradeitems": 7}]},
    "core_calendar_get_calendar_events": {"events": [{"courseid": 2, "id": 10**400}]},
}


def test_odd_answers_end_in_a_sentence_and_are_not_kept(moodle, tmp_path, capsys):
    pulled(tmp_path, moodle, ONLY_TOKEN)
    before = facts(tmp_path)
    moodle.world.answers = dict(ODD_ANSWERS)
    assert pulled(tmp_path, moodle, ONLY_TOKEN, whole=True) == 1
    said = capsys.readouterr()
    assert "Traceback" not in said.err and "not as it should be" in said.err
    moodle.world.answers = {}
    assert pulled(tmp_path, moodle, ONLY_TOKEN, whole=True) == 0
    assert differences(before, facts(tmp_path)) == {}


@pytest.mark.skipif(os.name != "posix", reason="links and modes")
def test_what_is_saved_follows_no_link(tmp_path):
    from loaders.pull_files import save_copy

    (tmp_path / "blog.jsonl").write_text("students' data")
    (tmp_path / "saved").mkdir()
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "saved" / "blog.jsonl").symlink_to(tmp_path / "mine")
    save_copy(tmp_path / "blog.jsonl", tmp_path / "saved")
    assert (tmp_path / "mine").read_text() == "mine"
    copy = tmp_path / "saved" / "blog.jsonl"
    assert not copy.is_symlink() and copy.stat().st_mode & 0o777 == 0o600


def test_a_log_taken_back_is_fetched_whole_again(moodle, tmp_path):
    from loaders.unload import unload

    pulled(tmp_path, moodle, ONLY_SESSION)
    db = connection(tmp_path)
    unload(db, rows(db, "select id from loads where kind = 'course log'")[0][0])
    moodle.requests.clear()
    assert pulled(tmp_path, moodle, ONLY_SESSION) == 0
    asked = [parameters for what, parameters in moodle.requests if what == "/report/log/index.php"]
    assert len(asked) == 1 and "date" not in asked[0]
