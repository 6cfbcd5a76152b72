-- one row per activity of the course, in the order of the course page, with one person's state and clicks in it
select
    activities.cmid,
    activities.kind,
    activities.name,
    activities.tracked,
    activities.due_utc,
    sections.id as section_key,
    sections.name as section,
    sections.number,
    sections.week,
    completions.state,
    completions.completed_utc,
    completions.set_by,
    usage_activity.completed as class_completed,
    (
        select sum(clicks)
        from usage_activity_person_week
        where activity_id = activities.id and person_id = :person
    ) as clicks,
    (
        select max(last_utc)
        from usage_activity_person_week
        where activity_id = activities.id and person_id = :person
    ) as last_opened_utc
from activities
left join sections on sections.id = activities.section_id
left join completions on completions.activity_id = activities.id and completions.person_id = :person
left join usage_activity on usage_activity.activity_id = activities.id
where activities.course_id = :course
    and (activities.deleted = 0 or completions.state in ('complete', 'complete-pass', 'complete-fail'))
order by
    sections.number is null,
    sections.number,
    activities.position is null,
    activities.position,
    activities.cmid,
    activities.id
