"""A folder that is served: files that appear, go, are replaced, or are none; each with its own people and addresses."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from selectolax.lexbor import LexborHTMLParser

from loaders import look_ups, schema, served_folder, serving, shares
from tests import made_up
from tests.test_metadata import MOODLE
from tests.visit import COLLEAGUE, get, instance

PROFILE = "student_profile.json?_shape=array&course=2&student=5"


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """The small made-up course, to be copied."""
    return made_up.small(tmp_path_factory.mktemp("model") / "model.db")


@pytest.fixture
def folder(tmp_path, model, monkeypatch) -> Path:
    """A folder with one course file, looked at with every request."""
    monkeypatch.setattr(served_folder, "LOOK_S", 0)
    monkeypatch.setattr(served_folder, "SETTLED_S", 0)
    courses = tmp_path / "courses"
    courses.mkdir()
    put(model, courses / "edc3100.db", "First Zoë")
    return courses


def put(model: Path, file: Path, zoe: str) -> Path:
    """A copy of the made-up course in which Zoë is called something else; another file each time."""
    fresh = file.with_name(f".{file.name}.part")
    shutil.copy(model, fresh)
    with sqlite3.connect(fresh) as db:
        db.execute("update people set fullname = ? where id = ?", [zoe, made_up.ZOE])
    db.close()
    fresh.replace(file)
    return file


def serve(*folders: Path):
    return instance(*serving.find_databases(folders), private=folders[0].parent / "private", folders=folders)


async def name_in(datasette, database: str) -> str:
    answer = await get(datasette, f"/{database}/{PROFILE}")
    return answer.json()[0]["fullname"] if answer.status_code == 200 else str(answer.status_code)


async def test_a_file_that_appears_has_the_same_pages_questions_and_rules(folder, model, caplog):
    datasette = serve(folder)
    assert await name_in(datasette, "autumn") == "404"
    put(model, folder / "autumn.db", "Other Zoë")
    assert await name_in(datasette, "autumn") == "Other Zoë" and await name_in(datasette, "edc3100") == "First Zoë"
    assert "Other Zoë" in (await get(datasette, "/-/student?course=2&user=5&db=autumn")).text
    assert "autumn" in (await get(datasette, "/")).text
    words = (await get(datasette, "/autumn/people")).text
    assert "One row per person" in words, "the words of metadata.yml"
    for path in ("/autumn", f"/autumn/{PROFILE}", "/autumn/people.json"):
        assert (await get(datasette, path, None)).status_code == 403, "a stranger"
    assert (await get(datasette, "/autumn.db", COLLEAGUE)).status_code == 403, "not the whole file"
    assert [record.message for record in caplog.records] == ["autumn.db is new here, and is served too."]


async def test_a_file_of_an_older_coursette_is_brought_up_to_date(folder, model):
    datasette = serve(folder)
    old = put(model, folder / "older.db", "Old Zoë")
    with sqlite3.connect(old) as db:
        db.execute(f"pragma user_version = {schema.VERSION - 1}")
        db.execute("drop table usage_person_seen")
    assert await name_in(datasette, "older") == "Old Zoë"
    with sqlite3.connect(old) as db:
        assert db.execute("pragma user_version").fetchone() == (schema.VERSION,)


async def test_a_file_that_goes_away_is_taken_out_and_may_come_back(folder, model, caplog):
    file = put(model, folder / "autumn.db", "Other Zoë")
    datasette = serve(folder)
    assert await name_in(datasette, "autumn") == "Other Zoë"
    file.unlink()
    assert await name_in(datasette, "autumn") == "404" and await name_in(datasette, "edc3100") == "First Zoë"
    assert "autumn" not in (await get(datasette, "/")).text
    assert "autumn.db is gone" in caplog.text
    put(model, folder / "autumn.db", "Back again")
    assert await name_in(datasette, "autumn") == "Back again"
    (folder / "autumn.db").unlink()
    (folder / "edc3100.db").unlink()
    assert "Nothing is loaded yet" in (await get(datasette, "/")).text


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are counted where Linux lists them")
async def test_nothing_holds_a_file_that_went_away(folder, model):
    file = put(model, folder / "autumn.db", "Other Zoë")
    datasette = serve(folder)
    await name_in(datasette, "autumn")
    await get(datasette, "/autumn/people_wide")
    file.unlink()
    await get(datasette, "/")
    assert [name for name in open_files() if name.startswith(str(file))] == []


def open_files() -> list[str]:
    """What this process has open."""
    found = []
    for link in Path("/proc/self/fd").iterdir():
        try:
            found.append(str(link.readlink()))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("in_wal", [False, True], ids=["plain", "with a log not written back"])
async def test_a_file_that_is_replaced_is_opened_anew(folder, model, caplog, in_wal):
    file = folder / "edc3100.db"
    datasette = serve(folder)
    assert await name_in(datasette, "edc3100") == "First Zoë"
    if in_wal:  # a loader adds to the file; the server reads it, so the log stays when the loader is done
        with sqlite3.connect(file) as db:
            db.execute("pragma journal_mode = wal")
        await name_in(datasette, "edc3100")
        with sqlite3.connect(file) as db:
            db.execute("update people set fullname = 'Loaded Zoë' where id = ?", [made_up.ZOE])
        db.close()
        assert await name_in(datasette, "edc3100") == "Loaded Zoë"
    put(model, file, "Second Zoë")
    assert await name_in(datasette, "edc3100") == "Second Zoë"
    assert "Second Zoë" in (await get(datasette, "/-/student?course=2&user=5")).text
    assert "edc3100.db is another file now" in caplog.text and ("-wal.old" in caplog.text) == in_wal
    with sqlite3.connect(file) as db:
        assert db.execute("select fullname from people where id = ?", [made_up.ZOE]).fetchone() == ("Second Zoë",)


async def test_what_cannot_be_served_is_said_once(folder, model, caplog):
    (folder / "no database.db").write_text("a list of marks, and long enough to be one\n" * 30)
    for name in ("audit", "notes", "shares"):
        put(model, folder / f"{name}.db", "Nobody")
    put(model, folder / "edc3100.sqlite", "Same name")
    (folder / "readme.txt").write_text("none of ours")
    datasette = serve(folder)
    at_start = [record.message for record in caplog.records]
    assert len(at_start) == 5 and all(line.endswith(".") and " is not served: " in line for line in at_start)
    caplog.clear()
    for _ in range(3):
        await get(datasette, "/")
    assert await name_in(datasette, "edc3100") == "First Zoë"
    lines = [record.message for record in caplog.records]
    assert len(lines) == 5 and "edc3100.sqlite is not served: another file is called edc3100" in " ".join(lines)
    assert await name_in(datasette, "notes") == "404"


async def test_what_is_private_is_not_served_by_another_name(folder, tmp_path):
    look_ups.opened(folder / "copy.db").close()
    shares.opened(folder / "what I share.db").close()
    before = {path.name: path.stat().st_size for path in folder.iterdir()}
    datasette = serve(folder)
    assert not {"copy", "what I share"} & set(datasette.databases)
    assert {path.name: path.stat().st_size for path in folder.iterdir()}.items() >= before.items()


def test_a_folder_with_nothing_to_serve_is_refused(tmp_path, model):
    put(model, tmp_path / "shares.db", "Nobody")
    with pytest.raises(serving.CannotServe, match="no database in the folder"):
        serving.find_databases([tmp_path])


async def test_a_file_that_is_still_being_copied_waits_without_a_word(folder, model, caplog, monkeypatch):
    monkeypatch.setattr(served_folder, "SETTLED_S", 60)
    datasette = serve(folder)
    whole = model.read_bytes()
    (folder / "autumn.db").write_bytes(whole[: len(whole) // 2])
    assert await name_in(datasette, "autumn") == "404" and caplog.records == []
    (folder / "autumn.db").write_bytes(whole)
    assert await name_in(datasette, "autumn") == "Zoë Müller"


async def test_a_file_that_a_loader_fills_waits(folder, model):
    datasette = serve(folder)
    put(model, folder / "autumn.db", "Other Zoë")
    (folder / "autumn.db-journal").write_bytes(b"x" * 100)
    assert served_folder.is_being_filled(folder / "autumn.db")
    (folder / "autumn.db-journal").write_bytes(b"")
    assert await name_in(datasette, "autumn") == "Other Zoë"


@pytest.mark.parametrize("name", ["Übung #1", "100% a?b", "-begins", "it's “so” & <b>", "a.b", "sp ace+plus"])
async def test_names_with_odd_characters(folder, model, name):
    datasette = serve(folder)
    put(model, folder / f"{name}.db", "Odd Zoë")
    home = LexborHTMLParser((await get(datasette, "/")).text)
    links = [each.attributes["href"] for each in home.css("section.course :is(h2, h3) a")]
    link, _ = [link for link in links if parse_qs(urlsplit(link).query)["db"] == [name]]
    page = await get(datasette, link)
    assert page.status_code == 200 and "EDC3100" in page.text and "& <b>" not in home.html
    address = datasette.urls.database(name)
    assert await name_in(datasette, address.lstrip("/")) == "Odd Zoë"
    assert "/-/course?" in (await get(datasette, f"{address}/student_profile?course=2")).text, "our own form"


async def test_one_name_in_two_folders_means_the_same_file_in_any_order(folder, model, tmp_path):
    other = tmp_path / "2016"
    other.mkdir()
    put(model, other / "edc3100.db", "Zoë of 2016")
    for folders in ((folder, other), (other, folder)):
        datasette = serve(*folders)
        assert await name_in(datasette, "2016-edc3100") == "Zoë of 2016"
        assert await name_in(datasette, "courses-edc3100") == "First Zoë"


async def test_what_was_seen_holds_for_a_while(folder, model, monkeypatch):
    monkeypatch.setattr(served_folder, "LOOK_S", 3600)
    looked = []
    listed = served_folder.listed
    monkeypatch.setattr(served_folder, "listed", lambda folders: looked.append(1) or listed(folders))
    datasette = serve(folder)
    looked.clear()
    for _ in range(5):
        await get(datasette, "/-/health")
    assert looked == [1]
    datasette = instance(folder / "edc3100.db")
    await get(datasette, "/-/health")
    assert looked == [1], "nothing is watched where no folder was given"


async def test_datasette_itself_watches_its_folder(folder, model):
    from datasette.app import Datasette

    from tests.visit import TREE

    for name in ("metadata.yml", "settings.json", "plugins", "templates"):
        (folder / name).symlink_to(TREE / name)
    datasette = Datasette([], config_dir=folder)
    assert await name_in(datasette, "edc3100") == "First Zoë"
    put(model, folder / "autumn.db", "Other Zoë")
    assert await name_in(datasette, "autumn") == "Other Zoë"
    put(model, folder / "edc3100.db", "Second Zoë")
    assert await name_in(datasette, "edc3100") == "Second Zoë"


async def test_who_asks_while_files_come_and_go_is_answered(folder, model):
    put(model, folder / "autumn.db", "Other Zoë")
    datasette = serve(folder)
    paths = ("/", f"/edc3100/{PROFILE}", "/-/student?course=2&user=5&db=edc3100", "/edc3100/people.json")
    statuses = []

    async def ask(first: int) -> None:
        for number in range(12):
            statuses.append((await get(datasette, paths[(first + number) % len(paths)])).status_code)

    async def change() -> None:
        for number in range(6):
            put(model, folder / "edc3100.db", f"Zoë {number}")
            await asyncio.sleep(0.05)
            (folder / "autumn.db").unlink(missing_ok=True) if number % 2 else put(model, folder / "autumn.db", "Again")

    await asyncio.gather(*map(ask, range(4)), change())
    assert set(statuses) <= {200, 503} and statuses.count(200) > len(statuses) * 0.7
    assert await name_in(datasette, "edc3100") == "Zoë 5"


# ---- Pages of several files ----


@pytest.mark.parametrize("files", [1, 2, 12])
async def test_the_home_page_groups_by_file_where_there_are_several(folder, model, files):
    for number in range(1, files):
        put(model, folder / f"file {number:02}.db", f"Zoë {number}")
    schema.open_database(folder / "new.db").conn.close()
    page = LexborHTMLParser((await get(serve(folder), "/")).text)
    assert len(page.css("section.course")) == 2 * files and len(page.css("form.find")) == 1
    assert len(page.css("h2.file")) == (files if files > 1 else 0)
    assert len(page.css("section.course h2")) == (2 if files == 1 else 0)
    assert len(page.css("nav.jump a")) == (files if files > 2 else 0)
    assert len(page.css("section.course > details")) == (files if files > 2 else 0), "one of two courses has a log"
    ids = [each.attributes["id"] for each in page.css("[id]")]
    assert len(ids) == len(set(ids)), "one place for each link"
    assert {each.attributes["href"][1:] for each in page.css("nav.jump a")} <= set(ids)
    assert "Nothing is loaded yet in new." in page.text()


OWN = "autumn"  # the file whose pages are followed
QUESTIONS = MOODLE["queries"]
ANYWHERE = (
    "/",
    "/-/nudges",
    "/-/account",
    "/-/bookmarklet",
    "/-/logout",
    "/-/find",
    "/-/coursette.css",
    "/favicon.ico",
)


async def test_the_pages_of_a_course_stay_in_their_file(folder, model):
    put(model, folder / f"{OWN}.db", "Autumn’s Zoë")
    datasette = serve(folder)
    course = f"/-/course?course=2&site=https%3A%2F%2Fmoodle.example.edu&db={OWN}"
    to_see, seen = [course], set()
    while to_see:
        address = to_see.pop(0)
        parts = urlsplit(address)
        kind = parts.path, tuple(parse_qs(parts.query)) if parts.path.startswith("/-/") else ()
        if kind in seen:
            continue
        seen.add(kind)
        answer = await get(datasette, address)
        if answer.status_code == 302:  # with what was chosen before
            assert stays(answer.headers["location"]), address
            answer = await get(datasette, answer.headers["location"])
        assert answer.status_code == 200 and "First Zoë" not in answer.text, address
        if "html" in answer.headers["content-type"]:
            found = links(answer.text)
            assert [each for each in found if not stays(each)] == [], address
            to_see += [each for each in found if is_followed(each)]
    pages = {path for path, _ in seen}
    assert {"/-/student", "/-/completion", "/-/course.json", f"/{OWN}/never_opened"} <= pages
    assert len(pages) > 40, "every question, at least"


def is_followed(address: str) -> bool:
    """Our own pages and the questions; tables and rows are Datasette's, and lie below the file's name."""
    path = urlsplit(address).path
    return path not in ANYWHERE and (path.startswith("/-/") or path.removeprefix(f"/{OWN}/") in QUESTIONS)


def links(html: str) -> list[str]:
    """Where links and forms of a page lead, without places on the page itself and other servers."""
    page = LexborHTMLParser(html)
    found = [each.attributes.get("href") or "" for each in page.css("main a")]
    for form in page.css("main form[method=get], main form:not([method])"):
        fields = {each.attributes.get("name"): each.attributes.get("value") or "" for each in form.css("input[name]")}
        found.append(f"{form.attributes['action']}?{urlencode(fields)}")
    found = [each.partition("#")[0] for each in found]
    return [each for each in found if each.startswith("/")]


def stays(address: str) -> bool:
    """Whether an address names the file, as a whole page of it or by `db`."""
    parts = urlsplit(address)
    return (
        parts.path in ANYWHERE
        or parts.path.split("/")[1].partition(".")[0] == OWN
        or parse_qs(parts.query).get("db") == [OWN]
    )
