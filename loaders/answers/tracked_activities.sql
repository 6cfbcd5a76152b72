-- one row per activity whose completion Moodle tracks, in the order of the course page, with its section
select
    activities.id,
    activities.cmid,
    activities.kind,
    activities.name,
    activities.due_utc,
    sections.id as section_key,
    sections.name as section,
    sections.number
from activities
left join sections on sections.id = activities.section_id
where activities.course_id = :course and activities.tracked = 1 and activities.deleted = 0
order by
    sections.number is null,
    sections.number,
    activities.position is null,
    activities.position,
    activities.cmid,
    activities.id
