-- one row per activity, student and teaching week with at least one click
insert into usage_activity_person_week
    (activity_id, person_id, week, clicks, first_utc, last_utc, course_id)
select
    activity_id,
    person_id,
    week,
    sum(clicks),
    min(first_utc),
    max(last_utc),
    :course
from clicks
where activity_id is not null
group by activity_id, person_id, week
