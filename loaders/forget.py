"""Deleting a student, or a course, from moodle.db: everything that is hers, in one transaction.

What files said goes with what was made of it. Roll-ups are made anew for those who stay, the search index too. What is
still in old pages of the file is cleared afterwards, by forget_bytes.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from pathlib import Path

from loaders import forgotten, mentions, rollups, sifting, wide
from loaders.blog_address import same
from loaders.courses import folded_names
from loaders.forgotten import named
from loaders.log import shown_names
from loaders.names import fold
from loaders.schema import SEARCHED
from loaders.statements import ask

PERSON = """
select id, site_id, moodle_id, email, idnumber, username, fullname, firstname, lastname
from people
where id = :person
"""
COURSES = """
select id, moodle_id
from courses
where id in (select course_id from enrolments where person_id = :person)
    or id in (select course_id from events where person_id = :person)
"""
_ACTIVITIES = "activity_id in (select id from activities where course_id = :course)"
# Tables with rows of one person, and which of them are of one course.
IN_COURSE = {
    "group_members": "group_id in (select id from groups where course_id = :course)",
    "completions": _ACTIVITIES,
    "submissions": _ACTIVITIES,
    "attempts": _ACTIVITIES,
    "responses": _ACTIVITIES,
    "grades": "grade_item_id in (select id from grade_items where course_id = :course)",
    "forum_posts": "course_id = :course",
    "enrolments": "course_id = :course",
}
EVERYWHERE = ("person_details", "blog_posts")  # of a person, and of no course
HER_POSTS = "select id from {} where person_id = :person"
# Posts of hers that open a discussion, and all below them: of some files no discussion is known yet
BEGUN = """
select {} from forum_posts
where person_id = :person and parent_id is null and (:course is null or course_id = :course)
"""
THREAD = f"""
{BEGUN.format("id, moodle_id, course_id")}
union
select answer.id, answer.moodle_id, answer.course_id
from thread
join forum_posts as answer on answer.parent_id = thread.moodle_id and answer.course_id = thread.course_id
"""
GONE_EVENTS = """
insert or ignore into temp.gone
select id from events
where (person_id = :person or related_person_id = :person or real_person_id = :person)
    and (:course is null or course_id = :course)
"""


def student(
    connection: sqlite3.Connection,
    person: int,
    reason: str = forgotten.FORGOTTEN,
    course: int | None = None,
    folder: Path | None = None,
) -> Counter[str]:
    """Delete a person (own key), or what is of her in one course (own key); returns {table: rows deleted}.

    Her marks are kept as hashes, so that no file brings her back. `folder`: the private folder.
    """
    connection.execute("pragma secure_delete = on")
    connection.execute("begin immediate")
    try:
        gone = _student(connection, person, reason, course, folder)
        forgotten.set_untidy(connection)
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")
    return gone


def _student(connection, person: int, reason: str, course: int | None, folder: Path | None) -> Counter[str]:
    (row,) = ask(connection, PERSON, person=person)
    courses = connection.execute(COURSES, {"person": person}).fetchall()
    if course:
        only = [key for key, _ in courses] == [course]
        courses = [pair for pair in courses if pair[0] == course]
    scope = next((moodle_id for _, moodle_id in courses), None) if course else None
    forgotten.remember(connection, row["site_id"], marks(connection, row, courses), reason, scope, folder)
    gone = _delete(connection, row, course, everything=not course or only)
    _sources(connection, row)
    sifting.sift(connection)
    _tidy(connection, [key for key, _ in courses])
    return +gone


def marks(connection: sqlite3.Connection, row: dict, courses: list[tuple[int, int]]) -> set[tuple[str, object]]:
    """All by which a person would be known again, but what somebody who stays has too."""
    others = ask(
        connection,
        "select moodle_id, email, idnumber, username, fullname from people where site_id = :site and id != :person",
        site=row["site_id"], person=row["id"],
    )  # fmt: skip
    found = forgotten.marks_of(row) - {key for other in others for key in forgotten.marks_of(other)}
    for key, moodle_id in courses:
        found |= {("name", named(moodle_id, name)) for name in _folded(row)}
        found |= {("discussion", about) for about in _begun(connection, row["id"], key)}
    urls = connection.execute("select url from feeds where person_id = ?", (row["id"],)).fetchall()
    return found | {("feed", same(url)) for (url,) in urls}


def _folded(row: dict) -> set[str]:
    return folded_names({key: value for key, value in row.items() if value})


def _begun(connection: sqlite3.Connection, person: int, course: int) -> list[int]:
    """Moodle's ids of the discussions that somebody began."""
    sql = (
        "select parts.moodle_id from forum_posts join parts on parts.id = part_id"
        " where person_id = ? and course_id = ? and parent_id is null"
    )
    return [moodle_id for (moodle_id,) in connection.execute(sql, (person, course))]


def _delete(connection: sqlite3.Connection, row: dict, course: int | None, everything: bool) -> Counter[str]:
    """Delete her rows; returns how many of each table."""
    ids = {"person": row["id"], "course": course}
    gone: Counter[str] = Counter()
    _untitle(connection, ids)
    gone["events"] = delete_events(connection, ids, _folded(row))
    for source, post in (("forum_posts", "forum_post_id"), ("blog_posts", "blog_post_id")):
        if source == "forum_posts" or everything:
            where = f"{post} in ({HER_POSTS.format(source)}{_and(source, course)})"
            gone["post_links"] += connection.execute(f"delete from post_links where {where}", ids).rowcount
    for table in IN_COURSE:
        sql = f"delete from {table} where person_id = :person{_and(table, course)}"
        gone[table] += connection.execute(sql, ids).rowcount
    connection.execute("update completions set set_by = null where set_by = ?", (row["fullname"],))
    if everything:
        gone += delete_person(connection, ids)
    return gone


def _and(table: str, course: int | None) -> str:
    return f" and {IN_COURSE[table]}" if course and table in IN_COURSE else ""


def delete_person(connection: sqlite3.Connection, ids: dict) -> Counter[str]:
    """What is of her and of no course: details, blogs and their posts, herself; links of others to her blogs."""
    gone: Counter[str] = Counter()
    posts = "select id from blog_posts where feed_id in (select id from feeds where person_id = :person)"
    gone["post_links"] += connection.execute(
        f"delete from post_links where person_id = :person or blog_post_id in ({posts})", ids
    ).rowcount
    gone["blog_posts"] += connection.execute(f"delete from blog_posts where id in ({posts})", ids).rowcount
    for table in (*EVERYWHERE, "feeds"):
        gone[table] += connection.execute(f"delete from {table} where person_id = :person", ids).rowcount
    for table, column in _rolled_up(connection):
        connection.execute(f"delete from {table} where {column} = :person", ids)
    gone["people"] += connection.execute("delete from people where id = :person", ids).rowcount
    return gone


def _rolled_up(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    columns = [(table, row[1]) for table in rollups.TABLES for row in connection.execute(f"pragma table_info({table})")]
    return [(table, column) for table, column in columns if column == "person_id"]


def delete_events(connection: sqlite3.Connection, ids: dict, names: set[str]) -> int:
    """Delete log lines by or about a person, also those that have only a name of hers; returns how many."""
    connection.execute("drop table if exists temp.gone")
    connection.execute("create temp table gone (id integer primary key)")
    connection.execute(GONE_EVENTS, ids)
    connection.create_function("is_hers", 1, lambda text: any(fold(one) in names for one in shown_names(text)))
    connection.execute(
        "insert or ignore into temp.gone select events.id from event_names join events on events.id = event_id"
        " where (:course is null or course_id = :course) and (is_hers(related) or (is_hers(person) and not has_id))",
        ids,
    )
    connection.execute(
        "update loads set rows_skipped = rows_skipped + (select count(*) from load_events r"
        " join temp.gone on gone.id between r.first_id and r.last_id where r.load_id = loads.id)"
        " where id in (select load_id from load_events)"
    )
    connection.execute("delete from event_names where event_id in (select id from temp.gone)")
    count = connection.execute("delete from events where id in (select id from temp.gone)").rowcount
    connection.execute("drop table temp.gone")
    trim_ranges(connection)
    return count


def trim_ranges(connection: sqlite3.Connection) -> None:
    """Keys above the last line are given again, and must not count as held by older loads."""
    (last,) = connection.execute("select coalesce(max(id), 0) from events").fetchone()
    connection.execute("delete from load_events where first_id > ?", (last,))
    connection.execute("update load_events set last_id = ?1 where last_id > ?1", (last,))


def _untitle(connection: sqlite3.Connection, ids: dict) -> None:
    """Discussions that she began lose her title, and so do replies that repeat it."""
    connection.create_function("reply_title", 1, sifting.reply_title)
    connection.execute(f"update parts set name = null where id in ({BEGUN.format('part_id')})", ids)
    connection.execute(
        f"update forum_posts set title = reply_title(title) where part_id in ({BEGUN.format('part_id')})"
        f" or id in (with recursive thread as ({THREAD}) select id from thread)",
        ids,
    )


def _sources(connection: sqlite3.Connection, row: dict) -> None:
    """What loads say of their files: a name in it goes, and so do the questions that were about her."""
    mentions.replace(connection, mentions.words(row), mentions.OF_LOADS)
    if row["moodle_id"] is None:
        return
    like = f"%userid={row['moodle_id']}"
    connection.execute("delete from answers where key like ? or key like ?", (like, f"{like}&%"))
    connection.execute(
        "update loads set answer_keys = (select json_group_array(value) from json_each(answer_keys)"
        " where value not like ?1 and value not like ?2) where answer_keys like ?3",
        (like, f"{like}&%", f"{like}%"),
    )


def _tidy(connection: sqlite3.Connection, courses: list[int]) -> None:
    """Make anew what was counted and indexed with her in it."""
    connection.execute("delete from groups where field is not null and id not in (select group_id from group_members)")
    wide.save_view(connection)
    for course in courses:
        rollups.build(connection, course)
    reindex(connection)


def reindex(connection: sqlite3.Connection) -> None:
    """Make the search tables anew: a word that was deleted is still in the old ones."""
    for table in SEARCHED:
        connection.execute(f"insert into {table}_fts({table}_fts) values ('rebuild')")
    for (table,) in connection.execute("select name from sqlite_master where name in ('sqlite_stat3', 'sqlite_stat4')"):
        connection.execute(f"delete from {table}")  # samples of what was in the indexes


def purge(connection: sqlite3.Connection, people: set[int]) -> None:
    """Delete the log lines of people whom a later file shows to be kept out, inside the caller's transaction."""
    for person in people:
        delete_events(connection, {"person": person, "course": None}, set())
