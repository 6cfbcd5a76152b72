-- one row per student inside the filter; :groups is a JSON list of Moodle's ids or exact names, or null
with wanted as (
    select
        key,
        value || '' as name
    from json_each(coalesce(:groups, '[]'))
),
hits as (
    select
        group_members.person_id,
        count(distinct wanted.key) as groups
    from wanted
    join groups on groups.course_id = :course and wanted.name in (groups.moodle_id || '', groups.name)
    join group_members on group_members.group_id = groups.id
    group by group_members.person_id
)
select
    people.id as person,
    people.moodle_id as id,
    people.fullname,
    people.email
from enrolments
join people on people.id = enrolments.person_id
left join hits on hits.person_id = people.id
where enrolments.course_id = :course
    and enrolments.role = 'student'
    and (:groups is null or coalesce(hits.groups, 0) >= :needed)
    and (:student = '' or people.moodle_id || '' = :student)
order by
    people.lastname,
    people.firstname,
    people.id
