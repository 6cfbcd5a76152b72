-- one row: the course with this Moodle id, or the one with the newest data; a course whose site is unknown answers to any
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
order by
    courses.data_up_to_utc desc,
    courses.id desc
limit 1
