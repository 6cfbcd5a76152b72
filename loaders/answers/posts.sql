-- one row per post of one person: forum posts of this course, blog posts of any time, newest first
select
    'forum' as source,
    forum_posts.moodle_id,
    parts.moodle_id as discussion,
    activities.name as place,
    forum_posts.title,
    forum_posts.parent_id,
    forum_posts.word_count,
    forum_posts.link_count,
    forum_posts.sentiment,
    forum_posts.published_utc,
    forum_posts.url
from forum_posts
left join parts on parts.id = forum_posts.part_id
left join activities on activities.id = parts.activity_id
where forum_posts.person_id = :person and forum_posts.course_id = :course
union all
select
    'blog',
    moodle_id,
    null,
    null,
    title,
    null,
    word_count,
    link_count,
    sentiment,
    published_utc,
    url
from blog_posts
where person_id = :person
order by published_utc desc
