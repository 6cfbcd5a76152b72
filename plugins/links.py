"""Names that lead to the student's page, in any answer with `fullname` and `person` and in the tables of people;
from each row of resource_usage, who has not opened and who has not completed it; from each field of students, who has
what in it; from the title of a discussion or post to it; course time in words."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from datasette import hookimpl
from markupsafe import Markup, escape

from loaders import pack_folder

PAGE = "/-/student?"
TITLES = ("discussion", "title")  # of what is at a row's `url`
OF_TABLES = {"people": "id", "people_wide": "person_id"}  # table with `fullname` -> column of our key
# column -> what its link asks; the value is the address of another question, from this one's
QUESTIONS = {
    "never_opened": "Who has never opened",
    "not_completed": "Who has not completed",
}


@hookimpl
def render_cell(row, value, column, table, database, datasette):
    of_a_pack = pack_folder.of_a_pack.get()
    if of_a_pack and isinstance(value, str) and "://" in value[:40]:
        return escape(value)  # a stranger's question may lead nowhere with what it found
    columns = row.keys() if value else ()
    has_url = "url" in tuple(row.keys())
    key = OF_TABLES.get(table) if column == "fullname" else None
    if key in columns:
        return _link(_student(datasette, database, row[key], None), value)
    if column == "fullname" and table is None and "person" in columns:
        course = row["course"] if "course" in columns else None
        database = row["database"] if "database" in columns else database  # of the record, which tells of others
        return _link(_student(datasette, database, row["person"], course), value)
    if table is None and column in QUESTIONS and "label" in columns and value.startswith(column):
        asked = f"{QUESTIONS[column]} {row['name']}?"
        return Markup('<a href="{}/{}" aria-label="{}" title="{}">who?</a>').format(
            datasette.urls.database(database), value, asked, asked
        )
    if table is None and column in TITLES and has_url and is_web(row["url"]) and not of_a_pack:
        return _link(row["url"], value or "untitled")
    if table is None and column == "field" and "different_values" in columns:
        return _link(_of_field(datasette, database, value, row["course"]), value)
    return in_words(value) if table is None and column.endswith("_local") and isinstance(value, str) else None


def is_web(address: str | None) -> bool:
    """Whether this is an address to follow: a blog's feed may hold anything."""
    return (address or "").startswith(("https://", "http://"))


def in_words(local: str) -> str | None:
    """'15 March 2016, 20:00' for '2016-03-15T20:00:00'."""
    try:
        time = datetime.fromisoformat(local)
    except ValueError:
        return None
    return f"{time.day} {time:%B %Y, %H:%M}"


def _student(datasette, database: str, person: int, course: int | None) -> str:
    ids = {"course": course} if course is not None else {}
    return datasette.urls.path(PAGE + urlencode({**ids, "person": person, "db": database}))


def _of_field(datasette, database: str, name: str, course: int | None) -> str:
    asked = {"course": course} if course is not None else {}
    return f"{datasette.urls.database(database)}/students_by_details?{urlencode({**asked, 'field': name})}"


def _link(address: str, text: str) -> Markup:
    return Markup('<a href="{}">{}</a>').format(address, text)
