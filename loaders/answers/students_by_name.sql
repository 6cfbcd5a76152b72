-- one row per student of the course, by name, to choose from; namesakes: how many of the course have that very name
select
    people.moodle_id,
    people.fullname,
    enrolments.role,
    count(*) over (partition by trim(people.fullname)) as namesakes
from enrolments
join people on people.id = enrolments.person_id
where enrolments.course_id = :course and people.fullname is not null
order by
    people.lastname,
    people.firstname,
    people.fullname,
    people.id
