-- one row per forum and person with posts in the log
insert into usage_activity_person_posts
    (activity_id, person_id, posts, course_id)
with posting as (
    select id
    from event_types
    where eventclass in ('\mod_forum\event\post_created', '\mod_forum\event\discussion_created')
        or (eventclass is null and name in ('Post created', 'Discussion created'))
)
select
    events.activity_id,
    events.person_id,
    count(*),
    :course
from events not indexed -- one pass over the log is quicker than all of it in the order of an index
where events.course_id = :course
    and events.event_type_id in (select id from posting)
    and events.activity_id is not null
    and events.person_id is not null
group by events.activity_id, events.person_id
