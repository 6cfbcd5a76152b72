-- one row per group of Moodle of one person in a course
select groups.name
from groups join group_members on group_members.group_id = groups.id
where groups.course_id = :course and group_members.person_id = :person and groups.field is null
order by groups.name
