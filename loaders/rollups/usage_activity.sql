-- one row per activity of the course, those without a click too
insert into usage_activity
    (activity_id, course_id, clicks, students, last_used_utc, completed)
with used as (
    select
        activity_id,
        sum(clicks) as clicks,
        count(distinct person_id) as students,
        max(last_utc) as last_used_utc
    from clicks
    where activity_id is not null
    group by activity_id
),
done as (
    select
        completions.activity_id,
        count(*) as completed
    from completions
    join enrolments using (person_id)
    where enrolments.course_id = :course
        and enrolments.role = 'student'
        and completions.state in ('complete', 'complete-pass')
    group by completions.activity_id
)
select
    activities.id,
    :course,
    coalesce(used.clicks, 0),
    coalesce(used.students, 0),
    used.last_used_utc,
    case
        when activities.tracked = 1
            and activities.id in (select activity_id from completions)
            then coalesce(done.completed, 0)
    end
from activities
left join used on used.activity_id = activities.id
left join done on done.activity_id = activities.id
where activities.course_id = :course
