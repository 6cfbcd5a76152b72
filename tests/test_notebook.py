"""demo/notebook.ipynb: runs from its first cell to its last beside a server, and is kept without any answer."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
from nbclient import NotebookClient

from loaders import demo, schema
from loaders.detail_columns import Asked
from loaders.load import Loader
from loaders.places import Options
from tests.visit import TREE, served

NOTEBOOK = TREE / "demo" / "notebook.ipynb"
# What the questions need of the made-up course, besides a part of its log: the whole of it takes half a minute.
FILES = ("participants_page.html.gz", "course_page.html.gz", "completion_progress.csv", "calendar.toml")
EVERY = 6  # lines of the log


@pytest.fixture(scope="module")
def notebook() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def test_it_is_kept_without_answers(notebook):
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell for cell in code if cell.outputs or cell.execution_count is not None] == []
    assert set(notebook.metadata) == {"kernelspec", "language_info"}, "nothing of whoever saved it last"
    assert NOTEBOOK.read_text("utf-8") == nbformat.writes(notebook, indent=1) + "\n", "in nbformat's own order"


def test_its_cells_are_short_and_each_has_a_question(notebook):
    cells = notebook.cells[2:-1]  # without what it is, what it needs, and what comes next
    assert [cell.cell_type for cell in cells] == ["markdown", "code"] * (len(cells) // 2) and len(cells) == 10
    assert all(cell.source.split("\n")[0].endswith("?") for cell in cells[::2])
    assert all(len(cell.source.splitlines()) <= 20 for cell in cells[1::2])


def part_of(log: Path, folder: Path) -> Path:
    """The head of a log and a part of its lines, spread over the whole time."""
    head, *lines = gzip.decompress(log.read_bytes()).decode("utf-8").splitlines(keepends=True)
    part = folder / "log.csv"
    part.write_text("".join([head, *lines[::EVERY]]), "utf-8")
    return part


@pytest.fixture
def course(tmp_path, demo_files) -> Path:
    """The made-up course, as far as the notebook asks."""
    path = tmp_path / "moodle.db"
    with closing(schema.open_database(path, to_fill=True).conn) as conn:
        files = [part_of(demo_files / "log_course2.csv.gz", tmp_path), *(demo_files / name for name in FILES)]
        outcomes = [*Loader(conn, Options(timezone=demo.ZONE)).load(files)]
        outcomes += Loader(conn, Options(details=Asked())).load([demo_files / demo.OWN])
        assert [outcome.error for outcome in outcomes if outcome.error] == []
        schema.settle_in(conn)
    return path


@pytest.fixture
def answers(course, notebook, monkeypatch) -> Iterator[list[str]]:
    """What each code cell printed, run as Jupyter runs it beside `coursette serve`."""
    with served(course) as link:
        address = urlsplit(link)
        monkeypatch.setenv("COURSETTE_URL", f"{address.scheme}://{address.netloc}")
        monkeypatch.setenv("COURSETTE_DB", str(course))
        for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR"):  # what it keeps of a session is nobody's home
            monkeypatch.setenv(name, str(course.parent / name))
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TREE), os.environ.get("PYTHONPATH", "")]))
        ran = NotebookClient(
            nbformat.from_dict(notebook), timeout=60, resources={"metadata": {"path": str(course.parent)}}
        )
        ran.execute()
    cells = [cell for cell in ran.nb.cells if cell.cell_type == "code"]
    assert [out for cell in cells for out in cell.outputs if out.get("name") != "stdout"] == [], "no warnings either"
    yield ["".join(out.text for out in cell.outputs) for cell in cells]


def test_it_answers_from_the_api_and_from_the_file(answers):
    made, usage, access, weeks, campuses, quiet = answers
    assert made == "" and "120 students, data up to" in usage and len(usage.splitlines()) == 7
    have, have_not = (int(word) for word in access.split() if word.isdigit())
    assert have + have_not == 120 and "@" in access
    assert "Week 1: Getting started" in weeks and "Study break (break)" in weeks
    assert "Toowoomba" in campuses and "not in the spreadsheet" in campuses
    assert "students\n" in quiet
