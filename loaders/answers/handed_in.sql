-- one row per submission or quiz attempt of one person after `since`, newest first
select activities.cmid, activities.name, activities.kind, handed.state, handed.time_utc
from (
    select person_id, activity_id, state, time_utc from submissions
    union all
    select person_id, activity_id, state, time_utc from attempts where state not in ('started', 'inprogress')
) as handed
join activities on activities.id = handed.activity_id and activities.course_id = :course
where handed.person_id = :person and handed.time_utc > :since
order by handed.time_utc desc
