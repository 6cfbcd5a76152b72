"""HTML and JSON files, and those that are none of ours: what a file is, its first bytes tell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_tables import FIXTURES, LOG_HEADER, LOG_ROW, memory_of_reading, read, rows

from loaders.errors import Unreadable
from loaders.tables import Answer, Page, Sheet

HTML_HEAD = (
    '<!DOCTYPE html><html><head><meta charset="UTF-8" /><title>logs</title><style>\ntd {\n}\n</style>\n</head>\n'
    "<body><table border=1 cellspacing=0 cellpadding=3><tr>"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.csv"


def refused(path: Path, content: bytes | str | None = None) -> str:
    with pytest.raises(Unreadable) as caught:
        content = read(path, content)
        rows(content) if isinstance(content, Sheet) else None
    said = str(caught.value)
    assert "\n" not in said and (": " in said)  # one sentence, with its remedy
    return said


# ---- HTML tables ----


def html(*table: list[str]) -> str:
    head, *body = table
    cells = "".join(f"<th>{cell}</th>" for cell in head)
    lines = "".join("</tr><tr>" + "".join(f"<td>{cell}</td>" for cell in row) for row in body)
    return f"{HTML_HEAD}{cells}{lines}</tr></table></body></html>"


def test_participants_html_has_what_the_csv_has():
    text, table = read(FIXTURES / "participants.csv"), read(FIXTURES / "participants.html")
    assert (table.format, table.header) == ("html", text.header)
    assert list(table.rows()) == list(table.rows()) == list(text.rows())


def test_cells_of_an_html_table_are_text(path: Path):
    cells = [
        "it&#039;s",
        "one<br />\ntwo",
        "the&nbsp; discussion",
        "eSafety <site> & resources",
        "5 < 6 &amp;&lt;",
        " 🦘 ",
    ]
    sheet = read(path, html(list("abcdef"), cells, [""] * 5 + ["x"]))
    assert list(sheet.rows()) == [
        (2, ["it's", "one\ntwo", "the  discussion", "eSafety  & resources", "5 < 6 &<", " 🦘 "]),
        (3, ["", "", "", "", "", "x"]),
    ]


def test_an_html_table_that_a_browser_saved(path: Path):
    table = "<TABLE border='1'><tbody><TR><th>a</th></TR>\n<TR><td>1</td></TR></tbody></TABLE>"
    content = f"<html><head></head><body>\n{table}</body></html>"
    assert (read(path, content).header, rows(read(path, content))) == (["a"], [["1"]])


def test_a_cut_html_table_is_refused(path: Path):
    whole = html(LOG_HEADER, LOG_ROW, LOG_ROW)
    for cut in (len(HTML_HEAD) + 20, len(whole) - 60, len(whole) - 25):
        assert "cut short" in refused(path, whole[:cut])


def test_cells_of_an_html_table_that_run_together_are_refused(path: Path):
    assert "take" in refused(path, html(["a", "b"], ["x <b", "y"])).replace("download comma", "take comma")


def test_a_long_html_table_streams(path: Path):
    path.write_text(html(LOG_HEADER, *[LOG_ROW] * 4_000), encoding="utf-8")
    short = memory_of_reading(path)
    path.write_text(html(LOG_HEADER, *[LOG_ROW] * 20_000), encoding="utf-8")
    assert memory_of_reading(path) < short + 1_000_000


def test_an_html_row_without_end_is_refused(path: Path):
    assert "10 million" in refused(path, HTML_HEAD + "<td>" * 3_000_000)


# ---- Pages ----


def test_a_page_of_moodle_is_a_page_whole():
    page = read(FIXTURES / "page.html")
    assert page == Page("page.html", (FIXTURES / "page.html").read_bytes())


def test_a_login_page_is_told_in_any_language():
    for name in ("login.html", "sign_in_service.html"):
        assert refused(FIXTURES / name) == (
            "this is a login page, because your Moodle session had ended: sign in to Moodle and download it again"
        )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("error.csv", "Sorry, but you do not currently have permissions to do that (Manage groups)."),
        ("error_3x.html", "Sie haben nicht das Recht, dies zu tun."),
    ],
)
def test_an_error_page_is_quoted(name: str, message: str):
    assert refused(FIXTURES / name) == (
        f"Moodle answered with an error in place of the file (“{message}”): put that right, then download it again"
    )


def test_another_web_page_is_named_by_its_title(path: Path):
    assert "(“504 Gateway Time-out”)" in refused(FIXTURES / "proxy.html")
    assert refused(path, "<html><body>Nothing</body></html>").startswith("this is a web page, saved")


# ---- JSON tables ----


def test_participants_json_has_what_the_csv_has():
    text, table = read(FIXTURES / "participants.csv"), read(FIXTURES / "participants.json")
    assert (table.format, table.header) == ("json", ["firstname", "lastname", "emailaddress", "groups"])
    assert rows(table) == rows(table) == rows(text)
    assert next(table.rows())[0] == 1


def test_values_of_a_json_table_are_text(path: Path):
    sheet = read(path, '\ufeff[[{"id":3,"n":null,"t":true,"f":false,"x":7.50,"u":"\\u00eb\\/"}]]')
    assert rows(sheet) == [["3", "", "1", "", "7.5", "ë/"]]


@pytest.mark.parametrize(
    "content",
    [
        '[[{"":"3/05/26","ipaddress":"10.1.2.3"}]]',  # what Moodle writes in Russian: seven headers are one
        '[[{"a":"1","a":"2"}]]',
        '[[{"":"2016-03-01 00:36:06","emailaddress":"a@x.org","quiz":"Completed"}]]',  # 5.1 activity completion
    ],
)
def test_json_that_lost_columns_is_refused(path: Path, content: str):
    said = refused(path, content)
    assert "has lost columns" in said and "comma separated values (.csv)" in said


def test_a_cut_json_is_refused(path: Path):
    whole = (FIXTURES / "participants.json").read_bytes()
    for cut in (30, len(whole) // 2, len(whole) - 2, len(whole) - 1):
        assert "cut short" in refused(path, whole[:cut])


@pytest.mark.parametrize(
    "content",
    [
        "[[]]",
        '[[{"a":1}{"a":2}]]',
        '[[{"a":1},{"b":2}]]',
        '[[{"a":1},7,{"a":2}]]',
        '[[{"a":[1]}]]',
        "[[{}]]",
        '[[{"a":1}]] x',
        '{"a":',
        '{"a" 1}',
        "[" * 100_000,
        '[[{"a":' + "9" * 5_000 + "}]]",
    ],
)
def test_broken_or_empty_json_is_refused(path: Path, content: str):
    refused(path, content)


def test_a_long_json_table_streams(path: Path):
    row = dict(zip("abcdefghi", LOG_ROW, strict=True))
    path.write_text(json.dumps([[row] * 4_000], indent=4), encoding="utf-8")
    short = memory_of_reading(path)
    path.write_text(json.dumps([[row] * 12_000], indent=4), encoding="utf-8")
    assert memory_of_reading(path) < short + 1_000_000


def test_a_json_text_without_end_is_refused(path: Path):
    assert "10 million" in refused(path, '[[{"a":"' + "x" * 12_000_000)


# ---- Web-service answers ----


@pytest.mark.parametrize(
    "data", [{"usergrades": []}, [{"id": 3, "groups": [{"id": 1}]}], [], {}, [{"id": 3, "fullname": "A"}]]
)
def test_other_json_is_an_answer(path: Path, data):
    assert read(path, json.dumps(data)) == Answer("file.csv", data)


def test_an_answer_that_is_an_error_is_quoted(path: Path):
    assert "(“Access control exception”)" in refused(FIXTURES / "refused.json")
    assert "(“Invalid login”)" in refused(path, '{"error":"Invalid login","errorcode":"invalidlogin"}')


# ---- Files of other kinds ----


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0", "picture"),
        (b"%PDF-1.7\n", "PDF"),
        (b"MZ\x90\0", "program"),
        (b"SQLite format 3\0", "database"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old or locked Excel"),
        (b"From: <Saved by Blink>\r\nMIME-Version: 1.0\r\n", "Webpage, HTML only"),
        (b'<?xml version="1.0"?>\n<RESPONSE></RESPONSE>', "moodlewsrestformat=json"),
        (b'<?xml version="1.0"?>\n<results batch="1"></results>', "grade export"),
        (b'<?xml version="1.0"?>\n<rss></rss>', "XML file"),
    ],
)
def test_other_files_are_named_with_what_to_take_instead(path: Path, content: bytes, said: str):
    assert said in refused(path, content)


def test_xhtml_is_html(path: Path):
    content = (
        '<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml"><body id="page-my-index"></body></html>'
    )
    assert isinstance(read(path, content), Page)


def test_a_header_that_begins_like_markup_or_json_is_still_a_table(path: Path):
    assert read(path, "[id],name\n1,x\n").header == ["[id]", "name"]
    assert read(path, "<5 days>,name\n1,x\n").header == ["<5 days>", "name"]
