-- one row per forum in which the log shows posts by one person: how many, and whether the forum's posts are loaded
select
    activities.name as place,
    count(*) as posts,
    activities.id in (
        select parts.activity_id
        from forum_posts
        join parts on parts.id = forum_posts.part_id
        where forum_posts.course_id = :course
    ) as loaded
from events
join event_types on event_types.id = events.event_type_id
join activities on activities.id = events.activity_id
where events.person_id = :person
    and events.course_id = :course
    and (
        event_types.eventclass in ('\mod_forum\event\post_created', '\mod_forum\event\discussion_created')
        or (event_types.eventclass is null and event_types.name in ('Post created', 'Discussion created'))
    )
group by activities.id
order by activities.name
