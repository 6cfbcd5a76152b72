-- one row per post of one person, newest first: forum posts of this course, blog posts of any time
select
    'forum' as source,
    forum_posts.moodle_id,
    parts.moodle_id as discussion,
    activities.name as place,
    forum_posts.title,
    forum_posts.parent_id,
    forum_posts.word_count,
    forum_posts.link_count,
    null as image_count,
    (
        select count(*) from post_links where forum_post_id = forum_posts.id and person_id != forum_posts.person_id
    ) as classmate_links,
    forum_posts.sentiment,
    forum_posts.no_sentiment,
    forum_posts.usual_sentiment,
    forum_posts.positive_pct,
    forum_posts.negative_pct,
    forum_posts.most_positive,
    forum_posts.most_negative,
    forum_posts.published_utc,
    null as updated_utc,
    null as first_fetched_utc,
    null as gone_utc,
    0 as summary_only,
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
    image_count,
    (select count(*) from post_links where blog_post_id = blog_posts.id and person_id != blog_posts.person_id),
    sentiment,
    no_sentiment,
    usual_sentiment,
    positive_pct,
    negative_pct,
    most_positive,
    most_negative,
    published_utc,
    updated_utc,
    first_fetched_utc,
    gone_utc,
    summary_only,
    url
from blog_posts
where person_id = :person
order by published_utc desc
