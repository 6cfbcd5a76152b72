-- one row per activity of the course, those without a click too
insert into usage_activity
    (activity_id, course_id, clicks, students, last_used_utc, completed, planes, completed_by)
with per_student as (
    select
        activity_id,
        person_id,
        sum(clicks) as clicks,
        max(last_utc) as last_utc
    from clicks
    where activity_id is not null
    group by activity_id, person_id
),
used as (
    select
        per_student.activity_id,
        sum(per_student.clicks) as clicks,
        count(*) as students,
        max(per_student.last_utc) as last_used_utc,
        bit_planes(usage_person.position, per_student.clicks) as planes
    from per_student
    join usage_person on usage_person.course_id = :course and usage_person.person_id = per_student.person_id
    group by per_student.activity_id
),
done as (
    select
        completions.activity_id,
        count(iif(completions.state in ('complete', 'complete-pass'), usage_person.position, null)) as completed,
        bit_set(iif(completions.state in ('complete', 'complete-pass'), usage_person.position, null)) as completed_by
    from activities
    join completions on completions.activity_id = activities.id
    left join usage_person on usage_person.course_id = :course and usage_person.person_id = completions.person_id
    where activities.course_id = :course and activities.tracked = 1
    group by completions.activity_id
)
select
    activities.id,
    :course,
    coalesce(used.clicks, 0),
    coalesce(used.students, 0),
    used.last_used_utc,
    done.completed,
    used.planes,
    done.completed_by
from activities
left join used on used.activity_id = activities.id
left join done on done.activity_id = activities.id
where activities.course_id = :course
