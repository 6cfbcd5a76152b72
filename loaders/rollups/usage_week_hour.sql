-- one row per teaching week, weekday and hour of course time with at least one click
insert into usage_week_hour
    (course_id, week, weekday, hour, clicks, students, planes)
with per_student as (
    select
        week,
        (cast(strftime('%w', substr(hour_local, 1, 10)) as integer) + 6) % 7 as weekday,
        cast(substr(hour_local, 12, 2) as integer) as hour,
        person_id,
        sum(clicks) as clicks
    from clicks
    group by week, weekday, hour, person_id
)
select
    :course,
    per_student.week,
    per_student.weekday,
    per_student.hour,
    sum(per_student.clicks),
    count(*),
    bit_planes(usage_person.position, per_student.clicks)
from per_student
join usage_person on usage_person.course_id = :course and usage_person.person_id = per_student.person_id
group by per_student.week, per_student.weekday, per_student.hour
