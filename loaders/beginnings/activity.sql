-- title: How many students came back in another week?
-- question: >-
--   One row per activity: students, of those in “group”, who opened it in so many different weeks. Empty: Moodle does
--   not log it (labels), or no log is loaded. Reading offline, in the app or on another site leaves no trace.
-- parameters:
--   course:
--   group:
--   weeks: {label: In at least so many weeks, default: 2}
-- chart: {mark: bar, x: number, y: name, words: {number: students who came back}}
-- show: activity
-- # A number beside each activity of a Moodle page: `cmid` says which one, `number` is what stands there.
-- # A line like this one is a remark; all that a head can say is in the README.

with returned as (
  select activity_id, person_id
  from usage_activity_person_week
  where course_id = (select id from the_course) and person_id in (select id from chosen)
  group by activity_id, person_id
  having count(*) >= :weeks
)
select
  activities.name,
  iif(the_course.data_up_to_utc is null or activities.kind = 'label', null, count(returned.person_id)) as number,
  activities.cmid
from the_course
join activities on activities.course_id = the_course.id and activities.deleted = 0
left join returned on returned.activity_id = activities.id
group by activities.id
order by number desc, activities.name
