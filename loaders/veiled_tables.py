"""What of each table is left under a veil (loaders/veil.py): the one place that knows which columns are about whom.

A table that stands in none of these lists is not shown at all: whoever adds one to schema.sql says here whose it is.
"""

from __future__ import annotations

PEOPLE = "temp.veil_people"  # who is shown: `id`, and `fullname`, `firstname`, `lastname` (pseudonyms, or null)
_IDS = f"(select id from {PEOPLE})"
VALUES = "temp.veil_values"  # `field`, `value` of person_details that enough people share
SETS = "temp.veil_sets"  # `course_id`, `students`: the set (bits.py) of those of them who are shown
FEWEST = 5  # people that share what is shown of them under pseudonyms
NOT_SHOWN = "not shown while names are hidden or only some groups are shown"

# About courses, activities and whole classes: as they are.
OPEN = {
    "sites", "courses", "groups", "sections", "activities", "parts", "event_types", "weeks", "calendar_events",
    "grade_items", "pulls", "load_events", "usage_activity_week", "usage_part_week", "usage_week", "usage_week_hour",
    "usage_activity", "usage_part",
}  # fmt: skip

# One row is about one person: table -> the column that says whom.
OF_A_PERSON = {
    "people": "id",
    **dict.fromkeys(
        (
            "person_details", "enrolments", "group_members", "events", "completions", "submissions", "attempts",
            "responses", "grades", "forum_posts", "feeds", "blog_posts", "usage_activity_person_week",
            "usage_part_person_week", "usage_person_week", "usage_person_day", "usage_person_seen", "usage_person",
            "usage_activity_person_posts",
        ),
        "person_id",
    ),
}  # fmt: skip

# Rows that are not one person's: which of them may be shown where only some groups are ({} is the attached file).
ROWS = {
    "post_links": (
        f"exists (select 1 from {{}}.forum_posts as p where p.id = forum_post_id and p.person_id in {_IDS})"
        f" or exists (select 1 from {{}}.blog_posts as p where p.id = blog_post_id and p.person_id in {_IDS})"
    ),
    "calendar_events": "event_type is not 'user'",
}
# Further columns with people, who are left out of a row where they are not shown themselves.
OTHERS = {"events": ("related_person_id", "real_person_id"), "post_links": ("person_id",)}

# How often and by how many, of those who are shown: the whole class beside some groups' students would be over 100 %.
_SET = f"(select students from {SETS} as s where s.course_id = {{table}}.course_id)"
_CLICKS = {
    "clicks": f"bit_clicks({{table}}.planes, {_SET})",
    "students": f"bit_count(bit_who({{table}}.planes, {_SET}))",
}
_IN_WEEK = (
    "from {file}.usage_person_week as p"
    f" where p.course_id = {{table}}.course_id and p.week = {{table}}.week and p.clicks and p.person_id in {_IDS}"
)
COUNTED = {
    # Its median stays that of the whole class.
    "usage_week": {
        "clicks": f"(select coalesce(sum(p.clicks), 0) {_IN_WEEK})",
        "students": f"(select count(*) {_IN_WEEK})",
    },
    **dict.fromkeys(("usage_activity_week", "usage_part_week", "usage_week_hour", "usage_part"), _CLICKS),
    "usage_activity": {
        **_CLICKS,
        "completed": f"iif(completed is null, null, bit_count(bit_both({{table}}.completed_by, {_SET})))",
    },
}

# What files said, in their words: only that it is there, under any veil.
SAID = {
    "loads": {
        "source": "coalesce(kind, 'a file')",
        **dict.fromkeys(("options", "answer_keys", "content_key"), "null"),
        "note": "iif(note is null, null, 'hidden')",
        "error": "iif(error is null, null, 'hidden')",
    },
    "unmatched": {"raw": "null", "reason": "null"},
    "claims": {"claim": "iif(noun in ('course', 'calendar'), claim, null)", "answer_key": "null"},
    "answers": {"key": "null", "mark": "null"},
    "event_names": {"person": "null", "related": "null"},
    "forgotten": {"hash": "'hidden'"},
}

_NAMES = {
    name: f"(select {name} from {PEOPLE} as v where v.id = people.id)" for name in ("fullname", "firstname", "lastname")
}
_POST = dict.fromkeys(("title", "text", "most_positive", "most_negative", "scored_key", "url"), "null")
# Posts answer one another by Moodle's ids, so these become our own keys; those lead nowhere in Moodle.
_ANSWERED = (
    "select p.id from {}.forum_posts as p"
    " where p.course_id = forum_posts.course_id and p.moodle_id = forum_posts.parent_id"
)
# Under pseudonyms: table -> {column: what stands there instead}.
HIDDEN = {
    "people": {**_NAMES, **dict.fromkeys(("moodle_id", "email", "idnumber", "username"), "null")},
    "person_details": {
        "value": f"(select value from {VALUES} as v"
        " where v.field = person_details.field and v.value = person_details.value)"
    },
    "groups": {
        "name": "iif(field is null or (select count(*) from {}.group_members as m where m.group_id = groups.id)"
        f" >= {FEWEST}, name, 'fewer than {FEWEST}')"
    },
    # Chapters and lessons are a teacher's; a discussion's name is what a student wrote.
    "parts": {"name": "iif(kind in ('chapter', 'page', 'sco'), name, kind || ' ' || id)"},
    "events": {"line_key": "null"},  # made from the line, name and all: whoever guesses it could check
    "calendar_events": {"name": "iif(event_type is 'user', null, name)"},
    "completions": {"set_by": "iif(set_by is null, null, 'somebody')"},
    "responses": {"response": "'hidden'"},
    "grades": {
        "grade": "iif((select display from {}.grade_items as i where i.id = grade_item_id) = 'feedback', null, grade)"
    },
    "forum_posts": {
        **_POST,
        "moodle_id": "forum_posts.id",
        "parent_id": f"iif(parent_id is null, null, coalesce(({_ANSWERED}), -1))",
    },
    "blog_posts": {**_POST, "html": "null", "guid": "null", "moodle_id": "null"},
    "feeds": {
        "url": "'hidden'",
        **dict.fromkeys(("feed_url", "served_url", "title", "etag", "last_modified", "older_url"), "null"),
        "error": "iif(error is null, null, 'not said while names are hidden')",
    },
    "post_links": {"url": "'hidden'"},
}  # fmt: skip

KNOWN = OPEN | OF_A_PERSON.keys() | ROWS.keys() | SAID.keys()


def view(table: str, columns: list[str], file: str, pseudonyms: bool, groups: bool) -> str:
    """The temporary view that stands before a table of the attached `file`, for these kinds of veil."""
    name = quoted(table)  # as an alias too: a query's plan would tell the name of the file
    if table not in KNOWN:
        return f"create temp view {name} as select * from temp.{quoted(NOT_SHOWN)}"
    said = dict(SAID.get(table, {}))
    if groups:
        said |= {column: words.format(table=name, file=file) for column, words in COUNTED.get(table, {}).items()}
        said |= {
            column: f"iif({column} in (select id from {PEOPLE}), {column}, null)" for column in OTHERS.get(table, ())
        }
    if pseudonyms:
        said |= HIDDEN.get(table, {})
    shown = ", ".join(f"{said.get(column, name + '.' + quoted(column))} as {quoted(column)}" for column in columns)
    rows = f" where {_rows(table)}" if groups and (table in OF_A_PERSON or table in ROWS) else ""
    return f"create temp view {name} as select {shown} from {{}}.{name} as {name}{rows}".replace("{}", file)


def _rows(table: str) -> str:
    # The plus keeps an index of people out of it: questions are planned as without a veil.
    return ROWS.get(table) or f"+{quoted(table)}.{OF_A_PERSON[table]} in {_IDS}"


def quoted(name: str) -> str:
    """A name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'
