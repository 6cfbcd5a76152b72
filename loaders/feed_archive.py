"""Documents of blogs as they were fetched, kept in a file to be read again without the network.

One line of JSON each, gzipped; of documents with one address the last counts:

    {"saved_blogs": 1, "saved_utc": "2026-06-12T08:00:00Z"}
    {"url": "https://al.example.org/feed/", "status": 200, "headers": {"etag": "\\"a1\\""}, "body": "<?xml ..."}
"""

from __future__ import annotations

import base64
import gzip
import json
import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx

from loaders.errors import Unreadable
from loaders.streams import DAMAGE

ENDING = ".jsonl.gz"
KEPT = ("content-type", "content-encoding", "etag", "last-modified", "location", "retry-after")
NONE = "there are no saved blogs in {}: name the folder given to `coursette blogs fetch --save`"
NOT_SAVED = "{} is not among the saved documents: fetch it without --from"


class Archive:
    """The file of one run of `fetch --save`, readable by its owner alone."""

    def __init__(self, folder: Path):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        now = datetime.now(UTC)
        self.path = folder / f"blogs-{now:%Y%m%dT%H%M%S%f}{ENDING}"
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = gzip.open(os.fdopen(descriptor, "wb"), "wt", encoding="utf-8", newline="\n")  # noqa: SIM115
        self._line({"saved_blogs": 1, "saved_utc": f"{now:%Y-%m-%dT%H:%M:%SZ}"})

    def keep(self, url: str, status: int, headers: httpx.Headers, body: bytes) -> None:
        """Write one document, at once: what was kept before an interruption can be read."""
        record = {"url": url, "status": status, "headers": {name: headers[name] for name in KEPT if name in headers}}
        try:
            record["body"] = body.decode("utf-8")
        except UnicodeDecodeError:
            record["base64"] = base64.b64encode(body).decode("ascii")
        self._line(record)

    def _line(self, record: dict) -> None:
        self._file.write(json.dumps(record, ensure_ascii=False) + "\n")
        self._file.flush()

    def close(self) -> None:
        """End the file."""
        self._file.close()


class Saving(httpx.AsyncBaseTransport):
    """Hands on what comes from the network, and keeps what came whole."""

    def __init__(self, network: httpx.AsyncBaseTransport, archive: Archive):
        self.network, self.archive = network, archive

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """As in httpx."""
        request.headers["accept-encoding"] = "identity"
        response = await self.network.handle_async_request(request)
        if response.status_code != 304:
            response.stream = _Kept(response, str(request.url), self.archive)
        return response

    async def aclose(self) -> None:
        """As in httpx."""
        await self.network.aclose()


class _Kept(httpx.AsyncByteStream):
    """A body that is kept once it has come whole; of a redirect or an error it need not come."""

    def __init__(self, response: httpx.Response, url: str, archive: Archive):
        self.response, self.url, self.archive, self.under = response, url, archive, response.stream
        self.chunks: list[bytes] = []
        self.whole = response.status_code != 200

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self.under:
            self.chunks.append(chunk)
            yield chunk
        self.whole = True

    async def aclose(self) -> None:
        await self.under.aclose()
        if self.whole:
            self.archive.keep(self.url, self.response.status_code, self.response.headers, b"".join(self.chunks))
            self.whole = False


class Replay(httpx.AsyncBaseTransport):
    """Answers with saved documents, and never asks the network."""

    def __init__(self, documents: dict[str, dict]):
        self.documents = documents

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """As in httpx. Raises Unreadable for what was not saved."""
        record = self.documents.get(str(request.url))
        if record is None:
            raise Unreadable(NOT_SAVED.format(request.url))
        body = base64.b64decode(record["base64"]) if "base64" in record else record["body"].encode()
        return httpx.Response(record["status"], headers=record["headers"], stream=httpx.ByteStream(body))


def saved(place: Path) -> dict[str, dict]:
    """All documents in a file, or in the files of a folder, by address. Raises Unreadable where there are none."""
    files = sorted(place.glob(f"*{ENDING}")) if place.is_dir() else [place]
    documents = {record["url"]: record for file in files for record in _records(file)}
    if not documents:
        raise Unreadable(NONE.format(place))
    return documents


def _records(file: Path) -> Iterator[dict]:
    """The documents of a file, as far as it goes: the end may be missing."""
    try:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                if {"url", "status", "headers"} <= record.keys() and record.keys() & {"body", "base64"}:
                    yield record
    except (*DAMAGE, OSError, ValueError, AttributeError):
        return
