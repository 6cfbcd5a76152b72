"""A database as plain facts: own keys replaced by what they stand for, to compare two databases."""

from __future__ import annotations

import sqlite3

PERSON = "coalesce({0}.moodle_id, '') || '|' || coalesce({0}.email, '') || '|' || coalesce({0}.fullname, '')"
ACTIVITY = "coalesce({0}.cmid, '') || '|' || coalesce({0}.name, '')"
WHO, WHAT = PERSON.format("p"), ACTIVITY.format("a")

FACTS = {
    "sites": "select url from sites",
    "courses": "select moodle_id, shortname, fullname, timezone, start_date, data_up_to_utc from courses",
    "people": "select moodle_id, fullname, firstname, lastname, email, idnumber, username from people",
    "person_details": f"select {WHO}, field, value from person_details d join people p on p.id = d.person_id",
    "enrolments": f"select c.moodle_id, {WHO}, role, role_from, status, enrolled_utc, last_access_utc"
    " from enrolments e join people p on p.id = e.person_id join courses c on c.id = e.course_id",
    "groups": "select c.moodle_id, g.moodle_id, g.name from groups g join courses c on c.id = g.course_id",
    "group_members": f"select g.name, {WHO} from group_members m join groups g on g.id = m.group_id"
    " join people p on p.id = m.person_id",
    "sections": "select moodle_id, number, name, week from sections",
    "activities": "select a.cmid, a.kind, a.name, instance_id, s.name, position, tracked, due_utc, deleted"
    " from activities a left join sections s on s.id = a.section_id",
    "parts": f"select {WHAT}, t.kind, t.moodle_id, t.name, t.position"
    " from parts t join activities a on a.id = t.activity_id",
    "events": f"select c.moodle_id, {WHO}, {PERSON.format('r')}, {PERSON.format('o')}, time_utc, time_local, week,"
    f" t.component, t.name, t.eventclass, t.crud, {WHAT}, u.kind, u.moodle_id, origin"
    " from events e join courses c on c.id = e.course_id left join people p on p.id = e.person_id"
    " left join people r on r.id = e.related_person_id left join people o on o.id = e.real_person_id"
    " join event_types t on t.id = e.event_type_id left join activities a on a.id = e.activity_id"
    " left join parts u on u.id = e.part_id",
    "completions": f"select {WHO}, {WHAT}, state, completed_utc, set_by from completions k"
    " join people p on p.id = k.person_id join activities a on a.id = k.activity_id",
    "weeks": "select week, starts_on, name, is_break from weeks",
    "grade_items": f"select i.name, i.display, i.maximum, {WHAT} from grade_items i"
    " left join activities a on a.id = i.activity_id",
    "grades": f"select i.name, i.display, {WHO}, grade from grades g join grade_items i on i.id = g.grade_item_id"
    " join people p on p.id = g.person_id",
    "forum_posts": f"select f.moodle_id, parent_id, t.moodle_id, {WHO}, title, text, word_count, link_count,"
    " published_utc from forum_posts f left join people p on p.id = f.person_id left join parts t on t.id = f.part_id",
    "responses": f"select {WHO}, {WHAT}, question, response, time_utc from responses s"
    " join people p on p.id = s.person_id join activities a on a.id = s.activity_id",
    "calendar_events": "select moodle_id, name, event_type, starts_utc, duration_s from calendar_events",
    "blog_posts": f"select {WHO}, b.moodle_id, title, text, word_count, link_count, published_utc from blog_posts b"
    " join people p on p.id = b.person_id",
    "feeds": f"select url, registered, {WHO} from feeds f left join people p on p.id = f.person_id",
    "post_links": "select f.moodle_id, l.url from post_links l join forum_posts f on f.id = l.forum_post_id",
    "usage_activity": f"select {WHAT}, clicks, students, last_used_utc, completed from usage_activity u"
    " join activities a on a.id = u.activity_id",
    "usage_activity_person_week": f"select {WHAT}, {WHO}, week, clicks, first_utc, last_utc"
    " from usage_activity_person_week u join activities a on a.id = u.activity_id join people p on p.id = u.person_id",
    "usage_part_person_week": f"select t.kind, t.moodle_id, {WHO}, week, clicks, first_utc, last_utc"
    " from usage_part_person_week u join parts t on t.id = u.part_id join people p on p.id = u.person_id",
    "usage_person_week": f"select {WHO}, week, clicks, active_days from usage_person_week u"
    " join people p on p.id = u.person_id",
    "usage_person_day": f"select {WHO}, day, clicks from usage_person_day u join people p on p.id = u.person_id",
    "usage_person": f"select {WHO}, clicks, first_utc, last_utc from usage_person u"
    " join people p on p.id = u.person_id",
    "usage_person_seen": f"select {WHO}, last_utc from usage_person_seen u join people p on p.id = u.person_id",
    "usage_week": "select week, clicks, students, median_clicks from usage_week",
    "usage_activity_week": f"select {WHAT}, week, clicks, students from usage_activity_week u"
    " join activities a on a.id = u.activity_id",
    "usage_part_week": "select t.kind, t.moodle_id, week, clicks, students from usage_part_week u"
    " join parts t on t.id = u.part_id",
    "usage_part": "select t.kind, t.moodle_id, clicks, students, last_used_utc from usage_part u"
    " join parts t on t.id = u.part_id",
    "usage_activity_person_posts": f"select {WHAT}, {WHO}, posts from usage_activity_person_posts u"
    " join activities a on a.id = u.activity_id join people p on p.id = u.person_id",
    "usage_week_hour": "select week, weekday, hour, clicks, students from usage_week_hour",
    "submissions": f"select {WHO}, {WHAT}, state, time_utc from submissions s join people p on p.id = s.person_id"
    " join activities a on a.id = s.activity_id",
    "attempts": f"select {WHO}, {WHAT}, state, time_utc from attempts s join people p on p.id = s.person_id"
    " join activities a on a.id = s.activity_id",
}


def snapshot(connection: sqlite3.Connection) -> dict[str, list[tuple]]:
    """Every table's facts, sorted; `loads`, `load_id`, `unmatched` and own keys aside."""
    return {table: sorted(connection.execute(sql).fetchall(), key=repr) for table, sql in FACTS.items()}


def differences(one: dict[str, list[tuple]], other: dict[str, list[tuple]]) -> dict[str, tuple[list, list]]:
    """Per table, a few rows that only one of them has."""
    found = {}
    for table in one:
        left, right = one[table], other[table]
        if left != right:
            found[table] = ([r for r in left if r not in right][:3], [r for r in right if r not in left][:3])
    return found
