-- one row per course: how much of it is here
select
    courses.id,
    courses.moodle_id,
    courses.shortname,
    courses.fullname,
    courses.timezone,
    courses.data_up_to_utc,
    sites.url as site,
    (select count(*) from enrolments where course_id = courses.id and role = 'student') as students,
    (select count(*) from enrolments where course_id = courses.id and role is not null and role != 'student')
        as staff,
    (select count(*) from enrolments where course_id = courses.id and role is null) as role_unknown,
    (select count(*) from activities where course_id = courses.id and deleted = 0) as activities,
    (select count(*) from groups where course_id = courses.id and field is null) as groups,
    exists (select 1 from sections where course_id = courses.id) as has_sections,
    exists (
        select 1
        from activities
        join completions on completions.activity_id = activities.id
        where activities.course_id = courses.id
    ) as has_completion,
    exists (select 1 from grade_items where course_id = courses.id) as has_grades,
    exists (select 1 from forum_posts where course_id = courses.id) as has_forum_posts,
    exists (
        select 1
        from enrolments
        join people on people.id = enrolments.person_id
        where enrolments.course_id = courses.id and people.email is not null
    ) as has_emails
from courses
join sites on sites.id = courses.site_id
order by
    courses.data_up_to_utc desc,
    courses.id desc
