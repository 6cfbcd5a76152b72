"""Course backups: what they give, lines counted once beside a log, hostile archives refused."""

from __future__ import annotations

import gzip
import os
import tarfile
import zipfile
from pathlib import Path

import made_backup as made
import pytest

from loaders.backup_log import part_of
from loaders.load import Loader
from loaders.places import Options
from loaders.schema import open_database
from loaders.unload import unload

HERE = Path(__file__).parent
REAL = HERE / "fixtures" / "course_backup.mbz"
LOG = HERE.parent / "demo" / "log_course2.csv.gz"
VIEWED = "\\mod_forum\\event\\discussion_viewed"


@pytest.fixture
def db(tmp_path: Path):
    """An empty database."""
    return open_database(tmp_path / "moodle.db").conn


def load(connection, *paths: Path, check: bool = False) -> list:
    """The outcomes; none refused."""
    options = Options(timezone="Australia/Brisbane", check=check)
    found = list(Loader(connection, options).load(list(paths)))
    assert [outcome.error for outcome in found] == [None] * len(found)
    return found


def refused(connection, path: Path) -> str:
    """The sentence for a backup that is not taken; nothing of it is left."""
    (outcome,) = Loader(connection, Options(timezone="UTC")).load([path])
    assert outcome.error and connection.execute("select count(*) from activities").fetchone() == (0,)
    return outcome.error


def rows(connection, sql: str) -> list[tuple]:
    return connection.execute(sql).fetchall()


CLICKS = (
    "select a.cmid, p.moodle_id, count(*) from events e join activities a on a.id = e.activity_id"
    " join people p on p.id = e.person_id join event_types t on t.id = e.event_type_id"
    " where t.crud = 'r' and e.time_utc <= '2026-11-22T10:24:40Z' group by 1, 2 order by 1, 2"
)


@pytest.mark.parametrize("pack", [made.tar, made.zipped])
def test_a_backup_gives_what_other_files_give(db, tmp_path: Path, pack):
    (outcome,) = load(db, pack(tmp_path / "a.mbz", made.files(made.line(VIEWED, 1_456_850_000, 11))))
    assert outcome.kind == "course backup"
    assert rows(db, "select moodle_id, shortname, fullname from courses") == [(2, "MU1", "Made up & small")]
    assert rows(db, "select url from sites") == [("https://moodle.example.edu",)]
    assert rows(db, "select cmid, kind, name, instance_id, tracked, position, due_utc from activities order by 1") == [
        (6, "forum", "Talk", 3, 1, 2, "2016-03-02T06:26:39Z"),
        (7, "book", "Tools", 2, 0, 1, None),
    ]
    assert rows(db, "select moodle_id, number, name, week from sections") == [(1, 1, "Week 1", 1)]
    assert rows(db, "select kind, moodle_id, name, position from parts order by 1") == [
        ("chapter", 9, "One", 1),
        ("discussion", 11, "Hello", None),
    ]
    assert rows(db, "select newest_utc from loads") == [("2016-03-02T06:26:40Z",)]


def test_people_of_a_backup(db, tmp_path: Path):
    load(db, made.tar(tmp_path / "a.mbz", made.files()))
    sql = (
        "select p.moodle_id, fullname, email, idnumber, role, status, enrolled_utc, last_access_utc"
        " from people p join enrolments on person_id = p.id order by 1"
    )
    assert rows(db, sql) == [
        (3, "Tim T", "tim@example.edu", None, "editingteacher", "suspended", "2016-01-29T14:00:00Z", None),
        (5, "Zoë Müller", "zoe@example.edu", "Z1", "student", "active", "2016-01-29T14:00:00Z", "2016-03-02T03:40:00Z"),
    ]
    assert rows(db, "select g.moodle_id, g.name from group_members join groups g on g.id = group_id") == [(4, "Blue")]
    assert ("program", "BEdu") in rows(db, "select field, value from person_details")
    assert rows(db, "select state, completed_utc from completions") == [("complete", "2016-03-01T02:40:00Z")]
    assert rows(db, "select name, maximum, grade from grades join grade_items i on i.id = grade_item_id") == [
        ("Talk", 10, 7.5)
    ]
    assert rows(db, "select moodle_id, title, text, word_count from forum_posts") == [(21, "Hello", "Two words", 2)]


def test_without_people_the_map_is_whole(db, tmp_path: Path):
    (outcome,) = load(db, made.tar(tmp_path / "a.mbz", made.files(users=False)))
    assert rows(db, "select cmid, instance_id from activities order by 1") == [(6, 3), (7, 2)]
    assert rows(db, "select count(*) from people") == [(0,)]
    assert any("no people" in note for note in outcome.notes)


def test_an_anonymised_backup_takes_ids_alone(db, tmp_path: Path):
    files = made.files()
    files["users.xml"] = files["users.xml"].replace("Zoë", "anonfirstname5").replace("Tim", "anonfirstname3")
    (outcome,) = load(db, made.tar(tmp_path / "a.mbz", files))
    assert any("anonymised" in note for note in outcome.notes)
    assert rows(db, "select moodle_id, fullname, email from people order by 1") == [(3, None, None), (5, None, None)]


def test_a_line_by_person_place_and_part(db, tmp_path: Path):
    lines = made.line(VIEWED, 1_456_850_000, 11) * 2 + made.line(VIEWED, 1_456_850_000, 11, realuserid=3)
    load(db, made.tar(tmp_path / "a.mbz", made.files(lines)))
    sql = (
        "select p.moodle_id, a.cmid, parts.moodle_id, r.moodle_id, e.time_utc, e.origin from events e"
        " join people p on p.id = person_id join activities a on a.id = e.activity_id join parts on parts.id = part_id"
        " left join people r on r.id = real_person_id order by 4"
    )
    click = (5, 6, 11, None, "2016-03-01T16:33:20Z", None)
    assert rows(db, sql) == [click, click, (*click[:3], 3, *click[4:])]
    assert rows(db, "select sum(clicks) from usage_activity") == [(2,)]


@pytest.mark.parametrize(
    ("event", "object_id", "other", "part"),
    [
        (VIEWED, 11, "", ("discussion", 11)),
        ("\\mod_forum\\event\\post_created", 21, '{"discussionid":"7","forumid":3}', ("discussion", 7)),
        ("\\mod_forum\\event\\post_created", 21, 'a:1:{s:12:"discussionid";s:2:"17";}', ("discussion", 17)),
        ("\\mod_forum\\event\\post_created", 21, 'a:1:{s:12:"discussionid";i:17;}', ("discussion", 17)),
        ("\\mod_forum\\event\\post_created", 21, '{"discussionid":-31337}', None),
        ("\\mod_book\\event\\chapter_viewed", -31337, "", None),
        ("\\mod_page\\event\\course_module_viewed", 4, "", None),
    ],
)
def test_which_part_a_line_is_about(event: str, object_id: int, other: str, part):
    assert part_of(event, object_id, made.base64.b64encode(other.encode()).decode()) == part


def test_twice_adds_nothing_and_unload_takes_all_back(db, tmp_path: Path):
    path = made.tar(tmp_path / "a.mbz", made.files(made.line(VIEWED, 1_456_850_000, 11)))
    load(db, path)
    again = made.tar(tmp_path / "b.mbz", made.files(made.line(VIEWED, 1_456_850_000, 11)) | {"files/ab": b"x"})
    load(db, again, path)
    assert rows(db, "select count(*) from events") == [(1,)]
    for (key,) in rows(db, "select id from loads"):
        unload(db, key)
    for table in ("events", "people", "activities", "claims"):
        assert rows(db, f"select count(*) from {table}") == [(0,)]


def test_check_writes_nothing(db, tmp_path: Path):
    load(db, made.tar(tmp_path / "a.mbz", made.files(made.line(VIEWED, 1_456_850_000, 11))), check=True)
    assert rows(db, "select count(*) from events") == [(0,)]
    assert rows(db, "select count(*) from loads") == [(0,)]


def test_found_in_a_folder_and_in_a_zip(db, tmp_path: Path):
    folder = tmp_path / "all"
    folder.mkdir()
    inner = made.tar(folder / "a.mbz", made.files())
    (outcome,) = load(db, folder)
    assert outcome.kind == "course backup"
    (again,) = load(db, made.zipped(tmp_path / "all.zip", {"down/a.mbz": inner.read_bytes()}))
    assert again.load_id == outcome.load_id


# ---- Beside the real course's log ----


def test_clicks_of_a_backup_alone_are_those_of_the_log(tmp_path: Path):
    backup, log = (open_database(tmp_path / name).conn for name in ("backup.db", "log.db"))
    load(backup, REAL)
    load(log, LOG)
    assert len(rows(log, CLICKS)) == 4048
    assert rows(backup, CLICKS) == rows(log, CLICKS)
    total = "select sum(clicks) from usage_activity"
    assert rows(backup, total) == rows(log, total) != [(0,)]


@pytest.mark.parametrize("order", [(REAL, LOG), (LOG, REAL)])
def test_a_log_and_a_backup_count_each_line_once(db, order: tuple[Path, Path]):
    load(db, *order)
    lines = rows(db, "select count(*), sum(origin is null) from events")
    assert lines == [(61_233, 39)]  # 61,194 in the log; 39 only in the backup, which was made later
    both = rows(db, CLICKS)
    (log,) = rows(db, "select id from loads where kind = 'course log'")[0]
    unload(db, log)
    assert rows(db, "select count(*) from events") == [(60_986,)]
    assert rows(db, CLICKS) == both


@pytest.mark.parametrize(("order", "said"), [((REAL, LOG), "10 hours off: say the zone"), ((LOG, REAL), "unload 1")])
def test_a_log_read_in_the_wrong_zone_shows_beside_a_backup(db, order: tuple[Path, Path], said: str):
    first, second = Loader(db, Options(timezone="UTC")).load(list(order))
    assert first.error is None and said in second.error
    assert rows(db, "select count(distinct load_id) from events") == [(1,)]


# ---- Hostile and broken archives ----


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname = kind, link
    return found


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (member("../../evil.xml"), "leads out"),
        (member("/etc/evil.xml"), "leads out"),
        (member("C:\\evil.xml"), "leads out"),
        (member("users.xml", tarfile.SYMTYPE, "/etc/passwd"), "link or a device"),
        (member("users.xml", tarfile.LNKTYPE, "roles.xml"), "link or a device"),
        (member("null", tarfile.CHRTYPE), "link or a device"),
        (member("roles.xml"), "same name twice"),
        (member("x" * 100_000), "name without end"),
    ],
)
def test_members_that_no_moodle_writes(db, tmp_path: Path, extra: tarfile.TarInfo, said: str):
    assert said in refused(db, made.tar(tmp_path / "a.mbz", made.files(), extra))
    assert not (tmp_path.parent / "evil.xml").exists()


BOMB = '<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;&x;&x;&x;&x;&x;">]><users>&y;</users>'
OUTSIDE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><users><user id="5">&x;</user></users>'


@pytest.mark.parametrize("pack", [made.tar, made.zipped])
@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        ("users.xml", BOMB, "DOCTYPE"),
        ("users.xml", OUTSIDE, "DOCTYPE"),
        ("users.xml", "<a>" * 5_000, "too deep"),
        ("users.xml", "<users><user id='5'>", "no XML"),
        ("users.xml", b"<users>\xff\xfe</users>", "no XML"),
        ("users.xml", b"\0" * (100 << 20), "far more"),
        ("moodle_backup.xml", "<moodle_backup/>", "which course"),
        ("moodle_backup.xml", "<a><information><original_course_id>1</original_course_id></information></a>", "which"),
        ("moodle_backup.xml", "<a><information><original_course_id>x</original_course_id></information></a>", "which"),
    ],
)
def test_hostile_files_inside(db, tmp_path: Path, pack, path: str, content, said: str):
    assert said in refused(db, pack(tmp_path / "a.mbz", made.files() | {path: content}))


def test_a_backup_without_its_table_of_contents(db, tmp_path: Path):
    files = made.files()
    del files["moodle_backup.xml"]
    assert "no moodle_backup.xml" in refused(db, made.tar(tmp_path / "a.mbz", files))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_in_a_zip(db, tmp_path: Path):
    path = made.zipped(tmp_path / "a.mbz", made.files())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("users.xml", "<users/>")
    assert "twice" in refused(db, path)


@pytest.mark.parametrize("pack", [made.tar, made.zipped])
def test_cut_short(db, tmp_path: Path, pack):
    path = pack(tmp_path / "a.mbz", made.files() | {"files/ab": os.urandom(50_000)})
    path.write_bytes(path.read_bytes()[:-20_000])
    assert "download it again" in refused(db, path)


def test_a_member_cut_short(db, tmp_path: Path):
    whole = gzip.decompress(made.tar(tmp_path / "a.mbz", made.files()).read_bytes())
    (tmp_path / "b.mbz").write_bytes(gzip.compress(whole[: whole.index(b"</activity_gradebook>")]))
    assert "cut short" in refused(db, tmp_path / "b.mbz")
