-- one row: the activity and our key of a part, by its kind and Moodle's id
select parts.activity_id as activity, parts.id as part
from parts join activities on activities.id = parts.activity_id
where activities.course_id = :course and parts.kind = :kind and parts.moodle_id || '' = :number
