-- one row per activity of the course, in the order of the course page, to choose from
select
    coalesce(sections.name, 'Other') as section,
    coalesce(activities.cmid || '', activities.name) as value,
    activities.name as words,
    activities.due_utc is not null as is_due
from activities
left join sections on sections.id = activities.section_id
where activities.course_id = :course and activities.deleted = 0 and coalesce(activities.kind, '') != 'label'
order by
    sections.number is null,
    sections.number,
    activities.position is null,
    activities.position,
    activities.cmid
