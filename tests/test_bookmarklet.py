"""The install page, the bookmarklet and the userscript that it makes."""

import html
import json
import re
import sqlite3
from pathlib import Path
from urllib.parse import unquote

import made_up
import pytest
from datasette.app import Datasette
from datasette.utils import module_from_path

from loaders import __version__

PLUGINS = Path(__file__).parent.parent / "plugins"
plugin = module_from_path(str(PLUGINS / "bookmarklet.py"), "bookmarklet.py")
SOURCE = plugin.SCRIPT.read_text("utf-8")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    made_up.small(tmp_path / "moodle.db")
    with sqlite3.connect(tmp_path / "moodle.db") as db:
        db.execute("delete from sites where url is null")
        db.execute("insert into sites(url) values ('https://lms.example.edu:8443/moodle/')")
        db.execute("insert into sites(url) values (?)", ["https://evil.example\n// @match *://*/*"])
        db.execute("insert into sites(url) values (?)", ["https://evil.example/</script>"])
    return tmp_path / "moodle.db"


async def ask(files: list[Path], path: str, signed_in: bool = True, **settings: object):
    datasette = Datasette(
        [str(file) for file in files],
        plugins_dir=str(PLUGINS),
        template_dir=str(PLUGINS.parent / "templates"),
        metadata={"allow": {"id": "teacher"}},
        settings=settings,
    )
    await datasette.invoke_startup()
    cookies = {"ds_actor": datasette.sign({"a": {"id": "teacher"}}, "actor")} if signed_in else {}
    return await datasette.client.get(path, cookies=cookies, headers={"host": "127.0.0.1:8001"})


def bookmarklet_in(text: str) -> str:
    """The script in the install page's link."""
    address = html.unescape(re.search(r'id="coursette-bookmarklet" href="([^"]*)"', text)[1])
    assert address.startswith("javascript:")
    return unquote(address.removeprefix("javascript:"))


def settings_of(text: str) -> dict:
    return json.loads(re.search(r"\n\}\)\((\{.*\})\);\s*\Z", text)[1])


@pytest.mark.parametrize("path", ["/-/bookmarklet", "/-/coursette.user.js"])
async def test_a_stranger_gets_nothing(database: Path, path: str):
    response = await ask([database], path, signed_in=False)
    assert response.status_code == 403
    assert "moodle.example.edu" not in response.text


async def test_the_bookmarklet_is_the_whole_script_with_the_servers_address(database: Path):
    response = await ask([database], "/-/bookmarklet")
    assert response.status_code == 200
    text = bookmarklet_in(response.text)
    assert settings_of(text) == {
        "server": "http://127.0.0.1:8001",
        "sites": ["https://lms.example.edu:8443/moodle", "https://moodle.example.edu"],
        "origins": ["https://lms.example.edu:8443", "https://moodle.example.edu"],
        "clicked": True,
        "token": "",  # the visitor has no account here
        "refresh": False,
    }
    assert text.splitlines()[:-1] == plugin.compact(SOURCE).splitlines()[:-1]
    assert response.text.count("javascript:") == 2  # the link to drag, and the text to copy
    assert "<script" not in response.text
    assert len(plugin.as_bookmarklet(SOURCE)) < 62_500  # Firefox keeps 65,536


async def test_a_server_below_a_path(database: Path):
    response = await ask([database], "/-/bookmarklet", base_url="/stats/")
    assert settings_of(bookmarklet_in(response.text))["server"] == "http://127.0.0.1:8001/stats"
    assert 'href="/stats/-/coursette.user.js"' in response.text


async def test_the_userscript_says_where_it_runs(database: Path):
    response = await ask([database], "/-/coursette.user.js")
    assert response.headers["content-type"].startswith("text/javascript")
    head, _, rest = response.text.partition("// ==/UserScript==\n")
    lines = [tuple(line[4:].split(None, 1)) for line in head.splitlines()[1:]]
    matches = [line[1] for line in lines if line[0] == "match"]
    assert matches == ["https://lms.example.edu:8443/moodle/*", "https://moodle.example.edu/*"]
    assert ("include", "https://lms.example.edu:8443/moodle/*") in lines
    assert ("updateURL", "http://127.0.0.1:8001/-/coursette.user.js") in lines
    assert ("downloadURL", "http://127.0.0.1:8001/-/coursette.user.js") in lines
    assert ("noframes",) in lines
    assert ("grant", "GM.xmlHttpRequest") in lines
    assert ("connect", "127.0.0.1") in lines and ("connect", "localhost") in lines
    assert ("version", __version__) in lines
    assert {key for key, *_ in lines} >= {"name", "namespace", "version", "description", "run-at"}
    assert settings_of(rest)["clicked"] is False
    assert "evil.example" not in response.text


async def test_without_a_known_moodle_the_page_asks_for_its_address(tmp_path: Path):
    made_up.small(tmp_path / "moodle.db")
    with sqlite3.connect(tmp_path / "moodle.db") as db:
        db.execute("update sites set url = null")
    page = await ask([tmp_path / "moodle.db"], "/-/bookmarklet")
    assert "no file you loaded so far says where your Moodle is" in page.text
    assert settings_of(bookmarklet_in(page.text))["sites"] == []
    asked = "?site=https%3A%2F%2Fevil.example%2F"  # a link that somebody else made
    for path in ("/-/bookmarklet", "/-/coursette.user.js"):
        answer = await ask([tmp_path / "moodle.db"], f"{path}{asked}")
        told = answer.text.partition("<main")[2] or answer.text  # its own address stands in the head's form too
        assert answer.status_code == 200 and "evil.example" not in unquote(told)


@pytest.mark.parametrize(
    ("typed", "site"),
    [
        ("https://moodle.example.edu", "https://moodle.example.edu"),
        (" https://moodle.example.edu/ ", "https://moodle.example.edu"),
        ("https://moodle.example.edu/my/", "https://moodle.example.edu"),
        ("https://example.edu/lms/course/view.php?id=2", "https://example.edu/lms"),
        ("http://127.0.0.1:8045/user/index.php?id=2#x", "http://127.0.0.1:8045"),
        ("https://example.edu/my-moodle/login/index.php", "https://example.edu/my-moodle"),
        ("moodle.example.edu", None),
        ("javascript:alert(1)", None),
        ("https://example.edu/\n// @match *://*/*", None),
        ("https://*/", None),
        ("", None),
    ],
)
def test_the_site_of_what_a_teacher_pastes(typed: str, site: str | None):
    assert plugin.site_of(typed) == site


def test_what_goes_into_the_script_cannot_end_it():
    text = plugin.with_settings(SOURCE, "http://x/</script>\u2028", [], True)
    assert "</script>" not in text and "\u2028" not in text
    assert settings_of(text)["server"] == "http://x/</script>\u2028"


def test_the_bookmark_is_the_script_without_comments_and_indentation():
    kept = plugin.compact(SOURCE).splitlines()
    code = [line.strip() for line in SOURCE.partition(plugin.END_OF_METADATA)[2].splitlines() if line.strip()]
    code = [line for line in code if not (line.startswith("//") or (line.startswith("/**") and line.endswith("*/")))]
    assert len(kept) == len(code) and kept != code
    for line, whole in zip(kept, code, strict=True):
        assert whole.startswith(line) and (whole == line or whole.removeprefix(line).startswith(" // "))
        if whole != line:
            assert not any(line.count(quote) % 2 for quote in "\"'`"), f"cut in a text: {whole}"
    assert unquote(plugin.as_bookmarklet(SOURCE)) == "javascript:" + "\n".join(kept)
    assert len(plugin.as_bookmarklet(SOURCE)) < 62_500  # Firefox keeps 65,536


def test_the_script_can_be_held_in_mind():
    lines = SOURCE.splitlines()
    assert len(lines) < 1_250, "MAV's had 1,632"
    assert max(map(len, lines)) <= 120
    assert "innerHTML" not in SOURCE and "XMLHttpRequest(" not in SOURCE.replace("GM.xmlHttpRequest(", "")
    assert SOURCE.count("fetch(") == 2 and "eval(" not in SOURCE  # of the server; of Moodle, to refresh the course
