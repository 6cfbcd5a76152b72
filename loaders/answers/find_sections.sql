-- one row per section of a course page, newest course first
select
    sections.number,
    sections.name,
    courses.moodle_id as course,
    courses.moodle_id,
    coalesce(courses.shortname, courses.fullname) as course_name,
    sites.url as site
from sections
join courses on courses.id = sections.course_id
join sites on sites.id = courses.site_id
order by
    courses.data_up_to_utc desc,
    courses.id desc,
    sections.number
