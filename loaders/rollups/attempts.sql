-- one row per step of a quiz attempt in the log
insert or ignore into attempts
    (person_id, activity_id, state, time_utc)
select
    coalesce(events.related_person_id, events.person_id),
    events.activity_id,
    case event_types.eventclass
        when '\mod_quiz\event\attempt_started' then 'inprogress'
        when '\mod_quiz\event\attempt_becameoverdue' then 'overdue'
        when '\mod_quiz\event\attempt_submitted' then 'finished'
        else 'abandoned'
    end,
    events.time_utc
from event_types
join events on events.event_type_id = event_types.id
where event_types.eventclass in (
        '\mod_quiz\event\attempt_started',
        '\mod_quiz\event\attempt_becameoverdue',
        '\mod_quiz\event\attempt_submitted',
        '\mod_quiz\event\attempt_abandoned'
    )
    and events.course_id = :course
    and events.activity_id is not null
    and coalesce(events.related_person_id, events.person_id) is not null
