"""Bytes of a download, handed on with care: damage becomes a sentence, nothing endless is held in memory."""

from __future__ import annotations

import io
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO

from loaders.errors import Unreadable

if TYPE_CHECKING:
    from loaders.downloads import Download

BUFFER = 1 << 20
# A workbook or archive inside a .zip or .gz is unpacked to disk (never to memory) up to this many bytes.
UNPACK_LIMIT = 2 << 30

# What the standard library's gzip and zipfile raise over bytes that are not what they should be.
DAMAGE = (EOFError, zlib.error, zipfile.BadZipFile)
DAMAGED = "this file is damaged, or was cut short while it was downloaded or copied: download it again"


class Careful(io.RawIOBase):
    """A stream whose every failure to read is an Unreadable; closes what lies under it too."""

    def __init__(self, stream: BinaryIO, *under: BinaryIO):
        self._stream, self._all = stream, (stream, *under)

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Only for a plain file: stepping back in packed data means unpacking it anew."""
        return isinstance(self._stream, (io.FileIO, io.BufferedReader)) and self._stream.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As in io.IOBase."""
        return self._stream.seek(offset, whence)

    def readinto(self, buffer) -> int:
        """Fill `buffer`; raises Unreadable where the bytes cannot be had."""
        try:
            chunk = self._stream.read(len(buffer))
        except DAMAGE as error:
            raise Unreadable(DAMAGED) from error
        except OSError as error:
            damaged = error.errno is None  # gzip.BadGzipFile is an OSError without a number
            raise Unreadable(DAMAGED if damaged else not_to_be_had(error)) from error
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        """Close all layers."""
        if not self.closed:
            for stream in self._all:
                stream.close()
        super().close()


def not_to_be_had(error: OSError) -> str:
    """Why the computer does not give a file, with the remedy."""
    why = error.strerror or error
    return f"this file could not be opened ({why}): check that it is there and that you may read it"


class Watched(io.RawIOBase):
    """A stream that is refused when one of `marks` stays away for `limit` bytes.

    Parsers hold a line, a string or a tag until it ends; one that never ends would fill the memory.
    `refuse(chunk)` may look at each chunk too. `tail` is the last two bytes so far.
    """

    def __init__(
        self,
        stream: BinaryIO,
        marks: tuple[bytes, ...],
        limit: int,
        sentence: str,
        refuse: Callable[[bytes], None] | None = None,
    ):
        self._stream, self._marks, self._limit, self._sentence = stream, marks, limit, sentence
        self._refuse, self._run, self.tail = refuse, 0, b""

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer) -> int:
        """Fill `buffer`; raises Unreadable with the sentence where no mark has come for too long."""
        chunk = self._stream.read(min(len(buffer), BUFFER))
        last = max(map(chunk.rfind, self._marks))
        self._run = self._run + len(chunk) if last < 0 else len(chunk) - last - 1
        if self._run > self._limit:
            raise Unreadable(self._sentence)
        if self._refuse:
            self._refuse(chunk)
        self.tail = (self.tail + chunk[-2:])[-2:]
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        """Close the stream under it too."""
        if not self.closed:
            self._stream.close()
        super().close()


def head(download: Download, size: int = BUFFER) -> bytes:
    """The first bytes of a download."""
    with download.open() as stream:
        return stream.read(size)


def seekable(download: Download) -> BinaryIO:
    """A stream that can step back, as workbooks need: the file itself, or an unpacked copy without a name."""
    stream = download.open()
    return stream if stream.seekable() else unpacked(stream)


def unpacked(stream: BinaryIO) -> BinaryIO:
    """The rest of `stream` in a temporary file that vanishes when it is closed."""
    copy = tempfile.TemporaryFile()  # noqa: SIM115 (handed on open)
    try:
        with stream:
            shutil.copyfileobj(_Limited(stream), copy, BUFFER)
    except BaseException:
        copy.close()
        raise
    copy.seek(0)
    return copy


class _Limited:
    """Reads no more than UNPACK_LIMIT."""

    def __init__(self, stream: BinaryIO):
        self._stream, self._left = stream, UNPACK_LIMIT

    def read(self, size: int) -> bytes:
        chunk = self._stream.read(size)
        self._left -= len(chunk)
        if self._left < 0:
            raise Unreadable("this unpacks to more than 2 GB: unpack it yourself and give the files in it")
        return chunk
