-- one row per student and teaching week with at least one click, those outside activities too
insert into usage_person_week
    (course_id, person_id, week, clicks, active_days)
select
    :course,
    person_id,
    week,
    sum(clicks),
    count(distinct substr(hour_local, 1, 10))
from clicks
group by person_id, week
