"""`coursette serve`, and `datasette .` in the tree."""

from __future__ import annotations

import re
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import httpx
import pytest
from datasette.app import Datasette

from loaders import accounts, serving
from tests import made_up
from tests.visit import TREE, get


def test_a_missing_database_is_made_with_its_tables(tmp_path):
    (made,) = serving.find_databases([tmp_path / "new.db"])
    with sqlite3.connect(made) as db:
        assert db.execute("select count(*) from courses").fetchone() == (0,)
    (tmp_path / "notes.db").write_text("this is no database, but long enough to be one" * 20)
    with pytest.raises(serving.CannotServe, match="cannot be read as a database"):
        serving.find_databases([tmp_path / "notes.db"])
    made_up.small(tmp_path / "audit.db")
    with pytest.raises(serving.CannotServe, match="record of look-ups"):
        serving.find_databases([tmp_path / "audit.db"])
    (tmp_path / "empty folder").mkdir()
    with pytest.raises(serving.CannotServe, match="no database in the folder"):
        serving.find_databases([tmp_path / "empty folder"])


def test_serve_prints_the_link_first_and_alone(tmp_path):
    path = made_up.small(tmp_path / "moodle.db")
    command = [
        sys.executable,
        "-c",
        "from loaders.cli import main; main()",
        "serve",
        "--port",
        "0",
        str(path),
    ]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=TREE)
    try:
        first_line = server.stdout.readline()
        assert re.fullmatch(r"Sign in: http://127\.0\.0\.1:\d+/-/sign-in\?token=\S+\n", first_line)
        assert server.stdout.readline().startswith("Serving moodle.db at http://127.0.0.1:")
        link = first_line.removeprefix("Sign in: ").strip()
        with httpx.Client(follow_redirects=True) as visitor:
            assert visitor.get(link.partition("-/")[0]).status_code == 403
            assert "EDC3100" in visitor.get(link).text
            assert visitor.get(link.partition("-/")[0]).status_code == 200
            visitor.get(link.partition("-/")[0] + "-/student?course=2&user=5")
            visitor.get(link.partition("-/")[0] + "moodle/nothing")
        port = int(link.split(":")[2].partition("/")[0])
        with pytest.raises(serving.CannotServe, match="is another server running"):
            serving.listen("127.0.0.1", port)
    finally:
        server.terminate()
        said = server.communicate(timeout=10)
    assert said == ("", ""), "no log of requests: it would hold students' ids"


def test_the_link_is_opened_without_standing_in_the_list_of_processes(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(serving.webbrowser, "open", opened.append)
    link = "http://127.0.0.1:8001/-/sign-in?token=secret"
    with serving.opened(link, tmp_path):
        file = Path(url2pathname(urlsplit(opened[0]).path))
        assert "secret" not in opened[0] and f"url={link}" in file.read_text()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == []


def test_the_file_with_the_link_is_gone_while_the_server_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(serving.webbrowser, "open", lambda address: True)
    monkeypatch.setattr(serving, "OPENED_S", 0.05)
    with serving.opened("http://127.0.0.1:8001/", tmp_path):
        time.sleep(0.5)
        assert list(tmp_path.iterdir()) == []


async def test_datasette_with_the_tree_as_its_folder_is_as_closed(tmp_path):
    for name in ("metadata.yml", "settings.json", "plugins", "templates"):
        (tmp_path / name).symlink_to(TREE / name)
    made_up.small(tmp_path / "moodle.db")
    datasette = Datasette([], config_dir=tmp_path)
    assert (await get(datasette, "/", None)).status_code == 403
    assert "coursette serve" in (await get(datasette, "/", None)).text
    assert (await get(datasette, "/-/student?course=2&user=5")).status_code == 200
    link = accounts.make_link(tmp_path / "private")
    assert (await datasette.client.get(f"/-/sign-in?token={link}")).status_code == 302
    assert [row["name"] for row in (await get(datasette, "/-/databases.json")).json()] == ["moodle", "audit"]
