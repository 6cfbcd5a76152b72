-- one row per forum and person with posts in the log
insert into usage_activity_person_posts
    (activity_id, person_id, posts, course_id)
select
    activities.id,
    events.person_id,
    count(*),
    :course
from event_types
join events on events.event_type_id = event_types.id
join activities on activities.id = events.activity_id
where events.course_id = :course
    and events.person_id is not null
    and (
        event_types.eventclass in ('\mod_forum\event\post_created', '\mod_forum\event\discussion_created')
        or (event_types.eventclass is null and event_types.name in ('Post created', 'Discussion created'))
    )
group by activities.id, events.person_id
