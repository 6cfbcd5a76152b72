-- one row: our key of a part, by its kind and Moodle's id, and the activity it is in
select
    parts.activity_id as activity,
    parts.id as part,
    parts.moodle_id,
    parts.name as part_name,
    activities.cmid,
    activities.name,
    activities.kind,
    activities.due_utc
from parts
join activities on activities.id = parts.activity_id
where activities.course_id = :course and parts.kind = :kind and parts.moodle_id || '' = :number
