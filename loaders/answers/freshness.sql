-- one row per kind of data of a course: whether any of it is here, up to when it tells (UTC), when it was last loaded.
-- up_to_utc is null where nothing in the files tells; blogs are read at their own times.
with files as (
    select
        kind,
        max(newest_utc) as newest_utc,
        max(loaded_utc) as loaded_utc
    from loads
    where course_id = :course and error is null
    group by kind
),
live as (
    select part, fetched_utc
    from pulls
    where course_id = :course
),
own_feeds as (
    select feeds.fetched_utc, feeds.error
    from enrolments
    join feeds on feeds.person_id = enrolments.person_id
    where enrolments.course_id = :course and enrolments.role = 'student' and feeds.registered
)
select
    'course log' as kind,
    data_up_to_utc is not null as is_loaded,
    data_up_to_utc as up_to_utc,
    (select max(loaded_utc) from files where kind in ('course log', 'course backup')) as loaded_utc,
    null as blogs,
    null as failed
from courses
where id = :course
union all
select
    'activity completion',
    exists (
        select 1
        from activities join completions on completions.activity_id = activities.id
        where activities.course_id = :course
    ),
    nullif(max(
        coalesce((select max(newest_utc) from files where kind in ('activity completion', 'course backup')), ''),
        coalesce((select fetched_utc from live where part = 'completion'), '')
    ), ''),
    (select max(loaded_utc) from files where kind in ('activity completion', 'course backup')),
    null,
    null
union all
select
    'grades',
    exists (select 1 from grade_items where course_id = :course),
    nullif(max(
        coalesce((select max(newest_utc) from files where kind in ('grades', 'course backup')), ''),
        coalesce((select fetched_utc from live where part = 'grades'), '')
    ), ''),
    (select max(loaded_utc) from files where kind in ('grades', 'course backup')),
    null,
    null
union all
select
    'forum posts',
    exists (select 1 from forum_posts where course_id = :course),
    nullif(max(
        coalesce((select max(newest_utc) from files where kind in ('forum posts', 'course backup')), ''),
        coalesce((select fetched_utc from live where part = 'forums'), '')
    ), ''),
    (select max(loaded_utc) from files where kind in ('forum posts', 'course backup')),
    null,
    null
union all
select
    'blogs',
    count(fetched_utc) > 0 or exists (select 1 from live where part = 'blog'),
    nullif(max(coalesce(max(fetched_utc), ''), coalesce((select fetched_utc from live where part = 'blog'), '')), ''),
    null,
    count(*),
    count(error)
from own_feeds
