"""Unpacks what came over the line, never more of it than was agreed."""

from __future__ import annotations

import zlib

from loaders.errors import Unreadable
from loaders.feed_errors import Away

_GZIP, _ZLIB, _BARE = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS


class Unpacker:
    """The body of one answer: `feed` it pieces, then take it `whole`. Raises Unreadable past `most` bytes."""

    def __init__(self, encoding: str, most: int):
        self._encoding, self._most = encoding.strip().lower(), most
        if self._encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise Unreadable("the blog packs its answers in a way that was not asked for: its server is set up wrongly")
        self._packed = self._encoding not in ("", "identity")
        self._body, self._arrived = bytearray(), 0
        self._stream = zlib.decompressobj(_ZLIB if self._encoding == "deflate" else _GZIP)

    def feed(self, chunk: bytes) -> None:
        """One more piece."""
        self._arrived += len(chunk)
        self._add(chunk if not self._packed else b"")
        if self._arrived > self._most:
            raise self._too_large()
        while self._packed and chunk:
            chunk = self._unpack(chunk)

    def _add(self, piece: bytes) -> None:
        self._body += piece
        if len(self._body) > self._most:
            raise self._too_large()

    def _too_large(self) -> Unreadable:
        return Unreadable(f"this feed is larger than {self._most / 1e6:,.0f} MB, and was not read on")

    def _unpack(self, chunk: bytes) -> bytes:
        """Unpack as much as is allowed; what is left of `chunk`."""
        if self._stream.eof:  # gzip may be several pieces one after another
            if not chunk.strip(b"\0"):
                return b""
            self._stream = zlib.decompressobj(_GZIP)
        try:
            self._add(self._stream.decompress(chunk, self._most + 1 - len(self._body)))
        except zlib.error:
            if self._encoding != "deflate" or self._body:
                raise Unreadable("what the blog packed cannot be unpacked: its server is set up wrongly") from None
            self._stream, self._encoding = zlib.decompressobj(_BARE), "bare deflate"  # as some servers have it
            return chunk
        return self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail

    def whole(self) -> bytes:
        """All of it. Raises Away where it ended in the middle."""
        if self._packed and self._arrived and not self._stream.eof:
            raise Away("the blog's answer ended in the middle: fetch again later")
        return bytes(self._body)
