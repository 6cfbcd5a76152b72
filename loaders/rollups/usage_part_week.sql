-- one row per part (chapter, discussion, page) and teaching week with at least one click
insert into usage_part_week
    (course_id, week, part_id, clicks, students, planes)
select
    :course,
    used.week,
    used.part_id,
    sum(used.clicks),
    count(*),
    bit_planes(usage_person.position, used.clicks)
from activities
join parts on parts.activity_id = activities.id
join usage_part_person_week as used on used.part_id = parts.id
join usage_person on usage_person.course_id = :course and usage_person.person_id = used.person_id
where activities.course_id = :course
group by used.week, used.part_id
