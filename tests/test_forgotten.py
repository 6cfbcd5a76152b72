"""Who was deleted or has opted out stays out: whatever file comes, in any order, on every page."""

from __future__ import annotations

import gzip
import sqlite3
from pathlib import Path

import pytest

from loaders import forget, forgotten, schema
from loaders.detail_columns import Asked
from loaders.errors import Unreadable
from loaders.load import Loader
from loaders.places import Options
from loaders.pull_store import Store
from tests import made_backup, made_up
from tests.exports import (
    LOG_HEADER,
    assigned,
    load,
    viewed_course,
    viewed_page,
    write,
    write_log,
    write_participants,
)
from tests.test_forget import coursette, left, log, people, posts, rows
from tests.visit import get, instance

DEMO = Path(__file__).resolve().parent.parent / "demo"
HER = ("Evangeline Pham", "w1016193@student.example.edu", "001016193")  # Moodle id 109; has posts, grades and a blog
FILES = (
    "enrolled_users_all.json", "participants_page.html.gz", "participants_course2.csv", "forum_export_forum3.csv",
    "grades_txt.csv", "groups_overview.csv", "completion_progress.csv", "blogs.csv",
)  # fmt: skip


def copied(folder: Path, end: bytes = b"\n", names: tuple[str, ...] = FILES) -> list[Path]:
    """Files of the demo as another download of that day would be: other bytes, the same words; of the log a part."""
    folder.mkdir(exist_ok=True)
    for name in names:
        content = (DEMO / name).read_bytes()
        content = gzip.decompress(content) if name.endswith(".gz") else content
        (folder / name.removesuffix(".gz")).write_bytes(content + end)
    with gzip.open(DEMO / "log_course2.csv.gz", "rt", encoding="utf-8-sig", newline="") as text:
        lines = [line for number, line in enumerate(text) if number < 400 or (number < 9_000 and "'109'" in line)]
    (folder / "log.csv").write_bytes("".join(lines).encode() + end)
    return sorted(folder.iterdir())


def demo(connection: sqlite3.Connection, files: list[Path]) -> list:
    own = [file for file in files if file.name == "details.csv"]
    options = {"timezone": "Australia/Brisbane", "course": None}
    outcomes = list(Loader(connection, Options(**options)).load([file for file in files if file not in own]))
    outcomes += list(Loader(connection, Options(details=Asked())).load([DEMO / "details.csv"]))
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    return outcomes


@pytest.fixture(scope="module")
def loaded(tmp_path_factory) -> Path:
    """The demo's files, loaded; she is there."""
    folder = tmp_path_factory.mktemp("loaded")
    connection = schema.open_database(folder / "moodle.db").conn
    demo(connection, copied(folder / "files"))
    connection.close()
    assert left(folder, HER) == list(HER)
    return folder / "moodle.db"


def deleted(loaded: Path, folder: Path, command: tuple = ("forget", "student")) -> Path:
    path = folder / "moodle.db"
    path.write_bytes(loaded.read_bytes())
    result = coursette(*command, 109, "--db", path, "--mentions")
    assert result.exit_code == 0, result.output
    assert left(folder, HER) == []
    return path


def test_no_file_brings_her_back(loaded, tmp_path):
    path = deleted(loaded, tmp_path)
    before = {table: rows(path, f"select count(*) from {table}") for table in ("people", "events", "completions")}
    connection = schema.open_existing(path).conn
    outcomes = {outcome.source: outcome for outcome in demo(connection, copied(tmp_path / "files", b"\n\n"))}
    connection.execute("pragma wal_checkpoint(truncate)")
    connection.close()
    skipped = {source.rpartition("/")[2] for source, outcome in outcomes.items() if outcome.rows_skipped}
    assert skipped == {file.name for file in (tmp_path / "files").iterdir()}
    assert {outcome.source: outcome.rows_new for outcome in outcomes.values() if "forum" not in outcome.source} == {
        source: 0 for source in outcomes if "forum" not in source
    }
    assert before == {table: rows(path, f"select count(*) from {table}") for table in before}
    assert left(tmp_path, HER[1:]) == []
    assert all(HER[0] not in raw for (raw,) in rows(path, "select raw from unmatched"))
    said = coursette("status", "--db", path).output
    assert "1 student deleted on request or opted out" in said and "skipped" in said
    assert HER[0] not in said


def test_opting_out_before_anything_is_loaded_holds_in_any_order(tmp_path):
    files = copied(tmp_path / "files", names=(FILES[0], FILES[2], FILES[3], FILES[7]))
    for order in (files, files[::-1]):
        folder = tmp_path / f"first-{order[0].stem}"
        folder.mkdir()
        assert coursette("opt-out", 109, "--db", folder / "moodle.db").exit_code == 1  # nothing is made by it
        connection = schema.open_database(folder / "moodle.db").conn
        assert coursette("opt-out", 109, "--db", folder / "moodle.db").exit_code == 0
        demo(connection, order)
        for table in ("people", "unmatched", "claims", "forum_posts", "person_details"):
            found = connection.execute(f"select * from {table}").fetchall()
            assert [row for row in found if any(word in str(row) for word in HER[1:])] == [], (order[0].name, table)
        assert connection.execute("select count(*) from people where fullname = ?", HER[:1]).fetchone() == (0,)
        assert connection.execute("select count(*) from people").fetchone()[0] > 100
        connection.close()


def test_the_report_says_how_many_rows_were_skipped(tmp_path):
    path = tmp_path / "moodle.db"
    connection = schema.open_database(path).conn
    load(connection, log(tmp_path), people(tmp_path), posts(tmp_path))
    connection.close()
    coursette("forget", "student", 5, "--db", path)
    said = coursette("load", log(tmp_path, extra=3), "--timezone", "UTC", "--db", path).output
    assert "25 rows read, 3 new, 20 already there, 0 not matched, 2 skipped" in said
    assert "deleted on request or opted out" in said


def test_log_lines_without_ids_are_known_by_name_and_she_as_related_person_by_id(tmp_path):
    path = tmp_path / "moodle.db"
    connection = schema.open_database(path).conn
    load(connection, log(tmp_path), people(tmp_path))
    connection.close()
    coursette("forget", "student", 5, "--db", path)
    bare = [
        "14/02/16, 12:00:00",
        "Zoë Müller",
        "-",
        "Course: ICT",
        "System",
        "Something",
        "Nothing is said.",
        "web",
        "",
    ]
    lines = [
        ["14/02/16, 12:30:00", "Admin User as Zoë Müller", *bare[2:]],
        bare,
        ["14/02/16, 11:59:00", "Al & Co", "Zoë Müller", *bare[3:]],
        ["14/02/16, 11:58:00", "Al & Co", *bare[2:]],
        assigned("14/02/16, 11:57:00", 5),
        viewed_page("14/02/16, 11:56:00", 20, shown="Zoë Müller"),  # somebody else's id decides
        viewed_course("14/02/16, 11:55:00", 20),
    ]
    connection = schema.open_existing(path).conn
    (outcome,) = load(connection, write_log(tmp_path / "more.csv", lines))
    assert (outcome.rows_read, outcome.rows_new, outcome.rows_skipped) == (7, 3, 4)
    names = connection.execute("select person, related from event_names").fetchall()
    assert names == [("Al & Co", None)]
    connection.close()


def test_a_log_whose_course_is_not_known_is_held_without_her(tmp_path):
    path = tmp_path / "moodle.db"
    connection = schema.open_database(path).conn
    load(connection, log(tmp_path), people(tmp_path))
    connection.close()
    coursette("forget", "student", 5, "--db", path)
    connection = schema.open_existing(path).conn
    about = "The user with id '{}' has viewed their own account."
    lines = [["14/02/16, 12:00:00", name, "-", "System", "System", "User viewed", about.format(key), "web", ""]
             for key, name in ((5, "Zoë Müller"), (77, "Olaf Other"))]  # fmt: skip
    (outcome,) = load(connection, write(tmp_path / "odd.csv", [LOG_HEADER, *lines]))
    held = [raw for (raw,) in connection.execute("select raw from unmatched where kind = 'held log line'")]
    assert len(held) == 1 and "Olaf" in held[0]
    assert outcome.rows_skipped == 1


def test_a_backup_does_not_bring_her_back(tmp_path):
    lines = made_backup.line("\\core\\event\\course_viewed", 1_455_440_400, user=5)
    lines += made_backup.line("\\core\\event\\course_viewed", 1_455_440_500, user=20)
    backup = made_backup.tar(tmp_path / "backup.mbz", made_backup.files(lines))
    connection = schema.open_database(tmp_path / "moodle.db").conn
    load(connection, backup)
    (name,) = connection.execute("select fullname from people where moodle_id = 5").fetchone()
    before = connection.execute("select count(*) from events").fetchone()[0]
    connection.close()
    coursette("forget", "student", 5, "--db", tmp_path / "moodle.db")
    connection = schema.open_existing(tmp_path / "moodle.db").conn
    again = made_backup.tar(tmp_path / "again.mbz", {**made_backup.files(lines), "more.txt": "x"})
    (outcome,) = load(connection, again)
    assert outcome.error is None and outcome.rows_skipped >= 2
    assert connection.execute(
        "select count(*) from people where moodle_id = 5 or fullname = ?", (name,)
    ).fetchone() == (0,)
    assert connection.execute("select count(*) from events").fetchone()[0] == before - 1


def test_a_namesake_with_marks_of_their_own_stays(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    connection = schema.open_existing(path).conn
    forget.student(connection, made_up.SAM)
    both = [("Sam", "Lee", "sam1@student.example.edu", ""), ("Sam", "Lee", "sam2@student.example.edu", "")]
    (outcome,) = load(connection, write_participants(tmp_path / "people.csv", both), course=2)
    assert (outcome.rows_read, outcome.rows_skipped) == (2, 1)
    assert connection.execute("select email from people where fullname = 'Sam Lee'").fetchall() == [
        ("sam2@student.example.edu",)
    ]


def test_a_new_address_under_the_old_name_is_learned_as_hers(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    connection = schema.open_existing(path).conn
    forget.student(connection, made_up.ZOE)
    said = write_participants(tmp_path / "people.csv", [("Zoë", "Müller", "new@student.example.edu", "")])
    (outcome,) = load(connection, said, course=2)
    assert outcome.rows_skipped == 1
    married = write_participants(tmp_path / "later.csv", [("Zoë", "Schmidt", "new@student.example.edu", "")])
    (outcome,) = load(connection, married, course=2)
    assert outcome.rows_skipped == 1
    assert connection.execute("select count(*) from people where lastname = 'Schmidt'").fetchone() == (0,)


# ---- The key ----


def test_without_the_key_nothing_is_loaded(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    coursette("forget", "student", 5, "--db", path)
    (tmp_path / "private" / forgotten.KEY).rename(tmp_path / "elsewhere")
    result = coursette("load", log(tmp_path), "--db", path)
    assert result.exit_code == 1
    assert "the key that keeps them out (the file forgotten-key) is not in" in result.output
    assert "COURSETTE_PRIVATE" in result.output
    assert rows(path, "select count(*) from people where moodle_id = 5") == [(0,)]


def test_another_key_is_refused_too(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    coursette("forget", "student", 5, "--db", path)
    (tmp_path / "private" / forgotten.KEY).write_text("0" * 64)
    connection = schema.open_existing(path).conn
    with pytest.raises(Unreadable, match="is not the key that keeps them out"):
        forgotten.Forgotten(connection, 1)
    (outcome,) = load(connection, log(tmp_path))
    assert "is not the key" in outcome.error


def test_a_private_folder_elsewhere_is_named_once(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    folder = tmp_path / "own"
    assert coursette("forget", "student", 5, "--db", path, "--private", folder).exit_code == 0
    assert (folder / forgotten.KEY).exists() and not (tmp_path / "private").exists()
    assert coursette("load", log(tmp_path), "--db", path).exit_code == 1


# ---- In again ----


def test_opting_in_again_says_which_files_to_load_and_they_bring_her(tmp_path):
    path = tmp_path / "moodle.db"
    connection = schema.open_database(path).conn
    load(connection, log(tmp_path), people(tmp_path))
    connection.close()
    whole = rows(path, "select time_utc, line_key from events order by line_key")
    assert coursette("opt-out", "Zoë Müller", "--db", path).exit_code == 0
    assert coursette("forget", "list", "--db", path).output.startswith("1 student opted out")
    said = coursette("opt-in", "zoe@student.example.edu", "--db", path).output
    assert "logs0.csv, people.csv" in said
    connection = schema.open_existing(path).conn
    load(connection, log(tmp_path), people(tmp_path))
    assert rows(path, "select time_utc, line_key from events order by line_key") == whole
    assert rows(path, "select email from people where moodle_id = 5") == [("zoe@student.example.edu",)]
    assert coursette("forget", "list", "--db", path).output.startswith("Nobody was deleted")


def test_who_is_not_kept_out_cannot_opt_in(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    result = coursette("opt-in", 5, "--db", path)
    assert result.exit_code == 1 and "nobody who opted out" in result.output


# ---- Pages ----


@pytest.mark.parametrize(
    ("command", "words"),
    [(("opt-out",), "has opted out"), (("forget", "student"), "was deleted here on request")],
)
async def test_pages_that_are_asked_for_her_say_so(tmp_path, command, words):
    path = made_up.small(tmp_path / "moodle.db")
    assert coursette(*command, 5, "--db", path).exit_code == 0
    datasette = instance(path)
    page = await get(datasette, "/-/student?course=2&user=5&name=Zoë+Müller")
    assert page.status_code == 410
    assert f"This student {words}" in page.text
    for address in ("/-/student.json?course=2&user=5", "/-/usage.json?course=2&student=5",
                    "/-/access.json?course=2&activity=10&user=5"):  # fmt: skip
        answer = await get(datasette, address)
        assert answer.status_code == answer.json()["status"] == 410, address
        assert f"This student {words}" in answer.json()["error"]
    assert (await get(datasette, "/-/student?course=2&user=18")).status_code == 200
    assert (await get(datasette, "/-/student?course=2&user=4711")).status_code == 404
    found = (await get(datasette, "/moodle/student_profile.json?course=2&_shape=array")).json()
    assert 5 not in {row["moodle_id"] for row in found} and found


async def test_strangers_are_not_told_who_opted_out(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    coursette("opt-out", 5, "--db", path)
    assert (await get(instance(path), "/-/student?course=2&user=5", actor=None)).status_code in (302, 401, 403)


def test_a_pull_asks_nothing_of_her(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    coursette("opt-out", 5, "--db", path)
    store = Store(lambda: schema.open_existing(path).conn, made_up.SITE, 2)
    assert store.kept_out([5, 18]) == {5}
    store.close()


def test_a_database_of_the_version_before_gets_the_table(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    connection = sqlite3.connect(path)
    connection.executescript(
        "drop table forgotten; alter table loads drop column rows_skipped; alter table courses drop column keep_until;"
        " pragma user_version = 8"
    )
    connection.close()
    assert coursette("forget", "student", 5, "--db", path).exit_code == 0
    assert coursette("retention", 2, "2030-01-01", "--db", path).exit_code == 0
