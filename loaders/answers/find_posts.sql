-- one row per forum or blog post in which the words stand, best first; {table} and {course} see finding_posts.py
select
    {table}.id,
    {table}.moodle_id,
    {discussion} as discussion,
    snippet({table}_fts, 0, :on, :off, '…', 24) as title,
    snippet({table}_fts, 1, :on, :off, '…', 24) as words,
    {table}.published_utc,
    {table}.url,
    {table}.person_id as person,
    people.fullname,
    courses.moodle_id as course,
    coalesce(courses.shortname, courses.fullname) as course_name,
    courses.timezone,
    sites.url as site,
    {table}_fts.rank
from {table}_fts
join {table} on {table}.id = {table}_fts.rowid
left join people on people.id = {table}.person_id
left join courses on courses.id = {course}
left join sites on sites.id = courses.site_id
where {table}_fts match :match
order by {table}_fts.rank
limit :most
