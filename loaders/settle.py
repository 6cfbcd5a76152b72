"""Settling: after every file, tables are worked out anew from all that files have said.

So a database is the same whatever the order of loading, a held row finds its home as soon as it can,
and taking a load back is deleting what it said.
"""

from __future__ import annotations

import json
import sqlite3

from loaders import details, due, feeds, forget, rollups, sentiment, sifting, strangers, weeks
from loaders.activities import Activities, save_parts, save_sections
from loaders.claims import Load, read_loads
from loaders.courses import name_courses, place_loads, tidy_courses
from loaders.detail_groups import save_detail_groups
from loaders.doings import instances, save_calendar, save_entries, save_responses, save_steps
from loaders.enrolments import Groups, Roster, save_enrolments
from loaders.log import LOGIN_AS
from loaders.names import fold
from loaders.people import Key, People, completion_times, save_people
from loaders.person_details import apart, order, save_details
from loaders.post_links import save_link_people
from loaders.results import Course, save_completions, save_grades, save_people_claims, save_posts
from loaders.wide import save_view

HOMELESS = "no course is known that holds these people or activities: load the course's log first, or say --course ID"
# table, its column, the table that column points into; parents before their children
ORPHANS = (
    *((table, "course_id", "courses") for table in
      ("enrolments", "groups", "sections", "activities", "weeks", "grade_items", "forum_posts", "pulls",
       "calendar_events")),
    *((table, "activity_id", "activities") for table in
      ("parts", "completions", "submissions", "attempts", "responses")),
    ("group_members", "group_id", "groups"),
    ("grades", "grade_item_id", "grade_items"),
    ("blog_posts", "feed_id", "feeds"),
    ("post_links", "forum_post_id", "forum_posts"),
    ("post_links", "blog_post_id", "blog_posts"),
    *((table, "person_id", "people") for table in
      ("enrolments", "group_members", "completions", "grades", "person_details", "submissions", "attempts",
      "responses", "blog_posts")),
)  # fmt: skip
# No row of their own, or one that needs no course
QUIET = {"course", "staff", "columns", "grade_items", "log role", "calendar", strangers.NOUN, *feeds.NOUNS}


def settle(connection: sqlite3.Connection, events_changed: bool = True, let_go: frozenset[int] = frozenset()) -> None:
    """Bring every derived table up to date, inside the caller's transaction.

    `events_changed`: log lines came or went; roll-ups are then rebuilt even where the students stayed. `let_go`: own
    keys of blogs that go with their posts where nothing names them any more.
    """
    if kept_out := sifting.sift(connection):
        forget.purge(connection, kept_out)
        events_changed = True
    connection.execute("update loads set course_id = null where kind = ?", (details.KIND,))  # they keep no course
    loads, sheets = apart(read_loads(connection))
    homeless = place_loads(connection, loads)
    tidy_courses(connection)
    name_courses(connection, loads)
    before = _students(connection)
    unmatched = [(load, claim, HOMELESS) for load in homeless for claim in load.claims if claim["noun"] not in QUIET]
    kept: set[int] = set()
    renamed = False
    settled: list[Course] = []
    sites: list[feeds.Site] = []
    for site_id in sorted({load.site_id for load in (*loads, *sheets)}):
        here, own = ([load for load in some if load.site_id == site_id] for some in (loads, sheets))
        needed, changed = _settle_site(connection, site_id, here, own, unmatched, settled, sites)
        kept |= needed
        renamed |= changed
    feeds.save_feeds(connection, sites, unmatched, let_go)
    strangers.hold(sites, unmatched)
    _drop_people(connection, kept)
    _drop_orphans(connection)
    save_detail_groups(connection, set(order(sheets)))
    save_view(connection)
    _save_unmatched(connection, unmatched)
    moved = weeks.settle_weeks(connection)
    _settle_rollups(connection, before if not (events_changed or renamed or moved) else None)
    save_entries(connection, sites)
    save_link_people(connection)
    for course in settled:
        save_steps(connection, course)
    sentiment.refresh(connection)


def _settle_site(
    connection: sqlite3.Connection, site_id: int, loads: list[Load], sheets: list[Load], unmatched: list[tuple],
    settled: list[Course], sites: list[feeds.Site],
) -> tuple[set[int], bool]:  # fmt: skip
    """(own keys of the people needed, whether log lines got other people)."""
    people = People(loads, completion_times(connection))
    own = save_people(connection, site_id, people)
    sites.append(feeds.Site(site_id, loads, people, own))
    save_details(connection, site_id, loads, sheets, people, own, unmatched)
    kept = set(own.values())
    staff = {claim["email"].casefold() for load in loads for claim in load.of("staff")}
    renamed = False
    for course_id in sorted({load.course_id for load in loads if load.course_id}):
        here = [load for load in loads if load.course_id == course_id]
        save_enrolments(connection, course_id, Roster(here, people, own, staff))
        course = _settle_course(connection, course_id, here, people, own, unmatched)
        settled.append(course)
        needed, changed = settle_event_names(connection, course)
        kept |= needed
        renamed |= changed
    return kept, renamed


def _settle_course(connection, course_id, loads, people: People, own: dict[Key, int], unmatched) -> Course:
    Groups(loads, people, own).save(connection, course_id)
    activities = Activities(loads)
    undated = _set_due(connection, course_id, loads, activities)
    keys = activities.save(connection, course_id, save_sections(connection, course_id, loads))
    parts = save_parts(connection, course_id, loads, keys)
    names = dict(connection.execute("select moodle_id, fullname from people where moodle_id is not null"))
    course = Course(course_id, loads, people, own, activities, keys, parts, unmatched, names,
                    instances(connection, course_id))  # fmt: skip
    for load, claim, why in undated:
        course.hold(load, claim, why)
    save_people_claims(course)
    save_completions(connection, course)
    save_grades(connection, course)
    save_posts(connection, course)
    save_responses(connection, course)
    save_calendar(connection, course)
    return course


def _set_due(connection, course_id: int, loads: list[Load], activities: Activities) -> list[tuple[Load, dict, str]]:
    """Give activities the due dates of the teacher's calendar; returns those of activities nobody knows, and why."""
    (zone,) = connection.execute("select timezone from courses where id = ?", (course_id,)).fetchone()
    homeless = []
    for load, claim, utc in due.said(loads, zone):
        key, why = activities.find({"cmid": claim["cmid"], "name": claim["name"]})
        if claim["cmid"] and key not in activities.cmids:
            key, why = None, f"no activity {claim['cmid']} is known in the course yet"
        if key is None:
            homeless.append((load, claim, why))
        else:
            activities.due_utc[key] = utc
    return homeless


def settle_event_names(connection: sqlite3.Connection, course: Course) -> tuple[set[int], bool]:
    """Who is meant by the names of log lines that carry no id for them.

    Returns the people needed for it (own keys), and whether any line got another person.
    """
    rows = connection.execute(
        "select n.event_id, n.person, n.related, n.has_id, e.person_id, e.real_person_id, e.related_person_id"
        " from event_names n join events e on e.id = n.event_id where e.course_id = ?",
        (course.id,),
    ).fetchall()
    shown = _shown_names(course)
    found: dict[tuple[str, int | None], tuple[int | None, int | None]] = {}
    changes = []
    for event, text, related, has_id, person, real, affected in rows:
        actor = person if has_id else None
        if text and (text, actor) not in found:
            found[text, actor] = _actor(connection, course, text, actor, shown)
            if found[text, actor] == (None, None):
                _hold_name(course, text)
        who, by = found[text, actor] if text else (actor, None)
        whom = _named(course, related) if related else affected
        if (who, by, whom) != (person, real, affected):
            changes.append((who, by, whom, event))
    connection.executemany(
        "update events set person_id = ?, real_person_id = ?, related_person_id = ? where id = ?", changes
    )
    return {key for pair in found.values() for key in pair if key}, bool(changes)


def _hold_name(course: Course, name: str) -> None:
    log = next(load for load in course.loads if load.kind == "course log")
    why = course.people.find({"fullname": name}, course.id)[1] or ""
    course.hold(log, {"noun": "name", "person": {"fullname": name}}, why)


def _shown_names(course: Course) -> dict[int, set[str]]:
    """Folded names by own key of a person."""
    names: dict[int, set[str]] = {}
    for name, roots in course.people.names[course.id].items():
        for root in roots:
            if key := course.own.get(course.people.root(root)):
                names.setdefault(key, set()).add(name)
    return names


def _actor(connection, course: Course, text: str, actor: int | None, shown) -> tuple[int | None, int | None]:
    """(person, real person) of a line by the text in its first name column."""
    if actor is None:
        match = LOGIN_AS.match(text)
        if not match or _named(course, text):
            return _named(course, text), None
        return _named(course, match["shown"]), _real(connection, course, match["real"])
    if fold(text) in shown.get(actor, ()):
        return actor, None
    match = LOGIN_AS.match(text)
    return actor, _real(connection, course, match["real"]) if match else None


def _named(course: Course, name: str) -> int | None:
    return course.own.get(course.people.find({"fullname": name}, course.id)[0])


def _real(connection: sqlite3.Connection, course: Course, name: str) -> int:
    """Who was logged in as somebody else: found by name, else a person of that name and nothing more."""
    if key := _named(course, name):
        return key
    site = course.loads[0].site_id
    nameless = "select id from people where site_id = ? and fullname = ? and moodle_id is null and email is null"
    if row := connection.execute(nameless + " and idnumber is null", (site, name)).fetchone():
        return row[0]
    return connection.execute("insert into people (site_id, fullname) values (?, ?)", (site, name)).lastrowid


def _students(connection: sqlite3.Connection) -> dict[int, frozenset[int]]:
    """The students of each course: clicks depend on them."""
    students: dict[int, set[int]] = {}
    for course, person in connection.execute("select course_id, person_id from enrolments where role = 'student'"):
        students.setdefault(course, set()).add(person)
    return {course: frozenset(people) for course, people in students.items()}


def _drop_people(connection: sqlite3.Connection, kept: set[int]) -> None:
    everyone = {key for (key,) in connection.execute("select id from people")}
    connection.executemany("delete from people where id = ?", [(key,) for key in everyone - kept])


def _drop_orphans(connection: sqlite3.Connection) -> None:
    """Delete rows whose course, person, activity, group or item is gone: keys are used again by new rows."""
    for table, column, parent in ORPHANS:
        connection.execute(
            f"delete from {table} where {column} is not null and {column} not in (select id from {parent})"
        )


def _save_unmatched(connection: sqlite3.Connection, unmatched: list[tuple]) -> None:
    """The rows without a home, but for log lines held whole (see loaders/load.py)."""
    connection.execute("delete from unmatched where kind != 'held log line'")
    connection.executemany(
        "insert into unmatched (load_id, kind, line, raw, reason) values (?, ?, ?, ?, ?)",
        [
            (load.id, f"{load.kind}: {claim['noun']}", claim.get("line"),
             json.dumps(claim, ensure_ascii=False), why)
            for load, claim, why in unmatched
        ],
    )  # fmt: skip
    connection.execute(
        "update loads set rows_unmatched ="
        " (select count(distinct coalesce(line, -id)) from unmatched where load_id = loads.id) where error is null"
    )


def _settle_rollups(connection: sqlite3.Connection, before: dict | None) -> None:
    """Rebuild the roll-ups of every course, or only of those whose students or completions changed."""
    now = _students(connection)
    courses = [course_id for (course_id,) in connection.execute("select id from courses")]
    stale = {course_id for course_id in courses if before is None or before.get(course_id) != now.get(course_id)}
    # All old rows go first: a key of an activity that is gone may stand for one of another course by now.
    for table in rollups.TABLES:
        keep = [] if table == "usage_activity" else [course_id for course_id in courses if course_id not in stale]
        connection.execute(f"delete from {table} where course_id not in ({', '.join('?' * len(keep))})", keep)
    for course_id in courses:
        if course_id in stale:
            rollups.build(connection, course_id)
            rollups.build_submissions(connection, course_id)
        else:
            rollups.build_activities(connection, course_id)
