"""The data dictionary: every table, column, join, step and function for whoever writes SQL, as plain dicts.

Made of the file itself and of the words in metadata.yml; says how much of each table is here, and names nobody.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping

from loaders import answers, freshness, function_words, question_data, schema, steps, wide
from loaders.statements import ask

# What a column's name tells of its unit: (the name, in words). Of two that fit, the first counts.
UNITS = (
    (r".*_utc|since_utc", "time in UTC, 2016-03-01T10:00:00Z"),
    (r".*_local", "time in the course's time zone"),
    (r".*_on|.*_date|day|since", "day, 2016-03-01"),
    (r".*_s", "seconds"),
    (r".*_pct", "per cent"),
    (r"week", "teaching week"),
    (r"(is|has)_.*|deleted|tracked|registered|whole|from_log", "1 or 0"),
    (r"(usual_)?sentiment", "-1 to 1"),
    (r"hour", "0 to 23"),
    (r"weekday", "0 Monday to 6 Sunday"),
    (r"planes|completed_by", "students as bits, for bit_... functions"),
)
NOTHING, NONE_HERE = "nothing is loaded yet", "none in what is loaded"
CALENDAR = (
    (
        "Each teaching week with its name and what the class did",
        """select weeks.week, weeks.name, weeks.starts_on, weeks.is_break, usage_week.clicks, usage_week.students
from weeks
left join usage_week on usage_week.course_id = weeks.course_id and usage_week.week = weeks.week
order by weeks.course_id, weeks.starts_on""",
    ),
    (
        "What is due, in course time",
        """select courses.shortname, activities.name, local_time(activities.due_utc, courses.timezone) as due_local
from activities
join courses on courses.id = activities.course_id
where activities.due_utc is not null
order by activities.due_utc""",
    ),
    (
        "How many days before it was due each assignment was handed in",
        """select people.fullname, activities.name, days_before(submissions.time_utc, activities.due_utc) as days_before
from submissions
join people on people.id = submissions.person_id
join activities on activities.id = submissions.activity_id
order by days_before""",
    ),
)
SHAPE = """
select name, type
from sqlite_master
where type in ('table', 'view') and name not like 'sqlite\\_%' escape '\\'
order by rowid
"""
FIELDS = """
select field, count(distinct person_id) as people, count(distinct value) as different_values
from person_details
group by field
order by min(id)
"""
COURSES = """
select
    coalesce(shortname, fullname, 'Course ' || moodle_id) as course,
    (select count(*) from weeks where course_id = courses.id) as weeks,
    (select count(*) from weeks where course_id = courses.id and is_break) as breaks,
    (select count(*) from activities where course_id = courses.id and due_utc is not null) as due
from courses
order by data_up_to_utc desc, id desc
"""


def whole(conn: sqlite3.Connection, known: Mapping) -> dict:
    """The whole dictionary of a file. `known` is what metadata.yml says of it: words of `tables`, `steps`.

    `tables`, `details` (the fields of the teacher's own), `calendar`, `search`, `steps`, `functions`.
    """
    shape = [(name, kind) for name, kind in conn.execute(SHAPE).fetchall()]
    said = known.get("tables") or {}
    loaded = _loaded(conn)
    here = [(name, kind) for name, kind in shape if not _is_search(name)]
    return {
        "tables": [table(conn, name, kind, said, loaded) for name, kind in sorted(here, key=_order(said))],
        "details": details(conn),
        "calendar": {
            "courses": ask(conn, COURSES),
            "examples": [{"title": title, "sql": sql} for title, sql in CALENDAR],
        },
        "search": [search(name) for name in schema.SEARCHED if (f"{name}_fts", "table") in shape],
        "steps": shared_steps(conn, known.get("steps") or ""),
        "functions": function_words.listed(),
    }


def table(conn: sqlite3.Connection, name: str, kind: str, said: Mapping, loaded: set[str] | None) -> dict:
    """One table or view: `name`, `kind`, `words`, `rows`, `absent` (why there are none), `columns`, `joins`."""
    words = said.get(name) or {}
    rows = conn.execute(f"select count(*) from {quoted(name)}").fetchone()[0]
    keys = {row[3]: (row[2], row[4] or "id") for row in conn.execute(f"pragma foreign_key_list({quoted(name)})")}
    columns = [column(row, words, keys) for row in conn.execute(f"pragma table_info({quoted(name)})").fetchall()]
    if name == wide.VIEW:
        columns = _with_own(conn, columns)
    return {
        "name": name,
        "kind": kind,
        "words": " ".join((words.get("description") or "").split()),
        "is_house": bool(words.get("hidden")),
        "rows": rows,
        "absent": None if rows else absent(name, loaded),
        "columns": columns,
        "joins": [join(name, each["name"], *keys[each["name"]], said) for each in columns if each["name"] in keys],
        "sql": f"select *\nfrom {name if name in said else quoted(name)}\nlimit 20",
    }


def column(row: tuple, words: Mapping, keys: Mapping) -> dict:
    """One column, of a row of `pragma table_info`: `name`, `type`, `unit`, `words`, `to` (what it points to)."""
    _, name, kind, *_ = row
    to = keys.get(name)
    return {
        "name": name,
        "type": kind.lower(),
        "unit": unit(name),
        "words": " ".join((words.get("columns", {}).get(name) or "").split()),
        "to": f"{to[0]}.{to[1]}" if to else None,
    }


def unit(name: str) -> str:
    """What a column's name says of its unit; empty where it says nothing."""
    return next((words for pattern, words in UNITS if re.fullmatch(pattern, name)), "")


def join(table: str, name: str, other: str, key: str, said: Mapping) -> dict:
    """How to follow a column that points to another table: `column`, `to` and the `sql` of an example."""
    label = (said.get(other) or {}).get("label_column") or key
    here, there = (each if each in said else quoted(each) for each in (table, other))
    column = name if table in said else quoted(name)
    sql = (
        f"select {there}.{label} as label, {here}.*\nfrom {here}\n"
        f"left join {there} on {there}.{key} = {here}.{column}\nlimit 20"
    )
    return {"column": name, "to": other, "sql": sql}


def absent(name: str, loaded: set[str] | None) -> str:
    """Why a table has no rows: nothing is loaded, not this kind of data, or there is none in it."""
    if loaded is None:
        return NOTHING
    kinds = question_data.needed(f"from {name}")
    if kinds and not loaded & set(kinds):
        return f"not loaded yet: {', '.join(question_data.WORDS[kind] for kind in kinds)}"
    return NONE_HERE


def _loaded(conn: sqlite3.Connection) -> set[str] | None:
    """The kinds of data (see freshness.py) that are loaded of any course; None where there is no course."""
    courses = answers.courses(conn)
    found = [row["kind"] for course in courses for row in freshness.freshness(conn, course) if row["is_loaded"]]
    return set(found) if courses else None


def details(conn: sqlite3.Connection) -> list[dict]:
    """The fields that files say of people: `field`, its `column` in people_wide (None: only in person_details),
    `people`, `different_values`, and the `sql` of an example."""
    fields = ask(conn, FIELDS)
    names = {field: name for name, field in wide.columns([row["field"] for row in fields]).items()}
    return [{**row, "column": names.get(row["field"]), "sql": _of_field(row["field"], names)} for row in fields]


def _of_field(field: str, names: Mapping[str, str]) -> str:
    if field in names:
        name = quoted(names[field])
        return f"select fullname, {name}\nfrom {wide.VIEW}\nwhere {name} is not null\norder by {name}"
    text = "'" + field.replace("\0", "").replace("'", "''") + "'"
    return f"select fullname, value\nfrom person_details\njoin people on people.id = person_id\nwhere field = {text}"


def _with_own(conn: sqlite3.Connection, columns: list[dict]) -> list[dict]:
    """The columns of the wide view, with words for those that come of files."""
    own = wide.columns(wide.fields(conn))
    return [
        {**each, "words": f"What files say of them as “{own[each['name']]}”."} if each["name"] in own else each
        for each in columns
    ]


def search(name: str) -> dict:
    """The search table of a table: `name`, `table`, `columns`, and the `sql` of an example."""
    sql = f"select *\nfrom {name}\nwhere id in (select rowid from {name}_fts where {name}_fts match 'word*')\nlimit 20"
    return {"name": f"{name}_fts", "table": name, "columns": list(schema.SEARCHED[name]), "sql": sql}


def shared_steps(conn: sqlite3.Connection, text: str) -> list[dict]:
    """Steps that questions share: `name`, `words`, what it `reads`, an example's `sql`, `parameters` and `columns`."""
    known = steps.known(text)
    return [
        {
            "name": name,
            "words": steps.words(step),
            "reads": [each for each in steps.read(step, known.keys()) if each != name],
            "sql": (sql := steps.whole(f"select *\nfrom {name}\nlimit 20", known)),
            "parameters": list(dict.fromkeys(re.findall(r":([a-z]\w*)", sql))),
            "columns": _columns(conn, sql),
        }
        for name, step in known.items()
    ]


def _columns(conn: sqlite3.Connection, sql: str) -> list[str]:
    """The columns of an answer, without its rows."""
    given = dict.fromkeys(re.findall(r":([a-z]\w*)", sql), "")
    return [column[0] for column in conn.execute(f"select * from (\n{sql}\n) limit 0", given).description]


def quoted(name: str) -> str:
    """A name as it may stand in SQL: whatever is in it, and whatever it means to SQLite."""
    return '"' + name.replace('"', '""') + '"'


def _is_search(name: str) -> bool:
    return any(name == f"{table}_fts" or name.startswith(f"{table}_fts_") for table in schema.SEARCHED)


def _order(said: Mapping):
    """Tables in the order of metadata.yml, which is that of schema.sql; her own after them."""
    places = {name: place for place, name in enumerate(said)}
    return lambda pair: places.get(pair[0], len(places))
