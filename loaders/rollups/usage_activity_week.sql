-- one row per activity and teaching week with at least one click
insert into usage_activity_week
    (course_id, week, activity_id, clicks, students, planes)
select
    :course,
    used.week,
    used.activity_id,
    sum(used.clicks),
    count(*),
    bit_planes(usage_person.position, used.clicks)
from activities
join usage_activity_person_week as used on used.activity_id = activities.id
join usage_person on usage_person.course_id = :course and usage_person.person_id = used.person_id
where activities.course_id = :course
group by used.week, used.activity_id
