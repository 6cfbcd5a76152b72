"""A running instance of Coursette without a network, and somebody to visit it."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import unquote_to_bytes

import httpx
from datasette.app import Datasette
from datasette.utils import parse_metadata
from jinja2 import Environment
from jinja2.bccache import Bucket, BytecodeCache

from loaders import accounts, serving, web

TREE = Path(__file__).resolve().parent.parent
TEACHER = {"id": "teacher", "owner": True}
COLLEAGUE = {"id": "colleague", "owner": False}


@cache
def _metadata(text: str) -> bytes:
    return pickle.dumps(parse_metadata(text))


class _Compiled(BytecodeCache):
    """What templates were compiled to, for as long as their text stays the same."""

    def __init__(self) -> None:
        self.codes: dict[tuple[str, str], bytes] = {}

    def get_bucket(self, environment: Environment, name: str, filename: str | None, source: str) -> Bucket:
        """Our own templates await nothing, Datasette's do: each is compiled in its way."""
        return super().get_bucket(environment, f"{name} {environment.is_async}", filename, source)

    def load_bytecode(self, bucket: Bucket) -> None:
        if code := self.codes.get((bucket.key, bucket.checksum)):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.codes[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


# A thousand tests make an instance each: the same text is parsed, the same template compiled once a process.
serving.parse_metadata = lambda text: pickle.loads(_metadata(text))
COMPILED = _Compiled()


def instance(*databases: Path, private: Path | None = None, **settings) -> Datasette:
    """Datasette as `coursette serve` builds it; the private folder lies beside the first database."""
    folder = accounts.private_folder(list(databases), private)
    datasette = serving.build(list(databases), folder, root=TREE, **settings)
    datasette.jinja_env.bytecode_cache = COMPILED
    return datasette


async def get(datasette: Datasette, path: str, actor: dict | None = TEACHER, **kwargs) -> httpx.Response:
    """What this visitor gets (None: a stranger); redirects are not followed."""
    return await datasette.client.get(path, cookies=cookies(datasette, actor), **kwargs)


def recorded(datasette: Datasette) -> Path:
    """The record of look-ups, once its writer has written what this instance showed."""
    recorder = datasette._coursette_recorder
    assert recorder.record.flush()
    return recorder.path


async def post(datasette: Datasette, path: str, form: dict, actor: dict | None = None) -> httpx.Response:
    """The answer to a form, sent as a browser does that opened the page with the form just before."""
    page = await datasette.client.get(path, cookies=cookies(datasette, actor))
    token = page.cookies.get("ds_csrftoken", "")
    sent = {**cookies(datasette, actor), "ds_csrftoken": token}
    return await datasette.client.post(path, data={**form, "csrftoken": token}, cookies=sent)


def cookies(datasette: Datasette, actor: dict | None) -> dict[str, str]:
    """The cookie of somebody signed in as this actor, as signing in makes it where there is such an account."""
    if not actor:
        return {}
    account = next((row for row in web.known_accounts(datasette) if row["name"] == actor["id"]), None)
    more = {"account": account["name"], "epoch": accounts.epoch(account)} if account else {}
    return {"ds_actor": datasette.sign({"a": actor, **more}, "actor")}


@contextmanager
def served(*databases: Path, options: Sequence[str] = ("--port", "0")) -> Iterator[str]:
    """`coursette serve` as a process of its own; yields its sign-in link."""
    files = [str(path) for path in databases]
    command = [sys.executable, "-c", "from loaders.cli import main; main()", "serve", *options, *files]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=TREE) as server:
        try:
            yield server.stdout.readline().removeprefix("Sign in: ").strip()
        finally:
            server.terminate()


async def ask_raw(
    datasette: Datasette, raw_path: bytes, headers: dict[str, str], method: str = "GET", body: bytes = b""
):
    """(status, text) of a request whose path no client has put in order."""
    sent: list[dict] = []
    path, _, query = raw_path.partition(b"?")
    pairs = [
        (name.lower().encode(), value.encode("latin-1")) for name, value in {"Host": "localhost", **headers}.items()
    ]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "raw_path": path,
        "headers": pairs,
    }
    scope |= {
        "path": unquote_to_bytes(path).decode("utf-8", "replace"),
        "query_string": query,
        "client": ("127.0.0.1", 1),
    }

    async def receive() -> dict:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict) -> None:
        sent.append(message)

    await datasette.app()(scope, receive, send)
    text = b"".join(message.get("body", b"") for message in sent).decode("utf-8", "replace")
    return sent[0]["status"], text
