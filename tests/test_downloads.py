"""Finding downloads: files, folders and archives, and what cannot be had."""

from __future__ import annotations

import gzip
import io
import os
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from exports import database, load, rows
from made_tables import FIXTURES, only, read, utc, xlsx

from loaders import downloads, tables
from loaders.errors import Unreadable


def zipped(path: Path, members: dict[str, bytes], date: tuple[int, ...] = (2026, 3, 5, 14, 7, 8)) -> Path:
    """A zip of named contents, all of one date."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, date)
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return path


def content(download: downloads.Download) -> bytes:
    with download.open() as stream:
        return stream.read()


def sources(*paths: Path) -> list[str]:
    return [download.source for download in downloads.find(paths)]


def refusal(path: Path) -> str:
    """Why the one thing at a path cannot be opened."""
    with pytest.raises(Unreadable) as caught:
        only(path).open()
    return str(caught.value)


# ---- Files ----


def test_a_file_opens_afresh_every_time(tmp_path: Path):
    path = tmp_path / "logs.csv"
    path.write_bytes(b"a,b\n")
    os.utime(path, (1_772_683_629, 1_772_683_629))
    found = only(path)
    assert (found.source, found.named, found.size) == ("logs.csv", True, 4)
    assert found.modified_utc == "2026-03-05T04:07:09Z"
    assert content(found) == content(found) == b"a,b\n"


def test_a_relative_name_is_shown_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "s1").mkdir()
    (tmp_path / "s1" / "logs.csv").write_bytes(b"a,b\n")
    monkeypatch.chdir(tmp_path)
    assert sources(Path("s1/logs.csv"), Path("s1")) == [str(Path("s1/logs.csv")), "s1/logs.csv"]


def test_gzip_is_known_by_its_first_bytes(tmp_path: Path):
    path = tmp_path / "logs.csv"
    path.write_bytes(gzip.compress(b"a,b\n"))
    assert content(only(path)) == b"a,b\n"


def test_a_cut_gzip_is_a_sentence(tmp_path: Path):
    path = tmp_path / "logs.csv.gz"
    path.write_bytes(gzip.compress(os.urandom(5_000))[:-2_000])
    with pytest.raises(Unreadable, match="cut short"):
        content(only(path))


def test_fingerprint_is_of_the_content(tmp_path: Path):
    (tmp_path / "a.csv").write_bytes(b"a,b\n")
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(b"a,b\n"))
    (tmp_path / "c.csv").write_bytes(b"a,c\n")
    a, b, c = map(downloads.fingerprint, downloads.find([tmp_path]))
    assert a == b != c
    assert len(a) == 32


# ---- Folders ----


def test_a_folder_is_walked_in_order_without_litter(tmp_path: Path):
    for name in ("b.csv", "a/z.csv", "a/.hidden", ".git/x.csv", "__MACOSX/b.csv", "~$b.xlsx", "a/y.csv"):
        (tmp_path / "all" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "all" / name).write_bytes(b"a,b\n")
    found = list(downloads.find([tmp_path / "all"]))
    assert [one.source for one in found] == ["all/a/y.csv", "all/a/z.csv", "all/b.csv"]
    assert not any(one.named for one in found)


@pytest.mark.skipif(os.name != "posix", reason="Windows makes links only for administrators")
def test_a_folder_that_holds_itself_is_walked_once(tmp_path: Path):
    (tmp_path / "logs.csv").write_bytes(b"a,b\n")
    (tmp_path / "again").symlink_to(tmp_path, target_is_directory=True)
    assert sources(tmp_path) == [f"{tmp_path.name}/logs.csv"]


# ---- Archives ----


def test_a_zip_is_walked_and_never_unpacked(tmp_path: Path):
    inner = zipped(tmp_path / "inner.zip", {"deep.csv": b"d,e\n"}).read_bytes()
    members = {
        "logs.csv": b"a,b\n", "more/in.zip": inner, "__MACOSX/._logs.csv": b"x", "more/.hidden": b"x",
        "../../evil.csv": b"e,f\n", "C:\\evil\x1b[2J.csv": b"g,h\n",
    }  # fmt: skip
    folder = tmp_path / "downloads"
    folder.mkdir()
    zipped(folder / "all.zip", members)
    before = sorted(tmp_path.rglob("*"))
    found = {one.source: one for one in downloads.find([folder / "all.zip"])}
    assert list(found) == [
        "all.zip/../../evil.csv", "all.zip/C:/evil?[2J.csv", "all.zip/logs.csv", "all.zip/more/in.zip/deep.csv",
    ]  # fmt: skip
    assert [content(one) for one in found.values()] == [b"e,f\n", b"g,h\n", b"a,b\n", b"d,e\n"]
    assert [content(one) for one in found.values()] == [b"e,f\n", b"g,h\n", b"a,b\n", b"d,e\n"]  # afresh
    assert not any(one.named for one in found.values())
    assert found["all.zip/logs.csv"].modified_utc == utc(2026, 3, 5, 14, 7, 8)
    assert found["all.zip/logs.csv"].size == 4
    assert sorted(tmp_path.rglob("*")) == before


def test_names_that_lead_out_of_an_archive_are_only_shown(tmp_path: Path):
    zipped(tmp_path / "all.zip", {"/etc/passwd": b"a,b\n", "x/../../y.csv": b"c,d\n"})
    assert sources(tmp_path / "all.zip") == ["all.zip//etc/passwd", "all.zip/x/../../y.csv"]


def test_no_date_in_an_archive_is_no_date(tmp_path: Path):
    zipped(tmp_path / "all.zip", {"logs.csv": b"a,b\n"}, (1980, 1, 1, 0, 0, 0))
    assert only(tmp_path / "all.zip").modified_utc is None


@pytest.mark.parametrize("name", ["participants.xlsx", "participants.ods", "choice.xls"])
def test_a_workbook_is_one_file(name: str):
    assert sources(FIXTURES / name) == [name]


@pytest.mark.parametrize("mark", ["moodle_backup.xml", "mimetype", "Index/Document.iwa"])
def test_a_document_that_is_a_zip_is_one_file(tmp_path: Path, mark: str):
    zipped(tmp_path / "backup.zip", {mark: b"x", "users.xml": b"x"})
    assert sources(tmp_path / "backup.zip") == ["backup.zip"]


def test_a_workbook_in_a_zip_in_a_folder_is_read(tmp_path: Path):
    xlsx(tmp_path / "book.xlsx", [["a", "b"], ["1", "2"]])
    zipped(tmp_path / "all.zip", {"book.xlsx": (tmp_path / "book.xlsx").read_bytes()})
    (tmp_path / "book.xlsx").unlink()
    (found,) = downloads.find([tmp_path])
    assert found.source == f"{tmp_path.name}/all.zip/book.xlsx"
    assert list(tables.read(found).rows()) == [(2, ["1", "2"])]


def test_archives_are_walked_two_deep_and_no_further(tmp_path: Path):
    third = zipped(tmp_path / "3.zip", {"logs.csv": b"a,b\n"}).read_bytes()
    second = zipped(tmp_path / "2.zip", {"3.zip": third}).read_bytes()
    (found,) = downloads.find([zipped(tmp_path / "1.zip", {"2.zip": second})])
    assert found.source == "1.zip/2.zip/3.zip"
    with pytest.raises(Unreadable, match="unpack it"):
        tables.read(found)


def test_a_bomb_stays_packed(tmp_path: Path):
    zeros = zipped(tmp_path / "zeros.zip", {"zeros.csv": bytes(100_000_000)})
    zipped(
        tmp_path / "bomb.zip", {"a/zeros.zip": zeros.read_bytes(), "zeros.csv.gz": gzip.compress(bytes(100_000_000))}
    )
    tracemalloc.start()
    found = list(downloads.find([tmp_path / "bomb.zip"]))
    assert len(found) == 2
    for one in found:
        with pytest.raises(Unreadable, match="no text file"):
            tables.read(one)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000


def test_a_locked_archive_is_a_sentence(tmp_path: Path):
    locked = bytearray(zipped(tmp_path / "all.zip", {"logs.csv": b"a,b\n"}).read_bytes())
    for place in (locked.index(b"PK\x03\x04") + 6, locked.index(b"PK\x01\x02") + 8):
        locked[place] |= 1
    (tmp_path / "all.zip").write_bytes(locked)
    assert "locked" in refusal(tmp_path / "all.zip")


def test_half_an_archive_is_a_sentence(tmp_path: Path):
    whole = zipped(tmp_path / "all.zip", {"logs.csv": os.urandom(5_000)}).read_bytes()
    with pytest.raises(Unreadable, match="only half there"):
        read(tmp_path / "all.zip", whole[:3_000])


def test_a_damaged_member_is_a_sentence(tmp_path: Path):
    damaged = bytearray(zipped(tmp_path / "all.zip", {"logs.csv": b"a,b\n" * 5_000}).read_bytes())
    damaged[60:70] = b"0123456789"
    (tmp_path / "all.zip").write_bytes(damaged)
    with pytest.raises(Unreadable, match="damaged"):
        content(only(tmp_path / "all.zip"))


# ---- What cannot be had ----


def test_a_member_without_a_name_is_passed_over(tmp_path: Path):
    path = tmp_path / "odd.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x", "a")
        archive.writestr("b.csv", "b")
    path.write_bytes(path.read_bytes().replace(b"x", b"\0"))  # as Python reads it, the name ends before it begins
    assert [download.source for download in downloads.find([path])] == ["odd.zip/b.csv"]


def test_a_missing_file_does_not_keep_the_others(tmp_path: Path):
    (tmp_path / "logs.csv").write_bytes(b"a,b\n")
    missing, there = downloads.find([tmp_path / "nothing.csv", tmp_path / "logs.csv"])
    assert (missing.source, missing.named, missing.size, missing.modified_utc) == ("nothing.csv", True, 0, None)
    for use in (missing.open, lambda: tables.read(missing), lambda: downloads.fingerprint(missing)):
        with pytest.raises(Unreadable, match="no such file"):
            use()
    assert content(there) == b"a,b\n"


@pytest.mark.parametrize("name", ["x\0y", "a" * 5_000])
def test_an_impossible_name_is_a_sentence(name: str):
    with pytest.raises(Unreadable):
        only(Path(name)).open()


def test_an_empty_folder_or_archive_is_a_sentence(tmp_path: Path):
    (tmp_path / "none").mkdir()
    zipped(tmp_path / "none.zip", {})
    assert "folder holds no files" in refusal(tmp_path / "none")
    assert "zip holds no files" in refusal(tmp_path / "none.zip")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    assert "neither a file nor a folder" in refusal(tmp_path / "pipe")


def test_a_file_that_may_not_be_read_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "logs.csv").write_bytes(b"a,b\n")
    found = only(tmp_path / "logs.csv")

    def deny(*_, **__) -> io.FileIO:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", deny)
    with pytest.raises(Unreadable, match=r"Permission denied.*check"):
        found.open()


def test_a_file_that_is_not_there_is_no_load(tmp_path):
    db = database(tmp_path)
    (tmp_path / "odd.txt").write_text("What is this?")
    missing, odd = load(db, tmp_path / "nosuch.csv", tmp_path / "odd.txt")
    assert "there is no such file" in missing.error and odd.error
    assert rows(db, "select source from loads") == [("odd.txt",)]
