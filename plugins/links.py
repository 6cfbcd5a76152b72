"""Names that lead to the student's page: a column `student_page` in any query, and the table of people."""

from __future__ import annotations

from urllib.parse import urlencode

from datasette import hookimpl
from markupsafe import Markup

PAGE = "/-/student?"


@hookimpl
def render_cell(row, value, column, table, database, datasette):
    if column == "student_page" and isinstance(value, str) and value.startswith(PAGE):
        return _link(datasette, f"{value}&{urlencode({'db': database})}", "open")
    if table == "people" and column == "fullname" and value and "id" in row.keys():  # noqa: SIM118 (a sqlite3.Row)
        return _link(datasette, PAGE + urlencode({"person": row["id"], "db": database}), value)
    return None


def _link(datasette, address: str, text: str) -> Markup:
    return Markup('<a href="{}">{}</a>').format(datasette.urls.path(address), text)
