-- one row per student of the course, those without a click too
insert into usage_person
    (course_id, person_id, clicks, first_utc, last_utc, last_event_id)
with students as (
    select person_id
    from enrolments
    where course_id = :course and role = 'student'
),
last_deeds as (
    -- SQLite takes the bare column id from the row that holds the max()
    select
        person_id,
        id as last_event_id,
        max(time_utc)
    from events
    where course_id = :course
        and person_id is not null
        and real_person_id is null
    group by person_id
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
    last_deeds.last_event_id
from students
left join totals using (person_id)
left join last_deeds using (person_id)
