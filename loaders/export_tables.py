"""What a student is shown of each table that has people in it: one statement a table, in words, newest first.

Every statement takes `:person` and `:course` (own keys; null for every course). Columns are named as their headings are
to read; `zone` is the time zone of a row's times where its course tells, and is not shown. Names end in their unit:
_utc, _pct.
"""

from __future__ import annotations

from typing import NamedTuple


class Table(NamedTuple):
    """A table, what it is called for its reader, and the statement."""

    name: str
    title: str
    sql: str


_COURSE = "(:course is null or {}.course_id = :course)"
_ACTIVITY = """
    {columns}, activities.name as activity, courses.shortname as course, courses.timezone as zone
from {table}
join activities on activities.id = {table}.activity_id
left join courses on courses.id = activities.course_id
where {table}.person_id = :person and (:course is null or activities.course_id = :course)
order by {order}
"""


def _of_activity(name: str, title: str, columns: str, order: str) -> Table:
    """A table with a person and an activity."""
    shown = ", ".join(f"{name}.{column}" for column in columns.split(", "))
    return Table(name, title, f"select {_ACTIVITY.format(table=name, columns=shown, order=order)}")


def _of_course(name: str, title: str, columns: str, order: str) -> Table:
    """A table with a person and a course."""
    shown = ", ".join(f"{name}.{column}" for column in columns.split(", "))
    sql = f"""
        select {shown}, courses.shortname as course, courses.timezone as zone
        from {name}
        left join courses on courses.id = {name}.course_id
        where {name}.person_id = :person and {_COURSE.format(name)}
        order by {order}
    """
    return Table(name, title, sql)


def _of_person(name: str, title: str, columns: str, order: str, whose: str = "person_id") -> Table:
    """A table with a person and no course."""
    return Table(name, title, f"select {columns} from {name} where {whose} = :person order by {order}")


_EVENTS = """
select
    events.time_utc,
    event_types.name as what_happened,
    activities.name as activity,
    parts.name as part,
    case
        when events.person_id = :person then 'you did it'
        when events.real_person_id = :person then 'you, logged in as somebody else'
        else 'it was about you'
    end as your_part,
    case when events.person_id = :person then real.fullname end as by_somebody_logged_in_as_you,
    events.origin,
    courses.shortname as course,
    courses.timezone as zone
from events
join event_types on event_types.id = events.event_type_id
left join activities on activities.id = events.activity_id
left join parts on parts.id = events.part_id
left join people as real on real.id = events.real_person_id
left join courses on courses.id = events.course_id
where (events.person_id = :person or events.related_person_id = :person or events.real_person_id = :person)
    and (:course is null or events.course_id = :course)
order by events.time_utc desc, events.id desc
"""
_NAMES = """
select
    events.time_utc,
    case when events.person_id = :person then event_names.person end as name_of_who_did_it,
    case when events.related_person_id = :person then event_names.related end as name_of_whom_it_was_about,
    courses.timezone as zone
from event_names
join events on events.id = event_names.event_id
left join courses on courses.id = events.course_id
where (events.person_id = :person or events.related_person_id = :person)
    and (:course is null or events.course_id = :course)
order by events.time_utc desc
"""
_GRADES = """
select grade_items.name as grade_item, grades.grade, grade_items.maximum, courses.shortname as course
from grades
join grade_items on grade_items.id = grades.grade_item_id
left join courses on courses.id = grade_items.course_id
where grades.person_id = :person and (:course is null or grade_items.course_id = :course)
order by grade_items.id
"""
_GROUPS = """
select groups.name as name, courses.shortname as course
from group_members
join groups on groups.id = group_members.group_id
left join courses on courses.id = groups.course_id
where group_members.person_id = :person and (:course is null or groups.course_id = :course)
order by groups.name
"""
_LINKS = """
select
    post_links.url,
    case
        when forum_posts.person_id = :person then 'in your forum post'
        when blog_posts.person_id = :person then 'in your blog post'
        else 'in somebody else''s post, to your blog'
    end as where_it_is
from post_links
left join forum_posts on forum_posts.id = post_links.forum_post_id
left join blog_posts on blog_posts.id = post_links.blog_post_id
where (forum_posts.person_id = :person and (:course is null or forum_posts.course_id = :course))
    or blog_posts.person_id = :person or post_links.person_id = :person
order by post_links.id
"""
_PARTS = """
select usage_part_person_week.week, parts.name as part, usage_part_person_week.clicks, usage_part_person_week.first_utc,
    usage_part_person_week.last_utc, courses.timezone as zone
from usage_part_person_week
join parts on parts.id = usage_part_person_week.part_id
left join courses on courses.id = usage_part_person_week.course_id
where usage_part_person_week.person_id = :person
    and (:course is null or usage_part_person_week.course_id = :course)
order by usage_part_person_week.week, parts.id
"""
_POST = (
    "published_utc, title, text, word_count, link_count, sentiment, no_sentiment, positive_pct, negative_pct,"
    " most_positive, most_negative, usual_sentiment"
)
_WHO = "fullname, firstname, lastname, email, idnumber, username, moodle_id"
TABLES = (
    _of_person("people", "Who you are", _WHO, "id", "id"),
    _of_person("person_details", "What else is known of you", "field, value", "id"),
    _of_course("enrolments", "Your courses", "role, role_from, status, enrolled_utc, last_access_utc", "courses.id"),
    Table("group_members", "Your groups", _GROUPS),
    _of_activity("completions", "What you completed", "state, completed_utc, set_by", "completed_utc desc"),
    _of_activity("submissions", "What you handed in", "time_utc, state", "time_utc desc"),
    _of_activity("attempts", "Your quiz attempts", "time_utc, state", "time_utc desc"),
    _of_activity("responses", "What you chose and answered", "time_utc, question, response", "time_utc desc"),
    Table("grades", "Your grades", _GRADES),
    _of_course("forum_posts", "What you wrote in forums", f"{_POST}, url", "published_utc desc"),
    _of_person("feeds", "Your blogs", "url, feed_url, served_url, title, kind, asked_utc, fetched_utc, error", "id"),
    _of_person(
        "blog_posts", "What you wrote in blogs",
        f"{_POST}, image_count, updated_utc, first_fetched_utc, missed_utc, gone_utc, url", "published_utc desc",
    ),
    Table("post_links", "Links", _LINKS),
    _of_course("usage_person", "Your clicks in all", "clicks, first_utc, last_utc", "courses.id"),
    _of_course("usage_person_week", "Your clicks by week", "week, clicks, active_days", "courses.id, week"),
    _of_course("usage_person_day", "Your clicks by day", "day, clicks", "courses.id, day"),
    _of_course("usage_person_seen", "When you were last in the course", "last_utc", "courses.id"),
    _of_activity("usage_activity_person_week", "Your clicks by activity and week", "week, clicks, first_utc, last_utc",
                 "week, activities.id"),
    Table("usage_part_person_week", "Your clicks by chapter or discussion and week", _PARTS),
    _of_activity("usage_activity_person_posts", "Your posts by forum, as the log has them", "posts",
                 "activities.id"),
    Table("events", "Lines of Moodle's log by you or about you", _EVENTS),
    Table("event_names", "Names in those lines", _NAMES),
)  # fmt: skip
