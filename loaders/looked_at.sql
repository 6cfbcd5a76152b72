-- What the questions over the record of look-ups see besides it, for one connection to private/audit.db: names and
-- enrolments, read from the course databases when asked (see looked_at.py). Nothing of them is kept in the record.

-- one row per course that is loaded
create temp view classes as
with given as materialized (select value from json_each(classes_now()))
select
    json_extract(value, '$.class') as class,
    json_extract(value, '$.site') as site,
    json_extract(value, '$.course') as course,
    json_extract(value, '$.name') as course_name,
    json_extract(value, '$.timezone') as timezone,
    json_extract(value, '$.data_up_to_utc') as data_up_to_utc
from given;

-- one row per teaching week of a course
create temp view class_weeks as
with given as materialized (select value from json_each(weeks_now()))
select
    json_extract(value, '$.class') as class,
    json_extract(value, '$.week') as week,
    json_extract(value, '$.starts_on') as starts_on,
    json_extract(value, '$.name') as name
from given;

-- one row per student of a course; `who` is the same person in every course of a site
create temp view enrolled as
with given as materialized (select value from json_each(enrolled_now()))
select
    json_extract(value, '$.class') as class,
    json_extract(value, '$.who') as who,
    json_extract(value, '$.database') as database,
    json_extract(value, '$.site') as site,
    json_extract(value, '$.course') as course,
    json_extract(value, '$.student') as student,
    json_extract(value, '$.person') as person,
    json_extract(value, '$.fullname') as fullname,
    json_extract(value, '$.sorted_by') as sorted_by,
    json_extract(value, '$.email') as email,
    json_extract(value, '$.status') as status,
    json_extract(value, '$.since_utc') as since_utc
from given;

-- one row per look-up and student's course it counts for; one that names no course counts for all of the student's
create temp view looked as
with everybody as materialized (select * from enrolled),
every_class as materialized (select * from classes),
by_moodle_id as (
    select look_ups.id, everybody.class, everybody.who
    from look_ups
    join everybody on everybody.student = look_ups.student
),
-- our own keys mean somebody in the file they were written for only: not in one that was made anew since
by_own_key as (
    select look_ups.id, everybody.class, everybody.who
    from look_ups
    join everybody on everybody.person = look_ups.person and everybody.database = look_ups.database
    where look_ups.student is null and look_ups.time_utc >= everybody.since_utc
),
found as (
    select * from by_moodle_id
    union
    select * from by_own_key
)
select found.class, found.who, look_ups.*
from found
join look_ups on look_ups.id = found.id
join every_class on every_class.class = found.class
where coalesce(look_ups.database, '') != 'audit'
    and (look_ups.site is null or every_class.site is null or rtrim(look_ups.site, '/') = every_class.site)
    and (look_ups.course is null or look_ups.course = every_class.course);
