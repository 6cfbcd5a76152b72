-- one row per activity, in the order of the course page, newest course first
select
    activities.cmid,
    activities.kind,
    activities.name,
    activities.deleted,
    sections.name as section,
    courses.moodle_id as course,
    coalesce(courses.shortname, courses.fullname) as course_name,
    sites.url as site
from activities
join courses on courses.id = activities.course_id
join sites on sites.id = courses.site_id
left join sections on sections.id = activities.section_id
order by
    courses.data_up_to_utc desc,
    courses.id desc,
    sections.number is null,
    sections.number,
    activities.position,
    activities.id
