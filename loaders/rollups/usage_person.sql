-- one row per student of the course, those without a click too
insert into usage_person
    (course_id, person_id, clicks, first_utc, last_utc, last_event_id, position)
with students as (
    select
        person_id,
        row_number() over (order by person_id) - 1 as position
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
    usage_person_seen.last_event_id,
    students.position
from students
left join totals using (person_id)
left join usage_person_seen
    on usage_person_seen.course_id = :course and usage_person_seen.person_id = students.person_id
