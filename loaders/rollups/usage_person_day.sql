-- one row per student and day of course time with at least one click, those outside activities too
insert into usage_person_day
    (course_id, person_id, day, clicks)
select
    :course,
    person_id,
    substr(hour_local, 1, 10) as day,
    sum(clicks)
from clicks
group by person_id, day
