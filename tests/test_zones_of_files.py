"""Times of files that do not say their zone: assumed, then put right by what does say it, in any order."""

from __future__ import annotations

import itertools

import pytest
from exports import assigned, database, load, rows, viewed_course, viewed_page, write, write_log
from snapshot import differences, snapshot

from loaders import places

LOG = [
    viewed_page("29/02/16, 00:30:00", 5),
    viewed_page("29/02/16, 00:30:00", 5),
    viewed_page("28/02/16, 23:59:59", 5),
    assigned("13/02/16, 09:00:00", 5),
    viewed_course("13/02/16, 07:00:00", 3),
]
PAGE = """<!DOCTYPE html><html lang="en"><head><title>ICT: Participants</title></head>
<body id="page-user-index" class="path-user course-2 pagelayout-report"><script>//<![CDATA[
var M = {}; M.yui = {}; M.cfg = {"wwwroot":"https:\\/\\/moodle.example.edu","courseId":2,"userId":3,
"usertimezone":"Australia\\/Brisbane","sesskey":"x"};
//]]></script><table id="participants"><tbody><tr><td><input name="user5" type="checkbox"></td>
<th><a href="https://moodle.example.edu/user/view.php?id=5&amp;course=2">Zo\u00eb M\u00fcller</a></th>
<td>zoe@x.org</td></tr></tbody></table></body></html>"""


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """This computer is in Berlin; Moodle shows this teacher Brisbane."""
    monkeypatch.setattr(places, "machine_zone", lambda: "Europe/Berlin")


@pytest.fixture
def files(tmp_path):
    header = ["", "Email address", "TPACK explained", ""]
    progress = [header, ["Zo\u00eb M\u00fcller", "zoe@x.org", "Completed", "2016-02-29 00:30:00"]]
    page = tmp_path / "participants.html"
    page.write_text(PAGE, encoding="utf-8")
    return [
        write_log(tmp_path / "logs.csv", LOG),
        page,
        write(tmp_path / "progress.csv", progress, encoding="utf-8", quoting=1),
    ]


def test_whatever_the_order_the_page_s_zone_is_the_files(tmp_path, files):
    found = []
    for number, order in enumerate(itertools.permutations(files)):
        folder = tmp_path / str(number)
        folder.mkdir()
        db = database(folder)
        outcomes = load(db, *order, timezone=None)
        assert [outcome.error for outcome in outcomes] == [None] * 3, outcomes
        found.append(snapshot(db))
        assert rows(db, "pragma foreign_key_check") == []
        db.close()
    assert all(differences(found[0], other) == {} for other in found[1:])
    times = [row[4:7] for row in found[0]["events"]]
    assert ("2016-02-28T14:30:00Z", "2016-02-29T00:30:00", 2) in times
    assert found[0]["completions"][0][3] == "2016-02-28T14:30:00Z"


def test_an_assumed_zone_is_said(tmp_path, files):
    db = database(tmp_path)
    (outcome,) = load(db, files[0], timezone=None)
    assert any("Europe/Berlin, this computer's zone" in note for note in outcome.notes)


def test_a_zone_that_was_said_is_not_moved(tmp_path, files):
    db = database(tmp_path)
    load(db, files[0], timezone="UTC")
    load(db, files[1], timezone=None)
    assert rows(db, "select max(time_utc) from events") == [("2016-02-29T00:30:00Z",)]
    assert rows(db, "select timezone from courses") == [("Australia/Brisbane",)]


def test_loading_a_file_again_with_another_zone_replaces_the_load(tmp_path, files):
    db = database(tmp_path)
    load(db, files[0], timezone="UTC")
    (outcome,) = load(db, files[0], timezone="Australia/Brisbane")
    assert (outcome.rows_new, rows(db, "select count(*) from loads")) == (len(LOG), [(1,)])
    assert rows(db, "select max(time_utc) from events") == [("2016-02-28T14:30:00Z",)]


def test_the_course_s_zone_can_be_set_after_loading(tmp_path, files):
    db = database(tmp_path)
    load(db, files[0], timezone="UTC")
    more = write_log(tmp_path / "more.csv", [viewed_page("14/03/16, 20:00:00", 5), *LOG])
    load(db, more, timezone="UTC", course_timezone="Australia/Brisbane")
    assert rows(db, "select max(time_local), max(week) from events") == [("2016-03-15T06:00:00", 3)]
    assert rows(db, "select count(*) from events where week is null") == [(0,)]
    load(db, more, timezone="UTC", course_timezone="UTC")
    assert rows(db, "select max(time_local) from events") == [("2016-03-14T20:00:00",)]


def without_seconds(line: list[str]) -> list[str]:
    return [line[0][:-3], *line[1:]]


def test_a_copy_without_seconds_does_not_double_the_clicks(tmp_path, files):
    db = database(tmp_path)
    load(db, files[0])
    (outcome,) = load(db, write_log(tmp_path / "copy.csv", [without_seconds(line) for line in LOG]))
    assert "no seconds" in outcome.error
    assert rows(db, "select count(*) from events") == [(len(LOG),)]


def test_a_genuine_log_after_a_copy_without_seconds_says_what_to_take_back(tmp_path, files):
    db = database(tmp_path)
    (copy,) = load(db, write_log(tmp_path / "copy.csv", [without_seconds(line) for line in LOG]))
    (outcome,) = load(db, files[0])
    assert f"coursette unload {copy.load_id}" in outcome.error


def test_a_held_log_can_be_given_its_course(tmp_path):
    db = database(tmp_path)
    log = write_log(tmp_path / "page.csv", [viewed_page("14/03/16, 10:30:00", user) for user in (5, 18, 19)])
    load(db, log)
    assert rows(db, "select count(*) from unmatched") == [(3,)]
    load(db, log, course=2)
    assert rows(db, "select count(*) from unmatched") == [(0,)]
    assert rows(db, "select count(*) from events") == [(3,)]


def test_a_held_log_is_as_new_as_its_lines(tmp_path):
    older = write_log(tmp_path / "a.csv", [viewed_page("29/02/16, 10:30:00", 5, title="Old"), *LOG[3:]])
    newer = write_log(tmp_path / "b.csv", [viewed_page("14/03/16, 10:30:00", user, title="New") for user in (5, 5)])
    for order in ((older, newer), (newer, older)):
        folder = tmp_path / order[0].stem
        folder.mkdir()
        db = database(folder)
        load(db, *order)
        assert rows(db, "select name from activities") == [("New",)]


def test_unloading_everything_leaves_nothing(tmp_path, files):
    from loaders.unload import unload

    db = database(tmp_path)
    for outcome in load(db, *files, timezone=None):
        unload(db, outcome.load_id)
    for (table,) in rows(db, "select name from sqlite_master where type = 'table' and name not like '%fts%'"):
        if table not in ("event_types", "sqlite_sequence"):
            assert rows(db, f"select * from [{table}]") == [], table
