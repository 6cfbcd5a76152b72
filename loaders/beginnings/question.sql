-- title: Who has hardly opened this activity?
-- question: >-
--   One row per student with few clicks in it, of those in “group”. Reading offline, in the app or on another site
--   leaves no trace. Empty clicks: no log of the course is loaded.
-- parameters:
--   course:
--   activity: {label: Activity, choices: activity, hint: all of them together}
--   group:
--   most: {label: Clicks at most, default: 20}
-- chart: {mark: bar, x: clicks, y: fullname}
-- # A line like this one is a remark. Save the file, and reload its page. All that a head can say is in the README.

-- The steps the_course, chosen, memberships, the_activities ... are Coursette's own: what the form asks for.
select
  chosen.fullname,
  (select groups from memberships where person_id = chosen.id) as groups,
  iif(the_course.data_up_to_utc is null, null, coalesce(sum(used.clicks), 0)) as clicks,
  local_time(max(used.last_utc), the_course.timezone) as last_local,
  chosen.id as person -- makes the name a link to the student's page
from the_course
join chosen
left join usage_activity_person_week as used
  on used.course_id = the_course.id
  and used.person_id = chosen.id
  and (
    :activity = ''
    or used.activity_id in (select value from the_activities join json_each(the_activities.found, '$.ids'))
  )
group by chosen.id
having coalesce(sum(used.clicks), 0) <= :most
order by clicks, chosen.fullname
