-- one row per student, activity, part and hour of course time: the clicks all roll-ups are made of
-- A click is a reading event by a student of the course, not while somebody was logged in as them.
create temp table clicks as
with students as (
    select person_id
    from enrolments
    where course_id = :course and role = 'student'
),
reading as (
    select id
    from event_types
    where crud = 'r'
)
select
    person_id,
    activity_id,
    part_id,
    week,
    substr(time_local, 1, 13) as hour_local,
    count(*) as clicks,
    min(time_utc) as first_utc,
    max(time_utc) as last_utc
from events
where course_id = :course
    and real_person_id is null
    and person_id in (select person_id from students)
    and event_type_id in (select id from reading)
group by person_id, activity_id, part_id, week, hour_local
