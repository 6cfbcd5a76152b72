"""Packs of questions: one text file, shown and tried before it is kept, and harmless whoever wrote it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from loaders import pack_folder, packs
from loaders.cli import cli
from loaders.errors import Unreadable
from tests import made_up
from tests.catalogue import DATABASES
from tests.visit import get, instance

MODEL = DATABASES["moodle"]
HEAD = "-- pack: reading\n-- title: Who <b>reads</b>\n-- author: Ann O'Brien\n"
GOOD = "-- title: All students\n-- parameters:\n--   course:\nselect fullname, id as person from chosen order by 1\n"
NAMED = "select 1 as one where '{word}' = :course\n"
# What a stranger might try, and what stays of it.
HARM = {
    "attach": "attach 'private/audit.db' as a",
    "attached": "select * from a.look_ups",
    "audit": "select * from look_ups",
    "notes": "select * from notes",
    "notes_file": "select readfile('private/notes.db')",
    "pragma": "pragma query_only = off",
    "pragma_call": "select * from pragma_journal_mode('delete')",
    "pragma_hidden": "select * from pragma_database_list('x')",
    "load": "select load_extension('x')",
    "write": "delete from people",
    "write_hidden": "with x as (select 1) insert into people (fullname) select 'x' from x",
    "vacuum": "vacuum into 'x.db'",
    "two": "select 1; delete from people",
    "recursion": "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n",
    "memory": "select length(hex(zeroblob(900000000)))",
    "raw": "select * from sqlite_dbpage",
}

SLOW = ("recursion", "memory")  # each answer takes its time limit


def text_of(**questions: str) -> str:
    return HEAD + "".join(f"-- question file: {name}.sql\n{text}\n" for name, text in questions.items())


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    """Stands in for the demo's database: what a pack is tried on is a copy of it."""
    return made_up.small(tmp_path_factory.mktemp("tried") / "moodle.db")


@pytest.fixture
def run(tmp_path, course, monkeypatch):
    """`coursette pack ...` in a folder with a database, as (exit status, what was said)."""
    monkeypatch.setattr("loaders.demo.build", lambda: course)
    monkeypatch.chdir(tmp_path)
    made_up.small(tmp_path / "moodle.db")

    def ran(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli, ["pack", *arguments])
        return result.exit_code, result.output

    return ran


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_written_is_what_is_read():
    head = {"pack": "reading", "title": "Who: reads\n-- question file: x.sql", "author": "Zoë", "made": "2026-11-24"}
    pack = packs.parse(packs.written(head, [("one", GOOD), ("two", "select 2 as two")]))
    assert dict(pack.said) == head and pack.title == head["title"]
    assert {name: text for name, (text, _) in pack.texts.items()} == {"one": GOOD, "two": "select 2 as two\n"}
    assert [question.name for question in packs.questions(pack, MODEL)[0]] == ["one", "two"]


@pytest.mark.parametrize(
    "text, said",
    [
        ("select 1", "line 1: there is no line"),
        ("-- title: x\n-- question file: a.sql\nselect 1", "line 1: it begins with `-- pack: name`"),
        ("-- pack: ../x\n-- question file: a.sql\nselect 1", "line 1: it begins with"),
        ("-- pack: x\n-- sql: y\n-- question file: a.sql\nselect 1", "line 2: “sql” is no word"),
        ("-- pack: x\n-- question file: ../a.sql\nselect 1", "line 2: each question has a name"),
        ("-- pack: x\n-- question file: a.sql\nselect 1\n-- question file: a.sql\nselect 2", "line 4: each question"),
        ("-- pack: x\n" + "-- question file: a.sql\n" * 101, "line 102: a pack has 100"),
        ("-- pack: x\n-- title: " + "y" * 200 + "\n-- question file: a.sql\n", "line 2: “title” is longer"),
    ],
)
def test_what_is_no_pack_is_said_with_its_line(tmp_path, text, said):
    with pytest.raises(Unreadable) as refused:
        packs.read(write(tmp_path / "some.pack", text))
    assert str(refused.value).startswith(f"some.pack, {said}")


def test_text_that_is_none_is_said_so(tmp_path):
    path = tmp_path / "some.pack"
    path.write_bytes(b"-- pack: x\n\xff")
    with pytest.raises(Unreadable, match=r"some\.pack, line 2: this is not UTF-8"):
        packs.read(path)


def test_lines_of_problems_are_the_packs():
    _, problems = packs.questions(packs.parse(text_of(good=GOOD, bad="-- tilte: x\nselect 1")), MODEL)
    (problem,) = problems
    assert text_of(good=GOOD, bad="-- tilte: x\nselect 1").split("\n")[problem.line - 1] == "-- tilte: x"


def test_from_one_teacher_to_another(run, tmp_path):
    write(tmp_path / "queries" / "everyone.sql", GOOD)
    assert run("export", "ours.pack", "--title", "All of ours") == (0, "ours.pack: 1 question (everyone).\n")
    (tmp_path / "queries" / "everyone.sql").unlink()
    status, said = run("check", "ours.pack")
    assert status == 0 and "select fullname, id as person from chosen" in said and "everyone: 6 rows" in said
    assert not (tmp_path / "queries" / "packs").exists(), "a check keeps nothing"
    status, said = run("import", "ours.pack")
    assert status == 1 and "nothing was kept" in said and not (tmp_path / "queries" / "packs").exists()
    status, said = run("import", "ours.pack", "--yes")
    assert status == 0 and "listed under “All of ours”" in said
    kept = tmp_path / "queries" / "packs" / "ours" / "everyone.sql"
    assert kept.read_text(encoding="utf-8") == GOOD and not kept.stat().st_mode & stat.S_IWUSR
    assert run("list")[1] == "ours: All of ours\n  everyone: All students\n"
    assert run("import", "ours.pack", "--yes")[0] == 0, "once more, over the files that nobody may write"
    assert run("remove", "ours") == (0, "ours: 1 question taken out.\n")
    assert run("remove", "ours")[0] == 1 and not kept.exists()


@pytest.mark.parametrize("word", ["Zoë Müller", "zoë müller", "zoe@student.example.edu"])
def test_a_question_that_names_a_student_is_not_exported(run, tmp_path, word):
    write(tmp_path / "queries" / "one.sql", NAMED.format(word=word))
    status, said = run("export", "ours.pack")
    assert status == 1 and "one.sql names “" in said and not (tmp_path / "ours.pack").exists()
    assert run("export", "ours.pack", "--anyway")[0] == 0


def test_a_bad_question_is_said_and_keeps_the_others_from_nothing(run, tmp_path):
    write(tmp_path / "x.pack", text_of(good=GOOD, bad="select fulname from people"))
    status, said = run("import", "x.pack", "--yes")
    assert status == 1 and "does not work: bad.sql, line 1" in said and "did you mean" in said
    assert {path.name for path in (tmp_path / "queries" / "packs" / "reading").iterdir()} == {"good.sql", "pack.yml"}


def test_nothing_on_the_terminal_is_taken_for_its_commands(run, tmp_path):
    write(tmp_path / "x.pack", text_of(good=GOOD + "-- \x1b[2Jgone\n"))
    said = run("check", "x.pack")[1]
    assert "\x1b" not in said and r"\x1b[2Jgone" in said


@pytest.mark.parametrize("name", HARM)
def test_a_stranger_can_do_no_harm_by_the_command(run, tmp_path, name):
    before = (tmp_path / "moodle.db").read_bytes()
    write(tmp_path / "x.pack", text_of(harm=HARM[name]))
    status, said = run("import", "x.pack", "--yes")
    assert status == 1 and "does not work: harm.sql" in said and "no question of it works here" in said
    assert (tmp_path / "moodle.db").read_bytes() == before and not (tmp_path / "queries").exists()


@pytest.mark.parametrize("name", HARM)
async def test_a_stranger_can_do_no_harm_on_the_server(tmp_path, name):
    path = made_up.small(tmp_path / "moodle.db")
    write(tmp_path / "queries" / "packs" / "reading" / "harm.sql", HARM[name])
    datasette = instance(path)
    for form in (".json",) if name in SLOW else ("", ".json", ".csv"):
        answer = await get(datasette, f"/moodle/harm{form}?_shape=array")
        assert answer.status_code in (400, 404, 500) or "Error" in answer.text or not answer.text.strip("[]\n"), form
        assert "Zoë" not in answer.text
    people = await get(datasette, "/moodle/people.json?_shape=array&_size=max")
    assert "Zoë Müller" in {row["fullname"] for row in people.json()}


async def test_kept_questions_stand_under_their_pack_and_lead_nowhere_else(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    pack = packs.parse(
        text_of(
            lures="select fullname, id as person, fullname as title, 'https://evil.example/?' || fullname as more, "
            "'https://evil.example/' as url from people",
            all=GOOD,
            mine="select 2 as two",
        )
    )
    pack_folder.put(tmp_path / "queries", pack, ["lures", "all", "mine"])
    write(tmp_path / "queries" / "mine.sql", "select 1 as mine")
    datasette = instance(path)
    page = HTMLParser((await get(datasette, "/moodle/lures")).text)
    assert "https://evil.example/?Zoë Müller" in page.css_first("tbody").text()
    assert not [a for a in page.css("a[href]") if a.attributes["href"].startswith("https://evil")]
    course = (await get(datasette, "/-/course?course=2")).text
    assert course.index("Who &lt;b&gt;reads&lt;/b&gt;") < course.index("All students")
    assert (await get(datasette, "/moodle/mine.json?_shape=array")).json() == [{"mine": 1}], "her own comes first"


async def test_a_question_of_a_pack_is_not_shared_and_stands_on_no_moodle_page(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    counts = "-- aggregate: students\n-- show: activity\n-- parameters:\n--   course:\n"
    text = f"{counts}select cmid, 30 as students, name as number from activities where :course = '2'\n"
    write(tmp_path / "queries" / "own.sql", text)
    pack_folder.put(tmp_path / "queries", packs.parse(text_of(theirs=text)), ["theirs"])
    datasette = instance(path)
    answer = (await get(datasette, "/-/usage.json?course=2")).json()
    assert [each["name"] for each in answer["numbers"]] == ["own"]
    shared = await get(datasette, "/-/shares?db=moodle&query=theirs&course=2")
    assert "Somebody else wrote this question" in shared.text
    assert "Somebody else" not in (await get(datasette, "/-/shares?db=moodle&query=own&course=2")).text
