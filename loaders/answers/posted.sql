-- one row per forum in which the log shows posts by one person: how many, and whether the forum's posts are loaded
select
    activities.name as place,
    used.posts,
    exists (
        select 1
        from parts
        join forum_posts on forum_posts.part_id = parts.id
        where parts.activity_id = activities.id
    ) as loaded
from usage_activity_person_posts as used
join activities on activities.id = used.activity_id
where used.course_id = :course and used.person_id = :person
order by activities.name
