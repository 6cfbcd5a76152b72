-- one row: a person of a course, by Moodle's id or our own key, enrolled or at least seen in it
select
    people.id as person,
    people.moodle_id,
    people.fullname,
    people.firstname,
    people.lastname,
    people.email,
    people.idnumber,
    people.username,
    enrolments.role,
    enrolments.role_from,
    enrolments.status,
    enrolments.enrolled_utc,
    enrolments.last_access_utc,
    usage_person_seen.last_utc as last_seen_utc
from people
left join enrolments on enrolments.person_id = people.id and enrolments.course_id = :course
left join usage_person_seen on usage_person_seen.person_id = people.id and usage_person_seen.course_id = :course
where people.site_id = :site_id
    and :user in ('', people.moodle_id || '')
    and :person in ('', people.id || '')
    and (enrolments.id is not null or usage_person_seen.person_id is not null)
limit 1
