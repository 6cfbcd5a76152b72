"""`coursette export-student`: the two files, readable by their owner only."""

from __future__ import annotations

from pathlib import Path

from loaders import accounts, export_student, forgotten, whose
from loaders.reporting import echo
from loaders.schema import open_existing

HAND_OVER = "They hold the student's data: hand them over safely, then delete them."


def write(
    db: Path, private: Path | None, who: str, course: int | None, site: str | None, folder: Path, with_notes: bool
) -> None:
    """Write what is held of a student into a folder, made if need be. Raises Unreadable."""
    connection = open_existing(db).conn
    person = whose.person(connection, who, course, site)
    own_course = None if course is None else whose.course(connection, course, site)
    there = forgotten.folder_of(connection, private)
    found = export_student.held(connection, person, db.stem, there, own_course, with_notes)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for ending, text in (("html", export_student.page(found)), ("json", export_student.as_json(found))):
        path = folder / f"{export_student.file_name(found)}.{ending}"
        accounts.write_private(path, text)
        echo(str(path))
    if not with_notes:
        echo("Your own notes are left out; --notes puts them in.")
    echo(HAND_OVER)
