"""Sheets for tests: the small files of fixtures/sheets, and tables written in the test itself."""

from pathlib import Path

from loaders import downloads, tables
from loaders.sheets import Sheet

FOLDER = Path(__file__).parent / "fixtures" / "sheets"


def opened(name: str) -> Sheet:
    """A file of fixtures/sheets, read as `coursette load` reads it."""
    (download,) = downloads.find([str(FOLDER / name)])
    return tables.read(download)


def made(*rows: list[str], **more) -> Sheet:
    """A sheet of these rows, the first of which is the header; `resaved=True` and the like go into it."""
    header, *others = rows
    numbered = list(enumerate(others, 2))
    assert all(len(row) == len(header) for row in others), "a row does not fit its header"
    sheet = {"source": "made.csv", "format": "csv", "header": header, "start": lambda: iter(numbered)}
    return Sheet(**(sheet | more))
