-- one row: one student's clicks in the course, and the place by clicks among all students
with own as (
    select coalesce(max(clicks), 0) as clicks from usage_person where course_id = :course and person_id = :person
)
select own.clicks, 1 + (select count(*) from usage_person where course_id = :course and clicks > own.clicks) as rank
from own
