-- one row per post of one person, newest first: the newest (:most) forum posts of this course, and blog posts of any time
select
    'forum' as source,
    forum_posts.moodle_id,
    parts.moodle_id as discussion,
    activities.name as place,
    case when length(forum_posts.title) > 300 then substr(forum_posts.title, 1, 299) || '…' else forum_posts.title end as title,
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
    null as missed_utc,
    null as gone_utc,
    0 as summary_only,
    forum_posts.url
from forum_posts
left join parts on parts.id = forum_posts.part_id
left join activities on activities.id = parts.activity_id
where forum_posts.id in (
    select id from forum_posts where person_id = :person and course_id = :course
    order by published_utc desc, id desc limit :most
)
union all
select
    'blog',
    moodle_id,
    null,
    null,
    case when length(title) > 300 then substr(title, 1, 299) || '…' else title end as title,
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
    missed_utc,
    gone_utc,
    summary_only,
    url
from blog_posts
where id in (select id from blog_posts where person_id = :person order by published_utc desc, id desc limit :most)
order by published_utc desc
