-- one row per activity of the course, in the order of the course page, with its section; deleted ones where they were used
select
    activities.id,
    activities.cmid,
    activities.kind,
    activities.name,
    activities.tracked,
    activities.due_utc,
    activities.deleted,
    sections.id as section_key,
    sections.name as section,
    sections.number,
    sections.week,
    usage_activity.last_used_utc,
    usage_activity.completed,
    usage_activity.completed_by
from activities
left join sections on sections.id = activities.section_id
left join usage_activity on usage_activity.activity_id = activities.id
where activities.course_id = :course and (activities.deleted = 0 or usage_activity.clicks > 0)
order by
    sections.number is null,
    sections.number,
    activities.position is null,
    activities.position,
    activities.cmid,
    activities.id
