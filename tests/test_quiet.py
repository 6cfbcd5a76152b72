"""What the server prints: nothing of whom somebody asked for, however the question fails."""

from __future__ import annotations

import logging
import subprocess
import sys
from urllib.parse import quote

import httpx
import pytest

from tests import made_up
from tests.visit import TREE, cookies, get, instance

WHOM = "Secretname"
FAILING = [
    f"/moodle.json?sql=select+:who+from+nothing&who={WHOM}",
    f"/moodle.json?sql=select+'{WHOM}'+from+nothing",
    f"/moodle.json?sql=select+%22{WHOM}%22.x",
    f"/moodle/people.json?_sort={WHOM}",
    f"/moodle/people.json?_where={WHOM}",
    f"/moodle/people.csv?_stream=on&_where={WHOM}",
    f"/moodle/people.json?_search=%22{WHOM}&_searchmode=raw",
    f"/moodle/student_profile.json?course=2&student={WHOM}&_shape={WHOM}",
    f"/-/student?course=2&user={WHOM}",
    f"/-/usage.json?course=2&student={WHOM}&from_week={WHOM}",
    f"/-/find?q={quote(WHOM + chr(34) + '*')}",
    f"/{WHOM}/{WHOM}/{WHOM}",
]


@pytest.fixture
def datasette(tmp_path):
    return instance(made_up.small(tmp_path / "moodle.db"))


@pytest.mark.parametrize("path", FAILING)
async def test_a_question_that_fails_leaves_nothing_on_the_terminal(datasette, capfd, caplog, path):
    await get(datasette, path)
    printed = capfd.readouterr()
    assert WHOM not in printed.out + printed.err + caplog.text


async def test_what_breaks_inside_says_where_and_not_with_whom(datasette, capfd, caplog, monkeypatch):
    async def broken(*args, **kwargs):
        raise RuntimeError(WHOM)

    monkeypatch.setattr(type(datasette.databases["moodle"]), "execute", broken)
    for path in ("/moodle/people.json", "/moodle/people"):
        answer = await get(datasette, path)
        assert answer.status_code == 500 and WHOM not in answer.text
    assert answer.headers["content-type"].startswith("text/html")
    printed = capfd.readouterr()
    assert WHOM not in printed.out + printed.err + caplog.text
    assert "RuntimeError" in caplog.text and "in broken" in caplog.text


async def test_nor_does_uvicorn_print_it(datasette, caplog):
    await datasette.invoke_startup()
    try:
        raise ValueError(WHOM)
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    assert WHOM not in caplog.text.replace("raise ValueError(WHOM)", "") and "ValueError" in caplog.text


def test_the_whole_server_prints_no_name(tmp_path):
    datasette = instance(made_up.small(tmp_path / "moodle.db"))  # makes the key, with which a cookie can be signed
    cookie = cookies(datasette, {"id": "teacher", "owner": True})
    command = [sys.executable, "-c", "from loaders.cli import main; main()", "serve", "--port", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([*command, str(tmp_path / "moodle.db")], cwd=TREE, **pipes) as server:
        home = server.stdout.readline().removeprefix("Sign in: ").partition("/-/")[0]
        for path in FAILING:
            assert httpx.get(home + path, cookies=cookie).status_code >= 200
        server.terminate()
        _, printed = server.communicate()
    assert WHOM not in printed and "Traceback" not in printed
