-- one row per teaching week, weekday and hour of course time with at least one click
insert into usage_week_hour
    (course_id, week, weekday, hour, clicks, students)
select
    :course,
    week,
    (cast(strftime('%w', substr(hour_local, 1, 10)) as integer) + 6) % 7 as weekday,
    cast(substr(hour_local, 12, 2) as integer) as hour,
    sum(clicks),
    count(distinct person_id)
from clicks
group by week, weekday, hour
