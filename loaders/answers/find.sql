-- one row per person and course: whom a search can find
select
    people.id as person,
    people.fullname,
    people.email,
    people.idnumber,
    people.username,
    people.moodle_id,
    courses.moodle_id as course,
    coalesce(courses.shortname, courses.fullname) as course_name,
    enrolments.role
from enrolments
join people on people.id = enrolments.person_id
join courses on courses.id = enrolments.course_id
order by
    courses.data_up_to_utc desc,
    courses.id desc,
    people.lastname,
    people.firstname,
    people.id
