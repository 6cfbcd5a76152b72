-- title: What does this student open most?
-- question: >-
--   The activities with most clicks of the student, and when each was last opened. Reading offline, in the app or on
--   another site leaves no trace.
-- parameters:
--   course:
--   person: {label: Our own key of a student}
--   most: {label: Activities at most, default: 5}
-- show: student
-- # A panel of each student's page. A line like this one is a remark; all that a head can say is in the README.

-- :course and :person are the student's whose page it is.
select
  activities.name as activity,
  sum(used.clicks) as clicks,
  local_time(max(used.last_utc), the_course.timezone) as last_local
from the_course
join usage_activity_person_week as used
  on used.course_id = the_course.id
  and used.person_id = cast(:person as integer)
join activities on activities.id = used.activity_id
group by activities.id
order by clicks desc, activities.name
limit :most
