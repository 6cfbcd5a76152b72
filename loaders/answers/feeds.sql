-- one row per blog that is, or was, registered for one person
select
    feeds.url,
    feeds.feed_url,
    feeds.title,
    feeds.registered,
    feeds.asked_utc,
    feeds.fetched_utc,
    feeds.error,
    (select count(*) from blog_posts where feed_id = feeds.id) as posts
from feeds
where person_id = :person
order by not feeds.registered, feeds.url
