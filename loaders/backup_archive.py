"""A course backup (.mbz) as an archive: its XML files one by one, never on disk, never all in memory.

An .mbz is a gzipped tar or a zip with moodle_backup.xml in it. Only the files that Coursette reads are opened;
what pupils and teachers uploaded (files/) is passed over. Nothing is ever written under a member's name.
"""

from __future__ import annotations

import io
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from lxml import etree

from loaders.downloads import Download
from loaders.errors import Unreadable
from loaders.streams import DAMAGE, DAMAGED, seekable

WANTED = re.compile(
    r"(?:moodle_backup|users|groups|roles|gradebook)\.xml"
    r"|course/(?:course|enrolments|roles|loglastaccess|logstores)\.xml"
    r"|sections/section_[0-9]{1,18}/section\.xml"
    r"|activities/([a-z][a-z0-9_]{0,40})_[0-9]{1,18}/(?:module|completion|grades|logstores|\1)\.xml"
)
LOGS = "logstores.xml"
MEMBER_LIMIT, LOGS_LIMIT, LIMIT = 256 << 20, 3 << 30, 8 << 30  # bytes unpacked: a file, a file of log lines, all
RATIO, FREE = 200, 64 << 20  # unpacked to packed, asked for beyond the first bytes; XML of log lines has 22
MEMBERS = 2_000_000
HEADER_LIMIT = 64 << 10  # bytes of a long name in a tar
OURS = "make the backup again in Moodle"
STRANGE = f"this backup holds a file that no Moodle writes ({{}}), so it was not read: {OURS}"
TOO_BIG = f"this backup unpacks to far more than it should, so it was not read: {OURS}"
SHORT = "this backup is damaged or was cut short: download it again"
BAD_XML = f"a file in this backup is no XML as Moodle writes it ({{}}): {OURS}"


@dataclass
class Backup:
    """A course backup that was recognised; `zipped`: a zip inside, not a tar."""

    download: Download
    zipped: bool

    def files(self, wanted: Callable[[str], bool]) -> Iterator[tuple[str, BinaryIO]]:
        """(path, stream) of each file Coursette knows and `wanted` takes, in the archive's order.

        A stream is good until the next is asked for. Raises Unreadable for an archive that is cut short, too
        big, or not as Moodle makes them.
        """
        seen: set[str] = set()
        for name, stream in _zip_members(self) if self.zipped else _tar_members(self):
            path = name.removeprefix("./")
            if not WANTED.fullmatch(path):
                continue
            if path in seen:
                raise Unreadable(STRANGE.format("the same name twice"))
            seen.add(path)
            if wanted(path):
                with stream() as opened:
                    yield path, opened
        if "moodle_backup.xml" not in seen:
            raise Unreadable("this archive has no moodle_backup.xml, or is only half there: download the backup again")


class Bounded(io.RawIOBase):
    """Reads from `stream`; Unreadable after `limit` bytes, or where damage shows."""

    def __init__(self, stream: BinaryIO, limit: int):
        self._stream, self._left = stream, limit

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer) -> int:
        """Fill `buffer`."""
        try:
            chunk = self._stream.read(len(buffer))
        except (*DAMAGE, tarfile.TarError) as error:
            raise Unreadable(SHORT) from error
        self._left -= len(chunk)
        if self._left < 0:
            raise Unreadable(TOO_BIG)
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        """Close the stream under it too."""
        if not self.closed:
            self._stream.close()
        super().close()


class _Header(tarfile.TarInfo):
    """A tar header; refuses long names that would fill the memory."""

    @classmethod
    def frombuf(cls, buf, encoding, errors):
        """As in tarfile.TarInfo."""
        found = super().frombuf(buf, encoding, errors)
        long = found.type in (*tarfile.GNU_TYPES, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)
        if long and (found.size > HEADER_LIMIT or found.type == tarfile.GNUTYPE_SPARSE):
            raise Unreadable(STRANGE.format("a name without end"))
        return found


def _limit(download: Download) -> int:
    return min(LIMIT, FREE + RATIO * download.size) if download.size else LIMIT


def _tar_members(backup: Backup) -> Iterator[tuple[str, Callable[[], BinaryIO]]]:
    """One forward pass. Uploaded files are many times the rest and hardly packed, so LIMIT is not theirs."""
    xml, count = 0, 0
    try:
        with backup.download.open() as packed, tarfile.open(fileobj=packed, mode="r|", tarinfo=_Header) as archive:
            while (member := archive.next()) is not None:
                archive.members.clear()  # tarfile would keep them all
                count += 1
                _refuse_strange(member.name, member.isfile() or member.isdir(), count)
                if not member.isfile():
                    continue
                if not member.name.removeprefix("./").startswith("files/"):
                    xml += member.size
                    _refuse_big(member.name, member.size, xml, _limit(backup.download))
                yield member.name, lambda found=member: _opened(archive.extractfile(found), found.size)
    except (*DAMAGE, tarfile.TarError, OverflowError, ValueError) as error:
        raise Unreadable(SHORT) from error


def _zip_members(backup: Backup) -> Iterator[tuple[str, Callable[[], BinaryIO]]]:
    xml = 0
    try:
        with seekable(backup.download) as packed, zipfile.ZipFile(packed) as archive:
            for count, info in enumerate(archive.infolist(), 1):
                kind = info.external_attr >> 28  # of a Unix mode: 8 a file, 4 a folder, 0 not said
                _refuse_strange(info.filename, kind in (0, 4, 8), count)
                if info.is_dir() or info.filename.startswith("files/"):
                    continue
                xml += info.file_size
                _refuse_big(info.filename, info.file_size, xml, _limit(backup.download))
                yield info.filename, lambda found=info: _opened(archive.open(found), found.file_size)
    except (*DAMAGE, RuntimeError, NotImplementedError, ValueError, OSError) as error:
        raise Unreadable(DAMAGED) from error


def _opened(stream: BinaryIO, size: int) -> BinaryIO:
    return io.BufferedReader(Bounded(stream, size), 1 << 16)


def _refuse_strange(name: str, plain: bool, count: int) -> None:
    if not plain:
        raise Unreadable(STRANGE.format("a link or a device"))
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name) or ".." in re.split(r"[/\\]", name):
        raise Unreadable(STRANGE.format("a name that leads out of the archive"))
    if count > MEMBERS:
        raise Unreadable(TOO_BIG)


def _refuse_big(name: str, size: int, xml: int, limit: int) -> None:
    if size > (LOGS_LIMIT if name.endswith(LOGS) else MEMBER_LIMIT) or xml > limit:
        raise Unreadable(TOO_BIG)


def elements(stream: BinaryIO, *depths: int) -> Iterator[etree._Element]:
    """The elements so many levels below the root (1: its children), each whole, then forgotten.

    Raises Unreadable for XML with a DOCTYPE (Moodle writes none; entities live there), too deep, or broken.
    """
    level = -1
    try:
        for event, element in etree.iterparse(
            stream, events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
        ):
            if event == "start":
                level += 1
                if level == 0 and element.getroottree().docinfo.doctype:
                    raise Unreadable(BAD_XML.format("a DOCTYPE"))
                continue
            if level in depths:
                yield element
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
            level -= 1
    except etree.XMLSyntaxError as error:
        raise Unreadable(BAD_XML.format("broken, or too deep")) from error


def text(element: etree._Element, tag: str) -> str | None:
    """The text of a child; None for Moodle's NULL, an empty one, or none."""
    found = element.findtext(tag)
    return None if found in (None, "", "$@NULL@$") else found


def number(element: etree._Element, tag: str) -> int | None:
    """The whole number in a child; None where there is none, or none that a database holds."""
    return whole(text(element, tag))


def whole(found: str | None) -> int | None:
    """`'-1'` -> -1; None for what is no whole number of up to 15 digits."""
    return int(found) if found and re.fullmatch(r"-?[0-9]{1,15}", found) else None
