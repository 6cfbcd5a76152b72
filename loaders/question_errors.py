"""What SQLite says of a question, with the line in its file and the word that was meant.

SQLite tells no place (`no such column: clics`), so the word is looked for in the question's own text; of several
places the one counts without which SQLite would say something else.
"""

from __future__ import annotations

import difflib
import re
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from loaders import question_sql
from loaders.question_files import Question
from loaders.question_header import Wrong

NEAR = re.compile(r'near "(.*)": syntax error', re.DOTALL)
NO_SUCH = re.compile(r"no such (column|table|function): (\S+)")
NAMED = re.compile(
    r"(?:ambiguous column name: |misuse of (?:aggregate|window)(?: function|:)? |unrecognized token: "
    r"|wrong number of arguments to function |a GROUP BY clause is required before )\"?([\w.']+)"
)
MOST_PLACES = 200  # of one word, each tried with SQLite
Token = tuple[str, str, int]


@dataclass(frozen=True)
class Known:
    """What a database has: {table: its columns}, its functions, and {first page of a table or index: table}."""

    columns: dict[str, tuple[str, ...]]
    functions: tuple[str, ...]
    roots: dict[int, str]

    @classmethod
    def of(cls, conn: sqlite3.Connection) -> Known:
        rows = conn.execute("select name, tbl_name, rootpage, type from sqlite_master").fetchall()
        names = [name for name, _, _, kind in rows if kind in ("table", "view") and not name.startswith("sqlite_")]
        told = "select name from pragma_table_info(?)"
        columns = {name: tuple(column for (column,) in conn.execute(told, [name])) for name in names}
        functions = tuple({name for (name,) in conn.execute("select name from pragma_function_list")})
        return cls(columns, functions, {page: table for _, table, page, _ in rows if page})


def explained(
    conn: sqlite3.Connection, question: Question, known: Known, error: Exception, refused: Sequence[str]
) -> Wrong:
    """The error of a question as a sentence with its line."""
    said = str(error)
    if refused:
        return Wrong(
            f"a question only reads, so `{refused[0]}` is refused: leave it out", line_of_word(question, refused[0])
        )
    if near := NEAR.search(said):
        return _syntax(conn, question, near[1])
    if missing := NO_SUCH.search(said):
        return _missing(conn, question, known, *missing.groups())
    if "incomplete input" in said:
        return Wrong("the select ends too early: is a bracket or a name missing?", _last_line(question))
    if "too big" in said:
        return Wrong("a cell of its answer is too large: leave out what multiplies text", question.line)
    named = NAMED.search(said)
    return Wrong(f"SQLite says: {said}", line_of_word(question, named[1]) if named else question.line)


def line_of_word(question: Question, word: str) -> int:
    """The first line of a question's file that has this word in its SQL."""
    places = _places(question.text, word)
    return _line(question, places[0][0][2]) if places else question.line


def near(word: str, words: Iterable[str]) -> str:
    """`: did you mean “...”?` where one of the words is like it; else ''."""
    found = difflib.get_close_matches(word.lower(), list(words), 1, 0.6)
    return f": did you mean “{found[0]}”?" if found else ""


def _syntax(conn: sqlite3.Connection, question: Question, word: str) -> Wrong:
    """At the first place of the word where a statement that ends with it cannot go on."""
    sql = question.sql
    places = [token for token in question_sql.tokens(sql) if token[1].lower().startswith(word.lower())]
    place = next((token[2] for token in places[:MOST_PLACES] if _ends_at(conn, sql[: token[2] + len(token[1])])), None)
    line = question.line if place is None else _line_of_whole(question, place)
    return Wrong(f"the SQL cannot be read at “{word[:40]}”: look at what stands just before it, such as a comma", line)


def _ends_at(conn: sqlite3.Connection, start: str) -> bool:
    return NEAR.search(_error(conn, start)) is not None


def _missing(conn: sqlite3.Connection, question: Question, known: Known, kind: str, name: str) -> Wrong:
    """A column, table or function that there is not."""
    places, word = _places(question.text, name), name.split(".")[-1]
    line = _line(question, _guilty(conn, question, places)) if places else question.line
    words = {"column": _columns(question, known), "table": known.columns, "function": known.functions}[kind]
    meant = near(word, [each for each in words if each != word])
    remedy = {"column": "the data dictionary has all", "table": "the list of tables has all", "function": "see README"}
    return Wrong(f"there is no {kind} “{name}”{meant or ': ' + remedy[kind]}", line)


def _columns(question: Question, known: Known) -> list[str]:
    """Columns of the tables that the question names, then its own names for what it reads."""
    words = {text.lower() for kind, text, _ in question_sql.tokens(question.sql) if kind == "word"}
    found = [column for table, columns in known.columns.items() if table.lower() in words for column in columns]
    return list(dict.fromkeys([*found, *re.findall(r"\bas\s+([a-z]\w*)", question.sql)]))


def _places(text: str, name: str) -> list[list[Token]]:
    """Where a name stands: the tokens of each place, three where it is `table.column`."""
    wanted = re.findall(r"[\w]+|\.", name)
    found = list(question_sql.tokens(text))
    each = (found[at : at + len(wanted)] for at in range(len(found) - len(wanted) + 1))
    return [place for place in each if [_bare(token[1]) for token in place] == [_bare(word) for word in wanted]]


def _guilty(conn: sqlite3.Connection, question: Question, places: list[list[Token]]) -> int:
    """The offset in the question's text of the place without which SQLite would find no fault, or another."""
    sql = question.sql
    said = _error(conn, sql)
    wanted = [token[1] for token in places[0]]
    there = _places(sql, "".join(wanted))[-len(places) :]  # the last ones: steps stand before them
    for own, whole in list(zip(places, there, strict=False))[:MOST_PLACES] if len(places) > 1 else ():
        start, end = whole[0][2], whole[-1][2] + len(whole[-1][1])
        without = _error(conn, f"{sql[:start]}null{sql[end:]}")
        if without != said and not NEAR.search(without):  # where a name is given, as in `as n`, no null can stand
            return own[0][2]
    return places[0][0][2]


def _error(conn: sqlite3.Connection, sql: str) -> str:
    """What SQLite says of a statement, which is not run; '' for a good one."""
    try:
        conn.execute(f"explain {sql}", _Anything()).close()
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        return str(error)
    return ""


class _Anything(dict):
    """An empty text for every parameter."""

    def __missing__(self, key: str) -> str:
        return ""


def _bare(word: str) -> str:
    return word.strip('"`[]').lower()


def _line(question: Question, offset: int) -> int:
    return question_sql.line_of(question.text, offset, question.line)


def _line_of_whole(question: Question, offset: int) -> int:
    """The line in the file of an offset in the SQL with the steps before it: counted from the end."""
    return max(_last_line(question) - question.sql.count("\n", offset), 1)


def _last_line(question: Question) -> int:
    return question.line + question.text.count("\n")
