-- one row per teaching week with at least one click: the whole class
insert into usage_week
    (course_id, week, clicks, students, median_clicks)
with class as (
    select count(*) as students
    from usage_person
    where course_id = :course
),
ranked as (
    -- students without a click in the week come first, with 0, and have no row
    select
        week,
        clicks,
        class.students - count(*) over (partition by week)
            + row_number() over (partition by week order by clicks) - 1 as place
    from usage_person_week
    join class
    where course_id = :course
)
select
    :course,
    week,
    sum(clicks),
    count(*),
    (sum(iif(place = (class.students - 1) / 2, clicks, 0)) + sum(iif(place = class.students / 2, clicks, 0))) / 2.0
from ranked
join class
group by week
