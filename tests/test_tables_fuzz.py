"""Whatever the bytes: a file is read, or refused with a sentence. Never a traceback."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_tables import FIXTURES, LOG_HEAD, LOG_LINE, ods, read, rows, xlsx

from loaders.errors import Unreadable
from loaders.tables import Sheet

TABLE = [["Name", "Total"], ["Zoë", "7"], ["=1", "8"], ["Al & Co", "-"]]
TEXTS = {
    "log": (LOG_HEAD + LOG_LINE * 3).encode(),
    "completion": '\ufeff\t"Mail"\t"Quiz"\t""\n"Al"\t"a@x.org"\t"Done"\t""\n'.encode("utf-16-le"),
    "western": "Name;Ort\r\nZoë;Köln\r\n".encode("cp1252"),
    "html": (FIXTURES / "participants.html").read_bytes()[:1_500] + b"</table></body></html>",
    "page": (FIXTURES / "page.html").read_bytes(),
    "error": (FIXTURES / "error.csv").read_bytes(),
    "json": b'[[{"name":"Zo\\u00eb","total":7.5},{"name":"Al","total":null}]]',
    "answer": b'[{"id":3,"groups":[{"id":1,"name":"A"}]}]',
}
PARTS = [
    b"",
    b"\0",
    b"\xff",
    b'"',
    b"\\",
    b"<",
    b">",
    b"{",
    b"]",
    b"\n",
    b"\r",
    b",",
    b"&#x0;",
    b"&a;",
    b"9" * 30,
    b"PK\3\4",
]

changes = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 40), st.one_of(st.sampled_from(PARTS), st.binary(max_size=12))),
    min_size=1,
    max_size=5,
)
fuzz = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def changed(content: bytes, how: list[tuple[float, int, bytes]]) -> bytes:
    """`content` with pieces of it replaced."""
    for share, length, piece in how:
        place = int(share * len(content))
        content = content[:place] + piece + content[place + length :]
    return content


def read_whole(path: Path, content: bytes) -> None:
    """Reads it, or has it refused in one sentence."""
    try:
        found = read(path, content)
        if isinstance(found, Sheet):
            width = len(found.header)
            assert width and all(len(row) == width and all(type(cell) is str for cell in row) for row in rows(found))
    except Unreadable as error:
        assert str(error) and "\n" not in str(error)


@pytest.mark.parametrize("name", TEXTS)
@given(how=changes)
@fuzz
def test_changed_text(tmp_path: Path, name: str, how):
    read_whole(tmp_path / "file", changed(TEXTS[name], how))


@pytest.mark.parametrize("name", ["participants.xlsx", "participants.ods", "choice.xls"])
@given(how=changes)
@fuzz
def test_changed_archives(tmp_path: Path, name: str, how):
    read_whole(tmp_path / "file", changed((FIXTURES / name).read_bytes(), how))


@pytest.mark.parametrize("write", [xlsx, ods])
@given(data=st.data())
@fuzz
def test_changed_members_of_a_workbook(tmp_path: Path, write, data: st.DataObject):
    """A sound archive of unsound XML."""
    path = write(tmp_path / "file", TABLE)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = data.draw(st.sampled_from(sorted(members)))
    members[name] = changed(members[name], data.draw(changes))
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    read_whole(path, path.read_bytes())


@given(content=st.binary(max_size=300))
@fuzz
def test_any_bytes(tmp_path: Path, content: bytes):
    read_whole(tmp_path / "file", content)
