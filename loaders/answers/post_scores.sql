-- one row per post of one person, all of them, newest first: its kind and how it sounds
select 'forum' as source, sentiment, published_utc
from forum_posts
where person_id = :person and course_id = :course
union all
select 'blog', sentiment, published_utc
from blog_posts
where person_id = :person
order by published_utc desc
