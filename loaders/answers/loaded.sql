-- one row: which kinds of data are here at all, for the course and for one person
select
    (select data_up_to_utc is not null from courses where id = :course) as log,
    exists (
        select 1 from activities join completions on completions.activity_id = activities.id
        where activities.course_id = :course
    ) as completion,
    exists (
        select 1 from activities join completions on completions.activity_id = activities.id
        where activities.course_id = :course and completions.person_id = :person
    ) as own_completion,
    exists (select 1 from forum_posts where course_id = :course) as forum_posts,
    exists (select 1 from blog_posts) or exists (select 1 from feeds) as blog_posts,
    exists (select 1 from blog_posts where person_id = :person)
        or exists (select 1 from feeds where person_id = :person) as own_blog,
    exists (select 1 from calendar_events where course_id = :course)
        or exists (select 1 from activities where course_id = :course and due_utc is not null) as due_dates
