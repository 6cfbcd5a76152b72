-- one row per forum in which the log shows posts by one person: how many, and whether the forum's posts are loaded
select
    activities.name as place,
    used.posts,
    activities.id in (
        select parts.activity_id
        from forum_posts
        join parts on parts.id = forum_posts.part_id
        where forum_posts.course_id = :course
    ) as loaded
from usage_activity_person_posts as used
join activities on activities.id = used.activity_id
where used.course_id = :course and used.person_id = :person
order by activities.name
