-- one row per teaching week from the class's first click to the newest line of the log: students and clicks in it
-- :up_to is the day of that line in course time; :people is null, or a JSON list of our keys of the students that count
with used as (
    select
        week,
        sum(clicks) as clicks,
        count(*) as students
    from usage_person_week
    where course_id = :course and (:people is null or person_id in (select value from json_each(:people)))
    group by week
),
spans as (
    select week
    from weeks
    where course_id = :course
        and starts_on <= :up_to
        and week >= (select min(week) from usage_week where course_id = :course)
    union
    select week
    from used
)
select
    spans.week,
    weeks.starts_on,
    weeks.name,
    coalesce(weeks.is_break, 0) as is_break,
    coalesce(used.students, 0) as students,
    coalesce(used.clicks, 0) as clicks
from spans
left join weeks on weeks.course_id = :course and weeks.week = spans.week
left join used on used.week = spans.week
order by spans.week
