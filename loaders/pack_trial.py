"""What a pack would do, tried on the made-up course before it is near any students; and whom one would name."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from loaders import demo, question_check
from loaders.names import fold
from loaders.question_check import Check
from loaders.question_files import Question

SHORTEST = 4  # letters of a name that is looked for in a question's text
_WORDS = """
select fullname from people union select email from people union select idnumber from people
union select username from people
"""


def made_up(say: Callable[[str], None]) -> Path:
    """The demo's database; it is made where there is none yet, which takes a while."""
    say("Trying them on the made-up course ...")
    return demo.build()


def tried(db: Path, questions: Iterable[Question]) -> Iterator[tuple[Question, Check]]:
    """Each question with what it did, asked with nothing filled in, of a copy that ends with it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "moodle.db"
        with (
            closing(sqlite3.connect(f"file:{quote(str(db))}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
        with question_check.opened(copy) as conn:
            for question in questions:
                yield question, question_check.check(conn, question)


def named(db: Path, texts: Mapping[str, str]) -> list[tuple[str, str]]:
    """(question, whom or what it names) for each person of a database who stands in a text."""
    with closing(sqlite3.connect(f"file:{quote(str(db))}?mode=ro", uri=True)) as conn:
        words = _known(conn)
    folded = {name: fold(text) for name, text in texts.items()}
    return [(name, word) for name, text in folded.items() for key, word in words.items() if key in text]


def _known(conn: sqlite3.Connection) -> dict[str, Any]:
    try:
        rows = conn.execute(_WORDS).fetchall()
    except sqlite3.OperationalError:  # nothing is loaded yet
        return {}
    return {fold(word): word for (word,) in rows if word and len(word) >= SHORTEST}
