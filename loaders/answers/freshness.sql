-- one row per kind of data: whether any of the course is here, and up to when (UTC), null where nothing tells.
-- A pull says it of all it brought; a file by the newest time in it.
with
    reached as (
        select loads.kind, max(coalesce(pulls.fetched_utc, loads.newest_utc)) as utc
        from loads
        left join pulls on pulls.course_id = loads.course_id and pulls.part = loads.part
        where loads.course_id = :course and loads.error is null
        group by loads.kind
    )
select
    'log' as kind,
    data_up_to_utc is not null as is_loaded,
    data_up_to_utc as up_to_utc
from courses
where id = :course
union all
select
    'completion',
    exists (
        select 1 from activities join completions on completions.activity_id = activities.id
        where activities.course_id = :course
    ),
    (select max(utc) from reached where kind in ('activity completion', 'course backup'))
union all
select
    'forums',
    exists (select 1 from forum_posts where course_id = :course),
    (select max(utc) from reached where kind in ('forum posts', 'course backup'))
union all
select
    'blogs',
    exists (
        select 1
        from enrolments
        where course_id = :course
            and role = 'student'
            and (person_id in (select person_id from feeds) or person_id in (select person_id from blog_posts))
    ),
    (
        select max(feeds.fetched_utc)
        from enrolments join feeds on feeds.person_id = enrolments.person_id
        where enrolments.course_id = :course and enrolments.role = 'student'
    )
union all
select
    'grades',
    exists (
        select 1 from grade_items join grades on grades.grade_item_id = grade_items.id
        where grade_items.course_id = :course
    ),
    (select max(utc) from reached where kind in ('grades', 'course backup'))
