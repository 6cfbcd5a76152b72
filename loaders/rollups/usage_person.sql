-- one row per student of the course, those without a click too
insert into usage_person
    (course_id, person_id, clicks, first_utc, last_utc, last_event_id)
with students as (
    select person_id
    from enrolments
    where course_id = :course and role = 'student'
),
totals as (
    select
        person_id,
        sum(clicks) as clicks,
        min(first_utc) as first_utc,
        max(last_utc) as last_utc
    from clicks
    group by person_id
)
select
    :course,
    students.person_id,
    coalesce(totals.clicks, 0),
    totals.first_utc,
    totals.last_utc,
    (
        select events.id
        from events
        where events.person_id = students.person_id
            and +events.course_id = :course  -- by the index on person and time
            and events.real_person_id is null
        order by events.time_utc desc
        limit 1
    )
from students
left join totals using (person_id)
