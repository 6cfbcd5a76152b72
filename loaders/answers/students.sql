-- one row per student inside the filter; :groups is null, or a JSON list of [which was asked for, our key]
with hits as (
    select
        group_members.person_id,
        count(distinct json_extract(wanted.value, '$[0]')) as groups
    from json_each(coalesce(:groups, '[]')) as wanted
    join group_members on group_members.group_id = json_extract(wanted.value, '$[1]')
    group by group_members.person_id
)
select
    people.id as person,
    people.moodle_id as id,
    people.fullname,
    people.firstname,
    people.email,
    nullif(max(coalesce(enrolments.last_access_utc, ''), coalesce(seen.last_utc, '')), '') as last_seen_utc
from enrolments
join people on people.id = enrolments.person_id
left join usage_person_seen as seen on seen.course_id = enrolments.course_id and seen.person_id = people.id
left join hits on hits.person_id = people.id
where enrolments.course_id = :course
    and enrolments.role = 'student'
    and (:groups is null or coalesce(hits.groups, 0) >= :needed)
    and :student in ('', people.moodle_id || '')
    and :person in ('', people.id || '')
order by
    coalesce(people.lastname, people.fullname),
    people.firstname,
    people.id
