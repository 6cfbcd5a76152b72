-- one row per teaching week from the class's first click to the newest line of the log: one person's clicks in it
with spans as (
    select week
    from weeks
    where course_id = :course
        and starts_on <= substr(:data_up_to, 1, 10)
        and week >= (select min(week) from usage_week where course_id = :course)
    union
    select week
    from usage_week
    where course_id = :course
)
select
    spans.week,
    weeks.starts_on,
    weeks.name,
    coalesce(weeks.is_break, 0) as is_break,
    coalesce(usage_person_week.clicks, 0) as clicks,
    coalesce(usage_person_week.active_days, 0) as active_days,
    coalesce(usage_week.median_clicks, 0) as class_median
from spans
left join weeks on weeks.course_id = :course and weeks.week = spans.week
left join usage_week on usage_week.course_id = :course and usage_week.week = spans.week
left join usage_person_week
    on usage_person_week.course_id = :course
    and usage_person_week.person_id = :person
    and usage_person_week.week = spans.week
order by spans.week
