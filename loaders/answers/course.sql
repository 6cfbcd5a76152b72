-- one row: the course with this Moodle id, or without one that with the newest data (and this person in it)
-- A course whose site is unknown answers to any.
select
    courses.id,
    courses.moodle_id,
    courses.shortname,
    courses.fullname,
    courses.timezone,
    courses.start_date,
    courses.data_up_to_utc,
    courses.site_id,
    sites.url as site
from courses
join sites on sites.id = courses.site_id
where :course in ('', courses.moodle_id || '')
    and (:site = '' or sites.url is null or rtrim(sites.url, '/') = rtrim(:site, '/'))
    and (
        :course != ''
        or :user || :person = ''
        or exists (
            select 1
            from enrolments
            join people on people.id = enrolments.person_id
            where enrolments.course_id = courses.id
                and :user in ('', people.moodle_id || '')
                and :person in ('', people.id || '')
        )
    )
order by
    courses.data_up_to_utc desc,
    courses.id desc
limit 1
