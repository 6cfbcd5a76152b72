-- one row per assignment submission in the log
insert or ignore into submissions
    (person_id, activity_id, state, time_utc)
select
    events.person_id,
    events.activity_id,
    'submitted',
    events.time_utc
from event_types
join events on events.event_type_id = event_types.id
where event_types.eventclass = '\mod_assign\event\assessable_submitted'
    and events.course_id = :course
    and events.person_id is not null
    and events.activity_id is not null
    and events.real_person_id is null
