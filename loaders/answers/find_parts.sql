-- one row per chapter, discussion or page inside an activity, newest course first
select
    parts.kind,
    parts.moodle_id,
    parts.name,
    activities.cmid,
    activities.name as activity,
    courses.moodle_id as course,
    coalesce(courses.shortname, courses.fullname) as course_name,
    sites.url as site
from parts
join activities on activities.id = parts.activity_id
join courses on courses.id = activities.course_id
join sites on sites.id = courses.site_id
order by
    courses.data_up_to_utc desc,
    courses.id desc,
    activities.position,
    activities.id,
    parts.kind,
    parts.moodle_id
