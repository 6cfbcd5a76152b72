-- one row per activity with a click by one of the :people (a JSON list of our keys, or null for everyone) in the weeks
select
    activity_id,
    clicks,
    students
from usage_activity
where course_id = :course and :people is null
union all
select
    activity_id,
    sum(clicks),
    count(distinct person_id)
from usage_activity_person_week
where :people is not null
    and course_id = :course
    and person_id in (select value from json_each(:people))
    and week >= :from_week
    and week <= :to_week
group by activity_id
