-- one row per part (chapter, discussion, page), student and teaching week with at least one click
insert into usage_part_person_week
    (part_id, person_id, week, clicks, first_utc, last_utc, activity_id, course_id)
select
    part_id,
    person_id,
    week,
    sum(clicks),
    min(first_utc),
    max(last_utc),
    min(activity_id),
    :course
from clicks
where part_id is not null
group by part_id, person_id, week
