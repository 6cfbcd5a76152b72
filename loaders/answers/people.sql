-- one row per person enrolled in a course, students first, then by name
select
    people.moodle_id as id,
    people.id as person,
    people.fullname,
    enrolments.role
from enrolments
join people on people.id = enrolments.person_id
where enrolments.course_id = :course
order by
    enrolments.role is not 'student',
    coalesce(people.lastname, people.fullname),
    people.firstname,
    people.id
