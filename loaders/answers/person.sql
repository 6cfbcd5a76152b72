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
    coalesce(
        events.time_utc,
        usage_person.last_utc,
        (select max(time_utc) from events where person_id = people.id and course_id = :course)
    ) as last_seen_utc
from people
left join enrolments on enrolments.person_id = people.id and enrolments.course_id = :course
left join usage_person on usage_person.person_id = people.id and usage_person.course_id = :course
left join events on events.id = usage_person.last_event_id
where people.site_id = :site_id
    and :user in ('', people.moodle_id || '')
    and :person in ('', people.id || '')
    and (
        enrolments.id is not null
        or exists (select 1 from events where person_id = people.id and course_id = :course)
    )
limit 1
