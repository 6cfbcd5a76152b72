"""What a statement may do on a connection that pages read from: read. SQLite asks here while it prepares each one.

Files are opened read-only and Datasette lets only a select through; this stands where both would fail: a select can
call functions, read virtual tables and, by `pragma_...`, change settings, and a stranger's question is just text.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

ALLOWED, REFUSED = sqlite3.SQLITE_OK, sqlite3.SQLITE_DENY
# A view's text, a recursive step, begin and rollback around several questions: none of them changes anything.
HARMLESS = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE, sqlite3.SQLITE_TRANSACTION}
# What Datasette and we ask about tables, with the name of one ...
SHAPES = {"table_info", "table_xinfo", "table_list", "foreign_key_list", "index_list", "index_info", "index_xinfo"}
# ... and about files and SQLite, without any value: with one, most of them would set something.
STATES = {
    "compile_options", "data_version", "database_list", "freelist_count", "function_list", "journal_mode",
    "max_page_count", "module_list", "page_count", "page_size", "pragma_list", "schema_version", "table_list",
    "user_version",
}  # fmt: skip
# They reach files, or memory outside SQLite.
FUNCTIONS = {"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit", "lsdir", "zipfile", "sqlite_log"}
# Raw pages hold what was deleted; statements hold what others ask.
TABLES = {"sqlite_dbpage", "sqlite_stmt", "fsdir", "zipfile", "completion"}

Ask = Callable[[int, str | None, str | None, str | None, str | None], int]


def guard(conn: sqlite3.Connection) -> None:
    """Let this connection only read. It has one authorizer: another one has to ask `verdict` first."""
    conn.set_authorizer(verdict)


def verdict(action: int, first: str | None, second: str | None, database: str | None, source: str | None) -> int:
    """ALLOWED or REFUSED, for what https://sqlite.org/c3ref/c_alter_table.html says of `action`."""
    if action == sqlite3.SQLITE_READ:
        return REFUSED if first in TABLES else ALLOWED
    if action in HARMLESS:
        return ALLOWED
    if action == sqlite3.SQLITE_FUNCTION:
        return REFUSED if (second or "").lower() in FUNCTIONS else ALLOWED
    if action == sqlite3.SQLITE_PRAGMA:
        name = (first or "").lower()
        return ALLOWED if name in (SHAPES if second is not None else STATES) else REFUSED
    if action == sqlite3.SQLITE_UPDATE and first == "sqlite_master":
        return ALLOWED  # asked where a search table is opened; nobody can, while writable_schema is off
    return REFUSED  # attach, detach, whatever writes, and what later versions of SQLite may bring
