-- one row per activity of the course, in the order of the course page, to choose from
select
    sections.id as section_id,
    coalesce(sections.name, 'Section ' || sections.number, 'Other') as section,
    coalesce(activities.cmid || '', activities.name) as value,
    coalesce(activities.name, activities.kind, 'Activity ' || activities.cmid) as words,
    activities.kind,
    activities.due_utc is not null as is_due,
    exists (select 1 from grade_items where grade_items.activity_id = activities.id) as is_graded
from activities
left join sections on sections.id = activities.section_id
where activities.course_id = :course and activities.deleted = 0 and coalesce(activities.kind, '') != 'label'
order by
    sections.number is null,
    sections.number,
    sections.id,
    activities.position is null,
    activities.position,
    activities.cmid
