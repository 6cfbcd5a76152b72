"""Finding what a teacher downloaded: files, folders of them, and .zip archives of them.

Nothing is unpacked to a named file: names inside an archive are shown and never used as paths.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import stat
import weakref
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from loaders.errors import Unreadable
from loaders.streams import BUFFER, DAMAGE, DAMAGED, UNPACK_LIMIT, Careful, not_to_be_had, unpacked

GZIP = b"\x1f\x8b"
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
# Zip files that are one document (.xlsx and its like, .ods and its like, a course backup, Apple Numbers).
DOCUMENT_MARKS = {"[Content_Types].xml", "mimetype", "moodle_backup.xml", "Index/Document.iwa"}


@dataclass(frozen=True)
class Download:
    """One file that may be a Moodle download.

    `source` is the name to show (`all.zip/logs.csv`); `named`, whether the user named this very file, so that
    being unknown is an error; `size`, bytes as stored (0 where there is no file); `modified_utc`, the file's
    own date as ISO-8601 UTC text, or None; `there`, whether anything has this name at all.
    """

    source: str
    named: bool
    size: int
    modified_utc: str | None
    opener: Callable[[], BinaryIO] = field(repr=False, compare=False)
    there: bool = True

    def open(self) -> BinaryIO:
        """A fresh stream of the content, from its start, gunzipped if need be. Raises Unreadable."""
        stream = self.opener()
        buffered = io.BufferedReader(Careful(stream), BUFFER)
        try:
            packed = buffered.peek(2).startswith(GZIP)
        except Unreadable:
            buffered.close()
            raise
        if not packed:
            return buffered
        return io.BufferedReader(Careful(gzip.GzipFile(fileobj=buffered), buffered), BUFFER)


def fingerprint(download: Download) -> str:
    """The content's BLAKE2b hash, 32 hexadecimal digits: the same for a file and its .gz."""
    digest = hashlib.blake2b(digest_size=16)
    with download.open() as stream:
        while chunk := stream.read(BUFFER):
            digest.update(chunk)
    return digest.hexdigest()


def find(paths: Iterable[str | os.PathLike]) -> Iterator[Download]:
    """Every file in `paths`, folders and .zip archives walked, in the order of their names.

    Hidden files and those that macOS and Office leave behind are passed over. What cannot be had (a path that
    does not exist, an archive that is locked) comes as a Download whose `open()` raises Unreadable, so that
    one missing file does not keep the others from being loaded.
    """
    for given in paths:
        path = Path(given)
        shown = path.name or str(path) if path.is_absolute() else str(path)
        try:
            mode = path.stat().st_mode
        except (OSError, ValueError) as error:
            yield _broken(shown, True, _why_missing(error), there=False)
            continue
        if stat.S_ISDIR(mode):
            yield from _told_if_empty(_folder(path, shown), shown, "folder")
        elif stat.S_ISREG(mode):
            yield from _file(path, shown, named=True)
        else:
            yield _broken(shown, True, "this is neither a file nor a folder: give what you got from Moodle")


def _why_missing(error: OSError | ValueError) -> str:
    if isinstance(error, (FileNotFoundError, NotADirectoryError, ValueError)):
        return "there is no such file: check the name and the folder it is in"
    return not_to_be_had(error)


def _broken(shown: str, named: bool, sentence: str, there: bool = True) -> Download:
    def refuse() -> BinaryIO:
        raise Unreadable(sentence)

    return Download(_printable(shown), named, 0, None, refuse, there)


def _told_if_empty(found: Iterator[Download], shown: str, what: str) -> Iterator[Download]:
    first = next(found, None)
    if first is None:
        yield _broken(shown, True, f"this {what} holds no files: give the one with your Moodle downloads")
    else:
        yield first
        yield from found


def _folder(folder: Path, shown: str) -> Iterator[Download]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        yield _broken(shown, False, not_to_be_had(error))
        return
    for entry in entries:
        name = f"{shown.rstrip('/')}/{entry.name}"
        if _litter(entry.name) or (entry.is_symlink() and entry.is_dir()):  # a link may lead in a circle
            continue
        if entry.is_dir():
            yield from _folder(entry, name)
        elif entry.is_file():
            yield from _file(entry, name, named=False)


def _litter(name: str) -> bool:
    """Hidden files, what macOS puts into archives, and the lock files of an open Office document."""
    return (name.startswith((".", "~$")) and name not in {".", ".."}) or name == "__MACOSX"


def _file(path: Path, shown: str, named: bool) -> Iterator[Download]:
    def opener() -> BinaryIO:
        try:
            return path.open("rb", buffering=0)
        except OSError as error:
            raise Unreadable(not_to_be_had(error)) from error

    plain = Download(_printable(shown), named, *_size_and_date(path), opener)
    try:
        archive = _archive(opener)
    except Unreadable:
        archive = None  # reading it will say why
    if archive is None:
        yield plain
    elif named:
        yield from _told_if_empty(_members(archive, shown, nested=False), shown, "zip")
    else:
        yield from _members(archive, shown, nested=False)


def _size_and_date(path: Path) -> tuple[int, str | None]:
    try:
        facts = path.stat()
        return facts.st_size, datetime.fromtimestamp(facts.st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OSError, ValueError, OverflowError):
        return 0, None


def _archive(opener: Callable[[], BinaryIO]) -> zipfile.ZipFile | None:
    """The archive, if this is one to walk: a zip, and not one that is a single document."""
    stream = opener()
    try:
        if stream.read(4) not in ZIP:
            stream.close()
            return None
        archive = zipfile.ZipFile(stream)
    except (*DAMAGE, OSError, ValueError, NotImplementedError):
        stream.close()
        return None
    weakref.finalize(archive, stream.close)
    return None if DOCUMENT_MARKS & set(archive.namelist()) else archive


def _members(archive: zipfile.ZipFile, shown: str, nested: bool) -> Iterator[Download]:
    for info in sorted(archive.infolist(), key=lambda info: info.filename):
        name = info.filename.replace("\\", "/")
        if not name or info.is_dir() or any(map(_litter, name.split("/"))):
            continue
        source, opener = _printable(f"{shown}/{name}"), _member_opener(archive, info)
        member = Download(source, False, info.file_size, _dos_utc(info), opener)
        yield from [member] if nested else _member(member)


def _member(member: Download) -> Iterator[Download]:
    """The member itself, or, where it is an archive, what is in that (one level deep)."""
    try:
        with member.open() as stream:
            packed = stream.read(4) in ZIP and member.size <= UNPACK_LIMIT
        inner = _archive(lambda: unpacked(member.open())) if packed else None
    except Unreadable:
        inner = None  # reading it will say why
    if inner is None:
        yield member
    else:
        yield from _members(inner, member.source, nested=True)


def _member_opener(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], BinaryIO]:
    def opener() -> BinaryIO:
        try:
            return archive.open(info)
        except RuntimeError as error:
            raise Unreadable("the zip is locked: unpack it and give the files in it") from error
        except NotImplementedError as error:
            raise Unreadable("the zip is of an unusual kind: unpack it and give the files in it") from error
        except (*DAMAGE, OSError, ValueError) as error:
            raise Unreadable(DAMAGED) from error

    return opener


def _dos_utc(info: zipfile.ZipInfo) -> str | None:
    """A member's date; archives keep the clock of the computer that made them, taken to be this one's.

    1980, where that clock begins, stands for no date.
    """
    if info.date_time[0] <= 1980:
        return None
    try:
        return datetime(*info.date_time).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return None


def _printable(name: str) -> str:
    """A name that is safe to print: it may come from an archive that anybody made."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)
